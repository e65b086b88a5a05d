"""How long approvals take, by step: from the opening of a step to its last answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.accounts.models import Account, Membership
from portal.approvals.models import ApprovalRun, ApprovalStep, Decision
from portal.approvals.rules import RunState
from portal.db import db, in_pages
from portal.policy import Actor, P
from portal.quotes.rules import KIND
from portal.reports import figures as f
from portal.reports.asking import Askable, By, Wanted
from portal.reports.facts import Fact, group, in_group, passing
from portal.reports.fulfilment import list_facts
from portal.reports.marking import Belongs, Marker
from portal.reports.naming import Name, name_people, named
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.scope import within
from portal.web.tables import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedStep:
    """A step of an approval and how long it took; ``hours`` is exact, ``None`` while it waits."""

    quote: str
    account: str
    revision: int
    title: str
    level: int
    rules: str
    opened_at: datetime
    finished_at: datetime | None
    decided_by: str

    @property
    def hours(self) -> Decimal | None:
        """Hours from its opening to its end."""
        if self.finished_at is None:
            return None
        return Decimal((self.finished_at - self.opened_at).total_seconds()) / f.HOUR


def find_steps(actor: Actor, wanted: Wanted) -> list[Fact[TimedStep]]:
    """Return the steps of quotes' approvals that were opened in the period."""
    statement = (
        select(ApprovalStep, ApprovalRun, Account.code, Membership.person_id)
        .join(ApprovalRun, ApprovalRun.id == ApprovalStep.run_id)
        .join(Account, Account.id == ApprovalRun.account_id)
        .join(Membership, Membership.id == ApprovalRun.requester_id)
        .where(
            within(
                actor,
                P.ORDER_REPORT_READ,
                account=ApprovalRun.account_id,
                unit=ApprovalRun.unit_id,
                owner=ApprovalRun.requester_id,
            ),
            ApprovalRun.kind == KIND,
            ApprovalStep.opened_at >= wanted.window.start_at,
            ApprovalStep.opened_at < wanted.window.end_at,
        )
        .order_by(ApprovalStep.opened_at, ApprovalStep.id)
    )
    found = db.session.execute(statement).all()
    last = _deciders([step.id for step, *_rest in found])
    people = name_people(set(last.values()))
    belongs = [
        Belongs(
            account_id=run.account_id,
            unit_id=run.unit_id,
            person_id=person_id,
            further={
                By.LEVEL: Name(str(step.level), _("Level %(level)s", level=step.level)),
                By.RULE: _rule(step.rule_numbers),
                By.APPROVER: named(people, last.get(step.id)),
                By.STATUS: Name(run.state, _(RunState(run.state).label)),
            },
        )
        for step, run, _code, person_id in found
    ]
    marker = Marker(belongs)
    facts = [
        Fact(
            step.opened_at,
            marker.marks(own),
            TimedStep(
                quote=run.number,
                account=code,
                revision=run.revision,
                title=run.title,
                level=step.level,
                rules=own.further[By.RULE].label,
                opened_at=step.opened_at or run.started_at,
                finished_at=step.finished_at,
                decided_by=own.further[By.APPROVER].label if step.id in last else "",
            ),
        )
        for (step, run, code, _person), own in zip(found, belongs, strict=True)
    ]
    return passing(facts, wanted)


def _deciders(step_ids: Sequence[int]) -> dict[int, int]:
    """Return who answered last in each step."""
    last: dict[int, int] = {}
    for page in in_pages(sorted(step_ids), 5_000):
        rows = db.session.execute(
            select(Decision.step_id, Decision.person_id)
            .where(Decision.step_id.in_(page))
            .order_by(Decision.decided_at, Decision.id)
        )
        last |= dict(rows.all())
    return last


def _rule(numbers: Sequence[int]) -> Name:
    if not numbers:
        return Name("-", _("(signing limit or no policy)"))
    text = ", ".join(str(number) for number in numbers)
    return Name(text.replace(", ", "+"), _("Rule %(numbers)s", numbers=text))


def measure(steps: Sequence[TimedStep]) -> Mapping[str, Any]:
    """Return the figures of steps."""
    hours = [step.hours for step in steps if step.hours is not None]
    return {
        f.STEPS.key: len(steps),
        f.STEPS_DONE.key: len(hours),
        f.APPROVAL_HOURS.key: f.average(hours),
        f.APPROVAL_MEDIAN.key: f.median(hours),
        f.APPROVAL_LONGEST.key: f.average([max(hours)]) if hours else None,
    }


def _work(actor: Actor, wanted: Wanted) -> Worked:
    facts = find_steps(actor, wanted)
    rows = group(facts, wanted, wanted.window, measure)
    if wanted.by is By.LEVEL:
        rows.sort(key=lambda row: (len(row.key), row.key))
    elif wanted.by.step is None:
        rows.sort(key=lambda row: (-row.values["steps"], row.label))
    return Worked(
        figures=(
            f.STEPS,
            f.STEPS_DONE,
            f.APPROVAL_HOURS,
            f.APPROVAL_MEDIAN,
            f.APPROVAL_LONGEST,
        ),
        rows=rows,
        totals=measure([fact.what for fact in facts]),
        charted=(f.APPROVAL_HOURS, f.APPROVAL_MEDIAN),
    )


def _list(actor: Actor, wanted: Wanted) -> Listing:
    facts = in_group(find_steps(actor, wanted), wanted, wanted.window)
    can_open = actor.can(P.QUOTE_READ)
    columns: list[Column[Any]] = [
        Column(
            key="quote",
            label=_l("Quote"),
            value=lambda row: row.quote,
            url=lambda row: url_for("quotes.detail", number=row.quote) if can_open else "",
        ),
        Column(key="account", label=_l("Account"), value=lambda row: row.account),
        Column(key="revision", label=_l("Revision"), value=lambda row: row.revision, kind="number"),
        Column(key="title", label=_l("Title"), value=lambda row: row.title),
        Column(key="level", label=_l("Level"), value=lambda row: row.level, kind="number"),
        Column(key="rule", label=_l("Rule"), value=lambda row: row.rules),
        Column(key="decided_by", label=_l("Decided by"), value=lambda row: row.decided_by),
        Column(
            key="opened_at", label=_l("Opened"), value=lambda row: row.opened_at, kind="instant"
        ),
        Column(
            key="finished_at",
            label=_l("Finished"),
            value=lambda row: row.finished_at,
            kind="instant",
        ),
        Column(
            key="hours",
            label=_l("Hours"),
            value=lambda row: None if row.hours is None else f.average([row.hours]),
            kind="number",
        ),
    ]
    shown = [column for column in columns if actor.is_supplier or column.key != "account"]
    return list_facts(facts, shown)


APPROVAL_TIME: Final = Report(
    name="approval-time",
    title=_l("Approval time"),
    meaning=_l("How long the steps of approvals take, from being opened to the last answer."),
    section=Section.ORDERS,
    permission=P.ORDER_REPORT_READ,
    askable=Askable(
        groupings=(By.LEVEL, By.RULE, By.APPROVER, By.MONTH, By.UNIT, By.PERSON, By.ACCOUNT),
        filters=(By.ACCOUNT, By.UNIT, By.PERSON),
    ),
    work=_work,
    listing=_list,
)
