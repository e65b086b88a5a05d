"""What holds for every answer: its headers, its host, its errors, its static files."""

import errno
import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from portal.errors import (
    N_,
    ConflictError,
    DomainError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
)
from portal.web import errors
from portal.web.security import CONTENT_SECURITY_POLICY, trusted_hosts

PAGE = "/no-such-page"


@pytest.mark.parametrize("path", [PAGE, "/healthz", "/sign-in"])
def test_an_answer_is_never_cached_framed_or_sniffed(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert {"HX-Request", "Cookie"} <= {part.strip() for part in headers["Vary"].split(",")}


def test_nothing_inline_is_allowed() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_a_poisoned_host_is_refused(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers={"Host": "evil.example"})

    assert answer.status_code == 400


def test_a_public_portal_does_not_answer_to_loopback_names(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    public = type(settings)(base_url="https://portal.example", trusted_hosts=("b2b.example",))

    assert trusted_hosts(public) == ["b2b.example", "portal.example"]
    assert "localhost" in trusted_hosts(type(settings)())


def test_static_files_are_kept_for_years_under_an_address_of_their_content(
    client: FlaskClient,
) -> None:
    page = client.get(PAGE).text
    address = re.search(r'href="(/static/[0-9a-f]{12}/portal\.css)"', page)
    assert address is not None

    with client.get(address.group(1)) as answer:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type.startswith("text/css")


def test_a_missing_page_says_what_to_do_and_has_a_reference(client: FlaskClient) -> None:
    answer = client.get(PAGE)

    assert answer.status_code == 404
    assert "<h1>Page not found</h1>" in answer.text
    assert re.search(r"Reference: [0-9A-F]{8}", answer.text)
    assert 'lang="en"' in answer.text


def test_a_program_gets_a_problem_in_json(client: FlaskClient) -> None:
    answer = client.get(PAGE, headers={"Accept": "application/json"})

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == 404
    assert answer.json["instance"].startswith("urn:reference:")


class FullError(ConflictError):
    message = N_("List {name} is full.")


@pytest.mark.parametrize(
    ("refusal", "status", "says"),
    [
        (NotFoundError(), 404, "There is nothing here that you can see."),
        (NotAllowedError(permission="quote.save"), 403, "Your role does not include this."),
        (FullError(name="<b>A</b>"), 409, "List &lt;b&gt;A&lt;/b&gt; is full."),
        (InvalidError(), 422, "There is a problem with what was entered."),
        (DomainError(), 422, "This can&#39;t be done."),
    ],
)
def test_a_refusal_becomes_its_status_and_words(
    app: Flask, refusal: DomainError, status: int, says: str
) -> None:
    with app.test_request_context("/quotes/Q-1/submit", method="POST"):
        answer = app.make_response(app.handle_user_exception(refusal))

    assert answer.status_code == status
    assert says in answer.get_data(as_text=True)


def test_the_page_of_a_missing_right_says_who_can_grant_it(app: Flask) -> None:
    with app.test_request_context("/quotes"):
        answer = app.make_response(app.handle_user_exception(NotAllowedError()))

    page = answer.get_data(as_text=True)
    assert "site administrator of your company" in page
    assert "account manager" in page
    assert "Nothing was changed." in page


def test_a_failure_is_answered_without_asking_the_database(app: Flask) -> None:
    with app.test_request_context("/quotes"):
        answer = app.make_response(errors.broke(RuntimeError("secret detail")))
        assert errors.has_failed()

    assert answer.status_code == 500
    page = answer.get_data(as_text=True)
    assert "Something went wrong on our side" in page
    assert "secret detail" not in page


FULL = OperationalError("insert into ...", {}, Exception("database or disk is full"))


def test_a_database_that_takes_nothing_is_said_and_the_form_can_be_sent_again(app: Flask) -> None:
    typed = {"title": "Laptops <b>", "csrf_token": "stale"}
    own = {"Sec-Fetch-Site": "same-origin"}
    with app.test_request_context("/quotes", method="POST", data=typed, headers=own):
        answer = app.make_response(errors.broke(FULL))

    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "Nothing can be saved at the moment" in page
    assert 'name="title" value="Laptops &lt;b&gt;"' in page
    assert "Send again" in page
    assert "stale" not in page


def test_an_upload_that_finds_no_room_on_its_way_is_told_so(app: Flask) -> None:
    with app.test_request_context("/quotes", method="POST"):
        answer = app.make_response(errors.broke(OSError(errno.ENOSPC, "No space left on device")))

    assert answer.status_code == 503
    assert "Nothing can be saved at the moment" in answer.get_data(as_text=True)


def test_a_page_that_the_database_can_not_show_is_not_there_for_a_moment(app: Flask) -> None:
    with app.test_request_context("/quotes"):
        answer = app.make_response(errors.broke(FULL))

    assert answer.status_code == 503
    assert "The portal is not available at the moment" in answer.get_data(as_text=True)


@pytest.mark.parametrize("field", ["password", "note", "file"])
def test_nothing_is_offered_to_be_sent_again_that_would_not_be_the_same(
    app: Flask, field: str
) -> None:
    # Made anew for each test: sending a file closes it.
    typed = {"password": "secret", "note": "x" * 20_001, "file": (BytesIO(b"x"), "x.txt")}
    own = {"Sec-Fetch-Site": "same-origin"}
    with app.test_request_context(
        "/quotes", method="POST", data={field: typed[field]}, headers=own
    ):
        answer = app.make_response(errors.broke(FULL))

    page = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert "Send again" not in page
    assert "secret" not in page


def test_a_form_without_its_token_is_refused_and_nothing_typed_is_lost(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    typed = {"q": "20 docks", "password": "hunter2"}

    own = client.post("/preferences", data=typed, headers={"Sec-Fetch-Site": "same-origin"})
    foreign = client.post("/preferences", data=typed, headers={"Sec-Fetch-Site": "cross-site"})

    assert own.status_code == foreign.status_code == 400
    assert "20 docks" in own.text
    assert "20 docks" not in foreign.text
    assert "hunter2" not in own.text + foreign.text
    assert "Send again" not in foreign.text


@pytest.mark.usefixtures("world")
def test_a_nul_in_address_or_form_is_never_an_error(sign_in: Callable[..., FlaskClient]) -> None:
    client = sign_in("buyer@acme.example")

    assert client.get("/orders", query_string={"q": "\x00O-0"}).status_code == 200
    assert client.get("/orders/O%00").status_code == 404
    assert (
        client.post("/quotes/lines", data={"sku": "LT\x00-0001", "quantity": "1"}).status_code < 500
    )
