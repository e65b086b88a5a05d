"""The fingerprint of a submitted revision: an approval is bound to exactly this content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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
    text = json.dumps(_plain(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any tree of plain values
    match value:
        case FrozenContent() | FrozenLine():
            return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
        case Decimal():
            return number_text(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def number_text(value: Decimal) -> str:
    """Write a number plainly, without an exponent and without trailing zeros."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
