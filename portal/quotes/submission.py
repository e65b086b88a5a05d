"""Submitting a draft and what people do to it afterwards: withdraw, revise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from portal.approvals.actions import start_run, withdraw_run
from portal.approvals.rules import RunState
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.money import Money
from portal.policy import Actor, Permission
from portal.quotes import queries
from portal.quotes.adding import add_lines
from portal.quotes.drafting import DraftConflictError, save_locked
from portal.quotes.edits import DraftEdits
from portal.quotes.freezing import freeze_revision
from portal.quotes.guarding import bump, must_reach, note_opening, note_requester, record_quote
from portal.quotes.locking import Held, find_said, hold
from portal.quotes.models import Quote, QuoteLine, QuoteRevision
from portal.quotes.moves import Move
from portal.quotes.ordering import ordered_quantities
from portal.quotes.outcomes import approve, plan_end
from portal.quotes.places import Places
from portal.quotes.pricing import Priced, PricedLine, Rates, price_lines
from portal.quotes.rules import KIND, ORDERABLE, QuoteStatus, end_of_validity
from portal.quotes.sheet import Sheet, draft_sheet, sheet_of
from portal.quotes.subject import Submitter, make_subject
from portal.quotes.surroundings import Surroundings, find_surroundings


class NoLinesError(InvalidError):
    """There is nothing to approve."""

    message = N_("Quote {number} has no lines. Add something before you submit it.")


class NotSubmittableError(InvalidError):
    """Some lines can't be submitted as they are; ``problems`` says which and why."""

    message = N_("Quote {number} can't be submitted as it is: {problems}")

    def __init__(self, number: str, problems: Sequence[Exception]) -> None:
        super().__init__(number=number, problems=" ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class NoShipToError(InvalidError):
    """Nobody knows where the goods go."""

    message = N_("Choose where the goods are shipped to.")
    field = "ship_to"


@dataclass(frozen=True, slots=True)
class PriceMove:
    """A line whose price moved: what was seen last, what holds now."""

    line_id: int
    position: int
    sku: str
    old: Decimal | None
    new: Decimal | None
    priced: PricedLine


class PricesMovedError(ConflictError):
    """Prices moved since they were last seen; ``moves`` says which, and nothing was submitted."""

    message = N_("Prices of quote {number} moved: {moves}. Accept the new ones to submit.")

    def __init__(self, number: str, moves: Sequence[PriceMove]) -> None:
        text = ", ".join(f"{move.sku} {move.old} → {move.new}" for move in moves)
        super().__init__(number=number, moves=text)
        self.moves = tuple(moves)


class TotalMovedError(ConflictError):
    """The total is not the one that the page showed."""

    message = N_("The total of quote {number} is now {new}, it was {old}. Check it and submit.")


def submit_quote(
    actor: Actor,
    number: str,
    version: int,
    accepted_prices: Mapping[int, Decimal],
    now: datetime,
    *,
    shown_total: Decimal | None = None,
) -> Quote:
    """Submit a draft: freeze today's figures and ask those who must approve.

    Args:
        actor: Whoever submits.
        number: As printed.
        version: Of the quote that the person saw; the same one twice is one submission.
        accepted_prices: Moved prices that the person saw and accepts, by line id.
        now: Instant of submission.
        shown_total: The net total that the page showed.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        NotAllowedError, IllegalMoveError: See `Move`.
        DraftConflictError: Somebody changed the draft since ``version``.
        NoLinesError, NotSubmittableError, NoShipToError: It can't be submitted as it is.
        PricesMovedError, TotalMovedError: Figures are not those that the person saw.
        DeadEndError: Nobody could finish its approval.
    """
    with transaction():
        held = hold(actor, number)
        must_reach(actor, Permission.QUOTE_SUBMIT, held.quote)
        _submit(actor, held, version, accepted_prices, now, shown_total)
    return held.quote


def save_and_submit(  # noqa: PLR0913 - what is saved, added and submitted, each named
    actor: Actor,
    number: str,
    version: int,
    edits: DraftEdits,
    now: datetime,
    *,
    added: Sequence[tuple[str, Decimal, str | None]] = (),
    shown_total: Decimal | None = None,
) -> Quote | None:
    """Save what was typed into a draft and submit it: both happen, or neither.

    Args:
        added: What is added at the end of the lines, as `add_lines` takes it.

    Returns:
        The quote; ``None`` where it was submitted before, by a first press of the same button.

    Raises:
        What `save_draft`, `add_lines` and `submit_quote` raise, whose other arguments are the same.
    """
    with transaction():
        held = hold(actor, number)
        must_reach(actor, Permission.QUOTE_SUBMIT, held.quote)
        if _was_submitted(held.quote.current, actor, version):
            return None
        save_locked(actor, held.quote, version, edits, now, is_opened=held.is_opened)
        if added:
            add_lines(actor, number, added, now)
            held = hold(actor, number)  # with what was added
        _submit(actor, held, held.quote.version, edits.accepted, now, shown_total)
    return held.quote


def _was_submitted(revision: QuoteRevision, actor: Actor, version: int) -> bool:
    """Whether the actor has submitted the draft that they saw in this version, or a later one."""
    return (
        revision.submitted_version is not None
        and revision.submitted_by_id == actor.membership_id
        and 0 < version <= revision.submitted_version
    )


def _submit(
    actor: Actor,
    held: Held,
    version: int,
    accepted: Mapping[int, Decimal],
    now: datetime,
    shown_total: Decimal | None,
) -> None:
    quote = held.quote
    revision = quote.current
    if revision.submitted_version == version:
        return  # the same submission once more
    target = Move.SUBMIT.apply(quote.status, actor, quote.number)
    if quote.version != version:
        raise DraftConflictError(quote.number, ())
    around = find_surroundings(quote, held.account, held.units, now, with_history=False)
    places, rates = around.places, Rates(around.charges, around.lists)
    priced = price_lines(revision, revision.lines, places, now, held.seen, rates)
    _check(quote, priced, places, accepted, shown_total)
    until = _valid_until(places, priced, now)
    _freeze(actor, revision, priced, places, until, now)
    bump(
        quote,
        now,
        status=target,
        title=revision.title,
        net_total=revision.net_total,
        valid_until=until,
    )
    _tell(actor, quote, now)
    _start(actor, quote, draft_sheet(revision, priced, places), around, now)


def _check(
    quote: Quote,
    priced: Priced,
    places: Places,
    accepted: Mapping[int, Decimal],
    shown_total: Decimal | None,
) -> None:
    """Refuse what can't be submitted, and figures that nobody has seen."""
    if not priced.lines:
        raise NoLinesError(number=quote.number)
    if priced.problems:
        raise NotSubmittableError(quote.number, priced.problems)
    if places.addresses and any(
        places.ship_to(quote.current, item.line) is None for item in priced.lines
    ):
        raise NoShipToError
    moves = [
        _move(item)
        for item in priced.moved
        if accepted.get(item.line.line_id) != item.resolution.unit_price
    ]
    if moves:
        raise PricesMovedError(quote.number, moves)
    net = priced.totals.net_total
    if shown_total is not None and shown_total != net:
        old, new = (Money(amount, quote.currency) for amount in (shown_total, net))
        raise TotalMovedError(number=quote.number, old=old, new=new)


def _move(item: PricedLine) -> PriceMove:
    return PriceMove(
        item.line.line_id,
        item.line.position,
        item.line.sku,
        item.line.seen_price,
        item.resolution.unit_price,
        item,
    )


def _valid_until(places: Places, priced: Priced, now: datetime) -> datetime:
    account = places.account
    return end_of_validity(now, ZoneInfo(account.time_zone), account.quote_valid_days, priced.ends)


def _freeze(
    actor: Actor,
    revision: QuoteRevision,
    priced: Priced,
    places: Places,
    valid_until: datetime,
    now: datetime,
) -> None:
    note_requester(revision, actor)
    revision.status = QuoteStatus.IN_APPROVAL
    revision.submitted_at = now
    revision.submitted_by_id = actor.membership_id
    revision.submitted_version = revision.quote.version
    freeze_revision(revision, priced, places, valid_until)


def _tell(actor: Actor, quote: Quote, now: datetime) -> None:
    """Write the event, and the jobs that remind of the end and bring it about."""
    revision = quote.current
    record_quote(
        actor,
        "quote.submitted",
        quote,
        now,
        net_total=revision.net_total,
        currency=quote.currency,
        content_hash=revision.content_hash,
        valid_until=revision.valid_until,
    )
    plan_end(quote, now)


def _start(actor: Actor, quote: Quote, sheet: Sheet, around: Surroundings, now: datetime) -> None:
    """Start the approval; a policy of which no rule holds approves at once."""
    revision, places = quote.current, around.places
    people = frozenset(item.person_id for item in revision.requesters)
    submitter = Submitter(actor.membership_id or quote.membership_id, people, actor.name)
    before = last_submitted(actor, quote, places, now)
    subject = make_subject(sheet, submitter, places.account.time_zone, now, before)
    run = start_run(actor, subject, now, around.judges)
    if run.state == RunState.APPROVED:
        approve(quote, find_said(quote), now)


def last_submitted(actor: Actor, quote: Quote, places: Places, now: datetime) -> Sheet | None:
    """Return the revision before the current one as it was submitted, if there is one."""
    if quote.revision == 1:
        return None
    revision = queries.get_revision(actor, quote.number, quote.revision - 1)
    return sheet_of(actor, revision, places, now) if revision.submitted_at else None


class RevisionPassedError(ConflictError):
    """The page was about a revision that is not the current one any more."""

    message = N_(
        "{number} is at revision {revision} by now, and this page was about revision {seen}."
        " Nothing was done: look at the quote again."
    )


def _check_seen(quote: Quote, seen: int | None) -> None:
    if seen is not None and seen != quote.revision:
        raise RevisionPassedError(number=quote.number, revision=quote.revision, seen=seen)


def withdraw_quote(actor: Actor, number: str, now: datetime, revision: int | None = None) -> Quote:
    """Take back a submission; its approval ends. Withdrawing twice is withdrawing once.

    Args:
        actor: Whoever withdraws.
        number: As printed.
        now: Instant of withdrawing.
        revision: The revision that the person saw; no other one is withdrawn.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        RevisionPassedError: Another revision is the current one.
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    with transaction():
        quote = queries.get_quote(actor, number, lock=True)
        must_reach(actor, Permission.QUOTE_SUBMIT, quote)
        _check_seen(quote, revision)
        if quote.status is QuoteStatus.WITHDRAWN:
            return quote
        status = Move.WITHDRAW.apply(quote.status, actor, number)
        quote.current.status, quote.current.closed_at = status, now
        bump(quote, now, status=status)
        record_quote(actor, "quote.withdrawn", quote, now)
        withdraw_run(KIND, quote.current.id, now, actor)
    return quote


def revise_quote(actor: Actor, number: str, now: datetime, revision: int | None = None) -> Quote:
    """Start the next revision from the current one; its lines keep their line ids.

    Args:
        actor: Whoever revises.
        number: As printed.
        now: Instant of revising.
        revision: The revision that the person saw; revising it twice makes one next revision.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        RevisionPassedError: Another revision is the current one.
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    with transaction():
        quote = queries.get_quote(actor, number, lock=True)
        must_reach(actor, Permission.QUOTE_SAVE, quote)
        if revision is not None and quote.revision == revision + 1 and quote.current.is_draft:
            return quote
        _check_seen(quote, revision)
        status = Move.REVISE.apply(quote.status, actor, number)
        old = quote.current
        if old.status in ORDERABLE:
            old.status, old.closed_at = QuoteStatus.SUPERSEDED, now
        new = _next_revision(quote, old, now)
        note_requester(new, actor)
        db.session.add(new)
        db.session.flush()
        bump(quote, now, status=status, revision=new.number, valid_until=None)
        note_opening(actor, quote, now)
        record_quote(actor, "quote.revised", quote, now, before=old.number)
        return queries.get_quote(actor, number)


def _next_revision(quote: Quote, old: QuoteRevision, now: datetime) -> QuoteRevision:
    """Return a draft with the content of ``old``; its prices are what its people saw last."""
    ordered = ordered_quantities(quote.id)
    return QuoteRevision(
        account_id=quote.account_id,
        quote_id=quote.id,
        number=old.number + 1,
        status=QuoteStatus.DRAFT,
        title=old.title,
        note=old.note,
        currency=quote.currency,
        ship_to_address_id=old.ship_to_address_id,
        cost_centre_id=old.cost_centre_id,
        created_at=now,
        requesters=[],
        lines=[_copied(line, old, ordered.get(line.line_id, Decimal(0))) for line in old.lines],
    )


def _copied(line: QuoteLine, old: QuoteRevision, ordered: Decimal) -> QuoteLine:
    """Return a line for the next revision; what equals the head's choice follows the head again."""
    same_centre = line.cost_centre_id == old.cost_centre_id
    same_address = line.ship_to_address_id == old.ship_to_address_id
    return QuoteLine(
        account_id=line.account_id,
        line_id=line.line_id,
        position=line.position,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        quantity=max(line.quantity, ordered),
        uom=line.uom,
        off_contract=False,
        trace={},
        seen_price=line.unit_price,
        cost_centre_id=None if same_centre else line.cost_centre_id,
        ship_to_address_id=None if same_address else line.ship_to_address_id,
        note=line.note,
    )
