"""The clock of a case, told from what happened to it."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.calendars.rules import Calendar
from portal.service.clock.rules import (
    Clock,
    GaugeState,
    Signal,
    Stamp,
    Targets,
    clock_of,
    silence_of,
)

pytestmark = pytest.mark.any_database

OFFICE = Calendar(ZoneInfo("UTC"), dict.fromkeys(range(5), ((time(9), time(17)),)))
TARGETS = Targets(first_answer=timedelta(hours=4), resolution=timedelta(hours=16))
HOUR = timedelta(hours=1)
S = Signal


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of the week that begins on Monday, 2 November 2026."""
    return datetime(2026, 11, 1 + day, hour, minute, tzinfo=UTC)


def history(*moments: tuple[Signal, int, int]) -> list[Stamp]:
    return [Stamp(at(day, hour), signal) for signal, day, hour in moments]


def read(stamps: list[Stamp], now: datetime) -> Clock:
    return clock_of(stamps, TARGETS, OFFICE, now)


def test_both_promises_run_from_the_opening() -> None:
    clock = read(history((S.OPENED, 1, 10)), at(1, 12))

    assert (clock.first_answer.state, clock.first_answer.left) == (GaugeState.RUNNING, 2 * HOUR)
    assert clock.first_answer.due_at == at(1, 14)
    assert (clock.resolution.used, clock.resolution.due_at) == (2 * HOUR, at(3, 10))
    assert clock.next_gauge is clock.first_answer


def test_the_evening_costs_nothing_and_the_page_can_say_when_time_goes_on() -> None:
    clock = read(history((S.OPENED, 5, 16)), at(6, 12))

    assert clock.first_answer.used == HOUR
    assert clock.opens_at == at(8, 9)
    assert clock.first_answer.due_at == at(8, 12)


def test_an_answer_stops_the_first_promise_only() -> None:
    clock = read(history((S.OPENED, 1, 10), (S.ANSWERED, 1, 13)), at(2, 10))

    assert (clock.first_answer.state, clock.first_answer.used) == (GaugeState.MET, 3 * HOUR)
    assert clock.first_answer.ended_at == at(1, 13)
    assert (clock.resolution.state, clock.resolution.used) == (GaugeState.RUNNING, 8 * HOUR)


def test_an_answer_that_came_late_stays_late() -> None:
    clock = read(history((S.OPENED, 1, 10), (S.ANSWERED, 1, 15)), at(9, 10))

    assert (clock.first_answer.state, clock.first_answer.left) == (GaugeState.BROKEN, -HOUR)
    assert clock.first_answer.due_at == at(1, 14)
    assert clock.is_broken


def test_asking_back_is_an_answer_and_pauses_the_rest() -> None:
    clock = read(history((S.OPENED, 1, 10), (S.WAITING, 1, 12)), at(12, 12))

    assert clock.first_answer.state is GaugeState.MET
    assert (clock.resolution.state, clock.resolution.used) == (GaugeState.PAUSED, 2 * HOUR)
    assert (clock.resolution.due_at, clock.is_paused) == (None, True)
    assert clock.paused_since == at(1, 12)


def test_the_clock_goes_on_with_the_customers_reply() -> None:
    stamps = history((S.OPENED, 1, 10), (S.WAITING, 1, 12), (S.RESUMED, 4, 9))

    clock = read(stamps, at(4, 11))

    assert clock.resolution.used == 4 * HOUR
    assert clock.resolution.due_at == at(5, 15)


def test_a_resolved_case_stands_still_until_it_is_opened_again() -> None:
    stamps = history((S.OPENED, 1, 9), (S.RESOLVED, 1, 12), (S.REOPENED, 9, 9))

    assert read(stamps[:2], at(8, 9)).resolution.state is GaugeState.MET
    again = read(stamps, at(9, 11)).resolution
    assert (again.state, again.used, again.ended_at) == (GaugeState.RUNNING, 5 * HOUR, None)


def test_a_promise_broken_before_a_pause_says_when() -> None:
    stamps = history((S.OPENED, 1, 9), (S.ANSWERED, 1, 10), (S.WAITING, 4, 9), (S.RESUMED, 5, 9))

    gauge = read(stamps, at(5, 10)).resolution

    assert (gauge.state, gauge.left) == (GaugeState.BROKEN, -9 * HOUR)
    assert gauge.due_at == at(2, 17)


def test_what_the_customer_adds_unasked_changes_no_promise_but_waits_for_an_answer() -> None:
    stamps = history((S.OPENED, 1, 9), (S.ANSWERED, 1, 10), (S.RESUMED, 1, 14))

    assert read(stamps, at(1, 16)).resolution.used == 7 * HOUR
    silence = silence_of(stamps, OFFICE, at(2, 10))
    assert silence is not None
    assert (silence.since, silence.lasted) == (at(1, 14), 4 * HOUR)


def test_nobody_is_silent_towards_whom_all_was_answered() -> None:
    for last in (S.ANSWERED, S.WAITING, S.RESOLVED, S.MERGED):
        stamps = history((S.OPENED, 1, 9), (S.RESUMED, 1, 10), (last, 1, 11))
        assert silence_of(stamps, OFFICE, at(9, 9)) is None


def test_the_oldest_unanswered_word_counts() -> None:
    stamps = history((S.OPENED, 1, 9), (S.RESUMED, 2, 9), (S.RESUMED, 3, 9))

    silence = silence_of(stamps, OFFICE, at(3, 10))

    assert silence is not None
    assert silence.lasted == 17 * HOUR


def test_a_merged_case_has_ended_whatever_comes_after() -> None:
    stamps = history((S.OPENED, 1, 9), (S.MERGED, 1, 11), (S.REOPENED, 1, 12), (S.RESUMED, 1, 13))

    clock = read(stamps, at(9, 9))

    assert (clock.resolution.used, clock.resolution.state) == (2 * HOUR, GaugeState.MET)
    assert clock.next_gauge is None


def test_what_is_promised_to_nobody_is_not_broken() -> None:
    clock = clock_of(history((S.OPENED, 1, 9)), Targets(None, None), OFFICE, at(29, 9))

    assert {clock.first_answer.state, clock.resolution.state} == {GaugeState.NONE}
    assert (clock.is_broken, clock.next_gauge) == (False, None)


def test_later_events_have_not_happened_yet() -> None:
    stamps = history((S.ANSWERED, 1, 13), (S.OPENED, 1, 10))

    assert read(stamps, at(1, 12)).first_answer.state is GaugeState.RUNNING
    assert read(stamps, at(1, 14)).first_answer.state is GaugeState.MET
