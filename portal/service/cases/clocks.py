"""The clocks of cases: read from their events, by what is promised to their accounts."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from portal.service.cases.models import Case
from portal.service.cases.queries import stamps_of
from portal.service.clock.queries import Measured, Reading, read_all
from portal.service.clock.rules import Clock, GaugeState

NEVER: Final = datetime.max.replace(tzinfo=UTC)


def read_readings(cases: Collection[Case], now: datetime) -> Mapping[int, Reading]:
    """Return clock, silence and promise by case id, in a constant number of statements.

    Each case must have its account and team loaded.
    """
    stamps = stamps_of(cases)
    items = [
        Measured(
            key=case.id,
            stamps=stamps[case.id],
            priority=case.priority.value,
            tier=case.account.tier,
            calendar_code=case.team.calendar_code if case.team else None,
        )
        for case in cases
    ]
    return read_all(items, now)


def find_clocks(cases: Collection[Case], now: datetime) -> Mapping[int, Clock]:
    """Return the clock by case id, as `read_readings` does."""
    return {key: reading.clock for key, reading in read_readings(cases, now).items()}


def is_overdue(clock: Clock) -> bool:
    """Whether a promise is broken whose work is still to be done."""
    return any(
        gauge.state is GaugeState.BROKEN and gauge.ended_at is None
        for gauge in (clock.first_answer, clock.resolution)
    )


def urgency(clock: Clock | None) -> tuple[datetime, timedelta]:
    """Return by what a queue is sorted: what breaks first comes first, what pauses comes last."""
    gauge = clock.next_gauge if clock else None
    if gauge is None:
        return NEVER, timedelta.max
    return gauge.due_at or NEVER, gauge.left if gauge.left is not None else timedelta.max
