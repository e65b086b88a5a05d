"""From the desk's word to the last parcel: promises, stock, parts, serial numbers, deliveries."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import NotEnoughStockError
from portal.demo.cast import Cast
from portal.errors import DomainError, InvalidError, NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.orders import delivering
from portal.orders.acting import ReasonNeededError
from portal.orders.answering import change_promises, confirm_order
from portal.orders.delivering import (
    Delivered,
    DeliveredAlreadyError,
    DeliveryDayError,
    close_delivered,
    close_order,
    mark_delivered,
    on_delivered,
)
from portal.orders.fulfilment import Shipment
from portal.orders.models import Order
from portal.orders.progress import (
    BackorderError,
    NotToShipError,
    Packed,
    Promise,
    PromiseInThePastError,
    SerialCountError,
    SerialTwiceError,
)
from portal.orders.queries import OrderNotFoundError, get_order, load_fulfilment
from portal.orders.rules import OrderStatus
from portal.orders.shipping import (
    PackagesError,
    Parcel,
    SerialKnownError,
    ShipmentKeyError,
    UnknownCarrierError,
    ship_order,
)
from portal.policy import Actor

PlaceOrder = Callable[..., Order]
Store = Callable[..., None]
Rows = Callable[[], dict[str, object]]
DAY = timedelta(days=1)
TODAY = date(2026, 11, 22)


@pytest.fixture
def confirmed(placed: PlaceOrder, stocked: Store, cast: Cast, now: datetime) -> PlaceOrder:
    """Return a function that makes an order which the desk has confirmed."""

    def confirm(*skus: str, quantity: int = 10) -> Order:
        for sku in skus or ("MS-0002",):
            stocked(sku, 100)
        order = placed(*skus, quantity=quantity)
        return confirm_order(cast.supplier.order_desk, order.number, now=now)

    return confirm


def ship(
    desk: Actor, order: Order, quantity: int, now: datetime, *serials: str, key: str = "k"
) -> Shipment:
    packed = {order.lines[0].id: Packed(Decimal(quantity), serials)}
    return ship_order(desk, order.number, packed, Parcel(carrier="dhl"), key=key, now=now)


def test_what_is_in_stock_is_promised_soon_and_the_rest_for_the_day_that_more_comes(
    placed: PlaceOrder, stocked: Store, cast: Cast, now: datetime
) -> None:
    stocked("MS-0002", 4, expected_on=TODAY + 9 * DAY)
    order = placed("MS-0002", quantity=10)

    line = confirm_order(cast.supplier.order_desk, order.number, now=now).lines[0]

    assert line.promised_on == TODAY + 2 * DAY
    assert line.backordered == 6
    assert line.backorder_on == line.first_promised_on == TODAY + 11 * DAY


def test_confirming_reserves_what_is_ordered_although_there_is_less(
    placed: PlaceOrder, stocked: Store, cast: Cast, now: datetime
) -> None:
    stocked("MS-0002", 4)
    order = placed("MS-0002", quantity=10)

    confirm_order(cast.supplier.order_desk, order.number, now=now)

    there = find_availability([order.lines[0].product_id])[order.lines[0].product_id]
    assert there.on_hand == 4
    assert there.reserved == 10


@pytest.mark.parametrize(
    ("promise", "refusal", "words"),
    [
        (Promise(TODAY - DAY), PromiseInThePastError, "is over"),
        (Promise(TODAY, Decimal(11)), BackorderError, "at most 10"),
        (Promise(None), InvalidError, "enter the promised date"),
    ],
)
def test_a_promise_that_can_t_be_kept_confirms_nothing(  # noqa: PLR0913, PLR0917 - fixtures and cases
    placed: PlaceOrder,
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    promise: Promise,
    refusal: type[DomainError],
    words: str,
) -> None:
    order = placed()
    before = business_rows()

    with pytest.raises(refusal, match=words):
        confirm_order(
            cast.supplier.order_desk, order.number, now=now, promises={order.lines[0].id: promise}
        )

    assert business_rows() == before


def test_a_day_moves_with_its_reason_and_the_first_promise_stays(
    confirmed: PlaceOrder, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    order, desk = confirmed(), cast.supplier.order_desk
    line, later = order.lines[0], Promise(TODAY + 9 * DAY)
    before = business_rows()
    with pytest.raises(ReasonNeededError):
        change_promises(desk, order.number, {line.id: later}, reason=" ", now=now)
    assert business_rows() == before

    changed = change_promises(desk, order.number, {line.id: later}, reason="Customs", now=now)

    assert changed.lines[0].promised_on == TODAY + 9 * DAY
    assert changed.lines[0].first_promised_on == TODAY + 2 * DAY
    unchanged = business_rows()
    change_promises(desk, order.number, {line.id: later}, reason="", now=now)
    assert business_rows() == unchanged, "the same days again tell nobody anything"


def test_an_order_leaves_in_parts_and_the_stock_with_it(
    confirmed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order, desk = confirmed(), cast.supplier.order_desk
    product_id = order.lines[0].product_id

    first = ship(desk, order, 4, now, "A-1", "A-2", key="one")
    half = get_order(desk, order.number)
    second = ship(desk, order, 6, now, key="two")
    whole = get_order(desk, order.number)

    assert (first.number, second.number) == ("S-000001", "S-000002")
    assert half.status is OrderStatus.SHIPPED or half.status is OrderStatus.PARTLY_SHIPPED
    assert whole.status is OrderStatus.SHIPPED
    assert whole.shipped_at == now
    assert whole.lines[0].shipped == 10
    there = find_availability([product_id])[product_id]
    assert there.on_hand == 90
    assert there.reserved == 0
    serials = [line.serial_numbers for line in load_fulfilment(whole).shipments[0].lines]
    assert serials == [("A-1", "A-2")]


def test_the_same_form_ships_once_and_another_one_with_its_key_is_refused(
    confirmed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order, desk = confirmed(), cast.supplier.order_desk

    first = ship(desk, order, 4, now)
    again = ship(desk, order, 4, now)

    assert again.id == first.id
    assert get_order(desk, order.number).lines[0].shipped == 4
    with pytest.raises(ShipmentKeyError, match="S-000001"):
        ship(desk, order, 5, now)
    assert get_order(desk, order.number).lines[0].shipped == 4


@pytest.mark.parametrize(
    ("quantity", "serials", "parcel", "refusal"),
    [
        (11, (), Parcel(), NotToShipError),
        (-1, (), Parcel(), NotToShipError),
        (1, ("A", "B"), Parcel(), SerialCountError),
        (2, ("A", "a"), Parcel(), SerialTwiceError),
        (1, ("KNOWN",), Parcel(), SerialKnownError),
        (1, (), Parcel(carrier="pigeon"), UnknownCarrierError),
        (1, (), Parcel(weights=()), PackagesError),
        (1, (), Parcel(weights=(Decimal(0),)), PackagesError),
    ],
)
def test_a_wrong_shipment_leaves_everything_as_it_was(  # noqa: PLR0913, PLR0917 - fixtures and cases
    confirmed: PlaceOrder,
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    quantity: int,
    serials: tuple[str, ...],
    parcel: Parcel,
    refusal: type[DomainError],
) -> None:
    desk = cast.supplier.order_desk
    ship(desk, confirmed("KB-0004"), 1, now, "KNOWN", key="before")
    order = confirmed()
    packed = {order.lines[0].id: Packed(Decimal(quantity), serials)}
    before = business_rows()

    with pytest.raises(refusal):
        ship_order(desk, order.number, packed, parcel, key="k", now=now)

    assert business_rows() == before


def test_what_does_not_lie_in_the_store_can_t_leave_it(
    placed: PlaceOrder, stocked: Store, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    stocked("MS-0002", 4)
    order, desk = placed(), cast.supplier.order_desk
    confirm_order(desk, order.number, now=now)
    before = business_rows()

    with pytest.raises(NotEnoughStockError):
        ship(desk, order, 5, now)

    assert business_rows() == before


def test_only_the_desk_ships_and_nobody_elsewhere_sees_the_order(
    confirmed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order = confirmed()

    with pytest.raises(NotAllowedError):
        ship(cast.acme.buyer, order, 1, now)
    with pytest.raises(NotAllowedError):
        ship(cast.supplier.account_manager, order, 1, now)
    with pytest.raises(OrderNotFoundError):
        ship(cast.hanbit.site_buyer, order, 1, now)


@pytest.fixture
def heard() -> Iterator[list[Sequence[Delivered]]]:
    """Listen to deliveries for one test."""
    told: list[Sequence[Delivered]] = []

    def hook(_actor: Actor, _order: Order, arrived: Sequence[Delivered], _now: datetime) -> None:
        told.append(arrived)

    on_delivered(hook)
    yield told
    delivering._hooks.remove(hook)  # noqa: SLF001 - the list of the process, put back as it was


def test_an_arrival_is_noted_once_and_told_to_who_asked(
    confirmed: PlaceOrder, cast: Cast, now: datetime, heard: list[Sequence[Delivered]]
) -> None:
    order, desk = confirmed(), cast.supplier.order_desk
    shipment = ship(desk, order, 10, now, "T-1", "T-2").number

    done = mark_delivered(desk, order.number, shipment, received_by="Cho", now=now + DAY)
    mark_delivered(desk, order.number, shipment, received_by="Cho", now=now + DAY)

    assert done.status is OrderStatus.DELIVERED
    assert done.lines[0].delivered_on == TODAY + DAY
    [arrived] = heard
    assert [(item.serial_numbers, item.delivered_on) for item in arrived] == [
        (("T-1", "T-2"), TODAY + DAY)
    ]
    with pytest.raises(DeliveredAlreadyError, match="2026-11-23"):
        mark_delivered(desk, order.number, shipment, received_by="Park", now=now + DAY)


def test_a_hook_that_fails_takes_the_delivery_with_it(
    confirmed: PlaceOrder, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    order, desk = confirmed(), cast.supplier.order_desk
    shipment = ship(desk, order, 10, now).number
    before = business_rows()

    def fail(*_arguments: object) -> None:
        raise ReasonNeededError

    on_delivered(fail)
    try:
        with pytest.raises(ReasonNeededError):
            mark_delivered(desk, order.number, shipment, now=now)
    finally:
        delivering._hooks.remove(fail)  # noqa: SLF001 - the list of the process

    assert business_rows() == before


@pytest.mark.parametrize("day", [TODAY - DAY, TODAY + 2 * DAY])
def test_goods_don_t_arrive_before_they_left_nor_tomorrow(
    confirmed: PlaceOrder, cast: Cast, now: datetime, business_rows: Rows, day: date
) -> None:
    order, desk = confirmed(), cast.supplier.order_desk
    shipment = ship(desk, order, 10, now).number
    before = business_rows()

    with pytest.raises(DeliveryDayError):
        mark_delivered(desk, order.number, shipment, delivered_on=day, now=now + DAY)

    assert business_rows() == before


def test_a_delivered_order_closes_after_a_fortnight_or_by_the_desk(
    confirmed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    desk = cast.supplier.order_desk
    waiting, at_hand = confirmed(), confirmed("KB-0004")
    for order in (waiting, at_hand):
        mark_delivered(
            desk, order.number, ship(desk, order, 10, now, key=order.number).number, now=now
        )

    close_order(desk, at_hand.number, now=now)
    assert close_delivered(now + 13 * DAY) == 0
    assert close_delivered(now + 14 * DAY) == 1
    assert close_delivered(now + 14 * DAY) == 0

    assert get_order(desk, waiting.number).status is OrderStatus.CLOSED
    with pytest.raises(IllegalMoveError):
        close_order(desk, at_hand.number, now=now)
