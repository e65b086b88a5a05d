"""Invitations and resets: looking is free, using works once, and nobody learns who is known."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts import rates, signing_in
from portal.accounts.actions import make_invitation_link
from portal.accounts.memberships import Invitation, invite_again, invite_person
from portal.accounts.models import Membership, Person, SingleUseLink, UserSession
from portal.accounts.queries import find_person_by_email
from portal.accounts.rules import (
    AlreadyActiveError,
    AlreadyMemberError,
    LinkGoneError,
    Rights,
    WeakPasswordError,
)
from portal.accounts.sessions import open_session
from portal.config import Settings
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.jobs.actions import run_next
from portal.messages.models import Message
from tests.accounts.files import operator
from tests.accounts.keys import key_of, person_of
from tests.instants import NOW
from tests.stage import PortalClient

Rows = Callable[[], object]
PASSWORD = "four horses on a hill"
NEW = "new.buyer@acme.example"


def invitation(cast: Cast, **changes: object) -> Invitation:
    admin = cast.acme.admin
    rights: dict[str, Any] = {
        "unit_id": admin.unit_id,
        "access_group_id": admin.access_group_id,
        "roles": frozenset({"buyer"}),
        "signing_limit": None,
        "signs_unlimited": False,
        "manager_id": None,
    }
    return Invitation(email=NEW, name="Nora Neu", locale=None, rights=Rights(**(rights | changes)))


def invited(cast: Cast) -> str:
    """Invite somebody and return the path in their mail."""
    invite_person(cast.acme.admin, "ACME", invitation(cast), now=NOW)
    return mailed("invitation")


def mailed(kind: str) -> str:
    paths = db.session.scalars(
        select(Message.path).where(Message.kind == kind).order_by(Message.id)
    )
    return str(list(paths)[-1])


def token_of(path: str) -> str:
    return path.rsplit("/", 1)[1]


def test_an_invited_person_sets_a_password_and_gets_in(cast: Cast, client: PortalClient) -> None:
    path = invited(cast)

    assert client.post(path, data={"password": PASSWORD}).location == "/sign-in"
    answer = client.post("/sign-in", data={"email": NEW, "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/")
    person = find_person_by_email(NEW)
    assert person is not None
    assert person.status == "active"


def test_looking_at_a_link_never_uses_it_up(cast: Cast, client: PortalClient) -> None:
    path = invited(cast)

    for _scan in range(20):
        page = client.get(path)
        assert page.status_code == 200
        assert NEW in page.text
    assert client.head(path).status_code == 200

    assert client.post(path, data={"password": PASSWORD}).status_code == 303


def test_a_link_works_once(cast: Cast, client: PortalClient) -> None:
    path = invited(cast)
    assert client.post(path, data={"password": PASSWORD}).status_code == 303
    stored = db.session.scalar(select(Person.password_hash).where(Person.email == NEW))

    again = client.post(path, data={"password": "another horse on a hill"})

    assert again.status_code == 404
    assert "no longer works" in again.text
    assert client.get(path).status_code == 404
    assert db.session.scalar(select(Person.password_hash).where(Person.email == NEW)) == stored


def test_a_weak_password_leaves_the_link_working(cast: Cast, client: PortalClient) -> None:
    path = invited(cast)

    refused = client.post(path, data={"password": "short"})

    assert refused.status_code == 422
    assert "12 to 200 characters" in refused.text
    assert client.get(path).status_code == 200


def test_an_invitation_lasts_seven_days(cast: Cast) -> None:
    token = token_of(invited(cast))

    with pytest.raises(LinkGoneError, match="expired"):
        signing_in.accept_invitation(token, PASSWORD, now=NOW + timedelta(days=7))
    late = NOW + timedelta(days=7) - timedelta(seconds=1)
    assert signing_in.accept_invitation(token, PASSWORD, now=late) == NEW


def test_inviting_again_voids_the_first_link(cast: Cast) -> None:
    first = token_of(invited(cast))
    membership = db.session.scalars(
        select(Membership.id).join(Person).where(Person.email == NEW)
    ).one()

    invite_again(cast.acme.admin, membership, now=NOW)

    second = token_of(mailed("invitation"))
    assert second != first
    with pytest.raises(LinkGoneError):
        signing_in.accept_invitation(first, PASSWORD, now=NOW)
    assert signing_in.accept_invitation(second, PASSWORD, now=NOW) == NEW


def test_links_are_stored_hashed(cast: Cast) -> None:
    token = token_of(invited(cast))

    assert token not in db.session.scalars(select(SingleUseLink.token_hash)).all()


def test_a_reset_link_does_not_accept_an_invitation_nor_the_reverse(
    cast: Cast,
    client: PortalClient,
) -> None:
    token = token_of(invited(cast))

    assert client.get(f"/password/{token}").status_code == 404
    with pytest.raises(LinkGoneError):
        signing_in.reset_password(token, PASSWORD, now=NOW)


def test_somebody_with_a_password_is_told_to_sign_in_instead(cast: Cast) -> None:
    known = invitation(cast, unit_id=cast.acme.buyer.unit_id)
    email, name = cast.hanbit.buyer.email, cast.hanbit.buyer.name
    guest = Invitation(email=email, name="Other name", locale=None, rights=known.rights)

    membership = invite_person(cast.acme.admin, "ACME", guest, now=NOW)

    assert mailed("invitation") == "/sign-in"
    person = db.session.get_one(Person, membership.person_id)
    assert person.name == name, "their name is theirs"
    with pytest.raises(AlreadyActiveError):
        invite_again(cast.acme.admin, membership.id, now=NOW)


def test_nobody_becomes_a_member_of_a_unit_twice(cast: Cast, business_rows: Rows) -> None:
    invited(cast)
    before = business_rows()

    with pytest.raises(AlreadyMemberError, match=r"new\.buyer@acme\.example is already"):
        invite_person(cast.acme.admin, "ACME", invitation(cast), now=NOW)
    assert business_rows() == before


def test_a_forgotten_password_is_set_anew_and_every_session_ends(
    cast: Cast,
    client: PortalClient,
) -> None:
    buyer = cast.acme.buyer
    open_session(person_of(buyer), key_of(buyer), NOW)
    asked = client.post("/password/forgotten", data={"email": buyer.email.upper()})
    assert asked.location == "/password/sent"

    path = mailed("password_reset")
    assert client.get(path).status_code == 200
    assert client.post(path, data={"password": PASSWORD}).status_code == 303

    assert db.session.scalars(select(UserSession)).all() == []
    assert client.post(path, data={"password": PASSWORD}).status_code == 404
    entered = client.post("/sign-in", data={"email": buyer.email, "password": PASSWORD})
    assert entered.status_code == 303


def test_a_reset_link_lasts_an_hour(cast: Cast) -> None:
    signing_in.request_reset(cast.acme.buyer.email, address="192.0.2.1", now=NOW)
    token = token_of(mailed("password_reset"))

    with pytest.raises(LinkGoneError):
        signing_in.reset_password(token, PASSWORD, now=NOW + timedelta(hours=1))
    with pytest.raises(WeakPasswordError):
        signing_in.reset_password(token, cast.acme.buyer.email, now=NOW)
    assert signing_in.reset_password(token, PASSWORD, now=NOW + timedelta(minutes=59))


@pytest.mark.parametrize("how", ["unknown", "invited", "suspended", "too often"])
def test_nobody_learns_whether_an_e_mail_is_known(
    cast: Cast,
    client: PortalClient,
    how: str,
) -> None:
    known = cast.acme.buyer.email
    usual = client.post("/password/forgotten", data={"email": cast.acme.cfo.email})
    email = known
    if how == "unknown":
        email = "nobody@acme.example"
    elif how == "too often":
        for _time in range(rates.RESET_PERSON.most):
            signing_in.request_reset(known, address="192.0.2.1", now=NOW)
    else:
        with transaction():
            db.session.execute(update(Person).where(Person.email == known).values(status=how))
    messages = len(db.session.scalars(select(Message.id)).all())

    answer = client.post("/password/forgotten", data={"email": email})

    assert (answer.status_code, answer.location, answer.text) == (
        usual.status_code,
        usual.location,
        usual.text,
    )
    assert len(db.session.scalars(select(Message.id)).all()) == messages


def test_an_operator_gets_a_link_for_people_without_a_password_alone(cast: Cast) -> None:
    invited(cast)

    path = make_invitation_link(operator(), NEW.upper(), now=NOW)

    assert re.fullmatch(r"/invitation/[\w-]{43}", path)
    assert signing_in.accept_invitation(token_of(path), PASSWORD, now=NOW) == NEW
    with pytest.raises(AlreadyActiveError, match="has a password already"):
        make_invitation_link(operator(), NEW, now=NOW)


@pytest.mark.usefixtures("world")
def test_events_of_inviting_name_nobody(cast: Cast) -> None:
    invited(cast)

    text = " ".join(str(data) for data in db.session.scalars(select(Event.data)))
    assert "@" not in text
    assert "Nora" not in text


@pytest.mark.parametrize(
    ("locale", "subject"), [("en", "Your access to the portal for ACME"), ("ko", "")]
)
def test_the_mail_carries_the_link_as_text_and_as_html(
    world: Flask, cast: Cast, locale: str, subject: str
) -> None:
    guest = replace(invitation(cast), locale=locale)
    invite_person(cast.acme.admin, "ACME", guest, now=NOW)
    path = mailed("invitation")

    while run_next(NOW):
        pass

    settings: Settings = world.config["SETTINGS"]
    files = sorted(
        settings.mail_dir.glob("invitation.*.eml"), key=lambda file: file.stat().st_mtime
    )
    mail = message_from_bytes(files[-1].read_bytes(), policy=default)
    assert mail["To"] == f"Nora Neu <{NEW}>"
    assert subject in mail["Subject"]
    bodies = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    assert set(bodies) == {"text/plain", "text/html"}
    assert all(settings.base_url + path in body for body in bodies.values())
