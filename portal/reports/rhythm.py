"""When a report is mailed: Mondays, or the first of the month, at seven by the account's clock."""

from datetime import datetime, time, timedelta
from enum import StrEnum, unique
from typing import Final
from zoneinfo import ZoneInfo

from portal.errors import N_

AT: Final = time(7, 0)


@unique
class Rhythm(StrEnum):
    """How often."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _LABELS[self]


_LABELS: Final = {
    Rhythm.WEEKLY: N_("Every Monday at 7:00"),
    Rhythm.MONTHLY: N_("On the first of each month at 7:00"),
}


def next_instant(rhythm: Rhythm, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first time strictly after ``after``, aware, in ``zone``.

    Seven on the wall clock is meant: across a change to or from summer time the distance between
    two mails is an hour shorter or longer.
    """
    local = after.astimezone(zone)
    day = local.date()
    if rhythm is Rhythm.WEEKLY:
        day += timedelta(days=-day.weekday())
        step = timedelta(days=7)
        found = datetime.combine(day, AT, zone)
        return found if found > after else datetime.combine(day + step, AT, zone)
    found = datetime.combine(day.replace(day=1), AT, zone)
    if found > after:
        return found
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return datetime.combine(following, AT, zone)
