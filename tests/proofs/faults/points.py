"""Where a process is killed: named points of its work, reached for the n-th time."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import PoolProxiedConnection, event

from portal.db import db, is_writing


class Point(StrEnum):
    """A moment at which all or nothing has to be true."""

    AMID_STATEMENTS = "amid the statements"
    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit"
    AMID_ANSWER = "amid the answer"


@dataclass(frozen=True)
class Death:
    """Kills the process when it comes to a point for the n-th time."""

    point: Point
    times: int

    def __call__(self, app: Flask) -> None:
        """Lay the trap."""
        {
            Point.AMID_STATEMENTS: _amid_statements,
            Point.BEFORE_COMMIT: _before_commit,
            Point.AFTER_COMMIT: _after_commit,
            Point.AMID_ANSWER: _amid_answer,
        }[self.point](app, counted(self.times))


def counted(times: int) -> Callable[[], None]:
    """Return what is called at each step and kills this process at the n-th."""
    reached = count(1)

    def step() -> None:
        if next(reached) == times:
            die()

    return step


def die() -> None:
    """End this process as a loss of power would."""
    os.kill(os.getpid(), signal.SIGKILL)


def _amid_statements(app: Flask, step: Callable[[], None]) -> None:
    with app.app_context():
        engine = db.engine

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"} and is_writing():
            step()

    event.listen(engine, "after_cursor_execute", note)


def _before_commit(app: Flask, step: Callable[[], None]) -> None:
    _around_commit(app, before=step)


def _after_commit(app: Flask, step: Callable[[], None]) -> None:
    _around_commit(app, after=step)


def _nothing() -> None:
    pass


def _around_commit(
    app: Flask, before: Callable[[], None] = _nothing, after: Callable[[], None] = _nothing
) -> None:
    """Act around the one call that makes the database keep what was written."""
    with app.app_context():
        dialect = db.engine.dialect
    commit = dialect.do_commit

    def traced(dbapi_connection: PoolProxiedConnection) -> None:
        writes = is_writing()
        if writes:
            before()
        commit(dbapi_connection)
        if writes:
            after()

    dialect.do_commit = traced  # type: ignore[method-assign]


def _amid_answer(app: Flask, step: Callable[[], None]) -> None:
    inner = app.wsgi_app

    def halved(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = b"".join(inner(environ, start))
        if environ["REQUEST_METHOD"] != "POST":
            return [body]
        return _in_halves(body, step)

    app.wsgi_app = halved  # type: ignore[method-assign,assignment]


def _in_halves(body: bytes, step: Callable[[], None]) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    step()
    yield body[len(body) // 2 :]


def answer_before_commit(app: Flask) -> None:
    """Say "done" first and do it afterwards: what no server may do. For negative controls."""
    inner = app.wsgi_app

    def hasty(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return inner(environ, start)
        form = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        kept = environ | {"wsgi.input": BytesIO(form)}
        threading.Timer(0.05, lambda: b"".join(inner(kept, _unheard))).start()
        start("303 See Other", [("Location", "/"), ("Content-Length", "0")])
        return [b""]

    app.wsgi_app = hasty  # type: ignore[method-assign,assignment]


def _unheard(*_arguments: object) -> Callable[[bytes], object]:
    """Take the place of somebody who was answered before."""
    return lambda _text: None
