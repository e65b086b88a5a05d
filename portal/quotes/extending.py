"""Holding the prices of a quote for longer: what the account manager alone may do.

The end that was frozen at submission is part of the content that people approved and stays as it
is; the later one stands beside it, so that the approval goes on proving the same content.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from portal.accounts.models import Account
from portal.approvals.actions import extend_run
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.lifecycle import IllegalMoveError
from portal.policy import Actor, Permission
from portal.quotes import queries
from portal.quotes.guarding import bump, must_reach, record_quote
from portal.quotes.locking import Said
from portal.quotes.models import Quote
from portal.quotes.outcomes import plan_end, tell_requesters
from portal.quotes.rules import EXPIRING, KIND, last_day_of

MOST_DAYS: Final = 366


class NotLongerError(InvalidError):
    """The new day is not after the one until which the prices hold anyway."""

    message = N_("The prices hold until {day} already. Choose a later day.")
    field = "until"


class TooLongError(InvalidError):
    """Prices are held for a year at most."""

    message = N_("Prices can be held for a year at most: until {day}.")
    field = "until"


class EndedError(ConflictError):
    """The prices have ended: only a new revision gives new ones."""

    message = N_("The prices of quote {number} no longer hold. Revise it for today's prices.")


class ExtendedMeanwhileError(ConflictError):
    """The page was about a revision that is not the current one any more."""

    message = N_("Quote {number} changed meanwhile. Open it again.")


def extend_quote(
    actor: Actor,
    number: str,
    until: date,
    *,
    reason: str = "",
    revision: int | None = None,
    now: datetime,
) -> Quote:
    """Hold the prices of a submitted quote until the end of a later day.

    Args:
        actor: The account manager.
        number: As printed.
        until: The last day, in the account's time zone.
        reason: The requesters read it.
        revision: The revision that the person saw; no other one is extended.
        now: Instant of extending.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        NotAllowedError: Not one of the actor's accounts.
        IllegalMoveError, EndedError, ExtendedMeanwhileError: There is nothing to hold any more.
        NotLongerError, TooLongError: The day is not one until which prices can be held.
    """
    with transaction():
        quote = queries.get_quote(actor, number, lock=True)
        must_reach(actor, Permission.QUOTE_EXTEND, quote)
        if revision not in {None, quote.revision}:
            raise ExtendedMeanwhileError(number=number)
        if quote.status not in EXPIRING:
            raise IllegalMoveError(number=number, status=quote.status, move="extend")
        before = quote.current.holds_until
        if before is None or now >= before:
            raise EndedError(number=number)
        zone = db.session.get_one(Account, quote.account_id).time_zone
        after = _end_of(zone, until, before, now)
        quote.current.extended_until = after
        extend_run(KIND, quote.current.id, after, until)
        bump(quote, now, valid_until=after)
        record_quote(actor, "quote.extended", quote, now, before=before, until=after, reason=reason)
        plan_end(quote, now)
        tell_requesters("quote_extended", quote, Said(zone, reason), now, actor)
    return quote


def _end_of(time_zone: str, until: date, before: datetime, now: datetime) -> datetime:
    """Return the exclusive end of a day that is later than the one so far."""
    zone = ZoneInfo(time_zone)
    latest = now.astimezone(zone).date() + timedelta(days=MOST_DAYS)
    if until > latest:
        raise TooLongError(day=latest)
    after = datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC)
    if after <= before:
        raise NotLongerError(day=last_day_of(before, zone))
    return after
