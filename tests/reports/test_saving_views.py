"""Saved views: a name for a report as the address says it, one's own or the whole account's."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from portal.db import db
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.policy import Actor
from portal.reports import saving
from portal.reports.models import ReportSchedule, SavedView
from portal.reports.rhythm import Rhythm
from portal.reports.saving import (
    MOST_VIEWS,
    NameTakenError,
    NoNameError,
    NoReportError,
    TooManyViewsError,
    ViewNotFoundError,
    change_view,
    find_views,
    remove_view,
    save_view,
)
from portal.reports.scheduling import set_schedule
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
QUERY = "by=category&period=last-quarter"


def save(actor: Actor, now: datetime, name: str = "Mine", **how: bool) -> SavedView:
    return save_view(actor, "orders", QUERY, name, is_shared=how.get("is_shared", False), now=now)


def names(actor: Actor) -> list[str]:
    return [row.view.name for row in find_views(actor)]


def test_a_view_keeps_what_the_report_holds_and_not_how_it_is_shown(
    cast: Cast, now: datetime
) -> None:
    raw = "by=category&page=3&period=last-quarter&format=csv&unit=ACME%2FIT&category="
    view = save_view(cast.acme.buyer, "orders", raw, "  Two   words ", is_shared=False, now=now)

    assert view.query == "by=category&period=last-quarter&unit=ACME%2FIT"
    assert view.name == "Two words"
    assert find_views(cast.acme.buyer)[0].address == (
        "/reports/orders?by=category&period=last-quarter&unit=ACME%2FIT"
    )


def test_a_view_is_its_owner_s_until_it_is_shared_in_the_account(cast: Cast, now: datetime) -> None:
    view = save(cast.acme.cfo, now)
    others = [cast.acme.buyer, cast.hanbit.cfo, cast.supplier.auditor]
    assert [names(actor) for actor in others] == [[], [], []]

    change_view(cast.acme.cfo, view.id, name="Ours", is_shared=True, now=now)
    assert [names(actor) for actor in others] == [["Ours"], [], []]
    with pytest.raises(ViewNotFoundError):
        saving.get_view(cast.hanbit.cfo, view.id)


def test_a_shared_view_is_changed_and_removed_by_its_owner_alone(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    view = save(cast.acme.cfo, now, is_shared=True)
    before = business_rows()
    with pytest.raises(ViewNotFoundError):
        change_view(cast.acme.admin, view.id, name="Theirs", is_shared=True, now=now)
    with pytest.raises(ViewNotFoundError):
        remove_view(cast.acme.admin, view.id, now)

    assert business_rows() == before


def test_the_same_membership_owns_a_view_not_the_same_person(cast: Cast, now: datetime) -> None:
    save(cast.acme.buyer, now)

    assert names(cast.acme.buyer_at_research) == []


def test_saved_twice_by_a_double_click_it_is_one_view(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    first = save(cast.acme.buyer, now)
    before = business_rows()

    assert save(cast.acme.buyer, now).id == first.id
    assert business_rows() == before


def test_another_view_of_the_same_name_is_refused(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    save(cast.acme.buyer, now)
    other = save(cast.acme.buyer, now, "Other")
    before = business_rows()

    with pytest.raises(NameTakenError, match="already have a view “Mine”"):
        save_view(cast.acme.buyer, "orders", "by=unit", "Mine", is_shared=False, now=now)
    with pytest.raises(NameTakenError):
        change_view(cast.acme.buyer, other.id, name="Mine", is_shared=False, now=now)
    assert business_rows() == before


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "a\u202eb"])
def test_a_name_must_be_a_name(name: str, cast: Cast, now: datetime, business_rows: Rows) -> None:
    before = business_rows()
    with pytest.raises(NoNameError, match="at most 80 characters"):
        save(cast.acme.buyer, now, name)
    assert business_rows() == before


@pytest.mark.parametrize("report", ["", "no-such", "views", "orders/rows", "../orders", "revenue"])
def test_only_reports_that_one_may_read_are_saved(
    report: str, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    """A supplier's report and one that does not exist are refused in the same words."""
    before = business_rows()
    with pytest.raises(NoReportError, match="no such report that you may read"):
        save_view(cast.acme.cfo, report, QUERY, "x", is_shared=False, now=now)
    assert business_rows() == before


def test_who_reads_no_reports_saves_none(cast: Cast, now: datetime) -> None:
    with pytest.raises(NoReportError):
        save(cast.acme.shopper, now)


def test_a_member_has_a_limited_number_of_views(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_VIEWS == 100
    monkeypatch.setattr(saving, "MOST_VIEWS", 2)
    save(cast.acme.buyer, now, "1")
    save(cast.acme.buyer, now, "2")
    with pytest.raises(TooManyViewsError, match="You have 2 saved views"):
        save(cast.acme.buyer, now, "3")


def test_taken_back_a_view_is_mailed_to_its_owner_alone(cast: Cast, now: datetime) -> None:
    view = save(cast.acme.cfo, now, is_shared=True)
    for actor in (cast.acme.cfo, cast.acme.buyer):
        set_schedule(actor, view.id, Rhythm.WEEKLY, now)
    change_view(cast.acme.cfo, view.id, name="Mine", is_shared=False, now=now)

    left = db.session.scalars(select(ReportSchedule)).all()
    assert [schedule.membership_id for schedule in left] == [cast.acme.cfo.membership_id]


def test_a_removed_view_takes_its_mails_along(cast: Cast, now: datetime) -> None:
    view = save(cast.acme.cfo, now, is_shared=True)
    set_schedule(cast.acme.buyer, view.id, Rhythm.WEEKLY, now)
    remove_view(cast.acme.cfo, view.id, now)

    assert db.session.scalars(select(ReportSchedule)).all() == []
    assert db.session.scalars(select(SavedView)).all() == []


def test_everything_is_on_the_record(cast: Cast, now: datetime) -> None:
    view = save(cast.acme.cfo, now)
    change_view(cast.acme.cfo, view.id, name="Other", is_shared=True, now=now)
    set_schedule(cast.acme.cfo, view.id, Rhythm.WEEKLY, now)
    remove_view(cast.acme.cfo, view.id, now)
    events = db.session.scalars(
        select(Event)
        .where(
            Event.account_id == cast.acme.account_id,
            Event.kind.in_(["saved-view", "report-schedule"]),
        )
        .order_by(Event.sequence)
    )

    assert [(event.verb, event.number) for event in events] == [
        ("saved-view.made", "orders"),
        ("saved-view.changed", "orders"),
        ("report-schedule.set", "orders"),
        ("saved-view.removed", "orders"),
    ]


def test_the_page_of_a_report_saves_it_and_lists_it(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.acme.buyer.email)
    page = client.get("/reports/orders?by=category&period=last-year")
    assert 'name="query"' in page.text
    assert 'value="by=category&amp;period=last-year"' in page.text

    answer = client.post(
        "/reports/views",
        data={"report": "orders", "query": "by=category&period=last-year", "name": "Last year"},
    )
    assert answer.status_code == 303
    shown = client.get("/reports/orders")
    assert "Last year" in shown.text
    assert 'href="/reports/orders?by=category&amp;period=last-year"' in shown.text
    assert "Last year" not in client.get("/reports/deliveries").text
    assert client.get("/reports/views?format=csv").text.count("\r\n") == 2


def test_a_refused_name_keeps_what_was_typed(
    cast: Cast, sign_in: SignIn, business_rows: Rows
) -> None:
    client = sign_in(cast.acme.buyer.email)
    before = business_rows()
    answer = client.post(
        "/reports/views",
        data={"report": "orders", "query": QUERY, "name": "x" * 81, "shared": "y"},
    )

    assert answer.status_code == 422
    assert "x" * 81 in answer.text
    assert "checked" in answer.text
    assert 'value="by=category&amp;period=last-quarter"' in answer.text
    assert business_rows() == before


def test_the_page_of_a_view_offers_what_its_reader_may_do(
    cast: Cast, sign_in: SignIn, now: datetime
) -> None:
    view = save(cast.acme.cfo, now, is_shared=True)
    address = f"/reports/views/{view.id}"
    owner, reader = sign_in(cast.acme.cfo.email), sign_in(cast.acme.buyer.email)

    assert "Remove the view" in owner.get(address).text
    assert "Remove the view" not in reader.get(address).text
    assert reader.post(f"{address}/remove").status_code == 404
    assert reader.post(f"{address}/mail", data={"rhythm": "weekly"}).status_code == 303
    assert "Every Monday at 7:00" in reader.get(address).text
    assert saving.get_row(cast.acme.cfo, view.id).schedule is None
    assert sign_in(cast.hanbit.cfo.email).get(address).status_code == 404
    assert reader.post(f"{address}/mail", data={"rhythm": "hourly"}).status_code == 422
    assert reader.post(f"{address}/mail", data={"rhythm": ""}).status_code == 303
    assert db.session.scalars(select(ReportSchedule)).all() == []
    assert owner.post(f"{address}/remove").status_code == 303
    assert owner.get(address).status_code == 404


def test_the_list_asks_as_often_for_one_view_as_for_many(
    cast: Cast, sign_in: SignIn, now: datetime, count_statements: Callable[..., object]
) -> None:
    client, counts = sign_in(cast.acme.buyer.email), []
    for start, end in ((0, 1), (1, 12)):
        for number in range(start, end):
            save(cast.acme.buyer, now, f"View {number}")
        with count_statements() as counted:  # type: ignore[attr-defined]
            assert client.get("/reports/views").status_code == 200
        counts.append(counted.total)

    assert counts[0] == counts[1]
