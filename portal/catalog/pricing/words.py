"""The price explained: one sentence for the buyer, the full trace for supplier staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
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
from portal.web.locale import language_in_force


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
    entry = resolution.entry
    if not resolution.found or entry is None or resolution.unit_price is None:
        return _("No price is agreed for this: price on request.")
    figures = _Figures(
        currency=resolution.currency,
        unit_price=str(resolution.unit_price),
        list_price=None if resolution.list_price is None else str(resolution.list_price),
        list_kind=resolution.list_kind,
        list_code=resolution.list_code or "",
        kind=entry.kind,
        value=str(entry.value),
        min_quantity=str(entry.min_quantity),
        uom=entry.uom,
        valid_to=resolution.valid_to,
    )
    return _explain(language_in_force(), figures, zone)


class _Figures(NamedTuple):
    """What the sentence names; numbers as texts, since 100 and 100.00 are not written alike."""

    currency: str
    unit_price: str
    list_price: str | None
    list_kind: ListKind | None
    list_code: str
    kind: EntryKind
    value: str
    min_quantity: str
    uom: str
    valid_to: datetime | None


@lru_cache(maxsize=8_192)
def _explain(_language: str, figures: _Figures, zone: ZoneInfo) -> str:
    """Write the sentence; the lines of a quote say it again on each look."""
    parts = [
        *_list_price(figures),
        _decider(figures),
        *_quantity(figures),
        *_last_day(figures.valid_to, zone),
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


def _list_price(figures: _Figures) -> list[str]:
    """Name the list price where another list decided."""
    if figures.list_price is None or figures.list_kind is ListKind.STANDARD:
        return []
    amount = _number(figures.list_price, least=2)
    return [_("List %(currency)s %(amount)s", currency=figures.currency, amount=amount)]


def _decider(figures: _Figures) -> str:
    """Name the list that decided and what it says."""
    price = _number(figures.unit_price, least=2)
    if figures.list_kind is ListKind.STANDARD:
        return _("List %(currency)s %(amount)s", currency=figures.currency, amount=price)
    code, currency = figures.list_code, figures.currency
    if figures.kind is EntryKind.PRICE:
        said = f"{currency} {price}"
    elif figures.kind is EntryKind.PERCENT_OFF:
        said = f"−{_number(figures.value)} %"
    else:
        said = f"−{currency} {_number(figures.value, least=2)}"
    if figures.list_kind is ListKind.AGREEMENT:
        return _("agreement %(code)s %(said)s", code=code, said=said)
    return _("price list %(code)s %(said)s", code=code, said=said)


def _quantity(figures: _Figures) -> list[str]:
    """Name the break reached, where it is more than a single piece."""
    if Decimal(figures.min_quantity) <= 1:
        return []
    return [_("from %(quantity)s %(uom)s", quantity=_number(figures.min_quantity), uom=figures.uom)]


def _last_day(valid_to: datetime | None, zone: ZoneInfo) -> list[str]:
    """Name the last day included of an exclusive end."""
    if valid_to is None:
        return []
    last = (valid_to.astimezone(zone) - timedelta(microseconds=1)).date()
    return [_("until %(day)s", day=formats.day(last))]


def _number(text: str, least: int = 0) -> str:
    """Return a number in the reader's format with at least some decimals."""
    value = Decimal(text)
    pattern = "#,##0" + ("." + "0" * least + "#" * (6 - least))
    whole = value == value.to_integral_value()
    if whole and least and value >= 0 and -int(value.as_tuple().exponent) < least:
        pattern = "#,##0.######"  # a currency or a list without decimals
    return formats.number(value, pattern)
