"""The worker's loop: due jobs one after the other, and what recurs."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db
from portal.jobs.actions import run_next

PAUSE_SECONDS: Final = 1.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Recurring:
    """Something that is done again and again, for example ending what has expired."""

    name: str
    every: timedelta
    run: Callable[[datetime], object]
    next_at: datetime | None = None


_recurring: list[Recurring] = []


def recur(name: str, every: timedelta, run: Callable[[datetime], object]) -> None:
    """Name something that every worker does in turn; doing it twice must do no harm."""
    _recurring[:] = [item for item in _recurring if item.name != name]
    _recurring.append(Recurring(name, every, run))


def run_due(now: datetime) -> int:
    """Do everything that is due once; return how many jobs were run."""
    for item in _recurring:
        if item.next_at is None or item.next_at <= now:
            item.next_at = now + item.every
            _run_recurring(item, now)
    count = 0
    while run_next(now):
        count += 1
    return count


def _run_recurring(item: Recurring, now: datetime) -> None:
    """Do one thing that recurs; its failure is noted and stops neither the others nor the jobs."""
    try:
        item.run(now)
    except SQLAlchemyError:
        raise  # the database is away: the whole round waits
    except Exception as error:  # noqa: BLE001 - whatever it raises, the worker has other work
        _log.warning("recurring work failed", name=item.name, error=str(error))


def work(clock: Callable[[], datetime], *, parent: int | None = None) -> None:
    """Work until asked to stop.

    Args:
        clock: Returns the present instant.
        parent: Process id of the server that started this worker; it ends when that one is gone.
    """
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    _log.info("worker started", pid=os.getpid())
    while not stop.is_set() and (parent is None or os.getppid() == parent):
        try:
            run_due(clock())
        except SQLAlchemyError as error:
            # The database is away or busy: nothing is lost, the rows wait.
            _log.warning("database not ready", error=str(error).splitlines()[0])
        finally:
            db.session.remove()
        stop.wait(PAUSE_SECONDS)
    _log.info("worker stopped")
