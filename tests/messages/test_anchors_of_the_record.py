"""What auditors keep outside, so that nobody can rewrite the record later."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import Account
from portal.config import Settings
from portal.db import db
from portal.events.queries import has_hash, head_hashes
from portal.jobs.actions import run_next
from portal.jobs.models import Job
from portal.messages.anchors import MAIL, plan_anchors

DAY = timedelta(days=1)


@pytest.fixture
def box(world: Flask) -> Iterator[Path]:
    settings: Settings = world.config["SETTINGS"]
    for old in settings.mail_dir.glob("*"):
        old.unlink()
    yield settings.mail_dir
    for mail in settings.mail_dir.glob("*"):
        mail.unlink()


def test_the_last_hash_of_each_day_is_mailed_once_to_the_auditors(box: Path, now: datetime) -> None:
    codes = dict(db.session.execute(select(Account.id, Account.code)).all())
    heads = {codes[account_id]: text for account_id, text in head_hashes().items()}

    for hours in (0, 1, 2):
        plan_anchors(now + DAY + timedelta(hours=hours))

    planned = select(func.count(Job.id)).where(Job.kind == MAIL)
    assert db.session.scalar(planned) == 1
    while run_next(now + DAY):
        pass
    told = {}
    for path in box.glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        plain = mail.get_body(("plain",))
        assert plain is not None
        told[str(mail["To"])] = plain.get_content()
    supplier = next(text for to, text in told.items() if "auditor@northwind.example" in to)
    assert all(f"{code}: {text}" in supplier for code, text in heads.items())
    own = next(text for to, text in told.items() if "revision@acme.example" in to)
    assert [text in own for text in (heads["ACME"], heads["HANBIT"])] == [True, False]
    assert has_hash(heads["ACME"])
