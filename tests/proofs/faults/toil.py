"""What a child does as a worker: one job after the other, by a clock that may be ahead."""

import smtplib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db
from portal.jobs import actions
from portal.jobs.actions import run_next
from portal.mail import sending
from portal.messages import actions as messages
from tests.proofs.faults.points import counted

PAUSE_SECONDS: Final = 0.02

Arrange = Callable[[Flask], None]


def toil(app: Flask, _listener: socket.socket, ahead: timedelta, *arrangements: Arrange) -> None:
    """Do jobs until killed, as `portal.jobs.worker` does, without what recurs."""
    for arrange in arrangements:
        arrange(app)
    with app.app_context():
        while True:
            try:
                is_busy = run_next(datetime.now(UTC) + ahead)
            except SQLAlchemyError as error:  # as the worker: the database is away, the rows wait
                print(f"worker: {error}", file=sys.stderr)  # noqa: T201
                is_busy = False
            finally:
                db.session.remove()
            if not is_busy:
                time.sleep(PAUSE_SECONDS)


@dataclass(frozen=True)
class MailTo:
    """Sends mail to a server instead of writing files."""

    url: str

    def __call__(self, app: Flask) -> None:
        """Change the settings of this process."""
        app.config["SETTINGS"] = replace(app.config["SETTINGS"], smtp_url=self.url)


@dataclass(frozen=True)
class ImpatientMail:
    """Gives a mail server less time while a sign stands, so that a proof need not wait.

    One that takes mails again gets the usual time: on a busy machine it may need more.
    """

    seconds: float
    sign: Path

    def __call__(self, _app: Flask) -> None:
        """Shorten all times."""
        connected = sending._connected  # noqa: SLF001 - where both times are read

        @contextmanager
        def hurried(*where: Any) -> Iterator[smtplib.SMTP]:  # noqa: ANN401 - handed on
            times: tuple[float, float] = (
                sending.SMTP_TIMEOUT_SECONDS,
                sending.SMTP_LONGEST_SECONDS,
            )
            if self.sign.exists():
                times = (self.seconds, self.seconds * 2)
            with (
                patch.object(sending, "SMTP_TIMEOUT_SECONDS", times[0]),
                patch.object(sending, "SMTP_LONGEST_SECONDS", times[1]),
                connected(*where) as server,
            ):
                yield server

        patch.object(sending, "_connected", hurried).start()
        patch.object(actions, "AWAY_SECONDS", 1).start()
        patch.object(actions, "MOST_AWAY_SECONDS", 1).start()


@dataclass(frozen=True)
class DiesAmidMail:
    """Dies while it talks to the mail server, at the n-th sentence."""

    times: int

    def __call__(self, _app: Flask) -> None:
        """Lay the trap."""
        step, say = counted(self.times), smtplib.SMTP.send

        def traced(server: smtplib.SMTP, text: Any) -> None:  # noqa: ANN401 - as the library's
            step()
            say(server, text)

        patch.object(smtplib.SMTP, "send", traced).start()


@dataclass(frozen=True)
class DiesBeforeNoting:
    """Dies when a mail is sent and nobody has written that down."""

    times: int

    def __call__(self, _app: Flask) -> None:
        """Lay the trap."""
        step = counted(self.times)

        def traced(*args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
            sending.send(*args, **options)
            step()

        patch.object(messages, "send", traced).start()


@dataclass(frozen=True)
class DiesAmidFile:
    """Dies when a file is written and has not got its name."""

    times: int

    def __call__(self, _app: Flask) -> None:
        """Lay the trap."""
        step, give = counted(self.times), Path.replace

        def traced(partial: Path, target: Path) -> Path:
            step()
            return give(partial, target)

        patch.object(Path, "replace", traced).start()


def send_later(_app: Flask) -> None:
    """Note a mail as sent and send it afterwards: what no worker may do. For negative controls."""

    def deferred(*args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        threading.Timer(10, sending.send, args, options).start()  # it is killed before

    patch.object(messages, "send", deferred).start()


def each_for_itself(_app: Flask) -> None:
    """Take a server that is away for a failure of the one mail. For the negative control."""

    def refused(*args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        try:
            sending.send(*args, **options)
        except actions.AwayError as error:
            raise ConnectionError(str(error)) from error

    patch.object(messages, "send", refused).start()


def without_lease(_app: Flask) -> None:
    """Take jobs without saying so: what no worker may do. For the negative control."""
    patch.object(actions, "LEASE", timedelta(hours=-1)).start()
