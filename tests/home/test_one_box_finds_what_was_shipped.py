# ruff: noqa: ANN401 - columns and tables of any kind
"""The search box: an exact serial, tracking, shipment, case or old number leads straight there."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.models import Account
from portal.db import db
from portal.orders.fulfilment import Shipment, ShipmentLine, ShipmentSerial
from portal.orders.history.models import PastOrder
from portal.orders.models import Order
from portal.service.assets.models import Asset
from portal.service.cases.models import Case
from portal.service.repairs.models import Repair

SignIn = Callable[..., FlaskClient]

pytestmark = pytest.mark.usefixtures("demo")


def first(column: Any, model: Any, code: str) -> str:
    """The first value of a column among the rows of one account of the demo."""
    statement = (
        select(column)
        .select_from(model)
        .join(Account, Account.id == model.account_id)
        .where(Account.code == code, column != "")
        .order_by(model.id)
    )
    return str(db.session.scalars(statement.limit(1)).one())


def order_of_shipment(number: str) -> str:
    statement = select(Order.number).join(Shipment, Shipment.order_id == Order.id)
    return str(db.session.scalars(statement.where(Shipment.number == number)).one())


def test_a_shipment_leads_to_its_order(sign_in: SignIn) -> None:
    number = first(Shipment.number, Shipment, "ACME")
    buyer = sign_in("purchasing@acme.example")

    answer = buyer.get(f"/search?q={number.lower()}")

    assert answer.location == f"/orders/{order_of_shipment(number)}"


def test_a_tracking_number_leads_to_its_order(sign_in: SignIn) -> None:
    tracking = first(Shipment.tracking_number, Shipment, "ACME")
    number = db.session.scalars(
        select(Shipment.number).where(Shipment.tracking_number == tracking)
    ).one()

    buyer = sign_in("purchasing@acme.example")
    answer = buyer.get(f"/search?q={tracking}")

    assert answer.location == f"/orders/{order_of_shipment(number)}"
    page = buyer.get(f"/search?q={tracking[2:-1]}").text
    assert f'href="/orders/{order_of_shipment(number)}"' in page, "a part of it finds it, too"


def test_a_repair_leads_to_its_case_and_an_article_to_itself(sign_in: SignIn) -> None:
    number = first(Repair.number, Repair, "ACME")
    case = db.session.scalar(
        select(Case.number).join(Repair, Repair.case_id == Case.id).where(Repair.number == number)
    )
    foreign = first(Repair.number, Repair, "HANBIT")
    buyer = sign_in("purchasing@acme.example")

    assert buyer.get(f"/search?q={number}").location == f"/service/cases/{case}#repair"
    assert buyer.get(f"/search?q={foreign}").location is None
    assert buyer.get("/search?q=K-1").location == "/service/articles/K-000001"


def test_a_serial_number_leads_to_the_unit_or_to_its_order(sign_in: SignIn) -> None:
    serial = first(ShipmentSerial.serial_number, ShipmentSerial, "ACME")
    with_asset = db.session.scalar(select(Asset.id).where(Asset.service_tag == serial))

    buyer = sign_in("purchasing@acme.example")
    answer = buyer.get(f"/search?q={serial}")

    assert answer.status_code == 303
    assert ("/service/assets/" in answer.location) is (with_asset is not None)
    order = db.session.scalars(
        select(Order.number)
        .join(Shipment, Shipment.order_id == Order.id)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(ShipmentSerial, ShipmentSerial.shipment_line_id == ShipmentLine.id)
        .where(ShipmentSerial.serial_number == serial)
    ).one()
    page = buyer.get(f"/search?q={serial[1:-1].lower()}").text
    assert f'href="/orders/{order}"' in page, "a part of it finds the order, too"
    assert f'href="/service/assets/{serial}"' in page or with_asset is None


@pytest.mark.parametrize(
    ("model", "column", "place"),
    [
        (Asset, Asset.service_tag, "/service/assets/"),
        (Case, Case.number, "/service/cases/"),
        (PastOrder, PastOrder.number, "/orders/past/"),
        (PastOrder, PastOrder.purchase_order_number, "/orders/past/"),
    ],
    ids=["service tag", "case", "imported order", "its purchase order"],
)
def test_each_number_leads_its_own_people_there_and_nobody_else(
    sign_in: SignIn, model: Any, column: Any, place: str
) -> None:
    number = first(column, model, "ACME")

    own = sign_in("admin@acme.example").get(f"/search?q={number}")
    stranger = sign_in("admin@hanbit.example").get(f"/search?q={number}")

    assert own.status_code == 303
    assert own.location.startswith(place)
    assert stranger.status_code == 200
    assert place + number not in stranger.text
