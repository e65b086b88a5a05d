"""The mail that asks an approver: what it carries, in their language, and its link."""

from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from portal.accounts.models import Person
from portal.approvals.actions import start_run
from portal.config import Settings
from portal.db import db, transaction
from portal.jobs.actions import run_next
from tests.approvals.office import Office


def sent(app: Flask) -> list[EmailMessage]:
    settings: Settings = app.config["SETTINGS"]
    files = sorted(Path(settings.mail_dir).glob("*.eml"))
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    for file in files:
        file.unlink()
    return mails


def deliver(now: datetime) -> None:
    while run_next(now):
        pass


@pytest.fixture
def mail(app: Flask, acme: Office, now: datetime) -> EmailMessage:
    sent(app)
    start_run(acme.actor("mina"), acme.subject(changes=("Laptop: 6 → 8",)), now)
    deliver(now + timedelta(seconds=1))
    mails = sent(app)
    assert len(mails) == 1
    return mails[0]


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_the_subject_line_carries_the_decision(mail: EmailMessage) -> None:
    assert mail["Subject"] == "Approve 6,000.00 EUR? Q-000001 · Mina"
    assert "kim@acme.example" in mail["To"]


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_it_says_what_why_and_until_when_and_leads_to_the_page(
    mail: EmailMessage, kind: str
) -> None:
    text = body(mail, kind)

    for words in (
        "Mina asks you to approve Q-000001, revision 1: Laptop refresh",
        "6,000.00 EUR",
        "8 EA × 14-inch laptop (LT-1)",
        "Rule 10",
        "Dec 14, 2026",
        "Laptop: 6 → 8",
        "/a/",
    ):
        assert words in text


def test_a_receiver_reads_it_in_their_language(app: Flask, acme: Office, now: datetime) -> None:
    sent(app)
    with transaction():
        db.session.execute(
            update(Person).where(Person.email == acme.email("kim")).values(locale="ko")
        )
    start_run(acme.actor("mina"), acme.subject(), now)

    deliver(now + timedelta(seconds=1))

    (mail,) = sent(app)
    assert '<html lang="ko">' in body(mail, "html")
