"""Periods of a report: from which day to which, what comes before, and the months inside. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum, unique
from typing import Final
from zoneinfo import ZoneInfo

from portal.errors import N_

FIRST_DAY: Final = date(2000, 1, 1)
"""Where "all time" begins."""
LONGEST_YEARS: Final = 50


@unique
class Period(StrEnum):
    """The periods that can be asked for by a word."""

    LAST_30_DAYS = "last-30-days"
    LAST_90_DAYS = "last-90-days"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_QUARTER = "this-quarter"
    LAST_QUARTER = "last-quarter"
    THIS_YEAR = "this-year"
    LAST_YEAR = "last-year"
    LAST_12_MONTHS = "last-12-months"
    LAST_24_MONTHS = "last-24-months"
    ALL = "all"
    CUSTOM = "custom"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _LABELS[self]


_LABELS: Final = {
    Period.LAST_30_DAYS: N_("Last 30 days"),
    Period.LAST_90_DAYS: N_("Last 90 days"),
    Period.THIS_MONTH: N_("This month"),
    Period.LAST_MONTH: N_("Last month"),
    Period.THIS_QUARTER: N_("This quarter"),
    Period.LAST_QUARTER: N_("Last quarter"),
    Period.THIS_YEAR: N_("This year"),
    Period.LAST_YEAR: N_("Last year"),
    Period.LAST_12_MONTHS: N_("Last 12 months"),
    Period.LAST_24_MONTHS: N_("Last 24 months"),
    Period.ALL: N_("All time"),
    Period.CUSTOM: N_("From … to …"),
}


@unique
class Compare(StrEnum):
    """What a period is held against."""

    PREVIOUS = "previous"
    YEAR = "year"
    NONE = "none"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return {
            Compare.PREVIOUS: N_("The period before"),
            Compare.YEAR: N_("A year earlier"),
            Compare.NONE: N_("Nothing"),
        }[self]


@unique
class Step(StrEnum):
    """How a period is cut into pieces."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many months a piece has."""
        return {Step.MONTH: 1, Step.QUARTER: 3, Step.YEAR: 12}[self]


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days from ``first`` up to and without ``after``, by the clocks of ``zone``."""

    first: date
    after: date
    zone: ZoneInfo

    @property
    def last(self) -> date:
        """The last day included."""
        return self.after - timedelta(days=1)

    @property
    def start_at(self) -> datetime:
        """The instant at which it begins."""
        return midnight(self.first, self.zone)

    @property
    def end_at(self) -> datetime:
        """The instant before which it ends."""
        return midnight(self.after, self.zone)

    def day_of(self, instant: datetime) -> date:
        """Return the calendar day of an instant."""
        return instant.astimezone(self.zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day begins."""
    return datetime.combine(day, time(), zone)


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last one of a shorter month."""
    count = day.year * 12 + day.month - 1 + months
    first = date(count // 12, count % 12 + 1, 1)
    length = ((first + timedelta(days=31)).replace(day=1) - first).days
    return first.replace(day=min(day.day, length))


def window_of(period: Period, today: date, zone: ZoneInfo) -> Window:
    """Return the days of a period; those under way end with today."""
    tomorrow = today + timedelta(days=1)
    month = today.replace(day=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    year = month.replace(month=1)
    first, after = {
        Period.LAST_30_DAYS: (tomorrow - timedelta(days=30), tomorrow),
        Period.LAST_90_DAYS: (tomorrow - timedelta(days=90), tomorrow),
        Period.THIS_MONTH: (month, tomorrow),
        Period.LAST_MONTH: (add_months(month, -1), month),
        Period.THIS_QUARTER: (quarter, tomorrow),
        Period.LAST_QUARTER: (add_months(quarter, -3), quarter),
        Period.THIS_YEAR: (year, tomorrow),
        Period.LAST_YEAR: (add_months(year, -12), year),
        Period.LAST_12_MONTHS: (add_months(month, -11), tomorrow),
        Period.LAST_24_MONTHS: (add_months(month, -23), tomorrow),
    }.get(period, (FIRST_DAY, tomorrow))
    return Window(first, after, zone)


_MONTHS: Final = {
    Period.THIS_MONTH: 1,
    Period.LAST_MONTH: 1,
    Period.THIS_QUARTER: 3,
    Period.LAST_QUARTER: 3,
    Period.THIS_YEAR: 12,
    Period.LAST_YEAR: 12,
    Period.LAST_12_MONTHS: 12,
    Period.LAST_24_MONTHS: 24,
}


def window_before(period: Period, window: Window, compare: Compare) -> Window | None:
    """Return the period that ``window`` is held against; ``None`` for nothing.

    A month under way is held against the same days of the month before.
    """
    if compare is Compare.NONE or period is Period.ALL:
        return None
    months = 12 if compare is Compare.YEAR else _MONTHS.get(period)
    if months is None:
        days = window.after - window.first
        return Window(window.first - days, window.first, window.zone)
    last = add_months(window.last, -months)
    if window.after.day == 1:  # whole months stay whole months
        return Window(
            add_months(window.first, -months), add_months(window.after, -months), window.zone
        )
    return Window(add_months(window.first, -months), last + timedelta(days=1), window.zone)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One piece of a period: how it is called and when it begins."""

    key: str
    start_at: datetime


def buckets_of(window: Window, step: Step) -> tuple[Bucket, ...]:
    """Return the months, quarters or years of a window, oldest first."""
    month = window.first.replace(day=1)
    day = month.replace(month=(month.month - 1) // step.months * step.months + 1)
    found: list[Bucket] = []
    while day < window.after:
        found.append(Bucket(name_of(day, step), midnight(day, window.zone)))
        day = add_months(day, step.months)
    return tuple(found)


def name_of(day: date, step: Step) -> str:
    """Return what the piece of a day is called: 2026-09, 2026-Q3, 2026."""
    if step is Step.MONTH:
        return f"{day:%Y-%m}"
    if step is Step.QUARTER:
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    return f"{day.year:04d}"


def bucket_of(buckets: Sequence[Bucket], instant: datetime) -> str:
    """Return the piece in which an instant lies."""
    place = bisect_right([bucket.start_at for bucket in buckets], instant) - 1
    return buckets[max(place, 0)].key
