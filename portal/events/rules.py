"""How an event is hashed, so that any later change of a row shows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

GENESIS: Final = "0" * 64
"""What the first event of a chain names as the hash before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """One event before it is sealed: ids and figures only, never names or e-mail addresses."""

    account_id: int
    occurred_at: datetime
    verb: str
    kind: str
    object_id: int | None
    number: str
    person_id: int | None
    membership_id: int | None
    operator: str
    data: Mapping[str, Any] = field(default_factory=dict)


def chain_hash(previous: str, sequence: int, facts: EventFacts) -> str:
    """Return the SHA-256 that ties ``facts`` to the event before it (hexadecimal)."""
    row = asdict(facts)
    row["occurred_at"] = facts.occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    row["data"] = dict(facts.data)
    text = json.dumps(
        [previous, sequence, row], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()
