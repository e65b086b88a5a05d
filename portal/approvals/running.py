"""The machinery of a run inside a transaction: its rows, who is asked next, how it ends."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, Update, bindparam, insert, update
from sqlalchemy.orm.attributes import set_committed_value

from portal.approvals.frozen import reason_plain, route_plain, summary_plain
from portal.approvals.models import (
    ApprovalLink,
    ApprovalRun,
    ApprovalStep,
    Decision,
    StepApprover,
)
from portal.approvals.population import load_people
from portal.approvals.progress import Progress, StepPlan, Vote, progress
from portal.approvals.queries import find_names, subject_of, token_hash
from portal.approvals.rules import Answer, Outcome, Route, RunState, Step, Subject
from portal.approvals.signing import sign_again
from portal.db import KEPT, db, table_of
from portal.errors import N_, ConflictError
from portal.events.actions import record
from portal.messages.actions import Letter, tell_each
from portal.policy import Actor

LINES_IN_MAIL: Final = 5

_ABOUT_LINES: Final = frozenset({"category_under", "off_contract"})
_ABOUT_TOTALS: Final = frozenset({"total_over", "total_up_to", "requester_total_over"})
"""Conditions of which the figure compared is the total, or the lines by SKU."""

Settle = Callable[[int, Outcome, datetime, Actor], None]
Lock = Callable[[Select[int], Mapping[str, Any]], object]


class RunChangedError(ConflictError):
    """Somebody else changed the run between reading and writing."""

    message = N_("Approval of {number} changed meanwhile. Open it again.")


@dataclass(frozen=True, slots=True)
class Plug:
    """What a kind of subject hands in: how it is locked, and what an outcome does to it."""

    settle: Settle
    lock: Lock | None


PLUGS: Final[dict[str, Plug]] = {}


def on_outcome(kind: str, settle: Settle, lock: Lock | None = None) -> None:
    """Name what settles subjects of ``kind``; called once per kind by the application.

    Args:
        settle: Called as ``settle(subject_id, outcome, now, actor)`` in the transaction of the
            decision that ended the run.
        lock: Locks the subject that a statement with its parameters selects, before its run, so
            that every action takes locks in one order.
    """
    PLUGS[kind] = Plug(settle, lock)


def lock_subject(actor: Actor, run_id: int) -> None:
    """Lock the subject of a run within the actor's reach, always before the run itself."""
    for kind, plug in PLUGS.items():
        if plug.lock is not None:
            plug.lock(subject_of(actor, kind), {"run": run_id})


def write_run(subject: Subject, route: Route, policy_id: int | None, now: datetime) -> ApprovalRun:
    """Write a run; its steps and people are written by `write_steps`, and nobody is asked yet."""
    run = ApprovalRun(
        account_id=subject.account_id,
        unit_id=subject.unit_id,
        kind=subject.kind,
        subject_id=subject.id,
        number=subject.number,
        revision=subject.revision,
        policy_id=policy_id,
        requester_id=subject.submitted_by,
        requester_person_ids=sorted(subject.requester_person_ids),
        title=subject.title,
        total=route.total,
        currency=route.currency,
        signing_required=route.signing_required,
        content_hash=subject.content_hash,
        route=route_plain(route),
        summary=summary_plain(subject),
        started_at=now,
        expires_at=subject.expires_at,
    )
    db.session.add(run)
    db.session.flush()
    steps = [_step(run, position, step) for position, step in enumerate(route.steps)]
    set_committed_value(run, "steps", steps)
    set_committed_value(run, "decisions", [])
    return run


def _step(run: ApprovalRun, position: int, step: Step) -> ApprovalStep:
    row = ApprovalStep(
        account_id=run.account_id,
        run_id=run.id,
        position=position,
        level=step.level,
        quorum=step.quorum,
        is_distinct=step.distinct,
        rule_numbers=list(step.rule_numbers),
        reasons=[reason_plain(reason) for reason in step.reasons],
    )
    approvers = [
        StepApprover(
            account_id=run.account_id,
            run_id=run.id,
            membership_id=member.membership_id,
            person_id=member.person_id,
            signs=member.covers(run.total),
            is_waiting=False,
        )
        for member in step.approvers
    ]
    set_committed_value(row, "approvers", approvers)
    return row


def write_steps(run: ApprovalRun) -> None:
    """Write the steps of a run and their people, new ones and changed ones."""
    db.session.add_all(run.steps)
    db.session.flush()
    for step in run.steps:
        for item in step.approvers:
            item.step_id = step.id
        db.session.add_all(step.approvers)
    db.session.flush()


def progress_of(run: ApprovalRun) -> Progress:
    """Return where a loaded run is."""
    positions = {step.id: index for index, step in enumerate(run.steps)}
    plans = [
        StepPlan(
            level=step.level,
            people=frozenset(item.person_id for item in step.approvers),
            quorum=step.quorum,
            signers=frozenset(item.person_id for item in step.approvers if item.signs),
            distinct=step.is_distinct,
        )
        for step in run.steps
    ]
    votes = [
        Vote(positions[item.step_id], item.person_id, Answer(item.answer), item.signs)
        for item in run.decisions
    ]
    return progress(plans, votes, signing=run.signing_required)


def advance(
    run: ApprovalRun, actor: Actor, now: datetime, *, requester: str | None = None
) -> ApprovalRun:
    """Take a run as far as its decisions carry it: ask who is next, or end it.

    Args:
        run: Loaded whole under the lock of its subject.
        actor: Whose step it was.
        now: Instant of that step.
        requester: The requester's name, where it is known already.
    """
    reached = progress_of(run)
    while reached.is_stuck and _add_signing_levels(run, now):
        reached = progress_of(run)
    waiting = dict(zip(reached.open_steps, reached.waiting, strict=True))
    asked: list[StepApprover] = []
    for index, step in enumerate(run.steps):
        _mark_step(step, waiting.get(index), now)
        for item in step.approvers:
            item.is_waiting = item.person_id in waiting.get(index, ())
            if item.is_waiting and item.asked_at is None:
                item.asked_at = now
                asked.append(item)
    write_steps(run)
    if reached.outcome is None:
        _ask(run, asked, now, requester)
        return run
    return _settle(run, reached.outcome, actor, now)


def _add_signing_levels(run: ApprovalRun, now: datetime) -> bool:
    """Add the levels of rule 6 to a run whose signers' limits were lowered after it was made.

    Returns:
        Whether there are new levels; without, somebody has to be named.
    """
    people = load_people(run.account_id)
    level = max(step.level for step in run.steps)
    named = [
        member
        for step in run.steps
        if step.level == level
        for item in step.approvers
        if (member := people.get(item.membership_id)) is not None
    ]
    added = sign_again(level, named, run.total, people, frozenset(run.requester_person_ids))
    more = [_step(run, position, step) for position, step in enumerate(added, len(run.steps))]
    if more:
        record_run(None, "approval.level-added", run, now, levels=[step.level for step in more])
        set_committed_value(run, "steps", [*run.steps, *more])
    return bool(more)


def _mark_step(step: ApprovalStep, waiting: Iterable[int] | None, now: datetime) -> None:
    if waiting is not None:
        step.opened_at = step.opened_at or now
    elif step.opened_at is not None:
        step.finished_at = step.finished_at or now


def _settle(run: ApprovalRun, outcome: Outcome, actor: Actor, now: datetime) -> ApprovalRun:
    """End a run by what people decided and tell its subject."""
    end_run(run, RunState(outcome.value), now)
    if outcome is Outcome.APPROVED:
        record_run(actor, "approval.finished", run, now, content_hash=run.content_hash)
    plug = PLUGS.get(run.kind)
    if plug is not None:
        plug.settle(run.subject_id, outcome, now, actor)
    return run


def end_run(run: ApprovalRun, state: RunState, now: datetime) -> None:
    """End an open run by a guarded update; whoever waits in its steps is the caller's to free.

    Raises:
        RunChangedError: It was not open any more.
    """
    wanted = {"state": state.value, "finished_at": now, "version": run.version + 1}
    asked = {"seen_id": run.id, "seen_version": run.version, **wanted}
    changed = db.session.execute(_end(), asked)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result counts its rows
        raise RunChangedError(number=run.number)
    for name, value in wanted.items():
        set_committed_value(run, name, value)


@cache
def _end() -> Update:
    """End a run that is open and as it was read."""
    table = table_of(ApprovalRun)
    return (
        update(table)
        .where(
            table.c.id == bindparam("seen_id"),
            table.c.state == RunState.OPEN.value,
            table.c.version == bindparam("seen_version"),
        )
        .values({name: bindparam(name) for name in ("state", "finished_at", "version")})
        .prefix_with(KEPT, dialect="postgresql")
    )


def free_people(run: ApprovalRun) -> None:
    """Let nobody wait in a run that ended without its people."""
    db.session.execute(
        update(StepApprover).where(StepApprover.run_id == run.id).values(is_waiting=False)
    )


def record_run(
    actor: Actor | None, verb: str, run: ApprovalRun, now: datetime, **data: object
) -> None:
    """Write an event of a run."""
    record(
        actor,
        verb,
        kind="approval",
        object_id=run.id,
        number=run.number,
        account_id=run.account_id,
        now=now,
        revision=run.revision,
        **data,
    )


def _ask(
    run: ApprovalRun, asked: Sequence[StepApprover], now: datetime, requester: str | None
) -> None:
    """Send each newly asked person one mail with why they are asked and a link of their own."""
    if not asked:
        return
    record_run(
        None,
        "approval.requested",
        run,
        now,
        person_ids=sorted({item.person_id for item in asked}),
    )
    if requester is None:
        requester = find_names([run.requester_id]).get(run.requester_id, "")
    steps = {step.id: step for step in run.steps}
    links: list[dict[str, Any]] = []
    letters: list[Letter] = []
    for membership_id in sorted({item.membership_id for item in asked}):
        mine = [item for item in asked if item.membership_id == membership_id]
        reasons = [reason for item in mine for reason in steps[item.step_id].reasons]
        token = secrets.token_urlsafe(32)
        links.append(
            {
                "token_hash": token_hash(token),
                "run_id": run.id,
                "person_id": mine[0].person_id,
                "membership_id": membership_id,
                "created_at": now,
            }
        )
        letters.append(Letter(membership_id, _mail_data(run, requester, reasons), f"/a/{token}"))
    db.session.execute(insert(table_of(ApprovalLink)), links)
    tell_each("approval_requested", letters, account_id=run.account_id, now=now, is_secret=True)


def _mail_data(run: ApprovalRun, requester: str, reasons: Sequence[Any]) -> dict[str, Any]:
    summary = run.summary
    return {
        "number": run.number,
        "revision": run.revision,
        "title": run.title,
        "total": f"{run.total:f}",
        "currency": run.currency,
        "requester": requester,
        "cost_centres": summary["cost_centres"],
        "ship_to": summary["ship_to"],
        "valid_until": summary["valid_until"],
        "lines": summary["lines"][:LINES_IN_MAIL],
        "more_lines": max(0, len(summary["lines"]) - LINES_IN_MAIL),
        "changes": summary["changes"],
        "reasons": list(reasons),
    }


def keep_approvals(run: ApprovalRun, earlier: ApprovalRun, now: datetime) -> int:
    """Carry over the approvals of steps whose rules, figures and people did not change.

    Returns:
        How many approvals stand for the new revision too.
    """
    decisions: list[Decision] = []
    by_inputs = {_inputs(step, run): step for step in run.steps}
    old_steps = {step.id: step for step in earlier.steps}
    for decision in earlier.decisions:
        step = by_inputs.get(_inputs(old_steps[decision.step_id], earlier))
        if (
            decision.answer != Answer.APPROVE
            or step is None
            or decision.person_id in run.requester_person_ids
        ):
            continue
        signs = {item.person_id: item.signs for item in step.approvers}
        decisions.append(
            Decision(
                account_id=run.account_id,
                run_id=run.id,
                step_id=step.id,
                membership_id=decision.membership_id,
                person_id=decision.person_id,
                answer=Answer.APPROVE.value,
                comment=decision.comment,
                content_hash=run.content_hash,
                signs=signs[decision.person_id],
                kept_from_id=decision.id,
                decided_at=now,
            )
        )
    db.session.add_all(decisions)
    db.session.flush()
    set_committed_value(run, "decisions", decisions)
    return len(decisions)


def _inputs(step: ApprovalStep, run: ApprovalRun) -> str:
    """Return everything that a step was made from: its rules, people, figures and lines."""
    people = sorted(item.person_id for item in step.approvers)
    judged = [_judged(reason, run) for reason in step.reasons]
    return repr((step.level, step.rule_numbers, step.quorum, people, step.reasons, judged))


def _judged(reason: Mapping[str, Any], run: ApprovalRun) -> object:
    """Return what a reason looks at beyond the figures that it compared.

    A rule about some lines judges those lines whole, one about a total just that; what compared
    neither (no condition, a signing limit, a role) judges everything that is asked for.
    """
    compared = {item["condition"]: item["figure"] for item in reason["comparisons"]}
    skus = [sku for name in _ABOUT_LINES & compared.keys() for sku in compared[name].split(", ")]
    lines = [
        (line["sku"], line["quantity"], line["amount"])
        for line in run.summary["lines"]
        if not skus or line["sku"] in skus
    ]
    if skus:
        return lines
    return None if _ABOUT_TOTALS & compared.keys() else (run.total, lines)
