"""Import kinds of the catalogue: round trips, refusals that change nothing, partial files."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from portal.catalog.models import Category, Product, UomConversion
from portal.catalog.queries import get_product
from portal.db import db
from portal.events.models import Event
from tests.catalog.shelves import Shelves

Rows = Callable[[], dict[str, tuple[int, str]]]


def _everything(shop: Shelves) -> None:
    shop.load(
        "uom-conversions", "sku,from_uom,to_uom,factor\nLT-5440,BX,EA,10\nSW-0001,EA,KG,0.125\n"
    )
    shop.load(
        "assortments",
        "assortment_code,account_code,name,rule,category_path,sku\n"
        "A,ACME,A,allow,Hardware,\nA,ACME,A,deny,,LT-9000\nALL,,All,allow,Software,\n",
    )
    shop.load("part-numbers", "account_code,sku,buyer_sku,name\nACME,LT-5440,0077,Dock 日本\n")
    shop.show("A", "ALL")


@pytest.mark.parametrize(
    "kind",
    ["categories", "products", "uom-conversions", "assortments", "part-numbers", "access-groups"],
)
def test_an_export_imported_again_changes_nothing(
    shop: Shelves, kind: str, business_rows: Rows
) -> None:
    _everything(shop)
    content, before = shop.export(kind), business_rows()

    report = shop.load(kind, content)

    assert report.refused == []
    assert (report.new, report.changed, report.removed) == (0, 0, 0)
    assert report.unchanged == len(content.splitlines()) - 1 > 0
    assert business_rows() == before
    assert shop.export(kind) == content


def test_a_missing_column_leaves_what_is_there_and_an_empty_cell_takes_it_away(
    shop: Shelves,
) -> None:
    report = shop.load("products", "sku,mpn,attr:Memory\nLT-5440,,\n")
    assert (report.changed, report.unchanged) == (1, 0)
    product = get_product(shop.acme, "LT-5440")
    assert (product.mpn, product.manufacturer, product.names) == (
        None,
        "Kestrel",
        {"zh-Hans": "阿特拉斯"},
    )
    assert {item.name: item.value for item in product.attributes} == {"Colour": "Black"}


def test_categories_above_a_path_are_made_with_it(shelves: Shelves) -> None:
    assert shelves.load("categories", "category_path,name\n A / B/C ,Sea\n").refused == []
    found = db.session.execute(select(Category.path, Category.name).order_by(Category.path)).all()
    assert [tuple(row) for row in found] == [("A", "A"), ("A/B", "B"), ("A/B/C", "Sea")]


@pytest.mark.parametrize(
    ("kind", "content", "where", "words"),
    [
        ("products", "sku,name,category_path\nN,N,No/Where\n", (2, "category_path"), "no category"),
        ("products", "sku,name\nN,\n", (2, "name"), "can't be empty"),
        ("products", "sku\nN\n", (2, "name"), "can't be empty"),
        ("products", "sku,name\nN,N\nN,M\n", (3, "sku"), "Row 2 already names this"),
        ("products", "sku,name,status\nN,N,gone\n", (2, "status"), "active, eol"),
        ("products", "sku,name,successor_sku\nN,N,NIX\n", (2, "successor_sku"), "no product"),
        ("products", "sku,name,successor_sku\nN,N,N\n", (2, "successor_sku"), "own successor"),
        ("products", "sku,name,quantity_multiple\nN,N,0\n", (2, "quantity_multiple"), "between"),
        ("products", "sku,name,name:\nN,N,x\n", (2, "name:"), "no language"),
        ("products", "sku,name,attr:\nN,N,x\n", (2, "attr:"), "no attribute"),
        ("products", "sku,name,colour\nN,N,x\n", (1, "colour"), "no column"),
        ("categories", "category_path,name\nA//B,x\n", (2, "category_path"), "like Hardware"),
        ("uom-conversions", "sku,from_uom,to_uom,factor\nN,A,B,1\n", (2, "sku"), "no product"),
        (
            "uom-conversions",
            "sku,from_uom,to_uom,factor\nLT-5440,A,A,1\n",
            (2, "to_uom"),
            "two diff",
        ),
        (
            "uom-conversions",
            "sku,from_uom,to_uom,factor\nLT-5440,A,B,0\n",
            (2, "factor"),
            "between",
        ),
        (
            "assortments",
            "assortment_code,account_code,name,rule,category_path,sku\nA,ACME,A,allow,,\n",
            (2, "category_path"),
            "either a category or a product",
        ),
        (
            "assortments",
            "assortment_code,account_code,name,rule,category_path,sku\nA,NIX,A,allow,Hardware,\n",
            (2, "account_code"),
            "no account",
        ),
        ("part-numbers", "account_code,sku,buyer_sku\nACME,NIX,1\n", (2, "sku"), "no product"),
        (
            "part-numbers",
            "account_code,sku,buyer_sku\nNIX,LT-5440,1\n",
            (2, "account_code"),
            "account",
        ),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(
    shop: Shelves,
    business_rows: Rows,
    kind: str,
    content: str,
    where: tuple[int, str],
    words: str,
) -> None:
    before = business_rows()
    report = shop.load(kind, content)
    assert [(item.row, item.column) for item in report.refused] == [where]
    assert words in report.refused[0].reason
    assert business_rows() == before


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shelves, business_rows: Rows) -> None:
    before = business_rows()
    report = shop.load("products", "sku,name\nLT-5440,New\nN-1,N\n", dry_run=True)
    assert (report.new, report.changed) == (1, 1)
    assert business_rows() == before


def test_an_assortment_becomes_what_its_rows_say(shop: Shelves) -> None:
    header = "assortment_code,account_code,name,rule,category_path,sku\n"
    shop.load("assortments", header + "A,ACME,A,allow,Hardware,\nA,ACME,A,deny,,LT-9000\n")
    report = shop.load(
        "assortments", header + "A,ACME,A,allow,Hardware,\nA,ACME,A,allow,Software,\n"
    )
    assert (report.new, report.removed, report.unchanged) == (1, 1, 1)


def test_factors_are_exact_and_a_changed_one_is_counted(shop: Shelves) -> None:
    header = "sku,from_uom,to_uom,factor\n"
    assert shop.load("uom-conversions", header + "LT-5440,OZ,KG,0.028349523\n").new == 1
    assert shop.load("uom-conversions", header + "LT-5440,OZ,KG,0.0283\n").changed == 1
    assert db.session.scalar(select(UomConversion.factor)) == Decimal("0.0283")


def test_a_file_that_changed_something_is_noted_once(shop: Shelves) -> None:
    count = select(func.count(Event.id)).where(Event.verb == "catalogue.imported")
    before = db.session.scalar(count)
    shop.load("products", "sku,name\nLT-5440,Atlas 14\n")
    assert db.session.scalar(count) == before
    shop.load("products", "sku,name\nLT-5440,Atlas 14 G2\n")
    assert db.session.scalar(count) == (before or 0) + 1


def test_thousands_of_products_need_few_statements(
    shelves: Shelves, count_statements: Callable[[], object]
) -> None:
    def statements(number: int) -> int:
        rows = "".join(f"N{number}-{i},Name {i},M{i}\n" for i in range(number))
        with count_statements() as counted:  # type: ignore[attr-defined]
            assert shelves.load("products", f"sku,name,attr:Memory\n{rows}").new == number
        return int(counted.total)

    assert statements(900) <= statements(9) + 2
    assert db.session.scalar(select(func.count(Product.id))) == 909
