"""Rate limits: fixed windows counted in the database, so that every process sees the same."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.accounts.models import RateWindow
from portal.accounts.rules import TooManyAttemptsError
from portal.db import db, transaction


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many attempts in each window."""

    name: str
    most: int
    window: timedelta

    def start(self, now: datetime) -> datetime:
        """Return when the window of ``now`` began."""
        seconds = int(self.window.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    def key(self, subject: str) -> str:
        """Return the stored key: a hash, so that the table names nobody."""
        return hashlib.sha256(f"{self.name}:{subject}".encode()).hexdigest()


_QUARTER: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)
SIGN_IN_PERSON: Final = Limit("sign-in person", 10, _QUARTER)
SIGN_IN_ADDRESS: Final = Limit("sign-in address", 100, _QUARTER)
SIGN_IN_ALL: Final = Limit("sign-in all", 5_000, _QUARTER)
RESET_PERSON: Final = Limit("reset person", 5, _HOUR)
RESET_ADDRESS: Final = Limit("reset address", 50, _HOUR)
RESET_ALL: Final = Limit("reset all", 1_000, _HOUR)
PASSWORD_PERSON: Final = Limit("password person", 10, _QUARTER)

Attempt = tuple[Limit, str]


def take(attempts: Iterable[Attempt], now: datetime) -> None:
    """Count one attempt against each limit, before the work that it guards.

    Raises:
        TooManyAttemptsError: One of them is used up; the attempt counts all the same.
    """
    with transaction():
        waits = [
            limit.start(now) + limit.window - now
            for limit, subject in attempts
            if _count(limit, subject, now) > limit.most
        ]
    if waits:
        raise TooManyAttemptsError(minutes=max(1, int(max(waits).total_seconds() // 60) + 1))


def give_back(attempts: Iterable[Attempt], now: datetime) -> None:
    """Take back attempts that turned out to be the right person's."""
    with transaction():
        for limit, subject in attempts:
            db.session.execute(
                update(RateWindow)
                .where(
                    RateWindow.key == limit.key(subject),
                    RateWindow.window_start == limit.start(now),
                    RateWindow.count > 0,
                )
                .values(count=RateWindow.count - 1)
            )


def _count(limit: Limit, subject: str, now: datetime) -> int:
    key, start = limit.key(subject), limit.start(now)
    db.session.execute(
        delete(RateWindow).where(RateWindow.key == key, RateWindow.window_start < start)
    )
    # One statement, so that two processes counting at once both count.
    is_postgresql = db.engine.dialect.name == "postgresql"
    insert: Any = postgresql.insert if is_postgresql else sqlite.insert
    statement = insert(RateWindow).values(key=key, window_start=start, count=1)
    counted = statement.on_conflict_do_update(
        index_elements=["key", "window_start"], set_={"count": RateWindow.count + 1}
    ).returning(RateWindow.count)
    return int(db.session.scalars(counted).one())
