"""Freight: taxed as on the quote, and charged exactly once, whichever draft is placed first."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.accounts.models import Account, Address, CostCentre
from portal.catalog.pricing.models import FreightRate, TaxRate
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders.actions import (
    TaxChangedError,
    Terms,
    cancel_order,
    convert_quote,
    decline_order,
    discard_order,
    place_order,
)
from portal.orders.models import Order
from portal.orders.queries import get_order
from portal.orders.rules import OrderStatus
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits, LineEdit
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote
from portal.quotes.rules import QuoteStatus
from tests.stage import PortalClient

MakeQuote = Callable[..., Quote]
PO = Terms(purchase_order_number="4500000001", accept_duplicate=True)
COUNTRIES = ("DE", "AT")
SKUS = ("MS-0001", "MS-0002")


@pytest.fixture
def spread(cast: Cast, now: datetime) -> Callable[[dict[str, int]], Quote]:
    """Return a function that makes an approved quote of pieces going to several countries."""

    def make(pieces: dict[str, int]) -> Quote:
        buyer = cast.acme.buyer
        quote = quotes.create_quote(buyer, now, title="To several countries")
        items = [(sku, Decimal(1), None) for sku, _ in zip(SKUS, pieces, strict=False)]
        quote = quotes.add_lines(buyer, quote.number, items, now)
        quote = _spread_out(buyer, quote, pieces, now)
        quotes.submit_quote(buyer, quote.number, quote.version, {}, now)
        quote = get_quote(buyer, quote.number)
        assert quote.status is QuoteStatus.APPROVED
        return quote

    return make


def _spread_out(buyer: Actor, quote: Quote, pieces: dict[str, int], now: datetime) -> Quote:
    """Send each line there is to a country of its own."""
    addresses = db.session.scalars(select(Address).where(Address.account_id == buyer.account_id))
    places = {address.country: address.id for address in addresses if address.kind == "ship"}
    centre = select(CostCentre.id).where(CostCentre.account_id == buyer.account_id)
    lines = {
        line.line_id: LineEdit(quantity=Decimal(count), ship_to_address_id=places[country])
        for line, (country, count) in zip(quote.current.lines, pieces.items(), strict=True)
    }
    edits = DraftEdits(
        ship_to_address_id=places["DE"], cost_centre_id=db.session.scalar(centre), lines=lines
    )
    return quotes.save_draft(buyer, quote.number, quote.version, edits, now)


def set_charges(chance: random.Random) -> None:
    """Give each country another freight and another tax, so that no two fall together."""
    with transaction():
        for country in COUNTRIES:
            charge, rate = Decimal(chance.randint(1, 2999)) / 100, Decimal(chance.randint(1, 27))
            db.session.execute(
                update(FreightRate).where(FreightRate.country == country).values(charge=charge)
            )
            db.session.execute(update(TaxRate).where(TaxRate.country == country).values(rate=rate))


def everything_of(quote: Quote) -> dict[int, Decimal]:
    return {line.line_id: line.quantity for line in quote.current.lines}


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_a_whole_quote_costs_what_the_quote_costs(
    cast: Cast, spread: Callable[[dict[str, int]], Quote], now: datetime, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - figures of a test
    set_charges(chance)
    quote = spread({country: chance.randint(1, 9) for country in COUNTRIES})
    revision = quote.current

    order = convert_quote(cast.acme.buyer, quote.number, everything_of(quote), key="a", now=now)
    order = place_order(cast.acme.buyer, order.number, PO, key="p", now=now)

    assert len(order.tax_rows) > 1
    assert order.tax_rows == [
        {name: Decimal(text) for name, text in row.items()} for row in revision.tax
    ]
    assert (order.freight, order.net_total) == (revision.freight, revision.net_total)
    assert (order.tax_total, order.gross_total) == (revision.tax_total, revision.gross_total)


def test_freight_to_a_country_keeps_its_rate_though_the_order_sends_nothing_there(
    cast: Cast, spread: Callable[[dict[str, int]], Quote], now: datetime
) -> None:
    quote = spread({"DE": 1, "AT": 1})
    german = next(line for line in quote.current.lines if line.position == 1)

    order = convert_quote(
        cast.acme.buyer, quote.number, {german.line_id: german.quantity}, key="a", now=now
    )

    bases = {row["rate"]: row["base"] for row in order.tax_rows}
    assert bases == {
        Decimal(19): order.lines_total + Decimal("14.90"),
        Decimal(20): Decimal("19.90"),
    }


def test_a_rate_that_moved_for_freight_alone_is_asked_and_taken_too(
    cast: Cast, spread: Callable[[dict[str, int]], Quote], now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, spread({"DE": 1, "AT": 1})
    german = next(line for line in quote.current.lines if line.position == 1)
    draft = convert_quote(buyer, quote.number, {german.line_id: german.quantity}, key="a", now=now)
    with transaction():
        db.session.execute(update(TaxRate).where(TaxRate.country == "AT").values(rate=Decimal(25)))

    with pytest.raises(TaxChangedError, match=r"was 20 % .* is 25 % now"):
        place_order(buyer, draft.number, PO, key="p", now=now)
    placed = place_order(buyer, draft.number, replace(PO, accept_tax=True), key="p", now=now)

    assert {row["rate"]: row["base"] for row in placed.tax_rows}[Decimal(25)] == Decimal("19.90")
    assert get_quote(buyer, quote.number).current.frozen["freight"][1]["tax_rate"] == "20"


@pytest.fixture
def two_drafts(cast: Cast, approved: MakeQuote, now: datetime) -> tuple[Order, Order, Decimal]:
    """Return two drafts of one quote, and its freight."""
    quote = approved(quantity=10)
    line, buyer = quote.current.lines[0], cast.acme.buyer
    first = convert_quote(buyer, quote.number, {line.line_id: Decimal(4)}, key="a", now=now)
    second = convert_quote(buyer, quote.number, {line.line_id: Decimal(6)}, key="b", now=now)
    assert quote.current.freight
    return first, second, quote.current.freight


def freight_now(cast: Cast, order: Order) -> Decimal:
    fresh = get_order(cast.acme.buyer, order.number)
    assert fresh.net_total == fresh.lines_total + fresh.freight
    return fresh.freight


def test_the_draft_placed_first_pays_the_freight_and_the_other_no_more(
    cast: Cast, two_drafts: tuple[Order, Order, Decimal], now: datetime
) -> None:
    first, second, freight = two_drafts

    place_order(cast.acme.buyer, second.number, PO, key="p", now=now)
    assert (freight_now(cast, first), freight_now(cast, second)) == (Decimal(0), freight)
    place_order(cast.acme.buyer, first.number, PO, key="q", now=now)
    assert (freight_now(cast, first), freight_now(cast, second)) == (Decimal(0), freight)


def test_freight_is_not_lost_with_a_discarded_draft(
    cast: Cast, two_drafts: tuple[Order, Order, Decimal], now: datetime
) -> None:
    first, second, freight = two_drafts

    discard_order(cast.acme.buyer, first.number, now=now)
    placed = place_order(cast.acme.buyer, second.number, PO, key="p", now=now)

    assert placed.freight == freight


@pytest.mark.parametrize("is_declined", [True, False])
def test_freight_of_an_order_given_up_is_charged_with_the_next(
    cast: Cast, two_drafts: tuple[Order, Order, Decimal], now: datetime, *, is_declined: bool
) -> None:
    first, second, freight = two_drafts
    place_order(cast.acme.buyer, first.number, PO, key="p", now=now)
    assert freight_now(cast, second) == 0

    if is_declined:
        decline_order(cast.supplier.order_desk, first.number, reason="Sold out", now=now)
    else:
        cancel_order(cast.acme.buyer, first.number, reason="", now=now)

    assert freight_now(cast, second) == freight


def test_freight_that_came_meanwhile_is_shown_before_it_is_charged(
    cast: Cast,
    two_drafts: tuple[Order, Order, Decimal],
    sign_in: Callable[..., PortalClient],
    now: datetime,
) -> None:
    first, second, freight = two_drafts
    place_order(cast.acme.buyer, first.number, PO, key="p", now=now)
    client = sign_in("buyer@acme.example", membership="ACME - IT")
    terms = {"key": "k", "purchase_order_number": "45", "freight": "0.0000"}
    assert (
        'name="freight" type="hidden" value="0.0000"' in client.get(f"/orders/{second.number}").text
    )
    decline_order(cast.supplier.order_desk, first.number, reason="Sold out", now=now)

    asked = client.post(f"/orders/{second.number}/place", data=terms)

    assert asked.status_code == 422
    assert "Freight was 0.00 EUR and is 14.90 EUR now" in asked.text
    assert f'value="{freight}"' in asked.text
    assert get_order(cast.acme.buyer, second.number).status is OrderStatus.DRAFT
    shown = terms | {"freight": str(freight)}
    assert client.post(f"/orders/{second.number}/place", data=shown).status_code == 303
    assert freight_now(cast, second) == freight


def test_the_check_page_says_whether_freight_is_charged_with_this_order(
    approved: MakeQuote, sign_in: Callable[..., PortalClient]
) -> None:
    quote = approved(quantity=10)
    [line] = quote.current.lines
    client = sign_in("buyer@acme.example", membership="ACME - IT")
    address = f"/quotes/{quote.number}/convert"
    terms = {"freight": "14.90", "then": "place", f"quantity-{line.line_id}": "4"}
    first, second = ({"key": key, "purchase_order_number": key} for key in "ab")
    assert "14.90" in client.get(address).text

    assert client.post(address, data=terms | first).status_code == 303
    assert "14.90" not in client.get(address).text
    unseen = client.post(address, data=terms | second)

    assert unseen.status_code == 422
    assert "Freight was 14.90 EUR and is 0.00 EUR now" in unseen.text


def test_an_account_without_tax_pays_none_on_freight(
    cast: Cast, spread: Callable[[dict[str, int]], Quote], now: datetime
) -> None:
    with transaction():
        db.session.get_one(Account, cast.acme.account_id).tax_status = "exempt"
    quote = spread({"DE": 1, "AT": 1})

    order = convert_quote(cast.acme.buyer, quote.number, everything_of(quote), key="a", now=now)

    assert (order.tax, order.tax_total) == ([], Decimal(0))
    assert order.gross_total == quote.current.gross_total
