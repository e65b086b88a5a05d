"""What stands in the way of an order: the credit limit, the stock, an address that is not whole."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Any, Final

from sqlalchemy import func, select

from portal.db import db
from portal.errors import N_
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Supply
from portal.orders.rules import OPEN, UNANSWERED
from portal.orders.stocking import look_up

_NEEDED: Final[Mapping[str, str]] = {
    "name": N_("name"),
    "line1": N_("street"),
    "postcode": N_("postcode"),
    "city": N_("city"),
    "country": N_("country"),
}
_WITHOUT_POSTCODE: Final = frozenset({"AE", "HK", "IE", "MO", "QA"})


@unique
class Blocker(StrEnum):
    """What the order desk looks at before it confirms or ships."""

    CREDIT = "credit"
    STOCK = "stock"
    ADDRESS = "address"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _LABELS[self]


_LABELS: Final[Mapping[Blocker, str]] = {
    Blocker.CREDIT: N_("credit limit"),
    Blocker.STOCK: N_("stock"),
    Blocker.ADDRESS: N_("address"),
}


@dataclass(frozen=True, slots=True)
class Credit:
    """What an account has open with the supplier, this order included, against its limit.

    Open is every order that is placed and not closed, with tax where it is known.
    """

    limit: Decimal | None
    open: Decimal

    @property
    def left(self) -> Decimal | None:
        """What is left of the limit; below zero where it is passed; nothing without a limit."""
        return None if self.limit is None else self.limit - self.open

    @property
    def is_over(self) -> bool:
        """Whether the limit is passed."""
        return self.limit is not None and self.open > self.limit


@dataclass(frozen=True, slots=True)
class Place:
    """An approved address by its code, with the marked words of what it lacks."""

    code: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineStock:
    """What a line needs and what there is for it; ``there`` is ``None`` where no stock is kept."""

    line: OrderLine
    needed: Decimal
    there: Decimal | None
    supply: Supply

    @property
    def is_short(self) -> bool:
        """Whether there is less than the line needs."""
        return self.there is not None and self.there < self.needed


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything the desk checks of one order."""

    credit: Credit
    stock: Sequence[LineStock]
    places: Sequence[Place]

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """What stands in the way, in the order in which it is shown."""
        found = {
            Blocker.CREDIT: self.credit.is_over,
            Blocker.STOCK: any(item.is_short for item in self.stock),
            Blocker.ADDRESS: any(place.lacks for place in self.places),
        }
        return tuple(blocker for blocker, is_there in found.items() if is_there)


def validate_orders(orders: Sequence[Order]) -> dict[int, Validation]:
    """Return the checks of orders with their lines and accounts loaded, in few statements."""
    open_amounts = find_open_amounts({order.account_id for order in orders})
    shelf = look_up(line for order in orders for line in order.lines)
    return {
        order.id: Validation(
            Credit(order.account.credit_limit, open_amounts.get(order.account_id, Decimal(0))),
            _stock(order, shelf.supplies(order.lines)),
            places_of(order),
        )
        for order in orders
    }


def _stock(order: Order, supplies: Mapping[int, Supply]) -> list[LineStock]:
    """Compare lines with the stock.

    Before the desk's word what counts is what nobody else was promised; afterwards the goods are
    reserved, and what counts is whether they lie there.
    """
    is_unanswered = order.status in UNANSWERED
    return [
        LineStock(
            line,
            line.to_ship if is_unanswered else line.counts.to_ship_first,
            supplies[line.id].available if is_unanswered else supplies[line.id].on_hand,
            supplies[line.id],
        )
        for line in order.lines
    ]


def places_of(order: Order) -> list[Place]:
    """Return the addresses that the order's lines go to, each with what it lacks."""
    known: Mapping[str, Mapping[str, Any]] = order.places.get("addresses", {})
    codes = sorted({line.ship_to for line in order.lines if line.valid})
    return [Place(code, lacks_of(known.get(code, {}))) for code in codes]


def lacks_of(address: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the marked words of what an address lacks so that a carrier finds it."""
    return tuple(
        word
        for name, word in _NEEDED.items()
        if not str(address.get(name) or "").strip()
        and not (name == "postcode" and address.get("country") in _WITHOUT_POSTCODE)
    )


def find_open_amounts(account_ids: Collection[int]) -> dict[int, Decimal]:
    """Return what accounts have ordered and is not closed, in their currency; with tax if known."""
    statement = (
        select(
            Order.account_id,
            func.sum(Order.gross_total),
            func.sum(Order.net_total).filter(Order.gross_total.is_(None)),
        )
        .where(Order.account_id.in_(sorted(account_ids)), Order.status.in_(sorted(OPEN)))
        .group_by(Order.account_id)
    )
    return {
        account_id: (gross or Decimal(0)) + (net or Decimal(0))
        for account_id, gross, net in db.session.execute(statement)
    }
