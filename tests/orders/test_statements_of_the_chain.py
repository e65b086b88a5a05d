"""From a draft to a placed order: how often the database is asked, by few lines and by many."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from itertools import groupby

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.approvals.models import ApprovalRun
from portal.catalog.models import Product
from portal.db import db
from portal.demo.cast import Cast
from portal.orders.models import Order
from portal.orders.rules import OrderStatus
from portal.quotes import actions
from portal.quotes.queries import get_quote
from tests.stage import Counted, PortalClient

Count = Callable[[], AbstractContextManager[Counted]]
SignIn = Callable[..., PortalClient]
MOST = {"submit": 50, "approve": 41, "convert": 28, "place": 32}
"""Who signed in included. Lower them when a step needs fewer; none may need more."""


def _asked(counted: Counted) -> int:
    """Count the statements; SQLite writes row after row where PostgreSQL writes all at once."""
    return sum(1 for _statement, _times in groupby(counted.statements))


@pytest.fixture
def chain(
    cast: Cast, now: datetime, sign_in: SignIn, count_statements: Count
) -> Callable[[int], dict[str, int]]:
    buyer = sign_in("buyer@acme.example", "ACME - IT")
    approver = sign_in("approver@acme.example")

    def go(lines: int) -> dict[str, int]:
        skus = db.session.scalars(
            select(Product.sku).where(Product.sku.like("MS-%")).order_by(Product.sku)
        ).all()
        items = [("LT-0001", Decimal(3), None), *((sku, Decimal(10), None) for sku in skus)]
        number = actions.add_lines(cast.acme.buyer, None, items[:lines], now).number
        asked: dict[str, int] = {}
        for name, step in _steps(cast, number, buyer, approver):
            with count_statements() as counted:
                answer = step()
            assert answer.status_code == 303, (name, answer.text)
            asked[name] = _asked(counted)
        assert _order(number).status is OrderStatus.PLACED
        return asked

    return go


def _steps(
    cast: Cast, number: str, buyer: PortalClient, approver: PortalClient
) -> Iterator[tuple[str, Callable[[], TestResponse]]]:
    """Yield each step when the one before is done."""
    version = str(get_quote(cast.acme.buyer, number).version)
    yield "submit", lambda: buyer.post(f"/quotes/{number}/submit", data={"version": version})
    run = db.session.scalars(select(ApprovalRun).where(ApprovalRun.number == number)).one()
    seen = {"content_hash": run.content_hash}
    yield "approve", lambda: approver.post(f"/approvals/{run.id}/approve", data=seen)
    lines = get_quote(cast.acme.buyer, number).current.lines
    form = {f"quantity-{line.line_id}": f"{line.quantity:f}" for line in lines}
    form |= {"key": f"convert-{number}", "then": "draft"}
    yield "convert", lambda: buyer.post(f"/quotes/{number}/convert", data=form)
    made = _order(number).number
    terms = {"key": f"place-{number}", "purchase_order_number": f"PO-{number}"}
    yield "place", lambda: buyer.post(f"/orders/{made}/place", data=terms)


def _order(number: str) -> Order:
    return db.session.scalars(select(Order).where(Order.quote.has(number=number))).one()


def test_no_step_asks_more_often_for_many_lines_than_for_one(
    chain: Callable[[int], dict[str, int]],
) -> None:
    chain(1)  # the first order of all also begins the counter of order numbers
    one, many = chain(1), chain(6)

    assert many == one
    assert {name: asked for name, asked in one.items() if asked > MOST[name]} == {}
