"""A repair under way, brought as far as a test wants it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.catalog.models import Product
from portal.catalog.stock.actions import receive_stock
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.policy import Actor
from portal.service.assets.models import Asset, Entitlement
from portal.service.cases.queries import get_case
from portal.service.cases.rules import CaseKind
from portal.service.repairs.actions import Announcement, Words, announce_repair, take_step
from portal.service.repairs.models import Repair
from portal.service.repairs.queries import get_current
from portal.service.repairs.rules import Move, Way
from tests.service.desk import OpenCase

Bring = Callable[..., Repair]
SHELF = "REPAIR-TEST"


@pytest.fixture
def case_number(laptop: Asset, opened: OpenCase) -> str:
    """Return the number of a case about the laptop, which is under warranty."""
    return opened(kind=CaseKind.REPAIR, subject="Hinge", asset_tag=laptop.service_tag).number


@pytest.fixture
def out_of_warranty(laptop: Asset, now: datetime) -> Asset:
    """End the laptop's warranty before its case is opened."""
    with transaction():
        held = db.session.scalars(select(Entitlement).filter_by(asset_id=laptop.id)).one()
        held.valid_until = date(2026, 6, 30)
    assert now.date() > date(2026, 6, 30)
    return laptop


@pytest.fixture
def repair_now(cast: Cast) -> Callable[[str], Repair]:
    """Return a function that reads a case's repair as it is now."""
    return lambda number: get_current(get_case(cast.supplier.service_agent, number))


@pytest.fixture
def bring(cast: Cast, case_number: str, now: datetime) -> Bring:
    """Return a function that announces a repair and takes steps with it."""

    def to(*moves: Move, actor: Actor | None = None, way: Way = Way.SEND_IN) -> Repair:
        wanted = Announcement(way=way, fault="Hinge is loose", address="BER-IT")
        who = actor or cast.acme.buyer
        repair = announce_repair(who, case_number, wanted, key="announced", now=now)
        for place, move in enumerate(moves, start=1):
            at = now + timedelta(hours=place)
            repair = take_step(
                cast.supplier.service_agent,
                case_number,
                move,
                Words(note="Because."),
                version=get_current(get_case(cast.supplier.service_agent, case_number)).version,
                now=at,
            )
        return repair

    return to


@pytest.fixture
def stock_up(cast: Cast, now: datetime) -> Callable[[str, int], int]:
    """Return a function that puts parts on the workshop's shelf and returns the product's id."""

    def put(sku: str, quantity: int) -> int:
        product_id = db.session.scalars(select(Product.id).where(Product.sku == sku)).one()
        if quantity:
            receive_stock(cast.supplier.service_agent, sku, SHELF, Decimal(quantity), now=now)
        return product_id

    return put
