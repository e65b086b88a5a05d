"""Text messages: to real numbers, once, to a file on a laptop or a gateway by setting."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from portal.config import Settings
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.jobs.actions import run_next
from portal.jobs.models import Job
from portal.sms.actions import LONGEST, deliver, text_to
from portal.sms.models import TextMessage
from portal.sms.numbers import PhoneError, parse_phone, readable_phone


@dataclass
class Gateway:
    """A gateway of our own that answers as it is told and keeps what came."""

    url: str = ""
    status: int = 202
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.requests.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(made.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://alarm:secret@127.0.0.1:{server.server_port}/send?from=portal"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(world: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings: Settings = replace(world.config["SETTINGS"], data_dir=tmp_path)
    monkeypatch.setitem(world.config, "SETTINGS", settings)
    return settings.sms_dir


def send_to(url: str) -> None:
    """Name a gateway for the rest of the test (the fixture `folder` takes it back)."""
    config = current_app.config
    config["SETTINGS"] = replace(config["SETTINGS"], sms_url=url)


def text(cast: Cast, now: datetime, body: str = "C-000001: nobody answered") -> None:
    with transaction():
        text_to("+49 30 1234567", body, account_id=cast.acme.account_id, now=now)


def work(now: datetime) -> None:
    while run_next(now):
        pass


def the_job() -> Job:
    return db.session.scalars(
        select(Job).where(Job.kind == "sms.send").execution_options(populate_existing=True)
    ).one()


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+49 (30) 123-4567", None, "+49301234567"),
        ("030 1234567", "DE", "+49301234567"),
        ("02-312-3456", "KR", "+8223123456"),
        ("+８２ 2 312 3456", None, "+8223123456"),  # noqa: RUF001 - as Korean keyboards type it
    ],
)
def test_a_number_is_read_as_people_write_it(
    written: str, country: str | None, number: str
) -> None:
    assert parse_phone(written, country) == number


@pytest.mark.any_database
@pytest.mark.parametrize("written", ["", "hello", "030 1234567", "+49 1", "+999 123456789"])
def test_what_can_not_ring_is_refused_in_words(written: str) -> None:
    with pytest.raises(PhoneError, match="with its country"):
        parse_phone(written)


@pytest.mark.any_database
def test_a_kept_number_is_shown_readably() -> None:
    assert readable_phone("+49301234567") == "+49 30 1234567"


def test_without_a_gateway_a_text_is_a_file(cast: Cast, folder: Path, now: datetime) -> None:
    text(cast, now, "C-000001: 아무도 대답하지 않았습니다")
    work(now)

    (file,) = folder.iterdir()
    assert file.read_text() == "To: +49301234567\n\nC-000001: 아무도 대답하지 않았습니다\n"


def test_a_text_too_long_is_cut_and_says_so(cast: Cast, folder: Path, now: datetime) -> None:
    text(cast, now, "long " * 100)
    work(now)

    written = next(folder.iterdir()).read_text().partition("\n\n")[2].strip()
    assert (len(written) <= LONGEST, written[-1]) == (True, "…")


def test_a_gateway_gets_the_text_as_json_with_a_name_for_repeats(
    cast: Cast, folder: Path, gateway: Gateway, now: datetime
) -> None:
    send_to(gateway.url)
    text(cast, now)
    work(now)

    ((path, headers, body),) = gateway.requests
    key = db.session.scalars(select(TextMessage.id)).one()
    assert path == "/send?from=portal"
    assert body == {
        "id": f"sms-{key}",
        "to": "+49301234567",
        "text": "C-000001: nobody answered",
    }
    assert headers["Idempotency-Key"] == f"sms-{key}"
    assert headers["Authorization"] == "Basic YWxhcm06c2VjcmV0"
    assert not folder.exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("status", [302, 400, 503])
def test_a_gateway_that_refuses_or_sends_elsewhere_is_asked_again_later(
    cast: Cast, gateway: Gateway, now: datetime, status: int
) -> None:
    send_to(gateway.url)
    gateway.status = status
    text(cast, now)
    work(now)

    assert len(gateway.requests) == 1
    assert the_job().state == "waiting"
    assert f"answered {status}" in (the_job().error or "")
    gateway.status = 200
    work(now + timedelta(minutes=1))
    assert [path for path, _, _ in gateway.requests] == ["/send?from=portal"] * 2
    assert the_job().state == "done"


@pytest.mark.usefixtures("folder")
def test_a_gateway_that_is_down_loses_nothing(cast: Cast, gateway: Gateway, now: datetime) -> None:
    send_to("http://127.0.0.1:9/send")
    text(cast, now)
    work(now)
    send_to(gateway.url)
    work(now + timedelta(minutes=1))

    assert len(gateway.requests) == 1


def test_a_text_is_sent_once_however_often_its_job_runs(
    cast: Cast, folder: Path, now: datetime
) -> None:
    text(cast, now)
    work(now)
    (file,) = folder.iterdir()
    file.unlink()

    deliver(the_job().payload, now)

    assert list(folder.iterdir()) == []


def test_no_text_is_written_for_a_number_that_can_not_ring(
    cast: Cast, folder: Path, now: datetime
) -> None:
    with pytest.raises(PhoneError), transaction():
        text_to("nobody", "x", account_id=cast.acme.account_id, now=now)

    assert db.session.scalars(select(TextMessage)).all() == []
    assert not folder.exists()
