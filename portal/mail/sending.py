"""Sending one message: through SMTP, or as an .eml file that nobody else reads."""

import os
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

SMTP_TIMEOUT_SECONDS: Final = 20


def send(message: EmailMessage, *, smtp_url: str, folder: Path) -> None:
    """Deliver ``message`` to the SMTP server, or write it to ``folder`` where none is set.

    Raises:
        OSError, smtplib.SMTPException: Not delivered; the caller tries again later.
    """
    if smtp_url:
        _send_smtp(message, smtp_url)
    else:
        _write(message, folder)


def _send_smtp(message: EmailMessage, smtp_url: str) -> None:
    parts = urlsplit(smtp_url)
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host,
            parts.port or 465,
            timeout=SMTP_TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=SMTP_TIMEOUT_SECONDS)
    with server:
        if parts.scheme != "smtps" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _write(message: EmailMessage, folder: Path) -> None:
    """Write the file under its final name only when whole; the same message twice is one file."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(message["Message-ID"]).strip("<>").split("@", maxsplit=1)[0]
    path = folder / f"{name}.eml"
    partial = path.with_suffix(".partial")
    partial.write_bytes(bytes(message))
    os.replace(partial, path)  # noqa: PTH105 - Path.replace is the same, this says it is atomic
