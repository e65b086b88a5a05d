"""The route as a strip: you, then step after step with names, reasons, ticks and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.approvals.frozen import reason_from
from portal.approvals.models import ApprovalRun, ApprovalStep, Decision
from portal.approvals.rules import ANSWER_LABELS, Answer, Route, RouteOutcome, Step
from portal.approvals.running import progress_of
from portal.approvals.whole import WholeRun
from portal.approvals.words import missing_sentence, reason_sentence, threshold_sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class StripPerson:
    """One name in a step; ``word`` says what they did, where they did something."""

    name: str
    tone: str = "idle"
    word: str = ""
    at: datetime | None = None
    comment: str = ""
    is_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StripStep:
    """One step; tone is one of the five of a status."""

    level: int
    tone: str
    word: str
    needs: int
    people: tuple[StripPerson, ...]
    why: tuple[str, ...]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The whole strip; ``sentence`` stands where there are no steps to draw."""

    you: str
    steps: tuple[StripStep, ...] = ()
    sentence: str = ""
    missing: tuple[str, ...] = ()
    threshold: str | None = None
    submitted_at: datetime | None = None


def preview_strip(route: Route, you: str = "") -> Strip:
    """Return the strip of a route that nobody has started yet."""
    return Strip(
        you=you,
        steps=tuple(_planned(step, route) for step in route.steps),
        sentence=_("No rule of the policy holds: submitting approves it at once.")
        if route.outcome is RouteOutcome.AUTO_APPROVED
        else "",
        missing=tuple(missing_sentence(gap, route.total, route.currency) for gap in route.missing),
        threshold=threshold_sentence(route),
    )


def _planned(step: Step, route: Route) -> StripStep:
    return StripStep(
        level=step.level,
        tone="idle",
        word=_("will be asked"),
        needs=step.quorum,
        people=tuple(StripPerson(name=member.name) for member in step.approvers),
        why=tuple(reason_sentence(reason, route.total, route.currency) for reason in step.reasons),
    )


def strip_of(whole: WholeRun) -> Strip:
    """Return the strip of a whole run, with ticks, times and comments."""
    run, names = whole.run, whole.names
    counted = progress_of(run).counted
    return Strip(
        you=names.get(run.requester_id, ""),
        steps=tuple(
            _running(step, run, counted[index], names) for index, step in enumerate(run.steps)
        ),
        sentence="" if run.steps else _("No rule of the policy held: approved at once."),
        submitted_at=run.started_at,
    )


def _running(
    step: ApprovalStep, run: ApprovalRun, counted: frozenset[int], names: Mapping[int, str]
) -> StripStep:
    said = _said(step, run, counted)
    people = tuple(
        _person(names.get(item.membership_id, ""), said.get(item.person_id), item.is_waiting)
        for item in step.approvers
    )
    tone, word = _state(step, run, people, len(counted))
    return StripStep(
        level=step.level,
        tone=tone,
        word=word,
        needs=step.quorum,
        people=people,
        why=tuple(
            reason_sentence(reason_from(reason), run.total, run.currency) for reason in step.reasons
        ),
        since=step.opened_at if tone == "work" else None,
    )


def _said(step: ApprovalStep, run: ApprovalRun, counted: frozenset[int]) -> dict[int, Decision]:
    """Return person -> the decision that counts in this step, their own in it first."""
    said = {item.person_id: item for item in run.decisions if item.person_id in counted}
    return said | {item.person_id: item for item in run.decisions if item.step_id == step.id}


def _person(name: str, decision: Decision | None, is_waiting: bool) -> StripPerson:  # noqa: FBT001 - a mark of the row
    if decision is None:
        return StripPerson(name=name, tone="work" if is_waiting else "idle")
    return StripPerson(
        name=name,
        tone="ok" if decision.answer == Answer.APPROVE else "bad",
        word=_(ANSWER_LABELS[Answer(decision.answer)]),
        at=decision.decided_at,
        comment=decision.comment,
        is_kept=decision.kept_from_id is not None,
    )


def _state(
    step: ApprovalStep, run: ApprovalRun, people: tuple[StripPerson, ...], approvals: int
) -> tuple[str, str]:
    if any(person.tone == "bad" for person in people):
        return "bad", _("stopped here")
    if any(person.tone == "work" for person in people):
        return "work", _("waiting")
    if approvals >= step.quorum:
        return "ok", _("done")
    return ("idle", _("comes later")) if run.is_open else ("idle", _("not reached"))
