"""When the demo's service teams work, and what is promised to whom."""

from datetime import date, datetime, time
from typing import Final

from portal.calendars.actions import CalendarValues, add_calendar
from portal.calendars.rules import Span
from portal.policy import Actor
from portal.service.clock.actions import fingerprint, save_targets
from portal.service.clock.rules import Targets
from portal.service.clock.targets import DEFAULTS

NINE_TO_SIX: Final[tuple[Span, ...]] = ((time(9), time(18)),)
WITH_LUNCH: Final[tuple[Span, ...]] = ((time(9), time(12)), (time(13), time(18)))
MORNING: Final[tuple[Span, ...]] = ((time(9), time(12)),)
GOLD: Final = "gold"


def set_up_service_hours(operator: Actor, now: datetime) -> None:
    """Make both calendars and the promises by tier."""
    add_calendar(operator, "EUROPE", _europe(now.year), now=now)
    add_calendar(operator, "KOREA", _korea(), now=now)
    save_targets(operator, "", DEFAULTS, seen=fingerprint({}), now=now)
    faster = {
        priority: Targets(
            targets.first_answer and targets.first_answer / 2,
            targets.resolution and targets.resolution / 2,
            targets.warn_after / 2,
            targets.escalate_after / 2,
        )
        for priority, targets in DEFAULTS.items()
        if priority in {"urgent", "high"}
    }
    save_targets(operator, GOLD, {**DEFAULTS, **faster}, seen=fingerprint({}), now=now)


def _europe(year: int) -> CalendarValues:
    return CalendarValues(
        name="Europe, office hours",
        time_zone="Europe/Berlin",
        country="DE",
        subdivision="BE",
        week=dict.fromkeys(range(5), NINE_TO_SIX),
        closed_days=(),
        special_days={date(year, 12, 24): MORNING, date(year, 12, 31): MORNING},
        is_default=True,
    )


def _korea() -> CalendarValues:
    return CalendarValues(
        name="Korea, with a lunch break",
        time_zone="Asia/Seoul",
        country="KR",
        subdivision=None,
        week=dict.fromkeys(range(5), WITH_LUNCH),
        closed_days=(),
        special_days={},
        is_default=False,
    )
