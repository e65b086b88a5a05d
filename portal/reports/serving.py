"""Reports of the service: cases and their clocks, time to repair, complaints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Membership
from portal.catalog.models import Product
from portal.db import db
from portal.policy import Actor, P
from portal.reports import figures as f
from portal.reports.asking import Askable, By, Wanted
from portal.reports.facts import Fact, group, in_group, passing
from portal.reports.fulfilment import list_facts
from portal.reports.marking import Belongs, Marker
from portal.reports.naming import Name
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.service.assets.models import Asset
from portal.service.cases.models import Case
from portal.service.cases.queries import stamps_of, visible_to
from portal.service.cases.rules import UNSOLVED, CaseKind, CaseStatus, Severity
from portal.service.clock.queries import Measured, read_clocks
from portal.service.clock.rules import Clock, Gauge, GaugeState
from portal.web.tables import Column

DECIDED: Final = frozenset({GaugeState.MET, GaugeState.BROKEN})
DAY: Final = Decimal(86_400)


@dataclass(frozen=True, slots=True)
class TimedCase:
    """A case with what its clock says now."""

    case: Case
    clock: Clock
    sku: str
    today: date

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return self.case.status in UNSOLVED

    @property
    def is_follow_up_due(self) -> bool:
        """Whether somebody must come back to a complaint."""
        day = self.case.follow_up_on
        return day is not None and day <= self.today and self.case.followed_up_at is None

    @property
    def resolution_hours(self) -> Decimal | None:
        """Business hours until it was resolved, without waiting for the customer."""
        return hours_of(self.clock.resolution) if not self.is_open else None

    @property
    def answer_hours(self) -> Decimal | None:
        """Business hours until the first answer."""
        answer = self.clock.first_answer
        return hours_of(answer) if answer.ended_at is not None else None

    @property
    def days(self) -> Decimal | None:
        """Calendar days from opening to resolution."""
        if self.case.resolved_at is None:
            return None
        spent = self.case.resolved_at - self.case.created_at
        return Decimal(spent.total_seconds()) / DAY


def hours_of(gauge: Gauge) -> Decimal:
    """Return the business hours that a promise has used."""
    return Decimal(gauge.used.total_seconds()) / f.HOUR


def find_cases(
    actor: Actor, wanted: Wanted, *conditions: ColumnElement[bool]
) -> list[Fact[TimedCase]]:
    """Return cases within reach with their clocks, in a constant number of statements."""
    statement = (
        visible_to(actor, P.SERVICE_REPORT_READ)
        .where(Case.status != CaseStatus.MERGED, *conditions)
        .options(
            joinedload(Case.account),
            joinedload(Case.team),
            joinedload(Case.product),
            joinedload(Case.asset).joinedload(Asset.product),
        )
        .order_by(Case.id)
    )
    cases = db.session.scalars(statement).all()
    stamps = stamps_of(cases)
    clocks = read_clocks(
        [
            Measured(
                key=case.id,
                stamps=stamps[case.id],
                priority=case.priority.value,
                tier=case.account.tier,
                calendar_code=case.team.calendar_code if case.team else None,
            )
            for case in cases
        ],
        wanted.now,
    )
    people = _people_of(cases)
    belongs = [_belongs(case, people.get(case.membership_id)) for case in cases]
    marker = Marker(belongs)
    facts = [
        Fact(
            case.created_at,
            marker.marks(own),
            TimedCase(case, clocks[case.id], own.sku, wanted.today),
        )
        for case, own in zip(cases, belongs, strict=True)
    ]
    return passing(facts, wanted)


def _people_of(cases: Sequence[Case]) -> dict[int, int]:
    ids = sorted({case.membership_id for case in cases})
    found: dict[int, int] = {}
    for start in range(0, len(ids), 500):
        rows = db.session.execute(
            select(Membership.id, Membership.person_id).where(
                Membership.id.in_(ids[start : start + 500])
            )
        )
        found |= dict(rows.all())
    return found


def _product_of(case: Case) -> Product | None:
    return case.product or (case.asset.product if case.asset else None)


def _belongs(case: Case, person_id: int | None) -> Belongs:
    product = _product_of(case)
    return Belongs(
        account_id=case.account_id,
        unit_id=case.unit_id,
        person_id=person_id,
        category_id=product.category_id if product else None,
        sku=product.sku if product else "",
        further={
            By.KIND: word_of(case.kind),
            By.STATUS: word_of(case.status),
            By.PRIORITY: word_of(case.priority),
            By.CHANNEL: word_of(case.channel),
            By.COMPLAINT: word_of(case.complaint_category),
            By.SEVERITY: word_of(case.severity),
            By.CAUSE: word_of(case.cause),
            By.TEAM: Name(case.team.code, case.team.name) if case.team else Name("-", _("(none)")),
        },
    )


def word_of(word: Any) -> Name:  # noqa: ANN401 - any of our enums of words
    """Return the name of a group by a word of an enum, or that none is stated."""
    return Name(word.value, _(word.label)) if word is not None else Name("-", _("(not stated)"))


def _opened_in(wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    return (
        Case.created_at >= wanted.window.start_at,
        Case.created_at < wanted.window.end_at,
    )


def _known(values: Sequence[Decimal | None]) -> list[Decimal]:
    return [value for value in values if value is not None]


def kept_share(gauges: Sequence[Gauge]) -> Decimal | None:
    """Return how many promises were kept, in per cent of those that are decided."""
    decided = [gauge for gauge in gauges if gauge.state in DECIDED]
    return f.share(sum(gauge.state is GaugeState.MET for gauge in decided), len(decided))


def measure_cases(cases: Sequence[TimedCase]) -> dict[str, Any]:
    """Return the figures of cases."""
    stars = [Decimal(each.case.stars) for each in cases if each.case.stars is not None]
    return {
        f.CASES.key: len(cases),
        f.CASES_OPEN.key: sum(each.is_open for each in cases),
        f.ANSWERED_SHARE.key: kept_share([each.clock.first_answer for each in cases]),
        f.RESOLVED_SHARE.key: kept_share([each.clock.resolution for each in cases]),
        f.ANSWER_HOURS.key: f.average(_known([each.answer_hours for each in cases])),
        f.RESOLUTION_HOURS.key: f.average(_known([each.resolution_hours for each in cases])),
        f.STARS.key: f.average(stars),
    }


def measure_repairs(cases: Sequence[TimedCase]) -> dict[str, Any]:
    """Return the figures of resolved repairs."""
    days = _known([each.days for each in cases])
    return {
        f.REPAIRS.key: len(cases),
        f.REPAIR_HOURS.key: f.average(_known([each.resolution_hours for each in cases])),
        f.REPAIR_DAYS.key: f.average(days),
        f.REPAIR_DAYS_LONGEST.key: f.average([max(days)]) if days else None,
    }


def measure_complaints(cases: Sequence[TimedCase]) -> dict[str, Any]:
    """Return the figures of complaints."""
    return {
        f.COMPLAINTS.key: len(cases),
        f.COMPLAINTS_SEVERE.key: sum(each.case.severity is Severity.CRITICAL for each in cases),
        f.CASES_OPEN.key: sum(each.is_open for each in cases),
        f.FOLLOW_UPS_DUE.key: sum(each.is_follow_up_due for each in cases),
    }


def find_opened(actor: Actor, wanted: Wanted) -> list[Fact[TimedCase]]:
    """Return the cases that were opened in the period."""
    return find_cases(actor, wanted, *_opened_in(wanted))


def find_repairs(actor: Actor, wanted: Wanted) -> list[Fact[TimedCase]]:
    """Return the repair cases that were resolved in the period, dated by their resolution."""
    facts = find_cases(
        actor,
        wanted,
        Case.kind == CaseKind.REPAIR,
        Case.status.not_in(sorted(UNSOLVED)),
        Case.resolved_at >= wanted.window.start_at,
        Case.resolved_at < wanted.window.end_at,
    )
    return [Fact(fact.what.case.resolved_at, fact.marks, fact.what) for fact in facts]


def find_complaints(actor: Actor, wanted: Wanted) -> list[Fact[TimedCase]]:
    """Return the complaints that were opened in the period."""
    return find_cases(actor, wanted, Case.kind == CaseKind.COMPLAINT, *_opened_in(wanted))


Find = Callable[[Actor, Wanted], list[Fact[TimedCase]]]


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a report about cases is made: which, measured how, drawn by what."""

    find: Find
    measure: Callable[[Sequence[TimedCase]], dict[str, Any]]
    figures: tuple[f.Figure, ...]
    charted: tuple[f.Figure, ...]
    internal: frozenset[f.Figure] = frozenset()
    """Figures that the service keeps to itself."""

    def work(self, actor: Actor, wanted: Wanted) -> Worked:
        """Work the report out."""
        facts = self.find(actor, wanted)
        rows = group(facts, wanted, wanted.window, self.measure)
        if wanted.by.step is None:
            rows.sort(key=lambda row: (-row.values[self.figures[0].key], row.label))
        figures = [each for each in self.figures if actor.is_supplier or each not in self.internal]
        shown = {figure.key for figure in figures}
        totals = self.measure([fact.what for fact in facts])
        return Worked(
            figures=figures,
            rows=[replace(row, values={key: row.values[key] for key in shown}) for row in rows],
            totals={key: totals[key] for key in shown},
            charted=self.charted,
        )

    def listing(self, actor: Actor, wanted: Wanted) -> Listing:
        """Return the cases behind a figure."""
        facts = in_group(self.find(actor, wanted), wanted, wanted.window)
        return list_facts(facts, _case_columns(actor))


def _hours(value: Decimal | None) -> Decimal | None:
    return None if value is None else f.average([value])


def _gauge(gauge: Gauge) -> str:
    words = {
        GaugeState.NONE: "",
        GaugeState.RUNNING: _("running"),
        GaugeState.PAUSED: _("paused"),
        GaugeState.MET: _("kept"),
        GaugeState.BROKEN: _("not kept"),
    }
    return words[gauge.state]


def _case_columns(actor: Actor) -> list[Column[Any]]:
    can_open = actor.can(P.CASE_READ)
    columns: list[Column[Any]] = [
        Column(
            key="case",
            label=_l("Case"),
            value=lambda row: row.case.number,
            url=lambda row: url_for("cases.detail", number=row.case.number) if can_open else "",
        ),
        Column(key="account", label=_l("Account"), value=lambda row: row.case.account.code),
        Column(key="subject", label=_l("Subject"), value=lambda row: row.case.subject),
        Column(key="kind", label=_l("Kind"), value=lambda row: _(row.case.kind.label)),
        Column(key="priority", label=_l("Priority"), value=lambda row: _(row.case.priority.label)),
        Column(key="status", label=_l("Status"), value=lambda row: _(row.case.status.label)),
        Column(key="sku", label=_l("SKU"), value=lambda row: row.sku),
        Column(
            key="opened_at",
            label=_l("Opened"),
            value=lambda row: row.case.created_at,
            kind="instant",
        ),
        Column(
            key="resolved_at",
            label=_l("Resolved"),
            value=lambda row: row.case.resolved_at,
            kind="instant",
        ),
        Column(
            key="first_answer",
            label=_l("First answer"),
            value=lambda row: _gauge(row.clock.first_answer),
        ),
        Column(
            key="resolution", label=_l("Resolution"), value=lambda row: _gauge(row.clock.resolution)
        ),
        Column(
            key="resolution_hours",
            label=_l("Business hours"),
            value=lambda row: _hours(row.resolution_hours),
            kind="number",
        ),
        Column(key="stars", label=_l("Rating"), value=lambda row: row.case.stars, kind="number"),
    ]
    return [column for column in columns if actor.is_supplier or column.key != "account"]


_CASES: Final = _Recipe(
    find_opened,
    measure_cases,
    (
        f.CASES,
        f.CASES_OPEN,
        f.ANSWERED_SHARE,
        f.RESOLVED_SHARE,
        f.ANSWER_HOURS,
        f.RESOLUTION_HOURS,
        f.STARS,
    ),
    (f.CASES, f.CASES_OPEN),
)
_REPAIRS: Final = _Recipe(
    find_repairs,
    measure_repairs,
    (f.REPAIRS, f.REPAIR_HOURS, f.REPAIR_DAYS, f.REPAIR_DAYS_LONGEST),
    (f.REPAIR_DAYS,),
)
_COMPLAINTS: Final = _Recipe(
    find_complaints,
    measure_complaints,
    (f.COMPLAINTS, f.COMPLAINTS_SEVERE, f.CASES_OPEN, f.FOLLOW_UPS_DUE),
    (f.COMPLAINTS,),
    frozenset({f.COMPLAINTS_SEVERE, f.FOLLOW_UPS_DUE}),
)
_TIMES: Final = (By.MONTH, By.QUARTER, By.YEAR)
GOODS: Final = (By.CATEGORY, By.SUBCATEGORY, By.PRODUCT)
_FILTERS: Final = (By.ACCOUNT, By.KIND, By.PRIORITY, By.TEAM, By.CATEGORY, By.UNIT)

CASES: Final = Report(
    name="cases",
    title=_l("Cases and service levels"),
    meaning=_l("Cases opened in the period: how many, how soon answered and resolved."),
    section=Section.SERVICE,
    permission=P.SERVICE_REPORT_READ,
    askable=Askable(
        groupings=(
            By.KIND,
            By.STATUS,
            By.PRIORITY,
            *_TIMES,
            By.UNIT,
            By.PERSON,
            *GOODS,
            By.ACCOUNT,
            By.TEAM,
            By.CHANNEL,
        ),
        filters=_FILTERS,
    ),
    work=_CASES.work,
    listing=_CASES.listing,
)
REPAIR_TIME: Final = Report(
    name="repair-time",
    title=_l("Time to repair"),
    meaning=_l("How long resolved repairs took, from the opening of the case on."),
    section=Section.SERVICE,
    permission=P.SERVICE_REPORT_READ,
    askable=Askable(
        groupings=(*_TIMES, *GOODS, By.UNIT, By.PRIORITY, By.ACCOUNT, By.TEAM),
        filters=(By.ACCOUNT, By.PRIORITY, By.TEAM, By.CATEGORY, By.UNIT),
    ),
    work=_REPAIRS.work,
    listing=_REPAIRS.listing,
)
COMPLAINTS: Final = Report(
    name="complaints",
    title=_l("Complaints"),
    meaning=_l("Complaints by what they are about, why, and which products."),
    section=Section.SERVICE,
    permission=P.SERVICE_REPORT_READ,
    askable=Askable(
        groupings=(By.COMPLAINT, *GOODS, By.CAUSE, By.SEVERITY, By.ACCOUNT, *_TIMES, By.STATUS),
        filters=(By.ACCOUNT, By.COMPLAINT, By.CAUSE, By.SEVERITY, By.CATEGORY, By.PRODUCT),
    ),
    work=_COMPLAINTS.work,
    listing=_COMPLAINTS.listing,
)
