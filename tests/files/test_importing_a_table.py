"""The import framework: all or nothing, everything wrong in one table, a dry run writes nothing."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from portal.accounts.queries import load_operator
from portal.demo.cast import Cast
from portal.desk.cli import export_text
from portal.desk.kinds import BY_NAME
from portal.errors import NotAllowedError
from portal.files.importing import ImportReport, Mode, run_import
from portal.files.reading import read_table

UTC = ZoneInfo("UTC")
Rows = Callable[[], dict[str, tuple[int, str]]]
Load = Callable[..., ImportReport]


@pytest.fixture
def load(world: Flask, now: datetime) -> Load:  # noqa: ARG001 - the small world
    operator = load_operator("test", "UTC")

    def load(kind: str, text: str, *, dry_run: bool = False) -> ImportReport:
        return run_import(
            BY_NAME[kind],
            read_table(text.encode(), f"{kind}.csv"),
            actor=operator,
            mode=Mode.UPDATE,
            now=now,
            zone=UTC,
            dry_run=dry_run,
        )

    return load


def test_unreadable_cells_and_unknown_things_are_said_in_one_table(
    load: Load, business_rows: Rows
) -> None:
    before = business_rows()

    report = load(
        "price-entries",
        "list_code,sku,min_qty,price\nAG-7,LT-0001,1,cheap\nAG-7,NO-SUCH,1,10\nAG-7,LT-0002,1,600\n",
    )

    assert [(item.row, item.column) for item in report.refused] == [(2, "price"), (3, "sku")]
    assert business_rows() == before


def test_an_unknown_column_is_named_and_nothing_is_read(load: Load, business_rows: Rows) -> None:
    before = business_rows()

    report = load("units", "account_code,unit_code,colour\nACME,NEW,red\n")

    assert [(item.row, item.column, item.value) for item in report.refused] == [
        (1, "colour", "colour")
    ]
    assert business_rows() == before


def test_one_wrong_row_keeps_all_the_others_out(load: Load, business_rows: Rows) -> None:
    before = business_rows()

    report = load("units", "account_code,unit_code,name\nACME,NEW,New unit\nNOPE,X,Lost\n")

    assert [item.row for item in report.refused] == [3]
    assert business_rows() == before


def test_a_dry_run_counts_and_writes_nothing(load: Load, business_rows: Rows) -> None:
    before = business_rows()
    text = "account_code,unit_code,name\nACME,NEW,New unit\nACME,IT,Group IT renamed\n"

    planned = load("units", text, dry_run=True)
    assert business_rows() == before
    done = load("units", text)
    again = load("units", text)

    assert (planned.new, planned.changed) == (done.new, done.changed) == (1, 1)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)


def test_a_missing_column_leaves_what_is_there_and_an_empty_cell_clears_it(load: Load) -> None:
    load("accounts", "account_code,tax_id\nACME,DE123456789\n")

    kept = load("accounts", "account_code,name\nACME,ACME Industrie GmbH\n")
    cleared = load("accounts", "account_code,tax_id\nACME,\n")

    assert (kept.changed, kept.unchanged) == (0, 1)
    assert cleared.changed == 1


def test_who_may_not_import_a_kind_is_refused(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(NotAllowedError):
        run_import(
            BY_NAME["price-entries"],
            read_table(b"list_code,sku,price\nAG-7,LT-0001,1\n", "x.csv"),
            actor=cast.acme.admin,
            mode=Mode.UPDATE,
            now=now,
            zone=UTC,
        )

    assert business_rows() == before


@pytest.mark.parametrize("kind", sorted(set(BY_NAME) - {"quotes", "orders", "assets"}))
def test_an_export_imported_again_changes_nothing(
    kind: str, load: Load, business_rows: Rows
) -> None:
    text = export_text(BY_NAME[kind], load_operator("test", "UTC"), None)
    before = business_rows()

    report = load(kind, text)

    assert not report.refused
    assert (report.new, report.changed, report.removed) == (0, 0, 0)
    assert report.unchanged > 0
    assert business_rows() == before
