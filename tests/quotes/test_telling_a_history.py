from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.quotes.history import told_once

MORNING = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Happened:
    verb: str
    hour: int = 0
    person_id: int | None = 1
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def occurred_at(self) -> datetime:
        return MORNING + timedelta(hours=self.hour)


def verbs(*events: Happened) -> list[str]:
    return [event.verb for event in told_once(events)]


def test_one_step_that_leaves_many_events_is_told_once() -> None:
    assert verbs(
        Happened("quote.created"),
        Happened("quote.lines-added"),
        Happened("quote.submitted", 1),
        Happened("approval.requested", 1, None),
        Happened("approval.approved", 2, 2),
        Happened("approval.finished", 2, 2),
        Happened("quote.approved", 2, 2),
        Happened("order.created", 3),
        Happened("quote.partly-ordered", 3),
        Happened("order.placed", 3),
    ) == ["quote.created", "quote.submitted", "approval.approved", "order.placed"]


def test_what_happened_at_another_instant_stays() -> None:
    assert verbs(
        Happened("quote.created"),
        Happened("quote.lines-added", 1),
        Happened("approval.approved", 2, 2),
        Happened("approval.finished", 3, None),
        Happened("order.created", 4),
        Happened("order.placed", 5),
        Happened("quote.partly-ordered", 6),
    ) == [
        "quote.created",
        "quote.lines-added",
        "approval.approved",
        "approval.finished",
        "order.created",
        "order.placed",
        "quote.partly-ordered",
    ]


def test_the_last_of_many_saves_in_a_row_stands_for_all() -> None:
    told = told_once(
        [
            Happened("quote.created"),
            Happened("quote.saved", 1),
            Happened("quote.saved", 2),
            Happened("quote.saved", 3, 2),
            Happened("quote.submitted", 4),
            Happened("quote.saved", 5),
        ]
    )

    assert [(event.verb, event.occurred_at.hour - 9, event.person_id) for event in told] == [
        ("quote.created", 0, 1),
        ("quote.saved", 2, 1),
        ("quote.saved", 3, 2),
        ("quote.submitted", 4, 1),
        ("quote.saved", 5, 1),
    ]
