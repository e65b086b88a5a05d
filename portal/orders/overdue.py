"""Which orders are late, said in SQL: by the day that it is at each account."""

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, false, func, or_, select

from portal.accounts.models import Account
from portal.db import db
from portal.orders.models import Order, OrderLine
from portal.orders.rules import TO_SHIP


def late_lines(now: datetime, zone: str | None = None) -> ColumnElement[bool]:
    """Return the condition on `OrderLine` and its `Order`: promised for a day that is over there.

    It is the same as `progress.is_late`, said in SQL: one comparison for each day that it is
    somewhere.

    Args:
        zone: The time zone of all orders that are asked about, where they are of one account.
    """
    if zone is not None:
        return _overdue(now.astimezone(ZoneInfo(zone)).date())
    zones = db.session.scalars(select(Account.time_zone).distinct()).all()
    days: dict[date, list[str]] = defaultdict(list)
    for each in zones:
        days[now.astimezone(ZoneInfo(each)).date()].append(each)
    return or_(
        false(),
        *(
            and_(
                OrderLine.account_id.in_(
                    select(Account.id).where(Account.time_zone.in_(sorted(places)))
                ),
                _overdue(today),
            )
            for today, places in sorted(days.items())
        ),
    )


def _overdue(today: date) -> ColumnElement[bool]:
    to_ship = OrderLine.quantity - OrderLine.cancelled - OrderLine.shipped
    return or_(
        and_(OrderLine.promised_on < today, to_ship > OrderLine.backordered),
        and_(OrderLine.backordered > 0, OrderLine.backorder_on < today, to_ship > 0),
    )


def is_late_order(
    now: datetime, zone: str | None = None, orders: type[Order] = Order
) -> ColumnElement[bool]:
    """Return the condition on ``orders``: some line is late; ``zone`` as for `late_lines`."""
    return and_(
        orders.status.in_(sorted(TO_SHIP)),
        exists().where(OrderLine.order_id == orders.id, late_lines(now, zone)),
    )


def due_days() -> tuple[ScalarSelect[date | None], ScalarSelect[date | None]]:
    """Return the two days the later of which is `progress.last_due`, said in SQL on `Order`."""
    to_ship = OrderLine.quantity - OrderLine.cancelled - OrderLine.shipped
    promised = func.max(OrderLine.promised_on).filter(to_ship > OrderLine.backordered)
    waiting = func.max(OrderLine.backorder_on).filter(OrderLine.backordered > 0, to_ship > 0)
    of_order = OrderLine.order_id == Order.id
    return (
        select(promised).where(of_order).scalar_subquery(),
        select(waiting).where(of_order).scalar_subquery(),
    )
