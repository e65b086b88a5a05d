"""What the approval page shows of a run: plain figures, why you, who did what, what changed."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.approvals import queries
from portal.approvals.frozen import reason_from
from portal.approvals.models import ApprovalRun, ApprovalStep, Decision
from portal.approvals.population import load_people
from portal.approvals.reassigning import Vacancy, find_vacancies
from portal.approvals.rules import RunState
from portal.approvals.running import progress_of
from portal.approvals.strip import Strip, strip_of
from portal.approvals.whole import get_whole_run
from portal.approvals.words import reason_sentence
from portal.policy import Actor, Permission

TONES = {
    RunState.OPEN: "work",
    RunState.APPROVED: "ok",
    RunState.REJECTED: "bad",
    RunState.CHANGES_REQUESTED: "warn",
    RunState.WITHDRAWN: "idle",
    RunState.EXPIRED: "idle",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the subject."""

    name: str
    sku: str
    quantity: str
    amount: Decimal
    detail: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything that one approval page shows.

    ``step`` is the step that waits for the reader; ``mine`` what they said already; ``newer`` a run
    of a later revision, with which this one is not current any more.
    """

    run: ApprovalRun
    requester: str
    strip: Strip
    lines: tuple[Line, ...]
    why: tuple[str, ...]
    step: ApprovalStep | None
    mine: Decision | None
    newer: ApprovalRun | None
    tone: str
    label: str
    vacancies: tuple[Vacancy, ...] = ()

    @property
    def summary(self) -> dict[str, Any]:
        """The frozen summary of the subject."""
        return self.run.summary

    def amount(self, name: str) -> Decimal | None:
        """Return an amount of the summary."""
        text = self.run.summary.get(name)
        return None if text is None else Decimal(text)

    @property
    def href(self) -> str:
        """Where the subject can be read in full; only addresses of this portal."""
        return _local(self.run.summary.get("href", ""))

    @property
    def pdf_href(self) -> str:
        """Where the subject's PDF is."""
        return _local(self.run.summary.get("pdf_href", ""))


def _local(address: str) -> str:
    return address if address.startswith("/") and not address.startswith("//") else ""


def read_run(actor: Actor, run_id: int) -> RunPage:
    """Return what the page of a run shows to ``actor``.

    Raises:
        RunNotFoundError: No such run within the actor's reach.
    """
    whole = get_whole_run(actor, run_id)
    run, strip = whole.run, strip_of(whole)
    step = _my_step(actor, run)
    mine = [item for item in run.decisions if item.membership_id == actor.membership_id]
    state = RunState(run.state)
    return RunPage(
        run=run,
        requester=strip.you,
        strip=strip,
        lines=tuple(
            Line(**line | {"amount": Decimal(line["amount"])}) for line in run.summary["lines"]
        ),
        why=_why(step, run) if step else _why_named(actor, run),
        step=step,
        mine=mine[-1] if mine else None,
        newer=queries.find_newer(run),
        tone=TONES[state],
        label=state.label,
        vacancies=_vacancies(actor, run),
    )


def _vacancies(actor: Actor, run: ApprovalRun) -> tuple[Vacancy, ...]:
    """Return the steps whose people left, for those who may name others."""
    reach = actor.reach(Permission.POLICY_SAVE)
    if not run.is_open or not reach.covers(account_id=run.account_id):
        return ()
    return find_vacancies(run, load_people(run.account_id))


def _my_step(actor: Actor, run: ApprovalRun) -> ApprovalStep | None:
    """Return the step in which the reader can decide now."""
    asked_before = actor.person_id in run.requester_person_ids
    if not run.is_open or asked_before or not actor.can(Permission.APPROVAL_DECIDE):
        return None
    position = progress_of(run).step_for(actor.person_id or 0)
    if position is None:
        return None
    step = run.steps[position]
    named = {item.membership_id for item in step.approvers}
    return step if actor.membership_id in named else None


def _why(step: ApprovalStep, run: ApprovalRun) -> tuple[str, ...]:
    return tuple(
        reason_sentence(reason_from(reason), run.total, run.currency) for reason in step.reasons
    )


def _why_named(actor: Actor, run: ApprovalRun) -> tuple[str, ...]:
    """Say why the run names the reader at all, when nothing waits for them."""
    sentences = [
        sentence
        for step in run.steps
        if actor.membership_id in {item.membership_id for item in step.approvers}
        for sentence in _why(step, run)
    ]
    return tuple(dict.fromkeys(sentences))
