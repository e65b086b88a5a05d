"""Reading runs whole for pages: nothing is locked, and everybody comes with their name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased, defer

from portal.accounts.models import Membership, Person
from portal.approvals.models import (
    ApprovalRun,
    ApprovalStep,
    Decision,
    StepApprover,
)
from portal.approvals.queries import (
    RunNotFoundError,
    put_together,
    visible_to,
    with_everybody,
)
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
    return _whole(rows[0][0], rows[0][1], [row[2:] for row in rows]) if rows else None


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


_NAMED: Final = (StepApprover, Decision, Person.name)


def _with_people(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        with_everybody(statement)
        .outerjoin(Person, Person.id == StepApprover.person_id)
        .prefix_with(KEPT, dialect="postgresql")
    )


def _whole(run: ApprovalRun, requester: str | None, rows: Sequence[Any]) -> WholeRun:
    names = {
        approver.membership_id: name or ""
        for _step, approver, _decision, name in rows
        if approver is not None
    }
    put_together(run, (row[:3] for row in rows))
    return WholeRun(run, {run.requester_id: requester or ""} | names)
