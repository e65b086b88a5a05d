"""Cancelling after the supplier's word: asked for by the buyer, agreed or refused by the desk."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.db import db, transaction
from portal.errors import N_, ConflictError
from portal.orders.acting import (
    ReasonNeededError,
    lines_by_id,
    plain,
    record_order,
    taken_up,
    tell_order,
)
from portal.orders.fulfilment import CancellationLine, OrderCancellation
from portal.orders.models import Order, OrderLine
from portal.orders.progress import check_cancelled, progress_of
from portal.orders.rules import Move, OrderStatus
from portal.orders.settling import settle_freight
from portal.orders.stocking import release_cancelled
from portal.orders.taxing import recount
from portal.policy import Actor


class AskedAlreadyError(ConflictError):
    """One request is answered before the next one is made."""

    message = N_("A cancellation of order {number} is asked for already. The supplier answers it.")


class NotAskedError(ConflictError):
    """The request was answered meanwhile."""

    message = N_("No cancellation of order {number} waits for an answer.")


class MoreThanAskedError(ConflictError):
    """The supplier cancels no more than the buyer asked for."""

    message = N_("Line {position}: {agreed} agreed, {wanted} asked for.")


def request_cancellation(
    actor: Actor, number: str, wanted: Mapping[int, Decimal], *, reason: str, now: datetime
) -> Order:
    """Ask the supplier to cancel what has not left yet.

    Args:
        wanted: Quantity by order line id.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        AskedAlreadyError: Another request waits for its answer.
        ReasonNeededError, NothingToCancelError, NotCancellableError, UnknownOrderLineError.
    """
    with transaction():
        order = taken_up(actor, number, Move.ASK_TO_CANCEL)
        if _find_open(order) is not None:
            raise AskedAlreadyError(number=order.number)
        asked = {key: quantity for key, quantity in wanted.items() if quantity}
        lines = lines_by_id(order, asked)
        _check(lines, asked)
        if not reason.strip():
            raise ReasonNeededError
        request = OrderCancellation(
            account_id=order.account_id, order_id=order.id, reason=reason.strip(), requested_at=now
        )
        request.lines = [
            CancellationLine(account_id=order.account_id, order_line_id=key, wanted=quantity)
            for key, quantity in asked.items()
        ]
        db.session.add(request)
        db.session.flush()
        told = _told(lines, asked)
        record_order(
            actor, order, "order.cancellation-requested", now, reason=request.reason, lines=told
        )
        tell_order(order, "order_cancellation_requested", now, supplier=True, reason=request.reason)
    return order


def agree_cancellation(
    actor: Actor,
    number: str,
    agreed: Mapping[int, Decimal] | None = None,
    *,
    answer: str = "",
    now: datetime,
) -> Order:
    """Cancel what the buyer asked for, or less of it; it never opens on the quote again.

    Args:
        agreed: Quantity by order line id; ``None`` agrees to as much as has not left.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        NotAskedError: Nothing waits for an answer.
        NothingToCancelError, NotCancellableError, MoreThanAskedError, UnknownOrderLineError.
    """
    with transaction():
        order = taken_up(actor, number, Move.ANSWER_CANCEL)
        request = _open(order)
        lines = lines_by_id(order, (item.order_line_id for item in request.lines))
        wanted = {item.order_line_id: item.wanted for item in request.lines}
        if agreed is None:
            agreed = {key: min(part, lines[key].to_ship) for key, part in wanted.items()}
        given = {key: quantity for key, quantity in agreed.items() if quantity}
        lines_by_id(order, given)
        _check(lines, given)
        for key, quantity in given.items():
            if quantity > wanted.get(key, 0):
                raise MoreThanAskedError(
                    position=lines[key].position, agreed=quantity, wanted=wanted.get(key, 0)
                )
        for item in request.lines:
            item.agreed = given.get(item.order_line_id, Decimal(0))
        _cancel(actor, order, {lines[key]: part for key, part in given.items()}, now)
        request.state, request.answer, request.answered_at = "agreed", answer.strip(), now
        told = _told(lines, given)
        record_order(
            actor, order, "order.cancellation-agreed", now, reason=request.answer, lines=told
        )
        tell_order(
            order, "order_cancellation_agreed", now, reason=request.answer,
            cancelled=[row | {"name": lines[key].name} for row, key in
                       zip(told, given, strict=True)],
        )  # fmt: skip
    return order


def refuse_cancellation(actor: Actor, number: str, *, answer: str, now: datetime) -> Order:
    """Refuse to cancel, with the reason that the buyer reads.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        NotAskedError: Nothing waits for an answer.
        ReasonNeededError: Without a reason.
    """
    with transaction():
        order = taken_up(actor, number, Move.ANSWER_CANCEL)
        if not answer.strip():
            raise ReasonNeededError
        _refuse(actor, order, _open(order), answer.strip(), now)
    return order


def end_request(actor: Actor, order: Order, answer: str, now: datetime) -> None:
    """Refuse an open request of an order of which the last has just left."""
    request = _find_open(order)
    if request is not None:
        _refuse(actor, order, request, answer, now)


def _refuse(
    actor: Actor, order: Order, request: OrderCancellation, answer: str, now: datetime
) -> None:
    request.state, request.answer, request.answered_at = "refused", answer, now
    record_order(actor, order, "order.cancellation-refused", now, reason=answer)
    tell_order(order, "order_cancellation_refused", now, reason=answer)


def _cancel(
    actor: Actor, order: Order, quantities: Mapping[OrderLine, Decimal], now: datetime
) -> None:
    """Take quantities off their lines, give their stock back, and let the state follow."""
    release_cancelled(actor, order, quantities, now=now)
    for line, quantity in quantities.items():
        line.cancelled += quantity
        line.backordered = min(line.backordered, line.to_ship)
        if not line.backordered:
            line.backorder_on = None
    recount(order)
    order.status = progress_of(order.counts)
    if order.status is OrderStatus.CANCELLED:
        order.ended_at = now
        db.session.flush()
        settle_freight(order.quote_id)
    elif order.status is not OrderStatus.CONFIRMED:
        note_standing(order, now)
    db.session.flush()


def note_standing(order: Order, now: datetime) -> None:
    """Write when the last of an order left and arrived, once its state says so."""
    if order.status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED}:
        order.shipped_at = order.shipped_at or now
    if order.status is OrderStatus.DELIVERED:
        order.delivered_at = order.delivered_at or now


def _check(lines: Mapping[int, OrderLine], wanted: Mapping[int, Decimal]) -> None:
    check_cancelled(
        wanted,
        {key: line.position for key, line in lines.items()},
        {key: line.counts for key, line in lines.items()},
    )


def _told(lines: Mapping[int, OrderLine], parts: Mapping[int, Decimal]) -> list[dict[str, Any]]:
    return [
        {"position": lines[key].position, "sku": lines[key].sku, "quantity": plain(quantity)}
        for key, quantity in parts.items()
    ]


def _find_open(order: Order) -> OrderCancellation | None:
    statement = (
        select(OrderCancellation)
        .where(OrderCancellation.order_id == order.id, OrderCancellation.state == "open")
        .options(selectinload(OrderCancellation.lines))
    )
    return db.session.scalar(statement)


def _open(order: Order) -> OrderCancellation:
    found = _find_open(order)
    if found is None:
        raise NotAskedError(number=order.number)
    return found
