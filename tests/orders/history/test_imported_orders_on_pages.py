"""Imported orders as people find and see them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest

from portal.demo.cast import Cast
from tests.stage import Counted, PortalClient
from tests.superstore import load_kind

SignIn = Callable[..., PortalClient]
BUYER, DESK = "buyer@acme.example", "desk@northwind.example"
HEAD = (
    "order_number,account_code,unit_code,person_email,placed_at,purchase_order_number,currency,"
    "position,sku,name,quantity,uom,line_total,status\n"
)
ROWS = (
    "SO-1/20,ACME,IT,buyer@acme.example,2020-11-17T23:30:00Z,PO-177,EUR,1,LT-0001,Laptop,2,EA,1998,"
    "delivered\n"
    "SO-2,ACME,RND,research.buyer@acme.example,2024-03-01,PO-178,EUR,1,XX-9,Gone,1,EA,5,closed\n"
    "SO-2,HANBIT,IT,buyer@hanbit.example,2024-03-02,PO-900,KRW,1,XX-9,Gone,1,EA,5000,closed\n"
)


@pytest.fixture(autouse=True)
def _taken_over(cast: Cast, now: datetime) -> None:
    assert cast.acme.account_id
    assert load_kind("orders", HEAD + ROWS, now).refused == []


@pytest.fixture
def buyer(sign_in: SignIn) -> PortalClient:
    return sign_in(BUYER, membership="ACME - IT")


def test_a_purchase_order_of_six_years_ago_is_one_search_away(buyer: PortalClient) -> None:
    answer = buyer.get("/search?q=PO-177")

    assert answer.status_code == 303
    page = buyer.get(answer.location)
    assert page.status_code == 200
    assert "Order SO-1/20" in page.text
    assert "imported" in page.text
    assert "1,998.00" in page.text


def test_its_own_number_leads_there_too(buyer: PortalClient) -> None:
    assert buyer.get("/search?q=SO-1/20").location.endswith("/orders/past/SO-1/20")


def test_part_of_a_number_lists_it_among_what_is_found(buyer: PortalClient) -> None:
    page = buyer.get("/search?q=O-17")

    assert "/orders/past/SO-1/20" in page.text
    assert "SO-2" not in page.text


def test_the_list_of_own_orders_says_that_there_are_imported_ones(buyer: PortalClient) -> None:
    assert 'href="/orders/past' in buyer.get("/orders").text


def test_nobody_reaches_beyond_their_scope(sign_in: SignIn, buyer: PortalClient) -> None:
    research = sign_in("research.buyer@acme.example")
    shopper = sign_in("shopper@acme.example")
    hanbit = sign_in("buyer@hanbit.example")

    assert buyer.get("/orders/past/SO-2").status_code == 404  # of research
    assert research.get("/orders/past/SO-2").status_code == 200
    assert research.get("/orders/past/SO-1/20").status_code == 404
    assert shopper.get("/orders/past/SO-1/20").status_code == 404  # a shopper's own alone
    assert hanbit.get("/orders/past/SO-1/20").status_code == 404
    assert "5,000" in hanbit.get("/orders/past/SO-2").text
    assert "SO-1/20" not in hanbit.get("/orders/past?q=SO").text


def test_the_supplier_names_the_account_where_two_have_the_number(sign_in: SignIn) -> None:
    desk = sign_in(DESK)

    assert desk.get("/orders/past/SO-2").status_code == 404
    assert "Hanbit" in desk.get("/orders/past/SO-2?account=HANBIT").text
    assert "account=HANBIT" in desk.get("/orders/past").text


def test_the_list_is_narrowed_and_exported_as_shown(buyer: PortalClient) -> None:
    assert "SO-1/20" in buyer.get("/orders/past?year=2020").text
    assert "SO-1/20" not in buyer.get("/orders/past?year=2024").text
    assert "SO-1/20" in buyer.get("/orders/past?q=lt-00").text  # begins the SKU of a line
    rows = buyer.get("/orders/past?year=2020&format=csv").text.splitlines()
    assert len(rows) == 2
    assert "SO-1/20,PO-177,delivered" in rows[1]
    assert buyer.get("/orders/past?format=xlsx").data[:2] == b"PK"


def test_the_list_asks_the_same_number_of_statements_for_one_order_and_for_many(
    sign_in: SignIn,
    now: datetime,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    client = sign_in("purchasing@acme.example")
    client.get("/orders/past")
    with count_statements() as few:
        client.get("/orders/past")
    row = ROWS.splitlines(keepends=True)[1]
    more = "".join(row.replace("SO-2", f"SO-{number}") for number in range(10, 40))
    assert load_kind("orders", HEAD + more, now).refused == []
    with count_statements() as many:
        assert "SO-39" in client.get("/orders/past").text

    assert many.total == few.total
