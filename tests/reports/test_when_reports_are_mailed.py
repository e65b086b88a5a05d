"""Seven on the wall clock: Mondays and firsts of the month, across changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.reports.rhythm import AT, Rhythm, next_instant

BERLIN, SEOUL, NEW_YORK = (
    ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Seoul", "America/New_York")
)


@pytest.mark.parametrize(
    ("rhythm", "after", "zone", "expected"),
    [
        # Sunday noon -> tomorrow, and in Seoul, where it is already Sunday evening, too.
        (Rhythm.WEEKLY, "2026-11-22T12:00+00:00", BERLIN, "2026-11-23T06:00+00:00"),
        (Rhythm.WEEKLY, "2026-11-22T12:00+00:00", SEOUL, "2026-11-22T22:00+00:00"),
        # Monday just before seven, at seven, and after.
        (Rhythm.WEEKLY, "2026-11-23T05:59+00:00", BERLIN, "2026-11-23T06:00+00:00"),
        (Rhythm.WEEKLY, "2026-11-23T06:00+00:00", BERLIN, "2026-11-30T06:00+00:00"),
        (Rhythm.WEEKLY, "2026-11-23T06:01+00:00", BERLIN, "2026-11-30T06:00+00:00"),
        # The clocks change on the Sunday between: seven stays seven.
        (Rhythm.WEEKLY, "2026-10-19T05:00+00:00", BERLIN, "2026-10-26T06:00+00:00"),
        (Rhythm.WEEKLY, "2026-03-23T06:00+00:00", BERLIN, "2026-03-30T05:00+00:00"),
        (Rhythm.MONTHLY, "2026-11-22T12:00+00:00", BERLIN, "2026-12-01T06:00+00:00"),
        (Rhythm.MONTHLY, "2026-12-31T23:00+00:00", BERLIN, "2027-01-01T06:00+00:00"),
        (Rhythm.MONTHLY, "2027-01-31T12:00+00:00", NEW_YORK, "2027-02-01T12:00+00:00"),
        (Rhythm.MONTHLY, "2027-01-31T22:00+00:00", SEOUL, "2027-02-28T22:00+00:00"),
        (Rhythm.MONTHLY, "2028-02-29T12:00+00:00", BERLIN, "2028-03-01T06:00+00:00"),
    ],
)
def test_the_next_time(rhythm: Rhythm, after: str, zone: ZoneInfo, expected: str) -> None:
    assert next_instant(rhythm, datetime.fromisoformat(after), zone) == datetime.fromisoformat(
        expected
    )


@given(
    after=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is given beside
    zone=st.sampled_from([BERLIN, SEOUL, NEW_YORK, ZoneInfo("Australia/Lord_Howe")]),
    rhythm=st.sampled_from(Rhythm),
)
def test_it_is_the_first_of_its_kind_afterwards(
    after: datetime, zone: ZoneInfo, rhythm: Rhythm
) -> None:
    """Against a naive search, day by day."""
    found = next_instant(rhythm, after, zone)
    day = after.astimezone(zone).date()
    while True:
        candidate = datetime.combine(day, AT, zone)
        fits = day.weekday() == 0 if rhythm is Rhythm.WEEKLY else day.day == 1
        if fits and candidate > after:
            break
        day += timedelta(days=1)

    assert found == candidate
