"""Mails about a case: to whom they go, what they carry, and how an answer finds its way back."""

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from portal.config import Settings
from portal.demo.cast import Cast
from portal.jobs.actions import run_next
from portal.service.cases.actions import Then, add_note, reply
from portal.service.cases.ending import close_case, rate_case
from portal.service.cases.models import Case
from portal.service.cases.working import transfer_case
from tests.service.desk import OpenCase

BUYER, AGENT = "buyer@acme.example", "service@northwind.example"


@pytest.fixture
def folder(world: Flask) -> Iterator[Path]:
    settings: Settings = world.config["SETTINGS"]
    for old in settings.mail_dir.glob("*"):
        old.unlink()
    yield settings.mail_dir
    for mail in settings.mail_dir.glob("*"):
        mail.unlink()


def sent(folder: Path, now: datetime) -> dict[str, list[EmailMessage]]:
    """Deliver what waits and return the new mails by their receiver."""
    for old in folder.glob("*"):
        old.unlink()
    while run_next(now):
        pass
    found: dict[str, list[EmailMessage]] = {}
    for path in sorted(folder.glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        found.setdefault(mail["To"].addresses[0].addr_spec, []).append(mail)
    return found


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_both_sides_hear_of_a_new_case_in_one_thread(
    folder: Path, cast: Cast, opened: OpenCase, now: datetime
) -> None:
    number = opened().number

    mails = sent(folder, now)

    assert set(mails) == {BUYER, AGENT}
    for mail in (mails[BUYER][0], mails[AGENT][0]):
        assert f"[{number}]" in mail["Subject"]
        assert mail["References"] == mail["In-Reply-To"]
        assert mail["References"].startswith(f"<{number}@")
        assert "The lamp blinks." in text_of(mail)
        assert f"/service/cases/{number}" in text_of(mail)
    reply(cast.supplier.service_agent, number, "Which one?", now=now, then=Then.ASK)
    later = sent(folder, now)[BUYER][0]
    assert later["References"] == mails[BUYER][0]["References"]
    assert later["Message-ID"] != mails[BUYER][0]["Message-ID"]
    assert "Your answer is needed" in later["Subject"]
    assert "Which one?" in text_of(later)


def test_each_outcome_is_told_to_the_other_side_alone(
    folder: Path, cast: Cast, opened: OpenCase, now: datetime
) -> None:
    buyer, agent = cast.acme.buyer, cast.supplier.service_agent
    number = opened().number
    sent(folder, now)

    reply(agent, number, "Hold the button.", now=now)
    assert set(sent(folder, now)) == {BUYER}
    reply(buyer, number, "Thanks.", now=now)
    assert set(sent(folder, now)) == {AGENT}
    reply(agent, number, "Then it is done.", now=now, then=Then.RESOLVE)
    assert "Resolved" in sent(folder, now)[BUYER][0]["Subject"]
    close_case(buyer, number, now=now)
    assert "Closed by the customer" in sent(folder, now)[AGENT][0]["Subject"]
    rate_case(buyer, number, 5, "Quick.", now=now)
    assert "5/5 Quick." in text_of(sent(folder, now)[AGENT][0])


def test_a_note_is_told_to_nobody(
    folder: Path, cast: Cast, opened: OpenCase, now: datetime
) -> None:
    number = opened().number
    sent(folder, now)

    add_note(cast.supplier.service_agent, number, "Angry. Call first.", now=now)

    assert sent(folder, now) == {}


def test_a_merge_and_a_transfer_are_told(
    folder: Path, cast: Cast, merged: tuple[Case, Case], now: datetime
) -> None:
    gone, target = merged

    told = [text_of(mail) for mail in sent(folder, now)[BUYER] if "Merged" in mail["Subject"]]
    assert len(told) == 1
    assert gone.number in told[0]
    assert target.number in told[0]
    transfer_case(cast.supplier.service_agent, target.number, "ASIA", now=now)
    assert "For your team" in sent(folder, now)[AGENT][0]["Subject"]


def test_words_of_people_stay_words(folder: Path, opened: OpenCase, now: datetime) -> None:
    opened(subject="<b>bold</b> & co", text="<script>alert(1)</script>\nSubject: other")

    mail = sent(folder, now)[AGENT][0]

    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in str(html.get_content())
    assert "&lt;script&gt;" in str(html.get_content())
    assert "<b>bold</b> & co" in mail["Subject"]
