"""Cancelling after the supplier's word: asked for, agreed in part or refused, never reopened."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from portal.catalog.stock.queries import find_availability
from portal.demo.cast import Cast
from portal.errors import DomainError, NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.orders.acting import ReasonNeededError
from portal.orders.answering import confirm_order
from portal.orders.cancelling import (
    AskedAlreadyError,
    MoreThanAskedError,
    NotAskedError,
    agree_cancellation,
    refuse_cancellation,
    request_cancellation,
)
from portal.orders.models import Order
from portal.orders.progress import NotCancellableError, NothingToCancelError, Packed
from portal.orders.queries import find_taken, get_order, load_fulfilment
from portal.orders.rules import OrderStatus, Taken
from portal.orders.settling import ledger_of
from portal.orders.shipping import Parcel, ship_order
from portal.quotes.queries import get_quote
from portal.quotes.rules import QuoteStatus

PlaceOrder = Callable[..., Order]
Rows = Callable[[], dict[str, object]]


@pytest.fixture
def order(placed: PlaceOrder, stocked: Callable[..., None], cast: Cast, now: datetime) -> Order:
    """Ten mice, confirmed, four of them on their way."""
    stocked("MS-0002", 100)
    number = placed("MS-0002", quantity=10).number
    desk = cast.supplier.order_desk
    line = confirm_order(desk, number, now=now).lines[0]
    ship_order(desk, number, {line.id: Packed(Decimal(4))}, Parcel(), key="s", now=now)
    return get_order(desk, number)


def ask(cast: Cast, order: Order, now: datetime, quantity: int = 6) -> None:
    request_cancellation(
        cast.acme.buyer,
        order.number,
        {order.lines[0].id: Decimal(quantity)},
        reason="The project was stopped.",
        now=now,
    )


def test_what_is_cancelled_late_is_not_open_again(order: Order, cast: Cast, now: datetime) -> None:
    ask(cast, order, now)

    done = agree_cancellation(
        cast.supplier.order_desk, order.number, {order.lines[0].id: Decimal(5)}, now=now
    )

    line = done.lines[0]
    assert done.status is OrderStatus.PARTLY_SHIPPED
    assert (line.valid, line.to_ship) == (Decimal(5), Decimal(1))
    assert line.line_total == line.unit_price * 5
    assert done.lines_total == line.line_total
    assert find_taken(order.quote_id) == {line.line_id: Taken(Decimal(5), Decimal(5))}
    quote = get_quote(cast.acme.buyer, order.quote.number)
    assert quote.status is QuoteStatus.ORDERED
    assert ledger_of(quote)[line.line_id].open == 0
    there = find_availability([line.product_id])[line.product_id]
    assert there.reserved == 1, "the stock that nobody waits for is free again"


def test_when_nothing_is_left_to_ship_the_order_is_where_its_parcels_are(
    order: Order, cast: Cast, now: datetime
) -> None:
    ask(cast, order, now)

    done = agree_cancellation(cast.supplier.order_desk, order.number, now=now)

    assert done.status is OrderStatus.SHIPPED
    assert done.shipped_at == now


def test_an_order_that_is_cancelled_whole_keeps_its_figures_and_takes_its_quote_s_lines(
    placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order, desk = placed("MS-0002", quantity=10), cast.supplier.order_desk
    confirm_order(desk, order.number, now=now)
    total = order.net_total
    ask(cast, order, now, quantity=10)

    done = agree_cancellation(desk, order.number, now=now)

    assert (done.status, done.net_total) == (OrderStatus.CANCELLED, total)
    assert find_taken(order.quote_id)[order.lines[0].line_id] == Taken(Decimal(0), Decimal(10))


def test_a_refusal_says_why_and_another_request_may_follow(
    order: Order, cast: Cast, now: datetime
) -> None:
    desk = cast.supplier.order_desk
    ask(cast, order, now)
    with pytest.raises(ReasonNeededError):
        refuse_cancellation(desk, order.number, answer="", now=now)

    refuse_cancellation(desk, order.number, answer="It is being packed.", now=now)
    ask(cast, order, now, quantity=1)

    states = [item.state for item in load_fulfilment(order).cancellations]
    assert states == ["refused", "open"]
    assert get_order(desk, order.number).lines[0].cancelled == 0


def test_what_leaves_last_answers_the_request(order: Order, cast: Cast, now: datetime) -> None:
    desk = cast.supplier.order_desk
    ask(cast, order, now)

    packed = {order.lines[0].id: Packed(Decimal(6))}
    ship_order(desk, order.number, packed, Parcel(), key="rest", now=now)

    assert [item.state for item in load_fulfilment(order).cancellations] == ["refused"]
    with pytest.raises(IllegalMoveError):
        agree_cancellation(desk, order.number, now=now)


@pytest.mark.parametrize(
    ("quantity", "refusal"), [(7, NotCancellableError), (0, NothingToCancelError)]
)
def test_what_has_left_can_t_be_cancelled(
    order: Order,
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    quantity: int,
    refusal: type[DomainError],
) -> None:
    before = business_rows()

    with pytest.raises(refusal):
        ask(cast, order, now, quantity=quantity)

    assert business_rows() == before


def test_one_request_waits_at_a_time_and_no_more_is_cancelled_than_it_says(
    order: Order, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    desk, line = cast.supplier.order_desk, order.lines[0]
    with pytest.raises(NotAskedError):
        agree_cancellation(desk, order.number, now=now)
    ask(cast, order, now, quantity=2)
    before = business_rows()

    with pytest.raises(AskedAlreadyError):
        ask(cast, order, now, quantity=1)
    with pytest.raises(MoreThanAskedError):
        agree_cancellation(desk, order.number, {line.id: Decimal(3)}, now=now)
    with pytest.raises(NotAllowedError):
        agree_cancellation(cast.acme.buyer, order.number, now=now)

    assert business_rows() == before
