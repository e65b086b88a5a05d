"""What happens to a submitted quote without its people: decided, expired, ordered."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select

from portal.approvals.actions import expire_run
from portal.approvals.rules import Outcome
from portal.db import EVERY_ROW, KEPT, db, joined, reaching, transaction
from portal.db import lock as locked
from portal.jobs.actions import Planned, schedule_all
from portal.messages.actions import tell
from portal.policy import Actor
from portal.quotes import locking, queries
from portal.quotes.guarding import bump, record_quote
from portal.quotes.hashing import number_text
from portal.quotes.locking import Said
from portal.quotes.models import Quote, QuoteRevision
from portal.quotes.moves import Move
from portal.quotes.ordering import ordered_quantities
from portal.quotes.rules import EXPIRING, KIND, ORDERABLE, QuoteStatus, last_day_of

EXPIRE: Final = "quotes.expire"
REMIND: Final = "quotes.remind"
REMINDERS: Final = (Decimal("0.5"), Decimal("0.9"))
"""Shares of a revision's time after which its requesters are reminded."""

_MOVES: Final[Mapping[Outcome, Move]] = {
    Outcome.APPROVED: Move.APPROVE,
    Outcome.REJECTED: Move.REJECT,
    Outcome.CHANGES_REQUESTED: Move.REQUEST_CHANGES,
}
_VERBS: Final[Mapping[Outcome, str]] = {
    Outcome.REJECTED: "quote.rejected",
    Outcome.CHANGES_REQUESTED: "quote.changes-requested",
}
_MESSAGES: Final[Mapping[Outcome, str]] = {
    Outcome.REJECTED: "quote_rejected",
    Outcome.CHANGES_REQUESTED: "quote_changes_requested",
}


def lock_subject(subject: Select[int], asked: Mapping[str, Any]) -> None:
    """Lock the quote of a revision, always before its approval run."""
    db.session.execute(_quote_of(subject), asked)


@lru_cache(maxsize=512)
def _quote_of(subject: Select[int]) -> Select[int]:
    quote = select(QuoteRevision.quote_id).where(QuoteRevision.id.in_(subject))
    wanted = select(Quote.id).where(Quote.id.in_(quote))
    return locked(wanted.prefix_with(KEPT, dialect="postgresql"))


def settle(subject_id: int, outcome: Outcome, now: datetime, actor: Actor | None) -> None:
    """Take over how an approval ended, in the transaction of the decision that ended it.

    Args:
        subject_id: The revision; `lock_subject` has locked its quote.
        outcome: What people decided.
        now: Instant of the decision.
        actor: Whose decision ended it.
    """
    with joined():
        quote, said = locking.get_decided(subject_id)
        if quote.current.id != subject_id:  # an outcome of an older revision changes nothing
            return
        if outcome is Outcome.APPROVED:
            approve(quote, said, now, actor)
            return
        status = _MOVES[outcome].apply(quote.status, None, quote.number)
        quote.current.status, quote.current.closed_at = status, now
        bump(quote, now, status=status)
        record_quote(actor, _VERBS[outcome], quote, now, has_watchers=said.is_watched)
        tell_requesters(_MESSAGES[outcome], quote, said, now, actor)


def approve(quote: Quote, said: Said, now: datetime, actor: Actor | None = None) -> None:
    """Take over an approval: what was ordered before stays ordered."""
    status = Move.APPROVE.apply(quote.status, None, quote.number)
    if quote.revision > 1:  # before the first revision is approved nothing can be ordered
        status = _after_orders(quote, status)
    quote.current.status = status
    bump(quote, now, status=status)
    record_quote(
        actor,
        "quote.approved",
        quote,
        now,
        has_watchers=said.is_watched,
        content_hash=quote.current.content_hash,
    )
    tell_requesters("quote_approved", quote, said, now, actor)


def _after_orders(quote: Quote, status: QuoteStatus) -> QuoteStatus:
    """Return the state of an approved quote, of whose earlier revisions something was ordered."""
    ordered = ordered_quantities(quote.id)
    if not any(ordered.values()):
        return status
    quantities = locking.find_quantities(quote.current.id)
    has_open = any(quantity > ordered.get(key, 0) for key, quantity in quantities.items())
    return QuoteStatus.PARTLY_ORDERED if has_open else QuoteStatus.ORDERED


def tell_requesters(
    kind: str, quote: Quote, said: Said, now: datetime, actor: Actor | None = None
) -> None:
    """Tell every requester of the current revision."""
    revision = quote.current
    tell(
        kind,
        account_id=quote.account_id,
        membership_ids={quote.membership_id} | {item.membership_id for item in revision.requesters},
        path=f"/quotes/{quote.number}",
        now=now,
        subject={
            "number": quote.number,
            "revision": revision.number,
            "title": revision.title,
            "net_total": number_text(revision.net_total or Decimal(0)),
            "gross_total": None
            if revision.gross_total is None
            else number_text(revision.gross_total),
            "currency": quote.currency,
            "valid_until": last_day_of(revision.holds_until, ZoneInfo(said.zone)).isoformat()
            if revision.holds_until
            else None,
            "decided_by": actor.name if actor else "",
            "comment": said.comment,
        },
    )


# --- time ----------------------------------------------------------------------------------------


def plan_end(quote: Quote, now: datetime) -> None:
    """Write the jobs that remind of the end of the current revision and bring it about."""
    revision, until = quote.current, quote.current.holds_until
    if until is None:
        return
    payload = {"quote_id": quote.id, "revision": revision.number, "until": until.isoformat()}
    seconds = int((until - now).total_seconds())
    end = f"{revision.id}:{until.isoformat()}"
    reminders = [
        Planned(
            REMIND,
            payload,
            now + (until - now) * int(share * 100) / 100,
            f"{REMIND}:{revision.id}:{share}:{seconds}",
        )
        for share in REMINDERS
    ]
    schedule_all([Planned(EXPIRE, payload, until, f"{EXPIRE}:{end}"), *reminders], now=now)


def expire_quotes(now: datetime) -> int:
    """End every quote whose time is over; return how many ended."""
    with reaching(EVERY_ROW):
        due = queries.find_due(now, EXPIRING)
        return sum(_expire(quote_id, now) for quote_id in due)


def expire_due(payload: Mapping[str, Any], now: datetime) -> None:
    """Do the job that was scheduled at submission for the end of one quote."""
    with reaching(EVERY_ROW):
        _expire(int(payload["quote_id"]), now)


def _expire(quote_id: int, now: datetime) -> bool:
    """End one quote if its time is over; a run open at that moment ends as expired."""
    with transaction():
        quote = queries.get_by_id(quote_id, lock=True)
        until = quote.current.holds_until
        if quote.status not in EXPIRING or until is None or until > now:
            return False
        status = Move.EXPIRE.apply(quote.status, None, quote.number)
        quote.current.status, quote.current.closed_at = status, now
        bump(quote, now, status=status)
        record_quote(None, "quote.expired", quote, now)
        expire_run(KIND, quote.current.id, now)
        tell_requesters("quote_expired", quote, locking.find_said(quote), now)
    return True


def remind_due(payload: Mapping[str, Any], now: datetime) -> None:
    """Remind the requesters of a quote that its prices will end."""
    with reaching(EVERY_ROW), transaction():
        quote = queries.get_by_id(int(payload["quote_id"]))
        until = quote.current.holds_until
        # A reminder of an end that was put off meanwhile is none; the new end has its own.
        is_put_off = until is not None and payload.get("until", "") not in {"", until.isoformat()}
        is_same = quote.revision == payload["revision"] and not is_put_off
        if is_same and quote.status in EXPIRING:
            tell_requesters("quote_expiring", quote, locking.find_said(quote), now)


# --- orders --------------------------------------------------------------------------------------


def mark_ordered(
    quote: Quote, *, open_left: bool, now: datetime, actor: Actor | None = None
) -> None:
    """Note that something of an approved quote was ordered.

    Args:
        quote: As the caller read it after locking it.

    Raises:
        IllegalMoveError: The quote can't be ordered from.
    """
    with joined():
        Move.CONVERT.apply(quote.status, None, quote.number)
        status = QuoteStatus.PARTLY_ORDERED if open_left else QuoteStatus.ORDERED
        _mark(quote, status, now, actor)


def mark_open(
    quote: Quote, *, some_ordered: bool, now: datetime, actor: Actor | None = None
) -> None:
    """Note that quantities came back from an order that was discarded or cancelled.

    A quote that was revised or expired meanwhile stays as it is.

    Args:
        quote: As the caller read it after locking it.
    """
    with joined():
        if quote.status in ORDERABLE | {QuoteStatus.ORDERED}:
            status = QuoteStatus.PARTLY_ORDERED if some_ordered else QuoteStatus.APPROVED
            _mark(quote, status, now, actor)


_ORDER_VERBS: Final[Mapping[QuoteStatus, str]] = {
    QuoteStatus.APPROVED: "quote.reopened",
    QuoteStatus.PARTLY_ORDERED: "quote.partly-ordered",
    QuoteStatus.ORDERED: "quote.ordered",
}


def _mark(quote: Quote, status: QuoteStatus, now: datetime, actor: Actor | None) -> None:
    if quote.status is status:
        return
    quote.current.status = status
    bump(quote, now, status=status)
    record_quote(actor, _ORDER_VERBS[status], quote, now)
