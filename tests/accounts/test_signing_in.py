"""The door: who gets in, what is said to those who don't, and how often one may try."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from portal.accounts import rates
from portal.accounts.models import Account, Membership, Person, RateWindow, UserSession
from portal.accounts.rules import SuspendedError, TooManyAttemptsError
from portal.accounts.signing_in import sign_in
from portal.db import db, transaction
from portal.demo.cast import PASSWORD
from portal.events.models import Event
from portal.web.identity import SESSION_COOKIE
from tests.instants import NOW
from tests.stage import PortalClient

Rows = Callable[[], object]
WRONG = "The e-mail or the password is wrong."


def enter(client: PortalClient, email: str, password: str = PASSWORD, **query: str) -> TestResponse:
    return client.post("/sign-in", query_string=query, data={"email": email, "password": password})


@pytest.mark.usefixtures("world")
def test_one_membership_is_chosen_at_once(client: PortalClient) -> None:
    answer = enter(client, "  CFO@acme.example", next="/approvals")

    assert (answer.status_code, answer.location) == (303, "/approvals")
    assert client.get("/me").status_code == 200
    assert db.session.scalars(select(Event.verb).order_by(Event.id.desc()).limit(2)).all() == [
        "membership.chosen",
        "person.signed-in",
    ]


@pytest.mark.usefixtures("world")
def test_several_memberships_are_offered_by_account_and_unit(client: PortalClient) -> None:
    answer = enter(client, "buyer@acme.example", next="/quotes")
    assert answer.location == "/memberships?next=/quotes"

    page = client.get(answer.location).text

    assert "ACME - IT" in page
    assert "ACME - RND" in page
    assert 'value="/quotes"' in page


@pytest.mark.usefixtures("world")
def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client: PortalClient) -> None:
    header = enter(client, "cfo@acme.example").headers["Set-Cookie"]

    assert header.startswith(f"{SESSION_COOKIE}=")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
    ],
)
def test_no_link_leads_to_another_site(client: PortalClient, target: str) -> None:
    assert enter(client, "cfo@acme.example", next=target).location == "/"


@pytest.mark.usefixtures("world")
def test_unknown_people_and_wrong_passwords_get_the_same_page(
    client: PortalClient,
    business_rows: Rows,
) -> None:
    before = business_rows()
    unknown = enter(client, "nobody@acme.example", "four horses on a hill")
    wrong = enter(client, "cfo@acme.example", "four horses on a hill")

    assert unknown.status_code == wrong.status_code == 422
    assert WRONG in unknown.text
    assert unknown.text.replace("nobody@", "cfo@") == wrong.text
    assert SESSION_COOKIE not in str(wrong.headers)
    assert db.session.scalar(select(UserSession.id)) is None
    assert business_rows() == before


@pytest.mark.usefixtures("world")
def test_an_invited_person_without_a_password_does_not_get_in(client: PortalClient) -> None:
    with transaction():
        db.session.execute(update(Person).values(password_hash=None))

    assert WRONG in enter(client, "cfo@acme.example").text


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("model", [Person, Membership, Account])
def test_whoever_is_suspended_is_told_so_after_the_right_password_alone(
    client: PortalClient,
    model: type[Person | Membership | Account],
) -> None:
    with transaction():
        db.session.execute(update(model).values(status="suspended"))

    right = enter(client, "cfo@acme.example")
    wrong = enter(client, "cfo@acme.example", "four horses on a hill")

    assert right.status_code == 403
    assert "suspended" in right.text
    assert WRONG in wrong.text
    assert db.session.scalar(select(UserSession.id)) is None


@pytest.mark.usefixtures("world")
def test_the_eleventh_wrong_password_in_a_quarter_is_not_tried(client: PortalClient) -> None:
    for _attempt in range(rates.SIGN_IN_PERSON.most):
        assert enter(client, "cfo@acme.example", "wrong").status_code == 422

    refused = enter(client, "cfo@acme.example")

    assert refused.status_code == 429
    assert "Too many attempts" in refused.text
    assert enter(client, "cio@acme.example").status_code == 303, "others still get in"


@pytest.mark.usefixtures("world")
def test_the_limit_ends_with_its_window() -> None:
    for _attempt in range(rates.SIGN_IN_PERSON.most):
        with pytest.raises(Exception, match="wrong"):
            sign_in("cfo@acme.example", "wrong", address="192.0.2.1", now=NOW)
    with pytest.raises(TooManyAttemptsError, match=r"1[56] minutes"):
        sign_in("cfo@acme.example", PASSWORD, address="192.0.2.1", now=NOW)

    opened = sign_in(
        "cfo@acme.example", PASSWORD, address="192.0.2.1", now=NOW + timedelta(minutes=15)
    )

    assert opened.has_membership


@pytest.mark.usefixtures("world")
def test_right_passwords_do_not_use_up_the_limit() -> None:
    for _attempt in range(rates.SIGN_IN_PERSON.most + 2):
        assert sign_in("cfo@acme.example", PASSWORD, address="192.0.2.1", now=NOW).token


@pytest.mark.usefixtures("world")
def test_an_address_that_tries_many_people_is_stopped() -> None:
    with transaction():
        db.session.add(
            RateWindow(
                key=rates.SIGN_IN_ADDRESS.key("192.0.2.1"),
                window_start=rates.SIGN_IN_ADDRESS.start(NOW),
                count=rates.SIGN_IN_ADDRESS.most,
            )
        )

    with pytest.raises(TooManyAttemptsError):
        sign_in("cfo@acme.example", PASSWORD, address="192.0.2.1", now=NOW)
    assert sign_in("cfo@acme.example", PASSWORD, address="192.0.2.2", now=NOW).token


@pytest.mark.usefixtures("world")
def test_the_table_of_limits_names_nobody() -> None:
    sign_in("cfo@acme.example", PASSWORD, address="192.0.2.1", now=NOW)

    keys = db.session.scalars(select(RateWindow.key)).all()

    assert len(keys) == 3
    assert all(len(key) == 64 and int(key, 16) >= 0 for key in keys)


@pytest.mark.usefixtures("world")
def test_a_suspended_person_is_refused_by_the_action_itself() -> None:
    with transaction():
        db.session.execute(update(Person).values(status="suspended"))

    with pytest.raises(SuspendedError, match="suspended"):
        sign_in("cfo@acme.example", PASSWORD, address="192.0.2.1", now=NOW)
    assert db.session.scalar(select(UserSession.id)) is None
