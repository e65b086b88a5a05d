"""Stock as the desk works with it, as files carry it, and as buyers read it."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.queries import load_operator
from portal.catalog.models import Product
from portal.catalog.stock.actions import Count, correct_stock, receive_stock, reserve
from portal.catalog.stock.models import StockLevel, StockReservation
from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import Store
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.desk.kinds import BY_NAME
from portal.files.writing import write_csv
from portal.quotes.actions import add_lines, create_quote
from tests.stage import Counted, PortalClient
from tests.superstore import load_kind

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
D = Decimal
DESK, BUYER = "desk@northwind.example", "buyer@acme.example"
SKU = "MN-0001"


@pytest.fixture
def monitor(world: Flask, cast: Cast, now: datetime) -> Product:
    """Ten of it in Berlin, nothing of anything else."""
    assert world.name
    with transaction():
        for table in (StockReservation, StockLevel):
            db.session.query(table).delete()
    receive_stock(cast.supplier.order_desk, SKU, "BERLIN", D(10), now=now)
    return db.session.scalars(select(Product).where(Product.sku == SKU)).one()


@pytest.fixture
def desk(sign_in: SignIn, monitor: Product) -> PortalClient:
    assert monitor.sku
    return sign_in(DESK)


@pytest.fixture
def buyer(sign_in: SignIn, monitor: Product) -> PortalClient:
    assert monitor.sku
    return sign_in(BUYER, membership="ACME - IT")


def available(product: Product) -> Decimal:
    return find_availability([product.id])[product.id].available


def key_of(page: str) -> str:
    found = re.search(r'name="key"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def cells(page: str) -> list[str]:
    """The texts of the first row of a table, without tags."""
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    row = body[: body.index("</tr>")]
    parts = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in parts]


def test_the_list_says_what_can_still_be_promised(
    desk: PortalClient, monitor: Product, cast: Cast, now: datetime
) -> None:
    count = Count(on_hand=D(10), expected_on=date(2026, 12, 4), reorder_level=D(6))
    correct_stock(cast.supplier.order_desk, SKU, "BERLIN", count, reason="", now=now)
    reserve(("order", 1), {monitor.id: D(4)}, now=now)

    row = cells(desk.get("/desk/stock").text)

    assert row[0] == SKU
    assert row[2:] == ["for sale", "BERLIN", "10", "4", "6 reorder", "6", "EA", "Dec 4, 2026"]


def test_the_views_hold_what_they_say(desk: PortalClient, monitor: Product, now: datetime) -> None:
    assert f"/desk/stock/{SKU}" not in desk.get("/desk/stock?view=low").text
    reserve(("order", 1), {monitor.id: D(12)}, now=now)

    short = desk.get("/desk/stock?view=short").text
    assert "-2 back-order" in " ".join(cells(short)).replace("−", "-")
    assert f"/desk/stock/{SKU}" not in desk.get("/desk/stock?view=expected").text
    assert f"/desk/stock/{SKU}" in desk.get("/desk/stock?q=mn-00&location=BERLIN&store=sale").text
    assert f"/desk/stock/{SKU}" not in desk.get("/desk/stock?store=repair").text
    rows = desk.get("/desk/stock?view=short&format=csv").text.splitlines()
    assert len(rows) == 2
    assert rows[1].endswith("for sale,BERLIN,10.000,12.000,-2.000,,EA,")


def test_a_product_without_stock_is_found_to_begin_with(desk: PortalClient) -> None:
    page = desk.get("/desk/stock?q=LT-0001").text

    assert "No stock is kept of LT-0001." in page
    assert "/desk/stock/LT-0001" in page


def test_goods_are_received_once_however_often_the_button_is_pressed(
    desk: PortalClient, monitor: Product
) -> None:
    key = key_of(desk.get(f"/desk/stock/{SKU}").text)
    data = {"location_code": "BERLIN", "quantity": "5", "note": "DN 77", "key": key}

    first = desk.post(f"/desk/stock/{SKU}/receive", data=data)
    second = desk.post(f"/desk/stock/{SKU}/receive", data=data)

    assert first.status_code == second.status_code == 303
    assert available(monitor) == D(15)
    page = desk.get(f"/desk/stock/{SKU}").text
    assert "Dora Desk: DN 77" in page
    assert page.count("DN 77") == 1


def test_a_count_of_a_form_that_is_out_of_date_is_refused(
    desk: PortalClient, monitor: Product, cast: Cast, now: datetime
) -> None:
    page = desk.get(f"/desk/stock/{SKU}").text
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', page)
    assert seen is not None
    receive_stock(cast.supplier.order_desk, SKU, "BERLIN", D(3), now=now)

    answer = desk.post(
        f"/desk/stock/{SKU}/correct",
        data={"location_code": "BERLIN", "on_hand": "9", "reason": "Counted", "seen": seen[1]},
    )

    assert answer.status_code == 422
    assert "13 are on hand now" in answer.text
    assert 'value="9"' in answer.text
    assert available(monitor) == D(13)


def test_a_correction_without_a_reason_is_said_at_its_field(
    desk: PortalClient, monitor: Product
) -> None:
    data = {"location_code": "BERLIN", "on_hand": "9", "reason": ""}

    answer = desk.post(f"/desk/stock/{SKU}/correct", data=data)

    assert answer.status_code == 422
    assert "Say why the figure changes" in answer.text
    assert available(monitor) == D(10)


def test_who_may_only_look_sees_no_forms_and_changes_nothing(
    sign_in: SignIn, monitor: Product, business_rows: Rows
) -> None:
    assert monitor.sku
    manager = sign_in("manager@northwind.example")
    before = business_rows()

    page = manager.get(f"/desk/stock/{SKU}").text
    assert "Changing stock needs the role Order desk." in page
    assert 'name="quantity"' not in page
    data = {"location_code": "BERLIN", "quantity": "5"}
    assert manager.post(f"/desk/stock/{SKU}/receive", data=data).status_code == 403
    assert business_rows() == before


def test_customers_have_no_way_to_the_ledger(buyer: PortalClient) -> None:
    assert buyer.get("/desk/stock").status_code == 403
    assert buyer.get(f"/desk/stock/{SKU}").status_code == 403


def test_buyers_read_what_is_there_wherever_they_choose(
    buyer: PortalClient, cast: Cast, now: datetime
) -> None:
    quote = create_quote(cast.acme.buyer, now, title="Many")
    add_lines(cast.acme.buyer, quote.number, [(SKU, D(25), None)], now)

    assert "10 in stock" in buyer.get(f"/catalog?q={SKU}").text
    assert "10 in stock" in buyer.get(f"/catalog/{SKU}").text
    assert "10 in stock" in buyer.get(f"/quotes/{quote.number}").text
    checked = buyer.post("/quotes/quick", data={"text": f"{SKU} 3", "do": "check"})
    assert "10 in stock" in checked.text


def test_what_has_run_out_says_when_more_comes(
    buyer: PortalClient, monitor: Product, cast: Cast, now: datetime
) -> None:
    day = (now + timedelta(days=9)).date()
    count = Count(on_hand=D(0), expected_on=day)
    correct_stock(cast.supplier.order_desk, SKU, "BERLIN", count, reason="Gone", now=now)

    page = buyer.get(f"/catalog/{SKU}").text

    assert "none in stock" in page
    assert "more expected on Dec 1, 2026" in page
    assert monitor.sku


def test_spare_parts_are_not_offered_to_buyers(
    buyer: PortalClient, monitor: Product, cast: Cast, now: datetime
) -> None:
    receive_stock(cast.supplier.order_desk, SKU, "REPAIR-BER", D(7), now=now)

    assert "10 in stock" in buyer.get(f"/catalog/{SKU}").text
    parts = find_availability([monitor.id], store=Store.REPAIR)
    assert parts[monitor.id].available == D(7)


@pytest.mark.parametrize("page", ["/desk/stock", "/catalog?category=Hardware/Monitors"])
def test_pages_ask_the_same_number_of_statements_for_little_stock_and_for_much(
    sign_in: SignIn,
    monitor: Product,
    now: datetime,
    page: str,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    assert monitor.sku
    client = sign_in(DESK)
    client.get(page)
    with count_statements() as little:
        client.get(page)
    rows = "".join(f"BERLIN,{family}-000{n},7\n" for family in ("MN", "LT") for n in range(1, 6))
    assert load_kind("stock", "location_code,sku,quantity\n" + rows, now).refused == []
    with count_statements() as much:
        client.get(page)

    assert much.total == little.total


def test_a_file_sets_what_was_counted_and_leaves_what_it_does_not_name(
    monitor: Product, cast: Cast, now: datetime
) -> None:
    plan = Count(on_hand=D(10), expected_on=date(2026, 12, 4), reorder_level=D(6))
    correct_stock(cast.supplier.order_desk, SKU, "BERLIN", plan, reason="", now=now)

    text = f"location_code,sku,quantity\nBERLIN,{SKU},8\nSEOUL,LT-0001,2.5\n"
    report = load_kind("stock", text, now)

    assert (report.new, report.changed, report.refused) == (1, 1, [])
    level = db.session.scalars(select(StockLevel).where(StockLevel.product_id == monitor.id)).one()
    assert (level.on_hand, level.expected_on, level.reorder_level) == (
        D(8), date(2026, 12, 4), D(6),
    )  # fmt: skip


def test_an_export_of_stock_imported_again_changes_nothing(
    monitor: Product, now: datetime, business_rows: Rows
) -> None:
    assert monitor.sku
    kind = BY_NAME["stock"]
    columns = [column.name for column in kind.columns]
    rows = kind.export(load_operator("root", "UTC"), None)
    text = write_csv(columns, [[row[name] for name in columns] for row in rows])
    before = business_rows()

    report = load_kind("stock", text, now)

    assert (report.new, report.changed, report.unchanged, report.refused) == (0, 0, 1, [])
    assert business_rows() == before


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("BERLIN,NOPE,1,", "sku"),
        (f"BERLIN,{SKU},-1,", "quantity"),
        (f"BERLIN,{SKU},,", "quantity"),
        (f"BER LIN,{SKU},1,", "location_code"),
        (f"BERLIN,{SKU},1,soon", "expected_on"),
    ],
)
def test_a_wrong_row_refuses_the_whole_file_of_stock(
    monitor: Product, now: datetime, business_rows: Rows, row: str, column: str
) -> None:
    assert monitor.sku
    before = business_rows()

    text = f"location_code,sku,quantity,expected_on\n{row}\nSEOUL,LT-0001,2,\n"
    report = load_kind("stock", text, now)

    assert [(item.row, item.column) for item in report.refused] == [(2, column)]
    assert business_rows() == before
