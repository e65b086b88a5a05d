"""Working on a draft: save edits, remove lines, discard, keep what was typed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.policy import Actor, Permission
from portal.quotes import queries
from portal.quotes.edits import Clash, DraftEdits, Keep, LineEdit, changes_anything, clashes
from portal.quotes.guarding import (
    bump,
    check_line_quantity,
    must_reach,
    note_opening,
    note_prices,
    note_requester,
    record_quote,
)
from portal.quotes.models import QuickEntry, Quote, QuoteLine, QuoteRevision
from portal.quotes.moves import Move
from portal.quotes.ordering import ordered_quantities
from portal.quotes.places import Places, load_places
from portal.quotes.pricing import Priced
from portal.quotes.rules import QuoteStatus


class UnknownPlaceError(InvalidError):
    """A cost centre or address is not one of the account's."""

    message = N_("Choose one of the list.")


class BelowOrderedError(ConflictError):
    """What is ordered already is the least that the line can have."""

    message = N_("{sku}: {ordered} are ordered already, so the line can't have fewer.")
    field = "quantity"


class DraftConflictError(ConflictError):
    """Somebody else saved first; ``clashes`` says what differs, and nothing was overwritten."""

    message = N_("Quote {number} was changed by somebody else. Nothing of theirs was overwritten.")

    def __init__(self, number: str, found: Sequence[Clash]) -> None:
        super().__init__(number=number)
        self.clashes = tuple(found)


def open_draft(actor: Actor, number: str, now: datetime) -> None:
    """Note that somebody opened a draft that they may change: what they add next goes there."""
    with transaction():
        quote = queries.get_quote(actor, number)
        must_reach(actor, Permission.QUOTE_SAVE, quote)
        note_opening(actor, quote, now)


def save_draft(actor: Actor, number: str, version: int, edits: DraftEdits, now: datetime) -> Quote:
    """Save edits of a draft.

    Args:
        number: As printed.
        version: Of the quote that the edits were made from.
        edits: What was typed.
        now: Instant of saving.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        NotAllowedError, IllegalMoveError: See `Move`.
        DraftConflictError: Somebody else saved meanwhile; nothing was overwritten.
        UnknownPlaceError, BelowOrderedError, InvalidError: A value can't be used.
    """
    with transaction():
        quote = queries.get_quote(actor, number, lock=True)
        save_locked(actor, quote, version, edits, now)
    return quote


def save_locked(
    actor: Actor,
    quote: Quote,
    version: int,
    edits: DraftEdits,
    now: datetime,
    *,
    is_opened: bool = False,
) -> None:
    """Do as `save_draft` does, to a quote that is locked in the transaction under way.

    Args:
        is_opened: Whether it is known to be the draft that the actor opened last.
    """
    must_reach(actor, Permission.QUOTE_SAVE, quote)
    if quote.version != version:
        found = clashes(edits, quote.current, quote.current.lines)
        if found or quote.status is not QuoteStatus.DRAFT:
            raise DraftConflictError(quote.number, found)
        return  # the same form once more: it is all there already
    Move.SAVE.apply(quote.status, actor, quote.number)
    if changes_anything(edits, quote.current, quote.current.lines):
        _save(actor, quote, edits, now)
    if not is_opened:
        note_opening(actor, quote, now)


def _save(actor: Actor, quote: Quote, edits: DraftEdits, now: datetime) -> None:
    revision = quote.current
    places = load_places(quote.account_id)
    _edit_head(revision, edits, places)
    ordered = ordered_quantities(quote.id)
    _remove(revision, edits.removed, ordered)
    touched = {
        line.line_id
        for line in revision.lines
        if line.line_id in edits.lines
        and _edit_line(line, edits.lines[line.line_id], places, ordered)
    }
    for position, line in enumerate(revision.lines, start=1):
        line.position = position
    note_requester(revision, actor)
    priced = note_prices(actor, quote, now, seen=touched)
    _accept(priced, edits.accepted)
    bump(quote, now, title=revision.title, net_total=priced.totals.net_total)
    record_quote(
        actor, "quote.saved", quote, now, lines=len(edits.lines), removed=len(edits.removed)
    )


def _edit_head(revision: QuoteRevision, edits: DraftEdits, places: Places) -> None:
    if not isinstance(edits.title, Keep):
        revision.title = edits.title
    if not isinstance(edits.note, Keep):
        revision.note = edits.note
    if not isinstance(edits.cost_centre_id, Keep):
        revision.cost_centre_id = _known(edits.cost_centre_id, places.cost_centres)
    if not isinstance(edits.ship_to_address_id, Keep):
        revision.ship_to_address_id = _known(edits.ship_to_address_id, places.addresses)


def _edit_line(
    line: QuoteLine, edit: LineEdit, places: Places, ordered: Mapping[int, Decimal]
) -> bool:
    """Change a line; return whether its quantity changed."""
    if not isinstance(edit.note, Keep):
        line.note = edit.note
    if not isinstance(edit.cost_centre_id, Keep):
        line.cost_centre_id = _known(edit.cost_centre_id, places.cost_centres)
    if not isinstance(edit.ship_to_address_id, Keep):
        line.ship_to_address_id = _known(edit.ship_to_address_id, places.addresses)
    if isinstance(edit.quantity, Keep) or edit.quantity == line.quantity:
        return False
    least = ordered.get(line.line_id, Decimal(0))
    if edit.quantity < least:
        raise BelowOrderedError(sku=line.sku, ordered=least)
    line.quantity = edit.quantity
    check_line_quantity(line)
    return True


def _known(key: int | None, places: Mapping[int, object]) -> int | None:
    if key is not None and key not in places:
        raise UnknownPlaceError
    return key


def _remove(
    revision: QuoteRevision, removed: Collection[int], ordered: Mapping[int, Decimal]
) -> None:
    for line in [line for line in revision.lines if line.line_id in removed]:
        if ordered.get(line.line_id):
            raise BelowOrderedError(sku=line.sku, ordered=ordered[line.line_id])
        revision.lines.remove(line)


def _accept(priced: Priced, accepted: Mapping[int, Decimal]) -> None:
    """Note the moved prices that their person saw, where they still are today's."""
    for item in priced.lines:
        if accepted.get(item.line.line_id) == item.resolution.unit_price:
            item.line.seen_price = item.resolution.unit_price


def remove_line(actor: Actor, number: str, version: int, line_id: int, now: datetime) -> Quote:
    """Remove one line of a draft; refuses as `save_draft` does."""
    return save_draft(actor, number, version, DraftEdits(removed=frozenset({line_id})), now)


def discard_quote(actor: Actor, number: str, now: datetime, version: int | None = None) -> Quote:
    """Discard a draft; discarding it twice is discarding it once.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        NotAllowedError, IllegalMoveError: See `Move`.
        DraftConflictError: Somebody changed it since ``version``.
    """
    with transaction():
        quote = queries.get_quote(actor, number, lock=True)
        must_reach(actor, Permission.QUOTE_SAVE, quote)
        if quote.status is QuoteStatus.DISCARDED:
            return quote
        status = Move.DISCARD.apply(quote.status, actor, number)
        if version is not None and version != quote.version:
            raise DraftConflictError(number, ())
        quote.current.status, quote.current.closed_at = status, now
        bump(quote, now, status=status)
        record_quote(actor, "quote.discarded", quote, now)
    return quote


def keep_entry(actor: Actor, text: str, now: datetime) -> None:
    """Keep what somebody typed into quick entry: nothing of it is lost; empty text forgets it."""
    actor.must(Permission.QUOTE_SAVE)
    if actor.membership_id is None:
        return
    with transaction():
        entry = queries.find_entry(actor)
        if entry is None:
            entry = QuickEntry(membership_id=actor.membership_id, account_id=actor.account_id)
            db.session.add(entry)
        entry.text, entry.changed_at = text, now
