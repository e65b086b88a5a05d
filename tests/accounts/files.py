"""Running imports and exports of accounts in tests as the command line does."""

from zoneinfo import ZoneInfo

from portal.accounts.imports import KINDS
from portal.accounts.queries import load_operator
from portal.files.importing import ImportKind, ImportReport, Mode, run_import
from portal.files.reading import read_table
from portal.files.writing import write_csv
from portal.policy import Actor
from tests.instants import NOW

UTC = ZoneInfo("UTC")


def kind_of(name: str) -> ImportKind:
    return next(kind for kind in KINDS if kind.name == name)


def operator() -> Actor:
    return load_operator("root", "UTC")


def load(
    name: str, text: str, actor: Actor | None = None, *, dry_run: bool = False
) -> ImportReport:
    return run_import(
        kind_of(name),
        read_table(text.encode(), f"{name}.csv"),
        actor=actor or operator(),
        mode=Mode.REPLACE,
        now=NOW,
        zone=UTC,
        dry_run=dry_run,
    )


def export(name: str, actor: Actor | None = None, account: str | None = None) -> str:
    kind = kind_of(name)
    columns = [column.name for column in kind.columns]
    rows = kind.export(actor or operator(), account)
    return write_csv(columns, [[row[column] for column in columns] for row in rows])


def refusals(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(item.row, item.column, item.reason) for item in report.refused]
