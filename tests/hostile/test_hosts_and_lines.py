"""Hosts, redirects and ends of lines: nothing that is sent decides where a link leads."""

import io
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask
from sqlalchemy import select

from portal.config import Settings
from portal.db import EVERY_ROW, db, set_row_scope
from portal.demo.cast import PASSWORD, Cast
from portal.jobs.actions import run_next
from portal.service.cases.models import CaseAttachment
from tests.hostile import corpus
from tests.instants import NOW
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
pytestmark = [pytest.mark.any_database, pytest.mark.usefixtures("world")]


@pytest.mark.parametrize("host", corpus.HOSTS)
def test_another_host_is_answered_with_nothing(client: PortalClient, host: str) -> None:
    for address in ("/sign-in", "/password/forgotten", "/"):
        answer = client.get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert "href" not in answer.text


def test_a_mailed_link_never_carries_what_a_request_says_of_its_host(
    world: Flask, client: PortalClient, cast: Cast
) -> None:
    """Neither the host nor what a proxy would say of it."""
    settings: Settings = world.config["SETTINGS"]
    email = cast.acme.cfo.email
    lies = {
        "X-Forwarded-Host": "evil.example",
        "X-Host": "evil.example",
        "X-Original-URL": "https://evil.example/",
        "Forwarded": "host=evil.example;proto=https",
        "Referer": "https://evil.example/",
        "Origin": "https://evil.example",
    }
    for old in settings.mail_dir.glob("*.eml"):
        old.unlink()

    answer = client.post("/password/forgotten", data={"email": email}, headers=lies)
    set_row_scope(EVERY_ROW)
    while run_next(NOW + timedelta(minutes=1)):
        pass

    assert answer.status_code in {200, 303}
    assert "evil" not in answer.headers.get("Location", "")
    mails = [path.read_bytes() for path in settings.mail_dir.glob("*.eml")]
    texts = [str(message_from_bytes(mail, policy=policy.default)) for mail in mails]
    assert any(email in text for text in texts), "nobody was mailed"
    assert not any("evil" in text for text in texts)


@pytest.mark.parametrize("target", corpus.ELSEWHERE, ids=lambda target: repr(target[:24]))
def test_no_address_to_go_on_to_leads_to_another_site(
    client: PortalClient, sign_in: SignIn, target: str
) -> None:
    data = {"email": "cfo@acme.example", "password": PASSWORD, "next": target}
    entered = client.post("/sign-in", data=data, query_string={"next": target})
    inside = sign_in("buyer@acme.example", membership="ACME - IT")
    answers = [
        entered,
        inside.post("/preferences", data={"theme": "dark", "next": target}),
        inside.post("/quotes/lines", data={"sku": "NO-SUCH", "quantity": "1", "next": target}),
        inside.get("/memberships", query_string={"next": target}),
    ]

    for answer in answers:
        assert answer.status_code < 500
        place = answer.headers.get("Location", "/")
        assert place.startswith("/"), place
        assert not place.startswith(("//", "/\\")), place
        assert not any(ord(char) < 33 for char in place)


@pytest.mark.parametrize("text", [*corpus.BROKEN[:-1], "a\r\nX-Evil: 1", "%0d%0aX-Evil: 1"])
def test_no_text_ends_a_header(sign_in: SignIn, text: str) -> None:
    client = sign_in("buyer@acme.example", membership="ACME - IT")

    for path, name in (("/quotes", "q"), ("/orders", "sort"), ("/search", "q"), ("/catalog", "at")):
        for shape in ({}, {"format": "csv"}):
            answer = client.get(path, query_string={name: text, **shape})
            assert answer.status_code < 500
            assert "X-Evil" not in answer.headers
            assert all("\n" not in value and "\r" not in value for _, value in answer.headers)


def test_files_keep_safe_names_on_the_disk_and_in_the_answer(world: Flask, sign_in: SignIn) -> None:
    client = sign_in("buyer@acme.example", membership="ACME - IT")
    settings: Settings = world.config["SETTINGS"]
    before = set(settings.data_dir.parent.rglob("*"))
    names = [name for name in corpus.FILE_NAMES if name and "\ud800" not in name]
    for start in range(0, len(names), 6):
        files = [(io.BytesIO(PNG), name) for name in names[start : start + 6]]
        typed = {"kind": "question", "subject": "A lamp", "text": "It blinks.", "then": "send"}
        sent = client.post(
            "/service/cases/new", data=typed | {"key": f"files-{start}", "files": files}
        )
        assert sent.status_code == 303, sent.text
        kept = db.session.execute(
            select(CaseAttachment.position, CaseAttachment.name).order_by(CaseAttachment.id.desc())
        ).all()[: len(files)]
        for position, name in kept:
            assert not set(name) & set('/\\:*?"<>|\r\n\x00')
            answer = client.get(f"{sent.location}/attachments/{position}")
            assert answer.status_code == 200
            header = answer.headers["Content-Disposition"]
            assert "\r" not in header
            assert "\n" not in header
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    strange = set(settings.data_dir.parent.rglob("*")) - before
    assert all(path.is_dir() or len(path.name) == 64 for path in strange), strange
