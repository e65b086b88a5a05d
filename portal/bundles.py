"""Several selects sent as one statement, where a page asks for many small things at once.

A statement costs about as much to send as a few rows cost to read. The selects are the parts of a
union: each has columns of its own, which are null in the rows of the others. So nothing need fit
together, and whoever owns a select reads its rows as if it had been sent alone. They come in no
order. Each column must have a type, in which it is null elsewhere. Not for parts of many rows: each
carries the nulls of all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Integer,
    Select,
    SelectBase,
    Subquery,
    cast,
    literal_column,
    null,
    select,
    union_all,
)

from portal.db import db

Part = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
"""One select, or the union of all rows of some."""

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The statement, and which of its columns belong to each part."""

    statement: CompoundSelect[*tuple[Any, ...]]
    columns: Sequence[slice]

    def read(self, asked: Mapping[str, Any]) -> Sequence[Rows]:
        """Return the rows of each part, all parts being told what they look for."""
        found: list[list[Sequence[Any]]] = [[] for _ in self.columns]
        for row in db.session.execute(self.statement, asked):
            found[row[0]].append(row[self.columns[row[0]]])
        return found


def bundle(*parts: Part) -> Bundle:
    """Put some selects together; a parameter of the same name is the same one in each."""
    sources = [_named(part).subquery() for part in parts]
    columns: list[slice] = []
    end = 1
    for source in sources:
        columns.append(slice(end, end + len(source.c)))
        end = columns[-1].stop
    rows = [_rows_of(number, sources) for number in range(len(sources))]
    return Bundle(union_all(*rows), columns)


def _named(part: SelectBase) -> SelectBase:
    """Number the columns of a part, for two of the same name would be read as one."""
    if isinstance(part, CompoundSelect):
        first, *others = part.selects
        return union_all(_named(first), *others)
    columns = part.selected_columns
    numbered = (column.label(f"column_{number}") for number, column in enumerate(columns))
    return part.with_only_columns(*numbered) if isinstance(part, Select) else part


def _rows_of(number: int, sources: Sequence[Subquery]) -> Select[*tuple[Any, ...]]:
    """Select the rows of one part, with a null for each column of another one."""
    return select(
        literal_column(str(number), Integer),
        *(
            column if source is sources[number] else cast(null(), column.type)
            for source in sources
            for column in source.c
        ),
    )
