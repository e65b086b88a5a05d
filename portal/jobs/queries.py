"""Reading jobs: those of one member, and everything the worker does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager

from portal.db import db, lock
from portal.errors import N_, NotFoundError
from portal.jobs.models import Job, JobRequest
from portal.jobs.rules import JobState
from portal.policy import Actor, P


class JobNotFoundError(NotFoundError):
    """No such job of this member."""

    message = N_("There is no job {number} that you can see.")


@unique
class JobTab(StrEnum):
    """The views of the list of all jobs."""

    UNFINISHED = "unfinished"
    FAILED = "failed"
    ENDED = "ended"
    ALL = "all"

    @property
    def states(self) -> frozenset[JobState]:
        """The states that the view shows."""
        return _STATES[self]


_STATES: Mapping[JobTab, frozenset[JobState]] = {
    JobTab.UNFINISHED: frozenset({JobState.WAITING, JobState.RUNNING}),
    JobTab.FAILED: frozenset({JobState.FAILED}),
    JobTab.ENDED: frozenset({JobState.DONE, JobState.CANCELLED}),
    JobTab.ALL: frozenset(JobState),
}


def own(actor: Actor) -> Select[JobRequest]:
    """Return what the actor asked for with this membership; nobody else sees it."""
    return (
        select(JobRequest)
        .join(Job, Job.id == JobRequest.job_id)
        .options(contains_eager(JobRequest.job))
        .where(
            JobRequest.account_id == actor.account_id,
            JobRequest.membership_id == actor.membership_id,
        )
    )


def find_own(actor: Actor, *, limit: int, offset: int = 0) -> Sequence[JobRequest]:
    """Return a page of the actor's jobs, the newest first."""
    statement = own(actor).order_by(JobRequest.id.desc()).limit(limit).offset(offset)
    return db.session.scalars(statement).all()


def count_own(actor: Actor) -> int:
    """Return how many jobs the actor has asked for."""
    return db.session.scalar(select(func.count()).select_from(own(actor).subquery())) or 0


def count_unfinished(actor: Actor) -> int:
    """Return how many of the actor's jobs have not ended."""
    statement = own(actor).where(Job.state.in_(JobTab.UNFINISHED.states))
    return db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0


def get_own(actor: Actor, job_id: int, *, is_locked: bool = False) -> JobRequest:
    """Return one of the actor's jobs.

    Raises:
        JobNotFoundError: None, or not the actor's.
    """
    statement = own(actor).where(JobRequest.job_id == job_id)
    found = db.session.scalar(lock(statement) if is_locked else statement)
    if found is None:
        raise JobNotFoundError(number=job_id)
    return found


def find_same(
    actor: Actor, kind: str, address: str, unique_key: str | None = None
) -> JobRequest | None:
    """Return the actor's job with this key, or of this kind and address that has not ended."""
    is_under_way = and_(
        Job.kind == kind,
        JobRequest.address == address,
        Job.state.in_(JobTab.UNFINISHED.states),
    )
    return db.session.scalar(
        own(actor)
        .where(or_(is_under_way, Job.unique_key == unique_key) if unique_key else is_under_way)
        .order_by(JobRequest.id)
        .limit(1)
    )


def get_request(job_id: int) -> JobRequest:
    """Return what was asked of a job; for the worker, which sees every row."""
    return db.session.scalars(select(JobRequest).where(JobRequest.job_id == job_id)).one()


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in the list of all of them; ``title`` is empty for the portal's own work.

    ``about`` is the number of the document that it is about, where the page names one.
    """

    job: Job
    title: str
    account_id: int | None
    membership_id: int | None
    about: str = ""

    @property
    def is_own_work(self) -> bool:
        """Whether nobody asked for it: the portal does it by itself."""
        return self.membership_id is None


def _all(actor: Actor, tab: JobTab, kind: str) -> Select[Job, str | None, int | None, int | None]:
    actor.must(P.JOB_READ)
    statement = (
        select(Job, JobRequest.title, JobRequest.account_id, JobRequest.membership_id)
        .outerjoin(JobRequest, JobRequest.job_id == Job.id)
        .where(Job.state.in_(tab.states))
    )
    return statement.where(Job.kind == kind) if kind else statement


def find_all(
    actor: Actor, tab: JobTab, kind: str = "", *, limit: int | None = None, offset: int = 0
) -> Sequence[JobRow]:
    """Return jobs of everybody and of the portal itself, the newest first.

    Raises:
        NotAllowedError: The actor does not read jobs.
    """
    statement = _all(actor, tab, kind).order_by(Job.id.desc()).offset(offset)
    if limit is not None:
        statement = statement.limit(limit)
    return [
        JobRow(job, title or "", account_id, membership_id)
        for job, title, account_id, membership_id in db.session.execute(statement)
    ]


def count_by_tab(actor: Actor, kind: str = "") -> Mapping[JobTab, int]:
    """Return how many jobs each view of the list holds."""
    actor.must(P.JOB_READ)
    statement = select(Job.state, func.count()).group_by(Job.state)
    rows = db.session.execute(statement.where(Job.kind == kind) if kind else statement).all()
    return {tab: sum(count for state, count in rows if state in tab.states) for tab in JobTab}


def find_kinds(actor: Actor) -> Sequence[str]:
    """Return the kinds of jobs there are, by name."""
    actor.must(P.JOB_READ)
    return db.session.scalars(select(Job.kind).distinct().order_by(Job.kind)).all()


def oldest_due(actor: Actor, now: datetime) -> datetime | None:
    """Return since when the oldest job waits that could have been done, or ``None``."""
    actor.must(P.JOB_READ)
    return db.session.scalar(
        select(func.min(Job.run_at)).where(
            Job.state == JobState.WAITING,
            Job.run_at <= now,
            or_(Job.lease_until.is_(None), Job.lease_until < now),
        )
    )


def get_any(actor: Actor, job_id: int) -> JobRow:
    """Return any job.

    Raises:
        NotAllowedError: The actor does not read jobs.
        JobNotFoundError: There is none.
    """
    found = db.session.execute(_all(actor, JobTab.ALL, "").where(Job.id == job_id)).one_or_none()
    if found is None:
        raise JobNotFoundError(number=job_id)
    job, title, account_id, membership_id = found
    return JobRow(job, title or "", account_id, membership_id)


def lock_job(job_id: int) -> Job | None:
    """Return a job and lock it."""
    return db.session.scalar(lock(select(Job).where(Job.id == job_id)))


def is_file_needed(digest: str, now: datetime) -> bool:
    """Whether a request whose time is not over still has a file of this content."""
    found = db.session.scalar(
        select(JobRequest.id)
        .where(JobRequest.file_hash == digest, JobRequest.expires_at > now)
        .limit(1)
    )
    return found is not None


def find_expired(now: datetime, limit: int = 500) -> Sequence[JobRequest]:
    """Return requests whose file's time is over."""
    return db.session.scalars(
        select(JobRequest)
        .where(JobRequest.file_hash.is_not(None), JobRequest.expires_at <= now)
        .order_by(JobRequest.id)
        .limit(limit)
    ).all()
