"""What was ordered, read from as few rows as a question allows: whole orders, else their lines.

An order carries the sums of its valid lines (`portal/orders/taxing.py` writes them). A question
that looks at orders as wholes is answered from these, any other one from `sales_lines`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    Subquery,
    cast,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.sql.visitors import replacement_traverse

from portal.accounts.models import Membership
from portal.db import db
from portal.orders.history.models import PastOrder, PastOrderLine
from portal.orders.history.queries import visible_to as past_visible_to
from portal.orders.models import Order
from portal.orders.queries import visible_to
from portal.orders.rules import SENT
from portal.policy import Actor, Permission
from portal.reports.asking import By, Wanted
from portal.reports.sales import (
    AMOUNT,
    GIVEN_UP,
    OWN,
    PAST,
    Total,
    count_lines,
    find_totals,
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
            literal(OWN).label("source"),
            Order.account_id.label("account_id"),
            Order.unit_id.label("unit_id"),
            cast(Membership.person_id, String(254)).label("person"),
            cast(Order.status, String(40)).label("status"),
            Order.placed_at.label("placed_at"),
            Order.currency.label("currency"),
            Order.valid_lines.label("lines"),
            Order.lines_total.label("net"),
            Order.list_total.label("list"),
            Order.listed_total.label("listed"),
        )
    )


def _past(actor: Actor, permission: Permission) -> Select[*tuple[Any, ...]]:
    person = func.coalesce(cast(Membership.person_id, String(254)), PastOrder.person_email)
    net = cast(func.sum(type_coerce(PastOrderLine.line_total, BigInteger)), BigInteger)
    nothing_listed = type_coerce(literal(0, BigInteger), AMOUNT)
    return (
        past_visible_to(actor, permission)
        .join(PastOrderLine, PastOrderLine.past_order_id == PastOrder.id)
        .outerjoin(Membership, Membership.id == PastOrder.membership_id)
        .where(func.lower(PastOrder.status).not_in(GIVEN_UP))
        .group_by(PastOrder.id, Membership.person_id, PastOrder.account_id, PastOrder.placed_at)
        .with_only_columns(
            literal(PAST),
            PastOrder.account_id,
            PastOrder.unit_id,
            person,
            PastOrder.status,
            PastOrder.placed_at,
            PastOrder.currency,
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
        """Return the totals by a key and currency, in one statement."""
        if self.is_of_orders:
            return _find_totals(self.rows, conditions, key)
        return find_totals(self.rows, conditions, key)

    def count_orders(
        self, conditions: Sequence[ColumnElement[bool]], found: Sequence[Total]
    ) -> dict[str, int]:
        """Return how many orders there are by currency; ``found`` is what `totals` said."""
        counts: dict[str, int] = {}
        groups = found
        if found and not self.is_of_orders:  # an order may be in several groups
            groups = find_totals(self.rows, conditions, None)
        for total in groups:
            counts[total.currency] = counts.get(total.currency, 0) + total.orders
        return counts

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


def _find_totals(
    orders: Subquery, conditions: Sequence[ColumnElement[bool]], key: ColumnElement[Any]
) -> list[Total]:
    """Return the totals of whole orders by a key and currency, in one statement.

    Own and imported orders are put together each for itself, then with one another: so a database
    plans by what it knows of a table, and sorts groups instead of orders.
    """
    parts = union_all(*_parts(orders, conditions, key)).subquery()
    column = parts.c
    statement = (
        select(
            column.raw,
            column.currency,
            *(func.sum(column[name]) for name in ("orders", "lines", "net", "list", "listed")),
            func.max(column.last_at),
        )
        .group_by(column.raw, column.currency)
        .order_by(column.raw, column.currency)
    )
    return [
        Total(raw, currency, int(orders), int(lines), *sums)
        for raw, currency, orders, lines, *sums in db.session.execute(statement)
    ]


def _parts(
    orders: Subquery, conditions: Sequence[ColumnElement[bool]], key: ColumnElement[Any]
) -> Iterator[Select[*tuple[Any, ...]]]:
    """Yield the totals of each select that the union ``orders`` is made of."""
    union = orders.element
    assert isinstance(union, CompoundSelect)  # noqa: S101 - `sales_orders` made it
    for each in union.selects:
        part = each.subquery()
        own = dict(zip(orders.c, part.c, strict=True))
        keyed = (
            select(
                _put(key, own).label("raw"),
                *(
                    own[orders.c[name]].label(name)
                    for name in ("currency", "lines", "net", "list", "listed", "placed_at")
                ),
            )
            .where(*(_put(condition, own) for condition in conditions))
            .subquery()
        )
        yield select(
            keyed.c.raw,
            keyed.c.currency,
            func.count().label("orders"),
            *(func.sum(keyed.c[name]).label(name) for name in ("lines", "net", "list", "listed")),
            func.max(keyed.c.placed_at).label("last_at"),
        ).group_by(keyed.c.raw, keyed.c.currency)


def _put(expression: Any, own: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - whatever is in SQL
    """Return the same expression over other columns."""
    return replacement_traverse(expression, {}, lambda element, **_options: own.get(element))
