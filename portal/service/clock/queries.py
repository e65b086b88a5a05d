"""Reading promises, and the clocks of many cases in a constant number of statements."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import select

from portal.accounts.models import Account
from portal.calendars.queries import load_calendars
from portal.calendars.rules import Calendar
from portal.db import db
from portal.service.clock.models import ServiceTarget
from portal.service.clock.rules import Clock, Silence, Stamp, Targets, clock_of, silence_of
from portal.service.clock.targets import TargetBook

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Generic[Key]):
    """What the clock needs to know of one case; ``key`` is how the caller finds it again."""

    key: Key
    stamps: Sequence[Stamp]
    priority: str
    tier: str | None = None
    calendar_code: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The clock of a case with what it was read against."""

    clock: Clock
    silence: Silence | None
    targets: Targets
    calendar: Calendar


def read_clocks(items: Sequence[Measured[Key]], now: datetime) -> dict[Key, Clock]:
    """Return the clock of each case at ``now``, in two statements however many there are."""
    return {key: reading.clock for key, reading in read_all(items, now).items()}


def read_all(items: Sequence[Measured[Key]], now: datetime) -> dict[Key, Reading]:
    """Return clock, silence, promise and calendar of each case, in two statements."""
    if not items:
        return {}
    book = load_targets()
    first = min((stamp.at for item in items for stamp in item.stamps), default=now)
    # Deadlines lie ahead of now, and a year's last days may belong to the next one elsewhere.
    years = range(first.year - 1, now.year + 3)
    calendars = load_calendars([item.calendar_code for item in items], years)
    return {item.key: _read(item, book, calendars[item.calendar_code or ""], now) for item in items}


def _read(item: Measured[Key], book: TargetBook, calendar: Calendar, now: datetime) -> Reading:
    targets = book.targets_for(item.priority, item.tier)
    return Reading(
        clock_of(item.stamps, targets, calendar, now),
        silence_of(item.stamps, calendar, now),
        targets,
        calendar,
    )


def load_targets() -> TargetBook:
    """Return every saved promise."""
    return TargetBook(
        {(row.tier, row.priority): as_targets(row) for row in find_targets()},
    )


def find_targets() -> Sequence[ServiceTarget]:
    """Return the saved promises by tier, the one to all first."""
    statement = select(ServiceTarget).order_by(ServiceTarget.tier, ServiceTarget.id)
    return db.session.scalars(statement).all()


def find_tiers() -> Sequence[str]:
    """Return the tiers of accounts, and those that something was promised to."""
    of_accounts = select(Account.tier).where(Account.tier.is_not(None), Account.tier != "")
    promised = select(ServiceTarget.tier).where(ServiceTarget.tier != "")
    return sorted({str(tier) for tier in db.session.scalars(of_accounts.union(promised))})


def as_targets(row: ServiceTarget) -> Targets:
    """Return a saved promise as the rules read it."""
    return Targets(
        _minutes(row.first_answer_minutes),
        _minutes(row.resolution_minutes),
        timedelta(minutes=row.warn_minutes),
        timedelta(minutes=row.escalate_minutes),
    )


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)
