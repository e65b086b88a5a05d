"""Calendars as the service sets them up: what is refused, what is kept, what it does to clocks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from portal.calendars.actions import (
    AlwaysClosedError,
    CalendarChangedError,
    CalendarValues,
    DefaultNeededError,
    add_calendar,
    save_calendar,
)
from portal.calendars.hours import (
    DayError,
    HoursError,
    HoursOrderError,
    read_days,
    read_spans,
    read_special_days,
    write_spans,
)
from portal.calendars.public import UnknownSubdivisionError, check_region, public_holidays
from portal.calendars.queries import get_calendar, load_calendar, load_calendars
from portal.calendars.rules import add_business_time
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.events.queries import find_events
from tests.stage import Counted, PortalClient

Rows = Callable[[], dict[str, tuple[int, str]]]

NINE_TO_SIX = ((time(9), time(18)),)


def values(**changes: object) -> CalendarValues:
    facts: dict[str, object] = {
        "name": "Office",
        "time_zone": "Europe/Vienna",
        "country": "AT",
        "subdivision": None,
        "week": dict.fromkeys(range(5), NINE_TO_SIX),
        "closed_days": (),
        "special_days": {},
        "is_default": False,
    }
    return CalendarValues(**(facts | changes))  # type: ignore[arg-type]  # facts by name


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("09:00-12:30, 13:30-18:00", "09:00-12:30, 13:30-18:00"),
        ("9-17", "09:00-17:00"),
        ("9.15 – 24:00", "09:15-24:00"),
        ("0:00-24:00", "00:00-24:00"),
        (" ", ""),
    ],
)
def test_hours_are_read_as_people_write_them(written: str, kept: str) -> None:
    assert write_spans(read_spans(written)) == kept


@pytest.mark.any_database
@pytest.mark.parametrize("written", ["nine to five", "9-25", "09:75-10:00", "9-", "9-24:30"])
def test_hours_that_can_not_be_read_are_refused(written: str) -> None:
    with pytest.raises(HoursError, match="no opening hours"):
        read_spans(written)


@pytest.mark.any_database
@pytest.mark.parametrize("written", ["18-9", "9-12, 11-18", "13-18, 9-12", "9-9"])
def test_hours_that_overlap_or_run_backwards_are_refused(written: str) -> None:
    with pytest.raises(HoursOrderError, match="later than the one before"):
        read_spans(written)


@pytest.mark.any_database
def test_days_are_read_once_and_in_order_and_a_wrong_line_is_named() -> None:
    assert read_days("2026-12-31\n\n2026-12-24\n2026-12-24") == (
        date(2026, 12, 24),
        date(2026, 12, 31),
    )
    assert read_special_days("2026-12-24 9-12") == {date(2026, 12, 24): ((time(9), time(12)),)}
    with pytest.raises(DayError, match="Line 2: “tomorrow”"):
        read_days("2026-12-24\ntomorrow")
    with pytest.raises(HoursError):
        read_special_days("2026-12-24")


@pytest.mark.any_database
def test_public_holidays_are_those_of_country_and_region() -> None:
    berlin, bavaria = (public_holidays("DE", part, [2026]) for part in ("BE", "BY"))

    assert date(2026, 3, 8) in berlin - bavaria  # women's day
    assert date(2026, 1, 6) in bavaria - berlin  # epiphany
    assert public_holidays(None, None, [2026]) == frozenset()
    with pytest.raises(UnknownSubdivisionError, match="DE has no region XX"):
        check_region("DE", "XX")


def test_without_any_calendar_office_hours_of_the_supplier_hold(app: Flask) -> None:
    calendar = load_calendar(None, [2026])

    assert calendar.zone == app.config["SETTINGS"].zone
    assert calendar.spans_on(date(2026, 12, 25)) == NINE_TO_SIX
    assert calendar.spans_on(date(2026, 12, 26)) == ()


def test_a_saved_calendar_moves_deadlines(cast: Cast, now: datetime) -> None:
    add_calendar(
        cast.supplier.service_agent,
        "VIENNA",
        values(
            closed_days=(date(2026, 12, 7),),
            special_days={date(2026, 12, 8): ((time(9), time(10)),)},
        ),
        now=now,
    )

    calendar = load_calendar("VIENNA", [2026])
    friday = datetime(2026, 12, 4, 17, tzinfo=ZoneInfo("Europe/Vienna")).astimezone(UTC)

    # an hour on Friday; Monday is closed, Tuesday a holiday that is worked for an hour
    assert add_business_time(calendar, friday, timedelta(hours=3)) == datetime(
        2026, 12, 9, 9, tzinfo=UTC
    )


def test_calendars_of_many_codes_cost_one_statement(
    cast: Cast, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    assert cast.acme.account_id
    with count_statements() as counted:
        found = load_calendars(["EUROPE", "KOREA", None, "GONE"], range(2026, 2029))

    assert counted.total == 1
    assert found["GONE"] is found[""] is found["EUROPE"]
    assert found["KOREA"].zone.key == "Asia/Seoul"


def test_there_is_one_default(cast: Cast, now: datetime) -> None:
    agent = cast.supplier.service_agent

    add_calendar(agent, "VIENNA", values(is_default=True), now=now)

    assert get_calendar("VIENNA").is_default
    assert not get_calendar("EUROPE").is_default
    assert load_calendar(None, [2026]).zone.key == "Europe/Vienna"


def test_the_default_stays_until_another_one_is(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(DefaultNeededError, match="EUROPE is the default"):
        save_calendar(cast.supplier.service_agent, "EUROPE", values(), seen=1, now=now)

    assert business_rows() == before


def test_a_calendar_that_is_always_closed_is_refused(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(AlwaysClosedError, match="at least one weekday"):
        add_calendar(cast.supplier.service_agent, "NEVER", values(week={}), now=now)

    assert business_rows() == before


def test_the_second_of_two_who_save_at_once_sees_that_it_changed(cast: Cast, now: datetime) -> None:
    agent = cast.supplier.service_agent
    save_calendar(agent, "KOREA", values(name="First"), seen=1, now=now)

    with pytest.raises(CalendarChangedError, match="saved by somebody else"):
        save_calendar(agent, "KOREA", values(name="Second"), seen=1, now=now)

    assert get_calendar("KOREA").name == "First"


def test_whoever_may_not_set_the_service_up_changes_no_calendar(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(NotAllowedError):
        add_calendar(cast.supplier.order_desk, "MINE", values(), now=now)

    assert business_rows() == before


def test_saving_is_noted_in_the_record(cast: Cast, now: datetime) -> None:
    agent = cast.supplier.service_agent
    row = save_calendar(agent, "KOREA", values(), seen=1, now=now)

    event = find_events(agent.account_id, [("calendar", row.id)])[-1]
    assert (event.verb, event.number) == ("calendar.changed", "KOREA")
    assert event.data["week"]["0"] == [["09:00", "18:00"]]


FORM = {
    "code": "vienna",
    "name": "Vienna",
    "time_zone": "Europe/Vienna",
    "country": "AT",
    "day_0": "9-12, 13-17",
    "extra_holidays": "2026-12-24",
    "extra_workdays": "2026-12-31 9-12",
}


@pytest.fixture
def desk(cast: Cast, sign_in: Callable[[str], PortalClient]) -> PortalClient:
    assert cast.acme.account_id  # the small world is there
    return sign_in("service@northwind.example")


def test_a_calendar_is_made_and_changed_on_its_page(desk: PortalClient) -> None:
    made = desk.post("/desk/calendars/new", data=FORM)
    assert made.headers["Location"] == "/desk/calendars/VIENNA"

    page = desk.get("/desk/calendars/VIENNA").get_data(as_text=True)
    assert 'value="09:00-12:00, 13:00-17:00"' in page
    changed = desk.post(
        "/desk/calendars/VIENNA", data=FORM | {"seen": "1", "name": "Wien", "day_0": "10-16"}
    )

    assert changed.status_code == 303
    listed = desk.get("/desk/calendars").get_data(as_text=True)
    assert "Wien" in listed
    assert "Mon 10:00-16:00" in listed
    assert "Mon–Fri 09:00-18:00<" in listed


def test_what_can_not_be_read_is_said_at_its_field_and_nothing_typed_is_lost(
    desk: PortalClient, business_rows: Rows
) -> None:
    before = business_rows()

    answer = desk.post(
        "/desk/calendars/new",
        data=FORM | {"day_0": "mornings", "extra_holidays": "Christmas", "subdivision": "9"},
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "“mornings” are no opening hours" in page
    assert "Line 1: “Christmas” is no day" in page
    assert 'value="mornings"' in page
    assert business_rows() == before


@pytest.mark.parametrize("code", ["new", "a b", "ä", "a/b"])
def test_a_code_that_is_no_address_is_refused(desk: PortalClient, code: str) -> None:
    answer = desk.post("/desk/calendars/new", data=FORM | {"code": code})

    assert answer.status_code == 422
    assert "letters, digits and hyphens" in answer.get_data(as_text=True)


def test_an_old_form_is_answered_with_the_change(desk: PortalClient) -> None:
    desk.post("/desk/calendars/new", data=FORM)
    desk.post("/desk/calendars/VIENNA", data=FORM | {"seen": "1", "name": "First"})

    late = desk.post("/desk/calendars/VIENNA", data=FORM | {"seen": "1", "name": "Second"})

    assert late.status_code == 409
    assert "saved by somebody else" in late.get_data(as_text=True)
    assert get_calendar("VIENNA").name == "First"


def test_a_deadline_can_be_tried_out(desk: PortalClient) -> None:
    page = desk.get("/desk/calendars/EUROPE?from=2026-12-23T16:00&hours=12")

    assert "2026-12-28 16:00" in page.get_data(as_text=True)
    for wrong in ("from=soon&hours=12", "from=2026-12-23T16:00&hours=many"):
        answer = desk.get(f"/desk/calendars/EUROPE?{wrong}")
        assert answer.status_code == 200
        assert "Enter an instant such as" in answer.get_data(as_text=True)
    for far in ("9999-12-31T16:00", "0001-01-01T00:00"):
        assert desk.get(f"/desk/calendars/EUROPE?from={far}&hours=9999").status_code == 200


def test_the_list_is_exported_as_shown(desk: PortalClient) -> None:
    text = desk.get("/desk/calendars?format=csv").get_data(as_text=True)

    assert text.splitlines()[0].lstrip("\ufeff").startswith("code,name,time_zone,country")
    assert "KOREA" in text
    assert '"09:00-12:00, 13:00-18:00"' in text
    assert desk.get("/desk/calendars?format=xlsx").data[:2] == b"PK"


def test_the_pages_are_the_service_s_alone(
    cast: Cast, sign_in: Callable[[str], PortalClient]
) -> None:
    assert cast.acme.account_id

    for email in ("buyer@acme.example", "desk@northwind.example"):
        assert sign_in(email).get("/desk/calendars").status_code == 403
