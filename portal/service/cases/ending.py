"""How a case ends: closed by either side or by itself, opened again, rated."""

from datetime import datetime

from portal.db import EVERY_ROW, reaching, transaction
from portal.errors import N_, ConflictError
from portal.policy import Actor, Permission
from portal.service.cases import queries
from portal.service.cases.actions import must_work, reopen
from portal.service.cases.models import Case
from portal.service.cases.recording import note_step, tell_customer, tell_service
from portal.service.cases.rules import CLOSES_AFTER, CaseStatus, Move, check_stars


class RatedError(ConflictError):
    """A case is rated once."""

    message = N_("Case {number} is already rated.")


def close_case(actor: Actor, number: str, *, now: datetime) -> Case:
    """Close a case; the other side is told.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By the case.
    """
    with transaction():
        case = _locked(actor, number, Move.CLOSE)
        _close(actor, case, now)
        if actor.can(Permission.CASE_WORK):
            tell_customer(case, "case_closed", now, who=actor.name)
        else:
            tell_service(case, "case_closed_by_customer", now, who=actor.name)
    return case


def reopen_case(actor: Actor, number: str, *, now: datetime) -> Case:
    """Open a resolved or closed case again; the other side is told.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By the case.
    """
    with transaction():
        case = _locked(actor, number, Move.REOPEN)
        reopen(actor, case, now)
        if actor.can(Permission.CASE_WORK):
            tell_customer(case, "case_reopened", now, who=actor.name)
        else:
            tell_service(case, "case_reopened", now, who=actor.name)
    return case


def rate_case(actor: Actor, number: str, stars: int, text: str, *, now: datetime) -> Case:
    """Rate a case that is over, once; the agent is told.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By the case.
        StarsError: Not 1 to 5.
        RatedError: It has its rating.
    """
    check_stars(stars)
    with transaction():
        case = _locked(actor, number, Move.RATE)
        if case.rated_at is not None:
            raise RatedError(number=number)
        case.stars, case.rating_text, case.rated_at = stars, text.strip(), now
        note_step(actor, case, Move.RATE.verb, now, stars=stars)
        tell_service(case, "case_rated", now, text=f"{stars}/5 {case.rating_text}".strip())
    return case


def close_resolved(now: datetime) -> int:
    """Close what has been resolved for a week and nobody came back to; return how many."""
    with reaching(EVERY_ROW):
        due = queries.find_due_to_close(now - CLOSES_AFTER)
        return sum(_close_one(case_id, now) for case_id in due)


def _close_one(case_id: int, now: datetime) -> bool:
    with transaction():
        case = queries.get_by_id(case_id, for_update=True)
        since = case.resolved_at
        if case.status is not CaseStatus.RESOLVED or since is None or since > now - CLOSES_AFTER:
            return False
        _close(None, case, now)
    return True


def _close(actor: Actor | None, case: Case, now: datetime) -> None:
    case.status = Move.CLOSE.target or case.status
    case.closed_at = now
    case.resolved_at = case.resolved_at or now
    note_step(actor, case, Move.CLOSE.verb, now)


def _locked(actor: Actor, number: str, move: Move) -> Case:
    case = queries.get_case(actor, number, for_update=True)
    must_work(actor, case, move)
    move.apply(case.status, actor, case.number)
    return case
