"""From an order to a case about it."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.db import db
from portal.demo.cast import Cast
from portal.orders.models import Order
from tests.stage import PortalClient

pytestmark = pytest.mark.usefixtures("demo")


def test_an_order_leads_to_a_case_about_itself(
    sign_in: Callable[..., PortalClient], cast: Cast
) -> None:
    client = sign_in("buyer@acme.example", membership="ACME - IT")
    buyer = cast.acme.buyer.membership_id
    own = select(Order.number).where(Order.membership_id == buyer).order_by(Order.id)
    number = db.session.scalars(own).first()

    order = client.get(f"/orders/{number}").text
    link = re.search(r'href="([^"]*)"[^>]*>Something wrong\?', order)
    assert link is not None
    page = client.get(link[1].replace("&amp;", "&")).text

    assert f'value="{number}"' in page
    assert "Purchase order number" in page
