"""The order desk's word on an order: confirmed with a day for each line, and days that move."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portal.db import transaction
from portal.orders.acting import (
    ReasonNeededError,
    lines_by_id,
    plain,
    plain_day,
    record_order,
    taken_up,
    tell_order,
    today_of,
)
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Promise, check_promise, suggest_promise
from portal.orders.rules import Move
from portal.orders.stocking import find_supplies, reserve_order
from portal.policy import Actor


def suggest_promises(order: Order, now: datetime) -> dict[int, Promise]:
    """Return what stock and lead times allow to promise for each line, by its id."""
    supplies = find_supplies(order.lines)
    today = today_of(order, now)
    return {
        line.id: suggest_promise(
            line.to_ship, supplies[line.id], today=today, wished_on=order.requested_on
        )
        for line in order.lines
    }


def confirm_order(
    actor: Actor, number: str, *, now: datetime, promises: Mapping[int, Promise] | None = None
) -> Order:
    """Confirm a placed order as the supplier, with a day for each line; the stock is reserved.

    Args:
        promises: By order line id; a line left out is promised what stock and lead time allow.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        UnknownOrderLineError, PromiseNeededError, PromiseInThePastError, BackorderError: A promise
            can't be made; then nothing is confirmed.
    """
    with transaction():
        order = taken_up(actor, number, Move.CONFIRM)
        given = suggest_promises(order, now) | dict(promises or {})
        lines_by_id(order, given)
        for line in order.lines:
            check_promise(line.position, line.valid, given[line.id], today_of(order, now))
        settle_confirmed(actor, order, given, now)
        tell_order(order, "order_confirmed", now)
    return order


def settle_confirmed(
    actor: Actor, order: Order, promises: Mapping[int, Promise], now: datetime
) -> None:
    """Let a locked order be confirmed with these promises, and reserve its goods."""
    move = Move.CONFIRM if order.status in Move.CONFIRM.sources else Move.ACCEPT
    order.status, order.confirmed_at = move.apply(order.status, actor, order.number), now
    for line in order.lines:
        if line.valid:
            promise = promises[line.id]
            set_promise(line, promise)
            line.first_promised_on = promise.backorder_on if promise.backordered else promise.on
    reserve_order(actor, order, now=now)
    record_order(
        actor,
        order,
        "order.confirmed",
        now,
        lines=[_told(line) for line in order.lines if line.valid],
        accepted=move is Move.ACCEPT,
    )


def set_promise(line: OrderLine, promise: Promise) -> None:
    """Write a promise into its line."""
    line.promised_on, line.backordered = promise.on, promise.backordered
    line.backorder_on = promise.backorder_on if promise.backordered else None


def promise_of(line: OrderLine) -> Promise:
    """Return what is promised for a line now."""
    return Promise(line.promised_on, line.backordered, line.backorder_on)


def change_promises(
    actor: Actor, number: str, promises: Mapping[int, Promise], *, reason: str, now: datetime
) -> Order:
    """Promise other days for lines that have not left, and say why; the buyer is told.

    Promising what is promised already changes nothing and tells nobody.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        ReasonNeededError: Without a reason.
        UnknownOrderLineError, PromiseNeededError, PromiseInThePastError, BackorderError.
    """
    with transaction():
        order = taken_up(actor, number, Move.PROMISE)
        lines = lines_by_id(order, promises)
        moved = {
            key: promise
            for key, promise in promises.items()
            if lines[key].to_ship and promise != promise_of(lines[key])
        }
        if not moved:
            return order
        if not reason.strip():
            raise ReasonNeededError
        changes = []
        for key, promise in moved.items():
            line = lines[key]
            check_promise(line.position, line.to_ship, promise, today_of(order, now))
            before = _told(line)
            set_promise(line, promise)
            changes.append({"before": before, "after": _told(line), "name": line.name})
        told = [{name: change[name] for name in ("before", "after")} for change in changes]
        record_order(actor, order, "order.promised", now, reason=reason.strip(), changes=told)
        tell_order(order, "order_promised", now, reason=reason.strip(), changes=changes)
    return order


def _told(line: OrderLine) -> dict[str, Any]:
    """Return a line's promise as an event holds it."""
    return {
        "position": line.position,
        "sku": line.sku,
        "promised_on": plain_day(line.promised_on),
        "backordered": plain(line.backordered) if line.backordered else None,
        "backorder_on": plain_day(line.backorder_on),
    }
