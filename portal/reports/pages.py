"""What the pages of reports say besides their figures: the period, the filters that are on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.policy import Actor
from portal.reports.asking import Askable, By, Wanted, read_wanted
from portal.reports.choosing import Field, find_currencies
from portal.reports.periods import Compare, Period
from portal.reports.results import ReportResult
from portal.reports.shapes import Report
from portal.web.addresses import url_with
from portal.web.formats import day, instant

Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class IndexForm:
    """What the first page asks: period, comparison and currency."""

    wanted: Wanted
    currencies: Sequence[Choice]

    @property
    def periods(self) -> Sequence[Choice]:
        """The periods to choose from; days of one's own are for the reports."""
        return [(period.value, _(period.label)) for period in Period if period is not Period.CUSTOM]

    @property
    def comparisons(self) -> Sequence[Choice]:
        """What a period may be held against."""
        return comparisons()

    @property
    def words(self) -> str:
        """The days of the period."""
        return words_of(self.wanted)


@dataclass(frozen=True, slots=True)
class FormParts:
    """What the form above a report offers."""

    groupings: Sequence[Choice]
    periods: Sequence[Choice]
    comparisons: Sequence[Choice]


def form_parts(ask: Askable) -> FormParts:
    """Return what the form above a report offers."""
    return FormParts(
        [(by.value, _(by.label)) for by in ask.groupings],
        [(period.value, _(period.label)) for period in Period],
        comparisons(),
    )


def comparisons() -> Sequence[Choice]:
    """Return what a period may be held against."""
    return [(compare.value, _(compare.label)) for compare in Compare]


def meanings_of(result: ReportResult) -> list[Choice]:
    """Return what each figure of a report means."""
    return [(_(figure.label), _(figure.meaning)) for figure in result.figures]


def index_form(actor: Actor, args: Mapping[str, str], now: datetime) -> IndexForm:
    """Return the form of the first page."""
    wanted = read_wanted(actor, Askable(groupings=(By.MONTH,)), args, now)
    return IndexForm(wanted, [(code, code) for code in find_currencies(actor, wanted)])


def facts_of(report: Report, wanted: Wanted) -> list[tuple[str, str]]:
    """Return what a printed report must say of itself: period, zone, currency, moment."""
    facts: list[tuple[str, str]] = []
    if report.askable.has_period:
        facts.append((_("Period"), words_of(wanted)))
        before = wanted.before
        if before is not None:
            facts.append((_("Compared with"), words_of(before)))
    if report.askable.days:
        facts.append((_("Days"), str(wanted.days)))
    if report.has_money:
        facts.append((_("Currency"), wanted.currency))
    facts.append((_("As of"), f"{instant(wanted.now)} ({wanted.window.zone.key})"))
    return facts


def words_of(wanted: Wanted) -> str:
    """Return the days of a period, both included."""
    return _("%(first)s to %(last)s", first=day(wanted.window.first), last=day(wanted.window.last))


def chips_of(fields: Sequence[Field]) -> list[tuple[str, str]]:
    """Return the filters that are on, each with the address without it."""
    return [
        (
            f"{field.label}: {dict(field.choices).get(field.value, field.value)}",
            url_with(**{field.name: None}, page=None),
        )
        for field in fields
        if field.value
    ]


def key_chip(wanted: Wanted) -> list[tuple[str, str]]:
    """Return the group whose rows are shown, with the address of all rows."""
    if wanted.key is None:
        return []
    return [(f"{_(wanted.by.label)}: {wanted.key}", url_with(key=None, page=None))]
