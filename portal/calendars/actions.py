"""Saving business calendars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from portal.calendars.hours import spans_plain
from portal.calendars.models import BusinessCalendar
from portal.calendars.public import check_region
from portal.calendars.queries import get_calendar
from portal.calendars.rules import Span
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.events.actions import record
from portal.policy import Actor, P


class AlwaysClosedError(InvalidError):
    """A calendar in which no time ever passes would let no deadline come."""

    message = N_("Give at least one weekday opening hours.")
    field = "day_0"


class UnknownZoneError(InvalidError):
    """The time zone is none that is known."""

    message = N_("“{zone}” is no time zone. Choose one of the list, such as Europe/Berlin.")
    field = "time_zone"


class CalendarTakenError(ConflictError):
    """Another calendar has this code."""

    message = N_("There is a calendar {code} already. Choose another code.")
    field = "code"


class CalendarChangedError(ConflictError):
    """Somebody else saved the calendar meanwhile."""

    message = N_(
        "Calendar {code} was saved by somebody else meanwhile. Open it again to see the change."
    )


class DefaultNeededError(ConflictError):
    """The default calendar stays until another one is made the default."""

    message = N_("{code} is the default. Make another calendar the default instead.")
    field = "is_default"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarValues:
    """What a calendar says, as it was entered and checked."""

    name: str
    time_zone: str
    country: str | None
    subdivision: str | None
    week: Mapping[int, Sequence[Span]]
    closed_days: Sequence[date]
    special_days: Mapping[date, Sequence[Span]]
    is_default: bool

    def check(self) -> None:
        """Refuse what could never work.

        Raises:
            AlwaysClosedError, UnknownZoneError, UnknownCountryError, UnknownSubdivisionError.
        """
        if not any(self.week.values()):
            raise AlwaysClosedError
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError):
            raise UnknownZoneError(zone=self.time_zone[:64]) from None
        check_region(self.country, self.subdivision)


def add_calendar(
    actor: Actor, code: str, values: CalendarValues, *, now: datetime
) -> BusinessCalendar:
    """Add a calendar; the first one is the default.

    Raises:
        CalendarTakenError: The code is taken.
        NotAllowedError, InvalidError: See `CalendarValues.check`.
    """
    actor.must(P.SERVICE_SETUP)
    values.check()
    with transaction():
        codes = set(db.session.scalars(select(BusinessCalendar.code)))
        if code in codes:
            raise CalendarTakenError(code=code)
        row = BusinessCalendar(code=code)
        _fill(row, values, is_default=values.is_default or not codes)
        db.session.add(row)
        db.session.flush()
        _record(actor, "calendar.added", row, now)
    return row


def save_calendar(
    actor: Actor, code: str, values: CalendarValues, *, seen: int, now: datetime
) -> BusinessCalendar:
    """Change a calendar; every clock follows at once, since none is stored.

    Args:
        seen: The version that the form showed.

    Raises:
        CalendarNotFoundError, CalendarChangedError, DefaultNeededError: See there.
        NotAllowedError, InvalidError: See `CalendarValues.check`.
    """
    actor.must(P.SERVICE_SETUP)
    values.check()
    with transaction():
        row = get_calendar(code, for_update=True)
        if row.version != seen:
            raise CalendarChangedError(code=code)
        if row.is_default and not values.is_default:
            raise DefaultNeededError(code=code)
        _fill(row, values, is_default=values.is_default)
        row.version += 1
        _record(actor, "calendar.changed", row, now)
    return row


def _fill(row: BusinessCalendar, values: CalendarValues, *, is_default: bool) -> None:
    if is_default and not row.is_default:
        db.session.execute(update(BusinessCalendar).values(is_default=False))
    row.name, row.time_zone = values.name, values.time_zone
    row.country, row.subdivision = values.country or None, values.subdivision or None
    row.week = {str(day): spans_plain(spans) for day, spans in sorted(values.week.items()) if spans}
    row.extra_holidays = [day.isoformat() for day in values.closed_days]
    row.extra_workdays = {
        day.isoformat(): spans_plain(spans) for day, spans in values.special_days.items()
    }
    row.is_default = is_default
    row.version = row.version or 1


def _record(actor: Actor, verb: str, row: BusinessCalendar, now: datetime) -> None:
    record(
        actor,
        verb,
        kind="calendar",
        object_id=row.id,
        number=row.code,
        account_id=actor.account_id,
        now=now,
        time_zone=row.time_zone,
        country=row.country,
        subdivision=row.subdivision,
        week=row.week,
        extra_holidays=row.extra_holidays,
        extra_workdays=row.extra_workdays,
        is_default=row.is_default,
    )
