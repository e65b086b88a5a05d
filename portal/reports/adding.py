"""Sums over what was ordered, for orders as wholes and for their lines, by a key and currency.

Own and imported rows are put together each for itself, then with one another: so a database plans
by what it knows of a table, adds up in parallel where it can, and sorts groups instead of rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Row,
    Subquery,
    case,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.sql.visitors import replacement_traverse

from portal.db import ExactDecimal, db

AMOUNT: Final = ExactDecimal(4)
Conditions = Sequence[ColumnElement[bool]]
Figures = Callable[[Subquery], Sequence[ColumnElement[Any]]]
"""Function: rows with their columns -> their sums, each with a label."""


class Total(NamedTuple):
    """What a group of order lines comes to, in one currency.

    ``listed`` is the net value of those lines that have a list price.
    """

    raw: Any
    currency: str
    orders: int
    lines: int
    net: Decimal
    list: Decimal
    listed: Decimal
    last_at: datetime


def add_orders(orders: Subquery, conditions: Conditions, key: ColumnElement[Any]) -> list[Total]:
    """Return the totals of whole orders by a key and currency, in one statement."""

    def figures(found: Subquery) -> list[ColumnElement[Any]]:
        sums = ("lines", "net", "list", "listed")
        return [func.count().label("orders"), *(func.sum(found.c[s]).label(s) for s in sums)]

    return [
        Total(raw, currency, int(many), int(lines), *sums)
        for raw, currency, many, lines, *sums in _add(orders, conditions, key, figures)
    ]


def add_lines(lines: Subquery, conditions: Conditions, key: ColumnElement[Any]) -> list[Total]:
    """Return the totals of order lines by a key and currency, in two statements.

    Orders are counted apart: along with the sums a database would sort all lines to count them. A
    group whose only order was given up between the two is left out.
    """
    found = _add(lines, conditions, key, _of_lines)
    orders = count_orders(lines, conditions, key) if found else {}
    return [
        Total(raw, currency, orders[raw, currency], int(many), *sums)
        for raw, currency, many, *sums in found
        if (raw, currency) in orders
    ]


def _of_lines(found: Subquery) -> list[ColumnElement[Any]]:
    nothing = type_coerce(literal(0, BigInteger), AMOUNT)
    listed = case((found.c.list.is_not(None), found.c.net))
    return [
        func.count().label("lines"),
        func.sum(found.c.net).label("net"),
        func.coalesce(func.sum(found.c.list), nothing).label("list"),
        func.coalesce(func.sum(listed), nothing).label("listed"),
    ]


def count_orders(
    lines: Subquery, conditions: Conditions, key: ColumnElement[Any]
) -> dict[tuple[Any, str], int]:
    """Return how many orders have any of the lines, by a key and currency."""
    counts = []
    for part in _parts(lines, conditions, key):
        each = select(part.c.raw, part.c.currency, part.c.order_id).distinct().subquery()
        counts.append(
            select(each.c.raw, each.c.currency, func.count().label("many")).group_by(
                each.c.raw, each.c.currency
            )
        )
    both = union_all(*counts).subquery()
    statement = select(both.c.raw, both.c.currency, func.sum(both.c.many)).group_by(
        both.c.raw, both.c.currency
    )
    return {(raw, currency): int(many) for raw, currency, many in db.session.execute(statement)}


def _add(
    rows: Subquery, conditions: Conditions, key: ColumnElement[Any], figures: Figures
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return raw key, currency, the figures and the last instant of each group."""
    sums = [
        select(
            part.c.raw,
            part.c.currency,
            *figures(part),
            func.max(part.c.placed_at).label("last_at"),
        ).group_by(part.c.raw, part.c.currency)
        for part in _parts(rows, conditions, key)
    ]
    both = union_all(*sums).subquery()
    raw, currency, *added, last_at = both.c
    statement = (
        select(raw, currency, *(func.sum(each) for each in added), func.max(last_at))
        .group_by(raw, currency)
        .order_by(raw, currency)
    )
    return db.session.execute(statement).all()


def _parts(rows: Subquery, conditions: Conditions, key: ColumnElement[Any]) -> Iterator[Subquery]:
    """Yield each table of the union ``rows``, narrowed by the conditions, with its ``raw`` key."""
    union = rows.element
    assert isinstance(union, CompoundSelect)  # noqa: S101 - own and imported rows, as they were put together
    for each in union.selects:
        part = each.subquery()
        own = dict(zip(rows.c, part.c, strict=True))
        yield (
            select(
                _put(key, own).label("raw"), *(own[column].label(column.key) for column in rows.c)
            )
            .where(*(_put(condition, own) for condition in conditions))
            .subquery()
        )


def _put(expression: Any, own: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - whatever is in SQL
    """Return the same expression over other columns."""
    return replacement_traverse(expression, {}, lambda element, **_options: own.get(element))
