"""Sending one message: through SMTP, or as an .eml file that nobody else reads."""

import os
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from socket import SHUT_RDWR
from typing import Final
from urllib.parse import unquote, urlsplit

from portal.jobs.actions import AwayError

SMTP_TIMEOUT_SECONDS: Final = 20
SMTP_LONGEST_SECONDS: Final = 90
"""How long one message may take from greeting to end; the worker's lease lasts longer."""
_READY: Final = 220
_CLOSING: Final = 421
_OF_THE_MESSAGE: Final = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,
)


def send(message: EmailMessage, *, smtp_url: str, folder: Path) -> None:
    """Deliver ``message`` to the SMTP server, or write it to ``folder`` where none is set.

    Raises:
        AwayError: Nothing is taken at the moment, whatever the message.
        smtplib.SMTPException: This message was not taken; others may be.
    """
    try:
        if smtp_url:
            _send_smtp(message, smtp_url)
        else:
            _write(message, folder)
    except _OF_THE_MESSAGE as error:
        if _CLOSING in _codes(error):
            raise _away(error) from error
        raise
    except OSError as error:  # among them all other refusals of SMTP
        raise _away(error) from error


def _away(error: OSError) -> AwayError:
    return AwayError(f"{type(error).__name__}: {error}")


def _codes(error: smtplib.SMTPException) -> set[int]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return {code for code, _text in error.recipients.values()}
    return {error.smtp_code} if isinstance(error, smtplib.SMTPResponseException) else set()


def _send_smtp(message: EmailMessage, smtp_url: str) -> None:
    parts = urlsplit(smtp_url)
    host = parts.hostname or "localhost"
    with _connected(parts.scheme == "smtps", host, parts.port) as server:
        if parts.scheme != "smtps" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


@contextmanager
def _connected(is_secure: bool, host: str, port: int | None) -> Iterator[smtplib.SMTP]:  # noqa: FBT001
    """Connect to a server, greet it, and hang up at the end or when it has taken too long."""
    server = (
        smtplib.SMTP_SSL(timeout=SMTP_TIMEOUT_SECONDS, context=ssl.create_default_context())
        if is_secure
        else smtplib.SMTP(timeout=SMTP_TIMEOUT_SECONDS)
    )
    server._host = host  # type: ignore[attr-defined]  # noqa: SLF001 - the name that TLS checks
    # Each answer has a timeout of its own, which a server that drips never reaches.
    alarm = threading.Timer(SMTP_LONGEST_SECONDS, _hang_up, (server,))
    alarm.daemon = True
    alarm.start()
    try:
        code, text = server.connect(host, port or server.default_port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, text)
        server.ehlo_or_helo_if_needed()
        yield server
        with suppress(OSError):  # the message is theirs by now, however they say goodbye
            server.quit()
    finally:
        alarm.cancel()
        server.close()


def _hang_up(server: smtplib.SMTP) -> None:
    """Break off, which ends whatever waits for an answer."""
    if server.sock is not None:
        with suppress(OSError):
            server.sock.shutdown(SHUT_RDWR)


def _write(message: EmailMessage, folder: Path) -> None:
    """Write the file under its final name only when whole; the same message twice is one file."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(message["Message-ID"]).strip("<>").split("@", maxsplit=1)[0]
    path = folder / f"{name}.eml"
    partial = path.with_suffix(".partial")
    partial.write_bytes(bytes(message))
    os.replace(partial, path)  # noqa: PTH105 - Path.replace is the same, this says it is atomic
