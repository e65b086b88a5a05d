"""What was ordered, read from as few rows as a question allows: whole orders, else their lines.

An order carries the sums of its valid lines (`portal/orders/taxing.py` writes them). A question
that looks at orders as wholes is answered from these, any other one from `sales_lines`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    cast,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)

from portal.accounts.models import Membership
from portal.db import db
from portal.orders.history.models import PastOrder, PastOrderLine
from portal.orders.history.queries import visible_to as past_visible_to
from portal.orders.models import Order
from portal.orders.queries import visible_to
from portal.orders.rules import SENT
from portal.policy import Actor, Permission
from portal.reports.adding import AMOUNT, Total, add_lines, add_orders, count_orders
from portal.reports.asking import By, Wanted
from portal.reports.sales import (
    GIVEN_UP,
    PAST,
    Grouper,
    count_lines,
    of_own,
    of_past,
    sales_lines,
)

OF_LINES: Final = frozenset({By.CATEGORY, By.SUBCATEGORY, By.PRODUCT, By.COST_CENTRE})
"""What belongs to a line: the lines of one order may differ in it."""


def sales_orders(actor: Actor, permission: Permission) -> Subquery:
    """Return everything ordered that ``permission`` reaches, one row for each order."""
    return union_all(_own(actor, permission), _past(actor, permission)).subquery("sales")


def _own(actor: Actor, permission: Permission) -> Select[*tuple[Any, ...]]:
    return (
        visible_to(actor, permission)
        .outerjoin(Membership, Membership.id == Order.membership_id)  # read where it is asked for
        .where(Order.status.in_(sorted(SENT)), Order.valid_lines > 0)
        .with_only_columns(
            *of_own(),
            Order.valid_lines.label("lines"),
            Order.lines_total.label("net"),
            Order.list_total.label("list"),
            Order.listed_total.label("listed"),
        )
    )


def _past(actor: Actor, permission: Permission) -> Select[*tuple[Any, ...]]:
    net = cast(func.sum(type_coerce(PastOrderLine.line_total, BigInteger)), BigInteger)
    nothing_listed = type_coerce(literal(0, BigInteger), AMOUNT)
    return (
        past_visible_to(actor, permission)
        .join(PastOrderLine, PastOrderLine.past_order_id == PastOrder.id)
        .outerjoin(Membership, Membership.id == PastOrder.membership_id)
        .where(func.lower(PastOrder.status).not_in(GIVEN_UP))
        .group_by(PastOrder.id, Membership.person_id, PastOrder.account_id, PastOrder.placed_at)
        .with_only_columns(
            *of_past(),
            func.count(),
            type_coerce(net, AMOUNT),
            nothing_listed,
            nothing_listed,
        )
    )


def first_placed_at(actor: Actor, permission: Permission) -> datetime | None:
    """Return when the oldest order within reach was placed."""
    orders = sales_orders(actor, permission)
    found: datetime | None = db.session.scalar(select(func.min(orders.c.placed_at)))
    return found


@dataclass(frozen=True, slots=True)
class Ordered:
    """The rows that a question is answered from."""

    rows: Subquery
    is_of_orders: bool

    def totals(
        self, conditions: Sequence[ColumnElement[bool]], key: ColumnElement[Any]
    ) -> list[Total]:
        """Return the totals by a key and currency."""
        if self.is_of_orders:
            return add_orders(self.rows, conditions, key)
        return add_lines(self.rows, conditions, key)

    def count_past_lines(self, conditions: Sequence[ColumnElement[bool]]) -> int:
        """Return how many lines come from an earlier system."""
        narrowed = [*conditions, self.rows.c.source == PAST]
        if not self.is_of_orders:
            return count_lines(self.rows, narrowed)
        lines = func.coalesce(func.sum(self.rows.c.lines), 0)
        return int(db.session.scalar(select(lines).where(*narrowed)) or 0)


def ordered(actor: Actor, permission: Permission, wanted: Wanted) -> Ordered:
    """Return the rows that answer a question, within what ``permission`` reaches."""
    is_of_orders = OF_LINES.isdisjoint({wanted.by, *wanted.filters})
    read = sales_orders if is_of_orders else sales_lines
    return Ordered(read(actor, permission), is_of_orders)


def count_by_currency(
    actor: Actor, permission: Permission, wanted: Wanted, found: Sequence[Total]
) -> Mapping[str, int]:
    """Return how many orders there are by currency; ``found`` is what the totals said.

    Lines of one order may be in several groups: its orders are counted anew then, as wholes unless
    a filter looks at lines.
    """
    if wanted.by in OF_LINES:
        source = ordered(actor, permission, replace(wanted, by=By.STATUS))
        conditions, everything = Grouper(source.rows).conditions(wanted), literal(0)
        if not source.is_of_orders:
            one = count_orders(source.rows, conditions, everything)
            return {currency: many for (_raw, currency), many in one.items()}
        found = source.totals(conditions, everything)
    counts: Counter[str] = Counter()
    for total in found:
        counts[total.currency] += total.orders
    return counts
