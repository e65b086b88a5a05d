"""A price's trace as it is frozen with a line: written once, read back as the rule gave it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.catalog.pricing.rules import (
    Entry,
    EntryKind,
    Level,
    ListKind,
    Outcome,
    Reason,
    Resolution,
    TraceStep,
    Window,
)
from portal.quotes.hashing import number_text


def freeze(resolution: Resolution) -> dict[str, Any]:
    """Return a resolution as plain data, without the figures that the line holds itself."""
    return {
        "list_code": resolution.list_code,
        "list_kind": resolution.list_kind.value if resolution.list_kind else None,
        "list_version": resolution.list_version,
        "valid_to": _instant(resolution.valid_to),
        "off_contract": resolution.off_contract,
        "entry": _entry(resolution.entry),
        "steps": [
            {
                "list_code": step.list_code,
                "level": step.level.value,
                "priority": step.priority,
                "outcome": step.outcome.value,
                "reason": step.reason.value,
            }
            for step in resolution.trace
        ],
    }


def thaw(
    trace: Mapping[str, Any],
    *,
    currency: str,
    unit_price: Decimal | None,
    list_price: Decimal | None,
    line_total: Decimal | None,
) -> Resolution:
    """Return the resolution that `freeze` wrote, with the line's figures."""
    return Resolution(
        found=unit_price is not None,
        currency=currency,
        unit_price=unit_price,
        line_total=line_total,
        list_code=trace.get("list_code"),
        list_kind=ListKind(trace["list_kind"]) if trace.get("list_kind") else None,
        list_version=trace.get("list_version"),
        entry=_read_entry(trace.get("entry")),
        list_price=list_price,
        trace=tuple(
            TraceStep(
                step["list_code"],
                Level(step["level"]),
                step["priority"],
                Outcome(step["outcome"]),
                Reason(step["reason"]),
            )
            for step in trace.get("steps", ())
        ),
        valid_to=_read_instant(trace.get("valid_to")),
        off_contract=bool(trace.get("off_contract")),
    )


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "kind": entry.kind.value,
        "value": number_text(entry.value),
        "uom": entry.uom,
        "min_quantity": number_text(entry.min_quantity),
        "sku": entry.sku,
        "category_path": entry.category_path,
        "valid_from": _instant(entry.window.start),
        "valid_to": _instant(entry.window.end),
    }


def _read_entry(plain: Mapping[str, Any] | None) -> Entry | None:
    if plain is None:
        return None
    return Entry(
        kind=EntryKind(plain["kind"]),
        value=Decimal(plain["value"]),
        uom=plain["uom"],
        min_quantity=Decimal(plain["min_quantity"]),
        sku=plain["sku"],
        category_path=plain["category_path"],
        window=Window(_read_instant(plain["valid_from"]), _read_instant(plain["valid_to"])),
    )


def _instant(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _read_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
