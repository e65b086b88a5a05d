"""Probes for machines; language and theme for people, signed in or not."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.models import Person
from portal.db import db

BUYER = "buyer@acme.example"
SignIn = Callable[..., FlaskClient]


def test_the_process_answers_its_probe(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_a_ready_portal_says_so(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "database": "ok", "migrations": "ok"}


@pytest.mark.parametrize(
    ("asked", "lang"), [("zh-TW,zh;q=0.9", "zh-Hant"), ("ko", "ko"), ("fr", "en"), ("", "en")]
)
def test_a_stranger_is_spoken_to_as_the_browser_asks(
    client: FlaskClient, asked: str, lang: str
) -> None:
    page = client.get("/sign-in", headers={"Accept-Language": asked}).text

    assert f'<html lang="{lang}" data-bs-theme="auto">' in page


def test_a_stranger_s_choice_is_kept_in_the_browser(client: FlaskClient) -> None:
    answer = client.post("/preferences", data={"locale": "ko", "theme": "dark", "next": "/sign-in"})

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert '<html lang="ko" data-bs-theme="dark">' in client.get("/sign-in").text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_choice_never_leads_to_another_host(client: FlaskClient, target: str) -> None:
    answer = client.post("/preferences", data={"theme": "light", "next": target})

    assert answer.location == "/"


def test_a_choice_that_is_none_of_ours_changes_nothing(client: FlaskClient) -> None:
    answer = client.post("/preferences", data={"locale": "xx", "theme": "pink"})

    assert "Set-Cookie" not in answer.headers
    assert 'lang="en" data-bs-theme="auto"' in client.get("/sign-in").text


@pytest.mark.usefixtures("world")
def test_a_person_s_choice_is_kept_with_the_person(sign_in: SignIn) -> None:
    client = sign_in(BUYER)

    client.post("/preferences", data={"locale": "zh-Hans"})
    client.post("/preferences", data={"theme": "dark"})

    person = db.session.scalars(select(Person).where(Person.email == BUYER)).one()
    assert (person.locale, person.theme) == ("zh-Hans", "dark")
    assert '<html lang="zh-Hans" data-bs-theme="dark">' in client.get("/").text
