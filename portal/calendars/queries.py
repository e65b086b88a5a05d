"""Reading business calendars; they are the supplier's set-up and walled by the page alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time
from typing import Final
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from portal.calendars.hours import spans_of
from portal.calendars.models import BusinessCalendar
from portal.calendars.public import public_holidays
from portal.calendars.rules import Calendar, Span
from portal.config import Settings
from portal.db import db, lock
from portal.errors import N_, NotFoundError

OFFICE_HOURS: Final[Mapping[int, tuple[Span, ...]]] = dict.fromkeys(
    range(5), ((time(9), time(18)),)
)
"""What holds where no calendar has been saved: Monday to Friday, nine to six."""


class CalendarNotFoundError(NotFoundError):
    """There is no such calendar."""

    message = N_("There is no calendar {code}.")


def find_calendars() -> Sequence[BusinessCalendar]:
    """Return all calendars, the default one first, then by code."""
    statement = select(BusinessCalendar).order_by(
        BusinessCalendar.is_default.desc(), BusinessCalendar.code
    )
    return db.session.scalars(statement).all()


def get_calendar(code: str, *, for_update: bool = False) -> BusinessCalendar:
    """Return one calendar.

    Raises:
        CalendarNotFoundError: There is none with this code.
    """
    statement = select(BusinessCalendar).where(BusinessCalendar.code == code)
    found = db.session.scalar(lock(statement) if for_update else statement)
    if found is None:
        raise CalendarNotFoundError(code=code)
    return found


def load_calendar(code: str | None, years: Collection[int]) -> Calendar:
    """Return the calendar with this code, else the default one, with the holidays of ``years``."""
    return load_calendars([code], years)[code or ""]


def load_calendars(codes: Iterable[str | None], years: Collection[int]) -> Mapping[str, Calendar]:
    """Return calendars by code in one statement; no code or an unknown one is the default's.

    Args:
        years: Years whose public holidays count; time is measured in no others.
    """
    rows = {row.code: row for row in find_calendars()}
    default = next((row for row in rows.values() if row.is_default), None)
    made: dict[int | None, Calendar] = {}
    found: dict[str, Calendar] = {}
    for code in {code or "" for code in codes}:
        row = rows.get(code, default)
        key = None if row is None else row.id
        if key not in made:
            made[key] = _office() if row is None else as_calendar(row, years)
        found[code] = made[key]
    return found


def as_calendar(row: BusinessCalendar, years: Collection[int]) -> Calendar:
    """Return a saved calendar as the rules read it."""
    closed = frozenset(date.fromisoformat(day) for day in row.extra_holidays)
    return Calendar(
        ZoneInfo(row.time_zone),
        {int(day): spans_of(spans) for day, spans in row.week.items()},
        closed | public_holidays(row.country, row.subdivision, sorted(years)),
        {date.fromisoformat(day): spans_of(spans) for day, spans in row.extra_workdays.items()},
    )


def _office() -> Calendar:
    settings: Settings = current_app.config["SETTINGS"]
    return Calendar(settings.zone, OFFICE_HOURS)
