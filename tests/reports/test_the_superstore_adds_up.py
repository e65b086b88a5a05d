"""Four years of real order lines: the report says what one counts straight from the file."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from portal.demo.cast import Cast
from portal.reports.results import ReportResult
from portal.reports.running import get_report, list_rows, read_args, run_report
from tests import superstore

Row = dict[str, str]
ASKED = {"period": "all", "currency": "USD", "account": superstore.ACCOUNT}


def counted(key: Callable[[Row], str]) -> dict[str, tuple[int, int, Decimal]]:
    """Count orders, lines and cents by a key, from the source alone."""
    lines: dict[str, int] = defaultdict(int)
    orders: dict[str, set[str]] = defaultdict(set)
    net: dict[str, Decimal] = defaultdict(Decimal)
    for line in superstore.raw_lines():
        lines[key(line)] += 1
        orders[key(line)].add(line["Order ID"])
        net[key(line)] += superstore.raw_amount(line)
    return {name: (len(orders[name]), lines[name], net[name]) for name in lines}


def reported(result: ReportResult) -> dict[str, tuple[int, int, Decimal]]:
    return {
        row.key: (row.values["orders"], row.values["lines"], row.values["net"])
        for row in result.rows
        if row.values["lines"]
    }


def quarter(line: Row) -> str:
    year, month, _day = line["Order Date"].split("-")
    return f"{year}-Q{(int(month) + 2) // 3}"


@pytest.mark.proof
def test_every_total_equals_the_file(cast: Cast, now: datetime) -> None:
    auditor = cast.supplier.auditor
    superstore.load(now)
    keys: dict[str, Callable[[Row], str]] = {
        "year": lambda line: line["Order Date"][:4],
        "quarter": quarter,
        "month": lambda line: line["Order Date"][:7],
        "category": lambda line: line["Category"],
        "subcategory": lambda line: f"{line['Category']}/{line['Sub-Category']}",
        "unit": lambda line: f"{superstore.ACCOUNT}/{line['Region'].upper()}",
        "person": lambda line: f"{line['Customer ID'].lower()}@superstore.example",
        "product": lambda line: line["Product ID"],
    }

    for by, key in keys.items():
        for name in ("orders", "revenue"):
            if name == "revenue" and by in {"unit", "person"}:
                continue
            result = run_report(auditor, name, ASKED | {"by": by}, now)

            assert reported(result) == counted(key), (name, by)
            assert result.totals is not None
            assert result.totals.values["net"] == superstore.TOTAL
            assert result.totals.values["lines"] == superstore.LINES
            assert sum(row.values["net"] for row in result.rows) == superstore.TOTAL
    assert len(counted(keys["year"])) == 4
    assert len(counted(keys["quarter"])) == 16

    report = get_report(auditor, "orders")
    wanted = read_args(auditor, report, ASKED | {"by": "quarter", "key": "2017-Q4"}, now)
    listing = list_rows(auditor, report, wanted)
    rows = listing.fetch(None, 0)
    assert (len(rows), sum(row.line.net for row in rows)) == (
        listing.total,
        counted(quarter)["2017-Q4"][2],
    )
    assert len(listing.fetch(50, 100)) == 50
