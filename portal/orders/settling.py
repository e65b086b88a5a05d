"""Where a quote stands by what is ordered of it: approved, partly ordered or ordered."""

from datetime import datetime

from portal.orders import queries
from portal.orders.rules import LedgerLine, make_ledger
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.models import Quote


def ledger_of(quote: Quote) -> dict[int, LedgerLine]:
    """Return the ledger of a quote's current revision by line id."""
    return make_ledger(
        {line.line_id: line.quantity for line in quote.current.lines},
        queries.find_taken(quote.id),
    )


def note_taken(actor: Actor, quote: Quote, *, now: datetime) -> None:
    """Let the quote's state follow from its ledger after an order took quantities."""
    is_open = any(line.open for line in ledger_of(quote).values())
    quotes.mark_ordered(quote.id, open_left=is_open, now=now, actor=actor)


def note_given_back(actor: Actor, quote: Quote, *, now: datetime) -> None:
    """Let the quote's state follow from its ledger after an order gave quantities back."""
    is_touched = any(line.ordered or line.cancelled for line in ledger_of(quote).values())
    quotes.mark_open(quote.id, some_ordered=is_touched, now=now, actor=actor)
