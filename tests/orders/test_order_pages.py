"""The pages of orders, as the people who open them see them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal

import pytest

from portal.demo.cast import Cast
from portal.orders.actions import Terms, order_quote
from portal.quotes.models import Quote
from tests.stage import Counted, PortalClient

MakeQuote = Callable[..., Quote]
SignIn = Callable[..., PortalClient]
BUYER = "buyer@acme.example"


@pytest.fixture
def quote(approved: MakeQuote) -> Quote:
    return approved()


def form(quote: Quote, **more: str) -> dict[str, str]:
    line_id = quote.current.lines[0].line_id
    return {f"quantity-{line_id}": "4", "key": "form-1", "then": "place"} | more


def test_the_check_page_offers_everything_that_is_open(sign_in: SignIn, quote: Quote) -> None:
    page = sign_in(BUYER, membership="ACME - IT").get(f"/quotes/{quote.number}/convert")

    assert page.status_code == 200
    assert 'value="10"' in page.text
    assert "Purchase order number" in page.text


def test_the_check_page_says_where_it_goes_and_what_it_comes_to(
    sign_in: SignIn, quote: Quote
) -> None:
    client = sign_in(BUYER, membership="ACME - IT")
    address = f"/quotes/{quote.number}/convert"
    line = quote.current.lines[0]
    assert line.unit_price is not None
    assert quote.current.gross_total is not None
    for page in (client.get(address), client.post(address, data=form(quote, then="count"))):
        assert page.status_code == 200
        assert quote.current.lines[0].sku in page.text
        assert "Ship to" in page.text
        assert "<address>" in page.text

    assert f"{quote.current.gross_total:,.2f} EUR" in client.get(address).text
    some = client.post(address, data=form(quote, then="count", contact="Ms Vogel"))
    assert f"{line.unit_price * 4:,.2f} EUR" in some.text
    assert 'value="Ms Vogel"' in some.text, "what was typed stays"
    assert 'value="4"' in some.text
    assert client.get("/orders").text.count("/orders/O-") == 0, "nothing is ordered yet"


def test_pressing_twice_makes_one_order_and_shows_it(sign_in: SignIn, quote: Quote) -> None:
    client = sign_in(BUYER, membership="ACME - IT")
    data = form(quote, purchase_order_number="4500000077")

    first = client.post(f"/quotes/{quote.number}/convert", data=data)
    second = client.post(f"/quotes/{quote.number}/convert", data=data)

    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    page = client.get(first.location)
    assert "4500000077" in page.text
    assert "placed" in page.text


def test_a_quote_leads_to_the_orders_made_from_it_as_far_as_they_are_seen(
    sign_in: SignIn, quote: Quote
) -> None:
    client, link = sign_in(BUYER, membership="ACME - IT"), 'href="/orders/'
    typed = form(quote, purchase_order_number="4500000077", then="draft")
    draft = client.post(f"/quotes/{quote.number}/convert", data=typed).location
    assert f'href="{draft}"' in client.get(f"/quotes/{quote.number}").text
    supplier = sign_in("manager@northwind.example")
    assert link not in supplier.get(f"/quotes/{quote.number}").text, "a draft is the customer's"

    client.post(f"{draft}/discard")
    assert link not in client.get(f"/quotes/{quote.number}").text
    typed = form(quote, purchase_order_number="4500000077") | {"key": "form-2"}
    order = client.post(f"/quotes/{quote.number}/convert", data=typed).location
    assert f'href="{order}"' in client.get(f"/quotes/{quote.number}").text
    assert f'href="{order}"' in supplier.get(f"/quotes/{quote.number}").text


def test_a_wrong_quantity_is_said_at_its_field_and_stays_typed(
    sign_in: SignIn, quote: Quote
) -> None:
    client = sign_in(BUYER, membership="ACME - IT")
    line_id = quote.current.lines[0].line_id
    data = form(quote, purchase_order_number="PO-9") | {f"quantity-{line_id}": "four"}

    page = client.post(f"/quotes/{quote.number}/convert", data=data)

    assert page.status_code == 422
    assert "“four” is not a number." in page.text
    assert 'value="four"' in page.text
    assert 'value="PO-9"' in page.text


def test_a_missing_purchase_order_number_is_said_at_its_field(
    sign_in: SignIn, quote: Quote
) -> None:
    client = sign_in(BUYER, membership="ACME - IT")

    page = client.post(f"/quotes/{quote.number}/convert", data=form(quote))

    assert page.status_code == 422
    assert "Enter your purchase order number." in page.text


def test_the_desk_confirms_from_the_order_s_page(
    sign_in: SignIn, quote: Quote, cast: Cast, now: datetime
) -> None:
    order = order_quote(
        cast.acme.buyer,
        quote.number,
        {quote.current.lines[0].line_id: Decimal(4)},
        Terms(purchase_order_number="PO-1"),
        key="k",
        now=now,
    )
    desk = sign_in("desk@northwind.example")

    assert desk.post(f"/orders/{order.number}/confirm").status_code == 303
    assert "confirmed" in desk.get(f"/orders/{order.number}").text
    again = desk.post(f"/orders/{order.number}/confirm")
    assert again.status_code == 409


def test_the_export_holds_the_rows_of_the_view(
    sign_in: SignIn, quote: Quote, cast: Cast, now: datetime
) -> None:
    order_quote(
        cast.acme.buyer,
        quote.number,
        {quote.current.lines[0].line_id: Decimal(4)},
        Terms(purchase_order_number="=1+1"),
        key="k",
        now=now,
    )
    client = sign_in(BUYER, membership="ACME - IT")

    placed = client.get("/orders?view=placed&format=csv").text.splitlines()
    confirmed = client.get("/orders?view=confirmed&format=csv").text.splitlines()

    assert len(placed) == 2
    assert "'=1+1" in placed[1]
    assert len(confirmed) == 1
    assert client.get("/orders?format=xlsx").data[:2] == b"PK"


def test_the_list_asks_the_same_number_of_statements_for_one_order_and_for_many(
    sign_in: SignIn,
    quote: Quote,
    cast: Cast,
    now: datetime,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    client = sign_in(BUYER, membership="ACME - IT")
    line_id = quote.current.lines[0].line_id

    def order(number: int) -> None:
        terms = Terms(purchase_order_number=f"PO-{number}")
        order_quote(
            cast.acme.buyer, quote.number, {line_id: Decimal(1)}, terms, key=f"k{number}", now=now
        )

    order(0)
    client.get("/orders")
    with count_statements() as one:
        client.get("/orders")
    for number in range(1, 9):
        order(number)
    with count_statements() as many:
        client.get("/orders")

    assert many.total == one.total == 5, "signing in, counts, rows, imported orders, the frame"
