"""A session ends when it should, and carries the rights of this moment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from portal.accounts import sessions
from portal.accounts.actions import suspend_account, suspend_person
from portal.accounts.memberships import suspend_membership
from portal.accounts.models import (
    Account,
    Membership,
    MembershipRole,
    Person,
    UserSession,
)
from portal.accounts.queries import find_own_memberships, find_person_by_email, load_actor
from portal.db import db, transaction
from portal.demo.cast import PASSWORD, Cast
from portal.errors import NotFoundError
from portal.policy import P
from portal.web import clock
from portal.web.identity import SESSION_COOKIE
from tests.accounts.files import operator
from tests.accounts.keys import key_of
from tests.instants import NOW
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]


def opened(email: str = "admin@acme.example") -> tuple[str, Person, int]:
    person = find_person_by_email(email)
    assert person is not None
    membership = find_own_memberships(person.id)[0]
    return sessions.open_session(person.id, membership.id, NOW), person, membership.id


@pytest.mark.usefixtures("world")
def test_a_token_is_stored_hashed() -> None:
    token, _person, _membership = opened()

    assert db.session.scalars(select(UserSession.token_hash)).all() == [sessions.hash_token(token)]
    assert len(token) >= 43


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("idle", "lives"),
    [(timedelta(minutes=59), True), (timedelta(minutes=60), False)],
)
def test_an_idle_hour_ends_a_session(idle: timedelta, lives: bool) -> None:  # noqa: FBT001
    token, _person, _membership = opened()

    assert (sessions.load_session(token, NOW + idle) is not None) is lives


@pytest.mark.usefixtures("world")
def test_twelve_hours_end_a_session_however_busy() -> None:
    token, _person, _membership = opened()

    for half_hours in range(1, 24):
        assert sessions.load_session(token, NOW + timedelta(minutes=30) * half_hours)
    assert sessions.load_session(token, NOW + timedelta(hours=12)) is None


@pytest.mark.usefixtures("world")
def test_being_seen_is_written_once_a_minute_at_most(count_statements: Callable[[], Any]) -> None:
    token, _person, _membership = opened()

    with count_statements() as within_a_minute:
        sessions.load_session(token, NOW + timedelta(seconds=59))
    sessions.load_session(token, NOW + timedelta(seconds=61))

    assert within_a_minute.total == 1, "rights are read on every request: in one statement"
    assert db.session.scalars(select(UserSession.seen_at)).one() == NOW + timedelta(seconds=61)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(world: Flask, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    cookie = client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    assert client.get("/company/people").status_code == 200

    assert client.post("/sign-out").status_code == 303

    thief = world.test_client()
    thief.set_cookie(SESSION_COOKIE, cookie.value)
    assert thief.get("/company/people").location == "/sign-in?next=/company/people"


@pytest.mark.usefixtures("world")
def test_switching_gives_a_new_token_and_the_old_one_dies(sign_in: SignIn) -> None:
    client = sign_in("buyer@acme.example", "ACME - IT")
    before = client.get_cookie(SESSION_COOKIE)
    person = find_person_by_email("buyer@acme.example")
    assert before is not None
    assert person is not None
    other = next(item for item in find_own_memberships(person.id) if item.unit_code == "RND")

    answer = client.post(f"/memberships/{other.id}", data={"next": "/quotes"})

    after = client.get_cookie(SESSION_COOKIE)
    assert (answer.status_code, answer.location) == (303, "/quotes")
    assert after is not None
    assert after.value != before.value
    assert sessions.load_session(before.value, clock.now()) is None
    signed_in = sessions.load_session(after.value, clock.now())
    assert signed_in is not None
    assert signed_in.actor is not None
    assert signed_in.actor.unit_code == "RND"


@pytest.mark.usefixtures("world")
def test_nobody_chooses_anothers_membership(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in("buyer@acme.example", "ACME - IT")

    for membership_id in (key_of(cast.acme.cfo), key_of(cast.hanbit.buyer), 10**6):
        assert client.post(f"/memberships/{membership_id}").status_code == 404
    signed_in = sessions.load_session(client.get_cookie(SESSION_COOKIE).value, NOW)  # type: ignore[union-attr]
    assert signed_in is not None
    assert signed_in.actor is not None
    assert signed_in.actor.unit_code == "IT"


@pytest.mark.usefixtures("world")
def test_a_session_of_one_person_takes_no_membership_of_another(cast: Cast) -> None:
    _token, person, _membership = opened()
    session_id = db.session.scalars(select(UserSession.id)).one()

    with pytest.raises(NotFoundError):
        sessions.choose_membership(session_id, person.id, key_of(cast.acme.cfo), NOW)


def _take_role(membership: int) -> None:
    with transaction():
        db.session.execute(delete(MembershipRole).where(MembershipRole.membership_id == membership))


def _close_account(membership: int) -> None:
    with transaction():
        account = select(Membership.account_id).where(Membership.id == membership)
        db.session.execute(
            update(Account).where(Account.id == account.scalar_subquery()).values(status="closed")
        )


def _end_membership(membership: int) -> None:
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.id == membership).values(status="ended")
        )


def _suspend_person(membership: int) -> None:
    suspend_person(operator(), db.session.get_one(Membership, membership).person_id, now=NOW)


REVOKED: list[tuple[str, Callable[[int], None]]] = [
    ("the role is taken away", _take_role),
    ("the membership is suspended", lambda key: suspend_membership(operator(), key, now=NOW)),
    ("the membership is ended", _end_membership),
    ("the person is suspended", _suspend_person),
    ("the account is suspended", lambda _key: suspend_account(operator(), "ACME", now=NOW)),
    ("the account is closed", _close_account),
]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("how", "revoke"), REVOKED, ids=[how for how, _revoke in REVOKED])
def test_rights_are_gone_with_the_next_request_when(
    sign_in: SignIn, how: str, revoke: Callable[[int], None]
) -> None:
    client = sign_in("admin@acme.example")
    person = find_person_by_email("admin@acme.example")
    assert person is not None
    membership = find_own_memberships(person.id)[0].id
    assert client.get("/company/people").status_code == 200

    revoke(membership)

    after = client.get("/company/people")
    assert after.status_code in {303, 403}, how
    assert "cfo@acme.example" not in after.text
    actor = load_actor(membership)
    assert actor is None or not actor.can(P.PERSON_READ)


@pytest.mark.usefixtures("world")
def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(sign_in: SignIn) -> None:
    here, there = (sign_in("admin@acme.example") for _browser in range(2))

    answer = here.post(
        "/me/password",
        data={"present_password": PASSWORD, "password": "four horses on a hill"},
    )

    assert answer.status_code == 303
    assert here.get("/me").status_code == 200
    assert there.get("/me").location == "/sign-in?next=/me"


@pytest.mark.usefixtures("world")
def test_a_wrong_present_password_changes_nothing(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    before = db.session.scalars(select(Person.password_hash)).all()

    answer = client.post(
        "/me/password",
        data={"present_password": "guessed", "password": "four horses on a hill"},
    )

    assert answer.status_code == 422
    assert "not your present password" in answer.text
    assert db.session.scalars(select(Person.password_hash)).all() == before


@pytest.mark.usefixtures("world")
def test_a_profile_keeps_language_and_theme(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")

    answer = client.post("/me", data={"name": "Anna A.", "locale": "ko", "theme": "dark"})

    assert answer.status_code == 303
    person = find_person_by_email("admin@acme.example")
    assert person is not None
    assert (person.name, person.locale, person.theme) == ("Anna A.", "ko", "dark")


@pytest.mark.usefixtures("world")
def test_a_profile_refuses_a_language_that_is_not_offered(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")

    answer = client.post("/me", data={"name": "Anna A.", "locale": "xx", "theme": "dark"})

    assert answer.status_code == 422
    person = find_person_by_email("admin@acme.example")
    assert person is not None
    assert person.name == "Anna Albrecht"
