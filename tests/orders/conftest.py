"""Quotes that a buyer may order from, small enough to be approved without people, and orders."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.accounts.models import Account, Address, CostCentre
from portal.catalog.models import Product
from portal.catalog.stock.actions import Count, correct_stock
from portal.catalog.stock.models import StockLevel
from portal.catalog.stock.rules import Store
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders.actions import Terms, order_quote
from portal.orders.models import Order
from portal.orders.queries import get_order
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote
from portal.quotes.rules import QuoteStatus

MakeQuote = Callable[..., Quote]


@pytest.fixture
def approved(cast: Cast, now: datetime) -> MakeQuote:
    """Return a function that makes an approved quote of ``quantity`` pieces of each SKU."""

    def make(*skus: str, quantity: int = 10, buyer: Actor | None = None) -> Quote:
        actor = buyer or cast.acme.buyer
        quote = quotes.create_quote(actor, now, title="For an order")
        items = [(sku, Decimal(quantity), None) for sku in skus or ("MS-0002",)]
        quote = quotes.add_lines(actor, quote.number, items, now)
        quote = quotes.save_draft(actor, quote.number, quote.version, _places(actor), now)
        quotes.submit_quote(actor, quote.number, quote.version, {}, now)
        quote = get_quote(actor, quote.number)
        assert quote.status is QuoteStatus.APPROVED
        return quote

    return make


def _places(actor: Actor) -> DraftEdits:
    ship_to = db.session.scalar(
        select(Address.id).where(Address.account_id == actor.account_id, Address.kind == "ship")
    )
    centre = db.session.scalar(
        select(CostCentre.id).where(CostCentre.account_id == actor.account_id)
    )
    return DraftEdits(ship_to_address_id=ship_to, cost_centre_id=centre)


@pytest.fixture
def set_account(cast: Cast) -> Callable[..., None]:
    """Return a function that changes settings of ACME's account row."""

    def change(**values: object) -> None:
        with transaction():
            account = db.session.get_one(Account, cast.acme.account_id)
            for name, value in values.items():
                setattr(account, name, value)

    return change


PlaceOrder = Callable[..., Order]


@pytest.fixture
def placed(cast: Cast, now: datetime, approved: MakeQuote) -> PlaceOrder:
    """Return a function that makes a quote and orders so many of each of its lines."""

    def place(*skus: str, quantity: int = 10, ordered: int | None = None) -> Order:
        quote = approved(*skus, quantity=quantity)
        quantities = {line.line_id: Decimal(ordered or quantity) for line in quote.current.lines}
        terms = Terms(purchase_order_number=f"PO-{quote.number}", contact="Goods receipt")
        order = order_quote(
            cast.acme.buyer, quote.number, quantities, terms, key=quote.number, now=now
        )
        return get_order(cast.acme.buyer, order.number)

    return place


@pytest.fixture
def stocked(cast: Cast, now: datetime) -> Callable[..., None]:
    """Return a function that says how many of a product lie in the store, and no more."""

    def store(sku: str, quantity: int, expected_on: date | None = None) -> None:
        places = db.session.scalars(
            select(StockLevel.location_code)
            .join(Product, Product.id == StockLevel.product_id)
            .where(Product.sku == sku, StockLevel.store == Store.SALE)
        ).all()
        for place in {*places, "BERLIN"}:
            there = Decimal(quantity) if place == "BERLIN" else Decimal(0)
            count = Count(on_hand=there, expected_on=expected_on, reorder_level=None)
            correct_stock(cast.supplier.order_desk, sku, place, count, reason="Counted", now=now)

    return store
