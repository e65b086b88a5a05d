"""Applications for tests: one per database and content, each test rolled back behind it."""

import contextvars
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Dialect, Engine, Select, event, select, text
from werkzeug.test import TestResponse

from portal.accounts.models import Account, Membership, Person, Unit
from portal.accounts.queries import load_actor
from portal.accounts.sessions import open_session
from portal.app import create_app
from portal.db import EVERY_ROW, NO_ROWS, Base, db, set_row_scope
from portal.policy import Permission
from portal.web.identity import SESSION_COOKIE
from tests.databases import Content, Database, Kind, Shelf
from tests.instants import NOW

NOT_BUSINESS = frozenset({"user_session", "rate_window", "alembic_version"})
"""Tables that a refused request may write: who is signed in, how often somebody tried."""


class PortalClient(FlaskClient):
    """A client whose requests share nothing with the test but the database."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as Flask's own
        """Request in a context of its own: own ``g``, own session, own row scope."""
        db.session.commit()  # what the test wrote so far
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.expire_all()
        return answer


def client_of(app: Flask, email: str | None = None, membership: str | None = None) -> PortalClient:
    """Return a client, signed in as ``email`` with the membership "ACCOUNT - UNIT" (or the first).

    The session is opened as signing in would; that signing in does so has tests of its own.
    """
    client = app.test_client()
    assert isinstance(client, PortalClient)
    if email is None:
        return client
    memberships = db.session.execute(
        select(Person.id, Membership.id, Account.code, Unit.code)
        .join(Membership, Membership.person_id == Person.id)
        .join(Account, Account.id == Membership.account_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .where(Person.email == email)
        .order_by(Membership.id)
    ).all()
    named = [row for row in memberships if membership in {None, f"{row[2]} - {row[3]}"}]
    assert named, f"{email} has no membership {membership or ''}"
    client.set_cookie(SESSION_COOKIE, open_session(named[0][0], named[0][1], NOW))
    return client


def held_by(email: str | None) -> frozenset[Permission]:
    """Return what a person may do with their first membership, in whatever scope."""
    membership = select(Membership.id).join(Person).where(Person.email == email)
    first = db.session.scalar(membership.order_by(Membership.id).limit(1))
    actor = load_actor(first) if first is not None else None
    return frozenset(actor.grants) if actor else frozenset()


class Stages:
    """The applications of one worker, made when first asked for."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._apps: dict[tuple[Kind, Content], Flask] = {}

    def app(self, kind: Kind, content: Content) -> Flask:
        """Return the application on its own copy of (kind, content)."""
        if (kind, content) not in self._apps:
            app = self._apps[kind, content] = make_app(self.shelf.copy(kind, content))
            compiled = self.shelf.shared / "templates"
            compiled.mkdir(exist_ok=True)  # by whichever application of the run comes first
            app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
        return self._apps[kind, content]

    def close(self) -> None:
        """Let go of every connection."""
        for app in self._apps.values():
            with app.app_context():
                db.engine.dispose()


def make_app(database: Database) -> Flask:
    """Return an application for tests; forms are sent without a token (see tests/proofs)."""
    app = create_app(database.settings)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    app.test_client_class = PortalClient
    with app.app_context():
        db.session.configure(join_transaction_mode="create_savepoint")
        _send_savepoints_as_text(db.engine.dialect)
    return app


def _send_savepoints_as_text(dialect: Dialect) -> None:
    """Take savepoints without compiling them: each action of a test is one, under a new name."""
    for name, words in (
        ("do_savepoint", "SAVEPOINT"),
        ("do_rollback_to_savepoint", "ROLLBACK TO SAVEPOINT"),
        ("do_release_savepoint", "RELEASE SAVEPOINT"),
    ):
        setattr(dialect, name, partial(_send, words))


def _send(words: str, connection: Connection, name: str) -> None:
    connection.exec_driver_sql(f"{words} {name}")


@contextmanager
def opened(database: Database) -> Iterator[Flask]:
    """Look into a database beside other processes; every connection is closed at the end."""
    app = make_app(database)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
            set_row_scope(NO_ROWS)


@contextmanager
def rolled_back(app: Flask) -> Iterator[Connection]:
    """Push ``app`` and undo at the end whatever is committed meanwhile."""
    with app.app_context():
        engine = db.engine
        with engine.connect() as connection:
            everything = connection.begin()
            db.engines[None] = connection  # type: ignore[index]  # every session joins it
            set_row_scope(EVERY_ROW)
            try:
                yield connection
            finally:
                db.session.remove()
                everything.rollback()
                db.engines[None] = engine  # type: ignore[index]
                set_row_scope(NO_ROWS)


@contextmanager
def plans_kept(connection: Connection) -> Iterator[None]:
    """Let PostgreSQL keep each plan for the block; for long proofs that make and drop no table.

    The portal forgets most of them at a rollback (`KeptStatements`). A proof has thousands, each to
    a savepoint: half of what PostgreSQL had to do was planning.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    prepared = driver._prepared  # noqa: SLF001 - psycopg has no public way
    usual = prepared.prepared_max
    prepared.clear, prepared.prepared_max = bool, 2_000
    try:
        yield
    finally:
        del prepared.clear
        prepared.prepared_max = usual
        prepared.clear()


@dataclass
class Counted:
    """The statements that ran in a block."""

    statements: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many there were, savepoints and settings aside."""
        return len(self.statements)


_NOISE = re.compile(r"^(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|select set_config|PRAGMA)", re.IGNORECASE)


@contextmanager
def counting() -> Iterator[Counted]:
    """Collect the SQL that is sent while the block runs."""
    counted = Counted()

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not _NOISE.match(statement):
            counted.statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def snapshot() -> dict[str, tuple[int, str]]:
    """Return, per business table, the number of its rows and a hash over all of them."""
    taken: dict[str, tuple[int, str]] = {}
    connection = db.session.connection()
    for name, everything in _tables():
        rows = sorted(map(repr, connection.execute(everything)))
        taken[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16])
    return taken


@cache
def _tables() -> list[tuple[str, Select[Any]]]:
    """The business tables, each with the statement that reads its rows as they are stored."""
    return [
        (table.name, select(text("*")).select_from(table))
        for table in Base.metadata.sorted_tables
        if table.name not in NOT_BUSINESS
    ]


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever happens inside the block; for walks that ask many questions."""
    db.session.commit()
    db.session.expunge_all()
    connection: Connection = db.engines[None]  # type: ignore[assignment]  # see `rolled_back`
    with taken_back(connection):
        try:
            yield
        finally:
            db.session.rollback()
            db.session.expunge_all()


@contextmanager
def taken_back(connection: Connection) -> Iterator[None]:
    """Take back what is sent on a connection inside the block, and leave no savepoint behind.

    A savepoint that was rolled back to stays on the stack, and each further write looks at all of
    them: a thousand made writing ten times as slow. Releasing one around it takes it away.
    """
    connection.exec_driver_sql("savepoint around")
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        connection.exec_driver_sql("release savepoint around")


_WRITES = re.compile(r"\s*(?:insert\s+into|update|delete\s+from)\s+\"?(\w+)", re.IGNORECASE)


@contextmanager
def writes() -> Iterator[set[str]]:
    """Collect the business tables that statements inside the block try to change."""
    tables: set[str] = set()

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        match = _WRITES.match(statement)
        if match and match.group(1).lower() not in NOT_BUSINESS:
            tables.add(match.group(1).lower())

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield tables
    finally:
        event.remove(Engine, "before_cursor_execute", note)
