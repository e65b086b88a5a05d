"""The ledger of a quote's line over random sequences of what buyers and the desk do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from portal.catalog.stock.queries import find_availability, find_reserved
from portal.demo.cast import Cast
from portal.errors import DomainError
from portal.orders.actions import (
    Terms,
    cancel_order,
    confirm_order,
    convert_quote,
    decline_order,
    discard_order,
    place_order,
)
from portal.orders.cancelling import agree_cancellation, request_cancellation
from portal.orders.delivering import mark_delivered
from portal.orders.listing import OrderFilter, Range, list_orders
from portal.orders.models import Order
from portal.orders.progress import Packed, Promise, progress_of
from portal.orders.proposing import Wanted, accept_change, propose_change
from portal.orders.queries import get_order, load_fulfilment
from portal.orders.rules import GIVEN_UP, OrderStatus, Tab
from portal.orders.settling import ledger_of
from portal.orders.shipping import Parcel, ship_order
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote

S = OrderStatus
QUOTED = 24


class Desk:
    """One random history of one quote of one line, beside the plainest count of it."""

    def __init__(self, cast: Cast, quote: Quote, seed: int, now: datetime) -> None:
        self.cast, self.quote, self.now = cast, quote, now
        self.random, self.steps = Random(seed), 0  # noqa: S311 - a test's dice
        self.line_id = quote.current.lines[0].line_id
        self.open, self.never = Decimal(QUOTED), Decimal(0)
        self.held: dict[str, Decimal] = {}
        self.left = Decimal(0)

    def order(self, number: str) -> Order:
        return get_order(self.cast.acme.buyer, number)

    def part(self, most: Decimal) -> Decimal:
        return Decimal(self.random.randint(1, max(int(most), 1)))

    def step(self) -> None:
        """Do something at random; what is refused must have changed nothing."""
        self.steps += 1
        self.now += timedelta(minutes=1)
        acts: list[Callable[[], None]] = [self.convert]
        for number in self.held:
            acts += self.acts_of(self.order(number))
        self.random.choice(acts)()

    def acts_of(self, order: Order) -> list[Callable[[], None]]:
        act = {
            S.DRAFT: [self.place, self.discard],
            S.PLACED: [self.confirm, self.confirm, self.cancel, self.decline, self.less],
            S.CONFIRMED: [self.ship, self.ask],
            S.PARTLY_SHIPPED: [self.ship, self.ask, self.arrive],
            S.SHIPPED: [self.arrive],
        }.get(order.status, [])
        return [lambda a=each, o=order: a(o) for each in act]  # type: ignore[misc]

    def convert(self) -> None:
        wanted = self.part(self.open + 2)
        buyer = self.cast.acme.buyer
        try:
            made = convert_quote(
                buyer, self.quote.number, {self.line_id: wanted}, key=f"c{self.steps}", now=self.now
            )
        except DomainError:
            assert wanted > self.open
            return
        assert wanted <= self.open
        self.held[made.number] = wanted
        self.open -= wanted

    def place(self, order: Order) -> None:
        terms = Terms(purchase_order_number=f"PO-{order.number}")
        place_order(self.cast.acme.buyer, order.number, terms, key=order.number, now=self.now)

    def _reopen(self, number: str) -> None:
        self.open += self.held[number]
        self.held[number] = Decimal(0)

    def discard(self, order: Order) -> None:
        discard_order(self.cast.acme.buyer, order.number, now=self.now)
        self._reopen(order.number)

    def cancel(self, order: Order) -> None:
        cancel_order(self.cast.acme.buyer, order.number, reason="", now=self.now)
        self._reopen(order.number)

    def decline(self, order: Order) -> None:
        decline_order(self.cast.supplier.order_desk, order.number, reason="No", now=self.now)
        self._reopen(order.number)

    def confirm(self, order: Order) -> None:
        confirm_order(self.cast.supplier.order_desk, order.number, now=self.now)

    def less(self, order: Order) -> None:
        """The desk proposes less, the buyer accepts: the difference is open again."""
        kept = self.part(order.lines[0].valid)
        promise = Promise((self.now + timedelta(days=5)).date())
        propose_change(
            self.cast.supplier.order_desk,
            order.number,
            {order.lines[0].id: Wanted(kept, promise)},
            reason="Few",
            now=self.now,
        )
        accept_change(self.cast.acme.buyer, order.number, now=self.now)
        self.open += self.held[order.number] - kept
        self.held[order.number] = kept

    def ship(self, order: Order) -> None:
        line = order.lines[0]
        part = self.part(line.to_ship)
        ship_order(
            self.cast.supplier.order_desk,
            order.number,
            {line.id: Packed(part)},
            Parcel(),
            key=f"s{self.steps}",
            now=self.now,
        )
        self.left += part

    def ask(self, order: Order) -> None:
        """What is cancelled now never opens again."""
        line = order.lines[0]
        part = self.part(line.to_ship)
        buyer, desk = self.cast.acme.buyer, self.cast.supplier.order_desk
        request_cancellation(buyer, order.number, {line.id: part}, reason="Stop", now=self.now)
        agree_cancellation(desk, order.number, now=self.now)
        self.held[order.number] -= part
        self.never += part

    def arrive(self, order: Order) -> None:
        for shipment in load_fulfilment(order).shipments:
            if shipment.delivered_on is None:
                desk = self.cast.supplier.order_desk
                mark_delivered(desk, order.number, shipment.number, now=self.now)
                return

    def check(self) -> None:
        """Quoted is ordered, cancelled or open; each order's state follows from its quantities."""
        ledger = ledger_of(get_quote(self.cast.acme.buyer, self.quote.number))[self.line_id]
        assert ledger.ordered == sum(self.held.values(), Decimal(0))
        assert (ledger.cancelled, ledger.open) == (self.never, self.open)
        assert ledger.ordered + ledger.cancelled + ledger.open == QUOTED
        to_ship = Decimal(0)
        buyer, wanted = self.cast.acme.buyer, OrderFilter(Tab.ALL, self.quote.number)
        for row in list_orders(buyer, wanted, Range()):
            order = self.order(row.number)
            assert row.due_on == order.due_on
            line = order.lines[0]
            total = sum((item.line_total for item in order.lines), Decimal(0))
            assert order.lines_total == total
            reserved = find_reserved(("order", order.id)).get(line.product_id, Decimal(0))
            if order.status in {S.CONFIRMED, S.PARTLY_SHIPPED, S.SHIPPED, S.DELIVERED}:
                assert order.status is progress_of(order.counts)
                assert line.line_total == line.unit_price * line.valid
                assert reserved == line.to_ship
                to_ship += reserved
            else:
                assert reserved == 0
                assert order.status not in GIVEN_UP or line.valid == 0
        product_id = self.quote.current.lines[0].product_id
        there = find_availability([product_id])[product_id]
        assert there.on_hand == 100 - self.left
        assert there.reserved == to_ship


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_or_doubled_whatever_happens(
    cast: Cast,
    now: datetime,
    approved: Callable[..., Quote],
    stocked: Callable[..., None],
    set_account: Callable[..., None],
    seed: int,
) -> None:
    _play(cast, now, approved, stocked, set_account, seed=seed, steps=12)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 104))
def test_nothing_is_lost_or_doubled_over_long_histories(
    cast: Cast,
    now: datetime,
    approved: Callable[..., Quote],
    stocked: Callable[..., None],
    set_account: Callable[..., None],
    seed: int,
) -> None:
    _play(cast, now, approved, stocked, set_account, seed=seed, steps=40)


def _play(  # noqa: PLR0913 - what both tests hand on
    cast: Cast,
    now: datetime,
    approved: Callable[..., Quote],
    stocked: Callable[..., None],
    set_account: Callable[..., None],
    *,
    seed: int,
    steps: int,
) -> None:
    stocked("MS-0002", 100)
    set_account(purchase_order_duplicates="allow")
    desk = Desk(cast, approved("MS-0002", quantity=QUOTED), seed, now)
    for _ in range(steps):
        desk.step()
        desk.check()
    assert desk.held, "something was ordered"
