"""The import framework: typed rows, refusals per cell, dry runs, all or nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from typing import Any
from zoneinfo import ZoneInfo

from portal.db import transaction
from portal.errors import N_, DomainError, InvalidError
from portal.files.parsing import CellError, Parser
from portal.files.reading import Table
from portal.policy import Actor, Permission


class UnknownColumnError(InvalidError):
    """The file has a column that this kind does not know."""

    message = N_("There is no column “{column}” in this kind of file.")


class MissingColumnError(InvalidError):
    """The file lacks a column that this kind needs."""

    message = N_("The column “{column}” is missing.")


class EmptyCellError(CellError):
    """A required cell is empty."""

    message = N_("This can't be empty.")


class RepeatedRowError(CellError):
    """Two rows of the file name the same thing."""

    message = N_("Row {other} already names this.")


@unique
class Mode(StrEnum):
    """What happens to rows that are there and not in the file, where a kind knows both."""

    REPLACE = "replace"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind of file; a required one is there and filled in every row."""

    name: str
    parse: Parser
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``values`` holds only the columns of the file; an empty cell is ``None``."""

    number: int
    values: Mapping[str, Any]
    cells: tuple[str, ...]
    """The row's text as it stands in the file, in the order of ``values``."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as typed by the column's parser
        return self.values.get(name)

    def has(self, name: str) -> bool:
        """Whether the file has this column at all; without it, what is there stays."""
        return name in self.values

    def text(self, name: str) -> str:
        """Return what stands in a cell; nothing where the file has no such column."""
        return dict(zip(self.values, self.cells, strict=True)).get(name, "")

    def given(self, *names: str) -> dict[str, Any]:
        """Return the values of those ``names`` that are columns of the file."""
        return {name: self.values[name] for name in names if name in self.values}

    def dynamic(self, prefix: str) -> dict[str, str | None]:
        """Return the columns that start with ``prefix``, named without it."""
        return {
            name.removeprefix(prefix): value
            for name, value in self.values.items()
            if name.startswith(prefix)
        }


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of one cell: why its row is refused, or a warning; row 1 is the header."""

    row: int
    column: str
    value: str
    error: DomainError

    @property
    def reason(self) -> str:
        """The reason in English, for the command line."""
        return str(self.error)

    def as_json(self) -> dict[str, Any]:
        """Return the shape that other programs rely on."""
        return {"row": self.row, "column": self.column, "value": self.value, "reason": self.reason}


@dataclass(slots=True)
class ImportReport:
    """What an import did or would do."""

    kind: str
    new: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    """Rows that are accepted, and what to beware of."""
    made: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the shape that other programs rely on."""
        return {
            "kind": self.kind,
            "new": self.new,
            "changed": self.changed,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "refused": [item.as_json() for item in self.refused],
            "warnings": [item.as_json() for item in self.warnings],
            "made": [{"reference": ref, "number": number} for ref, number in self.made],
        }


@dataclass(slots=True)
class Batch:
    """The rows of one import on their way through a kind's ``apply``."""

    rows: Sequence[Row]
    columns: frozenset[str]
    mode: Mode
    now: datetime
    zone: ZoneInfo
    report: ImportReport

    def refuse(self, row: Row, column: str, error: DomainError) -> None:
        """Note that ``row`` can't be imported; nothing of the file will be."""
        self.report.refused.append(Remark(row.number, column, row.text(column), error))

    def warn(self, row: Row, column: str, warning: DomainError) -> None:
        """Note what to beware of in a ``row`` that is accepted all the same."""
        self.report.warnings.append(Remark(row.number, column, row.text(column), warning))

    def keyed(self, *key: str) -> dict[tuple[Any, ...], Row]:
        """Return the rows by the values of ``key``, refusing each that repeats an earlier one."""
        found: dict[tuple[Any, ...], Row] = {}
        for row in self.rows:
            values = tuple(row[name] for name in key)
            if values in found:
                self.refuse(row, key[0], RepeatedRowError(other=found[values].number))
            else:
                found[values] = row
        return found

    def count(self, *, is_new: bool, is_changed: bool) -> None:
        """Count one row as new, changed or unchanged."""
        if is_new:
            self.report.new += 1
        elif is_changed:
            self.report.changed += 1
        else:
            self.report.unchanged += 1


@dataclass(frozen=True, slots=True)
class ImportKind:
    """A kind of file: its columns, who may import it, and how rows become changes."""

    name: str
    label: str
    columns: tuple[Column, ...]
    permission: Permission
    apply: Callable[[Actor, Batch], None]
    export: Callable[[Actor, str | None], Iterable[Mapping[str, Any]]]
    """(actor, account code or None) -> rows as {column: cell}, in a stable order."""
    dynamic: tuple[str, ...] = ()
    default_mode: Mode = Mode.REPLACE
    has_modes: bool = False
    rows_stand_alone: bool = False
    """No row refers to another: the good rows are checked further although some can't be read."""


class _UndoError(Exception):
    """Ends the transaction of a dry run or a refused import."""


def run_import(  # noqa: PLR0913 - the choices of an import, all named at the call
    kind: ImportKind,
    table: Table,
    *,
    actor: Actor,
    mode: Mode,
    now: datetime,
    zone: ZoneInfo,
    dry_run: bool = False,
) -> ImportReport:
    """Import a table, all or nothing, and say what changed; a dry run says it and writes nothing.

    Args:
        zone: The supplier's time zone, for bare dates.

    Raises:
        NotAllowedError: The actor may not import this kind.
    """
    actor.must(kind.permission)
    report = ImportReport(kind.name)
    rows = parse_rows(kind, table, zone, report)
    if report.refused:
        unreadable = {item.row for item in report.refused}
        rows = [row for row in rows if row.number not in unreadable]
        if not (kind.rows_stand_alone and rows):
            return report
    batch = Batch(rows, frozenset(table.columns), mode, now, zone, report)
    try:
        with transaction():
            kind.apply(actor, batch)
            if report.refused or dry_run:
                raise _UndoError  # noqa: TRY301 - the transaction must see it
    except _UndoError:
        pass
    if report.refused:
        report.refused.sort(key=lambda item: (item.row, item.column))
        report.made.clear()
    return report


def parse_rows(kind: ImportKind, table: Table, zone: ZoneInfo, report: ImportReport) -> list[Row]:
    """Type every cell by its column; what can't be typed goes to ``report.refused``."""
    known = {column.name: column for column in kind.columns}
    for name in table.columns:
        if name not in known and not name.startswith(kind.dynamic or ("\0",)):
            report.refused.append(Remark(1, name, name, UnknownColumnError(column=name)))
    for column in kind.columns:
        if column.required and column.name not in table.columns:
            missing = MissingColumnError(column=column.name)
            report.refused.append(Remark(1, column.name, "", missing))
    if report.refused:
        return []
    readers = [(name, _reader(known.get(name))) for name in table.columns]
    return [
        _row(number, cells, readers, zone, report)
        for number, cells in zip(table.row_numbers, table.rows, strict=True)
    ]


def _reader(column: Column | None) -> tuple[Parser, bool]:
    """Return how the cells of a column are typed, and whether each has to be filled in."""
    return (_as_it_is, False) if column is None else (column.parse, column.required)


def _as_it_is(cell: str, _zone: ZoneInfo) -> str:
    return cell


def _row(
    number: int,
    cells: tuple[str, ...],
    readers: Sequence[tuple[str, tuple[Parser, bool]]],
    zone: ZoneInfo,
    report: ImportReport,
) -> Row:
    """Type one row; a file has a hundred thousand of them, so most cells cost one call or none."""
    values: dict[str, Any] = {}
    for (name, (parse, is_required)), cell in zip(readers, cells, strict=True):
        values[name] = None
        try:
            if cell:
                values[name] = parse(cell, zone)
            elif is_required:
                raise EmptyCellError
        except CellError as error:
            report.refused.append(Remark(number, name, cell, error))
    return Row(number, values, cells)
