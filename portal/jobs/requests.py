"""Jobs that people ask for, stop and start again, and the files that come of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from portal.db import db, transaction
from portal.errors import N_, ConflictError, NotAllowedError
from portal.events.actions import record
from portal.jobs import queries
from portal.jobs.actions import running_job, schedule
from portal.jobs.models import Job, JobRequest
from portal.jobs.rules import JobState, Move
from portal.policy import Actor, P

KIND: Final = "job"
KEPT_FOR: Final = timedelta(days=7)
MOST_UNFINISHED: Final = 5
"""How much of the worker one member may hold at a time."""


class TooManyJobsError(ConflictError):
    """The member has asked for as much as may be under way at once."""

    message = N_("{count} of your jobs have not ended yet. Wait for them, or cancel one.")


@dataclass(frozen=True, slots=True)
class Result:
    """A file that a job made, already stored under the hash of its content."""

    digest: str
    name: str
    media_type: str
    size: int


def ask_for(  # noqa: PLR0913 - what a request consists of, all named at the call
    actor: Actor,
    kind: str,
    payload: Mapping[str, Any],
    *,
    title: str,
    address: str,
    now: datetime,
    key: str = "",
    is_planned: bool = False,
) -> JobRequest:
    """Ask for a job; the same one asked for again while it is under way is that one.

    Args:
        title: What the member reads on their page of jobs.
        address: The page it is about.
        key: One per form: the same one again is the same job, even after it has ended.
        is_planned: A schedule asks, not a hand: it counts against no limit.

    Raises:
        NotAllowedError: Nobody is there to whom the job could belong.
        TooManyJobsError: Enough of the member's jobs are under way.
    """
    membership_id = actor.membership_id
    if membership_id is None:
        raise NotAllowedError(permission=KIND)
    with transaction():
        unique_key = f"{membership_id}:{kind}:{key}"[:120] if key else None
        known = queries.find_same(actor, kind, address, unique_key)
        if known is not None:
            return known
        if not is_planned and queries.count_unfinished(actor) >= MOST_UNFINISHED:
            raise TooManyJobsError(count=MOST_UNFINISHED)
        request = JobRequest(
            account_id=actor.account_id,
            membership_id=membership_id,
            job_id=schedule(kind, payload, now=now, unique_key=unique_key),
            title=title[:200],
            address=address,
            asked_at=now,
        )
        db.session.add(request)
        db.session.flush()
        _note(
            None if is_planned else actor,
            "job.requested",
            request.job_id,
            request.account_id,
            now,
            kind=kind,
        )
    return request


def keep_result(result: Result, now: datetime) -> JobRequest:
    """Give the job under way its file, in the transaction under way."""
    job_id = running_job()
    if job_id is None:
        message = "only a job has a result"
        raise RuntimeError(message)
    request = queries.get_request(job_id)
    request.file_hash = result.digest
    request.file_name = result.name[:200]
    request.media_type = result.media_type[:120]
    request.file_size = result.size
    request.expires_at = now + KEPT_FOR
    return request


def cancel_own(actor: Actor, job_id: int, now: datetime) -> Job:
    """Stop one of the actor's jobs: at once where it waits, at its next step where it runs.

    Raises:
        JobNotFoundError: Not the actor's.
        IllegalMoveError: It has ended.
    """
    with transaction():
        request = queries.get_own(actor, job_id)
        return _cancel(actor, job_id, request.account_id, now)


def retry_own(actor: Actor, job_id: int, now: datetime) -> Job:
    """Start one of the actor's jobs again that failed or was cancelled.

    Raises:
        JobNotFoundError: Not the actor's.
        IllegalMoveError: It did not fail.
        TooManyJobsError: Enough of the member's jobs are under way.
    """
    with transaction():
        request = queries.get_own(actor, job_id)
        if queries.count_unfinished(actor) >= MOST_UNFINISHED:
            raise TooManyJobsError(count=MOST_UNFINISHED)
        return _retry(actor, job_id, request.account_id, now)


def cancel_any(actor: Actor, job_id: int, now: datetime) -> Job:
    """Stop any job, as `cancel_own` does; for those who look after the portal."""
    actor.must(P.JOB_SAVE)
    with transaction():
        row = queries.get_any(actor, job_id)
        return _cancel(actor, job_id, row.account_id or actor.account_id, now)


def retry_any(actor: Actor, job_id: int, now: datetime) -> Job:
    """Start any job again, as `retry_own` does; for those who look after the portal."""
    actor.must(P.JOB_SAVE)
    with transaction():
        row = queries.get_any(actor, job_id)
        return _retry(actor, job_id, row.account_id or actor.account_id, now)


def _cancel(actor: Actor, job_id: int, account_id: int, now: datetime) -> Job:
    job = _locked(job_id)
    Move.CANCEL.check(job.state, actor, str(job_id))
    if job.cancel_asked:
        return job
    if job.state is JobState.WAITING:
        job.state, job.finished_at, job.lease_until = JobState.CANCELLED, now, None
    job.cancel_asked = True
    _note(actor, "job.cancelled", job_id, account_id, now, kind=job.kind)
    return job


def _retry(actor: Actor, job_id: int, account_id: int, now: datetime) -> Job:
    job = _locked(job_id)
    Move.RETRY.check(job.state, actor, str(job_id))
    job.state, job.run_at, job.attempts, job.error = JobState.WAITING, now, 0, None
    job.lease_until = job.finished_at = job.progress_total = None
    job.cancel_asked, job.progress_done = False, 0
    _note(actor, "job.retried", job_id, account_id, now, kind=job.kind)
    return job


def _locked(job_id: int) -> Job:
    job = queries.lock_job(job_id)
    if job is None:
        raise queries.JobNotFoundError(number=job_id)
    return job


def _note(
    actor: Actor | None, verb: str, job_id: int, account_id: int, now: datetime, *, kind: str
) -> None:
    record(
        actor,
        verb,
        kind=KIND,
        object_id=job_id,
        number=str(job_id),
        account_id=account_id,
        now=now,
        job_kind=kind,
    )
