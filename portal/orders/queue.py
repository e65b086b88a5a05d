"""The order desk's queue: what waits for it, how long, until when, and what stands in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, unique
from typing import Final

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account
from portal.containing import contains
from portal.db import db
from portal.errors import N_
from portal.orders import queries
from portal.orders.fulfilment import OrderCancellation
from portal.orders.lateness import late_of
from portal.orders.models import Order, OrderLine
from portal.orders.numbers import has_number
from portal.orders.overdue import is_late_order
from portal.orders.progress import due_of
from portal.orders.rules import ON_THE_WAY, TO_SHIP, OrderStatus
from portal.orders.validating import Blocker, Validation, validate_orders
from portal.policy import Actor, Permission
from portal.web.tables import Sort


@unique
class DeskTab(StrEnum):
    """The views of the queue."""

    TO_CONFIRM = "to-confirm"
    CHANGE_PROPOSED = "change-proposed"
    TO_SHIP = "to-ship"
    LATE = "late"
    ON_THE_WAY = "on-the-way"
    CANCELLATION = "cancellation-asked"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _LABELS[self]


_LABELS: Final[Mapping[DeskTab, str]] = {
    DeskTab.TO_CONFIRM: N_("To confirm"),
    DeskTab.CHANGE_PROPOSED: N_("Change proposed"),
    DeskTab.TO_SHIP: N_("To ship"),
    DeskTab.LATE: N_("Late"),
    DeskTab.ON_THE_WAY: N_("On the way"),
    DeskTab.CANCELLATION: N_("Cancellation asked"),
}


@unique
class DeskSort(StrEnum):
    """By what the queue may be sorted."""

    NUMBER = "number"
    ACCOUNT = "account"
    AGE = "age"
    DUE = "due"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class DeskFilter:
    """What the queue shows; ``text`` is part of a number or of the account's name or code."""

    tab: DeskTab = DeskTab.TO_CONFIRM
    text: str = ""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One order of the queue; ``age`` in whole days since it was placed."""

    order: Order
    age: int
    due_on: date | None
    is_late: bool
    validation: Validation

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """What stands in the way."""
        return self.validation.blockers


def find_queue(
    actor: Actor,
    wanted: DeskFilter,
    now: datetime,
    sort: Sort[DeskSort],
    *,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[QueueRow]:
    """Return the orders of one view with what stands in their way, in few statements."""
    # The oldest comes first where the age counts down.
    column, down = {
        DeskSort.NUMBER: (Order.number, sort.descending),
        DeskSort.ACCOUNT: (Account.name, sort.descending),
        DeskSort.AGE: (Order.placed_at, not sort.descending),
        DeskSort.DUE: (_due(), sort.descending),
        DeskSort.TOTAL: (Order.net_total, sort.descending),
    }[sort.key]
    statement = (
        queries.visible_to(actor, Permission.ORDER_CONFIRM)
        .join(Account, Account.id == Order.account_id)
        .where(_matches(wanted.text), _of_tab(wanted.tab, now))
        .options(selectinload(Order.lines), joinedload(Order.account), joinedload(Order.quote))
        .order_by(column.desc() if down else column.asc(), Order.id)
        .offset(offset)
    )
    if limit is not None:
        statement = statement.limit(limit)
    orders = db.session.scalars(statement).all()
    checks = validate_orders(orders)
    return [
        QueueRow(
            order,
            (now - (order.placed_at or now)).days,
            due_day(order),
            bool(late_of(order, now)),
            checks[order.id],
        )
        for order in orders
    ]


def due_day(order: Order) -> date | None:
    """Return the next day that counts: promised for what has to leave, wished for before that."""
    days = [day for line in order.counts if (day := due_of(line)) is not None]
    return min(days, default=order.requested_on)


def count_queue(actor: Actor, text: str, now: datetime) -> dict[DeskTab, int]:
    """Return how many orders each view holds, exactly, in one statement."""
    rows = (
        queries.visible_to(actor, Permission.ORDER_CONFIRM)
        .join(Account, Account.id == Order.account_id)
        .where(_matches(text))
        .with_only_columns(
            *(func.coalesce(func.sum(case((_of_tab(tab, now), 1), else_=0)), 0) for tab in DeskTab)
        )
    )
    counts = db.session.execute(rows).one()
    return dict(zip(DeskTab, (int(count) for count in counts), strict=True))


def _of_tab(tab: DeskTab, now: datetime) -> ColumnElement[bool]:
    if tab is DeskTab.LATE:
        return is_late_order(now)
    if tab is DeskTab.CANCELLATION:
        return and_(
            Order.status.in_(sorted(TO_SHIP)),
            exists().where(
                OrderCancellation.order_id == Order.id, OrderCancellation.state == "open"
            ),
        )
    states = {
        DeskTab.TO_CONFIRM: frozenset({OrderStatus.PLACED}),
        DeskTab.CHANGE_PROPOSED: frozenset({OrderStatus.CHANGE_PROPOSED}),
        DeskTab.TO_SHIP: TO_SHIP,
        DeskTab.ON_THE_WAY: ON_THE_WAY,
    }[tab]
    return Order.status.in_(sorted(states))


def _due() -> ColumnElement[date]:
    promised = (
        select(func.min(func.coalesce(OrderLine.promised_on, OrderLine.backorder_on)))
        .where(
            OrderLine.order_id == Order.id,
            OrderLine.quantity - OrderLine.cancelled > OrderLine.shipped,
        )
        .correlate(Order)
        .scalar_subquery()
    )
    return func.coalesce(promised, Order.requested_on)


def _matches(text: str) -> ColumnElement[bool]:
    wanted = text.strip()
    if not wanted:
        return true()
    return or_(
        has_number(wanted),
        contains(Account.name, wanted),
        contains(Account.code, wanted),
    )
