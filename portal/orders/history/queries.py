"""Reading imported orders: which an actor may see, one whole, lists with exact counts."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select, true, tuple_
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account
from portal.containing import contains
from portal.db import db, in_pages
from portal.errors import N_, NotFoundError
from portal.orders.history.models import PastOrder, PastOrderLine
from portal.orders.history.rules import SortBy
from portal.policy import Actor, Permission
from portal.scope import within

PAGE = 2_000


class PastOrderNotFoundError(NotFoundError):
    """No such imported order within the actor's scope."""

    message = N_("There is no order {number} that you can see.")


@dataclass(frozen=True, slots=True)
class PastFilter:
    """What the list shows: ``text`` is part of a number or begins an SKU; a year of placing."""

    text: str = ""
    year: int | None = None


def visible_to(actor: Actor, permission: Permission = Permission.ORDER_READ) -> Select[PastOrder]:
    """Select the imported orders that ``permission`` reaches."""
    return select(PastOrder).where(
        within(
            actor,
            permission,
            account=PastOrder.account_id,
            unit=PastOrder.unit_id,
            owner=PastOrder.membership_id,
        )
    )


def get_past_order(actor: Actor, number: str, account_code: str = "") -> PastOrder:
    """Return one imported order with its account and lines.

    Args:
        account_code: For supplier staff, who may see orders of the same number of several accounts.

    Raises:
        PastOrderNotFoundError: No such order within the actor's scope, or more than one.
    """
    statement = visible_to(actor).where(PastOrder.number == number)
    if account_code:
        owner = select(Account.id).where(Account.code == account_code).scalar_subquery()
        statement = statement.where(PastOrder.account_id == owner)
    statement = statement.options(joinedload(PastOrder.account), selectinload(PastOrder.lines))
    found = db.session.scalars(statement.limit(2)).all()
    if len(found) != 1:
        raise PastOrderNotFoundError(number=number)
    return found[0]


def find_past_orders(
    actor: Actor,
    wanted: PastFilter,
    *,
    sort: SortBy = SortBy.PLACED,
    descending: bool = True,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[PastOrder]:
    """Return imported orders with their account, in the asked order."""
    column = {
        SortBy.NUMBER: PastOrder.number,
        SortBy.PURCHASE_ORDER: PastOrder.purchase_order_number,
        SortBy.STATUS: PastOrder.status,
        SortBy.TOTAL: PastOrder.net_total,
        SortBy.PLACED: PastOrder.placed_at,
    }[sort]
    statement = (
        visible_to(actor)
        .where(matches(wanted.text), _of_year(wanted.year))
        .options(joinedload(PastOrder.account))
        .order_by(column.desc() if descending else column.asc(), PastOrder.id.desc())
        .offset(offset)
    )
    if limit is not None:
        statement = statement.limit(limit)
    return db.session.scalars(statement).all()


def count_past_orders(actor: Actor, wanted: PastFilter) -> int:
    """Return how many imported orders a list holds, exactly."""
    rows = visible_to(actor).where(matches(wanted.text), _of_year(wanted.year)).subquery()
    return db.session.scalar(select(func.count()).select_from(rows)) or 0


def find_years(actor: Actor) -> list[int]:
    """Return the years (UTC) in which visible imported orders were placed, the last one first."""
    year = func.extract("year", PastOrder.placed_at)
    rows = visible_to(actor).with_only_columns(year).distinct()
    return sorted((int(found) for found in db.session.scalars(rows)), reverse=True)


def find_by_numbers(
    keys: Collection[tuple[int, str]], *, with_lines: bool = True
) -> Iterable[PastOrder]:
    """Return the orders of some account ids and numbers, with their lines."""
    found: list[PastOrder] = []
    for page in in_pages(sorted(keys), PAGE):
        statement = select(PastOrder).where(
            tuple_(PastOrder.account_id, PastOrder.number).in_(page)
        )
        if with_lines:
            statement = statement.options(selectinload(PastOrder.lines))
        found += db.session.scalars(statement)
    return found


def matches(text: str) -> ColumnElement[bool]:
    """Keep orders one of whose numbers contains ``text``, or with a line whose SKU begins so."""
    wanted = text.strip()
    if not wanted:
        return true()
    lines = select(PastOrderLine.past_order_id).where(
        PastOrderLine.sku.istartswith(wanted, autoescape=True)
    )
    return or_(
        contains(PastOrder.number, wanted),
        contains(PastOrder.purchase_order_number, wanted),
        PastOrder.id.in_(lines),
    )


def _of_year(year: int | None) -> ColumnElement[bool]:
    return true() if year is None else func.extract("year", PastOrder.placed_at) == year
