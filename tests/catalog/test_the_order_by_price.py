"""The catalogue in the order of the reader's own prices."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from portal.catalog import browsing
from portal.catalog.browsing import ProductSort, search_products
from portal.catalog.by_price import Asking
from portal.catalog.narrowing import Filters
from portal.catalog.offers import find_offers, reader_of
from portal.catalog.pricing.models import PriceEntry
from portal.db import transaction
from portal.demo.cast import Cast
from portal.policy import Actor
from portal.web.tables import Sort
from tests.instants import NOW

SignIn = Callable[..., Any]
Count = Callable[[], AbstractContextManager[Any]]


def prices(buyer: Actor, *, descending: bool = False, number: int = 1) -> list[Decimal | None]:
    """Return the prices shown on a page of the list, from the top."""
    reader = reader_of(buyer)
    assert reader is not None
    found = search_products(
        buyer,
        Filters(),
        sort=Sort(ProductSort.PRICE, descending),
        locale="en",
        number=number,
        size=10,
        asking=Asking(reader.buyer, NOW),
    )
    products = found.page.items
    offers = find_offers(reader, products, NOW)
    return [offers[product.id].resolution.unit_price for product in products]


def known(found: list[Decimal | None]) -> list[Decimal]:
    return [price for price in found if price is not None]


def test_prices_rise_over_the_pages_and_fall_the_other_way(cast: Cast) -> None:
    pages = [*prices(cast.acme.buyer), *prices(cast.acme.buyer, number=2)]
    turned = prices(cast.acme.buyer, descending=True)

    assert len(known(pages)) > 10
    assert known(pages) == sorted(known(pages))
    assert known(turned) == sorted(known(turned), reverse=True)
    assert known(turned)[0] > known(pages)[0]


def test_a_price_that_changed_changes_the_order_at_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[object, object] = {}
    monkeypatch.setattr("portal.catalog.by_price._PRICES", kept)
    before = known(prices(cast.acme.buyer))
    assert kept
    assert known(prices(cast.acme.buyer)) == before

    with transaction() as session:
        session.execute(update(PriceEntry).values(value=PriceEntry.value + Decimal("0.5")))

    after = known(prices(cast.acme.buyer))
    assert after != before
    assert after == sorted(after)


def test_no_more_prices_are_kept_than_their_limit(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[object, object] = {}
    monkeypatch.setattr("portal.catalog.by_price._PRICES", kept)
    everything = prices(cast.acme.buyer)
    assert len(kept) > 3
    kept.clear()
    monkeypatch.setattr("portal.catalog.by_price.MOST_KEPT", 3)

    assert prices(cast.acme.buyer) == everything
    assert len(kept) <= 3


def test_accounts_are_ordered_by_their_own_prices(cast: Cast) -> None:
    acme, hanbit = prices(cast.acme.buyer), prices(cast.hanbit.buyer)

    assert acme != hanbit
    assert (prices(cast.acme.buyer), prices(cast.hanbit.buyer)) == (acme, hanbit)


def test_what_has_no_price_comes_last_both_ways(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = cast.acme.buyer
    monkeypatch.setattr(
        "portal.catalog.by_price._price",
        lambda _book, each: None if each.facts.sku.startswith("LT") else Decimal(1),
    )
    reader = reader_of(buyer)
    assert reader is not None
    asking = Asking(reader.buyer, NOW)

    for descending in (False, True):
        found = search_products(
            buyer,
            Filters(),
            sort=Sort(ProductSort.PRICE, descending),
            locale="en",
            size=10_000,
            asking=asking,
        )
        beginnings = [item.sku.startswith("LT") for item in found.page.items]
        assert any(beginnings)
        assert beginnings == sorted(beginnings)


def test_the_page_offers_the_order_and_keeps_it_in_the_address(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.acme.buyer.email)

    page = client.get("/catalog?sort=price&size=250").text
    shown = [Decimal(text.replace(",", "")) for text in re.findall(r'strong">([\d,.]+) EUR', page)]

    assert "sort=-price" in page
    assert 'aria-sort="ascending"' in page
    assert len(shown) > 10
    assert shown == sorted(shown)


def test_it_costs_three_statements_however_many_products_there_are(
    cast: Cast, sign_in: SignIn, count_statements: Count
) -> None:
    client = sign_in(cast.acme.buyer.email)

    def statements(address: str) -> int:
        client.get(address)
        with count_statements() as counted:
            assert client.get(address).status_code == 200
        return int(counted.total)

    by_name, by_price = statements("/catalog?sort=name"), statements("/catalog?sort=price")

    assert by_price == by_name + 3


def test_nobody_without_the_right_to_prices_learns_their_order(cast: Cast) -> None:
    found = search_products(
        cast.acme.buyer, Filters(), sort=Sort(ProductSort.PRICE), locale="en", asking=None
    )

    assert found.sort.key is ProductSort.BEST
    assert not found.can_sort_by_price


def test_too_many_products_are_not_sorted_by_price_and_the_page_says_why(
    cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "MOST_PRICED", 3)

    page = sign_in(cast.acme.buyer.email).get("/catalog?sort=price").text

    assert "can be sorted by price: choose a category or a filter first" in page
    assert (
        "sort=price"
        not in page.partition("<main")[2].partition("</thead>")[0].partition("<thead>")[2]
    )
