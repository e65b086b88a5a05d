"""Scheduling and running work: leases, retries with growing pauses, failures with their reason."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import or_, select, update

from portal.db import db, transaction
from portal.jobs.models import Job

LEASE: Final = timedelta(minutes=2)
MOST_ATTEMPTS: Final = 12
WORKER_DIED: Final = "The worker died while doing it, every time that it was tried."

Handler = Callable[[Mapping[str, Any], datetime], None]
_handlers: dict[str, Handler] = {}
_log = structlog.get_logger(__name__)


def handle(kind: str, handler: Handler) -> None:
    """Name the function that does jobs of ``kind``; called once per kind by the application."""
    _handlers[kind] = handler


def schedule(
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    run_at: datetime | None = None,
    unique_key: str | None = None,
) -> None:
    """Write a job in the transaction under way; a second one with the same key is not written."""
    if unique_key is not None:
        known = db.session.scalar(select(Job.id).where(Job.unique_key == unique_key))
        if known is not None:
            return
    db.session.add(
        Job(
            kind=kind,
            payload=dict(payload),
            unique_key=unique_key,
            run_at=run_at or now,
            created_at=now,
        )
    )
    db.session.flush()


def run_next(now: datetime) -> bool:
    """Take the next due job under a lease and run it; return whether there was one."""
    taken = _take(now)
    if taken is None:
        return False
    job_id, kind, payload, attempts = taken
    try:
        # Outside a transaction: a slow mail server must not hold locks. A handler that changes
        # rows opens its own and can be repeated, since a kill may fall before the next line.
        _handlers[kind](payload, now)
        with transaction():
            _finish(job_id, state="done", now=now)
    except Exception as error:  # noqa: BLE001 - whatever a job raises is its reason, not ours
        _log.warning("job failed", job=job_id, kind=kind, error=str(error))
        _retry(job_id, attempts, f"{type(error).__name__}: {error}", now)
    return True


def _take(now: datetime) -> tuple[int, str, dict[str, Any], int] | None:
    due = (
        select(Job)
        .where(
            Job.state == "waiting",
            Job.run_at <= now,
            or_(Job.lease_until.is_(None), Job.lease_until < now),
        )
        .order_by(Job.run_at, Job.id)
        .limit(1)
    )
    with transaction():
        job = db.session.scalar(due.with_for_update(skip_locked=True))
        while job is not None and job.attempts >= MOST_ATTEMPTS:
            # A failure is counted when it is caught; who dies can't report it, so it ends here.
            _finish(job.id, state="failed", now=now, error=WORKER_DIED)
            job = db.session.scalar(due.with_for_update(skip_locked=True))
        if job is None:
            return None
        job.lease_until = now + LEASE
        job.attempts += 1
        return job.id, job.kind, job.payload, job.attempts


def _finish(job_id: int, *, state: str, now: datetime, error: str | None = None) -> None:
    db.session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(state=state, finished_at=now, lease_until=None, error=error)
    )


def _retry(job_id: int, attempts: int, error: str, now: datetime) -> None:
    with transaction():
        if attempts >= MOST_ATTEMPTS:
            _finish(job_id, state="failed", now=now, error=error)
            return
        pause = timedelta(seconds=min(2**attempts, 3600))
        db.session.execute(
            update(Job)
            .where(Job.id == job_id)
            .values(lease_until=None, run_at=now + pause, error=error)
        )
