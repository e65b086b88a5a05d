"""A step whose people left: somebody is named instead, or the next in charge answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from portal.approvals import queries
from portal.approvals.models import ApprovalRun, ApprovalStep, StepApprover
from portal.approvals.people import Member, People
from portal.approvals.population import load_people
from portal.approvals.route import superiors_of
from portal.approvals.running import advance, lock_subject, progress_of, record_run
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.policy import Actor, Permission
from portal.web.formats import money


class StepNotLeftError(ConflictError):
    """The step can still be finished by the people it names."""

    message = N_("The people whom this step names can still finish it.")


class CannotApproveError(InvalidError):
    """The person named instead may not approve this."""

    message = N_(
        "{email} can’t be named: not active here, one of the requesters, or named already."
    )
    field = "email"


class CannotSignError(InvalidError):
    """Everybody has answered; what is missing is somebody who may sign."""

    message = N_("{email} may not sign for {total}. Name somebody whose signing limit covers it.")
    field = "email"


class NobodyLeftError(ConflictError):
    """No superior and no site administrator may answer instead."""

    message = N_("There is nobody in charge above the people who left. Name somebody.")


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A step with fewer people left than it still needs.

    ``needs_signature`` says that all have answered and nobody of them may sign for the total.
    """

    step: ApprovalStep
    left: tuple[StepApprover, ...]
    needed: int
    needs_signature: bool = False


def find_vacancies(run: ApprovalRun, people: People) -> tuple[Vacancy, ...]:
    """Return the steps of a loaded run that nobody could finish any more."""
    if not run.is_open:
        return ()
    if progress_of(run).is_stuck:
        return (Vacancy(run.steps[-1], (), 1, needs_signature=True),)
    return tuple(
        vacancy
        for step in run.steps
        if step.opened_at is not None and step.finished_at is None
        if (vacancy := _vacancy(step, run, people)) is not None
    )


def _vacancy(step: ApprovalStep, run: ApprovalRun, people: People) -> Vacancy | None:
    decided = {item.person_id for item in run.decisions}
    left = tuple(
        item
        for item in step.approvers
        if item.person_id not in decided and not _is_active(people.get(item.membership_id))
    )
    able = len(step.approvers) - len(left)
    unsigned = run.signing_required and not _can_be_signed(step.level, run, left)
    is_last = step.level == max(each.level for each in run.steps)
    missing = step.quorum - able
    if missing <= 0 and not (unsigned and is_last and any(item.signs for item in left)):
        return None
    return Vacancy(step, left, max(missing, 1))


def _can_be_signed(level: int, run: ApprovalRun, left: Sequence[StepApprover]) -> bool:
    """Whether somebody of a level has signed, or was named for it and has yet to answer."""
    answered = {item.person_id for item in run.decisions}
    signed = {item.person_id for item in run.decisions if item.signs}
    return any(
        item.signs
        and item not in left
        and (item.person_id in signed or item.person_id not in answered)
        for step in run.steps
        if step.level == level
        for item in step.approvers
    )


def _is_active(member: Member | None) -> bool:
    return member is not None and member.is_active


def reassign_step(
    actor: Actor, run_id: int, step_id: int, email: str, now: datetime
) -> ApprovalRun:
    """Name somebody instead of the people who left a step.

    Args:
        email: Of an active member who is no requester; empty asks the next in charge (rule 3).

    Raises:
        RunNotFoundError, NotAllowedError: Not within the actor's reach.
        StepNotLeftError: The step can be finished as it is.
        CannotApproveError, NobodyLeftError: There is nobody to name.
    """
    actor.must(Permission.POLICY_SAVE)
    seen = queries.get_run(actor, run_id)
    actor.must_reach(Permission.POLICY_SAVE, account_id=seen.account_id)
    with transaction():
        lock_subject(actor, run_id)
        run = queries.get_run(actor, run_id, lock_it=True)
        people = load_people(run.account_id)
        vacancy = next(
            (item for item in find_vacancies(run, people) if item.step.id == step_id), None
        )
        if vacancy is None:
            raise StepNotLeftError
        if vacancy.needs_signature and not email.strip():
            return _ask_for_signature(run, actor, now)
        named = _named(email, run, vacancy, people)
        _replace(run, vacancy, named)
        record_run(
            actor,
            "approval.step-reassigned",
            run,
            now,
            level=vacancy.step.level,
            left=sorted(item.membership_id for item in vacancy.left),
            named=sorted(member.membership_id for member in named),
        )
        return advance(queries.load_run(run.id), actor, now)


def _ask_for_signature(run: ApprovalRun, actor: Actor, now: datetime) -> ApprovalRun:
    """Ask whoever may sign by the limits of today, which may have been put right."""
    run = advance(run, actor, now)
    if progress_of(run).is_stuck:
        raise NobodyLeftError
    return run


def _named(email: str, run: ApprovalRun, vacancy: Vacancy, people: People) -> tuple[Member, ...]:
    requesters = frozenset(run.requester_person_ids)
    barred = requesters | {item.person_id for item in vacancy.step.approvers}
    if email.strip():
        found = people.persons([email], run.unit_id)
        if not found or found[0].person_id in barred:
            raise CannotApproveError(email=email.strip())
        if vacancy.needs_signature and not found[0].covers(run.total):
            raise CannotSignError(email=email.strip(), total=money(run.total, run.currency))
        return found
    taken = [member for item in vacancy.left if (member := people.get(item.membership_id))]
    found = superiors_of(taken, people, requesters)
    fresh = tuple(member for member in found if member.person_id not in barred)
    if not fresh:
        raise NobodyLeftError
    return fresh


def _replace(run: ApprovalRun, vacancy: Vacancy, named: tuple[Member, ...]) -> None:
    """Take those out who left and put the others in their place, in the same step."""
    db.session.execute(
        delete(StepApprover).where(StepApprover.id.in_([item.id for item in vacancy.left]))
    )
    db.session.add_all(
        StepApprover(
            account_id=run.account_id,
            run_id=run.id,
            step_id=vacancy.step.id,
            membership_id=member.membership_id,
            person_id=member.person_id,
            signs=member.covers(run.total),
        )
        for member in named
    )
    # A step of which everybody left needs one approval of whoever answers instead (rule 3);
    # otherwise its number stays, as far as there are people for it.
    stay = len(vacancy.step.approvers) - len(vacancy.left)
    vacancy.step.quorum = min(vacancy.step.quorum, stay + len(named)) if stay else 1
    db.session.flush()
