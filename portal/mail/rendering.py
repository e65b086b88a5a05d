"""Rendering a message from its templates, in the receiver's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any
from urllib.parse import parse_qsl

from flask import current_app, render_template
from flask_babel import force_locale
from jinja2 import TemplateNotFound

from portal.errors import N_, InvalidError


class BadSubjectError(InvalidError):
    """A template's first line is not a subject."""

    message = N_("The mail template {kind} does not start with “Subject:”.")


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message goes to and how it is recognised when it comes twice.

    ``thread_id`` is the Message-ID that all messages about one thing refer to.
    """

    name: str
    email: str
    locale: str
    sender: str
    message_id: str
    sent_at: datetime
    thread_id: str = ""
    enclosures: tuple[Enclosure, ...] = ()


def render(kind: str, envelope: Envelope, context: Mapping[str, Any]) -> EmailMessage:
    """Return the message of ``mail/<kind>.txt`` (first line ``Subject: ...``) and its HTML, if any.

    Args:
        context: Plain data for the templates.
    """
    with force_locale(envelope.locale):
        text = render_template(f"mail/{kind}.txt", **context).strip()
        try:
            html = render_template(f"mail/{kind}.html", **context)
        except TemplateNotFound:
            html = ""
    head, _, body = text.partition("\n")
    if not head.startswith("Subject:"):
        raise BadSubjectError(kind=kind)
    message = EmailMessage()
    message["Subject"] = " ".join(head.removeprefix("Subject:").split())
    message["From"] = formataddr(
        (str(current_app.config["SETTINGS"].supplier_name), envelope.sender)
    )
    message["To"] = formataddr((envelope.name, envelope.email))
    message["Date"] = format_datetime(envelope.sent_at)
    message["Message-ID"] = envelope.message_id
    if envelope.thread_id:
        message["References"] = message["In-Reply-To"] = envelope.thread_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.strip() + "\n")
    if html:
        message.add_alternative(html, subtype="html")
    for enclosure in envelope.enclosures:
        kind, _semicolon, rest = enclosure.media_type.partition(";")
        main, _slash, sub = kind.strip().partition("/")
        message.add_attachment(
            enclosure.content,
            maintype=main,
            subtype=sub,
            filename=enclosure.name,
            params=dict(parse_qsl(rest.replace(" ", ""))),
        )
    return message
