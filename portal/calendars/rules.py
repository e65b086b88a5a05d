"""Time counted in business hours: which instants count, how many there are, when so many are over.

An instant counts when the clock on the wall of the calendar's zone shows opening hours at it. What
is added up is the real time that passes: a night in which the clock is put forward lasts an hour
less, one in which it is put back an hour more, and an hour that comes twice counts twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from portal.errors import N_, InvalidError

Span = tuple[time, time]
"""From and to on the wall; a ``to`` of midnight is the end of the day."""
Opening = tuple[datetime, datetime]
"""From and to as instants, half-open."""

MIDNIGHT: Final = time(0)
DAY: Final = timedelta(days=1)
ZERO: Final = timedelta()
LONGEST_CLOSED: Final = 800
"""Days in a row without an opening after which a calendar is taken to be closed for good."""


class NeverOpenError(InvalidError):
    """No opening hours are left in which time could pass."""

    message = N_("The calendar has no business hours from {day} on.")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours of a week in one time zone, and the days that differ.

    Args:
        week: Opening spans by weekday (Monday is 0), in order and apart; a day not named is closed.
        holidays: Days on which nothing is open.
        special: Days with hours of their own; they win over week and holidays.
    """

    zone: ZoneInfo
    week: Mapping[int, tuple[Span, ...]]
    holidays: frozenset[date] = frozenset()
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    # A day's instants never change, and a list of cases asks for the same days over and over.
    _known: dict[date, tuple[Opening, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """Return the opening spans of a day, as the wall clock shows them."""
        if day in self.special:
            return self.special[day]
        return () if day in self.holidays else self.week.get(day.weekday(), ())

    def openings_on(self, day: date) -> tuple[Opening, ...]:
        """Return the opening hours of a day as instants (UTC), in order."""
        known = self._known.get(day)
        if known is None:
            known = tuple(_openings(self.zone, day, self.spans_on(day)))
            self._known[day] = known
        return known

    def is_open(self, at: datetime) -> bool:
        """Whether the instant lies in business hours."""
        day = at.astimezone(self.zone).date()
        return any(start <= at < end for start, end in self.openings_on(day))


def business_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Return the real time that passes in business hours within ``[start, end)``.

    Nothing where ``end`` is not after ``start``.
    """
    total = ZERO
    # Clocks of one zone are compared by what they show, which is wrong in the night of a change.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        return total
    last = end.astimezone(calendar.zone).date()
    for opens, closes in _openings_from(calendar, start, last):
        total += max(ZERO, min(closes, end) - max(opens, start))
    return total


def add_business_time(calendar: Calendar, start: datetime, duration: timedelta) -> datetime:
    """Return the earliest instant at which ``duration`` of business time has passed.

    It is ``start`` itself where the duration is not above zero.

    Raises:
        NeverOpenError: The calendar has no business hours left.
    """
    if duration <= ZERO:
        return start
    left, start = duration, start.astimezone(UTC)
    for opens, closes in _openings_from(calendar, start):
        begin = max(opens, start)
        if closes - begin >= left:
            return begin + left
        left -= max(ZERO, closes - begin)
    raise NeverOpenError(day=start.astimezone(calendar.zone).date())


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """Return ``at`` where it lies in business hours, else when they begin next; None for never."""
    for opens, closes in _openings_from(calendar, at):
        if closes > at:
            return max(opens, at)
    return None


def _openings_from(
    calendar: Calendar, start: datetime, last: date | None = None
) -> Iterator[Opening]:
    """Yield openings from the day of ``start`` on, through ``last``, or until none come."""
    day = start.astimezone(calendar.zone).date()
    closed = 0
    while (closed < LONGEST_CLOSED) if last is None else (day <= last):
        openings = calendar.openings_on(day)
        yield from openings
        closed = 0 if openings else closed + 1
        day += DAY


def _openings(zone: ZoneInfo, day: date, spans: tuple[Span, ...]) -> Iterator[Opening]:
    """Yield a day's spans as instants, cut where the clock is put forward or back."""
    stretches = _stretches(zone, day) if spans else ()
    for stretch_start, stretch_end, offset in stretches:
        for opens, closes in spans:
            begin = datetime.combine(day, opens, UTC) - offset
            end_day = day if closes > MIDNIGHT else day + DAY
            end = datetime.combine(end_day, closes, UTC) - offset
            begin, end = max(begin, stretch_start), min(end, stretch_end)
            if begin < end:
                yield begin, end


def _stretches(zone: ZoneInfo, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Return the times around a local day during which the zone keeps one offset from UTC."""
    start = datetime.combine(day, MIDNIGHT, UTC) - DAY
    end = start + 3 * DAY
    before, after = _offset(zone, start), _offset(zone, end)
    if before == after:
        return ((start, end, before),)
    change = _change(zone, start, end)
    return ((start, change, before), (change, end, after))


def _change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """Return the instant, to the second, from which the offset is no longer that at ``start``."""
    before = _offset(zone, start)
    low, high = 0, int((end - start).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, start + timedelta(seconds=middle)) == before:
            low = middle
        else:
            high = middle
    return start + timedelta(seconds=high)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or ZERO
