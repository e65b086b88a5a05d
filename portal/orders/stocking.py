"""What orders ask of the stock: what is there, what they reserve, take out and give back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from sqlalchemy import select

from portal.catalog.models import Product, UomConversion
from portal.catalog.stock import actions as stock
from portal.catalog.stock.queries import count_in_own_unit, find_availability
from portal.catalog.stock.rules import Availability
from portal.db import db
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Supply
from portal.orders.rules import KIND
from portal.policy import Actor

_PLACES: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What there is of the products of some lines, already read."""

    lead_days: Mapping[int, int | None]
    factors: Mapping[int, Decimal | None]
    known: Mapping[int, Availability]

    def supplies(self, lines: Iterable[OrderLine]) -> dict[int, Supply]:
        """Return what the supplier can say of the lines of one order, by the line's id.

        Quantities are in the line's unit of measure; what one line takes is not offered to the
        next line of the same product. A unit that can't be converted counts as no stock kept.
        """
        left = {key: max(there.available, Decimal(0)) for key, there in self.known.items()}
        there_is = {key: there.on_hand for key, there in self.known.items()}
        supplies: dict[int, Supply] = {}
        for line in lines:
            key, days, factor = line.product_id, self.lead_days[line.product_id], None
            if key in self.known:
                factor = self.factors[line.id]
            if factor is None:
                supplies[line.id] = Supply(lead_time_days=days)
                continue
            supplies[line.id] = Supply(
                _in_line(left[key], factor),
                _in_line(there_is[key], factor),
                self.known[key].expected_on,
                days,
            )
            for kept in (left, there_is):
                kept[key] -= min(line.to_ship * factor, kept[key])
        return supplies


def _in_line(quantity: Decimal, factor: Decimal) -> Decimal:
    return (quantity / factor).quantize(_PLACES, rounding=ROUND_DOWN)


def look_up(lines: Iterable[OrderLine]) -> Shelf:
    """Read what there is of the products of some lines, in a constant number of statements."""
    wanted = list(lines)
    facts = _facts({line.product_id for line in wanted})
    return Shelf(
        lead_days={key: days for key, (_uom, days) in facts.items()},
        factors=_factors(wanted, {key: uom for key, (uom, _days) in facts.items()}),
        known=find_availability({line.product_id for line in wanted}),
    )


def find_supplies(lines: Iterable[OrderLine]) -> dict[int, Supply]:
    """Return what the supplier can say of each line of one order."""
    wanted = list(lines)
    return look_up(wanted).supplies(wanted)


def reserve_order(actor: Actor, order: Order, *, now: datetime) -> None:
    """Reserve everything of an order that has still to leave; more than there is waits for more."""
    wants = _counted({line: line.to_ship for line in order.lines})
    stock.reserve((KIND, order.id), wants, now=now, actor=actor)


def issue_shipped(
    actor: Actor, order: Order, quantities: Mapping[OrderLine, Decimal], *, now: datetime
) -> None:
    """Take out of stock what leaves; refused where there is not that much on hand."""
    stock.issue((KIND, order.id), _counted(quantities), now=now, actor=actor)


def release_cancelled(
    actor: Actor, order: Order, quantities: Mapping[OrderLine, Decimal], *, now: datetime
) -> None:
    """Give back what was reserved for lines that are cancelled."""
    stock.release((KIND, order.id), now=now, quantities=_counted(quantities), actor=actor)


def _counted(quantities: Mapping[OrderLine, Decimal]) -> dict[int, Decimal]:
    """Return quantities by product in its own unit of measure."""
    return count_in_own_unit(
        (line.product_id, quantity, line.uom) for line, quantity in quantities.items() if quantity
    )


def _facts(product_ids: Iterable[int]) -> dict[int, tuple[str, int | None]]:
    """Return unit of measure and lead time of products."""
    statement = select(Product.id, Product.uom, Product.lead_time_days).where(
        Product.id.in_(sorted(product_ids))
    )
    return {key: (uom, days) for key, uom, days in db.session.execute(statement)}


def _factors(lines: Iterable[OrderLine], own: Mapping[int, str]) -> dict[int, Decimal | None]:
    """Return how many of the product's own unit one unit of each line is, where that is stated."""
    wanted = list(lines)
    foreign = [line for line in wanted if own.get(line.product_id, line.uom) != line.uom]
    rows: list[UomConversion] = []
    if foreign:
        ids = sorted({line.product_id for line in foreign})
        statement = select(UomConversion).where(UomConversion.product_id.in_(ids))
        rows = list(db.session.scalars(statement))
    known: dict[tuple[int, str, str], Decimal] = {}
    for row in rows:
        known[row.product_id, row.to_uom, row.from_uom] = 1 / row.factor
    for row in rows:
        known[row.product_id, row.from_uom, row.to_uom] = row.factor
    return {
        line.id: Decimal(1)
        if own.get(line.product_id, line.uom) == line.uom
        else known.get((line.product_id, line.uom, own[line.product_id]))
        for line in wanted
    }
