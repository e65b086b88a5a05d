"""Ordering again: the old price, the new one and why, then a draft; once for each form."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.catalog.models import Product
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders.actions import Terms, order_quote
from portal.orders.models import Order
from portal.quotes.actions import add_lines, create_quote
from portal.quotes.models import Quote
from portal.quotes.queries import current_draft, get_quote
from tests.stage import Counted, PortalClient
from tests.superstore import load_kind

MakeQuote = Callable[..., Quote]
SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
D = Decimal
HEAD = (
    "order_number,account_code,unit_code,person_email,placed_at,currency,"
    "position,sku,name,quantity,uom,unit_price,line_total\n"
)


@pytest.fixture
def order(approved: MakeQuote, cast: Cast, now: datetime) -> Order:
    """Four mice and four keyboards, ordered yesterday."""
    quote = approved("MS-0002", "KB-0004", quantity=4)
    quantities = {line.line_id: line.quantity for line in quote.current.lines}
    terms = Terms(purchase_order_number="PO-1")
    return order_quote(cast.acme.buyer, quote.number, quantities, terms, key="k", now=now)


@pytest.fixture
def buyer(sign_in: SignIn, order: Order) -> PortalClient:
    assert order.number
    return sign_in("buyer@acme.example", membership="ACME - IT")


def form(page: str, **more: str) -> dict[str, str]:
    """The fields of the page as a browser would send them."""
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    fields = {"key": key[1], "do": "add", "draft": ""}
    for position in (1, 2):
        fields |= {f"take-{position}": "1", f"quantity-{position}": "4"}
    return fields | more


def quotes_of(actor_id: int | None) -> list[Quote]:
    statement = select(Quote).where(Quote.membership_id == actor_id).order_by(Quote.id)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def lines_of(cast: Cast, number: str) -> dict[str, Decimal]:
    return {line.sku: line.quantity for line in get_quote(cast.acme.buyer, number).current.lines}


def test_the_page_shows_both_prices_and_why(buyer: PortalClient, order: Order) -> None:
    with transaction():
        line = next(
            item for item in db.session.get_one(Order, order.id).lines if item.position == 1
        )
        line.unit_price += D("7.50")

    page = buyer.get(f"/orders/{order.number}/reorder")

    assert page.status_code == 200
    assert "7.50 EUR less than then" in page.text
    assert "as then" in page.text
    assert page.text.count("Why this price") == 2
    assert re.search(r"<p class=\"mb-0\">\s*List EUR [\d.]+", page.text)


def test_the_lines_go_into_a_new_draft_at_today_s_prices(
    buyer: PortalClient, cast: Cast, order: Order
) -> None:
    page = buyer.get(f"/orders/{order.number}/reorder").text

    answer = buyer.post(f"/orders/{order.number}/reorder", data=form(page, **{"quantity-2": "6"}))

    assert answer.status_code == 303
    number = answer.location.rpartition("/")[2]
    assert lines_of(cast, number) == {"MS-0002": D(4), "KB-0004": D(6)}
    assert get_quote(cast.acme.buyer, number).title == f"Reorder of {order.number}"
    assert f"Ordered again" in buyer.get(f"/orders/{order.number}").text  # noqa: F541


def test_the_form_sent_twice_makes_one_draft(
    buyer: PortalClient, cast: Cast, order: Order, business_rows: Rows
) -> None:
    data = form(buyer.get(f"/orders/{order.number}/reorder").text)

    first = buyer.post(f"/orders/{order.number}/reorder", data=data)
    before = business_rows()
    second = buyer.post(f"/orders/{order.number}/reorder", data=data)

    assert first.location == second.location
    assert business_rows() == before
    assert len(quotes_of(cast.acme.buyer.membership_id)) == 2  # the ordered one and this


def test_the_current_draft_grows_once(
    buyer: PortalClient, cast: Cast, order: Order, now: datetime, business_rows: Rows
) -> None:
    draft = create_quote(cast.acme.buyer, now, title="Second floor")
    add_lines(cast.acme.buyer, draft.number, [("MS-0002", D(1), None)], now)
    found = current_draft(cast.acme.buyer)
    assert found is not None
    page = buyer.get(f"/orders/{order.number}/reorder").text
    chosen = re.search(rf'value="({draft.number}:\d+)"', page)
    assert chosen is not None
    data = form(page, draft=chosen[1])

    assert buyer.post(f"/orders/{order.number}/reorder", data=data).status_code == 303
    before = business_rows()
    again = buyer.post(f"/orders/{order.number}/reorder", data=data)

    assert again.status_code == 422
    assert f"{draft.number} changed since this page was opened" in again.text
    assert business_rows() == before
    assert lines_of(cast, draft.number) == {"MS-0002": D(5), "KB-0004": D(4)}


def test_only_what_is_ticked_is_taken(buyer: PortalClient, cast: Cast, order: Order) -> None:
    data = form(buyer.get(f"/orders/{order.number}/reorder").text)
    del data["take-1"]

    answer = buyer.post(f"/orders/{order.number}/reorder", data=data)

    assert lines_of(cast, answer.location.rpartition("/")[2]) == {"KB-0004": D(4)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quantity-1": "four"}, "“four” is not a number."),
        ({"quantity-1": "0"}, "Enter a quantity above 0."),
        ({"take-1": "", "take-2": ""}, "Choose at least one line"),
    ],
)
def test_what_can_t_be_read_is_said_and_nothing_is_made(
    buyer: PortalClient,
    order: Order,
    business_rows: Rows,
    change: dict[str, str],
    words: str,
) -> None:
    data = form(buyer.get(f"/orders/{order.number}/reorder").text) | change
    before = business_rows()

    page = buyer.post(f"/orders/{order.number}/reorder", data=data)

    assert page.status_code == 422
    assert words in page.text
    assert f'value="{data["quantity-1"]}"' in page.text
    assert business_rows() == before


def test_prices_of_other_quantities_can_be_checked_first(
    buyer: PortalClient, order: Order, business_rows: Rows
) -> None:
    data = form(buyer.get(f"/orders/{order.number}/reorder").text)
    before = business_rows()

    page = buyer.post(
        f"/orders/{order.number}/reorder", data=data | {"do": "check", "quantity-1": "20"}
    )

    assert page.status_code == 200
    assert 'value="20"' in page.text
    assert business_rows() == before


@pytest.fixture
def ended(order: Order) -> Product:
    """The mouse is not sold any more; another one follows on it."""
    assert order.number
    with transaction():
        mouse = db.session.scalars(select(Product).where(Product.sku == "MS-0002")).one()
        mouse.status, mouse.successor_sku = "eol", "MS-0003"
    return mouse


def test_a_successor_is_offered_and_only_taken_where_it_is_chosen(
    buyer: PortalClient, cast: Cast, order: Order, ended: Product
) -> None:
    assert ended.sku
    page = buyer.get(f"/orders/{order.number}/reorder").text
    assert "MS-0002 ended: this product follows on it." in page
    assert re.search(r'id="take-1"[^>]*checked', page) is None
    assert re.search(r'id="take-2"[^>]*checked', page) is not None

    answer = buyer.post(f"/orders/{order.number}/reorder", data=form(page))

    assert lines_of(cast, answer.location.rpartition("/")[2]) == {"MS-0003": D(4), "KB-0004": D(4)}


def test_old_orders_of_another_system_can_be_ordered_again(
    buyer: PortalClient, cast: Cast, now: datetime
) -> None:
    rows = (
        "SO/7,ACME,IT,buyer@acme.example,2020-11-17,EUR,1,MS-0002,Mouse,4,EA,99,396\n"
        "SO/7,ACME,IT,buyer@acme.example,2020-11-17,EUR,2,OLD-1,Typewriter,1,EA,500,500\n"
    )
    assert load_kind("orders", HEAD + rows, now).refused == []
    page = buyer.get("/orders/past/SO/7/reorder").text
    assert "There is no product OLD-1 in your catalogue." in page
    assert "less than then" in page
    data = form(page)
    del data["take-2"], data["quantity-2"]

    answer = buyer.post("/orders/past/SO/7/reorder", data=data)

    assert lines_of(cast, answer.location.rpartition("/")[2]) == {"MS-0002": D(4)}


def test_who_can_t_save_quotes_can_t_order_again_and_reads_why(
    sign_in: SignIn, order: Order, business_rows: Rows
) -> None:
    viewer = sign_in("viewer@acme.example")
    before = business_rows()

    assert viewer.get(f"/orders/{order.number}/reorder").status_code == 403
    assert viewer.post(f"/orders/{order.number}/reorder", data={}).status_code == 403
    assert (
        "Ordering again needs the role Shopper or Buyer."
        in viewer.get(f"/orders/{order.number}").text
    )
    assert business_rows() == before


def test_nobody_orders_again_what_they_can_t_see(
    sign_in: SignIn, order: Order, business_rows: Rows
) -> None:
    before = business_rows()

    for stranger in ("buyer@hanbit.example", "shopper@acme.example"):
        client = sign_in(stranger)
        assert client.get(f"/orders/{order.number}/reorder").status_code == 404
        assert client.post(f"/orders/{order.number}/reorder", data={"do": "add"}).status_code == 404
    assert business_rows() == before


def test_the_page_asks_the_same_number_of_statements_for_one_line_and_for_many(
    buyer: PortalClient,
    now: datetime,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    row = "SO-{0},ACME,IT,buyer@acme.example,2024-01-01,EUR,{1},{2},Name,1,EA,9,9\n"
    skus = list(db.session.scalars(select(Product.sku).where(Product.status == "active").limit(20)))
    rows = row.format(1, 1, skus[0]) + "".join(
        row.format(2, place, sku) for place, sku in enumerate(skus, 1)
    )
    assert load_kind("orders", HEAD + rows, now - timedelta(days=1)).refused == []
    buyer.get("/orders/past/SO-1/reorder")
    with count_statements() as one:
        buyer.get("/orders/past/SO-1/reorder")
    with count_statements() as many:
        assert skus[-1] in buyer.get("/orders/past/SO-2/reorder").text

    assert many.total == one.total
