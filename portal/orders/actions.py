"""What people do with orders: convert, place, discard, cancel, confirm, decline."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from portal.accounts.models import Account
from portal.catalog.pricing.tax_rules import TaxStatus
from portal.db import db, lock, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.events.actions import record
from portal.messages.actions import tell
from portal.orders import queries
from portal.orders.drafting import make_draft
from portal.orders.models import Order
from portal.orders.proof import ProofMissingError, require_proof
from portal.orders.rules import (
    KIND,
    Move,
    OrderStatus,
    PurchaseOrderDoubleError,
    PurchaseOrderWarningError,
    check_purchase_order_number,
)
from portal.orders.settling import note_given_back, note_taken
from portal.orders.taxing import apply_totals, current_rates
from portal.policy import Actor, Role
from portal.quotes import queries as quote_queries


class KeyReusedError(ConflictError):
    """The same form was sent twice with different content."""

    message = N_("This form was already used for order {number}. Open the quote again.")


class TaxChangedError(ConflictError):
    """A tax rate changed between submission and placing; the buyer may accept the new one."""

    message = N_(
        "The tax rate was {old} % when the quote was submitted and is {new} % now. "
        "Tick the box to accept the new rate."
    )
    field = "accept_tax"


class ReasonNeededError(InvalidError):
    """Declining or cancelling needs words for the other side."""

    message = N_("Say why, so that the other side knows what to do.")
    field = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may still be said about an order when its content is approved.

    ``requested_on`` is the day the buyer would like the goods. The two ``accept_`` flags answer
    questions that placing asks.
    """

    purchase_order_number: str = ""
    contact: str = ""
    requested_on: date | None = None
    delivery_notes: str = ""
    accept_duplicate: bool = False
    accept_tax: bool = False


def convert_quote(
    actor: Actor, number: str, quantities: Mapping[int, Decimal], *, key: str, now: datetime
) -> Order:
    """Make an order draft from an approved quote, whole or in part; it takes the quantities.

    Args:
        number: The quote's number.
        quantities: Line id -> quantity in the line's unit of measure; lines left out stay open.
        key: One per form; the same form sent again returns the order it made.

    Raises:
        QuoteNotFoundError, NotAllowedError, IllegalMoveError, QuoteExpiredError: By the quote.
        ProofMissingError: There is no valid approval of exactly this content.
        NothingChosenError, QuantityNotOpenError, WholeOnlyError, BelowBreakError: By the ledger.
        KeyReusedError: The key came before with other content.
    """
    digest = _digest({"quote": number, "lines": {str(k): f"{v:f}" for k, v in quantities.items()}})
    with transaction():
        _lock_account(quote_queries.get_quote(actor, number).account_id)
        quote = quote_queries.get_quote(actor, number, lock=True)
        known = queries.find_by_key(quote.account_id, key)
        if known is not None:
            if known.conversion_digest != digest or known.membership_id != actor.membership_id:
                raise KeyReusedError(number=known.number)
            return known
        order = make_draft(actor, quote, quantities, now=now)
        order.conversion_key, order.conversion_digest = key, digest
        db.session.add(order)
        db.session.flush()
        _record(actor, order, "order.created", now)
        note_taken(actor, quote, now=now)
    return order


def place_order(actor: Actor, number: str, terms: Terms, *, key: str, now: datetime) -> Order:
    """Place an order draft with the supplier; the same form sent again answers the same.

    Args:
        key: One per form.
        now: Aware instant; the quote's validity is checked against it once more.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: By the order.
        KeyReusedError: The key came before with another order.
        QuoteExpiredError, ProofMissingError: Validity and proof are checked again.
        PurchaseOrderNeededError, PurchaseOrderPatternError, PurchaseOrderDoubleError: The number.
        TaxChangedError: A rate changed and the new one was not accepted.
    """
    with transaction():
        order = _locked(actor, number)
        _must_own(actor, order, Move.PLACE)
        digest = _digest(asdict(terms) | {"order": number})
        if order.placing_key == key and order.placing_digest == digest:
            return order
        status = Move.PLACE.apply(order.status, actor, order.number)
        other = queries.find_placed_with(order.account_id, key)
        if other is not None:
            raise KeyReusedError(number=other.number)
        account = order.account
        check_purchase_order_number(
            terms.purchase_order_number,
            rule=account.purchase_order_number,
            pattern=account.purchase_order_pattern,
        )
        _check_duplicate(order, account, terms)
        _check_proof(order, now)
        _check_tax(order, terms, now)
        order.status, order.placed_at = status, now
        order.placing_key, order.placing_digest = key, digest
        order.purchase_order_number = terms.purchase_order_number
        order.contact, order.delivery_notes = terms.contact, terms.delivery_notes
        order.requested_on = terms.requested_on
        _record(actor, order, "order.placed", now, purchase_order=terms.purchase_order_number)
        _tell(order, "order_placed", now, supplier=True)
    return order


def order_quote(
    actor: Actor,
    number: str,
    quantities: Mapping[int, Decimal],
    terms: Terms,
    *,
    key: str,
    now: datetime,
) -> Order:
    """Convert a quote and place the order in one transaction: both happen, or neither."""
    with transaction():
        order = convert_quote(actor, number, quantities, key=key, now=now)
        return place_order(actor, order.number, terms, key=key, now=now)


def discard_order(actor: Actor, number: str, *, now: datetime) -> Order:
    """Give up an order draft; its quantities are open again."""
    return _end(actor, number, Move.DISCARD, "order.discarded", reason="", now=now)


def cancel_order(actor: Actor, number: str, *, reason: str, now: datetime) -> Order:
    """Cancel a placed order that the supplier has not confirmed; its quantities are open again."""
    return _end(actor, number, Move.CANCEL, "order.cancelled", reason=reason, now=now)


def decline_order(actor: Actor, number: str, *, reason: str, now: datetime) -> Order:
    """Decline a placed order as the supplier, with the reason that the buyer reads."""
    if not reason.strip():
        raise ReasonNeededError
    return _end(actor, number, Move.DECLINE, "order.declined", reason=reason, now=now)


def confirm_order(actor: Actor, number: str, *, now: datetime) -> Order:
    """Confirm a placed order as the supplier.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
    """
    with transaction():
        order = _locked(actor, number)
        _must_own(actor, order, Move.CONFIRM)
        order.status = Move.CONFIRM.apply(order.status, actor, order.number)
        _record(actor, order, "order.confirmed", now)
        _tell(order, "order_confirmed", now)
    return order


def _end(actor: Actor, number: str, move: Move, verb: str, *, reason: str, now: datetime) -> Order:
    with transaction():
        order = _locked(actor, number)
        _must_own(actor, order, move)
        order.status = move.apply(order.status, actor, order.number)
        order.reason, order.ended_at = reason.strip(), now
        db.session.flush()
        _record(actor, order, verb, now)
        note_given_back(actor, quote_queries.get_by_id(order.quote_id), now=now)
        if move is Move.CANCEL:
            _tell(order, "order_cancelled", now, supplier=True)
        if move is Move.DECLINE:
            _tell(order, "order_declined", now)
    return order


def _locked(actor: Actor, number: str) -> Order:
    """Lock account, quote and order in this fixed order, so that no two actions wait in a ring."""
    found = queries.get_order(actor, number)
    _lock_account(found.account_id)
    quote_queries.get_by_id(found.quote_id, lock=True)
    return queries.get_order(actor, number, for_update=True)


def _lock_account(account_id: int) -> None:
    """Lock an account, always before its quotes and orders."""
    db.session.execute(lock(select(Account.id).where(Account.id == account_id)))


def _must_own(actor: Actor, order: Order, move: Move) -> None:
    actor.must_reach(
        move.permission,
        account_id=order.account_id,
        unit_id=order.unit_id,
        owner_id=order.membership_id,
    )


def _check_proof(order: Order, now: datetime) -> None:
    """Refuse what is no longer approved, or not with the content that the order was made from."""
    quote = quote_queries.get_by_id(order.quote_id)
    revision = quote_queries.get_revision_by_id(order.revision_id)
    if require_proof(quote, revision, now).content_hash != order.content_hash:
        raise ProofMissingError(number=quote.number)


def _check_duplicate(order: Order, account: Account, terms: Terms) -> None:
    value, rule = terms.purchase_order_number, account.purchase_order_duplicates
    if not value or rule == "allow":
        return
    other = queries.find_same_purchase_order(order, value)
    if other is None:
        return
    if rule == "refuse":
        raise PurchaseOrderDoubleError(value=value, other=other)
    if not terms.accept_duplicate:
        raise PurchaseOrderWarningError(value=value, other=other)


def _check_tax(order: Order, terms: Terms, now: datetime) -> None:
    """Ask again where a rate has changed since submission; an accepted one replaces the old.

    The tax status is frozen with the figures; where it bears no tax no rate matters.
    """
    if order.tax_status is not TaxStatus.NORMAL:
        return
    rates = current_rates(order, now)
    moved = [line for line in order.lines if rates.get(line.id, line.tax_rate) != line.tax_rate]
    if not moved:
        return
    if not terms.accept_tax:
        old, new = moved[0].tax_rate, rates[moved[0].id]
        raise TaxChangedError(
            old="–" if old is None else old.normalize(), new="–" if new is None else new.normalize()
        )
    for line in moved:
        line.tax_rate = rates[line.id]
    apply_totals(order, order.tax_status)


def _digest(content: Mapping[str, object]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _record(actor: Actor, order: Order, verb: str, now: datetime, **data: object) -> None:
    record(
        actor,
        verb,
        kind=KIND,
        object_id=order.id,
        number=order.number,
        account_id=order.account_id,
        now=now,
        quote_id=order.quote_id,
        status=order.status.value,
        net_total=order.net_total,
        **data,
    )


def _tell(order: Order, kind: str, now: datetime, *, supplier: bool = False) -> None:
    """Tell the requester the outcome, or the supplier what is to be done."""
    tell(
        kind,
        account_id=order.account_id,
        path=f"/orders/{order.number}",
        now=now,
        membership_ids=() if supplier else (order.membership_id,),
        supplier_roles=(Role.ORDER_DESK, Role.ACCOUNT_MANAGER) if supplier else (),
        subject={
            "number": order.number,
            "account": order.account.name,
            "purchase_order_number": order.purchase_order_number,
            "total": f"{order.net_total:f}",
            "currency": order.currency,
            "reason": order.reason,
            "lines": [
                {
                    "name": line.name,
                    "quantity": f"{line.quantity:f}",
                    "total": f"{line.line_total:f}",
                }
                for line in order.lines[:5]
            ],
            "more_lines": max(len(order.lines) - 5, 0),
        },
    )


__all__ = [
    "KeyReusedError",
    "OrderStatus",
    "TaxChangedError",
    "Terms",
    "cancel_order",
    "confirm_order",
    "convert_quote",
    "decline_order",
    "discard_order",
    "order_quote",
    "place_order",
]
