"""The one function that makes orders: it demands the proof and copies the approved figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Account
from portal.approvals.queries import Proof
from portal.db import db, next_number
from portal.errors import N_, ConflictError
from portal.money import line_amount
from portal.orders import queries
from portal.orders.models import Order, OrderLine
from portal.orders.proof import check_proof
from portal.orders.rules import LedgerLine, Wish, check_wishes
from portal.orders.stocking import note_workshop_share
from portal.orders.taxing import apply_totals
from portal.policy import Actor, Permission
from portal.quotes.models import Quote, QuoteLine, QuoteRevision
from portal.quotes.moves import Move as QuoteMove
from portal.rows import write_rows


class UnknownLineError(ConflictError):
    """A line is named that the quote does not have."""

    message = N_("The quote has no line {line_id}.")


@dataclass(frozen=True, slots=True)
class Ground:
    """What an order is made from, all of it read after the locks.

    ``quote`` has its current revision and that one's lines.
    """

    account: Account
    quote: Quote
    proof: Proof | None
    ledger: Mapping[int, LedgerLine]
    is_freight_charged: bool


def make_draft(
    actor: Actor, ground: Ground, quantities: Mapping[int, Decimal], *, now: datetime
) -> Order:
    """Return a new order draft for part of an approved revision, not yet added to the session.

    Args:
        ground: The account and the quote are locked.
        quantities: Line id -> quantity to order; zero leaves the line out.

    Raises:
        NotAllowedError, IllegalMoveError: The actor may not convert this quote now.
        QuoteExpiredError, ProofMissingError, SupersededError, NotApprovedError: No valid proof.
        UnknownLineError and the refusals of `check_wishes`.
    """
    account, quote = ground.account, ground.quote
    actor.must_reach(
        Permission.QUOTE_CONVERT,
        account_id=quote.account_id,
        unit_id=quote.unit_id,
        owner_id=quote.membership_id,
    )
    revision = quote.current
    proof = check_proof(quote, revision, ground.proof, now)
    QuoteMove.CONVERT.apply(quote.status, actor, quote.number)
    _check(revision, quantities, ground.ledger, account.partial_orders)
    order = Order(
        account_id=quote.account_id,
        unit_id=quote.unit_id,
        membership_id=actor.membership_id,
        number=next_number("order", "O"),
        quote_id=quote.id,
        revision_id=revision.id,
        run_id=proof.run_id,
        content_hash=proof.content_hash,
        currency=revision.currency,
        freight=freight_of(revision, is_charged=ground.is_freight_charged),
        places=revision.frozen,
        created_at=now,
    )
    order.account, order.quote = account, quote
    order.lines = _lines(quote, revision, quantities)
    note_workshop_share(order)
    apply_totals(order, order.tax_status)
    return order


def write_draft(order: Order) -> None:
    """Write a new order draft, and all its lines in one statement.

    The session, which would write the lines one by one, knows them when they are there.
    """
    lines = list(order.lines)
    set_committed_value(order, "lines", [])
    db.session.add(order)
    db.session.flush()
    for line in lines:
        line.order_id = order.id
    write_rows(lines, OrderLine)
    set_committed_value(order, "lines", lines)


def preview_order(quote: Quote, quantities: Mapping[int, Decimal]) -> Order | None:
    """Return what an order of these quantities would be: its addresses and sums, never stored.

    Nothing is checked here; without quantities, or before the submission, there is nothing to show.
    """
    revision = quote.current
    booked = revision.frozen.get("lines", {})
    known = {key: wish for key, wish in quantities.items() if wish and str(key) in booked}
    if not known:
        return None
    order = Order(
        currency=revision.currency, freight=freight_left(quote, revision), places=revision.frozen
    )
    order.lines = _lines(quote, revision, known)
    apply_totals(order, order.tax_status)
    return order


def freight_left(quote: Quote, revision: QuoteRevision) -> Decimal:
    """Return what the next order carries as long as no other one is placed before it."""
    return freight_of(revision, is_charged=queries.is_freight_charged(quote.id))


def freight_of(revision: QuoteRevision, *, is_charged: bool) -> Decimal:
    """Return what an order of a revision carries, by whether another one is charged with it."""
    return Decimal(0) if is_charged else revision.freight or Decimal(0)


def least_of(line: QuoteLine) -> Decimal:
    """Return the break from which the quoted price of a line holds, in the line's unit."""
    entry = line.trace.get("entry") or {}
    same_unit = entry.get("uom") == line.uom
    return Decimal(entry.get("min_quantity", "1")) if same_unit else Decimal(1)


def _check(
    revision: QuoteRevision,
    quantities: Mapping[int, Decimal],
    ledger: Mapping[int, LedgerLine],
    partial_orders: str,
) -> None:
    unknown = sorted(set(quantities) - set(ledger))
    if unknown:
        raise UnknownLineError(line_id=unknown[0])
    wishes = [
        Wish(line.position, ledger[line.line_id], quantities[line.line_id], least_of(line))
        for line in revision.lines
        if quantities.get(line.line_id)
    ]
    check_wishes(wishes, sum(1 for item in ledger.values() if item.open), partial_orders)


def _lines(
    quote: Quote, revision: QuoteRevision, quantities: Mapping[int, Decimal]
) -> list[OrderLine]:
    return [
        _line(quote, line, quantities[line.line_id], revision.frozen["lines"][str(line.line_id)])
        for line in revision.lines
        if quantities.get(line.line_id)
    ]


def _line(quote: Quote, line: QuoteLine, quantity: Decimal, booked: Mapping[str, Any]) -> OrderLine:
    """Copy an approved line; ``booked`` is how it is shipped, booked and taxed."""
    if line.unit_price is None:  # a submitted line has a price; a broken one is never ordered
        raise UnknownLineError(line_id=line.line_id)
    rate = booked["tax_rate"]
    return OrderLine(
        account_id=quote.account_id,
        quote_id=quote.id,
        line_id=line.line_id,
        position=line.position,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        quantity=quantity,
        cancelled=Decimal(0),
        uom=line.uom,
        list_price=line.list_price,
        unit_price=line.unit_price,
        line_total=line_amount(line.unit_price, quantity, quote.currency),
        tax_category=booked["tax_category"],
        tax_rate=None if rate is None else Decimal(rate),
        tax_country=booked["tax_country"] or "",
        tax_region=booked["tax_region"],
        ship_to=booked["ship_to"] or "",
        cost_centre=booked["cost_centre"] or "",
        note=line.note,
    )
