"""Where a quote stands by what is ordered of it: approved, partly ordered or ordered."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from portal.db import db
from portal.orders import queries
from portal.orders.models import Order
from portal.orders.rules import LedgerLine, make_ledger
from portal.orders.taxing import apply_totals
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes import queries as quote_queries
from portal.quotes.models import Quote


def ledger_of(quote: Quote) -> dict[int, LedgerLine]:
    """Return the ledger of a quote's current revision by line id."""
    return make_ledger(
        {line.line_id: line.quantity for line in quote.current.lines},
        queries.find_taken(quote.id),
    )


def note_taken(
    actor: Actor,
    quote: Quote,
    ledger: Mapping[int, LedgerLine],
    quantities: Mapping[int, Decimal],
    *,
    now: datetime,
) -> None:
    """Let the quote's state follow from its ledger after an order took ``quantities`` of it."""
    is_open = any(line.open > quantities.get(line.line_id, 0) for line in ledger.values())
    quotes.mark_ordered(quote, open_left=is_open, now=now, actor=actor)


def note_given_back(actor: Actor, quote: Quote, *, now: datetime) -> None:
    """Let the quote's state follow from its ledger after an order gave quantities back."""
    is_touched = any(line.ordered or line.cancelled for line in ledger_of(quote).values())
    quotes.mark_open(quote, some_ordered=is_touched, now=now, actor=actor)
    settle_freight(quote.id)


def settle_freight(quote_id: int) -> None:
    """Let every draft of a locked quote carry its freight until a placed order does.

    Freight is charged with the first order of a quote, and drafts are placed in any order or not at
    all: whichever is placed first keeps it, and where that one is given up the next pays.
    """
    is_charged = queries.is_freight_charged(quote_id)
    for draft in queries.find_drafts(quote_id):
        carry_freight(
            draft, Decimal(0) if is_charged else quote_queries.find_freight(draft.revision_id)
        )
    db.session.flush()


def carry_freight(draft: Order, freight: Decimal) -> None:
    """Let a draft carry this freight."""
    if draft.freight != freight:
        draft.freight = freight
        apply_totals(draft, draft.tax_status)
