"""What did not leave on its promised day: told once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.db import EVERY_ROW, db, lock, reaching, transaction
from portal.orders.acting import lock_account, plain, plain_day, record_order, tell_order, today_of
from portal.orders.models import Order, OrderLine
from portal.orders.overdue import is_late_order
from portal.orders.progress import due_of, is_late
from portal.orders.rules import TO_SHIP


def late_of(order: Order, now: datetime) -> list[OrderLine]:
    """Return the lines of a loaded order that are late."""
    if order.status not in TO_SHIP:
        return []
    today = today_of(order, now)
    return [line for line in order.lines if is_late(line.counts, today)]


def note_late(now: datetime) -> int:
    """Tell the buyer of each order that has become late, once for each promised day.

    Returns:
        How many orders were told.
    """
    with reaching(EVERY_ROW):
        found = select(Order.id, Order.account_id).where(is_late_order(now)).order_by(Order.id)
        rows = db.session.execute(found).all()
        return sum(_note(order_id, account_id, now) for order_id, account_id in rows)


def _note(order_id: int, account_id: int, now: datetime) -> bool:
    with transaction():
        lock_account(account_id)
        wanted = select(Order).where(Order.id == order_id)
        order = db.session.scalar(
            lock(wanted).options(selectinload(Order.lines), selectinload(Order.account))
        )
        if order is None:
            return False
        fresh = [line for line in late_of(order, now) if line.late_told_for != due_of(line.counts)]
        if not fresh:
            return False
        for line in fresh:
            line.late_told_for = due_of(line.counts)
        record_order(None, order, "order.late", now, lines=_told(fresh))
        tell_order(order, "order_late", now, reason="", late=_named(fresh))
        tell_order(order, "order_late_desk", now, supplier=True, reason="", late=_named(fresh))
    return True


def _told(lines: Sequence[OrderLine]) -> list[dict[str, object]]:
    return [
        {
            "position": line.position,
            "sku": line.sku,
            "quantity": plain(line.to_ship),
            "due_on": plain_day(due_of(line.counts)),
        }
        for line in lines
    ]


def _named(lines: Sequence[OrderLine]) -> list[dict[str, object]]:
    return [row | {"name": line.name} for row, line in zip(_told(lines), lines, strict=True)]
