"""Scheduling and running work: leases, progress, retries with growing pauses, reasons."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import or_, select, update

from portal.db import (
    EVERY_ROW,
    apart,
    before_commit,
    db,
    insert_new,
    is_writing,
    lock,
    on_rollback,
    reaching,
    transaction,
)
from portal.jobs.models import Job
from portal.jobs.rules import JobState

LEASE: Final = timedelta(minutes=2)
MOST_ATTEMPTS: Final = 12
WORKER_DIED: Final = "The worker died while doing it, every time that it was tried."
AWAY_SECONDS: Final = 2
MOST_AWAY_SECONDS: Final = 60
"""How long a kind of job waits for a target that is away: twice as long each time, at most so."""
PROGRESS_SECONDS: Final = 0.5
"""How often progress is written: a row a second is enough for eyes, and for the lease."""

PENDING: Final = "pending_jobs"
"""Where a session keeps the jobs that its transaction will write."""

Handler = Callable[[Mapping[str, Any], datetime], None]
Failed = Callable[[int, datetime], None]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How jobs of one kind are done, how often they are tried, and who hears of a failure."""

    handler: Handler
    most_attempts: int
    failed: Failed | None


@dataclass(frozen=True, slots=True)
class _Away:
    """Until when this worker leaves a kind of job alone, and how long it was told to."""

    until: datetime
    seconds: int


_kinds: dict[str, _Kind] = {}
_away: dict[str, _Away] = {}
_log = structlog.get_logger(__name__)


class GiveUpError(Exception):
    """A handler's word that trying again would not help; its text is the reason."""


class AwayError(Exception):
    """A handler's word that what it talks to is away, whichever job asks; its text is the reason.

    No job is given up for that, however long it lasts. The kind waits as a whole, so that its jobs
    are done in their order when the target is back; jobs of other kinds are done meanwhile.
    """


class CancelledError(BaseException):
    """Somebody asked the job to stop.

    A base exception, so that no handler on the way takes it for a failure of the work itself.
    """


@dataclass(slots=True)
class _Running:
    """The job that this worker is doing."""

    job_id: int
    now: datetime
    began: float
    written: float | None = None

    def instant(self) -> datetime:
        """Return the present by the worker's clock, as far as it has moved since the start."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


_running: ContextVar[_Running | None] = ContextVar("running_job", default=None)


def handle(
    kind: str,
    handler: Handler,
    *,
    most_attempts: int = MOST_ATTEMPTS,
    failed: Failed | None = None,
) -> None:
    """Name the function that does jobs of ``kind``; called once per kind by the application.

    Args:
        most_attempts: After so many failures the job is given up.
        failed: Called with the id of a job that is given up, in the transaction that says so.
    """
    _kinds[kind] = _Kind(handler, most_attempts, failed)


def schedule(
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    run_at: datetime | None = None,
    unique_key: str | None = None,
) -> int:
    """Write a job in the transaction under way and return its id.

    A second one with the same key is not written: the first one's id is returned.
    """
    if unique_key is not None:
        known = db.session.scalar(select(Job.id).where(Job.unique_key == unique_key))
        if known is not None:
            return known
    job = Job(
        kind=kind,
        payload=dict(payload),
        unique_key=unique_key,
        run_at=run_at or now,
        created_at=now,
    )
    db.session.add(job)
    db.session.flush()
    return job.id


@dataclass(frozen=True, slots=True)
class Planned:
    """A job to come: like the arguments of `schedule`."""

    kind: str
    payload: Mapping[str, Any]
    run_at: datetime
    unique_key: str


def schedule_all(planned: Sequence[Planned], *, now: datetime) -> None:
    """Write several jobs at the end of the transaction; those whose key is known are there."""
    _put_off(
        {
            "kind": each.kind,
            "payload": dict(each.payload),
            "unique_key": each.unique_key,
            "run_at": each.run_at,
            "created_at": now,
        }
        for each in planned
    )


def schedule_each(kind: str, payloads: Iterable[Mapping[str, Any]], *, now: datetime) -> None:
    """Write a job of one kind for each payload, to be done as soon as the transaction ends."""
    _put_off(
        {
            "kind": kind,
            "payload": dict(payload),
            "unique_key": None,
            "run_at": now,
            "created_at": now,
        }
        for payload in payloads
    )


def _put_off(rows: Iterable[dict[str, Any]]) -> None:
    """Let jobs be written with all others of the transaction, or at once outside of any."""
    db.session().info.setdefault(PENDING, []).extend(rows)
    if not is_writing():
        _write_pending()


def _write_pending() -> None:
    """Write the jobs of a transaction in one statement."""
    rows: list[dict[str, Any]] = db.session().info.pop(PENDING, [])
    if rows:
        db.session.execute(insert_new(Job), rows)


def _mark() -> Callable[[], None]:
    """Remember how many jobs are pending, so that a failed savepoint takes its own back."""
    info = db.session().info
    length = len(info.get(PENDING, []))

    def undo() -> None:
        del info.setdefault(PENDING, [])[length:]

    return undo


before_commit(_write_pending)
on_rollback(_mark)


def running_job() -> int | None:
    """Return the id of the job that is being done here, or ``None`` outside of any."""
    running = _running.get()
    return running.job_id if running else None


def progress(done: int, total: int | None = None) -> None:
    """Say how far the job under way is, which also keeps its lease; nothing outside of a job.

    May be called as often as is convenient, but tells nobody from within a transaction, whose
    rows it would wait for.

    Raises:
        CancelledError: Somebody asked the job to stop, or another worker has taken it over.
    """
    running = _running.get()
    if running is None or is_writing():
        return
    tick = time.monotonic()
    is_last = done == total
    if running.written is not None and tick - running.written < PROGRESS_SECONDS and not is_last:
        return
    running.written = tick
    with apart() as session:
        kept = session.scalar(
            update(Job)
            .where(
                Job.id == running.job_id,
                Job.state == JobState.RUNNING,
                Job.cancel_asked.is_(False),
            )
            .values(
                progress_done=done,
                progress_total=total,
                lease_until=running.instant() + LEASE,
            )
            .returning(Job.id)
        )
    if kept is None:
        raise CancelledError


def run_next(now: datetime) -> bool:
    """Take the next due job under a lease and run it; return whether there was one."""
    taken = _take(now)
    if taken is None:
        return False
    job_id, kind, payload, attempts = taken
    running = _Running(job_id, now, time.monotonic())
    token = _running.set(running)
    try:
        # Outside a transaction: a slow mail server must not hold locks. A handler that changes
        # rows opens its own and can be repeated, since a kill may fall before the next line.
        _kinds[kind].handler(payload, now)
        _away.pop(kind, None)
        end: Callable[[datetime], None] = partial(_finish, job_id, JobState.DONE)
    except CancelledError:
        end = partial(_finish, job_id, JobState.CANCELLED)
    except GiveUpError as error:
        end = partial(_give_up, job_id, kind, str(error))
    except AwayError as error:
        _log.warning("target away", job=job_id, kind=kind, error=str(error))
        _pause(kind, running.instant())
        end = partial(_put_back, job_id, str(error))
    except Exception as error:  # noqa: BLE001 - whatever a job raises is its reason, not ours
        _log.warning("job failed", job=job_id, kind=kind, error=str(error))
        end = partial(_retry, job_id, kind, attempts, f"{type(error).__name__}: {error}")
    finally:
        _running.reset(token)
    _end(job_id, attempts, end, running.instant())
    return True


def _end(job_id: int, attempts: int, end: Callable[[datetime], None], now: datetime) -> None:
    """End a job or put it back, unless another worker has taken it over since."""
    own = select(Job.id).where(
        Job.id == job_id, Job.state == JobState.RUNNING, Job.attempts == attempts
    )
    with reaching(EVERY_ROW), transaction():
        if db.session.scalar(lock(own)) is not None:
            end(now)


def _take(now: datetime) -> tuple[int, str, dict[str, Any], int] | None:
    due = (
        select(Job)
        .where(
            Job.state.in_([JobState.WAITING, JobState.RUNNING]),
            Job.run_at <= now,
            or_(Job.lease_until.is_(None), Job.lease_until < now),
        )
        .order_by(Job.run_at, Job.id)
        .limit(1)
    )
    if away := sorted(kind for kind, pause in _away.items() if pause.until > now):
        due = due.where(Job.kind.not_in(away))
    with reaching(EVERY_ROW), transaction():  # who is told of a failure may belong to any account
        job = db.session.scalar(due.with_for_update(skip_locked=True))
        while job is not None and (job.cancel_asked or _is_spent(job.kind, job.attempts)):
            # A failure is counted when it is caught; who dies can't report it, so it ends here.
            _end_abandoned(job, now)
            job = db.session.scalar(due.with_for_update(skip_locked=True))
        if job is None:
            return None
        job.state = JobState.RUNNING
        job.lease_until = now + LEASE
        job.attempts += 1
        return job.id, job.kind, job.payload, job.attempts


def _end_abandoned(job: Job, now: datetime) -> None:
    if job.cancel_asked:
        _finish(job.id, JobState.CANCELLED, now)
    else:
        _give_up(job.id, job.kind, WORKER_DIED, now)


def _is_spent(kind: str, attempts: int) -> bool:
    known = _kinds.get(kind)
    return attempts >= (known.most_attempts if known else MOST_ATTEMPTS)


def _give_up(job_id: int, kind: str, error: str, now: datetime) -> None:
    _finish(job_id, JobState.FAILED, now, error)
    known = _kinds.get(kind)
    if known is None or known.failed is None:
        return
    try:
        with transaction():
            known.failed(job_id, now)
    except Exception:  # noqa: BLE001 - whatever the plug raises, the job has ended
        # Else the worker would come back to this job for ever, and to no other.
        _log.exception("nobody was told of a failure", job=job_id, kind=kind)


def _finish(job_id: int, state: JobState, now: datetime, error: str | None = None) -> None:
    db.session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(state=state, finished_at=now, lease_until=None, error=error)
    )


def _retry(job_id: int, kind: str, attempts: int, error: str, now: datetime) -> None:
    if _is_spent(kind, attempts):
        _give_up(job_id, kind, error, now)
        return
    pause = timedelta(seconds=min(2**attempts, 3600))
    db.session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(state=JobState.WAITING, lease_until=None, run_at=now + pause, error=error)
    )


def _put_back(job_id: int, error: str, _now: datetime) -> None:
    """Leave a job in its place, as if it had not been tried."""
    db.session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(state=JobState.WAITING, lease_until=None, attempts=Job.attempts - 1, error=error)
    )


def _pause(kind: str, now: datetime) -> None:
    """Let a kind of job wait for its target, twice as long as the last time."""
    before = _away.get(kind)
    seconds = min(before.seconds * 2, MOST_AWAY_SECONDS) if before else AWAY_SECONDS
    _away[kind] = _Away(now + timedelta(seconds=seconds), seconds)


def forget_pauses() -> None:
    """Try every kind of job again at once, as a worker does that has just been started."""
    _away.clear()
