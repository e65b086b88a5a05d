import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from click.testing import CliRunner

from portal.accounts.queries import load_operator
from portal.demo.cast import Cast
from portal.files.importing import ImportReport, Mode, run_import
from portal.files.reading import read_table
from portal.files.writing import write_csv
from portal.quotes import actions, queries
from portal.quotes.cli import route
from portal.quotes.imports import QUOTES

pytestmark = pytest.mark.usefixtures("cast")

Rows = Callable[[], dict[str, tuple[int, str]]]
HEADER = (
    "reference,account_code,unit_code,person_email,cost_centre_code,"
    "ship_to_address_code,sku,quantity,uom\n"
)
GOOD = (
    "OLD-7,ACME,IT,buyer@acme.example,2100,BER-IT,LT-0001,2,\n"
    "OLD-7,ACME,IT,buyer@acme.example,,,MN-0001,3,EA\n"
    "OLD-8,ACME,IT,shopper@acme.example,,,MN-0001,1,\n"
)


def _import(text: str, now: datetime, *, dry_run: bool = False) -> ImportReport:
    return run_import(
        QUOTES,
        read_table((HEADER + text).encode(), "quotes.csv"),
        actor=load_operator("tester", "UTC"),
        mode=Mode.REPLACE,
        now=now,
        zone=ZoneInfo("UTC"),
        dry_run=dry_run,
    )


def test_each_new_reference_becomes_one_draft_of_its_person(cast: Cast, now: datetime) -> None:
    report = _import(GOOD, now)

    assert (report.new, report.unchanged, report.refused) == (2, 0, [])
    assert report.made == [("OLD-7", "Q-000001"), ("OLD-8", "Q-000002")]
    quote = queries.get_quote(cast.acme.buyer, "Q-000001")
    assert (quote.status, quote.reference, quote.membership_id) == (
        "draft",
        "OLD-7",
        cast.acme.buyer.membership_id,
    )
    assert [(line.sku, line.quantity, line.uom) for line in quote.current.lines] == [
        ("LT-0001", Decimal(2), "EA"),
        ("MN-0001", Decimal(3), "EA"),
    ]
    submitted = actions.submit_quote(cast.acme.buyer, quote.number, quote.version, {}, now)
    assert submitted.current.frozen["lines"]["1"]["cost_centre"] == "2100"
    assert submitted.current.frozen["lines"]["1"]["ship_to"] == "BER-IT"


def test_a_known_reference_is_unchanged(now: datetime, business_rows: Rows) -> None:
    _import(GOOD, now)
    before = business_rows()

    report = _import(GOOD, now)

    assert (report.new, report.unchanged, report.made) == (0, 2, [])
    assert business_rows() == before


def test_an_export_imported_again_changes_nothing(now: datetime, business_rows: Rows) -> None:
    _import(GOOD, now)
    rows = list(QUOTES.export(load_operator("tester", "UTC"), "ACME"))
    columns = [column.name for column in QUOTES.columns]
    exported = write_csv(columns, [[row[name] for name in columns] for row in rows])
    before = business_rows()

    report = _import(exported.partition("\r\n")[2], now)

    assert len(rows) == 3
    assert (report.new, report.changed, report.unchanged) == (0, 0, 2)
    assert business_rows() == before


def test_a_dry_run_says_what_would_be_made_and_writes_nothing(
    now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    report = _import(GOOD, now, dry_run=True)

    assert report.new == 2
    assert business_rows() == before


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("R,NOBODY,IT,buyer@acme.example,,,LT-0001,1,", "account_code", "no account"),
        ("R,ACME,XX,buyer@acme.example,,,LT-0001,1,", "unit_code", "no unit"),
        ("R,ACME,IT,buyer@hanbit.example,,,LT-0001,1,", "person_email", "Nobody of this"),
        ("R,ACME,IT,buyer@acme.example,9999,,LT-0001,1,", "cost_centre_code", "no cost centre"),
        ("R,ACME,IT,buyer@acme.example,,NO,LT-0001,1,", "ship_to_address_code", "no ship-to"),
        ("R,ACME,IT,buyer@acme.example,,,NO-SUCH,1,", "sku", "no product NO-SUCH"),
        ("R,ACME,IT,buyer@acme.example,,,LT-0001,1,KGM", "uom", "not sold in KGM"),
        ("R,ACME,IT,buyer@acme.example,,,LT-0001,0,", "quantity", "must lie between"),
    ],
)
def test_one_wrong_row_refuses_the_whole_file(
    now: datetime, business_rows: Rows, row: str, column: str, reason: str
) -> None:
    before = business_rows()

    report = _import(GOOD + row + "\n", now)

    assert [(item.row, item.column) for item in report.refused] == [(5, column)]
    assert reason in report.refused[0].reason
    assert report.made == []
    assert business_rows() == before


def test_the_route_is_printed_for_programs_and_for_people(now: datetime) -> None:
    _import(GOOD, now)

    with time_machine.travel(now + timedelta(hours=1), tick=False):
        printed = CliRunner().invoke(route, ["Q-000001", "--json"], catch_exceptions=False)
        spoken = CliRunner().invoke(route, ["Q-000001"], catch_exceptions=False)

    shape = json.load(io.StringIO(printed.output))
    assert (shape["quote"], shape["revision"], shape["outcome"]) == ("Q-000001", 1, "steps")
    assert shape["total"] == "1991.85"
    assert [step["approvers"] for step in shape["steps"]] == [["approver@acme.example"]]
    assert [step["rule_numbers"] for step in shape["steps"]] == [[10]]
    assert shape["missing"] == []
    assert "approver@acme.example" in spoken.output
