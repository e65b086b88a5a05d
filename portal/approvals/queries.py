"""Reading runs: who sees which, the inbox, the proof of an approval."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Membership, Person
from portal.approvals.models import (
    ApprovalLink,
    ApprovalRun,
    ApprovalStep,
    Decision,
    StepApprover,
)
from portal.approvals.rules import RunState
from portal.db import KEPT, db, lock
from portal.errors import N_, NotFoundError
from portal.policy import Actor, Permission
from portal.scope import within

_MOST_ACTORS: Final = 512


class RunNotFoundError(NotFoundError):
    """No such run, or not for this person: both are answered alike."""

    message = N_("There is no such approval, or it does not concern you.")


@unique
class Box(StrEnum):
    """The tabs of the inbox."""

    WAITING = "waiting"
    DECIDED = "decided"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Proof:
    """That exactly this content was approved."""

    content_hash: str
    run_id: int
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One run in a list, with its requester and since when it waits."""

    run: ApprovalRun
    requester: str
    since: datetime


def visible_to(
    actor: Actor, permission: Permission = Permission.APPROVAL_READ
) -> Select[ApprovalRun]:
    """Return the runs that ``actor`` may read: those that name them, and by permission."""
    by_permission = within(
        actor, permission, account=ApprovalRun.account_id, unit=ApprovalRun.unit_id
    )
    named = and_(
        ApprovalRun.account_id == actor.account_id,
        ApprovalRun.id.in_(_named_run_ids(actor)),
    )
    return select(ApprovalRun).where(or_(by_permission, named))


def _named_run_ids(actor: Actor) -> Select[int]:
    return select(StepApprover.run_id).where(
        StepApprover.account_id == actor.account_id,
        StepApprover.membership_id == actor.membership_id,
    )


def named_subject_ids(actor: Actor, kind: str) -> Select[int]:
    """Return the subjects of a kind that this membership may read because a run names it."""
    return select(ApprovalRun.subject_id).where(
        ApprovalRun.kind == kind,
        ApprovalRun.account_id == actor.account_id,
        ApprovalRun.id.in_(_named_run_ids(actor)),
    )


def get_run(actor: Actor, run_id: int, *, lock_it: bool = False) -> ApprovalRun:
    """Return one run with its steps, people and decisions.

    Raises:
        RunNotFoundError: No such run within the actor's reach.
    """
    run = _whole(_one(actor, lock_it=lock_it), {"run": run_id})
    if run is None:
        raise RunNotFoundError
    return run


@lru_cache(maxsize=_MOST_ACTORS)
def _one(actor: Actor, *, lock_it: bool) -> Select[ApprovalRun]:
    statement = visible_to(actor).where(ApprovalRun.id == bindparam("run"))
    statement = statement.prefix_with(KEPT, dialect="postgresql")
    return lock(statement) if lock_it else statement


@lru_cache(maxsize=_MOST_ACTORS)
def subject_of(actor: Actor, kind: str) -> Select[int]:
    """Select the subject of ``run``, for locking it before the run; within the actor's reach."""
    run = ApprovalRun.id == bindparam("run")
    statement = visible_to(actor).where(run, ApprovalRun.kind == kind)
    return statement.with_only_columns(ApprovalRun.subject_id)


def _whole(
    statement: Select[ApprovalRun], asked: Mapping[str, Any] | None = None
) -> ApprovalRun | None:
    """Return a run with its steps, their people and what these decided, in two statements."""
    run = db.session.scalar(statement, asked)
    if run is None:
        return None
    rows = db.session.execute(_steps_statement(), {"run": run.id}).all()
    for _step, approver, _decision, membership in rows:
        if approver is not None:
            set_committed_value(approver, "membership", membership)
    return put_together(run, (row[:3] for row in rows))


def put_together(run: ApprovalRun, rows: Iterable[Any]) -> ApprovalRun:
    """Give a run its steps with their people and decisions.

    Args:
        rows: Step, one whom it names and what they decided, in order; each of them may be missing.
    """
    steps: dict[int, ApprovalStep] = {}
    people: dict[int, list[StepApprover]] = {}
    decisions: list[Decision] = []
    for step, approver, decision in rows:
        if step is None:
            continue
        steps[step.id] = step
        named = people.setdefault(step.id, [])
        if approver is not None:
            named.append(approver)
        if decision is not None:
            decisions.append(decision)
    for key, step in steps.items():
        set_committed_value(step, "approvers", people[key])
    set_committed_value(run, "steps", list(steps.values()))
    set_committed_value(run, "decisions", sorted(decisions, key=lambda item: item.id))
    return run


def with_everybody(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Add to steps everybody they name and the one decision of each of these, in order."""
    return (
        statement.outerjoin(StepApprover, StepApprover.step_id == ApprovalStep.id)
        .outerjoin(
            Decision,
            and_(
                Decision.step_id == StepApprover.step_id,
                Decision.person_id == StepApprover.person_id,
            ),
        )
        .order_by(ApprovalStep.position, StepApprover.id)
        # After a change within one transaction, and after waiting for a lock, rows are read anew.
        .execution_options(populate_existing=True)
    )


@cache
def _steps_statement() -> Select[*tuple[Any, ...]]:
    everybody = with_everybody(select(ApprovalStep, StepApprover, Decision, Membership))
    return (
        everybody.outerjoin(Membership, Membership.id == StepApprover.membership_id)
        .where(ApprovalStep.run_id == bindparam("run"))
        .prefix_with(KEPT, dialect="postgresql")
    )


def load_run(run_id: int) -> ApprovalRun:
    """Return a run with everything, for callers who may see its subject."""
    statement = select(ApprovalRun).where(ApprovalRun.id == run_id)
    run = _whole(statement.execution_options(populate_existing=True))
    if run is None:
        raise RunNotFoundError
    return run


def find_run(kind: str, subject_id: int) -> ApprovalRun | None:
    """Return the run of a subject; who may see the subject may see its run."""
    return db.session.scalar(
        select(ApprovalRun).where(ApprovalRun.kind == kind, ApprovalRun.subject_id == subject_id)
    )


def find_newer(run: ApprovalRun) -> ApprovalRun | None:
    """Return the newest run of a later revision of the same document."""
    return db.session.scalar(
        select(ApprovalRun)
        .where(
            ApprovalRun.account_id == run.account_id,
            ApprovalRun.kind == run.kind,
            ApprovalRun.number == run.number,
            ApprovalRun.revision > run.revision,
        )
        .order_by(ApprovalRun.revision.desc())
        .limit(1)
    )


def find_earlier(run: ApprovalRun) -> ApprovalRun | None:
    """Return the newest run of an earlier revision of the same document, with its decisions."""
    return _whole(
        select(ApprovalRun)
        .where(
            ApprovalRun.account_id == run.account_id,
            ApprovalRun.kind == run.kind,
            ApprovalRun.number == run.number,
            ApprovalRun.revision < run.revision,
        )
        .order_by(ApprovalRun.revision.desc())
        .limit(1)
    )


def find_decisions(run_id: int) -> Sequence[Decision]:
    """Return what was decided in a run, oldest first."""
    return db.session.scalars(
        select(Decision).where(Decision.run_id == run_id).order_by(Decision.id)
    ).all()


def last_comment(kind: str, subject_id: int | BindParameter[int]) -> Select[str]:
    """Select what the latest decision about a subject said; nothing where none was needed."""
    return (
        select(Decision.comment)
        .join(ApprovalRun, ApprovalRun.id == Decision.run_id)
        .where(ApprovalRun.kind == kind, ApprovalRun.subject_id == subject_id)
        .order_by(Decision.id.desc())
        .limit(1)
    )


def find_names(membership_ids: Iterable[int]) -> dict[int, str]:
    """Return membership id -> name of the person."""
    statement = (
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id.in_(sorted(set(membership_ids))))
    )
    return dict(db.session.execute(statement).all())


def get_proof(kind: str, subject_id: int) -> Proof | None:
    """Return the proof that a subject was approved, with the content it was approved for."""
    of_subject = and_(ApprovalRun.kind == kind, ApprovalRun.subject_id == subject_id)
    found = db.session.execute(select(*proof_columns()).where(of_subject)).one_or_none()
    return None if found is None else make_proof(*found)


def proof_columns() -> tuple[Any, ...]:
    """Return what a proof is made of, for a statement that joins the run of a subject."""
    return (ApprovalRun.id, ApprovalRun.state, ApprovalRun.content_hash, ApprovalRun.finished_at)


def make_proof(
    run_id: int | None, state: str | None, content_hash: str | None, finished_at: datetime | None
) -> Proof | None:
    """Return the proof of a row of `proof_columns`: a run that ended as approved, or nothing."""
    if run_id is None or content_hash is None or finished_at is None:
        return None
    return Proof(content_hash, run_id, finished_at) if state == RunState.APPROVED else None


def count_waiting(actor: Actor) -> int:
    """Return how many runs wait for this membership."""
    return db.session.execute(waiting_count(actor)).scalar_one()


def waiting_count(actor: Actor) -> Select[int]:
    """Select how many runs wait for this membership; the frame asks it beside other counts."""
    return select(func.count(func.distinct(StepApprover.run_id))).where(_waits_for(actor))


def _waits_for(actor: Actor) -> ColumnElement[bool]:
    return and_(
        StepApprover.account_id == actor.account_id,
        StepApprover.membership_id == actor.membership_id,
        StepApprover.is_waiting,
    )


def find_inbox(
    actor: Actor, box: Box, *, page: int = 1, size: int = 50
) -> tuple[list[InboxRow], int]:
    """Return one page of a tab and the number of rows of the whole.

    What waits is ordered by how long, the oldest first; the rest newest first.
    """
    base = visible_to(actor)
    asked = (
        select(StepApprover.run_id, func.min(StepApprover.asked_at).label("since"))
        .where(_waits_for(actor))
        .group_by(StepApprover.run_id)
        .subquery()
    )
    if box is Box.WAITING:
        base = base.where(ApprovalRun.id.in_(select(asked.c.run_id)))
    elif box is Box.DECIDED:
        base = base.where(ApprovalRun.id.in_(_decided_run_ids(actor)))
    total = db.session.execute(
        select(func.count()).select_from(base.order_by(None).subquery())
    ).scalar_one()
    statement = (
        base.add_columns(Person.name, asked.c.since)
        .join(Membership, Membership.id == ApprovalRun.requester_id)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(asked, asked.c.run_id == ApprovalRun.id)
        .limit(size)
        .offset((page - 1) * size)
    )
    if box is Box.WAITING:
        statement = statement.order_by(asked.c.since, ApprovalRun.id)
    else:
        statement = statement.order_by(ApprovalRun.id.desc())
    rows = db.session.execute(statement).all()
    return [InboxRow(run, name, since or run.started_at) for run, name, since in rows], total


def _decided_run_ids(actor: Actor) -> Select[int]:
    return select(Decision.run_id).where(
        Decision.account_id == actor.account_id, Decision.membership_id == actor.membership_id
    )


def find_next_waiting(actor: Actor, *, after: int) -> ApprovalRun | None:
    """Return the run that has waited longest for this membership, other than ``after``."""
    statement = (
        select(ApprovalRun)
        .join(StepApprover, StepApprover.run_id == ApprovalRun.id)
        .where(_waits_for(actor), ApprovalRun.id != after)
        .order_by(StepApprover.asked_at, ApprovalRun.id)
        .limit(1)
    )
    return db.session.scalar(statement)


def find_waiting(actor: Actor, run_ids: Iterable[int]) -> Sequence[ApprovalRun]:
    """Return those of some runs that wait for this membership, the oldest first."""
    statement = (
        select(ApprovalRun)
        .where(
            ApprovalRun.id.in_(sorted(set(run_ids))),
            ApprovalRun.id.in_(select(StepApprover.run_id).where(_waits_for(actor))),
        )
        .order_by(ApprovalRun.id)
    )
    return db.session.scalars(statement).all()


def token_hash(token: str) -> str:
    """Return what is stored of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_link(token: str, person_id: int) -> ApprovalLink | None:
    """Return the link of a token, where it is this person's."""
    return db.session.scalar(
        select(ApprovalLink).where(
            ApprovalLink.token_hash == token_hash(token), ApprovalLink.person_id == person_id
        )
    )
