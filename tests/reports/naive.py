"""Reports counted once more, from the bare rows and with none of the reports' own code."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts.models import Account, Membership, Unit
from portal.catalog.models import Category, Product
from portal.db import Base, db
from portal.orders.history.models import PastOrder, PastOrderLine
from portal.orders.models import Order, OrderLine
from portal.policy import Actor, P

PLACED = {
    "placed", "change proposed", "confirmed", "partly shipped", "shipped", "delivered", "closed",
}  # fmt: skip
NOT_SENT_YET = {"placed", "change proposed"}
WITH_SOMETHING_TO_SHIP = {"confirmed", "partly shipped"}
DIGITS = {"EUR": Decimal("0.01"), "USD": Decimal("0.01"), "KRW": Decimal(1)}


def every(table: type[Base]) -> list[object]:
    """Return all rows of a table, whoever's they are."""
    return list(db.session.scalars(select(table)).all())


def reaches(actor: Actor, permission: P, row: object) -> bool:
    """Whether somebody's right reaches a row, by the words of the rights alone."""
    scope = actor.grants.get(permission)
    account, unit = row.account_id, row.unit_id  # type: ignore[attr-defined]
    owner = getattr(row, "membership_id", None) or getattr(row, "requester_id", None)
    reached: dict[str | None, bool] = {
        None: False,
        "own": account == actor.account_id and owner == actor.membership_id,
        "unit": account == actor.account_id and unit in actor.reachable_unit_ids,
        "account": account == actor.account_id,
        "assigned": account in actor.assigned_account_ids,
        "all": True,
    }
    return reached[None if scope is None else scope.value]


@dataclass(frozen=True, kw_only=True)
class Sold:
    """One line as it was sold."""

    order: tuple[str, int]
    account_id: int
    day: date
    currency: str
    net: Decimal
    list: Decimal | None
    groups: Mapping[str, str]


def sold(actor: Actor, permission: P) -> list[Sold]:
    """Return every line that counts as ordered, own and imported, within somebody's reach."""
    zone = ZoneInfo(actor.time_zone)
    accounts = {row.id: row.code for row in every(Account)}  # type: ignore[attr-defined]
    units = {
        row.id: f"{accounts[row.account_id]}/{row.code}"  # type: ignore[attr-defined]
        for row in every(Unit)
    }
    people = {row.id: str(row.person_id) for row in every(Membership)}  # type: ignore[attr-defined]
    paths = {row.id: row.path for row in every(Category)}  # type: ignore[attr-defined]
    products = {row.id: paths.get(row.category_id, "") for row in every(Product)}  # type: ignore[attr-defined]
    found: list[Sold] = []
    orders = {row.id: row for row in every(Order)}  # type: ignore[attr-defined]
    for line in every(OrderLine):
        assert isinstance(line, OrderLine)
        order = orders[line.order_id]
        assert isinstance(order, Order)
        left = line.quantity - line.cancelled
        if order.status.value not in PLACED or not left or not reaches(actor, permission, order):
            continue
        assert order.placed_at is not None
        listed = None
        if line.list_price is not None:
            listed = (line.list_price * left).quantize(DIGITS[order.currency], ROUND_HALF_UP)
        day = order.placed_at.astimezone(zone).date()
        found.append(
            Sold(
                order=("own", order.id),
                account_id=order.account_id,
                day=day,
                currency=order.currency,
                net=line.line_total,
                list=listed,
                groups=_groups(
                    day,
                    products[line.product_id],
                    unit=units.get(order.unit_id or 0, "-"),
                    person=people[order.membership_id],
                    account=accounts[order.account_id],
                    status=order.status.value,
                    sku=line.sku,
                )
                | {"cost-centre": line.cost_centre or "-"},
            )
        )
    pasts = {row.id: row for row in every(PastOrder)}  # type: ignore[attr-defined]
    for old in every(PastOrderLine):
        assert isinstance(old, PastOrderLine)
        past = pasts[old.past_order_id]
        assert isinstance(past, PastOrder)
        if past.status in {"cancelled", "declined"} or not reaches(actor, permission, past):
            continue
        day = past.placed_at.astimezone(zone).date()
        found.append(
            Sold(
                order=("past", past.id),
                account_id=past.account_id,
                day=day,
                currency=past.currency,
                net=old.line_total,
                list=None,
                groups=_groups(
                    day,
                    products.get(old.product_id or 0, ""),
                    unit=units.get(past.unit_id or 0, "-"),
                    person=people.get(past.membership_id or 0) or past.person_email or "-",
                    account=accounts[past.account_id],
                    status=past.status or "-",
                    sku=old.sku,
                )
                | {"cost-centre": "-"},
            )
        )
    return found


def _groups(day: date, path: str, *, sku: str, **plain: str) -> dict[str, str]:
    return {
        "month": f"{day.year}-{day.month:02d}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": str(day.year),
        "category": path.split("/", maxsplit=1)[0] or "-",
        "subcategory": path or "-",
        "product": sku,
        **plain,
    }


Totals = tuple[int, int, Decimal, Decimal, Decimal]


def totals(rows: Iterable[Sold], by: str | None) -> dict[str, Totals]:
    """Return orders, lines, net value, list value and what was saved, by group."""
    held: dict[str, list[Sold]] = defaultdict(list)
    for row in rows:
        held["" if by is None else row.groups[by]].append(row)
    return {key: _sum(group) for key, group in held.items()}


def _sum(rows: list[Sold]) -> Totals:
    net = sum((row.net for row in rows), Decimal(0))
    listed = [row for row in rows if row.list is not None]
    whole = sum((row.list or Decimal(0) for row in listed), Decimal(0))
    saved = whole - sum((row.net for row in listed), Decimal(0))
    return len({row.order for row in rows}), len(rows), net, whole, saved


def within_days(rows: Iterable[Sold], first: date, last: date) -> list[Sold]:
    """Return what was placed on these days, both included."""
    return [row for row in rows if first <= row.day <= last]


def in_currency(rows: Iterable[Sold], currency: str) -> list[Sold]:
    """Return what was sold in one currency."""
    return [row for row in rows if row.currency == currency]


Convert = Callable[[Decimal, str], Decimal]


def today(actor: Actor, now: datetime) -> date:
    """Return the day it is where somebody's account is."""
    return now.astimezone(ZoneInfo(actor.time_zone)).date()


def is_late(order: Order, line: OrderLine, now: datetime) -> bool:
    """Whether the promised day of something that has not left is over, where the account is."""
    if order.status.value not in WITH_SOMETHING_TO_SHIP:
        return False
    day = now.astimezone(ZoneInfo({"EUR": "Europe/Berlin", "KRW": "Asia/Seoul"}[order.currency]))
    first = line.quantity - line.cancelled - line.shipped - line.backordered
    return bool(
        (line.promised_on and first > 0 and line.promised_on < day.date())
        or (line.backorder_on and line.backordered and line.backorder_on < day.date())
    )
