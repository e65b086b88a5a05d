"""Making the next revision of a quote out of what a buyer accepted beyond their approval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portal.catalog.rules import check_quantity
from portal.policy import Actor
from portal.quotes import queries
from portal.quotes.actions import DraftEdits, LineEdit, add_lines, revise_quote, save_draft
from portal.quotes.models import Quote, QuoteLine
from portal.quotes.ordering import ordered_quantities
from portal.quotes.rules import QuoteStatus


@dataclass(frozen=True, slots=True)
class Exchange:
    """So much less of a quote's line, and so much of a product in its place."""

    line_id: int
    less: Decimal
    sku: str
    quantity: Decimal
    uom: str


def exchange_lines(actor: Actor, number: str, exchanges: Sequence[Exchange], now: datetime) -> None:
    """Put what is accepted in place of what was quoted, in the next revision.

    A draft of the next revision that exists already is taken as it is. Without exchanges nothing
    happens. Runs in the transaction under way.

    Raises:
        IllegalMoveError: The quote is in approval or ended, so that it can't be revised.
        NotAllowedError, InvalidError: The actor or a product can't be put on the quote.
    """
    if not exchanges:
        return
    quote = queries.get_quote(actor, number, lock=True)
    if quote.status is not QuoteStatus.DRAFT:
        quote = revise_quote(actor, number, now)
    places = {
        exchange.sku: line
        for exchange in exchanges
        for line in quote.current.lines
        if line.line_id == exchange.line_id
    }
    edits = _less(quote, exchanges)
    save_draft(actor, number, quote.version, edits, now)
    items = [(exchange.sku, exchange.quantity, exchange.uom) for exchange in exchanges]
    before = {line.sku for line in queries.get_quote(actor, number).current.lines}
    quote = add_lines(actor, number, items, now)
    booked = {
        line.line_id: LineEdit(
            cost_centre_id=places[line.sku].cost_centre_id,
            ship_to_address_id=places[line.sku].ship_to_address_id,
            note=places[line.sku].note,
        )
        for line in quote.current.lines
        if line.sku in places and line.sku not in before
    }
    save_draft(actor, number, quote.version, DraftEdits(lines=booked), now)


def _less(quote: Quote, exchanges: Sequence[Exchange]) -> DraftEdits:
    """Return the edits that take the given up quantities off their lines.

    Never below what other orders took; a rest that the product is not sold in stays as it was,
    since the buyer looks at the draft before it is submitted.
    """
    ordered = ordered_quantities(quote.id)
    less: dict[int, Decimal] = {}
    for exchange in exchanges:
        less[exchange.line_id] = less.get(exchange.line_id, Decimal(0)) + exchange.less
    removed, edits = set(), {}
    for line in quote.current.lines:
        if line.line_id not in less:
            continue
        rest = max(line.quantity - less[line.line_id], ordered.get(line.line_id, Decimal(0)))
        if not rest:
            removed.add(line.line_id)
        elif _is_sold(line, rest):
            edits[line.line_id] = LineEdit(quantity=rest)
    return DraftEdits(lines=edits, removed=frozenset(removed))


def _is_sold(line: QuoteLine, quantity: Decimal) -> bool:
    return line.uom != line.product.uom or check_quantity(line.product, quantity) is None
