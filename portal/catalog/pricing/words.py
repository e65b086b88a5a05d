"""The price explained: one sentence for the buyer, the full trace for supplier staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.catalog.pricing.rules import (
    REASONS,
    EntryKind,
    ListKind,
    Outcome,
    Resolution,
    TraceStep,
)
from portal.web import formats


@dataclass(frozen=True, slots=True)
class TraceWords:
    """One list of the trace in the reader's language."""

    list_code: str
    level: str
    priority: int | None
    outcome: str
    tone: str
    reason: str


def explain(resolution: Resolution, zone: ZoneInfo) -> str:
    """Return why a price is what it is, in one translated sentence.

    The sentence names the list price, the list that decided, its reduction, the quantity from which
    it holds and the last day on which it does.

    Args:
        zone: The supplier's time zone: ends of prices are stored as midnights there.
    """
    if not resolution.found or resolution.entry is None:
        return _("No price is agreed for this: price on request.")
    parts = [
        *_list_price(resolution),
        _decider(resolution),
        *_quantity(resolution),
        *_last_day(resolution.valid_to, zone),
    ]
    return _(", ").join(parts)


def explain_trace(trace: Sequence[TraceStep]) -> list[TraceWords]:
    """Return every list considered, in order, and why it won or lost."""
    tones = {
        Outcome.WON: "ok",
        Outcome.LOST: "idle",
        Outcome.SILENT: "idle",
        Outcome.NO_PRICE: "warn",
    }
    return [
        TraceWords(
            step.list_code,
            level_label(step.level.value),
            step.priority,
            outcome_label(step.outcome),
            tones[step.outcome],
            _(REASONS[step.reason]),
        )
        for step in trace
    ]


def level_label(level: str) -> str:
    """Return how a list reaches the buyer, in words."""
    labels = {
        "agreement-unit": _("Agreement of the unit"),
        "agreement-account": _("Agreement of the account"),
        "list-unit": _("List of the unit"),
        "list-account": _("List of the account"),
        "list-group": _("List of the tier or segment"),
        "standard": _("Standard list"),
    }
    return labels[level]


def outcome_label(outcome: Outcome) -> str:
    """Return what became of a list, in words."""
    labels = {
        Outcome.WON: _("won"),
        Outcome.LOST: _("lost"),
        Outcome.SILENT: _("silent"),
        Outcome.NO_PRICE: _("no price"),
    }
    return labels[outcome]


def _list_price(resolution: Resolution) -> list[str]:
    """Name the list price where another list decided."""
    if resolution.list_price is None or resolution.list_kind is ListKind.STANDARD:
        return []
    amount = _number(resolution.list_price, least=2)
    return [_("List %(currency)s %(amount)s", currency=resolution.currency, amount=amount)]


def _decider(resolution: Resolution) -> str:
    """Name the list that decided and what it says."""
    entry, unit_price = resolution.entry, resolution.unit_price
    if entry is None or unit_price is None:
        return ""
    price = _number(unit_price, least=2)
    if resolution.list_kind is ListKind.STANDARD:
        return _("List %(currency)s %(amount)s", currency=resolution.currency, amount=price)
    code, currency = resolution.list_code or "", resolution.currency
    if entry.kind is EntryKind.PRICE:
        said = f"{currency} {price}"
    elif entry.kind is EntryKind.PERCENT_OFF:
        said = f"−{_number(entry.value)} %"
    else:
        said = f"−{currency} {_number(entry.value, least=2)}"
    if resolution.list_kind is ListKind.AGREEMENT:
        return _("agreement %(code)s %(said)s", code=code, said=said)
    return _("price list %(code)s %(said)s", code=code, said=said)


def _quantity(resolution: Resolution) -> list[str]:
    """Name the break reached, where it is more than a single piece."""
    entry = resolution.entry
    if entry is None or entry.min_quantity <= 1:
        return []
    return [_("from %(quantity)s %(uom)s", quantity=_number(entry.min_quantity), uom=entry.uom)]


def _last_day(valid_to: datetime | None, zone: ZoneInfo) -> list[str]:
    """Name the last day included of an exclusive end."""
    if valid_to is None:
        return []
    last = (valid_to.astimezone(zone) - timedelta(microseconds=1)).date()
    return [_("until %(day)s", day=formats.day(last))]


def _number(value: Decimal, least: int = 0) -> str:
    """Return a number in the reader's format with at least some decimals."""
    pattern = "#,##0" + ("." + "0" * least + "#" * (6 - least))
    whole = value == value.to_integral_value()
    if whole and least and value >= 0 and -int(value.as_tuple().exponent) < least:
        pattern = "#,##0.######"  # a currency or a list without decimals
    return formats.number(value, pattern)
