"""Writing many rows at once: COPY on PostgreSQL, one prepared statement on SQLite.

The columns and the form of their values come from the portal's own tables.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import psycopg
import pysqlite3
from sqlalchemy import JSON, Dialect, Table, make_url
from sqlalchemy.dialects import postgresql, sqlite

from bench.databases import Database, Kind
from portal.db import Base

PAGE: Final = 20_000
Row = Sequence[Any]
Process = Callable[[Any], Any]


class Stencil:
    """Rows of one table that are alike but for some columns."""

    def __init__(self, table: Table, like: Mapping[str, Any], *varying: str) -> None:
        names = [column.name for column in table.columns]
        self.table, self.names = table, names
        self.like = [like.get(name) for name in names]
        self.places = [names.index(name) for name in varying]

    def row(self, *values: object) -> Row:
        """Return one row with the values of the columns that vary, in their order."""
        row = list(self.like)
        for place, value in zip(self.places, values, strict=True):
            row[place] = value
        return row


class Writer:
    """Rows into tables, on one connection that asks no foreign key and no row policy."""

    def __init__(self, connection: Any, kind: Kind) -> None:  # noqa: ANN401 - one of two drivers
        self.connection, self.kind = connection, kind
        self.dialect: Dialect = (
            sqlite.dialect() if kind is Kind.SQLITE else postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
        )
        self.written: dict[str, int] = {}

    def last_id(self, table: Table) -> int:
        """Return the highest id that is taken."""
        cursor = self.connection.execute(
            f'select coalesce(max(id), 0) from "{table.name}"'  # noqa: S608 - a table's own name
        )
        return int(cursor.fetchone()[0])

    def fill(self, stencil: Stencil, rows: Iterable[Row]) -> None:
        """Write rows as the columns' types keep them."""
        ready = _processed(stencil, rows, self.dialect)
        names = ", ".join(f'"{name}"' for name in stencil.names)
        target = f'"{stencil.table.name}" ({names})'
        count = 0
        if self.kind is Kind.SQLITE:
            marks = ", ".join("?" * len(stencil.names))
            statement = f"insert into {target} values ({marks})"  # noqa: S608
            while page := list(islice(ready, PAGE)):
                self.connection.executemany(statement, page)
                count += len(page)
        else:
            with self.connection.cursor().copy(f"copy {target} from stdin") as copy:
                for row in ready:
                    copy.write_row(row)
                    count += 1
        self.written[stencil.table.name] = self.written.get(stencil.table.name, 0) + count

    def execute(self, statement: str) -> None:
        """Run one statement of the builder's own."""
        self.connection.execute(statement)


def _processed(stencil: Stencil, rows: Iterable[Row], dialect: Dialect) -> Iterator[Row]:
    """Yield rows as the driver takes them; what is the same in all of them is turned once."""
    processes = [_process(column.type, dialect) for column in stencil.table.columns]
    varying = [(place, processes[place]) for place in stencil.places]
    fixed = [
        value if value is None or process is None else process(value)
        for value, process in zip(stencil.like, processes, strict=True)
    ]
    todo = [(place, process) for place, process in varying if process is not None]
    plain = [place for place, process in varying if process is None]
    for row in rows:
        ready = list(fixed)
        for place in plain:
            ready[place] = row[place]
        for place, process in todo:
            value = row[place]
            ready[place] = None if value is None else process(value)
        yield ready


def _process(kind: Any, dialect: Dialect) -> Process | None:  # noqa: ANN401 - any column type
    if isinstance(kind, JSON):
        return json.dumps  # as text: both databases read it from there
    process: Process | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return process


@contextmanager
def writing(database: Database) -> Iterator[Writer]:
    """Open a writer; all of it is committed at the end, and the database knows its new size."""
    if database.kind is Kind.SQLITE:
        driver: Any = pysqlite3.dbapi2
        lite = driver.connect(str(make_url(database.bulk_url).database))
        lite.execute("pragma foreign_keys = off")
        lite.execute("pragma synchronous = off")
        lite.execute("pragma cache_size = -200000")
        yield Writer(lite, database.kind)
        lite.commit()
        lite.execute("analyze")
        lite.commit()
        lite.close()
        return
    url = database.bulk_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("set synchronous_commit = off")
        connection.execute("set maintenance_work_mem = '256MB'")
        yield Writer(connection, database.kind)
        for table in Base.metadata.sorted_tables:
            if "id" in table.c and table.c.id.autoincrement:
                connection.execute(
                    f"select setval(pg_get_serial_sequence('{table.name}', 'id'),"  # noqa: S608
                    f" (select coalesce(max(id), 1) from {table.name}))"
                )
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
