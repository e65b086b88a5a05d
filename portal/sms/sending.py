"""Sending one text message: to an HTTP gateway, or as a file that nobody else reads."""

import base64
import http.client
import json
import os
import ssl
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from portal.jobs.actions import AwayError

TIMEOUT_SECONDS: Final = 15
MOST_ANSWER: Final = 64 * 1024
_GOOD: Final = range(200, 300)
_BROKEN: Final = 500


@dataclass(frozen=True, slots=True)
class Text:
    """A text message as the gateway gets it; ``id`` tells a repeat from a new one."""

    id: str
    to: str
    text: str


class GatewayError(OSError):
    """The gateway did not take the message, with which status it said so; it is tried again."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def send(text: Text, *, url: str, folder: Path) -> None:
    """Hand a message to the gateway at ``url``, or write it to ``folder`` where none is set.

    Raises:
        AwayError: Nothing is taken at the moment, whatever the message.
        GatewayError: This message was not taken; others may be.
    """
    try:
        if url:
            _post(text, urlsplit(url))
        else:
            _write(text, folder)
    except GatewayError as error:
        if error.status is None or error.status >= _BROKEN:
            raise AwayError(str(error)) from error
        raise
    except OSError as error:
        message = f"{type(error).__name__}: {error}"
        raise AwayError(message) from error


def _post(text: Text, url: SplitResult) -> None:
    """Post the message as JSON; a redirect is an error, so that no text goes elsewhere."""
    connection = _connect(url)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", path, body=json.dumps(asdict(text)), headers=_headers(text, url))
        answer = connection.getresponse()
        answer.read(MOST_ANSWER)
        if answer.status not in _GOOD:
            message = f"the gateway answered {answer.status}"
            raise GatewayError(message, answer.status)
    except http.client.HTTPException as error:
        message = f"the gateway broke off: {type(error).__name__}"
        raise GatewayError(message) from error
    finally:
        connection.close()


def _connect(url: SplitResult) -> http.client.HTTPConnection:
    host = url.hostname or "localhost"
    if url.scheme == "https":
        return http.client.HTTPSConnection(
            host, url.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, url.port, timeout=TIMEOUT_SECONDS)


def _headers(text: Text, url: SplitResult) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": text.id}
    if url.username:
        secret = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    return headers


def _write(text: Text, folder: Path) -> None:
    """Write the file under its final name only when whole; the same message twice is one file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{text.id}.txt"
    partial = path.with_suffix(".partial")
    partial.write_text(f"To: {text.to}\n\n{text.text}\n", encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - Path.replace is the same, this says it is atomic
