"""Reading runs whole for pages: nothing is locked, and everybody comes with their name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.orm import aliased, defer
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Membership, Person
from portal.approvals.models import (
    ApprovalRun,
    ApprovalStep,
    Decision,
    StepApprover,
)
from portal.approvals.queries import RunNotFoundError, visible_to
from portal.db import KEPT, db
from portal.policy import Actor

_ASKER: Final = aliased(Membership)
_ASKING: Final = aliased(Person)


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run with its steps, their people and decisions; ``names`` are by membership."""

    run: ApprovalRun
    names: Mapping[int, str]


def find_whole_run(kind: str, subject_id: int) -> WholeRun | None:
    """Return the run of a subject in one statement; who may see the subject may see its run.

    What the run keeps of its subject is left out: it is as long as the subject, and would come
    with every approver.
    """
    rows = db.session.execute(_of_subject(), {"kind": kind, "subject": subject_id}).all()
    return _whole(rows[0][0], rows[0][1], (row[2:] for row in rows)) if rows else None


def get_whole_run(actor: Actor, run_id: int) -> WholeRun:
    """Return one run with all that it keeps.

    Raises:
        RunNotFoundError: No such run within the actor's reach.
    """
    statement = visible_to(actor).where(ApprovalRun.id == run_id).add_columns(_requester_name())
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise RunNotFoundError
    run, requester = found
    return _whole(run, requester, db.session.execute(_of_run(), {"run": run_id}).all())


def _requester_name() -> Any:  # noqa: ANN401 - a column
    return (
        select(_ASKING.name)
        .join(_ASKER, _ASKER.person_id == _ASKING.id)
        .where(_ASKER.id == ApprovalRun.requester_id)
        .scalar_subquery()
    )


@cache
def _of_subject() -> Select[*tuple[Any, ...]]:
    statement = select(ApprovalRun, _requester_name(), ApprovalStep, *_NAMED)
    return (
        _with_people(statement.outerjoin(ApprovalStep, ApprovalStep.run_id == ApprovalRun.id))
        .where(
            ApprovalRun.kind == bindparam("kind"), ApprovalRun.subject_id == bindparam("subject")
        )
        .options(
            defer(ApprovalRun.summary, raiseload=True), defer(ApprovalRun.route, raiseload=True)
        )
    )


@cache
def _of_run() -> Select[*tuple[Any, ...]]:
    statement = select(ApprovalStep, *_NAMED)
    return _with_people(statement).where(ApprovalStep.run_id == bindparam("run"))


_NAMED: Final = (StepApprover, Person.name, Decision)


def _with_people(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Add to steps everybody they name and the one decision of each of these."""
    return (
        statement.outerjoin(StepApprover, StepApprover.step_id == ApprovalStep.id)
        .outerjoin(Person, Person.id == StepApprover.person_id)
        .outerjoin(
            Decision,
            and_(
                Decision.step_id == StepApprover.step_id,
                Decision.person_id == StepApprover.person_id,
            ),
        )
        .order_by(ApprovalStep.position, StepApprover.id)
        .prefix_with(KEPT, dialect="postgresql")
        .execution_options(populate_existing=True)
    )


def _whole(run: ApprovalRun, requester: str | None, rows: Iterable[Any]) -> WholeRun:
    names = {run.requester_id: requester or ""}
    steps: dict[int, ApprovalStep] = {}
    people: dict[int, list[StepApprover]] = {}
    decisions: list[Decision] = []
    for step, approver, name, decision in rows:
        if step is None:
            continue
        steps[step.id] = step
        named = people.setdefault(step.id, [])
        if approver is not None:
            named.append(approver)
            names[approver.membership_id] = name or ""
        if decision is not None:
            decisions.append(decision)
    for key, step in steps.items():
        set_committed_value(step, "approvers", people[key])
    set_committed_value(run, "steps", list(steps.values()))
    set_committed_value(run, "decisions", sorted(decisions, key=lambda item: item.id))
    return WholeRun(run, names)
