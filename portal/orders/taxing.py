"""Tax of an order: rates of a day for its lines, and the sums that follow from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.catalog.pricing.charges import tax_rates_for
from portal.catalog.pricing.tax_rules import TaxLine, TaxStatus, TaxSummary, taxes
from portal.money import line_amount
from portal.orders.models import Order, OrderLine

Place = tuple[str, str | None, str]
"""Country, region and tax category."""


def find_rates(places: Iterable[Place], at: datetime) -> dict[Place, Decimal | None]:
    """Return the rate in per cent for each (country, region, tax category) at an instant."""
    wanted = set(places)
    rates: dict[Place, Decimal | None] = {}
    for country, region in sorted({place[:2] for place in wanted}, key=str):
        categories = {place[2] for place in wanted if place[:2] == (country, region)}
        for category, rate in tax_rates_for(country, region, categories, at).items():
            rates[country, region, category] = rate
    return rates


def place_of(line: OrderLine) -> Place:
    """Return where and as what a line is taxed."""
    return line.tax_country, line.tax_region, line.tax_category


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount of an order, where and as what it is taxed, and at which rate in per cent."""

    amount: Decimal
    place: Place
    rate: Decimal | None


def freight_of(order: Order) -> list[Taxed]:
    """Return the freight that an order carries, by country of destination.

    Quotes submitted before freight was frozen by country say just its sum: it has no place then.
    """
    if not order.freight:
        return []
    return [
        Taxed(Decimal(item["charge"]), _frozen_place(item), _frozen_rate(item))
        for item in order.places.get("freight", ())
    ]


def _frozen_place(item: Mapping[str, Any]) -> Place:
    return item["tax_country"], item["tax_region"], item["tax_category"]


def _frozen_rate(item: Mapping[str, Any]) -> Decimal | None:
    return None if item["tax_rate"] is None else Decimal(item["tax_rate"])


def find_moved_rates(order: Order, now: datetime) -> list[tuple[Decimal | None, Decimal | None]]:
    """Return old and new of each rate that is not that of submission any more."""
    frozen = [Taxed(line.line_total, place_of(line), line.tax_rate) for line in order.lines]
    frozen += freight_of(order)
    rates = find_rates((item.place for item in frozen), now)
    return [(item.rate, rates[item.place]) for item in frozen if rates[item.place] != item.rate]


def take_current_rates(order: Order, now: datetime) -> None:
    """Replace the rates of submission by today's, and the sums by what follows from them."""
    freight = order.places.get("freight", ())
    places = [place_of(line) for line in order.lines] + [_frozen_place(item) for item in freight]
    rates = find_rates(places, now)
    for line in order.lines:
        line.tax_rate = rates[place_of(line)]
    taken = [
        {**item, "tax_rate": None if (rate := rates[_frozen_place(item)]) is None else f"{rate:f}"}
        for item in freight
    ]
    if taken:
        order.places = {**order.places, "freight": taken}
    apply_totals(order, order.tax_status)


def sum_up(order: Order, tax_status: TaxStatus) -> TaxSummary:
    """Sum an order up from its lines and freight and their frozen rates."""
    freight = freight_of(order)
    taxed = [(line.line_total, line.tax_rate) for line in order.lines]
    taxed += [(item.amount, item.rate) for item in freight]
    summary = taxes(
        [TaxLine(str(number), amount) for number, (amount, _) in enumerate(taxed)],
        Decimal(0) if freight else order.freight,
        tax_status,
        {str(number): rate for number, (_, rate) in enumerate(taxed)},
        order.currency,
    )
    return replace(
        summary,
        lines_total=sum((line.line_total for line in order.lines), Decimal(0)),
        freight=order.freight,
    )


def apply_totals(order: Order, tax_status: TaxStatus) -> None:
    """Write the sums of an order's lines into the order."""
    summary = sum_up(order, tax_status)
    order.lines_total, order.net_total = summary.lines_total, summary.net_total
    _note_list_value(order)
    order.tax_total, order.gross_total = summary.tax_total, summary.gross_total
    order.tax = [
        {"rate": f"{row.rate:f}", "base": f"{row.base:f}", "amount": f"{row.tax:f}"}
        for row in summary.taxes
    ]


def _note_list_value(order: Order) -> None:
    """Write how many lines are left and what they come to at list prices; reports read it there."""
    valid = [line for line in order.lines if line.valid]
    listed = [
        (line_amount(line.list_price, line.valid, order.currency), line.line_total)
        for line in valid
        if line.list_price is not None
    ]
    order.valid_lines = len(valid)
    order.list_total = sum((at_list for at_list, _own in listed), Decimal(0))
    order.listed_total = sum((own for _at_list, own in listed), Decimal(0))


def recount(order: Order) -> None:
    """Bring line totals and sums in line with what is not cancelled.

    An order of which nothing is left keeps its last figures: it is history, not a document of zero.
    """
    if not any(line.valid for line in order.lines):
        return
    for line in order.lines:
        line.line_total = line_amount(line.unit_price, line.valid, order.currency)
    apply_totals(order, order.tax_status)
