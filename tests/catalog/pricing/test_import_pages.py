"""Imports on the supplier's desk: checked first, then exactly the checked file, once."""

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.catalog.pricing.models import PriceListVersion
from portal.db import db
from portal.files.models import Upload
from portal.files.writing import write_xlsx
from portal.policy import Role
from tests.catalog.pricing.shop import Shop
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
ENTRIES = b"list_code,sku,uom,min_qty,price\nSTD,LT-1,EA,1,120\nSTD,LT-3,EA,1,9\n"


@pytest.fixture
def shop(app: Flask) -> Shop:
    assert app.config["SETTINGS"]
    made = Shop()
    made.standard({"LT-1": "100", "LT-2": "50"})
    return made


@pytest.fixture
def seller(shop: Shop, sign_in: SignIn) -> PortalClient:
    return sign_in(shop.hire("amy", Role.ACCOUNT_MANAGER))


def follow(client: PortalClient, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303
    return client.get(answer.headers["Location"])


def check(
    client: PortalClient,
    data: bytes = ENTRIES,
    *,
    kind: str = "price-entries",
    name: str = "prices.csv",
    mode: str = "update",
) -> TestResponse:
    return client.post(
        f"/desk/imports/{kind}/check",
        data={"file": (io.BytesIO(data), name), "mode": mode},
        content_type="multipart/form-data",
    )


def counts(page: str) -> list[int]:
    return [int(n) for n in re.findall(r'data-label="Number" class="num">\s*(\d+)', page)]


def upload_of(page: str) -> str:
    found = re.search(r'name="upload"\s+value="(\d+)"', page)
    assert found is not None
    return found.group(1)


def test_the_start_page_names_kinds_and_columns(seller: PortalClient) -> None:
    index = seller.get("/desk/imports").text
    start = follow(seller, seller.get("/desk/imports?kind=price-entries")).text

    assert "Price list entries" in index
    assert "percent_off" in index
    assert "CSV or XLSX file" in start
    assert "stay as they are (update)" in start


def test_a_check_shows_removals_first_and_writes_nothing(shop: Shop, seller: PortalClient) -> None:
    before = shop.export("price-entries")

    page = check(seller, mode="replace").text

    assert counts(page) == [1, 1, 1, 0, 0]
    assert page.index("Removed") < page.index("Changed") < page.index(">New")
    assert shop.export("price-entries") == before


def test_the_import_takes_exactly_the_checked_file_and_only_once(
    shop: Shop, seller: PortalClient
) -> None:
    upload = upload_of(check(seller).text)

    first = follow(
        seller, seller.post("/desk/imports/price-entries/import", data={"upload": upload})
    )
    second = seller.post("/desk/imports/price-entries/import", data={"upload": upload})

    assert "0 removed, 1 changed, 1 new, 0 unchanged" in first.text
    assert second.status_code == 409
    assert "STD,LT-1,,EA,1,120" in shop.export("price-entries")
    assert db.session.scalar(select(func.count()).select_from(Upload)) == 0
    numbers = db.session.scalars(select(PriceListVersion.number)).all()
    assert set(numbers) == {1, None}  # a draft: nothing is published


def test_an_xlsx_is_read_like_a_csv(seller: PortalClient) -> None:
    columns = ["list_code", "sku", "uom", "min_qty", "price"]
    data = write_xlsx(columns, [["STD", "LT-1", "EA", 1, "120.5"]], sheet="prices")

    assert counts(check(seller, data, name="prices.xlsx").text) == [0, 1, 0, 0, 0]


def test_what_is_wrong_is_named_by_row_and_column_and_can_not_be_imported(
    shop: Shop, seller: PortalClient
) -> None:
    before = shop.export("price-entries")

    answer = check(seller, ENTRIES + b"STD,LT-9,EA,1,5\nSTD,LT-1,EA,1,cheap\n")

    assert answer.status_code == 422
    assert "Enter a number like 1234.50." in answer.text
    assert "cheap" in answer.text
    assert 'name="upload"' not in answer.text
    assert shop.export("price-entries") == before


def test_a_warning_is_shown_and_the_file_can_be_imported(shop: Shop, sign_in: SignIn) -> None:
    publisher = sign_in(shop.hire("pia", Role.PRICING_MANAGER))

    page = check(
        publisher, b"list_code,account_code\nSTD,OTHER\n", kind="price-assignments", name="a.csv"
    )

    assert page.status_code == 200
    assert "STD is in EUR, the account pays in KRW" in page.text
    assert upload_of(page.text)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choose a file"),
        (b"\x00\x01", "can&#39;t be read"),
        (b"a,a\n1,2\n", "names two columns"),
    ],
)
def test_a_file_that_is_no_table_is_said_at_the_field(
    seller: PortalClient, data: bytes, words: str
) -> None:
    answer = check(seller, data, name="prices.csv" if data else "")

    assert answer.status_code == 422
    assert words in answer.text


def test_somebody_elses_checked_file_is_not_there(
    shop: Shop, seller: PortalClient, sign_in: SignIn
) -> None:
    upload = upload_of(check(seller).text)
    other = sign_in(shop.hire("bob", Role.ACCOUNT_MANAGER))

    for client, kind, sent in (
        (other, "price-entries", upload),
        (seller, "price-lists", upload),
        (seller, "price-entries", "999999"),
    ):
        answer = client.post(f"/desk/imports/{kind}/import", data={"upload": sent})
        assert answer.status_code == 409
    nothing = seller.post("/desk/imports/price-entries/import", data={"upload": "x"})
    assert nothing.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(Upload)) == 1


def test_each_kind_asks_for_its_own_permission(
    shop: Shop, seller: PortalClient, sign_in: SignIn
) -> None:
    desk = sign_in(shop.hire("olga", Role.ORDER_DESK))

    assert seller.get("/desk/imports/costs").status_code == 403
    assert check(seller, kind="price-assignments").status_code == 403
    assert desk.get("/desk/imports/price-entries").status_code == 403
    assert check(desk).status_code == 403
    assert desk.get("/desk/imports").status_code == 200


def test_what_is_there_can_be_exported_and_checked_again(seller: PortalClient) -> None:
    exported = seller.get("/desk/imports/price-entries/export.csv")

    assert exported.mimetype == "text/csv"
    page = check(seller, exported.data).text
    assert counts(page) == [0, 0, 0, 2, 0]
    assert "importing it changes nothing" in page
