"""The database: base class, exact types, engines for SQLite and PostgreSQL, `transaction()`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, TypeVar, TypeVarTuple

import pysqlite3
from flask_sqlalchemy import SQLAlchemy
from psycopg._preparing import PrepareManager
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Insert,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    event,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    SessionTransaction,
    mapped_column,
    registry,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeDecorator

from portal.config import SettingsError

SQLITE_MINIMUM: Final = (3, 51, 3)
"""Earlier versions since 3.7.0 can corrupt a WAL database that several connections share."""

LOCK_TIMEOUT_MS: Final = 3_000
STATEMENT_TIMEOUT_MS: Final = 15_000
SQLITE_BUSY_MS: Final = 10_000
SQLITE_STATEMENTS: Final = 1_000
"""Prepared statements that a connection keeps; of its own accord it would be 128, fewer than there
are, and what is sent once per request would be read and planned anew each time."""
WRITES: Final = "portal_writes"
"""Execution option of a connection whose transaction will write."""

Row = TypeVarTuple("Row")
Item = TypeVar("Item")


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal kept as a scaled integer, so that SQLite never turns it into a float.

    A value with more decimals than the column has is refused, never rounded in silence.
    """

    impl = BigInteger
    cache_ok = True

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self.decimals = decimals

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.decimals)
        if scaled != scaled.to_integral_value():
            message = f"{value} has more than {self.decimals} decimals"
            raise ValueError(message)
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value).scaleb(-self.decimals)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = "an instant needs a time zone"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = Annotated[int, mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)]
Amount = Annotated[Decimal, mapped_column(ExactDecimal(4))]
UnitPrice = Annotated[Decimal, mapped_column(ExactDecimal(4))]
Quantity = Annotated[Decimal, mapped_column(ExactDecimal(3))]
Rate = Annotated[Decimal, mapped_column(ExactDecimal(6))]
Code = Annotated[str, mapped_column(String(64))]
Json = JSON().with_variant(JSONB(), "postgresql")

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

ACCOUNT_SCOPED: Final[dict[str, Any]] = {"info": {"scope": "account"}}
"""Last item of ``__table_args__`` of a table whose rows belong to one account (``account_id``)."""


def exempt(reason: str) -> dict[str, Any]:
    """Mark a table that belongs to no single account, and say why it needs no row-level policy."""
    return {"info": {"scope": "exempt", "reason": reason}}


class Base(DeclarativeBase):
    """Base of every table."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            datetime: UtcDateTime,
            dict[str, Any]: Json,
            list[Any]: Json,
            int: BigInteger().with_variant(Integer(), "sqlite"),
        },
    )


class NumberCounter(Base):
    """The last number given to each kind of document."""

    __tablename__ = "number_counter"
    __table_args__ = (exempt("one row per kind of document, no business data"),)

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False, "autoflush": True},
)


@dataclass(frozen=True, slots=True)
class RowScope:
    """Which accounts' rows PostgreSQL lets this process see: its own net below `visible_to`."""

    all_accounts: bool = False
    account_ids: frozenset[int] = frozenset()
    person_id: int | None = None


EVERY_ROW: Final = RowScope(all_accounts=True)
NO_ROWS: Final = RowScope()
_row_scope: ContextVar[RowScope] = ContextVar("row_scope", default=NO_ROWS)


def set_row_scope(scope: RowScope) -> None:
    """Set what the database lets this request or process see, from its next transaction on."""
    _row_scope.set(scope)


@contextmanager
def reaching(scope: RowScope) -> Iterator[None]:
    """Set the row scope for a block, beginning and ending with a fresh transaction."""
    db.session.rollback()
    token = _row_scope.set(scope)
    try:
        yield
    finally:
        db.session.rollback()
        _row_scope.reset(token)


_last_steps: list[Callable[[], None]] = []


def before_commit(step: Callable[[], None]) -> None:
    """Register a step that every outermost transaction takes last, just before its commit."""
    if step not in _last_steps:
        _last_steps.append(step)


_rollback_marks: list[Callable[[], Callable[[], None]]] = []


def on_rollback(mark: Callable[[], Callable[[], None]]) -> None:
    """Register ``mark``: called at a transaction's begin, its answer is called if it fails."""
    if mark not in _rollback_marks:
        _rollback_marks.append(mark)


@contextmanager
def transaction() -> Iterator[Session]:
    """Run a block as one transaction: the outermost commits, an inner one is a savepoint.

    The outermost begins anew, so that SQLite takes its write lock at once (BEGIN IMMEDIATE) and
    nothing read before it is trusted: read again what the block depends on.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        undo = [mark() for mark in _rollback_marks]
        try:
            with session.begin_nested():
                yield session
        except BaseException:
            for step in undo:
                step()
            raise
        return
    session.rollback()
    session.info["in_transaction"] = True
    undo = [mark() for mark in _rollback_marks]
    try:
        session.connection(execution_options={WRITES: True})
        yield session
        session.flush()
        for step in _last_steps:
            step()
        session.commit()
    except BaseException:
        session.rollback()
        for step in undo:
            step()
        raise
    finally:
        session.info.pop("in_transaction", None)


@contextmanager
def joined() -> Iterator[Session]:
    """Run a block in the transaction under way, or in one of its own where there is none.

    For a part whose failure fails the whole action: it needs no savepoint to go back to.
    """
    with nullcontext(db.session()) if is_writing() else transaction() as session:
        yield session


@contextmanager
def apart() -> Iterator[Session]:
    """Run a block as a transaction of its own connection, beside a read that is under way.

    What the session has loaded stays as it is. Nothing may be called so from within
    `transaction()`: on SQLite two writers would wait for each other.
    """
    with Session(db.engine, join_transaction_mode="create_savepoint") as session:
        session.connection(execution_options={WRITES: True})
        yield session
        session.commit()


def is_writing() -> bool:
    """Whether a `transaction()` is under way."""
    return bool(db.session().info.get("in_transaction"))


def lock(statement: Select[*Row]) -> Select[*Row]:
    """Lock the rows that ``statement`` finds and read them anew (SQLite: the whole database is)."""
    return statement.with_for_update().execution_options(populate_existing=True)


def next_number(kind: str, prefix: str) -> str:
    """Return the next printed number of a kind of document, for example ``Q-000042``."""
    session = db.session()
    last = session.scalar(_count(), {"wanted": kind})
    if last is None:
        # The very first of its kind: two may come here at once, and one row must come of it.
        session.execute(insert_new(NumberCounter), {"kind": kind, "last": 0})
        last = session.scalar(_count(), {"wanted": kind})
    return f"{prefix}-{last:06d}"


@cache
def _count() -> ReturningUpdate[int]:
    counter = table_of(NumberCounter)
    return (
        update(counter)
        .where(counter.c.kind == bindparam("wanted"))
        .values(last=counter.c.last + 1)
        .returning(counter.c.last)
        .prefix_with(KEPT, dialect="postgresql")
    )


def table_of(model: type[Base]) -> Table:
    """Return the table of a mapped class, to write many rows without making objects of them."""
    table = model.__table__
    if not isinstance(table, Table):
        message = f"{model.__name__} is mapped to no table"
        raise TypeError(message)
    return table


def insert_new(model: type[Base]) -> Insert:
    """Insert rows of a table; one that a unique constraint knows already stays as it is."""
    is_sqlite = db.session().get_bind().dialect.name == "sqlite"
    table = table_of(model)
    if is_sqlite:
        return sqlite_insert(table).on_conflict_do_nothing()
    return postgresql_insert(table).on_conflict_do_nothing()


def engine_options(url: str) -> dict[str, Any]:
    """Return the options with which SQLAlchemy opens ``url``."""
    if make_url(url).get_backend_name() == "sqlite":
        if pysqlite3.sqlite_version_info < SQLITE_MINIMUM:
            message = (
                f"SQLite {_dotted(pysqlite3.sqlite_version_info)} is too old; 3.51.3 is the least."
            )
            raise SettingsError(message)
        return {
            "module": pysqlite3,
            "connect_args": {
                "timeout": SQLITE_BUSY_MS / 1000,
                "cached_statements": SQLITE_STATEMENTS,
            },
        }
    return {
        "pool_pre_ping": True,
        "connect_args": {
            "options": f"-c lock_timeout={LOCK_TIMEOUT_MS}"
            f" -c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
        },
    }


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


KEPT: Final = "/* kept */"
"""Prefix of a statement that is sent with every page and finds few rows by ids; see below."""


class KeptStatements(PrepareManager):
    """Prepared statements of which those marked `KEPT` outlive a rollback.

    PostgreSQL keeps them all, but psycopg throws them away, in case the transaction had made the
    tables they are about. Here every request ends with a rollback, so what each page asks would be
    planned anew each time, which takes several times as long as running it.
    """

    def clear(self) -> bool:
        """Forget what is not marked; a rollback asks for it."""
        is_kept = {key: KEPT.encode() in key[0] for key in (*self._counts, *self._names)}
        for key in [key for key in self._counts if not is_kept[key]]:
            del self._counts[key]
        forgotten = [key for key in self._names if not is_kept[key]]
        self._to_flush.extend(self._names.pop(key) for key in forgotten)
        return bool(forgotten)


def prepare_engine(engine: Engine) -> None:
    """Attach what each connection of ``engine`` needs: safe SQLite settings and real BEGINs."""
    if engine.dialect.name != "sqlite":

        @event.listens_for(engine, "connect")
        def _keep(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's object
            connection._prepared = KeptStatements()  # noqa: SLF001 - psycopg has no public way

        return

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's object
        connection.isolation_level = None  # SQLAlchemy's BEGIN below is the only one
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            f"busy_timeout={SQLITE_BUSY_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@event.listens_for(Session, "after_begin")
def _announce_row_scope(
    _session: Session, begun: SessionTransaction, connection: Connection
) -> None:
    """Tell PostgreSQL which rows this transaction may see; a savepoint inside it sees the same."""
    if begun.nested or connection.dialect.name != "postgresql":
        return
    scope = _row_scope.get()
    connection.execute(
        text(
            "select set_config('app.all', :all, true), set_config('app.accounts', :accounts, true),"
            " set_config('app.person', :person, true)"
        ),
        {
            "all": "1" if scope.all_accounts else "",
            "accounts": ",".join(str(item) for item in sorted(scope.account_ids)),
            "person": str(scope.person_id or ""),
        },
    )


def in_pages(items: Iterable[Item], size: int = 500) -> Iterator[list[Item]]:
    """Cut a long sequence into lists of at most ``size``, for statements with many values."""
    page: list[Item] = []
    for item in items:
        page.append(item)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
