"""What became of the orders: shipped in parts, late, changed, delivered, asked to be cancelled."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from portal.demo.cast import Cast
from portal.demo.scenes import DAY, HOUR, draft, order, submit
from portal.orders.actions import confirm_order
from portal.orders.answering import change_promises
from portal.orders.cancelling import request_cancellation
from portal.orders.delivering import close_order, mark_delivered
from portal.orders.listing import search_orders
from portal.orders.models import Order
from portal.orders.progress import Packed, Promise
from portal.orders.proposing import Wanted, propose_change
from portal.orders.queries import get_order
from portal.orders.shipping import Parcel, ship_order
from portal.policy import Actor

MAKERS: Final[Mapping[str, str]] = {"LT": "7QX", "MM": "M4K", "SD": "S9D", "HS": "H2S"}
"""Family of products whose pieces have serial numbers -> how those begin."""


def tell_orders_on_their_way(now: datetime) -> None:
    """Let the order desk and both customers go on with what was ordered."""
    _starters_arrive_in_two_parts(now)
    _memory_arrives_in_seoul(now)
    _keyboards_are_late(now)
    _a_mouse_is_replaced(now)
    _trainees_come_later(now)
    _mice_are_history(now)


def _starters_arrive_in_two_parts(now: datetime) -> None:
    """ACME's laptops: six with their mice are there, the rest was delayed and is under way."""
    desk, laptops = Cast.supplier.order_desk, _order_of(Cast.acme.buyer, "4500018801")
    lines = {line.sku: line.id for line in laptops.lines}
    number = laptops.number
    ship(
        desk, laptops, {"LT-0001": 6, "MS-0002": 10}, now - 8 * DAY,
        Parcel(carrier="dhl", tracking_number="00340434161094015902",
               weights=(Decimal("18.4"), Decimal("2.1"))),
        arrived=(now - 6 * DAY, "K. Brandt, goods receipt"),
    )  # fmt: skip
    promised = Promise((now + DAY).date())
    change_promises(
        desk, number, {lines["LT-0001"]: promised, lines["KB-0004"]: promised},
        reason="The carrier lost a pallet; we send the rest by express.", now=now - 4 * DAY,
    )  # fmt: skip
    ship(
        desk, laptops, {"LT-0001": 4, "KB-0004": 6}, now - DAY,
        Parcel(carrier="ups", tracking_number="1Z999AA10123456784",
               weights=(Decimal("14.2"),), expected_on=(now + DAY).date()),
        used=6,
    )  # fmt: skip


def _memory_arrives_in_seoul(now: datetime) -> None:
    memory = _order_of(Cast.hanbit.buyer, "HB-26-0412")
    ship(
        Cast.supplier.order_desk, memory, {"MM-0001": 20, "SD-0001": 10}, now - 6 * DAY,
        Parcel(carrier="cj", tracking_number="643712345678", weights=(Decimal("3.6"),)),
        arrived=(now - 4 * DAY, "박지훈"),
    )  # fmt: skip


def _keyboards_are_late(now: datetime) -> None:
    """Promised for the day before yesterday, and still here."""
    keyboards = _ordered(
        "Keyboards for the front desk", {"KB-0001": 4}, "4500018870", now - 9 * DAY
    )
    line = keyboards.lines[0]
    confirm_order(
        Cast.supplier.order_desk, keyboards.number, now=now - 8 * DAY,
        promises={line.id: Promise((now - 2 * DAY).date())},
    )  # fmt: skip


def _a_mouse_is_replaced(now: datetime) -> None:
    """The desk proposes another mouse; the buyer has not answered."""
    mice = _ordered("Mice for visitors", {"MS-0001": 8, "KB-0001": 2}, "4500018883", now - 3 * DAY)
    line = next(item for item in mice.lines if item.sku == "MS-0001")
    propose_change(
        Cast.supplier.order_desk, mice.number,
        {line.id: Wanted(line.quantity, Promise((now + 3 * DAY).date()), "MS-0002")},
        reason="The maker has ended this mouse. The next model is here and has a longer cable.",
        now=now - 2 * DAY,
    )  # fmt: skip


def _trainees_come_later(now: datetime) -> None:
    """Confirmed, and then the buyer asks to cancel half of it."""
    boards = _ordered("Keyboards for trainees", {"KB-0001": 6}, "4500018879", now - 5 * DAY)
    confirm_order(
        Cast.supplier.order_desk, boards.number, now=now - 4 * DAY,
        promises={boards.lines[0].id: Promise((now + 4 * DAY).date())},
    )  # fmt: skip
    request_cancellation(
        Cast.acme.buyer, boards.number, {boards.lines[0].id: Decimal(3)},
        reason="Three trainees start in spring instead.", now=now - 20 * HOUR,
    )  # fmt: skip


def _mice_are_history(now: datetime) -> None:
    """Ordered, delivered and closed."""
    number = _ordered("Mice for the warehouse", {"MS-0001": 6}, "4500018790", now - 19 * DAY).number
    desk = Cast.supplier.order_desk
    confirm_order(desk, number, now=now - 18 * DAY)
    ship(
        desk, get_order(desk, number), {"MS-0001": 6}, now - 17 * DAY,
        Parcel(carrier="dhl", tracking_number="00340434161094015110"),
        arrived=(now - 16 * DAY, "J. Weiss"),
    )  # fmt: skip
    close_order(desk, number, now=now - 2 * DAY)


def ship(  # noqa: PLR0913 - what a shipment is made of, all named at the call
    desk: Actor,
    wanted: Order,
    quantities: Mapping[str, int],
    at: datetime,
    parcel: Parcel,
    *,
    arrived: tuple[datetime, str] | None = None,
    used: int = 0,
) -> None:
    """Ship some of an order by SKU, and note its arrival where there was one.

    Args:
        used: How many serial numbers of each product went with an earlier shipment.
    """
    lines = {line.sku: line.id for line in wanted.lines}
    packed = {
        lines[sku]: Packed(Decimal(count), tuple(_serials(sku, wanted, used, count)))
        for sku, count in quantities.items()
    }
    key = f"demo-{wanted.number}-{at:%m%d}"
    shipment = ship_order(desk, wanted.number, packed, parcel, key=key, now=at)
    if arrived is not None:
        when, who = arrived
        mark_delivered(
            desk, wanted.number, shipment.number, delivered_on=when.date(), received_by=who,
            now=when + timedelta(hours=1),
        )  # fmt: skip


def _serials(sku: str, wanted: Order, used: int, count: int) -> Sequence[str]:
    maker = MAKERS.get(sku[:2])
    if maker is None:
        return ()
    batch = int(wanted.number.removeprefix("O-"))
    return [f"{maker}{batch:03d}{piece:03d}" for piece in range(used + 1, used + count + 1)]


def _ordered(title: str, items: Mapping[str, int], purchase_order: str, at: datetime) -> Order:
    """Order something small that no rule of the policy asks anybody about."""
    buyer = Cast.acme.buyer
    quote = submit(buyer, draft(buyer, title, items, at, cost_centre="2100"), at + HOUR)
    return get_order(buyer, order(buyer, quote, purchase_order, at + 2 * HOUR))


def _order_of(actor: Actor, purchase_order: str) -> Order:
    """Return an order that the story has made, by the number that its buyer knows."""
    [found], _total = search_orders(actor, purchase_order, limit=1)
    return get_order(actor, found.number)
