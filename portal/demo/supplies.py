"""What the demo has in stock, and what both customers ordered before there was this portal."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from flask import current_app

from portal.accounts.queries import load_operator
from portal.catalog.stock.actions import Count, correct_stock, receive_stock
from portal.config import Settings
from portal.demo.cast import Cast
from portal.demo.loading import load_kind
from portal.files.reading import Table

EXPECTED: Final = (("MN-0007", 9), ("LT-0008", 4), ("KB-0007", 16), ("SD-0009", 6))
"""What has run out, and in how many days more arrives."""
ARRIVED: Final = (("LT-0001", 40), ("MN-0004", 24))
"""What came in lately, and how many."""


def tell_past_orders(now: datetime) -> None:
    """Take over the orders of the earlier system."""
    settings: Settings = current_app.config["SETTINGS"]
    load_kind("orders", load_operator("demo", settings.time_zone), now, _everything)


def tell_stock(now: datetime) -> None:
    """Let goods arrive, run out and be expected."""
    desk = Cast.supplier.order_desk
    today = now.astimezone(ZoneInfo(desk.time_zone)).date()
    for sku, quantity in ARRIVED:
        at = now - timedelta(days=15)
        receive_stock(desk, sku, "BERLIN", Decimal(quantity), note="Delivery note 7714", now=at)
    for sku, days in EXPECTED:
        for place in ("BERLIN", "SEOUL"):
            count = Count(
                on_hand=Decimal(0),
                expected_on=today + timedelta(days=days),
                reorder_level=Decimal(10),
            )
            correct_stock(desk, sku, place, count, reason="Counted: the shelf is empty", now=now)


def _everything(table: Table) -> Table:
    return table
