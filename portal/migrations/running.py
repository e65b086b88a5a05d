"""Running migrations: up, down, and writing a new one from the models."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url

from portal.db import engine_options, prepare_engine
from portal.errors import N_, ConflictError

_HERE = Path(__file__).parent


class BrokenReferenceError(ConflictError):
    """Migrating would leave a row that refers to one that is not there."""

    message = N_("Rows of {table} would refer to missing rows of {parent}: nothing was migrated.")


def upgrade(owner_url: str, *, app_role: str = "", target: str = "head") -> None:
    """Bring the schema to ``target``.

    Args:
        owner_url: Address of the database as the owner of the schema.
        app_role: The PostgreSQL role that the application uses; it is granted what it needs.
    """
    engine = _engine(owner_url)
    try:
        with engine.begin() as connection:
            command.upgrade(_config(connection), target)
            _check_references(connection)
            if engine.dialect.name == "postgresql" and app_role:
                _grant(connection, app_role)
    finally:
        engine.dispose()


def downgrade(owner_url: str, target: str) -> None:
    """Take the schema back to ``target`` (``base`` is an empty database)."""
    engine = _engine(owner_url)
    try:
        with engine.begin() as connection:
            command.downgrade(_config(connection), target)
            _check_references(connection)
    finally:
        engine.dispose()


def write_revision(owner_url: str, message: str) -> None:
    """Write a migration from the difference between a migrated database and the models."""
    engine = _engine(owner_url)
    try:
        with engine.begin() as connection:
            command.revision(_config(connection), message, autogenerate=True)
    finally:
        engine.dispose()


def current_revision(connection: Connection) -> str | None:
    """Return the revision that a database stands at."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the revision that this program needs."""
    return ScriptDirectory(str(_HERE)).get_current_head()


def role_of(url: str) -> str:
    """Return the role name in a PostgreSQL address, or nothing."""
    return make_url(url).username or ""


def _engine(url: str) -> Engine:
    engine = create_engine(url, **_patient(engine_options(url)))
    prepare_engine(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _rest_references)
    return engine


def _rest_references(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's object
    """Let a table be built anew while others refer to its rows: SQLite can't alter it in place."""
    connection.execute("PRAGMA foreign_keys=OFF")  # has no effect inside a transaction


def _check_references(connection: Connection) -> None:
    """Refuse to commit a migration that leaves a row referring to none.

    Raises:
        BrokenReferenceError: It does.
    """
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise BrokenReferenceError(table=broken[0], parent=broken[2])


def _patient(options: dict[str, Any]) -> dict[str, Any]:
    """A migration may take longer than a request: lift the statement timeout, keep the rest."""
    arguments = dict(options.get("connect_args", {}))
    if "options" in arguments:
        arguments["options"] += " -c statement_timeout=0"
    return {**options, "connect_args": arguments}


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    return config


def _grant(connection: Connection, role: str) -> None:
    owner = connection.scalar(text("select current_user"))
    if role == owner:
        return
    name = connection.dialect.identifier_preparer.quote(role)
    for statement in (
        f"grant usage on schema public to {name}",
        f"grant select, insert, update, delete on all tables in schema public to {name}",
        f"grant usage, select on all sequences in schema public to {name}",
        f"revoke update, delete, truncate on event from {name}",
    ):
        connection.execute(text(statement))
