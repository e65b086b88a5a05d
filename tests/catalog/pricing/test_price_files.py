"""Files about prices: what they change, what they refuse, and that exports change nothing."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.catalog.pricing.models import PriceAssignment, PriceEntry, PriceListVersion
from portal.db import db
from portal.files.importing import Mode
from tests.catalog.pricing.shop import DAY, T0, Shop, read_csv

ENTRIES = (
    "list_code,sku,category_path,uom,min_qty,price,percent_off,amount_off,valid_from,valid_to\n"
)
LISTS = (
    "list_code,name,currency,kind,best_price,unit_price_decimals\n"
    "STD,Standard,EUR,standard,0,2\nAG-7,Agreement,EUR,agreement,1,4\n"
)


@pytest.fixture
def shop(app: Flask) -> Shop:
    assert app.config["SETTINGS"]
    return Shop()


@pytest.fixture
def full(shop: Shop) -> Shop:
    """The shop with something in every kind of file."""
    shop.load("price-lists", LISTS)
    shop.load(
        "price-entries",
        ENTRIES
        + "STD,LT-1,,EA,1,1299,,,,\n"
        + "STD,LT-2,,EA,1,99.5,,,2026-02-01,2026-12-31\n"
        + "AG-7,,Hardware,EA,10,,12.5,,,2026-06-30T12:00:00Z\n"
        + "AG-7,LT-1,,BX,2,,,5.25,,\n",
    )
    shop.load(
        "price-assignments",
        "list_code,account_code,unit_code,priority,valid_from,valid_to\n"
        "AG-7,ACME,LAB,1,2025-01-01,\nAG-7,ACME,,2,,2027-12-31\n",
    )
    shop.load(
        "agreements",
        "agreement_number,account_code,name,valid_from,valid_to,list_codes\n"
        "A-1,ACME,Frame,2025-01-01,2027-12-31,AG-7\n",
    )
    shop.load("costs", "sku,currency,uom,cost,floor_price\nLT-1,EUR,EA,900,1000\nLT-2,EUR,,7.5,\n")
    shop.load(
        "tax-rates",
        "country,region,tax_category,rate,valid_from\nDE,,S,19,2021-01-01\nUS,CA,S,7.25,\n",
    )
    shop.load("freight-rates", "country,currency,net_from,charge\nDE,EUR,0,14.9\nDE,EUR,500,0\n")
    return shop


KINDS = [
    "price-lists",
    "price-entries",
    "price-assignments",
    "agreements",
    "costs",
    "tax-rates",
    "freight-rates",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_published", [False, True])
def test_an_export_imported_again_changes_nothing(
    full: Shop, kind: str, *, is_published: bool
) -> None:
    if is_published:
        full.publish("STD")
        full.publish("AG-7")
    content = full.export(kind)
    versions = db.session.scalar(select(func.count()).select_from(PriceListVersion))

    report = full.load(kind, content, now=T0 + DAY)

    assert report.refused == []
    assert (report.new, report.changed, report.removed) == (0, 0, 0)
    assert report.unchanged == len(read_csv(content)) >= 2 - (kind == "agreements")
    assert full.export(kind) == content
    assert db.session.scalar(select(func.count()).select_from(PriceListVersion)) == versions


def test_replacing_names_what_is_new_changed_removed_and_unchanged(full: Shop) -> None:
    report = full.load(
        "price-entries",
        ENTRIES + "STD,LT-1,,EA,1,1300,,,,\nSTD,LT-3,,EA,1,5,,,,\nAG-7,LT-1,,BX,2,,,5.25,,\n",
        dry_run=True,
    )

    assert (report.new, report.changed, report.removed, report.unchanged) == (1, 1, 2, 1)
    assert len(read_csv(full.export("price-entries"))) == 4  # a dry run wrote nothing


def test_updating_keeps_what_the_file_does_not_name_and_deletes_on_request(full: Shop) -> None:
    full.publish("STD")
    report = full.load(
        "price-entries",
        "list_code,sku,uom,min_qty,price,action\nSTD,LT-1,EA,1,1300,set\nSTD,LT-2,EA,1,,delete\n"
        "STD,LT-4,EA,1,4,\n",
        mode=Mode.UPDATE,
    )

    assert (report.new, report.changed, report.removed, report.unchanged) == (1, 1, 1, 0)
    rows = [row for row in read_csv(full.export("price-entries")) if row["list_code"] == "STD"]
    assert [(row["sku"], row["price"]) for row in rows] == [("LT-1", "1300"), ("LT-4", "4")]


def test_the_first_edit_after_publishing_makes_a_draft_and_leaves_the_version(full: Shop) -> None:
    full.publish("STD")
    full.load("price-entries", ENTRIES + "STD,LT-1,,EA,1,1,,,,\n", mode=Mode.UPDATE)

    rows = db.session.execute(
        select(PriceListVersion.number, func.count(PriceEntry.id).label("entries"))
        .join(PriceEntry, PriceEntry.version_id == PriceListVersion.id)
        .where(PriceListVersion.best_price.is_(False))
        .group_by(PriceListVersion.number)
    )
    counts = {row.number: row.entries for row in rows}
    assert counts == {1: 2, None: 2}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("STD,LT-9,,EA,1,5,,,,", "sku"),
        ("NONE,LT-1,,EA,1,5,,,,", "list_code"),
        ("STD,LT-1,Hardware,EA,1,5,,,,", "sku"),
        ("STD,,Nowhere,EA,1,5,,,,", "category_path"),
        ("STD,,Hardware,,1,5,,,,", "uom"),
        ("STD,LT-1,,EA,1,5,6,,,", "percent_off"),
        ("STD,LT-1,,EA,1,,,,,", "price"),
        ("STD,LT-1,,EA,1,,6,,,", "percent_off"),
        ("AG-7,LT-1,,EA,1,,101,,,", "percent_off"),
        ("AG-7,LT-1,,EA,1,,0,,,", "percent_off"),
        ("STD,LT-1,,EA,1,-5,,,,", "price"),
        ("STD,LT-1,,EA,1.0005,5,,,,", "min_qty"),
        ("STD,LT-1,,EA,1,5,,,2026-02-01,2026-01-31", "valid_to"),
        ("STD,LT-1,,EA,1,5,,,soon,", "valid_from"),
    ],
)
def test_a_row_that_can_not_be_used_is_refused_and_nothing_is_written(
    full: Shop, row: str, column: str
) -> None:
    before = full.export("price-entries")

    report = full.load("price-entries", ENTRIES + "STD,LT-1,,EA,1,7,,,,\n" + row + "\n")

    assert [(refusal.row, refusal.column) for refusal in report.refused] == [(3, column)]
    assert report.refused[0].reason
    assert full.export("price-entries") == before


def test_a_currency_has_one_standard_list(full: Shop) -> None:
    report = full.load(
        "price-lists",
        "list_code,name,currency,kind\nSTD-2,Second,EUR,standard\nK,Won,KRW,standard\n",
    )

    assert [(r.column, r.reason) for r in report.refused] == [
        ("kind", "There is already a standard list in this currency: STD.")
    ]


def test_a_published_list_keeps_its_currency_and_a_new_mark_waits_in_the_draft(full: Shop) -> None:
    full.publish("STD")
    refused = full.load("price-lists", "list_code,currency\nSTD,USD\n")
    report = full.load("price-lists", "list_code,best_price\nSTD,1\n")

    assert [r.column for r in refused.refused] == ["currency"]
    assert report.changed == 1
    marks = db.session.execute(
        select(PriceListVersion.number, PriceListVersion.best_price).order_by(PriceListVersion.id)
    ).all()
    assert (1, False) in [tuple(row) for row in marks]
    assert (None, True) in [tuple(row) for row in marks]
    entries = [r for r in read_csv(full.export("price-entries")) if r["list_code"] == "STD"]
    assert len(entries) == 2


def test_assignments_are_replaced_from_now_on_and_the_past_stays(full: Shop) -> None:
    later = T0 + 30 * DAY
    report = full.load(
        "price-assignments",
        "list_code,account_code,unit_code,priority,valid_from\nAG-7,ACME,,3,2020-01-01\n",
        now=later,
    )

    assert (report.new, report.changed, report.removed, report.unchanged) == (0, 1, 1, 0)
    rows = db.session.execute(
        select(PriceAssignment.priority, PriceAssignment.valid_from, PriceAssignment.valid_to)
        .order_by(PriceAssignment.priority)
    ).all()  # fmt: skip
    assert [(row.priority, row.valid_to) for row in rows] == [(1, later), (2, later), (3, None)]
    assert rows[2].valid_from == later


def test_before_any_was_in_force_assignments_are_replaced_whole(shop: Shop) -> None:
    shop.load("price-lists", LISTS)
    head = "list_code,account_code,priority,valid_from\n"
    shop.load("price-assignments", head + "AG-7,ACME,1,2026-05-01\n")
    shop.load("price-assignments", head + "AG-7,ACME,2,2020-01-01\n")

    rows = read_csv(shop.export("price-assignments"))
    assert [(row["priority"], row["valid_from"]) for row in rows] == [("2", "2020-01-01")]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("AG-7,,,gold,,", "tier"),
        ("AG-7,ACME,,gold,,", "account_code"),
        ("AG-7,,LAB,,,", "account_code"),
        ("AG-7,NOBODY,,,,", "account_code"),
        ("AG-7,ACME,NOWHERE,,,", "unit_code"),
        ("AG-7,,,,,", "account_code"),
    ],
)
def test_an_assignment_names_exactly_one_target(shop: Shop, row: str, column: str) -> None:
    shop.load("price-lists", LISTS)

    report = shop.load(
        "price-assignments", f"list_code,account_code,unit_code,tier,segment,priority\n{row}\n"
    )

    assert [refusal.column for refusal in report.refused] == [column]
    assert shop.export("price-assignments").strip() == ""


def test_a_list_in_another_currency_is_bound_with_a_warning(shop: Shop) -> None:
    shop.load("price-lists", LISTS)

    bound = shop.load("price-assignments", "list_code,account_code\nAG-7,OTHER\nAG-7,ACME\n")
    carried = shop.load(
        "agreements", "agreement_number,account_code,list_codes\nA-2,OTHER,AG-7\nA-1,ACME,AG-7\n"
    )

    assert (bound.refused, bound.new) == ([], 2)
    assert bound.as_json()["warnings"] == [
        {
            "row": 2,
            "column": "list_code",
            "value": "AG-7",
            "reason": "AG-7 is in EUR, the account pays in KRW: the list never applies.",
        }
    ]
    assert (carried.refused, carried.new) == ([], 2)
    assert [(item.row, item.column) for item in carried.warnings] == [(2, "list_codes")]
