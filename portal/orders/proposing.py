"""Changes that the order desk proposes before it confirms, and what the buyer says to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts.queries import load_actor
from portal.catalog.models import Product
from portal.catalog.pricing.queries import Buyer, PriceQuestion, resolve_prices
from portal.catalog.queries import find_products_by_sku
from portal.catalog.rules import check_quantity
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
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
from portal.orders.answering import settle_confirmed, suggest_promises
from portal.orders.exchanging import Exchange, exchange_lines
from portal.orders.fulfilment import OrderProposal, ProposalLine
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Promise, check_promise, suggest_promise
from portal.orders.rules import Move, OrderStatus
from portal.orders.settling import note_given_back
from portal.orders.stocking import find_supply
from portal.orders.taxing import recount
from portal.policy import Actor
from portal.quotes import queries as quote_queries
from portal.quotes.adding import find_uoms


class NoSubstituteError(InvalidError):
    """Nothing that this buyer may order has that SKU."""

    message = N_("Line {position}: {sku} is no product that this buyer can order.")


class SubstituteUomError(InvalidError):
    """The substitute is not sold in the line's unit of measure."""

    message = N_("Line {position}: {sku} is not sold in {uom}.")


class SubstituteQuantityError(InvalidError):
    """The substitute or the larger quantity is not sold in that number."""

    message = N_("Line {position}: {reason}")


class NothingLeftError(InvalidError):
    """A proposal that delivers nothing is a refusal."""

    message = N_("This leaves nothing of the order. Decline it and say why.")


class NoOpenProposalError(ConflictError):
    """The proposal was answered or taken back meanwhile."""

    message = N_("Order {number} has no proposed change to answer.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the desk proposes for a line; without a SKU the product stays."""

    quantity: Decimal
    promise: Promise
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order after its change was accepted; ``quote_number`` is what needs a new approval."""

    order: Order
    quote_number: str = ""


def propose_change(
    actor: Actor, number: str, wanted: Mapping[int, Wanted], *, reason: str, now: datetime
) -> Order:
    """Propose other days, quantities or products; the buyer is asked.

    A substitute has its own stock: a back-order that stock suggests for the product it stands in
    for does not pass to it.

    Args:
        wanted: By order line id; a line left out stays as ordered, on the day that stock allows.
        reason: What the buyer reads.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        ReasonNeededError, NothingLeftError, UnknownOrderLineError: By the proposal as a whole.
        PromiseNeededError, PromiseInThePastError, BackorderError, NoSubstituteError,
        SubstituteUomError, SubstituteQuantityError: By one of its lines.
    """
    with transaction():
        order = taken_up(actor, number, Move.PROPOSE)
        lines = lines_by_id(order, wanted)
        if not reason.strip():
            raise ReasonNeededError
        suggested = suggest_promises(order, now)
        asked = {
            key: wanted.get(key) or Wanted(line.valid, suggested[key])
            for key, line in lines.items()
        }
        if not any(item.quantity for item in asked.values()):
            raise NothingLeftError
        products = _products(order, {item.sku for item in asked.values() if item.sku}, now)
        for key, item in asked.items():
            if item.quantity and item.sku in products:
                own = _of_its_own(order, lines[key], item, products[item.sku][0], now)
                promise = _without_the_other_s(item.promise, suggested[key], own)
                asked[key] = replace(item, promise=promise)
        proposal = OrderProposal(
            account_id=order.account_id, order_id=order.id, reason=reason.strip(), proposed_at=now
        )
        proposal.lines = [
            _line(order, lines[key], item, products, now) for key, item in asked.items()
        ]
        db.session.add(proposal)
        order.status = Move.PROPOSE.apply(order.status, actor, order.number)
        db.session.flush()
        changes = [_change(lines[item.order_line_id], item) for item in proposal.lines]
        record_order(
            actor, order, "order.change-proposed", now, reason=proposal.reason, changes=changes
        )
        tell_order(
            order, "order_change_proposed", now, reason=proposal.reason,
            changes=[change | {"name": lines[key].name} for change, key in
                     zip(changes, asked, strict=True)],
        )  # fmt: skip
    return order


def _products(order: Order, skus: set[str], now: datetime) -> dict[str, tuple[Product, Any]]:
    """Return the substitutes that the buyer may order, with today's price of one unit for them."""
    if not skus:
        return {}
    buyer = load_actor(order.membership_id)
    found = {} if buyer is None else find_products_by_sku(buyer, skus)
    active = {sku: product for sku, product in found.items() if product.is_active}
    questions = [PriceQuestion(product, Decimal(1)) for product in active.values()]
    prices = resolve_prices(Buyer(order.account_id, order.unit_id, order.currency), questions, now)
    return {
        sku: (product, price.unit_price)
        for (sku, product), price in zip(active.items(), prices, strict=True)
    }


def _of_its_own(
    order: Order, line: OrderLine, wanted: Wanted, product: Product, now: datetime
) -> Promise:
    """Return what stock and lead time of a substitute allow."""
    return suggest_promise(
        wanted.quantity,
        find_supply(product, line.uom),
        today=today_of(order, now),
        wished_on=order.requested_on,
    )


def _without_the_other_s(promise: Promise, suggested: Promise, own: Promise) -> Promise:
    """Return the promise of a substitute; a day that somebody typed stays."""
    has_its_back_order = (promise.backordered, promise.backorder_on) == (
        suggested.backordered,
        suggested.backorder_on,
    )
    if not (promise.backordered and has_its_back_order):
        return promise
    return own if promise.on == suggested.on else replace(own, on=promise.on)


def _line(
    order: Order,
    line: OrderLine,
    wanted: Wanted,
    products: Mapping[str, tuple[Product, Any]],
    now: datetime,
) -> ProposalLine:
    if wanted.quantity:
        check_promise(line.position, wanted.quantity, wanted.promise, today_of(order, now))
    row = ProposalLine(
        account_id=order.account_id,
        order_line_id=line.id,
        quantity=wanted.quantity,
        promised_on=wanted.promise.on if wanted.quantity else None,
        backordered=wanted.promise.backordered if wanted.quantity else Decimal(0),
        backorder_on=wanted.promise.backorder_on if wanted.promise.backordered else None,
    )
    if wanted.sku:
        product, price = _substitute(line, wanted, products)
        row.product_id, row.sku, row.name, row.unit_price = (
            product.id, product.sku, product.name, price,
        )  # fmt: skip
    return row


def _substitute(
    line: OrderLine, wanted: Wanted, products: Mapping[str, tuple[Product, Any]]
) -> tuple[Product, Any]:
    found = products.get(wanted.sku)
    if found is None or found[0].id == line.product_id:
        raise NoSubstituteError(position=line.position, sku=wanted.sku)
    product = found[0]
    if line.uom not in find_uoms({product.id: product.uom})[product.id]:
        raise SubstituteUomError(position=line.position, sku=product.sku, uom=line.uom)
    wrong = check_quantity(product, wanted.quantity) if line.uom == product.uom else None
    if wrong is not None:
        raise SubstituteQuantityError(position=line.position, reason=str(wrong))
    return found


def _change(line: OrderLine, proposed: ProposalLine) -> dict[str, Any]:
    """Return one proposed line as an event holds it."""
    return {
        "position": line.position,
        "sku": line.sku,
        "ordered": plain(line.quantity),
        "quantity": plain(proposed.quantity),
        "substitute": proposed.sku,
        "promised_on": plain_day(proposed.promised_on),
        "backordered": plain(proposed.backordered) if proposed.backordered else None,
        "backorder_on": plain_day(proposed.backorder_on),
    }


def take_back_change(actor: Actor, number: str, *, now: datetime) -> Order:
    """Withdraw a proposed change that the buyer has not answered; the order waits as before.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
    """
    return _close(actor, number, Move.TAKE_BACK, comment="", now=now)


def refuse_change(actor: Actor, number: str, *, comment: str, now: datetime) -> Order:
    """Refuse a proposed change: the order waits for the supplier as it was placed.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
    """
    return _close(actor, number, Move.REFUSE, comment=comment, now=now)


def _close(actor: Actor, number: str, move: Move, *, comment: str, now: datetime) -> Order:
    is_refused = move is Move.REFUSE
    with transaction():
        order = taken_up(actor, number, move)
        proposal = _open_proposal(order)
        proposal.state = "refused" if is_refused else "withdrawn"
        proposal.answer, proposal.answered_at = comment.strip(), now
        order.status = move.apply(order.status, actor, order.number)
        verb = "order.change-refused" if is_refused else "order.change-withdrawn"
        record_order(actor, order, verb, now, reason=comment.strip())
        kind = "order_change_refused" if is_refused else "order_change_withdrawn"
        tell_order(order, kind, now, supplier=is_refused, reason=comment.strip())
    return order


def accept_change(actor: Actor, number: str, *, comment: str = "", now: datetime) -> Accepted:
    """Accept a proposed change.

    What keeps the product and asks for no more than was approved is confirmed. Of a line with
    another product or a larger quantity the order gives its quantity back, and the next revision
    of the quote holds what was proposed at today's price, to be approved.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`; also of the quote where
            its next revision can't be made, and then nothing is accepted.
        InvalidError: The substitute can't be added to the quote.
    """
    with transaction():
        order = taken_up(actor, number, Move.ACCEPT)
        proposal = _open_proposal(order)
        lines = lines_by_id(order, (item.order_line_id for item in proposal.lines))
        exchanges = []
        for item in proposal.lines:
            line = lines[item.order_line_id]
            if item.proposed.needs_approval:
                exchanges.append(_exchange(line, item))
            _give_back(line, Decimal(0) if item.proposed.needs_approval else item.quantity)
        proposal.state, proposal.answer, proposal.answered_at = "accepted", comment.strip(), now
        recount(order)
        quote_number = order.quote.number if exchanges else ""
        record_order(
            actor, order, "order.change-accepted", now, reason=comment.strip(), quote=quote_number
        )
        _settle(actor, order, proposal, now)
        if any(line.reopened for line in order.lines):
            note_given_back(actor, quote_queries.get_by_id(order.quote_id), now=now)
        exchange_lines(actor, order.quote.number, exchanges, now)
        tell_order(
            order, "order_change_accepted", now, supplier=True, reason=comment.strip(),
            quote=quote_number,
        )  # fmt: skip
    return Accepted(order, quote_number)


def _exchange(line: OrderLine, proposed: ProposalLine) -> Exchange:
    return Exchange(
        line_id=line.line_id,
        less=line.quantity,
        sku=proposed.sku or line.sku,
        quantity=proposed.quantity,
        uom=line.uom,
    )


def _give_back(line: OrderLine, kept: Decimal) -> None:
    """Leave so much of a line on the order; the rest is open on the quote again."""
    given = line.valid - kept
    line.cancelled += given
    line.reopened += given


def _settle(actor: Actor, order: Order, proposal: OrderProposal, now: datetime) -> None:
    """Confirm what is left of an order, or end it where nothing is."""
    if not any(line.valid for line in order.lines):
        order.status, order.ended_at = OrderStatus.CANCELLED, now
        order.reason = proposal.reason
        record_order(actor, order, "order.cancelled", now)
        return
    promises = {
        item.order_line_id: Promise(item.promised_on, item.backordered, item.backorder_on)
        for item in proposal.lines
    }
    settle_confirmed(actor, order, promises, now)
    tell_order(order, "order_confirmed", now)


def _open_proposal(order: Order) -> OrderProposal:
    statement = (
        select(OrderProposal)
        .where(OrderProposal.order_id == order.id, OrderProposal.state == "open")
        .options(selectinload(OrderProposal.lines).selectinload(ProposalLine.order_line))
    )
    found = db.session.scalar(statement)
    if found is None:
        raise NoOpenProposalError(number=order.number)
    return found


def withdraw_open(order: Order, now: datetime) -> None:
    """End the open proposal of an order that is itself ended."""
    statement = select(OrderProposal).where(
        OrderProposal.order_id == order.id, OrderProposal.state == "open"
    )
    for proposal in db.session.scalars(statement):
        proposal.state, proposal.answered_at = "withdrawn", now
