"""What orders ask of the stock: what is there, what they reserve, take out and give back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.catalog.models import Product, UomConversion
from portal.catalog.stock import actions as stock
from portal.catalog.stock.queries import count_in_own_unit, find_availability
from portal.catalog.stock.rules import Availability
from portal.db import db, lock
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Supply
from portal.orders.rules import KIND, TO_SHIP
from portal.policy import Actor

_PLACES: Final = Decimal("0.001")

FindRepairParts = Callable[[int], Mapping[tuple[int, str], Decimal]]
"""What repairs took for an approved quote: its id -> (product id, unit of measure) -> quantity."""
_repair_parts: list[FindRepairParts] = []


def ask_repairs_with(find: FindRepairParts) -> None:
    """Name what knows which goods of a quote the workshop gives from its own shelves."""
    _repair_parts[:] = [find]


def note_workshop_share(order: Order) -> None:
    """Write on the lines of a new order, not yet in the session, what a repair has taken for them.

    Earlier orders of the same quote keep their share.
    """
    for find in _repair_parts:
        left = dict(find(order.quote_id))
        if left:
            _take_shares(order, left)


def _take_shares(order: Order, left: dict[tuple[int, str], Decimal]) -> None:
    for key, given in _given_shares(order.quote_id).items():
        left[key] = left.get(key, Decimal(0)) - given
    for line in order.lines:
        key = line.product_id, line.uom
        line.workshop = max(min(left.get(key, Decimal(0)), line.quantity), Decimal(0))
        left[key] = left.get(key, Decimal(0)) - line.workshop


def _given_shares(quote_id: int) -> dict[tuple[int, str], Decimal]:
    """Return what of the workshop's share earlier orders of a quote have and did not give up."""
    rows = db.session.scalars(
        select(OrderLine).where(OrderLine.quote_id == quote_id, OrderLine.workshop > 0)
    )
    given: dict[tuple[int, str], Decimal] = {}
    for line in rows:
        key = line.product_id, line.uom
        given[key] = given.get(key, Decimal(0)) + min(line.workshop, line.valid)
    return given


def lock_orders_of(quote_id: int) -> list[Order]:
    """Return the orders made from a locked quote with their lines, locked."""
    statement = select(Order).where(Order.quote_id == quote_id).order_by(Order.id)
    return list(db.session.scalars(lock(statement.options(selectinload(Order.lines)))))


def lessen_workshop_share(actor: Actor, quote_id: int, *, now: datetime) -> None:
    """Let the goods for sale give what the workshop gave back: for the last orders first.

    What has left stays as it is; what the desk confirmed is reserved at once. The quote is locked.
    """
    taken: dict[tuple[int, str], Decimal] = {}
    for find in _repair_parts:
        taken |= find(quote_id)
    over = {
        key: given - taken.get(key, Decimal(0)) for key, given in _given_shares(quote_id).items()
    }
    for order in reversed(lock_orders_of(quote_id)):
        wants: dict[OrderLine, Decimal] = {}
        for line in order.lines:
            key, before = (line.product_id, line.uom), line.counts.to_take
            less = min(over.get(key, Decimal(0)), line.workshop - min(line.workshop, line.shipped))
            if less > 0:
                line.workshop, over[key] = line.workshop - less, over[key] - less
                wants[line] = line.counts.to_take - before
        counted = _counted(wants)
        if counted and order.status in TO_SHIP:
            stock.reserve((KIND, order.id), counted, now=now, actor=actor)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What there is of the products of some lines, already read."""

    lead_days: Mapping[int, int | None]
    factors: Mapping[int, Decimal | None]
    known: Mapping[int, Availability]

    def supplies(self, lines: Iterable[OrderLine]) -> dict[int, Supply]:
        """Return what the supplier can say of the lines of one order, by the line's id.

        Quantities are in the line's unit of measure; what one line takes is not offered to the
        next line of the same product; what the workshop gives is there. A unit that can't be
        converted counts as no stock kept.
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
            kept_apart = line.to_ship - line.counts.to_take
            supplies[line.id] = Supply(
                _in_line(left[key], factor) + kept_apart,
                _in_line(there_is[key], factor) + kept_apart,
                self.known[key].expected_on,
                days,
            )
            for kept in (left, there_is):
                kept[key] -= min(line.counts.to_take * factor, kept[key])
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


def find_supply(product: Product, uom: str) -> Supply:
    """Return what the supplier can say of a product that no line holds yet."""
    there = find_availability({product.id}).get(product.id) if uom == product.uom else None
    if there is None:
        return Supply(lead_time_days=product.lead_time_days)
    return Supply(
        max(there.available, Decimal(0)),
        there.on_hand,
        there.expected_on,
        product.lead_time_days,
    )


def reserve_order(actor: Actor, order: Order, *, now: datetime) -> None:
    """Reserve everything of an order that has still to leave; more than there is waits for more.

    What the workshop gives for a repair is reserved on its own shelves, and not once more here.
    """
    wants = _counted({line: line.counts.to_take for line in order.lines})
    stock.reserve((KIND, order.id), wants, now=now, actor=actor)


def issue_shipped(
    actor: Actor, order: Order, quantities: Mapping[OrderLine, Decimal], *, now: datetime
) -> None:
    """Take out of stock what leaves; refused where there is not that much on hand."""
    taken = {
        line: line.counts.to_take - replace(line.counts, shipped=line.shipped + part).to_take
        for line, part in quantities.items()
    }
    stock.issue((KIND, order.id), _counted(taken), now=now, actor=actor)


def release_cancelled(
    actor: Actor, order: Order, quantities: Mapping[OrderLine, Decimal], *, now: datetime
) -> None:
    """Give back what was reserved for lines that are cancelled."""
    freed = {
        line: line.counts.to_take - replace(line.counts, cancelled=line.cancelled + part).to_take
        for line, part in quantities.items()
    }
    stock.release((KIND, order.id), now=now, quantities=_counted(freed), actor=actor)


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
