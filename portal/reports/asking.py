"""What is asked of a report: period, grouping and filters, read from the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum, unique
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.errors import N_
from portal.money import CURRENCIES
from portal.policy import Actor
from portal.reports.periods import (
    FIRST_DAY,
    LONGEST_YEARS,
    Compare,
    Period,
    Step,
    Window,
    window_before,
    window_of,
)

LONGEST: Final = 200
MOST_DAYS: Final = 3_650
Word = TypeVar("Word", bound=StrEnum)


@unique
class By(StrEnum):
    """What the rows of a report are put together by."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    CATEGORY = "category"
    SUBCATEGORY = "subcategory"
    PRODUCT = "product"
    UNIT = "unit"
    COST_CENTRE = "cost-centre"
    PERSON = "person"
    STATUS = "status"
    ACCOUNT = "account"
    LEVEL = "level"
    RULE = "rule"
    APPROVER = "approver"
    KIND = "kind"
    PRIORITY = "priority"
    TEAM = "team"
    CHANNEL = "channel"
    CAUSE = "cause"
    SEVERITY = "severity"
    COMPLAINT = "complaint"
    COVER = "cover"
    STAGE = "stage"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _LABELS[self]

    @property
    def step(self) -> Step | None:
        """How it cuts the period, where it does."""
        return Step(self.value) if self.value in set(Step) else None


_LABELS: Final[Mapping[By, str]] = {
    By.MONTH: N_("Month"),
    By.QUARTER: N_("Quarter"),
    By.YEAR: N_("Year"),
    By.CATEGORY: N_("Category"),
    By.SUBCATEGORY: N_("Subcategory"),
    By.PRODUCT: N_("Product"),
    By.UNIT: N_("Unit"),
    By.COST_CENTRE: N_("Cost centre"),
    By.PERSON: N_("Person"),
    By.STATUS: N_("Status"),
    By.ACCOUNT: N_("Account"),
    By.LEVEL: N_("Level"),
    By.RULE: N_("Rule"),
    By.APPROVER: N_("Decided by"),
    By.KIND: N_("Kind"),
    By.PRIORITY: N_("Priority"),
    By.TEAM: N_("Team"),
    By.CHANNEL: N_("Channel"),
    By.CAUSE: N_("Cause"),
    By.SEVERITY: N_("Severity"),
    By.COMPLAINT: N_("Complaint about"),
    By.COVER: N_("Covered by"),
    By.STAGE: N_("Stage"),
}

TIMES: Final = frozenset({By.MONTH, By.QUARTER, By.YEAR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a report.

    ``filters`` holds the filters that are set, by the name of their grouping; ``key`` the group
    whose rows are asked for; ``days`` how far a look ahead, or back, reaches.
    """

    now: datetime
    period: Period
    window: Window
    compare: Compare
    by: By
    currency: str
    filters: Mapping[By, str] = field(default_factory=dict)
    key: str | None = None
    days: int = 90
    problems: Sequence[str] = ()

    @property
    def today(self) -> date:
        """The day it is for the reader."""
        return self.window.day_of(self.now)

    @property
    def before(self) -> "Wanted | None":
        """The same asked of the period that this one is held against."""
        window = window_before(self.period, self.window, self.compare)
        return None if window is None else replace(self, window=window, compare=Compare.NONE)

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of the address that asks the same."""
        found = {"by": self.by.value, "period": self.period.value, "currency": self.currency}
        if self.period is Period.CUSTOM:
            found |= {"from": self.window.first.isoformat(), "to": self.window.last.isoformat()}
        if self.days:
            found["days"] = str(self.days)
        return found | {by.value: text for by, text in self.filters.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Askable:
    """What may be asked of a report: its groupings, the first being usual, and its filters."""

    groupings: Sequence[By]
    filters: Sequence[By] = ()
    period: Period = Period.LAST_12_MONTHS
    has_period: bool = True
    days: int = 0
    """How many days ahead or back are usual; 0 where the report asks for none."""


def read_wanted(actor: Actor, askable: Askable, args: Mapping[str, str], now: datetime) -> Wanted:
    """Return what an address asks for; what it asks wrongly is told and the usual taken."""
    problems: list[str] = []
    zone = ZoneInfo(actor.time_zone)
    today = now.astimezone(zone).date()
    period = _word(args, "period", Period, askable.period, problems)
    window = window_of(period, today, zone)
    if period is Period.CUSTOM:
        window = _custom(args, window, problems)
    by = _word(args, "by", By, askable.groupings[0], problems)
    if by not in askable.groupings:
        problems.append(_("This report can't be grouped by %(by)s.", by=_(by.label)))
        by = askable.groupings[0]
    return Wanted(
        now=now,
        period=period,
        window=window,
        compare=_word(args, "compare", Compare, Compare.PREVIOUS, problems),
        by=by,
        currency=_currency(args, actor.currency, problems),
        filters={each: _text(args, each.value) for each in askable.filters if args.get(each.value)},
        key=_text(args, "key") or None,
        days=_days(args, askable.days, problems),
        problems=tuple(problems),
    )


def _text(args: Mapping[str, str], name: str) -> str:
    return args.get(name, "").strip()[:LONGEST]


def _word(
    args: Mapping[str, str], name: str, words: type[Word], usual: Word, problems: list[str]
) -> Word:
    text = _text(args, name)
    if not text:
        return usual
    try:
        return words(text)
    except ValueError:
        problems.append(_("“%(text)s” is not known here and was left out.", text=text[:40]))
        return usual


def _custom(args: Mapping[str, str], usual: Window, problems: list[str]) -> Window:
    """Return the days between "from" and "to", both included."""
    first = _day(args, "from", problems) or FIRST_DAY
    last = _day(args, "to", problems) or usual.last
    if last < first:
        problems.append(_("The period ends before it begins: the days were turned round."))
        first, last = last, first
    if last.year - first.year > LONGEST_YEARS:
        first = last.replace(year=last.year - LONGEST_YEARS, day=1)
        problems.append(_("A period has at most %(years)s years.", years=LONGEST_YEARS))
    return replace(usual, first=first, after=date.fromordinal(last.toordinal() + 1))


def _day(args: Mapping[str, str], name: str, problems: list[str]) -> date | None:
    text = _text(args, name)
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1900 <= found.year <= 2999:  # noqa: PLR2004 - centuries that have orders
        problems.append(_("“%(text)s” is not a day. Write it as 2026-01-31.", text=text[:40]))
        return None
    return found


def _currency(args: Mapping[str, str], usual: str, problems: list[str]) -> str:
    text = _text(args, "currency").upper()
    if not text or text in CURRENCIES:
        return text or usual
    problems.append(_("“%(text)s” is not an ISO 4217 currency code.", text=text[:40]))
    return usual


def _days(args: Mapping[str, str], usual: int, problems: list[str]) -> int:
    text = _text(args, "days")
    if not text:
        return usual
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST_DAYS:  # noqa: PLR2004 - more digits are no number of days
        return int(text)
    problems.append(_("Enter a number of days from 1 to %(most)s.", most=MOST_DAYS))
    return usual
