"""Late orders: by the day of each account, told once for each promised day."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.accounts.models import Account
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.events.queries import find_events
from portal.messages.models import Message
from portal.orders.answering import change_promises, confirm_order
from portal.orders.lateness import late_of, note_late
from portal.orders.models import Order
from portal.orders.overdue import is_late_order
from portal.orders.progress import Packed, Promise
from portal.orders.queries import get_order
from portal.orders.queue import DeskFilter, DeskSort, DeskTab, count_queue, find_queue
from portal.orders.shipping import Parcel, ship_order
from portal.web.tables import Sort
from tests.stage import Counted, PortalClient

PlaceOrder = Callable[..., Order]
DAY = timedelta(days=1)
PROMISED = date(2026, 11, 24)


@pytest.fixture
def order(placed: PlaceOrder, cast: Cast, now: datetime) -> Order:
    """Ten mice of which six are promised for the 24th and four for a week later."""
    number = placed("MS-0002", quantity=10).number
    desk = cast.supplier.order_desk
    line = get_order(desk, number).lines[0]
    promise = Promise(PROMISED, Decimal(4), PROMISED + 7 * DAY)
    return confirm_order(desk, number, now=now, promises={line.id: promise})


def is_late_in_sql(order: Order, now: datetime, zone: str | None = None) -> bool:
    found = select(Order.id).where(Order.id == order.id, is_late_order(now, zone))
    return db.session.scalar(found) is not None


@pytest.mark.parametrize(
    ("zone", "last_instant"),
    [
        ("Europe/Berlin", datetime(2026, 11, 24, 22, 59, tzinfo=UTC)),
        ("Asia/Seoul", datetime(2026, 11, 24, 14, 59, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 11, 25, 7, 59, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 11, 24, 9, 59, tzinfo=UTC)),
    ],
)
def test_a_day_is_over_when_it_is_over_for_the_buyer(
    order: Order, cast: Cast, zone: str, last_instant: datetime
) -> None:
    with transaction():
        db.session.get_one(Account, cast.acme.account_id).time_zone = zone
    desk = cast.supplier.order_desk

    for instant, late in ((last_instant, False), (last_instant + timedelta(minutes=1), True)):
        assert is_late_in_sql(order, instant) is late
        assert is_late_in_sql(order, instant, zone) is late
        assert bool(late_of(get_order(desk, order.number), instant)) is late


def test_what_has_left_is_not_late_and_the_back_order_has_its_own_day(
    order: Order, cast: Cast, now: datetime
) -> None:
    desk = cast.supplier.order_desk
    packed = {order.lines[0].id: Packed(Decimal(6))}
    ship_order(desk, order.number, packed, Parcel(), key="k", now=now)

    assert not is_late_in_sql(order, now + 4 * DAY)
    assert is_late_in_sql(order, now + 10 * DAY)


def test_lateness_is_told_once_for_each_promised_day(
    order: Order, cast: Cast, now: datetime
) -> None:
    late = now + 4 * DAY

    assert (note_late(now), note_late(late), note_late(late + DAY)) == (0, 1, 0)
    change_promises(
        cast.supplier.order_desk,
        order.number,
        {order.lines[0].id: Promise((late + DAY).date(), Decimal(4), PROMISED + 9 * DAY)},
        reason="Customs",
        now=late + DAY,
    )
    assert (note_late(late + DAY), note_late(late + 3 * DAY)) == (0, 1)

    events = find_events(order.account_id, [("order", order.id)])
    assert [event.verb for event in events].count("order.late") == 2
    kinds = db.session.scalars(select(Message.kind).where(Message.account_id == order.account_id))
    told = list(kinds)
    assert told.count("order_late") == 2
    assert told.count("order_late_desk") == 2 * 2, "the order desk and the account manager"


def test_the_desk_s_views_count_exactly_what_they_list(
    order: Order, placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    placed("KB-0004", quantity=5)
    desk, sort = cast.supplier.order_desk, Sort(DeskSort.AGE, descending=True)

    for instant in (now, now + 4 * DAY):
        counts = count_queue(desk, "", instant)
        listed = {
            tab: [row.order.number for row in find_queue(desk, DeskFilter(tab), instant, sort)]
            for tab in DeskTab
        }
        assert counts == {tab: len(numbers) for tab, numbers in listed.items()}
    assert listed[DeskTab.LATE] == listed[DeskTab.TO_SHIP] == [order.number]
    assert counts[DeskTab.TO_CONFIRM] == 1
    assert find_queue(desk, DeskFilter(DeskTab.LATE, "HANBIT"), now + 4 * DAY, sort) == []


def test_the_queue_says_what_stands_in_the_way(
    placed: PlaceOrder,
    stocked: Callable[..., None],
    set_account: Callable[..., None],
    cast: Cast,
    now: datetime,
) -> None:
    desk, sort = cast.supplier.order_desk, Sort(DeskSort.AGE, descending=True)
    stocked("MS-0002", 3)
    order = placed("MS-0002", quantity=10)
    set_account(credit_limit=Decimal(1))
    with transaction():
        row = db.session.get_one(Order, order.id)
        row.places = {**row.places, "addresses": {}}

    [found] = find_queue(desk, DeskFilter(), now + 2 * DAY, sort)

    assert [item.value for item in found.blockers] == ["credit", "stock", "address"]
    assert found.age == 2
    stocked("MS-0002", 30)
    set_account(credit_limit=None)
    [found] = find_queue(desk, DeskFilter(), now, sort)
    assert [item.value for item in found.blockers] == ["address"]


def test_the_queue_asks_the_same_number_of_statements_for_one_order_and_for_many(
    placed: PlaceOrder,
    sign_in: Callable[..., PortalClient],
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    client = sign_in("desk@northwind.example")
    placed("MS-0002", quantity=2)
    client.get("/desk/orders")
    with count_statements() as one:
        client.get("/desk/orders")
    for _ in range(4):
        placed("KB-0004", "MS-0002", quantity=2)
    with count_statements() as many:
        page = client.get("/desk/orders")

    assert page.text.count("<tr>") == 1 + 5
    assert many.total == one.total
    rows = client.get("/desk/orders?format=csv").text.splitlines()
    assert len(rows) == 1 + 5
