"""Delivered serial numbers become assets with the warranty of their product."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from portal.catalog.models import Product, ProductAttribute
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders.models import Order
from portal.quotes import actions as quotes
from portal.service.assets.actions import move_asset, take_in_delivered
from portal.service.assets.models import Asset
from portal.service.assets.queries import cover_of, get_asset
from portal.service.assets.rules import AssetStatus, Move
from tests.service.assets.conftest import Deliver


@pytest.fixture
def ordered(cast: Cast, now: datetime, order: Deliver) -> Order:
    """Return a confirmed order of three mice, which nobody needs to approve."""
    buyer = cast.acme.buyer
    quote = quotes.create_quote(buyer, now, title="Mice")
    quotes.add_lines(buyer, quote.number, [("MS-0002", Decimal(10), None)], now)
    return order(quote.number)


def count(what: type[Asset]) -> int:
    return db.session.scalar(select(func.count()).select_from(what)) or 0


def test_each_delivered_serial_number_is_a_unit_of_whoever_ordered_it(
    cast: Cast, ordered: Order, deliver: Deliver
) -> None:
    deliver(ordered.number, 10, [f"SN {place}" for place in range(10)])

    asset = get_asset(cast.acme.buyer, "sn-3")
    assert asset.service_tag == "SN-3"
    assert (asset.unit_id, asset.membership_id) == (ordered.unit_id, ordered.membership_id)
    assert (asset.order_id, asset.order_number) == (ordered.id, ordered.number)
    assert asset.address is not None
    assert asset.address.code == ordered.lines[0].ship_to
    assert asset.delivered_on == date(2026, 11, 24)
    cover = cover_of(asset, date(2026, 11, 24))
    assert (cover.is_covered, cover.until) == (True, date(2028, 11, 23))
    assert count(Asset) == 10


def test_parts_of_a_delivery_add_up_and_a_repeated_one_adds_nothing(
    cast: Cast, now: datetime, ordered: Order, deliver: Deliver
) -> None:
    deliver(ordered.number, 4, ["A1", "A2", "A3", "A4"], part="1")
    order = deliver(ordered.number, 6, [f"B{place}" for place in range(6)], part="2")
    before = count(Asset)

    line = order.lines[0]

    class Again:
        order_line = line
        serial_numbers = ("A1", "a2", "B0")
        delivered_on = date(2026, 11, 24)

    with transaction():
        take_in_delivered(cast.supplier.order_desk, order, [Again()], now)

    assert before == count(Asset) == 10
    assert get_asset(cast.acme.buyer, "A1").version == 1


def test_the_warranty_follows_the_product_and_what_was_delivered_is_frozen(
    cast: Cast, ordered: Order, deliver: Deliver
) -> None:
    with transaction():
        product = db.session.scalars(select(Product).where(Product.sku == "MS-0002")).one()
        name = product.name
        db.session.add(ProductAttribute(product_id=product.id, name="warranty_months", value="6"))
    deliver(ordered.number, 10, [f"M{place}" for place in range(10)])
    with transaction():
        db.session.scalars(select(Product).where(Product.sku == "MS-0002")).one().name = "Renamed"

    asset = get_asset(cast.acme.buyer, "M0")
    assert asset.name == name
    assert "warranty_months" not in asset.attributes
    assert cover_of(asset, asset.delivered_on).until == date(2027, 5, 23)


def test_a_returned_unit_that_is_delivered_again_is_in_use_again(
    cast: Cast, now: datetime, ordered: Order, deliver: Deliver, order: Deliver
) -> None:
    deliver(ordered.number, 10, [f"R{place}" for place in range(10)])
    asset = get_asset(cast.acme.buyer, "R0")
    agent = cast.supplier.service_agent
    with transaction():
        move_asset(agent, asset.account_id, asset.id, Move.RETURN, now)
    buyer = cast.acme.buyer
    quote = quotes.create_quote(buyer, now, title="Again")
    quotes.add_lines(buyer, quote.number, [("MS-0002", Decimal(10), None)], now)
    second = order(quote.number)

    class Delivered:
        order_line = second.lines[0]
        serial_numbers = ("R0",)
        delivered_on = date(2026, 12, 1)

    with transaction():
        take_in_delivered(cast.supplier.order_desk, second, [Delivered()], now)

    asset = get_asset(buyer, "R0")
    assert asset.status is AssetStatus.IN_USE
    assert asset.order_number == ordered.number
    assert count(Asset) == 10
