"""What is promised by priority and tier of the account: the defaults, and how one is found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from portal.errors import N_, InvalidError
from portal.service.clock.rules import Targets

PRIORITIES: Final[Mapping[str, str]] = {
    "urgent": N_("urgent"),
    "high": N_("high"),
    "normal": N_("normal"),
    "low": N_("low"),
}
"""Priority -> its marked word, the most pressing first."""


def _hours(first_answer: int, resolution: int, warn: int, escalate: int) -> Targets:
    return Targets(*(timedelta(hours=n) for n in (first_answer, resolution, warn, escalate)))


DEFAULTS: Final[Mapping[str, Targets]] = {
    "urgent": _hours(4, 16, 2, 4),
    "high": _hours(8, 32, 4, 8),
    "normal": _hours(24, 80, 12, 24),
    "low": _hours(24, 160, 12, 24),
}
"""What is promised where nothing was saved, in business hours."""


class TargetOrderError(InvalidError):
    """A manager is not told before the team."""

    message = N_("The manager can't be told before the team: enter {warn} hours or more.")


@dataclass(frozen=True, slots=True)
class TargetBook:
    """All saved promises by (tier, priority)."""

    saved: Mapping[tuple[str, str], Targets]

    def targets_for(self, priority: str, tier: str | None) -> Targets:
        """Return the promise of the account's tier, else the one to all, else the default."""
        for key in ((tier or "", priority), ("", priority)):
            if key in self.saved:
                return self.saved[key]
        return DEFAULTS.get(priority, DEFAULTS["normal"])
