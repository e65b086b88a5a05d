"""From a draft to a placed order: how often the database is asked, by few lines and by many."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.approvals.models import ApprovalRun
from portal.catalog.models import Product
from portal.catalog.queries import visible_products
from portal.db import db, next_number, transaction
from portal.demo.cast import Cast
from portal.orders.models import Order
from portal.orders.rules import OrderStatus
from portal.quotes import actions
from portal.quotes.queries import get_quote
from tests.stage import Counted, PortalClient

Count = Callable[[], AbstractContextManager[Counted]]
SignIn = Callable[..., PortalClient]
MOST = {"submit": 18, "approve": 16, "convert": 15, "place": 14}
"""Who signed in included. Lower them when a step needs fewer; none may need more."""
FEW, MANY = 2, 50
CHEAP = ("AC", "CL", "CP", "FN", "HS", "KB", "MM", "MS", "NW", "OS", "PS", "SD", "TP", "WC", "XS")
"""Families of products of which a line each needs no more approvals than the first line does."""


def _begin_counters() -> None:
    """Draw a number: the first order of all also begins the counter of order numbers."""
    with transaction():
        next_number("order", "O")


@pytest.fixture
def asked(
    cast: Cast, now: datetime, sign_in: SignIn, count_statements: Count
) -> Callable[[int], dict[str, int]]:
    buyer = sign_in("buyer@acme.example", "ACME - IT")
    approver = sign_in("approver@acme.example")

    def go(lines: int) -> dict[str, int]:
        cheap = visible_products(cast.acme.buyer).where(func.substr(Product.sku, 1, 2).in_(CHEAP))
        items = [("LT-0001", Decimal(3), None)] + [
            (product.sku, product.quantity_multiple or product.min_quantity or Decimal(1), None)
            for product in db.session.scalars(cheap.order_by(Product.sku))
        ]
        number = actions.add_lines(cast.acme.buyer, None, items[:lines], now).number
        assert len(get_quote(cast.acme.buyer, number).current.lines) == lines
        counts: dict[str, int] = {}
        for name, step in _steps(cast, number, buyer, approver):
            with count_statements() as counted:
                answer = step()
            assert answer.status_code == 303, (name, answer.text)
            counts[name] = counted.total
        assert _order(number).status is OrderStatus.PLACED
        return counts

    _begin_counters()
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


@pytest.mark.parametrize("step", MOST)
def test_a_step_asks_as_often_for_many_lines_as_for_few(
    step: str, asked: Callable[[int], dict[str, int]]
) -> None:
    assert asked(MANY)[step] == asked(FEW)[step] <= MOST[step]
