"""When files can't be stored: nothing typed is lost, and no mail is refused for it."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.config import Settings
from portal.db import db
from portal.demo.cast import Cast
from portal.service.cases.models import Case
from portal.service.mailbox import fetch_mail
from tests.stage import PortalClient

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8000


@pytest.fixture
def full(world: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let no file be written until the patch is undone."""
    settings: Settings = replace(world.config["SETTINGS"], data_dir=tmp_path)
    monkeypatch.setitem(world.config, "SETTINGS", settings)

    def refuse(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", refuse)
    return patch


def count_cases() -> int:
    return db.session.scalar(select(func.count()).select_from(Case)) or 0


def test_a_case_with_a_photo_is_refused_in_words_and_stands_in_its_form_again(
    cast: Cast, full: pytest.MonkeyPatch, sign_in: Callable[..., PortalClient]
) -> None:
    assert cast.acme.account_id
    form = {
        "kind": "question",
        "subject": "A lamp blinks",
        "text": "Since this morning.",
        "then": "send",
        "key": "k",
        "files": (BytesIO(PNG), "lamp.png"),
    }
    try:
        answer = sign_in("buyer@acme.example").post("/service/cases/new", data=form)
    finally:
        full.undo()

    assert answer.status_code == 422
    assert "Files can’t be stored at the moment" in answer.text
    assert "Since this morning." in answer.text
    assert count_cases() == 0


def test_a_mail_with_a_photo_waits_in_the_mailbox(
    cast: Cast, world: Flask, full: pytest.MonkeyPatch, now: datetime
) -> None:
    assert cast.acme.account_id
    folder = world.config["SETTINGS"].mailbox_dir
    folder.mkdir()
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "buyer@acme.example", "A lamp", "<1@acme>"
    mail.set_content("It blinks.")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="lamp.png")
    (folder / "1.eml").write_bytes(bytes(mail))

    with pytest.raises(OSError, match="stored at the moment"):
        fetch_mail(now)
    full.undo()

    assert (count_cases(), [path.name for path in folder.glob("*.eml")]) == (0, ["1.eml"])
    assert fetch_mail(now) == 1
    assert count_cases() == 1
