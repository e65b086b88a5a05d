"""How much each proof of faults does: little in `make prove`, more in `make bench-faults`."""

import os
from typing import Final

KILLS: Final = int(os.environ.get("PORTAL_FAULT_KILLS", "60"))
"""How often each kind of process is killed, per database."""
MAILS: Final = int(os.environ.get("PORTAL_FAULT_MAILS", "8"))
"""How many messages wait for a mail server that is away, each for two receivers."""
FULL_ROUNDS: Final = int(os.environ.get("PORTAL_FAULT_FULL", "4"))
"""How often the disk is full and has room again."""
FAILOVERS: Final = int(os.environ.get("PORTAL_FAULT_FAILOVERS", "3"))
"""How often a standby takes the place of a database that died."""
SEED: Final = int(os.environ.get("PORTAL_FAULT_SEED", "20261122"))
"""Chooses the moments of the kills; another one tries others."""
