"""Texting: `text_to` inside an action's transaction, `deliver` in the worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask import current_app
from sqlalchemy import update

from portal.config import Settings
from portal.db import EVERY_ROW, db, reaching, transaction
from portal.jobs.actions import schedule
from portal.sms.models import TextMessage
from portal.sms.numbers import parse_phone
from portal.sms.sending import Text, send

SEND: Final = "sms.send"
LONGEST: Final = 320
"""Characters of two parts of a message; what is longer is cut."""


def text_to(phone: str, body: str, *, account_id: int, now: datetime) -> TextMessage:
    """Write a text message in the transaction under way; the worker sends it.

    Args:
        phone: As people write it, with its country.
        account_id: The account that the matter belongs to.

    Raises:
        PhoneError: It is no telephone number.
    """
    cut = body if len(body) <= LONGEST else body[: LONGEST - 1].rstrip() + "…"
    row = TextMessage(account_id=account_id, phone=parse_phone(phone), body=cut, created_at=now)
    db.session.add(row)
    db.session.flush()
    schedule(SEND, {"text_message_id": row.id}, now=now)
    return row


def deliver(payload: Mapping[str, Any], now: datetime) -> None:
    """Send one message, unless it was sent already; a repeat carries the same id.

    Raises:
        OSError: Not sent; the job is tried again.
    """
    settings: Settings = current_app.config["SETTINGS"]
    with reaching(EVERY_ROW):
        row = db.session.get_one(TextMessage, payload["text_message_id"])
        key = row.id
        if row.sent_at is not None:
            return
        send(
            Text(id=f"sms-{key}", to=row.phone, text=row.body),
            url=settings.sms_url,
            folder=settings.sms_dir,
        )
        with transaction():
            db.session.execute(update(TextMessage).where(TextMessage.id == key).values(sent_at=now))
