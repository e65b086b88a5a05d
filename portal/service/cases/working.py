"""What agents do with a case among themselves: take, assign, hand over, assess, merge."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError, NotFoundError
from portal.policy import Actor
from portal.service.cases import queries, teams
from portal.service.cases.actions import must_work
from portal.service.cases.models import Case
from portal.service.cases.people import find_member_names
from portal.service.cases.recording import note_step, tell_customer, tell_service
from portal.service.cases.references import find_reference
from portal.service.cases.rules import (
    CaseKind,
    Cause,
    ComplaintCategory,
    Move,
    Priority,
    Severity,
)


class TakenError(ConflictError):
    """Somebody else works on the case already."""

    message = N_("{name} has already taken case {number}. Assign it to yourself if that is agreed.")


class NotAnAgentError(InvalidError):
    """Only members of the service work on cases."""

    message = N_("Choose somebody of the service.")
    field = "assignee"


class ChangedMeanwhileError(ConflictError):
    """Somebody changed the case since the form was opened."""

    message = N_(
        "Case {number} changed while you were working on it. Look at it again and repeat your "
        "change if it still fits."
    )


class MergeError(InvalidError):
    """Two cases that can't become one."""

    message = N_("Case {number} can only be merged into another live case of the same account.")
    field = "target"


class NoComplaintError(ConflictError):
    """What is no complaint has nothing to assess."""

    message = N_("Case {number} is not a complaint. Change its kind first.")


def take_case(actor: Actor, number: str, *, now: datetime) -> Case:
    """Take a case that nobody works on.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By the case.
        TakenError: Somebody else was faster.
    """
    with transaction():
        case = _locked(actor, number, Move.ASSIGN)
        if case.assignee_id == actor.membership_id:
            return case
        if case.assignee_id is not None:
            name = find_member_names([case.assignee_id]).get(case.assignee_id, "")
            raise TakenError(name=name, number=number)
        _give(actor, case, actor.membership_id, now)
    return case


def assign_case(actor: Actor, number: str, assignee_id: int | None, *, now: datetime) -> Case:
    """Give a case to an agent, or to nobody; the agent is told.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By the case.
        NotAnAgentError: The membership does not work on cases.
    """
    with transaction():
        case = _locked(actor, number, Move.ASSIGN)
        if assignee_id is not None and assignee_id not in dict(teams.find_agents()):
            raise NotAnAgentError
        if case.assignee_id == assignee_id:
            return case
        _give(actor, case, assignee_id, now)
        if assignee_id is not None and assignee_id != actor.membership_id:
            tell_service(case, "case_assigned", now, who=actor.name)
    return case


def _give(actor: Actor, case: Case, assignee_id: int | None, now: datetime) -> None:
    case.status = Move.ASSIGN.apply(case.status, actor, case.number)
    case.assignee_id = assignee_id
    note_step(actor, case, Move.ASSIGN.verb, now, assignee_id=assignee_id)


def transfer_case(actor: Actor, number: str, team_code: str, *, now: datetime) -> Case:
    """Hand a case to another team, which is told; nobody works on it until somebody takes it.

    Raises:
        CaseNotFoundError, TeamNotFoundError, NotAllowedError, IllegalMoveError.
    """
    with transaction():
        case = _locked(actor, number, Move.TRANSFER)
        team = teams.get_team(team_code)
        if case.team_id == team.id:
            return case
        case.status = Move.TRANSFER.apply(case.status, actor, case.number)
        before, case.team_id, case.assignee_id = case.team_id, team.id, None
        note_step(actor, case, Move.TRANSFER.verb, now, from_team_id=before, team_id=team.id)
        tell_service(case, "case_transferred", now, who=actor.name)
        db.session.expire(case, ["team"])
    return queries.get_case(actor, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an agent may correct; ``about`` as in `NewCase`, empty for no reference."""

    kind: CaseKind
    priority: Priority
    about: str = ""


def change_case(actor: Actor, number: str, version: int, facts: Facts, *, now: datetime) -> Case:
    """Correct kind, priority and what a case is about.

    Args:
        version: That of the page on which the change was made.

    Raises:
        CaseNotFoundError, NotAllowedError: By the case.
        ChangedMeanwhileError: It changed since.
        UnknownReferenceError: Nothing is named so.
    """
    with transaction():
        case = _locked(actor, number, Move.CHANGE, version)
        before = (case.kind, case.priority)
        reference = find_reference(actor, case.account_id, facts.about)
        case.kind, case.priority = facts.kind, facts.priority
        for name, value in reference.values.items():
            setattr(case, name, value)
        note_step(
            actor,
            case,
            Move.CHANGE.verb,
            now,
            case_kind=case.kind.value,
            old_kind=before[0].value,
            old_priority=before[1].value,
            asset_id=case.asset_id,
            order_id=case.order_id,
            product_id=case.product_id,
        )
        db.session.expire(case, ["asset", "order", "product"])
    return queries.get_case(actor, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the service finds about a complaint; ``follow_up_on`` is when somebody looks again."""

    category: ComplaintCategory
    severity: Severity
    cause: Cause
    measure: str = ""
    follow_up_on: date | None = None


def assess_complaint(
    actor: Actor, number: str, version: int, found: Assessment, *, now: datetime
) -> Case:
    """Note category, severity, cause and measure of a complaint, and when to follow it up.

    Raises:
        CaseNotFoundError, NotAllowedError: By the case.
        NoComplaintError: It is none.
        ChangedMeanwhileError: It changed since the form was opened.
    """
    with transaction():
        case = _locked(actor, number, Move.ASSESS, version)
        if case.kind is not CaseKind.COMPLAINT:
            raise NoComplaintError(number=number)
        case.complaint_category, case.severity = found.category, found.severity
        case.cause, case.measure = found.cause, found.measure.strip()
        if case.follow_up_on != found.follow_up_on:
            case.follow_up_on, case.followed_up_at = found.follow_up_on, None
        note_step(
            actor,
            case,
            Move.ASSESS.verb,
            now,
            category=found.category.value,
            severity=found.severity.value,
            cause=found.cause.value,
            follow_up_on=found.follow_up_on.isoformat() if found.follow_up_on else None,
        )
    return case


def follow_up(actor: Actor, number: str, *, now: datetime) -> Case:
    """Note that a complaint was followed up; doing it twice notes it once.

    Raises:
        CaseNotFoundError, NotAllowedError: By the case.
        NoComplaintError: Nothing is to be followed up.
    """
    with transaction():
        case = _locked(actor, number, Move.FOLLOW_UP)
        if case.follow_up_on is None:
            raise NoComplaintError(number=number)
        if case.followed_up_at is None:
            case.followed_up_at = now
            note_step(actor, case, Move.FOLLOW_UP.verb, now)
    return case


def merge_case(actor: Actor, number: str, into: str, *, now: datetime) -> Case:
    """Merge a case into another one of the same account, where its messages are read from now on.

    Returns:
        The case that goes on.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By either case.
        MergeError: The other is the same, of another account, or over.
    """
    with transaction():
        pair = _pair(actor, number, into.strip().upper())
        case, target = pair[number], pair.get(into.strip().upper())
        if target is None or target.id == case.id or target.account_id != case.account_id:
            raise MergeError(number=number)
        if target.status not in Move.MERGE.sources:
            raise MergeError(number=number)
        case.status = Move.MERGE.apply(case.status, actor, case.number)
        case.merged_into_id, case.closed_at = target.id, now
        note_step(actor, case, Move.MERGE.verb, now, into_id=target.id)
        note_step(actor, target, "case.absorbed", now, from_id=case.id)
        tell_customer(case, "case_merged", now, text=target.number, who=actor.name)
    return target


def _pair(actor: Actor, *numbers: str) -> dict[str, Case]:
    """Lock both cases in the order of their ids, so that no two merges wait in a ring."""
    ids: dict[int, str] = {}
    for number in numbers:
        try:
            ids[queries.get_case(actor, number).id] = number
        except NotFoundError:
            if number == numbers[0]:
                raise
    found = {
        number: queries.get_case(actor, number, for_update=True)
        for _, number in sorted(ids.items())
    }
    for case in found.values():
        must_work(actor, case, Move.MERGE)
    return found


def _locked(actor: Actor, number: str, move: Move, version: int | None = None) -> Case:
    case = queries.get_case(actor, number, for_update=True)
    must_work(actor, case, move)
    move.apply(case.status, actor, case.number)
    if version is not None and case.version != version:
        raise ChangedMeanwhileError(number=number)
    return case
