"""The record as a page: who may read it, how far they see, and files that equal the list."""

import csv
import io
from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.accounts.models import Account, Person
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.events.actions import record
from portal.events.models import Event
from portal.home.record import KIND_LABELS, LABELS
from portal.service.cases.models import Case

SignIn = Callable[..., FlaskClient]
ADMIN = "admin@acme.example"
AUDITOR = "auditor@northwind.example"

pytestmark = pytest.mark.usefixtures("demo")


def rows(client: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def count(code: str | None = None) -> int:
    statement = select(func.count(Event.id)).join(Account, Account.id == Event.account_id)
    if code is not None:
        statement = statement.where(Account.code == code)
    return db.session.scalar(statement) or 0


def test_everything_that_happened_has_words() -> None:
    assert set(db.session.scalars(select(Event.verb).distinct())) - set(LABELS) == set()
    assert set(db.session.scalars(select(Event.kind).distinct())) - set(KIND_LABELS) == set()


def test_an_alarm_says_which_promise_it_is_about(
    cast: Cast, now: datetime, sign_in: SignIn
) -> None:
    case = db.session.scalars(select(Case).where(Case.account_id == cast.acme.account_id)).first()
    assert case is not None
    with transaction():
        for about in ("answer", "resolution"):
            record(
                None, "case.warned", kind="case", object_id=case.id, number=case.number,
                account_id=case.account_id, now=now, about=about,
            )  # fmt: skip

    said = [
        row["event"]
        for row in rows(sign_in(AUDITOR), f"/desk/events?format=csv&number={case.number}")
    ]

    assert "The team was warned that an answer is due" in said
    assert "The team was warned that the promised time is nearly over" in said


def test_a_site_administrator_reads_the_account_alone_and_an_auditor_all(sign_in: SignIn) -> None:
    own = rows(sign_in(ADMIN), "/company/events?format=csv")
    every = rows(sign_in(AUDITOR), "/desk/events?format=csv")

    assert {row["account"] for row in own} == {"ACME"}
    assert len(own) == count("ACME")
    assert {"ACME", "HANBIT"} <= {row["account"] for row in every}
    assert len(every) == count()


@pytest.mark.parametrize(
    ("email", "address"),
    [
        ("buyer@acme.example", "/company/events"),
        ("manager@northwind.example", "/desk/events"),
        ("desk@northwind.example", "/desk/events"),
    ],
)
def test_who_may_not_read_the_record_is_told_so(sign_in: SignIn, email: str, address: str) -> None:
    assert sign_in(email).get(address).status_code == 403


def test_another_account_can_not_be_asked_for(sign_in: SignIn) -> None:
    found = rows(sign_in(ADMIN), "/company/events?account=HANBIT&format=csv")

    assert {row["account"] for row in found} == {"ACME"}


def test_whose_membership_it_was_is_named(sign_in: SignIn) -> None:
    page = sign_in(ADMIN).get("/company/events?kind=membership").text

    assert "Membership Anna Albrecht" in page


def test_the_page_names_who_did_what_and_leads_to_the_object(sign_in: SignIn) -> None:
    page = sign_in(AUDITOR).get("/desk/events?kind=order&number=O-000001").text

    assert "Order placed" in page
    assert 'href="/orders/O-000001"' in page
    assert "Export CSV" in page


def test_filters_narrow_the_list_and_its_files_alike(sign_in: SignIn) -> None:
    client = sign_in(AUDITOR)
    number = db.session.scalars(select(Event.number).where(Event.kind == "quote")).first()

    found = rows(client, f"/desk/events?kind=quote&number={number}&format=csv")
    nobody = rows(client, "/desk/events?person=nobody-of-this-name&format=csv")
    before = rows(client, "/desk/events?end=2000-01-01&format=csv")

    assert {(row["kind"], row["number"]) for row in found} == {("quote", number)}
    assert (nobody, before) == ([], [])


def test_a_wrong_day_is_said_at_its_field(sign_in: SignIn) -> None:
    answer = sign_in(AUDITOR).get("/desk/events?start=yesterday&person=Anna")

    assert answer.status_code == 422
    assert "Enter a day such as 2026-12-31." in answer.text
    assert 'value="Anna"' in answer.text


def test_an_erased_person_keeps_their_events_without_a_name(sign_in: SignIn) -> None:
    buyer = db.session.scalars(select(Person).where(Person.email == "buyer@acme.example")).one()
    name = buyer.name
    with transaction():
        buyer.name = ""

    page = sign_in(AUDITOR).get("/desk/events?kind=quote").text

    assert "a former user" in page
    assert name not in page
