"""The list of orders as plain rows: one statement for a page, one for the whole list."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from portal.accounts.models import Account
from portal.db import db
from portal.orders.models import Order
from portal.orders.overdue import due_days
from portal.orders.queries import OrderFilter, order_of, wanted_orders
from portal.orders.rules import OrderStatus, SortBy
from portal.policy import Actor
from portal.quotes.models import Quote


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


def list_orders(
    actor: Actor,
    wanted: OrderFilter,
    *,
    sort: SortBy = SortBy.NUMBER,
    descending: bool = True,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[OrderRow]:
    """Return the rows of a list in the asked order.

    The page is found before anything is joined to it: what lies before it is skipped, not read.
    """
    order = order_of(sort, descending=descending)
    page = (
        wanted_orders(actor, wanted)
        .with_only_columns(Order.id)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
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
        .join(page, page.c.id == Order.id)
        .join(Account, Account.id == Order.account_id)
        .join(Quote, Quote.id == Order.quote_id)
        .order_by(*order)
    )
    return [OrderRow._make(row) for row in rows]
