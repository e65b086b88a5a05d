"""The fingerprint of a submitted revision: an approval is bound to exactly this content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenLine:
    """Everything of a line that may never change after submission."""

    line_id: int
    position: int
    sku: str
    name: str
    quantity: Decimal
    uom: str
    list_price: Decimal | None
    unit_price: Decimal | None
    line_total: Decimal | None
    off_contract: bool
    trace: Mapping[str, Any]
    cost_centre: str | None
    ship_to: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenContent:
    """Everything of a revision that may never change after submission.

    ``places`` holds the cost centres and addresses as they were, by code.
    """

    number: str
    revision: int
    title: str
    note: str
    currency: str
    valid_until: datetime
    lines_total: Decimal
    freight: Decimal
    net_total: Decimal
    tax: Sequence[Mapping[str, str]]
    tax_total: Decimal | None
    gross_total: Decimal | None
    places: Mapping[str, Any]
    lines: Sequence[FrozenLine]


def content_hash(content: FrozenContent) -> str:
    """Return the SHA-256 of the content's canonical JSON (hexadecimal).

    Numbers are written without trailing zeros, so that the same figure read back from a column
    with more decimals has the same hash.
    """
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """Return what JSON has no word for as what it has: called for nothing else."""
    match value:
        case FrozenContent() | FrozenLine():
            return {name: getattr(value, name) for name in value.__slots__}
        case Decimal():
            return number_text(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case Mapping():
            return dict(value)
        case _:
            message = f"{type(value).__name__} is not part of what is frozen"
            raise TypeError(message)


def number_text(value: Decimal) -> str:
    """Write a number plainly, without an exponent and without trailing zeros."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
