"""What arrives: noted by the desk, told to those who wait for it, closed after a while."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.db import EVERY_ROW, db, lock, reaching, transaction
from portal.errors import N_, ConflictError, InvalidError, NotFoundError
from portal.orders.acting import (
    lock_account,
    locked,
    must_own,
    plain,
    plain_day,
    record_order,
    taken_up,
    tell_order,
    today_of,
    zone_of,
)
from portal.orders.cancelling import note_standing
from portal.orders.fulfilment import Shipment, ShipmentLine
from portal.orders.models import Order, OrderLine
from portal.orders.progress import CLOSES_AFTER, progress_of
from portal.orders.rules import Move, OrderStatus
from portal.policy import Actor


class ShipmentNotFoundError(NotFoundError):
    """The order has no such shipment."""

    message = N_("Order {order} has no shipment {number}.")


class DeliveredAlreadyError(ConflictError):
    """A delivery is noted once."""

    message = N_("Shipment {number} was delivered on {day} already.")


class DeliveryDayError(InvalidError):
    """Goods arrive after they left, and not tomorrow."""

    message = N_("Enter the day of delivery: from {first} to {last}.")
    field = "delivered_on"


@dataclass(frozen=True, slots=True)
class Delivered:
    """So many pieces of an order's line that have arrived, as far as they have serial numbers."""

    order_line: OrderLine
    serial_numbers: tuple[str, ...]
    delivered_on: date


Hook = Callable[[Actor, Order, Sequence[Delivered], datetime], None]
_hooks: list[Hook] = []


def on_delivered(hook: Hook) -> None:
    """Name a function that is told of each delivery, in its transaction; called at the start."""
    if hook not in _hooks:
        _hooks.append(hook)


def mark_delivered(
    actor: Actor,
    number: str,
    shipment_number: str,
    *,
    delivered_on: date | None = None,
    received_by: str = "",
    now: datetime,
) -> Order:
    """Note that a shipment has arrived.

    Args:
        delivered_on: Day of arrival in the account's time zone; default today.
        received_by: Who signed for it.

    Raises:
        OrderNotFoundError, ShipmentNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        DeliveredAlreadyError: It was noted before with another day or name; the same form sent
            again is answered as before.
        DeliveryDayError: The day is before the shipment left or still to come.
    """
    with transaction():
        order = locked(actor, number)
        must_own(actor, order, Move.DELIVER)
        shipment = get_shipment(order, shipment_number)
        today = today_of(order, now)
        day, signed = delivered_on or today, received_by.strip()
        if shipment.delivered_on is not None:
            if (shipment.delivered_on, shipment.received_by) != (day, signed):
                raise DeliveredAlreadyError(
                    number=shipment.number, day=shipment.delivered_on.isoformat()
                )
            return order
        Move.DELIVER.check(order.status, actor, order.number)
        left = shipment.shipped_at.astimezone(zone_of(order)).date()
        if not left <= day <= today:
            raise DeliveryDayError(first=left.isoformat(), last=today.isoformat())
        shipment.delivered_on, shipment.delivered_at = day, now
        shipment.received_by = signed
        arrived = _arrive(order, shipment, day)
        order.status = progress_of(order.counts)
        note_standing(order, now)
        db.session.flush()
        for hook in _hooks:
            hook(actor, order, arrived, now)
        _tell(actor, order, shipment, now)
    return order


def _arrive(order: Order, shipment: Shipment, day: date) -> list[Delivered]:
    lines = {line.id: line for line in order.lines}
    arrived = []
    for item in shipment.lines:
        line = lines[item.order_line_id]
        line.delivered += item.quantity
        line.delivered_on = max(day, line.delivered_on or day)
        arrived.append(Delivered(line, item.serial_numbers, day))
    return arrived


def _tell(actor: Actor, order: Order, shipment: Shipment, now: datetime) -> None:
    lines = {line.id: line for line in order.lines}
    record_order(
        actor,
        order,
        "order.delivered",
        now,
        shipment=shipment.number,
        delivered_on=plain_day(shipment.delivered_on),
        lines=[
            {"position": lines[item.order_line_id].position, "quantity": plain(item.quantity)}
            for item in shipment.lines
        ],
    )
    tell_order(
        order,
        "order_delivered",
        now,
        reason="",
        shipment=shipment.number,
        delivered_on=plain_day(shipment.delivered_on),
        received_by=shipment.received_by,
        is_last=order.status is OrderStatus.DELIVERED,
        delivered=[
            {
                "name": lines[item.order_line_id].name,
                "quantity": plain(item.quantity),
                "serial_numbers": list(item.serial_numbers[:20]),
            }
            for item in shipment.lines
        ],
    )


def get_shipment(order: Order, number: str) -> Shipment:
    """Return a shipment of an order that the actor may see, with packages, lines and serials.

    Raises:
        ShipmentNotFoundError: The order has no such shipment.
    """
    statement = (
        select(Shipment)
        .where(Shipment.order_id == order.id, Shipment.number == number)
        .options(
            selectinload(Shipment.packages),
            selectinload(Shipment.lines).options(
                selectinload(ShipmentLine.serials), selectinload(ShipmentLine.order_line)
            ),
        )
    )
    found = db.session.scalar(statement)
    if found is None:
        raise ShipmentNotFoundError(order=order.number, number=number)
    return found


def close_order(actor: Actor, number: str, *, now: datetime) -> Order:
    """Close a delivered order: nothing more is expected of it.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
    """
    with transaction():
        order = taken_up(actor, number, Move.CLOSE)
        _close(actor, order, now)
    return order


def _close(actor: Actor | None, order: Order, now: datetime) -> None:
    order.status, order.ended_at = OrderStatus.CLOSED, now
    record_order(actor, order, "order.closed", now)


def close_delivered(now: datetime, after: timedelta = CLOSES_AFTER) -> int:
    """Close every order that was delivered so long ago; return how many."""
    with reaching(EVERY_ROW):
        due = select(Order.id, Order.account_id).where(
            Order.status == OrderStatus.DELIVERED, Order.delivered_at <= now - after
        )
        rows = db.session.execute(due.order_by(Order.id)).all()
        return sum(_close_due(order_id, account_id, now) for order_id, account_id in rows)


def _close_due(order_id: int, account_id: int, now: datetime) -> bool:
    with transaction():
        lock_account(account_id)
        order = db.session.scalar(lock(select(Order).where(Order.id == order_id)))
        if order is None or order.status is not OrderStatus.DELIVERED:
            return False
        _close(None, order, now)
    return True
