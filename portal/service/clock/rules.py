"""The clock of a case, worked out from what happened to it: nothing of it is ever stored.

Two promises run in business hours: until the first public answer of an agent, and until the case is
resolved. The second one pauses while the supplier waits for the customer, and stands still between
a resolution and the case being opened again. Asking back and resolving are answers, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

from portal.calendars.rules import (
    ZERO,
    Calendar,
    add_business_time,
    business_time,
    next_opening,
)


@unique
class Signal(StrEnum):
    """What moves the clock of a case."""

    OPENED = "opened"
    ANSWERED = "answered"
    WAITING = "waiting"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    MERGED = "merged"


ANSWERS: Final = frozenset({Signal.ANSWERED, Signal.WAITING, Signal.RESOLVED, Signal.MERGED})
"""What an agent did that the customer heard of: nobody can say that nobody answered."""
SPEAKS: Final = frozenset({Signal.OPENED, Signal.RESUMED, Signal.REOPENED})
"""What a customer did that wants an answer."""


@unique
class GaugeState(StrEnum):
    """How a promise stands."""

    NONE = "none"
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Stamp:
    """One thing that moved the clock, and when."""

    at: datetime
    signal: Signal


@dataclass(frozen=True, slots=True)
class Targets:
    """What is promised, in business time; ``None`` promises nothing.

    ``warn_after`` and ``escalate_after`` say how long the customer's word may stay without an
    answer before the team and then its manager is told.
    """

    first_answer: timedelta | None
    resolution: timedelta | None
    warn_after: timedelta = timedelta(hours=12)
    escalate_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Gauge:
    """One promise: what of it is used (business time) and what is left, below zero when broken.

    ``due_at`` is the instant at which the promise breaks, broke, or would have broken; ``None``
    while it pauses. ``ended_at`` is when it was kept, or the case ended.
    """

    target: timedelta | None
    used: timedelta
    left: timedelta | None
    state: GaugeState
    due_at: datetime | None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """Both promises of a case at one instant, and why time stands still, if it does."""

    first_answer: Gauge
    resolution: Gauge
    is_paused: bool
    paused_since: datetime | None = None
    opens_at: datetime | None = None
    """When business hours begin next, where the instant lies outside them and something runs."""
    running_since: datetime | None = None
    """When the case was opened, or opened again; ``None`` while it has ended."""

    @property
    def is_broken(self) -> bool:
        """Whether a promise was not kept."""
        return GaugeState.BROKEN in (self.first_answer.state, self.resolution.state)

    @property
    def next_gauge(self) -> Gauge | None:
        """The promise that is to be kept next, for lists; None where none is open."""
        for gauge in (self.first_answer, self.resolution):
            if gauge.target is not None and gauge.ended_at is None:
                return gauge
        return None


@dataclass(frozen=True, slots=True)
class Silence:
    """A customer's word that nobody has answered yet: since when, for how much business time."""

    since: datetime
    lasted: timedelta


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch during which a promise ran; an open one has no end."""

    start: datetime
    end: datetime | None


def clock_of(stamps: Iterable[Stamp], targets: Targets, calendar: Calendar, now: datetime) -> Clock:
    """Return the clock of a case at ``now``, from what happened until then.

    Stamps may come in any order; those after ``now`` have not happened yet.
    """
    happened = _until(stamps, now)
    answer_runs, answered_at = _answer_runs(happened)
    work_runs, waiting_since, ended_at = _work_runs(happened)
    is_paused = waiting_since is not None
    return Clock(
        first_answer=_gauge(targets.first_answer, answer_runs, answered_at, calendar, now),
        resolution=_gauge(targets.resolution, work_runs, ended_at, calendar, now),
        is_paused=is_paused,
        paused_since=waiting_since,
        opens_at=_opens_at(calendar, now) if work_runs and work_runs[-1].end is None else None,
        running_since=None if ended_at is not None else _begun(happened),
    )


def silence_of(stamps: Iterable[Stamp], calendar: Calendar, now: datetime) -> Silence | None:
    """Return the oldest word of the customer that nobody has answered; None where there is none."""
    since: datetime | None = None
    for stamp in _until(stamps, now):
        if stamp.signal in ANSWERS:
            since = None
        elif stamp.signal in SPEAKS and since is None:
            since = stamp.at
    if since is None:
        return None
    return Silence(since, business_time(calendar, since, now))


def _until(stamps: Iterable[Stamp], now: datetime) -> list[Stamp]:
    """Return what happened until ``now`` in order; of one instant, in the order it came."""
    return sorted((stamp for stamp in stamps if stamp.at <= now), key=lambda stamp: stamp.at)


def _begun(stamps: Sequence[Stamp]) -> datetime | None:
    begins = {Signal.OPENED, Signal.REOPENED}
    return max((stamp.at for stamp in stamps if stamp.signal in begins), default=None)


def _opens_at(calendar: Calendar, now: datetime) -> datetime | None:
    return None if calendar.is_open(now) else next_opening(calendar, now)


def _answer_runs(stamps: Sequence[Stamp]) -> tuple[list[_Run], datetime | None]:
    """Return the one stretch until the first answer, and when that came."""
    opened = next((stamp.at for stamp in stamps if stamp.signal is Signal.OPENED), None)
    if opened is None:
        return [], None
    answered = next(
        (stamp.at for stamp in stamps if stamp.signal in ANSWERS and stamp.at >= opened), None
    )
    return [_Run(opened, answered)], answered


def _work_runs(
    stamps: Sequence[Stamp],
) -> tuple[list[_Run], datetime | None, datetime | None]:
    """Return the stretches of work, since when the customer is waited for, when the case ended."""
    runs: list[_Run] = []
    running: datetime | None = None
    waiting: datetime | None = None
    ended: datetime | None = None
    for stamp in stamps:
        if not _moves(stamp.signal, running, waiting, ended):
            continue
        if running is not None:
            runs.append(_Run(running, stamp.at))
        starts = stamp.signal in SPEAKS
        running = stamp.at if starts else None
        waiting = stamp.at if stamp.signal is Signal.WAITING else None
        ended = stamp.at if stamp.signal in {Signal.RESOLVED, Signal.MERGED} else None
        if stamp.signal is Signal.MERGED:
            break
    if running is not None:
        runs.append(_Run(running, None))
    return runs, waiting, ended


def _moves(
    signal: Signal, running: datetime | None, waiting: datetime | None, ended: datetime | None
) -> bool:
    """Whether a signal changes anything in the state that the work is in."""
    is_new = running is None and waiting is None and ended is None
    return {
        Signal.OPENED: is_new,
        Signal.ANSWERED: False,
        Signal.WAITING: running is not None,
        Signal.RESUMED: waiting is not None,
        Signal.RESOLVED: running is not None or waiting is not None,
        Signal.REOPENED: ended is not None,
        Signal.MERGED: not is_new,
    }[signal]


def _gauge(
    target: timedelta | None,
    runs: Sequence[_Run],
    ended_at: datetime | None,
    calendar: Calendar,
    now: datetime,
) -> Gauge:
    spent = [business_time(calendar, run.start, run.end or now) for run in runs]
    used = sum(spent, ZERO)
    if target is None or not runs:
        left = None if target is None else target - used
        return Gauge(target, used, left, GaugeState.NONE, None, ended_at)
    left = target - used
    is_open = runs[-1].end is None
    state = _state(left, is_open=is_open, has_ended=ended_at is not None)
    due_at = None if state is GaugeState.PAUSED else _due(target, runs, spent, calendar)
    return Gauge(target, used, left, state, due_at, ended_at)


def _state(left: timedelta, *, is_open: bool, has_ended: bool) -> GaugeState:
    if left < ZERO:
        return GaugeState.BROKEN
    if is_open:
        return GaugeState.RUNNING
    return GaugeState.MET if has_ended else GaugeState.PAUSED


def _due(
    target: timedelta, runs: Sequence[_Run], spent: Sequence[timedelta], calendar: Calendar
) -> datetime:
    """Return when the target is or was used up; runs that end before it count, the last goes on."""
    left = target
    for run, used in zip(runs[:-1], spent[:-1], strict=True):
        if used >= left:
            return add_business_time(calendar, run.start, left)
        left -= used
    return add_business_time(calendar, runs[-1].start, left)
