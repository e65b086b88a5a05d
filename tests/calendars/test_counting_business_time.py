"""Business time on paper: evenings, weekends, holidays, zones and nights of the clock change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.calendars.rules import (
    Calendar,
    NeverOpenError,
    add_business_time,
    business_time,
    next_opening,
)

pytestmark = pytest.mark.any_database

BERLIN, SEOUL, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Seoul"), ZoneInfo("US/Eastern")
NINE_TO_SIX = ((time(9), time(18)),)
OFFICE = Calendar(BERLIN, dict.fromkeys(range(5), NINE_TO_SIX))
ALWAYS = Calendar(BERLIN, dict.fromkeys(range(7), ((time(0), time(0)),)))
HOUR = timedelta(hours=1)


def berlin(text: str) -> datetime:
    """An instant by the wall clock of Berlin, in UTC so that it can be compared."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-24T10:00", "2026-11-24T12:00", 2),
        ("2026-11-24T06:00", "2026-11-24T22:00", 9),
        ("2026-11-24T17:00", "2026-11-25T10:00", 2),
        ("2026-11-27T17:00", "2026-11-30T10:00", 2),  # over a weekend
        ("2026-11-28T08:00", "2026-11-29T20:00", 0),  # within it
        ("2026-11-24T18:00", "2026-11-25T09:00", 0),  # closing time is not open any more
        ("2026-11-24T12:00", "2026-11-24T10:00", 0),  # backwards
        ("2026-11-02T09:00", "2026-11-30T18:00", 21 * 9),
    ],
)
def test_only_opening_hours_pass(start: str, end: str, hours: int) -> None:
    assert business_time(OFFICE, berlin(start), berlin(end)) == hours * HOUR


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-11-24T10:00", 2, "2026-11-24T12:00"),
        ("2026-11-24T09:00", 9, "2026-11-24T18:00"),  # the end of the day, not the next morning
        ("2026-11-24T20:00", 1, "2026-11-25T10:00"),
        ("2026-11-27T16:00", 12, "2026-12-01T10:00"),  # Friday afternoon: Tuesday morning
        ("2026-11-28T12:00", 0, "2026-11-28T12:00"),
    ],
)
def test_a_deadline_is_the_first_instant_at_which_the_time_is_used(
    start: str, hours: int, expected: str
) -> None:
    assert add_business_time(OFFICE, berlin(start), hours * HOUR) == berlin(expected)


def test_a_holiday_is_closed_and_a_special_day_has_its_own_hours() -> None:
    calendar = Calendar(
        BERLIN,
        dict.fromkeys(range(5), NINE_TO_SIX),
        holidays=frozenset({date(2026, 12, 25), date(2026, 12, 26)}),
        special={date(2026, 12, 24): ((time(9), time(12)),), date(2026, 12, 26): NINE_TO_SIX},
    )

    passed = business_time(calendar, berlin("2026-12-23T17:00"), berlin("2026-12-28T10:00"))

    # an hour on Wednesday, three on Christmas Eve, none on Friday, nine on the Saturday that is
    # worked although it is a holiday, one on Monday
    assert passed == 14 * HOUR


def test_a_holiday_is_one_where_the_calendar_is_not_where_the_customer_is() -> None:
    new_year_in_seoul = Calendar(
        SEOUL, dict.fromkeys(range(7), NINE_TO_SIX), frozenset({date(2027, 1, 1)})
    )

    # 23:30 of 31 December in Berlin is the morning of the holiday in Seoul
    assert not new_year_in_seoul.is_open(berlin("2027-01-01T02:00"))
    assert new_year_in_seoul.is_open(berlin("2027-01-02T02:00"))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28T12:00", "2026-03-29T12:00", 23),  # put forward
        ("2026-10-24T12:00", "2026-10-25T12:00", 25),  # put back
    ],
)
def test_the_night_of_the_clock_change_has_the_hours_it_has(
    start: str, end: str, hours: int
) -> None:
    assert business_time(ALWAYS, berlin(start), berlin(end)) == hours * HOUR


def test_an_hour_that_comes_twice_counts_twice() -> None:
    night = Calendar(BERLIN, {6: ((time(2, 30), time(4)),)})

    # 2:30 to 3:00 shows on the wall twice in that night, with half an hour between
    passed = business_time(night, berlin("2026-10-25T00:00"), berlin("2026-10-25T12:00"))

    assert passed == timedelta(hours=2)
    assert night.openings_on(date(2026, 10, 25)) == (
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 3, 0, tzinfo=UTC)),
    )


def test_an_hour_that_does_not_come_is_not_counted() -> None:
    night = Calendar(BERLIN, {6: ((time(2), time(3)),)})

    assert night.openings_on(date(2026, 3, 29)) == ()
    assert night.openings_on(date(2026, 4, 5)) != ()


def test_the_wall_clock_opens_at_the_same_hour_before_and_after_the_change() -> None:
    calendar = Calendar(NEW_YORK, dict.fromkeys(range(7), NINE_TO_SIX))
    opens = [calendar.openings_on(day)[0][0] for day in (date(2026, 3, 7), date(2026, 3, 9))]

    assert [at.astimezone(UTC).hour for at in opens] == [14, 13]


def test_a_calendar_that_never_opens_refuses_deadlines() -> None:
    closed = Calendar(BERLIN, {})

    with pytest.raises(NeverOpenError, match="no business hours from 2026-11-24"):
        add_business_time(closed, berlin("2026-11-24T10:00"), HOUR)
    assert next_opening(closed, berlin("2026-11-24T10:00")) is None


def test_the_next_opening_is_now_while_it_is_open() -> None:
    inside, friday_night = berlin("2026-11-24T10:00"), berlin("2026-11-27T20:00")

    assert next_opening(OFFICE, inside) == inside
    assert next_opening(OFFICE, friday_night) == berlin("2026-11-30T09:00")
