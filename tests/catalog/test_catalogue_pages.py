"""The catalogue's pages as people see them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select

from portal.catalog.models import Product, ProductAttribute
from portal.catalog.rules import STEERING
from portal.catalog.search_index import index_products
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.service.assets.rules import (
    RENEWAL_COVERS,
    RENEWAL_FOR,
    RENEWAL_MONTHS,
    WARRANTY_MONTHS,
)
from portal.service.repairs.rules import COVERED_AS

SignIn = Callable[..., Any]
Count = Callable[[], AbstractContextManager[Any]]


def _more_laptops(number: int) -> None:
    with transaction():
        model = db.session.scalars(select(Product).where(Product.sku == "LT-0001")).one()
        made = [
            Product(sku=f"ZZ-{i:04d}", name=f"Zed {i}", category_id=model.category_id)
            for i in range(number)
        ]
        db.session.add_all(made)
        db.session.flush()
        index_products([product.id for product in made])


def test_a_buyer_sees_their_price_beside_the_list_price(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.acme.buyer.email).get("/catalog?q=LT-0001").text
    assert "Search products" in page
    assert 'href="/catalog/LT-0001"' in page
    assert "<del" in page
    assert "Why this price" in page
    assert "agreement AG-7" in page
    assert "Add to quote" in page


def test_a_page_needs_the_same_statements_for_five_and_for_five_hundred(
    cast: Cast, sign_in: SignIn, count_statements: Count
) -> None:
    client = sign_in(cast.acme.buyer.email)

    def statements() -> int:
        client.get("/catalog?q=Zed&size=250")
        with count_statements() as counted:
            assert client.get("/catalog?q=Zed&size=250").status_code == 200
        return int(counted.total)

    _more_laptops(5)
    few = statements()
    with transaction():
        for product in db.session.scalars(select(Product).where(Product.sku.like("ZZ-%"))):
            db.session.delete(product)
    _more_laptops(500)
    assert statements() == few
    assert few <= 8, "who is signed in and the frame included"


def test_the_product_page_shows_breaks_and_the_reason(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.acme.buyer.email).get("/catalog/LT-0001").text
    assert "Your prices" in page
    assert "Why this price" in page
    assert "Every list considered" not in page


def test_an_ended_product_names_its_successor(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.acme.buyer.email).get("/catalog/LT-0002").text
    assert 'href="/catalog/LT-0003"' in page
    assert "Add to quote" not in page


def test_prices_of_another_day_say_so(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.acme.buyer.email)
    assert "Prices as of Feb 1, 2026" in client.get("/catalog?at=2026-02-01").text
    before = client.get("/catalog/LT-0001?at=2025-02-01").text
    assert "Price on request" in before


def test_a_date_that_is_none_is_answered_at_its_field(cast: Cast, sign_in: SignIn) -> None:
    answer = sign_in(cast.acme.buyer.email).get("/catalog?at=31.12.2026")
    assert answer.status_code == 422
    assert "Enter a date like 2026-12-31." in answer.text
    assert 'value="31.12.2026"' in answer.text


def test_supplier_staff_choose_an_account_to_see_its_prices(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.supplier.account_manager.email)
    assert "agreement AG-7" not in client.get("/catalog?q=LT-0001").text
    assert "agreement AG-7" in client.get("/catalog?q=LT-0001&account=ACME").text
    assert client.get("/catalog?account=HANBIT").status_code == 404
    assert "Every list considered" in client.get("/catalog/LT-0001?account=ACME").text


def test_a_customer_cannot_ask_for_another_accounts_prices(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.hanbit.buyer.email)
    page = client.get("/catalog/LT-0001?account=ACME").text
    assert "AG-7" not in page
    assert "EUR" not in page


def test_names_follow_the_language_of_the_reader(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.hanbit.buyer.email).get("/catalog").text
    assert "노트북" in page


def test_no_match_offers_a_way_on(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.acme.buyer.email).get("/catalog?q=LT-00019").text
    assert "No product matches." in page
    assert "Filters" not in page
    assert "Did you mean LT-0001?" in page


@pytest.mark.parametrize("path", ["", "/categories", "/LT-0001"])
def test_the_desk_is_closed_to_customers(cast: Cast, sign_in: SignIn, path: str) -> None:
    client = sign_in(cast.acme.admin.email)
    assert client.get(f"/desk/catalog{path}").status_code == 403


def test_a_pricing_manager_ends_a_product_and_names_its_successor(
    cast: Cast, sign_in: SignIn
) -> None:
    client = sign_in(cast.supplier.pricing_manager.email)
    answer = client.post(
        "/desk/catalog/LT-0001", data={"status": "eol", "successor_sku": "LT-0003"}
    )
    assert answer.status_code == 303
    product = db.session.scalars(select(Product).where(Product.sku == "LT-0001")).one()
    assert (product.status, product.successor_sku) == ("eol", "LT-0003")
    verbs = db.session.scalars(select(Event.verb).where(Event.object_id == product.id)).all()
    assert "product.changed" in verbs


@pytest.mark.parametrize(
    ("successor", "words"), [("NIX", "There is no product NIX."), ("LT-0001", "own successor")]
)
def test_a_wrong_successor_is_refused(
    cast: Cast, sign_in: SignIn, successor: str, words: str
) -> None:
    client = sign_in(cast.supplier.pricing_manager.email)
    answer = client.post(
        "/desk/catalog/LT-0001", data={"status": "eol", "successor_sku": successor}
    )
    assert answer.status_code == 422
    assert words in answer.text
    product = db.session.scalars(select(Product).where(Product.sku == "LT-0001")).one()
    assert (product.status, product.successor_sku) == ("active", None)


def test_an_account_manager_cannot_change_products(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.supplier.account_manager.email)
    assert client.post("/desk/catalog/LT-0001", data={"status": "eol"}).status_code == 403


def test_what_steers_the_service_is_no_filter_and_no_fact_for_buyers(
    cast: Cast, sign_in: SignIn
) -> None:
    with transaction() as session:
        product = session.scalars(select(Product).where(Product.sku == "LT-0001")).one()
        names = ["Colour", *sorted(STEERING)]
        session.add_all(ProductAttribute(product_id=product.id, name=n, value="12") for n in names)
    buyer = sign_in(cast.acme.buyer.email)
    desk = sign_in("manager@northwind.example")

    listed, page = buyer.get("/catalog?q=LT-0001").text, buyer.get("/catalog/LT-0001").text

    assert "Colour" in listed
    assert "Colour" in page
    assert not [name for name in STEERING if name in listed + page]
    assert "warranty_months" in desk.get("/catalog/LT-0001").text


def test_every_attribute_that_the_service_reads_is_known_to_steer() -> None:
    read = {WARRANTY_MONTHS, RENEWAL_MONTHS, RENEWAL_FOR, RENEWAL_COVERS, COVERED_AS}

    assert read == STEERING
