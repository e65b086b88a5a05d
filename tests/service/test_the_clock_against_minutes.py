"""The clock against somebody who sits there and counts minutes.

The counting below knows nothing of intervals: it looks at the wall once a minute, asks whether that
shows opening hours, and keeps what a case is at that minute. Histories, calendars, zones and the
nights in which clocks change are drawn at random, from a seed that each failure names.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from portal.calendars.rules import Calendar, add_business_time, business_time
from portal.service.clock.rules import GaugeState, Signal, Stamp, Targets, clock_of, silence_of

pytestmark = pytest.mark.any_database

MINUTE: Final = timedelta(minutes=1)
ZONES: Final = (
    "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Seoul",
    "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns", "Pacific/Chatham", "Asia/Beirut",
    "America/Santiago", "Atlantic/Azores", "Pacific/Apia", "Asia/Gaza",
)  # fmt: skip
CHANGES: Final = (
    # Days around which some of these zones put their clocks forward or back, or skip a whole day.
    date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1), date(2026, 4, 5),
    date(2026, 10, 4), date(2026, 9, 27), date(2018, 11, 4), date(2018, 2, 18), date(2011, 12, 30),
    date(2026, 2, 15), date(2026, 3, 22), date(2026, 9, 6), date(2024, 4, 21),
)  # fmt: skip
SIGNALS: Final = tuple(Signal)


@dataclass(frozen=True)
class Drawn:
    """One random case."""

    calendar: Calendar
    stamps: tuple[Stamp, ...]
    targets: Targets
    now: datetime


@dataclass
class Counted:
    """What the one who counts minutes has on the sheet."""

    answer: int = 0
    work: int = 0
    silence: int = 0
    state: str = "none"
    answered: bool = False
    waits: bool = False
    answer_due: datetime | None = None
    work_due: datetime | None = None


def _draw(seed: int) -> Drawn:
    dice = random.Random(seed)  # noqa: S311 - dice, no secrets
    zone = ZoneInfo(dice.choice(ZONES))
    middle = datetime.combine(dice.choice(CHANGES), time(dice.randrange(24)), UTC)
    start = middle - timedelta(minutes=dice.randrange(4 * 1440))
    length = dice.randrange(1, 8 * 1440)
    moments = sorted(dice.randrange(length) for _ in range(dice.randrange(9)))
    stamps = [Stamp(start, Signal.OPENED)]
    stamps += [Stamp(start + n * MINUTE, dice.choice(SIGNALS[1:])) for n in moments]
    return Drawn(
        calendar=Calendar(
            zone,
            {day: _spans(dice) for day in range(7) if dice.random() < 0.8},
            frozenset(middle.date() + timedelta(days=dice.randrange(-5, 6)) for _ in range(2)),
            {middle.date() + timedelta(days=dice.randrange(-5, 6)): _spans(dice)},
        ),
        stamps=tuple(stamps),
        targets=Targets(
            timedelta(minutes=dice.randrange(1, 1500)), timedelta(minutes=dice.randrange(1, 4000))
        ),
        now=start + dice.randrange(length + 1) * MINUTE,
    )


def _spans(dice: random.Random) -> tuple[tuple[time, time], ...]:
    if dice.random() < 0.15:
        return ((time(0), time(0)),)
    edges = sorted(dice.sample(range(24 * 4 + 1), dice.choice((2, 2, 4))))
    return tuple(
        (_wall(opens), _wall(closes)) for opens, closes in zip(edges[::2], edges[1::2], strict=True)
    )


def _wall(quarters: int) -> time:
    return time(quarters // 4 % 24, quarters % 4 * 15)


def _shows_opening(calendar: Calendar, at: datetime) -> bool:
    """Look at the wall."""
    wall = at.astimezone(calendar.zone)
    day, shown = wall.date(), wall.time()
    if day in calendar.special:
        spans: Sequence[tuple[time, time]] = calendar.special[day]
    elif day in calendar.holidays:
        spans = ()
    else:
        spans = calendar.week.get(day.weekday(), ())
    return any(opens <= shown and (closes == time(0) or shown < closes) for opens, closes in spans)


def _count(drawn: Drawn) -> Counted:
    """Sit through the case, minute by minute."""
    sheet, coming = Counted(), list(drawn.stamps)
    at = drawn.stamps[0].at
    answer_target = drawn.targets.first_answer
    work_target = drawn.targets.resolution
    assert answer_target is not None
    assert work_target is not None
    while True:
        while coming and coming[0].at <= at:
            _happen(sheet, coming.pop(0).signal)
        if at >= drawn.now:
            return sheet
        if _shows_opening(drawn.calendar, at):
            sheet.answer += not sheet.answered
            sheet.work += sheet.state == "running"
            sheet.silence += sheet.waits
        at += MINUTE
        if sheet.answer_due is None and sheet.answer * MINUTE == answer_target:
            sheet.answer_due = at
        if sheet.work_due is None and sheet.work * MINUTE == work_target:
            sheet.work_due = at


def _happen(sheet: Counted, signal: Signal) -> None:
    said = signal in {Signal.ANSWERED, Signal.WAITING, Signal.RESOLVED, Signal.MERGED}
    if said:
        sheet.answered, sheet.waits, sheet.silence = True, False, 0
    elif not sheet.waits:
        sheet.waits, sheet.silence = True, 0
    moves = {
        ("none", Signal.OPENED): "running",
        ("running", Signal.WAITING): "paused",
        ("paused", Signal.RESUMED): "running",
        ("running", Signal.RESOLVED): "resolved",
        ("paused", Signal.RESOLVED): "resolved",
        ("resolved", Signal.REOPENED): "running",
    }
    if sheet.state != "merged":
        sheet.state = (
            "merged" if signal is Signal.MERGED else moves.get((sheet.state, signal), sheet.state)
        )


def _compare(seed: int) -> GaugeState:
    drawn = _draw(seed)
    clock = clock_of(drawn.stamps, drawn.targets, drawn.calendar, drawn.now)
    silence = silence_of(drawn.stamps, drawn.calendar, drawn.now)
    sheet = _count(drawn)
    assert clock.first_answer.used == sheet.answer * MINUTE, seed
    assert clock.resolution.used == sheet.work * MINUTE, seed
    assert (None if silence is None else silence.lasted) == (
        sheet.silence * MINUTE if sheet.waits else None
    ), seed
    assert clock.is_paused == (sheet.state == "paused"), seed
    assert (clock.resolution.state is GaugeState.BROKEN) == (
        sheet.work * MINUTE > (drawn.targets.resolution or timedelta())
    ), seed
    if sheet.answer_due is not None:
        assert clock.first_answer.due_at == sheet.answer_due, seed
    if sheet.work_due is not None and clock.resolution.state is not GaugeState.PAUSED:
        assert clock.resolution.due_at == sheet.work_due, seed
    return clock.resolution.state


def _agree(seeds: range) -> Iterator[GaugeState]:
    for seed in seeds:
        yield _compare(seed)


def test_the_clock_agrees_with_counted_minutes() -> None:
    assert len(set(_agree(range(60)))) > 2


@pytest.mark.proof(minutes=0.5)
def test_the_clock_agrees_with_counted_minutes_over_thousands_of_histories() -> None:
    states = list(_agree(range(60, 4060)))

    assert len(states) == 4000
    assert min(states.count(state) for state in GaugeState if state is not GaugeState.NONE) > 100


def test_a_deadline_is_where_business_time_says_it_is() -> None:
    """Adding and measuring are two walks over the calendar; they must meet."""
    met = 0
    for seed in range(300):
        drawn = _draw(seed)
        start, wanted = drawn.stamps[0].at, drawn.targets.resolution or MINUTE
        if not any(drawn.calendar.week.values()):
            continue
        due = add_business_time(drawn.calendar, start, wanted)
        assert business_time(drawn.calendar, start, due) == wanted, seed
        assert business_time(drawn.calendar, start, due - MINUTE) == wanted - MINUTE, seed
        met += 1
    assert met > 250


def test_a_clock_that_forgets_the_clock_change_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: without the change in the night the comparison must fail."""
    monkeypatch.setattr("portal.calendars.rules._stretches", _one_offset)

    with pytest.raises(AssertionError):
        list(_agree(range(60)))


def _one_offset(zone: ZoneInfo, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    noon = datetime.combine(day, time(12), UTC)
    offset = noon.astimezone(zone).utcoffset() or timedelta()
    return ((noon - timedelta(days=2), noon + timedelta(days=2), offset),)
