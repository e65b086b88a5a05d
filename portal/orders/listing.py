"""The list of orders: exact counts of its views, one page of plain rows, or the whole list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    false,
    func,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload, selectinload

from portal.accounts.models import Account
from portal.containing import contains
from portal.db import db
from portal.orders.models import Order
from portal.orders.numbers import has_number
from portal.orders.overdue import due_days, is_late_order
from portal.orders.queries import visible_to
from portal.orders.rules import TAB_STATES, OrderStatus, SortBy, Tab
from portal.policy import Actor
from portal.quotes.models import Quote


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What a list shows; ``text`` is part of an order, quote or purchase order number.

    ``now`` says what is late; who does not give it asks for nothing late.
    """

    tab: Tab = Tab.ALL
    text: str = ""
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Which part of a list is asked for, in which order; ``limit`` none: all of it."""

    sort: SortBy = SortBy.NUMBER
    descending: bool = True
    limit: int | None = None
    offset: int = 0

    def column_of(self, orders: type[Order]) -> InstrumentedAttribute[Any]:
        """Return what the list is sorted by."""
        return {
            SortBy.NUMBER: orders.number,
            SortBy.PURCHASE_ORDER: orders.purchase_order_number,
            SortBy.STATUS: orders.status,
            SortBy.TOTAL: orders.net_total,
            SortBy.PLACED: orders.placed_at,
        }[self.sort]

    def order_of(self, orders: type[Order]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Return the order of the list; what is equal comes newest first."""
        column = self.column_of(orders)
        return column.desc() if self.descending else column.asc(), orders.id.desc()


class OrderRow(NamedTuple):
    """What a list shows of an order, so that equal rows need not be drawn twice."""

    number: str
    account_name: str
    purchase_order_number: str | None
    quote_number: str
    status: OrderStatus
    placed_at: datetime | None
    net_total: Decimal
    currency: str
    due_first: date | None
    due_later: date | None

    @property
    def due_on(self) -> date | None:
        """The last day that was promised for what has not left yet."""
        return max(filter(None, (self.due_first, self.due_later)), default=None)


def list_orders(actor: Actor, wanted: OrderFilter, part: Range) -> Sequence[OrderRow]:
    """Return the rows of a part of the list.

    They are found before anything is joined to them: what lies before them is skipped, not read.
    """
    found = (
        visible_to(actor)
        .where(_matches(actor, wanted.text), _in_tab(actor, wanted))
        .with_only_columns(Order.id)
        .order_by(*part.order_of(Order))
        .limit(part.limit)
        .offset(part.offset)
        .subquery()
    )
    return _rows(select(found.c.id), part)


def list_with_counts(
    actor: Actor, wanted: OrderFilter, part: Range
) -> tuple[Sequence[OrderRow], Mapping[Tab, int]]:
    """Return the rows of a part of the list, and how many orders each view holds."""
    if not wanted.text.strip():
        counts = count_by_tab(actor, now=wanted.now)
        return list_orders(actor, wanted, part), counts
    ids, counts = _search(actor, wanted, part)
    return (_rows(ids, part) if ids else ()), counts


def find_orders(actor: Actor, wanted: OrderFilter, *, limit: int) -> Sequence[Order]:
    """Return the newest orders that a list would show, with their account, quote and lines."""
    found = visible_to(actor).where(_matches(actor, wanted.text), _in_tab(actor, wanted))
    return _with_lines(found.order_by(*Range().order_of(Order)).limit(limit))


def search_orders(actor: Actor, text: str, *, limit: int) -> tuple[Sequence[Order], int]:
    """Return the newest orders that a text finds, as `find_orders` does, and how many it finds."""
    ids, counts = _search(actor, OrderFilter(text=text), Range(limit=limit))
    newest = select(Order).where(Order.id.in_(ids)).order_by(*Range().order_of(Order))
    return (_with_lines(newest) if ids else ()), counts[Tab.ALL]


def count_by_tab(actor: Actor, text: str = "", now: datetime | None = None) -> Mapping[Tab, int]:
    """Return how many orders each view holds, exactly; of the late ones only with ``now``."""
    matching = visible_to(actor).where(_matches(actor, text))
    return _by_tab(db.session.execute(_count(matching, Order, actor, now)))


def _search(
    actor: Actor, wanted: OrderFilter, part: Range
) -> tuple[Sequence[int], Mapping[Tab, int]]:
    """Return the ids of a part of what a text finds, and the counts of all it finds.

    One statement does both: looking into every number costs more than all that is asked of what was
    found.
    """
    needed = dict.fromkeys((Order.id, Order.status, part.column_of(Order)))
    everything = (
        visible_to(actor)
        .where(_matches(actor, wanted.text))
        .with_only_columns(*needed)
        .cte("found")
    )
    found = aliased(Order, everything)
    page = (
        select(found.id)
        .where(_in_tab(actor, wanted, found))
        .order_by(*part.order_of(found))
        .limit(part.limit)
        .offset(part.offset)
        .subquery()
    )
    counted = _count(select(found), found, actor, wanted.now).subquery()
    ids, counts = [], []
    for number, *count in db.session.execute(
        union_all(
            select(null().label("id"), *counted.c),
            select(page.c.id, *(null() for _column in counted.c)),
        )
    ):
        if number is None:
            counts.append(count)
        else:
            ids.append(number)
    return ids, _by_tab(counts)


def _count(
    orders: Select[Any], of: type[Order], actor: Actor, now: datetime | None
) -> Select[OrderStatus, int, int]:
    """Select how many orders are in each state, and how many of them are late."""
    late = func.count().filter(_is_late(actor, now, of))
    return (
        orders.with_only_columns(of.status, func.count().label("all"), late.label("late"))
        .group_by(of.status)
        .order_by(None)
    )


def _by_tab(counted: Iterable[Sequence[Any]]) -> Mapping[Tab, int]:
    rows = [tuple(row) for row in counted]
    counts = {
        tab: sum(count for status, count, _late in rows if status in TAB_STATES[tab]) for tab in Tab
    }
    return counts | {Tab.LATE: sum(late for _status, _count, late in rows)}


def _rows(ids: Select[int] | Sequence[int], part: Range) -> Sequence[OrderRow]:
    rows = db.session.execute(
        select(
            Order.number,
            Account.name,
            Order.purchase_order_number,
            Quote.number,
            Order.status,
            Order.placed_at,
            Order.net_total,
            Order.currency,
            *due_days(),
        )
        .where(Order.id.in_(ids))
        .join(Account, Account.id == Order.account_id)
        .join(Quote, Quote.id == Order.quote_id)
        .order_by(*part.order_of(Order))
    )
    return [OrderRow._make(row) for row in rows]


def _with_lines(orders: Select[Order]) -> Sequence[Order]:
    options = (joinedload(Order.account), joinedload(Order.quote), selectinload(Order.lines))
    return db.session.scalars(orders.options(*options)).all()


def _matches(actor: Actor, text: str) -> ColumnElement[bool]:
    """Keep the orders with such a number; staff find them by their account as well."""
    wanted = text.strip()
    if not wanted:
        return true()
    if not actor.is_supplier:
        return has_number(wanted, actor.account_id)
    named = select(Account.id).where(
        or_(contains(Account.name, wanted), contains(Account.code, wanted))
    )
    return or_(has_number(wanted), Order.account_id.in_(named))


def _in_tab(actor: Actor, wanted: OrderFilter, of: type[Order] = Order) -> ColumnElement[bool]:
    in_state = of.status.in_(sorted(TAB_STATES[wanted.tab]))
    return and_(in_state, _is_late(actor, wanted.now, of)) if wanted.tab is Tab.LATE else in_state


def _is_late(actor: Actor, now: datetime | None, of: type[Order]) -> ColumnElement[bool]:
    """Return which orders are late; a customer sees those of one account, in its time zone."""
    if now is None:
        return false()
    return is_late_order(now, None if actor.is_supplier else actor.time_zone, of)
