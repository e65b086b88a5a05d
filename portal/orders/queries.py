"""Reading orders: which an actor may see, one order whole, lists with exact counts, the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    exists,
    false,
    func,
    null,
    outerjoin,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account, Membership, Person
from portal.db import db
from portal.errors import N_, NotFoundError
from portal.orders.fulfilment import (
    CancellationLine,
    OrderCancellation,
    OrderProposal,
    ProposalLine,
    Shipment,
    ShipmentLine,
)
from portal.orders.models import Order, OrderLine
from portal.orders.rules import (
    SENT,
    UNSENT,
    OrderStatus,
    Taken,
)
from portal.policy import Actor, Permission
from portal.quotes.models import Quote
from portal.quotes.ordering import MadeOrder, Ordered
from portal.scope import within


class OrderNotFoundError(NotFoundError):
    """No such order within the actor's scope."""

    message = N_("There is no order {number} that you can see.")


def visible_to(actor: Actor, permission: Permission = Permission.ORDER_READ) -> Select[Order]:
    """Select the orders that ``permission`` reaches; the supplier never sees drafts."""
    condition = within(
        actor,
        permission,
        account=Order.account_id,
        unit=Order.unit_id,
        owner=Order.membership_id,
    )
    statement = select(Order).where(condition)
    if actor.is_supplier:
        statement = statement.where(Order.status.not_in(sorted(UNSENT)))
    return statement


def get_order(actor: Actor, number: str) -> Order:
    """Return one order with its account, quote and lines, oldest position first.

    Raises:
        OrderNotFoundError: No such order within the actor's scope.
    """
    statement = visible_to(actor).where(Order.number == number)
    order = db.session.scalar(
        statement.options(
            joinedload(Order.account, innerjoin=True),
            joinedload(Order.quote, innerjoin=True),
            selectinload(Order.lines),
        )
    )
    if order is None:
        raise OrderNotFoundError(number=number)
    return order


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """What happened to an order besides its lines, oldest first."""

    shipments: Sequence[Shipment]
    proposals: Sequence[OrderProposal]
    cancellations: Sequence[OrderCancellation]

    @property
    def open_proposal(self) -> OrderProposal | None:
        """The change that waits for the buyer's answer."""
        return next((item for item in self.proposals if item.state == "open"), None)

    @property
    def open_cancellation(self) -> OrderCancellation | None:
        """The cancellation that waits for the supplier's answer."""
        return next((item for item in self.cancellations if item.state == "open"), None)


def load_fulfilment(order: Order) -> Fulfilment:
    """Return what happened to an order that the actor may see, in a constant number of statements.

    Proposals and cancellations come with their lines, shipments with packages and serial numbers.
    """
    shipments = (
        select(Shipment)
        .where(Shipment.order_id == order.id)
        .order_by(Shipment.id)
        .options(
            selectinload(Shipment.packages),
            selectinload(Shipment.lines).options(
                selectinload(ShipmentLine.serials), joinedload(ShipmentLine.order_line)
            ),
        )
    )
    proposals = (
        select(OrderProposal)
        .where(OrderProposal.order_id == order.id)
        .order_by(OrderProposal.id)
        .options(selectinload(OrderProposal.lines).joinedload(ProposalLine.order_line))
    )
    cancellations = (
        select(OrderCancellation)
        .where(OrderCancellation.order_id == order.id)
        .order_by(OrderCancellation.id)
        .options(selectinload(OrderCancellation.lines).joinedload(CancellationLine.order_line))
    )
    return Fulfilment(
        db.session.scalars(shipments).all(),
        db.session.scalars(proposals).all(),
        db.session.scalars(cancellations).all(),
    )


def to_confirm_count(actor: Actor) -> Select[int] | None:
    """Select how many orders wait for the desk; nothing for those who confirm none."""
    if not actor.can(Permission.ORDER_CONFIRM):
        return None
    rows = visible_to(actor, Permission.ORDER_CONFIRM).where(Order.status == OrderStatus.PLACED)
    return rows.with_only_columns(func.count(Order.id)).order_by(None)


def get_made(order_id: int) -> Order:
    """Return the order that a form has made: whose it is, is the caller's to check."""
    options = (joinedload(Order.account), joinedload(Order.quote), selectinload(Order.lines))
    return db.session.scalars(select(Order).where(Order.id == order_id).options(*options)).one()


def find_taken(quote_id: int) -> Mapping[int, Taken]:
    """Return what orders took per line id of a quote.

    What was given up before the supplier's word is reopened and so not taken; what was cancelled
    later is taken for good.
    """
    return _taken_by_line(db.session.execute(_taken(quote_id)).all())


def _taken(quote_id: int) -> Select[int, Decimal, Decimal, Decimal]:
    return (
        select(
            OrderLine.line_id,
            func.sum(OrderLine.quantity).label("quantity"),
            func.sum(OrderLine.cancelled).label("cancelled"),
            func.sum(OrderLine.reopened).label("reopened"),
        )
        .where(OrderLine.quote_id == quote_id)
        .group_by(OrderLine.line_id)
    )


def _taken_by_line(rows: Iterable[Any]) -> Mapping[int, Taken]:
    return {
        line_id: Taken(quantity - cancelled, cancelled - reopened)
        for line_id, quantity, cancelled, reopened in rows
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """What orders say of a quote before the next one: by whom this form was sent, what is taken."""

    made: int | None
    is_freight_charged: bool
    taken: Mapping[int, Taken]


def find_standing(quote: Quote, key: str) -> Standing:
    """Return what a conversion of a quote whose account is locked has to know of other orders.

    Args:
        key: Of the form; the order that it made already, of this quote or another, is named.
    """
    made = select(Order.id).where(Order.account_id == quote.account_id, Order.conversion_key == key)
    head = select(
        made.scalar_subquery().label("made"), _is_freight_charged(quote.id).label("is_charged")
    ).subquery()
    taken = _taken(quote.id).subquery()
    rows = db.session.execute(select(head, taken).select_from(outerjoin(head, taken, true()))).all()
    return Standing(
        rows[0][0], bool(rows[0][1]), _taken_by_line(row[2:] for row in rows if row[2] is not None)
    )


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What other orders say against placing one: their numbers, freight, and drafts beside it."""

    placed_with_key: str | None
    same_purchase_order: str | None
    is_freight_charged: bool
    has_drafts: bool


def find_neighbours(order: Order, key: str, purchase_order_number: str) -> Neighbours:
    """Return what placing an order whose account is locked has to know of other orders.

    Args:
        key: Of the form; an order that it has placed already is named.
        purchase_order_number: As typed; an order of the account that has it is named.
    """
    placed = select(Order.number).where(
        Order.account_id == order.account_id, Order.placing_key == key
    )
    same = (
        select(Order.number)
        .where(
            Order.account_id == order.account_id,
            Order.purchase_order_number == purchase_order_number,
            Order.id != order.id,
            Order.status.in_(sorted(SENT)),
        )
        .order_by(Order.id)
        .limit(1)
    )
    drafts = exists().where(
        Order.quote_id == order.quote_id,
        Order.status == OrderStatus.DRAFT,
        Order.id != order.id,
    )
    found = db.session.execute(
        select(
            placed.scalar_subquery(),
            same.scalar_subquery(),
            _is_freight_charged(order.quote_id),
            drafts,
        )
    ).one()
    return Neighbours(*found)


def find_ordered_quantities(quote_id: int) -> Mapping[int, Decimal]:
    """Return the quantity per line id of a quote that is not open any more."""
    return {
        line_id: taken.ordered + taken.cancelled for line_id, taken in find_taken(quote_id).items()
    }


def find_ordered_of(actor: Actor, quote_id: int) -> Ordered:
    """Return the orders of a quote that the actor may see, and what all of its orders took."""
    taken: list[Any] = []
    orders: list[tuple[int, MadeOrder]] = []
    for (
        key,
        number,
        status,
        purchase_order_number,
        placed_at,
        net_total,
        *line,
    ) in db.session.execute(_ordered_of(actor), {"quote": quote_id}):
        if key is None:
            taken.append(line)
        else:
            made = MadeOrder(
                number, status.label, status.tone, purchase_order_number, placed_at, net_total
            )
            orders.append((key, made))
    quantities = {key: each.ordered + each.cancelled for key, each in _taken_by_line(taken).items()}
    return Ordered(quantities, [made for _key, made in sorted(orders, reverse=True, key=_first)])


def _first(pair: tuple[int, MadeOrder]) -> int:
    return pair[0]


@lru_cache(maxsize=512)
def _ordered_of(actor: Actor) -> CompoundSelect[*tuple[Any, ...]]:
    """Select both of the above as a union: an order, or what was taken of a line."""
    quote: Any = bindparam("quote")
    lines = _taken(quote).subquery()
    may_read = true() if actor.can(Permission.ORDER_READ) else false()
    orders = (
        visible_to(actor)
        .where(may_read, Order.quote_id == quote, Order.status != OrderStatus.DISCARDED)
        .with_only_columns(
            Order.id,
            Order.number,
            Order.status,
            Order.purchase_order_number,
            Order.placed_at,
            Order.net_total,
            *(type_coerce(null(), column.type) for column in lines.c),
        )
    )
    return union_all(orders, select(*[null()] * 6, *lines.c))


def is_freight_charged(quote_id: int) -> bool:
    """Whether an order that the supplier has carries the freight of a quote already."""
    return bool(db.session.scalar(select(_is_freight_charged(quote_id))))


def _is_freight_charged(quote_id: int) -> ColumnElement[bool]:
    return exists().where(
        Order.quote_id == quote_id, Order.status.in_(sorted(SENT)), Order.freight > 0
    )


def find_drafts(quote_id: int) -> Sequence[Order]:
    """Return the order drafts of a quote with their lines, oldest first."""
    statement = (
        select(Order)
        .where(Order.quote_id == quote_id, Order.status == OrderStatus.DRAFT)
        .order_by(Order.id)
        .options(selectinload(Order.lines))
    )
    return db.session.scalars(statement).all()


def find_owner_name(membership_id: int) -> str:
    """Return the name of the person behind a membership."""
    statement = (
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.id == membership_id)
    )
    return db.session.scalar(statement) or ""


def needs_purchase_order_number(account_id: int) -> bool:
    """Whether the account requires its own purchase order number on every order."""
    rule = db.session.scalar(select(Account.purchase_order_number).where(Account.id == account_id))
    return rule == "required"
