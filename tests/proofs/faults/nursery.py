"""Processes that may be killed: children of one that has the portal loaded and warm.

A process that starts Python and the portal anew costs seconds, a fork of one that has them costs
milliseconds, so that dozens may die in one proof. What a child does is a function of a module; it
gets the application and a listening socket that outlives it: who connects while nobody serves
waits, as behind a proxy that tries again.
"""

import faulthandler
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.app import create_app
from portal.db import db
from tests.databases import Database

Duty = Callable[..., object]
PATIENCE_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.01


class Nursery:
    """Starts children, kills them and says how they ended."""

    def __init__(self, database: Database, warm_up: Duty | None = None) -> None:
        """Load the portal in a process of its own.

        Args:
            warm_up: Called there once with the application, so that no child has to compile
                templates and statements for itself.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_nurse, args=(database, warm_up, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self.port: int = self._answer()
        self._log = _log_of(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._pipe.send(None)
        self._process.join(PATIENCE_SECONDS)
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()

    def start(self, duty: Duty, *arguments: object) -> int:
        """Let a child do its duty, called with application, socket and ``arguments``."""
        self._pipe.send(("start", duty, arguments))
        pid: int = self._answer()
        return pid

    def wait(self, pid: int, seconds: float = PATIENCE_SECONDS) -> int | None:
        """Return the signal that ended a child (0: none did), or ``None`` while it lives."""
        self._pipe.send(("wait", pid, seconds))
        status: int | None = self._answer()
        return None if status is None else os.WTERMSIG(status)

    def kill(self, pid: int) -> None:
        """End a child at once, whatever it is doing."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        assert self.wait(pid) == signal.SIGKILL

    def said(self, pid: int) -> str:
        """Return the last lines of the children's log, with what one of them is doing now."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR1)
            time.sleep(0.5)
        return self._log.read_text()[-4000:]

    def _answer(self) -> Any:  # noqa: ANN401 - as the order was
        if not self._pipe.poll(PATIENCE_SECONDS * 2):
            message = "the nursery does not answer"
            raise TimeoutError(message)
        return self._pipe.recv()


def _log_of(database: Database) -> Path:
    return database.data_dir / "nursery.log"


def _nurse(database: Database, warm_up: Duty | None, pipe: Connection) -> None:
    sys.stderr = _log_of(database).open("a", buffering=1)
    app = create_app(database.settings)
    app.config["WTF_CSRF_ENABLED"] = False
    if warm_up is not None:
        warm_up(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()  # no child shares a connection with another
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    pipe.send(listener.getsockname()[1])
    children: set[int] = set()
    try:
        while (order := pipe.recv()) is not None:
            what, first, second = order
            if what == "wait":
                pipe.send(_waited(first, second, children))
            else:
                pid = os.fork()
                if pid == 0:
                    _be_a_child(app, listener, first, second)
                children.add(pid)
                pipe.send(pid)
    finally:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _waited(pid: int, seconds: float, children: set[int]) -> int | None:
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            return status
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_SECONDS)


def _be_a_child(
    app: Flask, listener: socket.socket, duty: Duty, arguments: tuple[object, ...]
) -> NoReturn:
    parent = os.getppid()
    faulthandler.register(signal.SIGUSR1, sys.stderr)  # says in the log what it is doing, if asked

    def leave_with_the_parent() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=leave_with_the_parent, daemon=True).start()
    try:
        duty(app, listener, *arguments)
    except BaseException as error:  # noqa: BLE001 - said in the log, and by how the child ends
        print(f"child: {error!r}", file=sys.stderr)  # noqa: T201
        os._exit(1)
    os._exit(0)


class _Quiet(WSGIRequestHandler):
    """Handles requests without a line for each."""

    def log_request(self, *_args: object) -> None:
        pass


def serve(app: Flask, listener: socket.socket, *arrangements: Callable[[Flask], None]) -> None:
    """Answer requests until killed; each of the ``arrangements`` is called with the app before."""
    for arrange in arrangements:
        arrange(app)
    make_server(
        "127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, fd=listener.fileno()
    ).serve_forever()


def post(port: int, path: str, form: str, cookie: str, seconds: float = 30) -> tuple[int, str]:
    """Send one form; return status and the address that the answer leads to.

    Raises:
        OSError, HTTPException: The answer was lost on its way, in part or whole.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie,
            "Host": "localhost",
        }
        connection.request("POST", path, body=form, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


LOST: Final = (OSError, HTTPException)
