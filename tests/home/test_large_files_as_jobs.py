"""Large files: offered as a job, written with the person's rights, fetched by them alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Membership, MembershipRole
from portal.db import NO_ROWS, db, reaching, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.jobs import requests
from portal.jobs.actions import run_next
from portal.jobs.models import Job, JobRequest
from portal.jobs.requests import KEPT_FOR, MOST_UNFINISHED, TooManyJobsError
from portal.jobs.rules import JobState
from portal.messages.models import Message
from portal.reports import exporting
from portal.reports.exporting import FileExpiredError, NoExportError
from portal.web import exports
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
PRODUCTS = "/desk/catalog?format=csv"
MANAGER = "pricing@supplier.example"


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Call a file of four rows large, and keep files where the test can see them."""
    monkeypatch.setattr(exports, "LARGE", 3)
    monkeypatch.setattr(exporting, "folder", lambda: tmp_path)


@pytest.fixture
def manager(cast: Cast, sign_in: SignIn) -> PortalClient:
    return sign_in(cast.supplier.pricing_manager.email)


def work(now: datetime) -> None:
    """Do the exports that wait a minute later (requests happen just after ``now``)."""
    now += timedelta(minutes=1)
    with transaction():
        for job in db.session.scalars(select(Job).where(Job.kind != exporting.EXPORT)):
            job.run_at = now + timedelta(days=900)
    with reaching(NO_ROWS):  # as in the worker, who acts for nobody until a job says for whom
        while run_next(now):
            pass
    db.session.expire_all()


def only_job() -> JobRequest:
    return db.session.scalars(select(JobRequest)).one()


def test_a_large_file_is_offered_and_nothing_is_written_by_looking(
    manager: PortalClient, business_rows: Rows
) -> None:
    before = business_rows()
    answer = manager.get(PRODUCTS)
    offered = manager.get(answer.headers["Location"])

    assert answer.status_code == 303
    assert "Make the file" in offered.text
    assert 'value="/desk/catalog?format=csv"' in offered.text
    assert business_rows() == before


def test_a_small_file_comes_at_once(manager: PortalClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "LARGE", 5_000)
    answer = manager.get(PRODUCTS)

    assert answer.headers["Content-Disposition"] == "attachment; filename=products.csv"


def test_the_job_writes_what_the_page_would_have_written(
    manager: PortalClient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.post("/jobs", data={"address": PRODUCTS, "key": "k"})
    work(now)
    request = only_job()
    got = manager.get(f"/jobs/{request.job_id}/file")
    monkeypatch.setattr(exports, "LARGE", 5_000)
    page = manager.get(PRODUCTS)

    assert got.status_code == 200
    assert got.data == page.data
    assert got.data.count(b"\r\n") > 4
    assert got.headers["Content-Disposition"] == "attachment; filename=products.csv"
    assert got.headers["Content-Type"] == page.headers["Content-Type"]
    assert got.headers["Cache-Control"] == "no-store"


def test_who_asked_is_told_with_a_link(manager: PortalClient, now: datetime) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    work(now)
    request = only_job()
    told = db.session.scalars(select(Message).where(Message.kind == "export_ready")).one()

    assert (told.path, told.membership_id) == (f"/jobs/{request.job_id}", request.membership_id)
    page = manager.get(told.path)
    assert "The file is ready." in page.text
    assert "Products (CSV)" in page.text


def test_the_same_form_sent_twice_is_one_job(manager: PortalClient) -> None:
    first = manager.post("/jobs", data={"address": PRODUCTS, "key": "once"})
    second = manager.post("/jobs", data={"address": PRODUCTS, "key": "once"})

    assert first.headers["Location"] == second.headers["Location"]
    assert only_job().title == "Products (CSV)"


def test_a_job_under_way_is_not_doubled_by_another_form(manager: PortalClient) -> None:
    for key in ("a", "b"):
        manager.post("/jobs", data={"address": PRODUCTS, "key": key})

    assert only_job().title == "Products (CSV)"


def test_each_request_is_on_the_record(manager: PortalClient) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    request = only_job()
    events = db.session.scalars(select(Event).where(Event.kind == "job")).all()

    assert [(event.verb, event.object_id) for event in events] == [
        ("job.requested", request.job_id)
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/?format=csv",
        "//elsewhere.example/x?format=csv",
        "/orders",
        "/orders?format=pdf",
        "/orders?format=csv&format=xlsx",
        "/no-such-page?format=csv",
        "/jobs?format=csv",
        "/sign-out?format=csv",
        "",
    ],
)
def test_an_address_that_is_no_list_is_refused(
    address: str, manager: PortalClient, business_rows: Rows, world: Flask
) -> None:
    before = business_rows()
    answer = manager.post("/jobs", data={"address": address})

    assert answer.status_code == 422
    assert "not the address of a list" in answer.text
    assert business_rows() == before
    with world.test_request_context(), pytest.raises(NoExportError):
        exporting.clean_address(address)


def test_rights_that_are_gone_when_the_job_runs_give_no_file(
    cast: Cast, manager: PortalClient, now: datetime
) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    membership = cast.supplier.pricing_manager.membership_id
    with transaction():
        held = select(MembershipRole).where(MembershipRole.membership_id == membership)
        db.session.delete(db.session.scalars(held).one())
    work(now)
    request = only_job()
    job = db.session.get_one(Job, request.job_id)

    assert request.file_hash is None
    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert "not open to you any more" in (job.error or "")
    told = db.session.scalars(select(Message).where(Message.kind == "export_failed")).one()
    assert told.membership_id == membership


def test_a_suspended_member_gets_no_file(cast: Cast, manager: PortalClient, now: datetime) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    with transaction():
        key = cast.supplier.pricing_manager.membership_id
        db.session.get_one(Membership, key).status = "suspended"
    work(now)

    assert only_job().file_hash is None
    assert db.session.get_one(Job, only_job().job_id).state is JobState.FAILED


def test_two_people_s_jobs_one_after_the_other_share_nothing(
    cast: Cast, sign_in: SignIn, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker acts as one customer, then as another: each file is its owner's."""
    monkeypatch.setattr(exports, "LARGE", 0)
    address = "/company/people?format=csv"
    for actor in (cast.acme.admin, cast.hanbit.admin):
        client = sign_in(actor.email)
        assert client.post("/jobs", data={"address": address}).status_code == 303
    work(now)
    made = db.session.scalars(select(JobRequest).order_by(JobRequest.id)).all()
    texts = [exporting.read_result(request, now).decode() for request in made]

    assert [request.account_id for request in made] == [
        cast.acme.account_id,
        cast.hanbit.account_id,
    ]
    assert "@acme.example" in texts[0]
    assert "@hanbit.example" not in texts[0]
    assert "@hanbit.example" in texts[1]
    assert "@acme.example" not in texts[1]


def test_nobody_else_reaches_a_job_or_its_file(
    cast: Cast, sign_in: SignIn, manager: PortalClient, now: datetime
) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    work(now)
    key = only_job().job_id
    for actor in (cast.acme.admin, cast.supplier.system_admin, cast.supplier.auditor):
        other = sign_in(actor.email)
        assert other.get(f"/jobs/{key}").status_code == 404
        assert other.get(f"/jobs/{key}/file").status_code == 404
        assert other.post(f"/jobs/{key}/cancel").status_code == 404
        assert other.post(f"/jobs/{key}/retry").status_code == 404


def test_a_file_is_kept_for_seven_days_and_then_forgotten(
    manager: PortalClient, now: datetime, tmp_path: Path
) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    work(now)
    request = only_job()
    assert [path for path in tmp_path.rglob("*") if path.is_file()]

    end = request.expires_at
    assert end is not None
    assert end - now - KEPT_FOR < timedelta(minutes=2)
    assert exporting.sweep(end - timedelta(seconds=1)) == 0
    assert exporting.read_result(only_job(), end - timedelta(seconds=1))
    with pytest.raises(FileExpiredError):
        exporting.read_result(request, end)
    assert exporting.sweep(end) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    db.session.expire_all()
    assert manager.get(f"/jobs/{request.job_id}/file").status_code == 404
    assert "The file is not kept any more." in manager.get(f"/jobs/{request.job_id}").text


def test_a_file_that_a_newer_job_made_again_is_kept(
    manager: PortalClient, now: datetime, tmp_path: Path
) -> None:
    for days in (0, 3):
        manager.post("/jobs", data={"address": PRODUCTS, "key": str(days)})
        work(now + timedelta(days=days))
    hashes = set(db.session.scalars(select(JobRequest.file_hash)))
    assert len(hashes) == 1

    exporting.sweep(now + KEPT_FOR + timedelta(hours=1))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [*hashes]


def test_a_waiting_job_is_cancelled_at_once_and_started_again(
    manager: PortalClient, now: datetime
) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    key = only_job().job_id
    manager.post(f"/jobs/{key}/cancel")
    assert db.session.get_one(Job, key).state is JobState.CANCELLED
    assert manager.post(f"/jobs/{key}/cancel").status_code == 409
    work(now)
    assert only_job().file_hash is None

    manager.post(f"/jobs/{key}/retry")
    work(now + timedelta(minutes=5))
    assert db.session.get_one(Job, key).state is JobState.DONE
    assert only_job().file_hash is not None
    assert manager.post(f"/jobs/{key}/retry").status_code == 409
    verbs = db.session.scalars(select(Event.verb).where(Event.kind == "job").order_by(Event.id))
    assert [*verbs] == ["job.requested", "job.cancelled", "job.retried"]


def test_one_member_holds_no_more_than_a_few_jobs(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    actor = cast.supplier.pricing_manager
    for number in range(MOST_UNFINISHED):
        address = f"{PRODUCTS}&q={number}"
        requests.ask_for(actor, exporting.EXPORT, {}, title="t", address=address, now=now)
    before = business_rows()

    with pytest.raises(TooManyJobsError, match="5 of your jobs have not ended yet"):
        requests.ask_for(actor, exporting.EXPORT, {}, title="t", address=PRODUCTS, now=now)
    assert business_rows() == before


def test_the_list_is_exported_as_it_is_shown(manager: PortalClient, now: datetime) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    work(now)
    text = manager.get("/jobs?format=csv").text

    assert "Products (CSV)" in text
    assert "products.csv" in text
    assert text.count("\r\n") == 2


def test_those_who_look_after_the_portal_see_all_jobs_and_stop_them(
    cast: Cast, sign_in: SignIn, manager: PortalClient
) -> None:
    manager.post("/jobs", data={"address": PRODUCTS})
    key = only_job().job_id
    keeper, auditor = (
        sign_in(actor.email) for actor in (cast.supplier.system_admin, cast.supplier.auditor)
    )

    assert "File of a list or report" in keeper.get("/desk/jobs").text
    assert "Cancel the job" in keeper.get(f"/desk/jobs/{key}").text
    assert "Cancel the job" not in auditor.get(f"/desk/jobs/{key}").text
    assert auditor.post(f"/desk/jobs/{key}/cancel").status_code == 403
    assert manager.get("/desk/jobs").status_code == 403
    assert db.session.get_one(Job, key).state is JobState.WAITING

    assert keeper.post(f"/desk/jobs/{key}/cancel").status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Job, key).state is JobState.CANCELLED
    assert keeper.get("/desk/jobs?view=ended&format=csv").text.count("\r\n") == 2


def test_the_lists_of_jobs_ask_as_often_for_one_as_for_many(
    cast: Cast,
    sign_in: SignIn,
    manager: PortalClient,
    now: datetime,
    count_statements: Callable[..., object],
) -> None:
    actor, keeper = cast.supplier.pricing_manager, sign_in(cast.supplier.system_admin.email)
    counts = []
    for start in (0, 1):
        for number in range(start, start * 4 + 1):
            address = f"{PRODUCTS}&q={number}"
            requests.ask_for(actor, exporting.EXPORT, {}, title="t", address=address, now=now)
        with count_statements() as counted:  # type: ignore[attr-defined]
            assert manager.get("/jobs").status_code == 200
            assert keeper.get("/desk/jobs").status_code == 200
        counts.append(counted.total)

    assert counts[0] == counts[1]
