"""Which orders are late, said in SQL: by the day that it is at each account."""

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from portal.accounts.models import Account
from portal.db import db
from portal.orders.models import Order, OrderLine
from portal.orders.rules import TO_SHIP


def late_lines(now: datetime) -> ColumnElement[bool]:
    """Return the condition on `OrderLine` and its `Order`: promised for a day that is over there.

    It is the same as `progress.is_late`, said in SQL: one comparison for each day that it is
    somewhere.
    """
    zones = db.session.scalars(select(Account.time_zone).distinct()).all()
    days: dict[date, list[str]] = defaultdict(list)
    for zone in zones:
        days[now.astimezone(ZoneInfo(zone)).date()].append(zone)
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


def is_late_order(now: datetime) -> ColumnElement[bool]:
    """Return the condition on `Order`: some line of it is late."""
    return and_(
        Order.status.in_(sorted(TO_SHIP)),
        exists().where(OrderLine.order_id == Order.id, late_lines(now)),
    )
