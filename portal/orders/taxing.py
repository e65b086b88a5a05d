"""Tax of an order: rates of a day for its lines, and the sums that follow from them."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from portal.catalog.pricing.charges import tax_rates_for
from portal.catalog.pricing.tax_rules import TaxLine, TaxStatus, TaxSummary, taxes
from portal.money import line_amount
from portal.orders.models import Order, OrderLine


def find_rates(
    places: Iterable[tuple[str, str | None, str]], at: datetime
) -> dict[tuple[str, str | None, str], Decimal | None]:
    """Return the rate in per cent for each (country, region, tax category) at an instant."""
    wanted = set(places)
    rates: dict[tuple[str, str | None, str], Decimal | None] = {}
    for country, region in sorted({place[:2] for place in wanted}, key=str):
        categories = {place[2] for place in wanted if place[:2] == (country, region)}
        for category, rate in tax_rates_for(country, region, categories, at).items():
            rates[country, region, category] = rate
    return rates


def place_of(line: OrderLine) -> tuple[str, str | None, str]:
    """Return where and as what a line is taxed."""
    return line.tax_country, line.tax_region, line.tax_category


def current_rates(order: Order, now: datetime) -> dict[int, Decimal | None]:
    """Return today's rate of each line by its id."""
    rates = find_rates((place_of(line) for line in order.lines), now)
    return {line.id: rates[place_of(line)] for line in order.lines}


def sum_up(order: Order, tax_status: TaxStatus) -> TaxSummary:
    """Sum an order up from its lines and their frozen rates."""
    keys = {id(line): str(number) for number, line in enumerate(order.lines)}
    return taxes(
        [TaxLine(keys[id(line)], line.line_total) for line in order.lines],
        order.freight,
        tax_status,
        {keys[id(line)]: line.tax_rate for line in order.lines},
        order.currency,
    )


def apply_totals(order: Order, tax_status: TaxStatus) -> None:
    """Write the sums of an order's lines into the order."""
    summary = sum_up(order, tax_status)
    order.lines_total, order.net_total = summary.lines_total, summary.net_total
    order.tax_total, order.gross_total = summary.tax_total, summary.gross_total
    order.tax = [
        {"rate": f"{row.rate:f}", "base": f"{row.base:f}", "amount": f"{row.tax:f}"}
        for row in summary.taxes
    ]


def recount(order: Order) -> None:
    """Bring line totals and sums in line with what is not cancelled.

    An order of which nothing is left keeps its last figures: it is history, not a document of zero.
    """
    if not any(line.valid for line in order.lines):
        return
    for line in order.lines:
        line.line_total = line_amount(line.unit_price, line.valid, order.currency)
    apply_totals(order, order.tax_status)
