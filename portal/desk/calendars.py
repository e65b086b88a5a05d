"""The supplier's business calendars: opening hours, holidays, and trying them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import get_day_names
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from portal.calendars import actions, queries
from portal.calendars.actions import CalendarValues
from portal.calendars.hours import (
    read_days,
    read_spans,
    read_special_days,
    spans_of,
    write_spans,
    write_special_days,
)
from portal.calendars.models import BusinessCalendar
from portal.calendars.public import known_countries, named_holidays
from portal.calendars.rules import Calendar, NeverOpenError, Span, add_business_time
from portal.errors import N_, ConflictError, DomainError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.formats import refusal
from portal.web.forms import CheckField, ChoiceField, CodeField, Form, TextArea, TextField
from portal.web.locale import current_language
from portal.web.numbers import NotANumberError, parse_number
from portal.web.tables import Column, cells_of, file_response, header_of

bp = Blueprint("calendars", __name__, url_prefix="/desk/calendars")

DAYS: Final = range(7)
NEW: Final = "NEW"
MOST_HOURS: Final = 10_000
_KEYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class CodeNotFreeError(InvalidError):
    """A code that is an address of its own, or has other characters than a code has."""

    message = N_("Write a code of letters, digits and hyphens, such as EUROPE.")
    field = "code"


class CalendarForm(Form):
    code = CodeField(_l("Code"))
    name = TextField(_l("Name"))
    time_zone = ChoiceField(_l("Time zone"))
    country = ChoiceField(_l("Public holidays of"), required=False)
    subdivision = CodeField(_l("Region"), required=False, max_length=10)
    day_0 = TextField(required=False)
    day_1 = TextField(required=False)
    day_2 = TextField(required=False)
    day_3 = TextField(required=False)
    day_4 = TextField(required=False)
    day_5 = TextField(required=False)
    day_6 = TextField(required=False)
    extra_holidays = TextArea(_l("Further closed days"), render_kw={"rows": 6})
    extra_workdays = TextArea(_l("Days with their own hours"), render_kw={"rows": 6})
    is_default = CheckField(_l("Default: for teams that name no calendar"))
    seen = HiddenField()

    def offer(self) -> None:
        """Name the weekdays and offer zones and countries in the reader's language."""
        names = get_day_names("wide", locale=str(get_locale() or "en"))
        for day in DAYS:
            self[f"day_{day}"].label.text = names[day]
        zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
        self.time_zone.choices = [(zone, zone.replace("_", " ")) for zone in zones]
        self.country.choices = [("", _("None")), *_countries()]

    def show(self, row: BusinessCalendar) -> None:
        """Fill the form with a saved calendar."""
        self.code.data, self.name.data, self.time_zone.data = row.code, row.name, row.time_zone
        self.country.data, self.subdivision.data = row.country or "", row.subdivision or ""
        for day in DAYS:
            self[f"day_{day}"].data = write_spans(_spans(row, day))
        self.extra_holidays.data = "\n".join(row.extra_holidays)
        self.extra_workdays.data = write_special_days(_special(row))
        self.is_default.data, self.seen.data = row.is_default, str(row.version)

    def values(self) -> CalendarValues | None:
        """Return what was entered; what can't be read is said at its field."""
        week = {day: self._read(f"day_{day}", read_spans) for day in DAYS}
        closed = self._read("extra_holidays", read_days)
        special = self._read("extra_workdays", read_special_days)
        if self.errors:
            return None
        return CalendarValues(
            name=self.name.data or "",
            time_zone=self.time_zone.data or "",
            country=self.country.data or None,
            subdivision=(self.subdivision.data or "").upper() or None,
            week=week,
            closed_days=closed,
            special_days=special,
            is_default=bool(self.is_default.data),
        )

    def _read(self, name: str, reader: Any) -> Any:  # noqa: ANN401 - each reader has its own kind
        try:
            return reader(self[name].data or "")
        except InvalidError as error:
            self.add_error(refusal(error), name)
            return ()


def _countries() -> list[tuple[str, str]]:
    territories = Locale.parse(str(get_locale() or "en")).territories
    names = [(code, str(territories.get(code, code))) for code in known_countries()]
    return sorted(names, key=lambda pair: pair[1])


def _spans(row: BusinessCalendar, day: int) -> tuple[Span, ...]:
    return spans_of(row.week.get(str(day), ()))


def _special(row: BusinessCalendar) -> dict[date, tuple[Span, ...]]:
    return {date.fromisoformat(day): spans_of(spans) for day, spans in row.extra_workdays.items()}


def _day_column(day: int) -> Column[BusinessCalendar]:
    def hours(row: BusinessCalendar) -> str:
        return write_spans(_spans(row, day))

    return Column(key=_KEYS[day], label=_KEYS[day], value=hours)


COLUMNS: Final[Sequence[Column[BusinessCalendar]]] = (
    Column(key="code", label=_l("Code"), value=lambda row: row.code),
    Column(key="name", label=_l("Name"), value=lambda row: row.name),
    Column(key="time_zone", label=_l("Time zone"), value=lambda row: row.time_zone),
    Column(key="country", label=_l("Country"), value=lambda row: row.country or ""),
    Column(key="subdivision", label=_l("Region"), value=lambda row: row.subdivision or ""),
    *(_day_column(day) for day in DAYS),
    Column(
        key="extra_holidays",
        label=_l("Further closed days"),
        value=lambda row: ";".join(row.extra_holidays),
    ),
    Column(
        key="extra_workdays",
        label=_l("Days with their own hours"),
        value=lambda row: write_special_days(_special(row)).replace("\n", ";"),
    ),
    Column(
        key="is_default", label=_l("Default"), value=lambda row: "yes" if row.is_default else "no"
    ),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the list: a calendar, its week in short, and whether it is open now."""

    row: BusinessCalendar
    hours: str
    region: str
    is_open: bool


@bp.get("")
@requires(P.SERVICE_SETUP)
def index() -> ResponseReturnValue:
    rows = queries.find_calendars()
    if request.args.get("format") in {"csv", "xlsx"}:
        return _file(request.args["format"], rows)
    at = now()
    names = dict(_countries())
    shown = [
        Shown(row, week_words(row.week), _region(row, names), _as_calendar(row, at).is_open(at))
        for row in rows
    ]
    return render_template("desk/calendars.html", calendars=shown, at=at)


def _as_calendar(row: BusinessCalendar, at: datetime) -> Calendar:
    return queries.as_calendar(row, range(at.year - 1, at.year + 3))


def _region(row: BusinessCalendar, names: Mapping[str, str]) -> str:
    parts = (names.get(row.country or "", row.country or ""), row.subdivision or "")
    return " · ".join(part for part in parts if part)


def week_words(week: Mapping[str, Any]) -> str:
    """Write a week in short, days with the same hours together: Mon-Fri 09:00-18:00."""
    names = get_day_names("abbreviated", locale=str(get_locale() or "en"))
    shown = []
    for hours, days in groupby(DAYS, lambda day: write_spans(spans_of(week.get(str(day), ())))):
        if hours:
            first, *others = (names[day] for day in days)
            shown.append(f"{f'{first}–{others[-1]}' if others else first} {hours}")
    return ", ".join(shown)


def _file(kind: str, rows: Sequence[BusinessCalendar]) -> ResponseReturnValue:
    header, cells = header_of(COLUMNS), cells_of(COLUMNS, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Calendars")), "calendars.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "calendars.csv")


@bp.route("/new", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def new() -> ResponseReturnValue:
    form = CalendarForm()
    form.offer()
    if not form.is_submitted():
        form.time_zone.data = current_actor().time_zone
        for day in range(5):
            form[f"day_{day}"].data = "09:00-18:00"
        return _edit(form, None)
    if not form.validate_on_submit() or (values := form.values()) is None:
        return _edit(form, None), 422
    try:
        row = actions.add_calendar(current_actor(), _code(form), values, now=now())
    except (InvalidError, ConflictError) as error:
        return _refused(form, None, error)
    flash(_("Calendar %(code)s is saved.", code=row.code), "success")
    return redirect(url_for(".detail", code=row.code), code=303)


def _code(form: CalendarForm) -> str:
    code = (form.code.data or "").upper()
    if code == NEW or not code.replace("-", "").isascii() or not code.replace("-", "").isalnum():
        raise CodeNotFreeError
    return code


def _refused(
    form: CalendarForm, row: BusinessCalendar | None, error: DomainError
) -> ResponseReturnValue:
    form.add_error(error)
    return _edit(form, row), 409 if isinstance(error, ConflictError) else 422


@bp.route("/<code>", methods=["GET", "POST"])
@requires(P.SERVICE_SETUP)
def detail(code: str) -> ResponseReturnValue:
    row, form = queries.get_calendar(code), CalendarForm()
    form.offer()
    if not form.is_submitted():
        form.show(row)
        return _edit(form, row)
    form.code.data = row.code
    if not form.validate() or (values := form.values()) is None:
        return _edit(form, row), 422
    seen = form.seen.data or ""
    try:
        actions.save_calendar(current_actor(), code, values, seen=_version(seen), now=now())
    except (InvalidError, ConflictError) as error:
        return _refused(form, queries.get_calendar(code), error)
    flash(_("Saved. The clocks of all cases follow at once."), "success")
    return redirect(url_for(".detail", code=code), code=303)


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _edit(form: CalendarForm, row: BusinessCalendar | None) -> str:
    return render_template(
        "desk/calendars_detail.html",
        form=form,
        row=row,
        days=[f"day_{day}" for day in DAYS],
        holidays=_coming(row) if row else [],
        tried=_try(row) if row else None,
        regions=known_countries().get(form.country.data or "", ()),
    )


def _coming(row: BusinessCalendar) -> list[tuple[date, str]]:
    """Return the closed days of this and the next year from today on, with their names."""
    today = now().astimezone(ZoneInfo(row.time_zone)).date()
    own = [(date.fromisoformat(day), _("Further closed day")) for day in row.extra_holidays]
    language = current_language().tag
    for year in (today.year, today.year + 1) if row.country else ():
        own += named_holidays(row.country or "", row.subdivision, year, language)
    special = _special(row)
    return [(day, name) for day, name in sorted(own) if day >= today and day not in special]


@dataclass(frozen=True, slots=True)
class Trial:
    """What somebody asked of a calendar: so many business hours from an instant on."""

    start: str
    hours: str
    due: str
    problem: str = ""


def _try(row: BusinessCalendar) -> Trial:
    """Answer when some business hours are over; both are taken from the address."""
    zone = ZoneInfo(row.time_zone)
    start = request.args.get("from", "").strip()
    hours = request.args.get("hours", "").strip()
    if not start or not hours:
        return Trial(f"{now().astimezone(zone):%Y-%m-%dT%H:%M}", hours or "12", "")
    try:
        at = datetime.fromisoformat(start).replace(tzinfo=zone)
        amount = parse_number(hours)
    except (ValueError, NotANumberError):
        problem = _("Enter an instant such as 2026-12-31T16:00 and a number of hours.")
        return Trial(start[:40], hours[:20], "", problem)
    if not 0 < amount <= MOST_HOURS:
        return Trial(start, hours, "", _("Enter hours between 0 and %(most)s.", most=MOST_HOURS))
    return _tried(row, start, hours, at, amount)


def _tried(row: BusinessCalendar, start: str, hours: str, at: datetime, amount: Decimal) -> Trial:
    try:
        years = range(max(at.year - 1, 1), min(at.year + 12, 9999))
        duration = timedelta(minutes=int(amount * 60))
        due = add_business_time(queries.as_calendar(row, years), at, duration)
    except (NeverOpenError, OverflowError):
        return Trial(start, hours, "", _("This calendar has no such time."))
    return Trial(start, hours, f"{due.astimezone(at.tzinfo):%Y-%m-%d %H:%M}")
