"""The ledger of stock: what lies there is the sum of its moves, in whatever order they came."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from portal.catalog.models import Product, UomConversion
from portal.catalog.stock.actions import (
    Count,
    correct_stock,
    give_back,
    issue,
    receive_stock,
    release,
    reserve,
)
from portal.catalog.stock.models import StockLevel, StockMove, StockReservation
from portal.catalog.stock.queries import count_in_own_unit, find_availability, find_reserved
from portal.catalog.stock.rules import (
    CountedQuantityError,
    NotEnoughStockError,
    ReasonNeededError,
    StockQuantityError,
    Store,
)
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.events.models import Event
from portal.policy import Actor
from tests.stage import undone

D = Decimal
ORDER = ("order", 7)
Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.fixture
def laptop(world: Flask) -> Product:
    assert world.name
    with transaction():
        for table in (StockReservation, StockLevel):
            db.session.query(table).delete()
    return db.session.scalars(select(Product).where(Product.sku == "LT-0001")).one()


@pytest.fixture
def stocked(laptop: Product, cast: Cast, now: datetime) -> Product:
    """Ten in Berlin, four in Seoul."""
    desk = cast.supplier.order_desk
    receive_stock(desk, laptop.sku, "BERLIN", D(10), now=now)
    receive_stock(desk, laptop.sku, "SEOUL", D(4), now=now)
    return laptop


def of(product: Product) -> tuple[D, D, D]:
    found = find_availability([product.id])[product.id]
    return found.on_hand, found.reserved, found.available


def test_what_is_reserved_is_not_available_to_others(stocked: Product, now: datetime) -> None:
    answer = reserve(ORDER, {stocked.id: D(12)}, now=now)
    later = reserve(("order", 8), {stocked.id: D(5)}, now=now)

    assert answer[stocked.id].back_ordered == 0
    assert (later[stocked.id].covered, later[stocked.id].back_ordered) == (D(2), D(3))
    assert of(stocked) == (D(14), D(17), D(-3))


def test_what_leaves_shrinks_its_own_reservation(stocked: Product, now: datetime) -> None:
    reserve(ORDER, {stocked.id: D(12)}, now=now)

    issue(ORDER, {stocked.id: D(11)}, now=now)

    assert of(stocked) == (D(3), D(1), D(2))
    assert find_reserved(ORDER) == {stocked.id: D(1)}
    levels = dict(db.session.execute(select(StockLevel.location_code, StockLevel.on_hand)).all())
    assert levels == {"BERLIN": D(0), "SEOUL": D(3)}


def test_more_than_lies_there_never_leaves(
    stocked: Product, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    with pytest.raises(NotEnoughStockError, match="15 are to be issued, 14 are on hand"):
        issue(ORDER, {stocked.id: D(15)}, now=now)

    assert business_rows() == before


def test_what_is_given_up_is_available_again(stocked: Product, now: datetime) -> None:
    reserve(ORDER, {stocked.id: D(12)}, now=now)

    assert release(ORDER, quantities={stocked.id: D(5)}, now=now) == {stocked.id: D(5)}
    assert of(stocked)[1] == D(7)
    assert release(ORDER, now=now) == {stocked.id: D(7)}
    assert release(ORDER, now=now) == {}
    assert of(stocked) == (D(14), D(0), D(14))


def test_a_product_without_stock_is_neither_promised_nor_missed(
    laptop: Product, now: datetime
) -> None:
    assert find_availability([laptop.id]) == {}
    assert reserve(ORDER, {laptop.id: D(5)}, now=now) == {}
    issue(ORDER, {laptop.id: D(5)}, now=now)
    assert db.session.scalar(select(func.count(StockMove.id)).where(
        StockMove.product_id == laptop.id, StockMove.subject_kind == "order"
    )) == 0  # fmt: skip


def test_spare_parts_are_promised_to_repairs_alone(
    stocked: Product, cast: Cast, now: datetime
) -> None:
    receive_stock(cast.supplier.order_desk, stocked.sku, "REPAIR-BER", D(3), now=now)

    reserve(("repair", 1), {stocked.id: D(2)}, now=now, store=Store.REPAIR)

    assert of(stocked) == (D(14), D(0), D(14))
    parts = find_availability([stocked.id], store=Store.REPAIR)[stocked.id]
    assert (parts.on_hand, parts.available) == (D(3), D(1))


def test_parts_that_were_not_needed_lie_there_again(stocked: Product, now: datetime) -> None:
    issue(ORDER, {stocked.id: D(6)}, now=now)

    give_back(ORDER, {stocked.id: D(2)}, location_code="BERLIN", now=now)

    assert of(stocked)[0] == D(10)


def test_a_receipt_sent_twice_arrives_once(stocked: Product, cast: Cast, now: datetime) -> None:
    for _time in range(2):
        receive_stock(cast.supplier.order_desk, stocked.sku, "BERLIN", D(5), key="form-1", now=now)

    assert of(stocked)[0] == D(19)


def test_goods_that_arrive_are_not_expected_any_more(
    stocked: Product, cast: Cast, now: datetime
) -> None:
    desk = cast.supplier.order_desk
    count = Count(on_hand=D(10), expected_on=date(2026, 11, 22))
    correct_stock(desk, stocked.sku, "BERLIN", count, reason="", now=now)

    receive_stock(desk, stocked.sku, "BERLIN", D(5), now=now)

    assert find_availability([stocked.id])[stocked.id].expected_on is None


def test_a_correction_says_why_and_who(stocked: Product, cast: Cast, now: datetime) -> None:
    desk = cast.supplier.order_desk

    with pytest.raises(ReasonNeededError):
        correct_stock(desk, stocked.sku, "BERLIN", Count(on_hand=D(8)), reason=" ", now=now)
    correct_stock(
        desk, stocked.sku, "BERLIN", Count(on_hand=D(8)), reason="Two were broken", now=now
    )

    move = db.session.scalars(select(StockMove).order_by(StockMove.id.desc()).limit(1)).one()
    assert (move.on_hand_change, move.reason, move.person_id) == (
        D(-2), "Two were broken", desk.person_id,
    )  # fmt: skip
    event = db.session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (event.verb, event.number, event.data["change"]) == (
        "stock.corrected", "LT-0001", "-2.000",
    )  # fmt: skip


def test_nothing_changes_where_the_count_is_what_was_known(
    stocked: Product, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before = business_rows()

    correct_stock(
        cast.supplier.order_desk, stocked.sku, "BERLIN", Count(on_hand=D(10)), reason="", now=now
    )

    assert business_rows() == before


def test_who_may_only_look_changes_nothing(
    stocked: Product, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before, looker = business_rows(), cast.supplier.account_manager

    with pytest.raises(NotAllowedError):
        receive_stock(looker, stocked.sku, "BERLIN", D(5), now=now)
    with pytest.raises(NotAllowedError):
        correct_stock(looker, stocked.sku, "BERLIN", Count(on_hand=D(5)), reason="x", now=now)

    assert business_rows() == before


def test_quantities_that_make_no_sense_are_refused(
    stocked: Product, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    before, desk = business_rows(), cast.supplier.order_desk

    for wrong in (D(0), D(-1), D("0.0001"), D("1e12")):
        with pytest.raises(StockQuantityError):
            receive_stock(desk, stocked.sku, "BERLIN", wrong, now=now)
    with pytest.raises(CountedQuantityError):
        correct_stock(desk, stocked.sku, "BERLIN", Count(on_hand=D(-1)), reason="x", now=now)
    with pytest.raises(StockQuantityError):
        reserve(ORDER, {stocked.id: D(0)}, now=now)

    assert business_rows() == before


def test_lines_in_another_unit_are_counted_in_the_product_s_own(laptop: Product) -> None:
    with transaction():
        db.session.add(UomConversion(product_id=laptop.id, from_uom="BX", to_uom="EA", factor=D(4)))

    lines = [(laptop.id, D(2), "BX"), (laptop.id, D(1), "EA"), (laptop.id, D(9), "PAL")]

    assert count_in_own_unit(lines) == {laptop.id: D(9)}


@pytest.mark.parametrize(
    "statement", ["update stock_move set reason = 'x'", "delete from stock_move"]
)
def test_the_database_itself_keeps_the_ledger(stocked: Product, statement: str) -> None:
    assert stocked.sku
    with undone(), pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(statement))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "count", "reserve", "release", "issue"]),
        st.sampled_from(["BERLIN", "SEOUL"]),
        st.integers(min_value=1, max_value=3),
        st.decimals(min_value="0.001", max_value=20, places=3),
    ),
    max_size=25,
)


class Books:
    """A naive account of the same steps."""

    def __init__(self, product: Product, desk: Actor, now: datetime) -> None:
        self.product, self.desk, self.now = product, desk, now
        self.on_hand: dict[str, D] = {}
        self.reserved: dict[int, D] = defaultdict(D)
        self.begin = db.session.scalar(select(func.max(StockMove.id))) or 0

    @property
    def total(self) -> D:
        return sum(self.on_hand.values(), D(0))

    def receive(self, place: str, _number: int, quantity: D) -> None:
        receive_stock(self.desk, self.product.sku, place, quantity, now=self.now)
        self.on_hand[place] = self.on_hand.get(place, D(0)) + quantity

    def count(self, place: str, _number: int, quantity: D) -> None:
        count = Count(on_hand=quantity)
        correct_stock(self.desk, self.product.sku, place, count, reason="counted", now=self.now)
        self.on_hand[place] = quantity

    def reserve(self, _place: str, number: int, quantity: D) -> None:
        if reserve(("order", number), {self.product.id: quantity}, now=self.now):
            self.reserved[number] += quantity

    def release(self, _place: str, number: int, quantity: D) -> None:
        release(("order", number), quantities={self.product.id: quantity}, now=self.now)
        self.reserved[number] -= min(quantity, self.reserved[number])

    def issue(self, _place: str, number: int, quantity: D) -> None:
        wanted = {self.product.id: quantity}
        if quantity > self.total and self.on_hand:
            with pytest.raises(NotEnoughStockError):
                issue(("order", number), wanted, now=self.now)
        else:
            left = self.total - quantity if self.on_hand else D(0)
            issue(("order", number), wanted, now=self.now)
            if self.on_hand:
                self.reserved[number] -= min(quantity, self.reserved[number])
            self.on_hand = _levels(self.product.id)
            assert self.total == left

    def check(self) -> None:
        key = self.product.id
        moves = db.session.scalars(
            select(StockMove).where(StockMove.id > self.begin, StockMove.product_id == key)
        ).all()
        by_place: dict[str, D] = dict.fromkeys(self.on_hand, D(0))
        for move in moves:
            if move.location_code:
                by_place[move.location_code] += move.on_hand_change
        assert by_place == self.on_hand == _levels(key)
        kept = {number: held for number, held in self.reserved.items() if held}
        assert _kept(key) == kept
        promised = sum(kept.values(), D(0))
        assert sum((move.reserved_change for move in moves), D(0)) == promised
        found = find_availability([key]).get(key)
        if found is None:
            assert self.on_hand == {}
        else:
            assert (found.on_hand, found.reserved) == (self.total, promised)
            assert found.available == self.total - promised


def _levels(product_id: int) -> dict[str, D]:
    rows = select(StockLevel.location_code, StockLevel.on_hand)
    return dict(db.session.execute(rows.where(StockLevel.product_id == product_id)).all())


def _kept(product_id: int) -> dict[int, D]:
    rows = select(StockReservation.subject_id, StockReservation.quantity)
    return dict(db.session.execute(rows.where(StockReservation.product_id == product_id)).all())


@given(steps=STEPS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_books_balance_after_any_sequence(
    laptop: Product, cast: Cast, now: datetime, steps: list[tuple[str, str, int, D]]
) -> None:
    with undone():
        product = db.session.get_one(Product, laptop.id)
        books = Books(product, cast.supplier.order_desk, now)
        for step, place, number, quantity in steps:
            getattr(books, step)(place, number, quantity)
            books.check()
