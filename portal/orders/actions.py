"""What people do with orders: convert, place, discard, cancel, decline; the desk's word follows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from sqlalchemy import Select, bindparam

from portal.accounts.models import Account
from portal.catalog.pricing.tax_rules import TaxStatus
from portal.db import db, transaction
from portal.errors import N_, ConflictError
from portal.money import Money
from portal.orders import queries
from portal.orders.acting import (
    MOST_ACTORS,
    ReasonNeededError,
    digest_of,
    locked,
    locking_account,
    must_own,
    record_order,
    taken_up,
    tell_order,
)
from portal.orders.answering import confirm_order
from portal.orders.drafting import Ground, freight_of, make_draft, write_draft
from portal.orders.models import Order
from portal.orders.proof import ProofMissingError, check_proof
from portal.orders.proposing import withdraw_open
from portal.orders.rules import (
    Move,
    OrderStatus,
    PurchaseOrderDoubleError,
    PurchaseOrderWarningError,
    check_purchase_order_number,
    make_ledger,
)
from portal.orders.settling import carry_freight, note_given_back, note_taken, settle_freight
from portal.orders.taxing import find_moved_rates, take_current_rates
from portal.policy import Actor
from portal.quotes import queries as quote_queries
from portal.quotes.locking import load_content, locking
from portal.quotes.models import Quote, QuoteRevision


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


class FreightChangedError(ConflictError):
    """Another order of the quote took the freight meanwhile, or left it; the page is old."""

    message = N_(
        "Freight was {old} and is {new} now: it is charged with the first order of a quote. "
        "Look at the total and place the order again."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may still be said about an order when its content is approved.

    ``requested_on`` is the day the buyer would like the goods. The two ``accept_`` flags answer
    questions that placing asks; ``freight`` is what the buyer's page showed, if it came from one.
    """

    purchase_order_number: str = ""
    contact: str = ""
    requested_on: date | None = None
    delivery_notes: str = ""
    accept_duplicate: bool = False
    accept_tax: bool = False
    freight: Decimal | None = None


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
    digest = digest_of(
        {"quote": number, "lines": {str(k): f"{v:f}" for k, v in quantities.items()}}
    )
    with transaction():
        account, quote = _lock(actor, number)
        standing = queries.find_standing(quote, key)
        if standing.made is not None:
            known = queries.get_made(standing.made)
            if known.conversion_digest != digest or known.membership_id != actor.membership_id:
                raise KeyReusedError(number=known.number)
            return known
        revision, proof = load_content(quote)
        ledger = make_ledger(
            {item.line_id: item.quantity for item in revision.lines}, standing.taken
        )
        ground = Ground(account, quote, proof, ledger, standing.is_freight_charged)
        order = make_draft(actor, ground, quantities, now=now)
        order.conversion_key, order.conversion_digest = key, digest
        write_draft(order)
        record_order(actor, order, "order.created", now)
        note_taken(actor, quote, ledger, quantities, now=now)
    return order


def _lock(actor: Actor, number: str) -> tuple[Account, Quote]:
    """Lock an account and its quote, which whoever sees may try to order."""
    its_account, itself = _rows_of(actor)
    account = db.session.scalar(its_account, {"number": number})
    quote = db.session.scalar(itself, {"number": number})
    if account is None or quote is None:
        raise quote_queries.QuoteNotFoundError(number=number)
    return account, quote


@lru_cache(maxsize=MOST_ACTORS)
def _rows_of(actor: Actor) -> tuple[Select[Account], Select[Quote]]:
    wanted = quote_queries.visible_to(actor).where(Quote.number == bindparam("number"))
    return (
        locking_account(wanted.with_only_columns(Quote.account_id)),
        locking(wanted.with_only_columns(Quote.id)),
    )


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
        FreightChangedError: Freight is not what the buyer saw.
        TaxChangedError: A rate changed and the new one was not accepted.
    """
    with transaction():
        order = locked(actor, number)
        must_own(actor, order, Move.PLACE)
        digest = digest_of(asdict(terms) | {"order": number})
        if order.placing_key == key and order.placing_digest == digest:
            return order
        status = Move.PLACE.apply(order.status, actor, order.number)
        others = queries.find_neighbours(order, key, terms.purchase_order_number)
        if others.placed_with_key is not None:
            raise KeyReusedError(number=others.placed_with_key)
        check_purchase_order_number(
            terms.purchase_order_number,
            rule=order.account.purchase_order_number,
            pattern=order.account.purchase_order_pattern,
        )
        _check_duplicate(order.account, terms, others.same_purchase_order)
        revision = _check_proof(order, now)
        carry_freight(order, freight_of(revision, is_charged=others.is_freight_charged))
        _check_freight(order, terms)
        _check_tax(order, terms, now)
        order.status, order.placed_at = status, now
        order.placing_key, order.placing_digest = key, digest
        order.purchase_order_number = terms.purchase_order_number
        order.contact, order.delivery_notes = terms.contact, terms.delivery_notes
        order.requested_on = terms.requested_on
        db.session.flush()
        if others.has_drafts:
            settle_freight(order.quote_id)
        record_order(actor, order, "order.placed", now, purchase_order=terms.purchase_order_number)
        tell_order(order, "order_placed", now, supplier=True)
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


def _end(actor: Actor, number: str, move: Move, verb: str, *, reason: str, now: datetime) -> Order:
    with transaction():
        order = taken_up(actor, number, move)
        order.status = move.apply(order.status, actor, order.number)
        order.reason, order.ended_at = reason.strip(), now
        for line in order.lines:
            line.cancelled = line.reopened = line.quantity
        withdraw_open(order, now)
        db.session.flush()
        record_order(actor, order, verb, now)
        note_given_back(actor, quote_queries.get_by_id(order.quote_id), now=now)
        if move is Move.CANCEL:
            tell_order(order, "order_cancelled", now, supplier=True)
        if move is Move.DECLINE:
            tell_order(order, "order_declined", now)
    return order


def _check_proof(order: Order, now: datetime) -> QuoteRevision:
    """Refuse what is no longer approved, or not with the content that the order was made from."""
    revision, proof = load_content(order.quote, order.revision_id)
    if check_proof(order.quote, revision, proof, now).content_hash != order.content_hash:
        raise ProofMissingError(number=order.quote.number)
    return revision


def _check_duplicate(account: Account, terms: Terms, other: str | None) -> None:
    value, rule = terms.purchase_order_number, account.purchase_order_duplicates
    if not value or rule == "allow" or other is None:
        return
    if rule == "refuse":
        raise PurchaseOrderDoubleError(value=value, other=other)
    if not terms.accept_duplicate:
        raise PurchaseOrderWarningError(value=value, other=other)


def _check_freight(order: Order, terms: Terms) -> None:
    if terms.freight is not None and terms.freight != order.freight:
        old, new = Money(terms.freight, order.currency), Money(order.freight, order.currency)
        raise FreightChangedError(old=old, new=new)


def _check_tax(order: Order, terms: Terms, now: datetime) -> None:
    """Ask again where a rate has changed since submission; an accepted one replaces the old.

    The tax status is frozen with the figures; where it bears no tax no rate matters.
    """
    if order.tax_status is not TaxStatus.NORMAL:
        return
    moved = find_moved_rates(order, now)
    if not moved:
        return
    if not terms.accept_tax:
        old, new = moved[0]
        raise TaxChangedError(old=_rate_text(old), new=_rate_text(new))
    take_current_rates(order, now)


def _rate_text(rate: Decimal | None) -> str:
    return "–" if rate is None else f"{rate.normalize():f}"


__all__ = [
    "KeyReusedError",
    "OrderStatus",
    "ReasonNeededError",
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
