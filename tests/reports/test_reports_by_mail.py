"""Reports by mail: every Monday at seven, with the owner's rights of that moment, once."""

import csv
import email
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Membership, MembershipRole
from portal.config import Settings
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.jobs.actions import run_next
from portal.jobs.models import Job, JobRequest
from portal.jobs.rules import JobState
from portal.messages.models import Message
from portal.reports import scheduling
from portal.reports.models import ReportSchedule, SavedView
from portal.reports.rhythm import Rhythm
from portal.reports.saving import save_view
from portal.reports.scheduling import (
    MAIL,
    TooManySchedulesError,
    plan_reports,
    remove_schedule,
    set_schedule,
)
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
MONDAY = datetime.fromisoformat("2026-11-23T06:00:00+00:00")
"""Seven in Berlin, the day after ``now``."""


@pytest.fixture
def mails(demo: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep mails and files where the test can see them; nothing else waits to be done."""
    settings = demo.config["SETTINGS"]
    monkeypatch.setattr(Settings, "mail_dir", property(lambda _self: tmp_path / "mail"))
    monkeypatch.setattr(Settings, "exports_dir", property(lambda _self: tmp_path / "files"))
    assert settings.mail_dir == tmp_path / "mail"
    with transaction() as session:
        session.query(Job).update({Job.state: JobState.DONE})
        session.query(ReportSchedule).update({ReportSchedule.next_at: None})
    return tmp_path / "mail"


@pytest.fixture
def view(cast: Cast, mails: Path, now: datetime) -> SavedView:  # noqa: ARG001 - the emptied demo
    made = save_view(
        cast.acme.cfo,
        "orders",
        "by=category&period=all",
        "All categories",
        is_shared=True,
        now=now,
    )
    set_schedule(cast.acme.cfo, made.id, Rhythm.WEEKLY, now)
    return made


def work(now: datetime) -> None:
    while run_next(now):
        pass
    db.session.expire_all()


def schedule_of(view: SavedView, membership_id: int | None) -> ReportSchedule:
    return db.session.scalars(
        select(ReportSchedule).where(
            ReportSchedule.saved_view_id == view.id, ReportSchedule.membership_id == membership_id
        )
    ).one()


def read(folder: Path) -> list[EmailMessage]:
    found = []
    for path in sorted(folder.glob("report_*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def enclosed(message: EmailMessage) -> tuple[str | None, str]:
    file = next(message.iter_attachments())
    content = file.get_content()
    return file.get_filename(), content.lstrip("\ufeff") if isinstance(content, str) else ""


def test_the_mail_brings_the_table_the_file_and_the_link(
    view: SavedView, cast: Cast, mails: Path, sign_in: SignIn
) -> None:
    assert view.report == "orders"
    assert plan_reports(MONDAY - timedelta(seconds=1)) == 0
    assert plan_reports(MONDAY) == 1
    work(MONDAY)
    (message,) = read(mails)
    name, text = enclosed(message)
    page = sign_in(cast.acme.cfo.email).get("/reports/orders?by=category&period=all&format=csv")

    assert message["Subject"] == "Report: All categories"
    assert cast.acme.cfo.email in str(message["To"])
    assert name == "orders.csv"
    assert text.splitlines() == page.data.decode("utf-8-sig").splitlines()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) > 1
    plain = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert plain is not None
    assert html is not None
    for row in rows[:5]:
        assert row["category"] in plain.get_content()
        assert row["category"].replace("&", "&amp;") in html.get_content()
    assert "/reports/orders?by=category&period=all" in plain.get_content()


def test_a_mail_is_planned_once_and_the_next_for_a_week_later(
    view: SavedView, cast: Cast, mails: Path
) -> None:
    assert [plan_reports(MONDAY), plan_reports(MONDAY)] == [1, 0]
    work(MONDAY)
    work(MONDAY + timedelta(hours=1))
    held = schedule_of(view, cast.acme.cfo.membership_id)

    assert len(read(mails)) == 1
    assert (held.last_at, held.next_at) == (MONDAY, MONDAY + timedelta(days=7))


def test_weeks_without_a_worker_bring_one_mail(view: SavedView, cast: Cast, mails: Path) -> None:
    late = MONDAY + timedelta(days=16)
    assert plan_reports(late) == 1
    work(late)

    assert len(read(mails)) == 1
    held = schedule_of(view, cast.acme.cfo.membership_id)
    assert held.next_at == MONDAY + timedelta(days=21)


def test_a_worker_that_dies_before_its_last_line_mails_nothing_twice(
    view: SavedView, mails: Path
) -> None:
    assert view.is_shared
    plan_reports(MONDAY)
    work(MONDAY)
    with transaction():  # as if the row had never been closed
        job = db.session.scalars(select(Job).where(Job.kind == MAIL)).one()
        job.state, job.lease_until = JobState.RUNNING, MONDAY
    work(MONDAY + timedelta(minutes=5))

    assert (
        len(db.session.scalars(select(Message).where(Message.kind == "report_scheduled")).all())
        == 1
    )
    assert db.session.scalars(select(Job).where(Job.kind == MAIL)).one().state is JobState.DONE
    assert len(read(mails)) == 1


def test_each_reader_of_a_shared_view_gets_the_figures_of_their_own_rights(
    view: SavedView, cast: Cast, mails: Path
) -> None:
    set_schedule(cast.acme.buyer, view.id, Rhythm.WEEKLY, MONDAY - timedelta(days=1))
    assert plan_reports(MONDAY) == 2
    work(MONDAY)
    by_reader = {str(message["To"]): enclosed(message)[1] for message in read(mails)}

    assert len(by_reader) == 2
    mine = next(text for to, text in by_reader.items() if cast.acme.buyer.email in to)
    whole = next(text for to, text in by_reader.items() if cast.acme.cfo.email in to)
    assert mine != whole


def test_rights_that_are_gone_end_the_mails(view: SavedView, cast: Cast, mails: Path) -> None:
    key = cast.acme.cfo.membership_id
    with transaction() as session:
        session.query(MembershipRole).where(MembershipRole.membership_id == key).delete()
        account = session.get_one(Membership, key).account_id
        session.add(MembershipRole(membership_id=key, account_id=account, role="shopper"))
    plan_reports(MONDAY)
    work(MONDAY)
    held = schedule_of(view, key)

    assert (held.next_at, held.stopped_for) == (None, "rights")
    assert [str(message["Subject"]) for message in read(mails)] == ["No more mails: All categories"]
    assert db.session.scalars(
        select(JobRequest.file_hash).where(JobRequest.title == view.name)
    ).all() == [None]
    verbs = db.session.scalars(
        select(Event.verb).where(Event.object_id == held.id, Event.kind == "report-schedule")
    )
    assert "report-schedule.stopped" in verbs.all()
    assert plan_reports(MONDAY + timedelta(days=7)) == 0


def test_a_suspended_member_gets_no_report_and_no_word(
    view: SavedView, cast: Cast, mails: Path
) -> None:
    key = cast.acme.cfo.membership_id
    with transaction() as session:
        session.get_one(Membership, key).status = "suspended"
    assert plan_reports(MONDAY) == 0
    work(MONDAY)

    assert schedule_of(view, key).stopped_for == "rights"
    assert read(mails) == []


def test_a_view_that_is_shared_no_more_is_mailed_no_more(
    view: SavedView, cast: Cast, mails: Path
) -> None:
    """Also where the schedule was planned before its owner took the view back."""
    set_schedule(cast.acme.buyer, view.id, Rhythm.WEEKLY, MONDAY - timedelta(days=1))
    plan_reports(MONDAY)
    with transaction() as session:
        session.get_one(SavedView, view.id).is_shared = False
    work(MONDAY)

    to = [(str(message["Subject"]), str(message["To"])) for message in read(mails)]
    assert len(to) == 2
    assert any(s.startswith("No more") and cast.acme.buyer.email in who for s, who in to)
    assert any(s.startswith("Report:") and cast.acme.cfo.email in who for s, who in to)


def test_an_ended_schedule_that_was_planned_mails_nothing(
    view: SavedView, cast: Cast, mails: Path
) -> None:
    plan_reports(MONDAY)
    remove_schedule(cast.acme.cfo, view.id, MONDAY)
    work(MONDAY)

    assert read(mails) == []


def test_a_stopped_schedule_starts_anew_by_hand(view: SavedView, cast: Cast, now: datetime) -> None:
    held = schedule_of(view, cast.acme.cfo.membership_id)
    scheduling.stop(held.id, now)
    db.session.expire_all()
    assert schedule_of(view, cast.acme.cfo.membership_id).stopped_for == "rights"

    set_schedule(cast.acme.cfo, view.id, Rhythm.WEEKLY, now)
    again = schedule_of(view, cast.acme.cfo.membership_id)
    assert (again.next_at, again.stopped_for) == (MONDAY, None)


def test_a_member_gets_a_limited_number_of_reports(
    view: SavedView, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert view.is_shared
    monkeypatch.setattr(scheduling, "MOST_SCHEDULES", 1)
    other = save_view(cast.acme.cfo, "deliveries", "", "Other", is_shared=False, now=now)
    with pytest.raises(TooManySchedulesError, match="already get 1 reports by mail"):
        set_schedule(cast.acme.cfo, other.id, Rhythm.MONTHLY, now)


def test_the_mail_speaks_its_reader_s_language_and_time(
    cast: Cast, mails: Path, now: datetime
) -> None:
    """The reader of Hanbit reads Korean: money, headings and the sentence of the mail."""
    made = save_view(
        cast.hanbit.cfo, "orders", "by=unit&period=all", "우리 주문", is_shared=False, now=now
    )
    held = set_schedule(cast.hanbit.cfo, made.id, Rhythm.WEEKLY, now)
    seoul = datetime.fromisoformat("2026-11-22T22:00:00+00:00")
    assert held.next_at == seoul

    plan_reports(seoul)
    work(seoul)
    (message,) = read(mails)
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "우리 주문" in str(message["Subject"])
    assert "KRW" in plain.get_content()
