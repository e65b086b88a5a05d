"""The list of orders: what a text finds, counted and shown in one go, as one by one."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from portal.demo.cast import Cast
from portal.orders.answering import confirm_order
from portal.orders.listing import (
    OrderFilter,
    Range,
    count_by_tab,
    find_orders,
    list_orders,
    list_with_counts,
    search_orders,
)
from portal.orders.models import Order
from portal.orders.progress import Promise
from portal.orders.queries import get_order
from portal.orders.rules import SortBy, Tab

PlaceOrder = Callable[..., Order]
WEEK, MONTH = timedelta(days=7), timedelta(days=31)


@pytest.fixture
def orders(placed: PlaceOrder, cast: Cast, now: datetime) -> list[Order]:
    """Three orders of ACME, the second of them confirmed for a week later."""
    made = [placed("MS-0002", quantity=count) for count in (3, 1, 2)]
    desk = cast.supplier.order_desk
    line = get_order(desk, made[1].number).lines[0]
    promises = {line.id: Promise((now + WEEK).date())}
    confirm_order(desk, made[1].number, now=now, promises=promises)
    return made


@pytest.mark.parametrize("sort", SortBy)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.usefixtures("orders")
def test_a_text_that_all_contain_changes_nothing_of_the_list(
    cast: Cast, now: datetime, sort: SortBy, *, descending: bool
) -> None:
    later = now + MONTH
    for actor in (cast.acme.buyer, cast.supplier.order_desk):
        for tab in Tab:
            for offset in (0, 1):
                part = Range(sort, descending, 2, offset)
                rows, counts = list_with_counts(actor, OrderFilter(tab, "po-q", later), part)

                assert list(rows) == list_orders(actor, OrderFilter(tab, "", later), part)
                assert counts == count_by_tab(actor, now=later)
    assert (counts[Tab.ALL], counts[Tab.CONFIRMED], counts[Tab.LATE]) == (3, 1, 1)


def test_a_number_finds_its_order_alone_and_is_counted_alone(
    orders: list[Order], cast: Cast, now: datetime
) -> None:
    second = orders[1]
    for actor in (cast.acme.buyer, cast.supplier.order_desk):
        for text in (second.number, second.purchase_order_number.lower(), second.quote.number):
            rows, counts = list_with_counts(actor, OrderFilter(text=text, now=now), Range())

            assert [row.number for row in rows] == [second.number]
            assert {tab for tab, count in counts.items() if count} == {Tab.ALL, Tab.CONFIRMED}
            found, total = search_orders(actor, text, limit=5)
            assert ([order.number for order in found], total) == ([second.number], 1)


def test_what_nothing_contains_finds_nothing(
    orders: list[Order], cast: Cast, now: datetime
) -> None:
    buyer = cast.acme.buyer
    rows, counts = list_with_counts(buyer, OrderFilter(text="O_0", now=now), Range())

    assert not rows
    assert not any(counts.values())
    assert search_orders(buyer, "O_0", limit=5) == ((), 0)
    newest = find_orders(buyer, OrderFilter(), limit=2)
    assert [order.number for order in newest] == [orders[2].number, orders[1].number]


@pytest.mark.usefixtures("orders")
def test_staff_find_orders_by_their_account_and_other_accounts_find_none(
    cast: Cast, now: datetime
) -> None:
    desk, hanbit = cast.supplier.order_desk, cast.hanbit.buyer

    assert search_orders(desk, "acme", limit=5)[1] == 3
    assert search_orders(desk, "hanbit", limit=5)[1] == 0
    for text in ("acme", "PO-Q"):
        rows, counts = list_with_counts(hanbit, OrderFilter(text=text, now=now), Range())
        assert not rows
        assert not any(counts.values())
