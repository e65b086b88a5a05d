"""What people do with approvals: start a run, decide, withdraw; the one function that decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.queries import load_actor
from portal.approvals import queries
from portal.approvals.frozen import reason_from
from portal.approvals.models import ApprovalRun, ApprovalStep, Decision
from portal.approvals.people import ADMINISTRATOR
from portal.approvals.population import Judges, load_judges
from portal.approvals.route import make_route
from portal.approvals.rules import Answer, Ask, Cause, Route, RouteOutcome, RunState, Subject
from portal.approvals.running import (
    advance,
    end_run,
    free_people,
    keep_approvals,
    lock_subject,
    on_outcome,
    progress_of,
    record_run,
    write_run,
    write_steps,
)
from portal.approvals.words import missing_sentence
from portal.db import db, joined, lock, transaction
from portal.errors import N_, ConflictError, DomainError, InvalidError, NotAllowedError
from portal.policy import Actor, Permission

__all__ = [
    "Decided",
    "decide",
    "decide_many",
    "expire_run",
    "extend_run",
    "on_outcome",
    "preview_route",
    "start_run",
    "withdraw_run",
]

LONGEST_COMMENT: Final = 2000

_VERBS: Final = {
    Answer.APPROVE: "approval.approved",
    Answer.REJECT: "approval.rejected",
    Answer.REQUEST_CHANGES: "approval.changes-requested",
}


class DeadEndError(ConflictError):
    """Nobody could ever finish the route, so it is not begun; ``route`` says what is missing."""

    message = N_("Nobody can approve this as it is. {missing}")

    def __init__(self, route: Route) -> None:
        gaps = [missing_sentence(gap, route.total, route.currency) for gap in route.missing]
        super().__init__(missing=" ".join(gaps))
        self.route = route


class NotNamedError(NotAllowedError):
    """The person may read the run, and no step names them."""

    message = N_("No step of this approval names you, so you can’t decide here.")


class OwnRequestError(NotAllowedError):
    """Nobody approves their own request."""

    message = N_("You created, changed or submitted {number}: somebody else has to decide.")


class RightsGoneError(NotAllowedError):
    """The person was named for something that they do not hold any more."""

    message = N_("You were named as “{role}” and do not hold that role any more.")


class OutdatedRevisionError(ConflictError):
    """The decision was about content that is not the current one."""

    message = N_(
        "{number} changed: revision {revision} is not current any more. "
        "Look at what changed before you decide."
    )


class RunEndedError(ConflictError):
    """There is nothing left to decide."""

    message = N_("The approval of {number}, revision {revision}, is over: {state}.")


class RunExpiredError(ConflictError):
    """The prices are not held any more."""

    message = N_("{number} expired on {expired}. It can’t be approved any more.")


class NotYourTurnError(ConflictError):
    """Earlier steps are still open, or the person's step is done without them."""

    message = N_("{number} does not wait for you: earlier steps are open, or yours is done.")


class CommentMissingError(InvalidError):
    """A refusal needs its reason."""

    message = N_("Enter a comment: the requester needs to know why.")
    field = "comment"


class CommentTooLongError(InvalidError):
    """The comment is longer than a page."""

    message = N_("A comment has at most {most} characters.")
    field = "comment"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that stands; ``is_repeated`` says that it was given before."""

    run: ApprovalRun
    decision: Decision
    is_repeated: bool


def preview_route(subject: Subject, judges: Judges) -> Route:
    """Return the route that a submission would take by the people and the policy of a moment."""
    people, held = judges
    return make_route(held.policy if held else None, subject.facts, people)


def start_run(
    actor: Actor, subject: Subject, now: datetime, judges: Judges | None = None
) -> ApprovalRun:
    """Begin the pass of a subject through the policy and ask the first approvers.

    A policy of which no rule holds approves by itself: the run returned is approved then. The
    caller has locked the subject and settles it by the run's state; the outcome plug is not called.

    Args:
        judges: Those of the subject's unit, where they are read already under that lock.

    Raises:
        DeadEndError: Nobody could finish the route; nothing was written.
    """
    with joined():
        people, held = judges or load_judges(subject.account_id, subject.unit_id, now)
        route = make_route(held.policy if held else None, subject.facts, people)
        if route.outcome is RouteOutcome.DEAD_END:
            raise DeadEndError(route)
        run = write_run(subject, route, held.id if held else None, now)
        if route.outcome is RouteOutcome.AUTO_APPROVED:
            end_run(run, RunState.APPROVED, now)
            record_run(actor, "approval.not-needed", run, now, content_hash=run.content_hash)
            return run
        if held is not None and held.policy.keep_unchanged and _is_kept_whole(run, now):
            end_run(run, RunState.APPROVED, now)
            record_run(actor, "approval.finished", run, now, content_hash=run.content_hash)
            return run
        requester = people.get(run.requester_id)
        return advance(run, actor, now, requester=requester.name if requester else "")


def _is_kept_whole(run: ApprovalRun, now: datetime) -> bool:
    """Let the approvals of unchanged steps stand; whether nothing more is needed then."""
    earlier = queries.find_earlier(run)
    if earlier is None:
        return False
    write_steps(run)
    run = queries.load_run(run.id)  # compared as it is stored: a tuple comes back as a list
    return keep_approvals(run, earlier, now) > 0 and progress_of(run).outcome is not None


def decide(  # noqa: PLR0913, PLR0917 - who, what, how, why, about which content, when, in which step
    actor: Actor,
    run_id: int,
    answer: Answer,
    comment: str,
    content_hash: str,
    now: datetime,
    step_id: int | None = None,
) -> Decided:
    """Give one person's answer to the step that waits for them.

    Args:
        content_hash: Of the revision that the person saw.
        step_id: The step that the page showed as theirs; with it a second click is recognised even
            where a later step waits for the same person.

    Raises:
        RunNotFoundError: No such run, or it does not concern the actor.
        NotNamedError, OwnRequestError, RightsGoneError, NotAllowedError: They may not decide.
        OutdatedRevisionError, RunEndedError, RunExpiredError, NotYourTurnError: Not now.
        CommentMissingError, CommentTooLongError: See ``comment``.
    """
    actor.must(Permission.APPROVAL_DECIDE)
    with transaction():
        lock_subject(actor, run_id)
        run = queries.get_run(actor, run_id, lock_it=True)
        present = _present(actor, run)
        earlier = _earlier_answer(run, present, step_id)
        if earlier is not None:
            return Decided(run, earlier, is_repeated=True)
        _check_content(run, content_hash, now)
        step = _waiting_step(run, present)
        _check_named_for(step, present)
        decision = _write(run, step, present, answer, _comment(answer, comment), now)
        record_run(
            present,
            _VERBS[answer],
            run,
            now,
            level=step.level,
            rules=step.rule_numbers,
            content_hash=run.content_hash,
        )
        return Decided(advance(run, present, now), decision, is_repeated=False)


def _present(actor: Actor, run: ApprovalRun) -> Actor:
    """Return the actor with today's rights; they must be named by this run and not have asked."""
    present = load_actor(actor.membership_id) if actor.membership_id is not None else None
    if present is None:
        raise NotAllowedError(permission=Permission.APPROVAL_DECIDE.value)
    present.must(Permission.APPROVAL_DECIDE)
    if present.person_id in run.requester_person_ids:
        raise OwnRequestError(number=run.number)
    named = {item.membership_id for step in run.steps for item in step.approvers}
    if present.membership_id not in named:
        raise NotNamedError
    return present


def _earlier_answer(run: ApprovalRun, actor: Actor, step_id: int | None) -> Decision | None:
    """Return the answer that this person gave already, where nothing new is asked of them."""
    mine = [item for item in run.decisions if item.person_id == actor.person_id]
    if step_id is not None:
        return next((item for item in mine if item.step_id == step_id), None)
    waits = run.is_open and progress_of(run).step_for(actor.person_id or 0) is not None
    return mine[-1] if mine and not waits else None


def _check_content(run: ApprovalRun, content_hash: str, now: datetime) -> None:
    """Refuse a decision about content that is not what is being approved."""
    outdated = content_hash != run.content_hash
    if outdated or (not run.is_open and queries.find_newer(run) is not None):
        raise OutdatedRevisionError(number=run.number, revision=run.revision)
    if not run.is_open:
        raise RunEndedError(number=run.number, revision=run.revision, state=RunState(run.state))
    if run.expires_at is not None and now >= run.expires_at:
        raise RunExpiredError(number=run.number, expired=run.expires_at)


def _waiting_step(run: ApprovalRun, actor: Actor) -> ApprovalStep:
    position = progress_of(run).step_for(actor.person_id or 0)
    if position is None:
        raise NotYourTurnError(number=run.number)
    return run.steps[position]


def _check_named_for(step: ApprovalStep, actor: Actor) -> None:
    """Refuse somebody who was named as the holder of a role that they lost since."""
    wanted: set[str] = set()
    for reason in map(reason_from, step.reasons):
        if reason.replaced or (reason.cause is Cause.RULE and reason.ask is not Ask.ROLE):
            return
        if reason.cause is Cause.SIGNING_LIMIT:
            return
        wanted.add(reason.role or ADMINISTRATOR)
    if wanted and not wanted & set(actor.roles):
        raise RightsGoneError(role=", ".join(sorted(wanted)))


def _comment(answer: Answer, comment: str) -> str:
    text = comment.strip()
    if not text and answer is not Answer.APPROVE:
        raise CommentMissingError
    if len(text) > LONGEST_COMMENT:
        raise CommentTooLongError(most=LONGEST_COMMENT)
    return text


def _write(
    run: ApprovalRun, step: ApprovalStep, actor: Actor, answer: Answer, comment: str, now: datetime
) -> Decision:
    limits = [
        item.membership.limit
        for each in run.steps
        for item in each.approvers
        if item.person_id == actor.person_id
    ]
    decision = Decision(
        account_id=run.account_id,
        run_id=run.id,
        step_id=step.id,
        membership_id=actor.membership_id,
        person_id=actor.person_id,
        answer=answer.value,
        comment=comment,
        content_hash=run.content_hash,
        signs=any(limit is None or limit >= run.total for limit in limits),
        decided_at=now,
    )
    db.session.add(decision)
    db.session.flush()
    set_committed_value(run, "decisions", [*run.decisions, decision])
    return decision


def decide_many(
    actor: Actor, chosen: Sequence[tuple[int, str]], comment: str, now: datetime
) -> tuple[list[Decided], list[tuple[int, DomainError]]]:
    """Approve several runs, each for itself: what can't be approved stays and says why.

    Args:
        chosen: Run ids with the content hash that the person saw.
    """
    done: list[Decided] = []
    refused: list[tuple[int, DomainError]] = []
    for run_id, content_hash in chosen:
        try:
            done.append(decide(actor, run_id, Answer.APPROVE, comment, content_hash, now))
        except DomainError as error:
            refused.append((run_id, error))
    return done, refused


def withdraw_run(
    kind: str, subject_id: int, now: datetime, actor: Actor | None = None
) -> ApprovalRun | None:
    """End the open run of a subject that was taken back; ``None`` where none is open."""
    return _close(kind, subject_id, RunState.WITHDRAWN, now, actor)


def expire_run(
    kind: str, subject_id: int, now: datetime, actor: Actor | None = None
) -> ApprovalRun | None:
    """End the open run of a subject whose time is over; ``None`` where none is open."""
    return _close(kind, subject_id, RunState.EXPIRED, now, actor)


def extend_run(kind: str, subject_id: int, until: datetime, last_day: date) -> None:
    """Let the open run of a subject be decided for longer; nothing happens where none is open.

    Args:
        until: The exclusive instant from which nobody decides any more.
        last_day: The day before it, as approvers read it.
    """
    with transaction():
        of_subject = select(ApprovalRun).where(
            ApprovalRun.kind == kind, ApprovalRun.subject_id == subject_id
        )
        run = db.session.scalar(lock(of_subject))
        if run is not None and run.is_open:
            run.expires_at = until
            run.summary = run.summary | {"valid_until": last_day.isoformat()}


def _close(
    kind: str, subject_id: int, state: RunState, now: datetime, actor: Actor | None
) -> ApprovalRun | None:
    with transaction():
        run = db.session.scalar(
            lock(
                select(ApprovalRun).where(
                    ApprovalRun.kind == kind, ApprovalRun.subject_id == subject_id
                )
            )
        )
        if run is None or not run.is_open:
            return None
        end_run(run, state, now)
        free_people(run)
        record_run(actor, f"approval.{state.value}", run, now)
        return run
