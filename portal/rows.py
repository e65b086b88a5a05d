"""Many rows of one table in one statement, on either database: they travel as one JSON value.

The session would send each row by itself, or every value of every row as one of thousands of
parameters; both are read through several times on the way.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BindParameter,
    Column,
    Dialect,
    FromClause,
    Insert,
    ScalarResult,
    Select,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.exc import StaleDataError

from portal.db import KEPT, Base, db, table_of

_KEY: Final = "id"


def write_rows(rows: Sequence[Base], model: type[Base]) -> None:
    """Write new objects of a table, which no session knows, as the session would do at a flush.

    They have their ids afterwards, and the session knows them. What they refer to is written.
    """
    if not rows:
        return
    session, table = db.session(), table_of(model)
    dialect = session.get_bind().dialect
    defaults = _defaults(table)
    for key, row in zip(_new_keys(table, len(rows), dialect), rows, strict=True):
        for name, default in defaults.items():
            if name not in row.__dict__:
                setattr(row, name, default)
        setattr(row, _KEY, key)
    packed = _packed(table, (_KEY, *defaults), (row.__dict__ for row in rows), dialect)
    session.execute(_insert(table, dialect.name), {"rows": packed})
    for row in rows:
        make_transient_to_detached(row)
        session.add(row)


def change_rows(model: type[Base], names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Change columns of some rows of a table; loaded objects stay as they are.

    Args:
        names: The columns that change.
        rows: The new values of each row by name, and its ``id``.

    Raises:
        StaleDataError: A row is not there any more.
    """
    if not rows:
        return
    session, table = db.session(), table_of(model)
    dialect = session.get_bind().dialect
    wanted = (_KEY, *names)
    changed = session.execute(
        _update(table, wanted, dialect.name), {"rows": _packed(table, wanted, rows, dialect)}
    )
    if changed.rowcount != len(rows):  # type: ignore[attr-defined]  # an UPDATE counts its rows
        message = f"{len(rows)} rows of {table.name} were to change, {changed.rowcount} did"  # type: ignore[attr-defined]
        raise StaleDataError(message)


def _packed(
    table: Table, names: Sequence[str], rows: Iterable[Mapping[str, Any]], dialect: Dialect
) -> str:
    """Return rows as one JSON text, each value as its column keeps it."""
    plain = [(name, _plain_of(table.c[name], dialect)) for name in names]
    packed = [
        {name: value if to is None else to(value) for name, to in plain for value in (row[name],)}
        for row in rows
    ]
    return json.dumps(packed, default=_day, separators=(",", ":"))


def _day(value: object) -> str:
    """Return a day or an instant as text: JSON has no word for them."""
    if isinstance(value, date):
        return value.isoformat()
    message = f"{type(value).__name__} can't be written"
    raise TypeError(message)


def _plain_of(column_: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what makes a value one that the column keeps; JSON stays what it is."""
    kind = column_.type.dialect_impl(dialect)
    return None if isinstance(kind, JSON) else kind.bind_processor(dialect)


@cache
def _defaults(table: Table) -> Mapping[str, Any]:
    """Return every column but the key, with what it has where nobody says anything."""
    return {
        each.name: each.default.arg if each.default is not None and each.default.is_scalar else None  # type: ignore[attr-defined]
        for each in table.columns
        if each.name != _KEY
    }


def _new_keys(table: Table, count: int, dialect: Dialect) -> Sequence[int]:
    """Return ids for new rows: asking for them while writing costs far more.

    SQLite gives the number after the highest too, and nobody else writes while this transaction
    does.
    """
    if dialect.name == "sqlite":
        highest = db.session.scalar(select(func.max(table.c[_KEY]))) or 0
        return range(highest + 1, highest + 1 + count)
    found: ScalarResult[int] = db.session.scalars(_next_keys(table), {"count": count})
    return found.all()


@cache
def _next_keys(table: Table) -> Select[int]:
    sequence = func.pg_get_serial_sequence(table.name, _KEY)
    each = func.generate_series(1, bindparam("count")).table_valued("n")
    return select(func.nextval(sequence)).select_from(each).prefix_with(KEPT)


@cache
def _insert(table: Table, dialect: str) -> Insert:
    names = (_KEY, *_defaults(table))
    unpacked = _unpacked(table, names, dialect)
    statement = insert(table).from_select(names, select(*unpacked.c))
    return statement.prefix_with(KEPT, dialect="postgresql")


@cache
def _update(table: Table, names: tuple[str, ...], dialect: str) -> Update:
    unpacked = _unpacked(table, names, dialect)
    values = {name: unpacked.c[name] for name in names if name != _KEY}
    statement = update(table).values(values).where(table.c[_KEY] == unpacked.c[_KEY])
    return statement.prefix_with(KEPT, dialect="postgresql")


def _unpacked(table: Table, names: Sequence[str], dialect: str) -> FromClause:
    """Select the rows of the JSON text as a table has them."""
    packed: BindParameter[str] = bindparam("rows", type_=Text)
    if dialect == "sqlite":
        each = func.jsonb_each(packed).table_valued("value")  # as text it would be read per cell
        cells = [each.c.value.op("->>")(literal(name)).label(name) for name in names]
        return select(*cells).subquery("unpacked")
    columns = [column(name, table.c[name].type) for name in names]
    rows = func.json_to_recordset(cast(packed, JSON)).table_valued(*columns)
    return rows.render_derived(name="unpacked", with_types=True)
