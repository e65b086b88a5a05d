"""The pure rules of an order's way: its state by quantities, promises, lateness, carriers."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.orders.carriers import CARRIERS, tracking_url
from portal.orders.progress import (
    Counts,
    Promise,
    Proposed,
    Supply,
    due_of,
    is_late,
    last_due,
    progress_of,
    suggest_promise,
)
from portal.orders.rules import OrderStatus
from portal.orders.validating import lacks_of

S = OrderStatus
TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)


def counts(ordered: int, cancelled: int = 0, shipped: int = 0, delivered: int = 0) -> Counts:
    return Counts(
        ordered=Decimal(ordered),
        cancelled=Decimal(cancelled),
        shipped=Decimal(shipped),
        delivered=Decimal(delivered),
    )


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([counts(5)], S.CONFIRMED),
        ([counts(5, shipped=2)], S.PARTLY_SHIPPED),
        ([counts(5, shipped=5, delivered=5), counts(1)], S.PARTLY_SHIPPED),
        ([counts(5, shipped=5, delivered=2)], S.SHIPPED),
        ([counts(5, cancelled=3, shipped=2)], S.SHIPPED),
        ([counts(5, cancelled=3, shipped=2, delivered=2)], S.DELIVERED),
        ([counts(5, cancelled=5), counts(1, shipped=1, delivered=1)], S.DELIVERED),
        ([counts(5, cancelled=5), counts(1, cancelled=1)], S.CANCELLED),
    ],
)
def test_the_quantities_say_how_far_an_order_is(lines: list[Counts], state: OrderStatus) -> None:
    assert progress_of(lines) is state


@pytest.mark.parametrize(
    ("supply", "wished_on", "promise"),
    [
        (Supply(), None, Promise(TODAY + 7 * DAY)),
        (Supply(lead_time_days=21), None, Promise(TODAY + 21 * DAY)),
        (Supply(Decimal(10)), None, Promise(TODAY + 2 * DAY)),
        (Supply(Decimal(10)), TODAY + 30 * DAY, Promise(TODAY + 30 * DAY)),
        (Supply(Decimal(10)), TODAY - DAY, Promise(TODAY + 2 * DAY)),
        (
            Supply(Decimal(4), expected_on=TODAY + 5 * DAY),
            None,
            Promise(TODAY + 2 * DAY, Decimal(6), TODAY + 7 * DAY),
        ),
        (
            Supply(Decimal(0), lead_time_days=14),
            None,
            Promise(TODAY + 14 * DAY, Decimal(10), TODAY + 14 * DAY),
        ),
        (
            Supply(Decimal(0), expected_on=TODAY - DAY),
            None,
            Promise(TODAY + 7 * DAY, Decimal(10), TODAY + 7 * DAY),
        ),
    ],
)
def test_stock_and_lead_time_make_the_promise(
    supply: Supply, wished_on: date | None, promise: Promise
) -> None:
    assert suggest_promise(Decimal(10), supply, today=TODAY, wished_on=wished_on) == promise


AMOUNTS = st.decimals(min_value=0, max_value=50, places=1)


@given(AMOUNTS.filter(bool), st.none() | AMOUNTS, st.none() | st.integers(-30, 60))
def test_a_suggested_promise_can_always_be_made(
    quantity: Decimal, available: Decimal | None, wish: int | None
) -> None:
    wished_on = None if wish is None else TODAY + wish * DAY

    promise = suggest_promise(quantity, Supply(available), today=TODAY, wished_on=wished_on)

    assert promise.on is not None
    assert 0 <= promise.backordered <= quantity
    assert promise.on >= max(TODAY, wished_on or TODAY)
    assert promise.backorder_on is None or promise.backorder_on >= promise.on


@pytest.mark.parametrize(
    ("line", "due", "last"),
    [
        (Counts(ordered=Decimal(5)), None, None),
        (Counts(ordered=Decimal(5), promised_on=TODAY), TODAY, TODAY),
        (Counts(ordered=Decimal(5), shipped=Decimal(5), promised_on=TODAY), None, None),
        (
            Counts(
                ordered=Decimal(5),
                backordered=Decimal(2),
                promised_on=TODAY,
                backorder_on=TODAY + DAY,
            ),
            TODAY,
            TODAY + DAY,
        ),
        (
            Counts(
                ordered=Decimal(5),
                shipped=Decimal(3),
                backordered=Decimal(2),
                promised_on=TODAY,
                backorder_on=TODAY + DAY,
            ),
            TODAY + DAY,
            TODAY + DAY,
        ),
    ],
)
def test_what_has_not_left_is_due_on_its_own_day(
    line: Counts, due: date | None, last: date | None
) -> None:
    assert due_of(line) == due
    assert last_due([line]) == last
    assert is_late(line, TODAY + DAY) is (due is not None and due < TODAY + DAY)
    assert not is_late(line, TODAY), "the promised day itself is not over"


@pytest.mark.parametrize(
    ("quantity", "sku", "needed"),
    [(10, "", False), (3, "", False), (0, "", False), (11, "", True), (10, "X", True)],
)
def test_only_more_or_another_product_needs_a_new_approval(
    quantity: int, sku: str, *, needed: bool
) -> None:
    proposed = Proposed(1, Decimal(10), Decimal(quantity), Promise(TODAY), sku)

    assert proposed.needs_approval is needed


@given(st.text(min_size=1, max_size=64), st.sampled_from(sorted(CARRIERS)))
def test_a_typed_tracking_number_never_leads_to_another_place(number: str, carrier: str) -> None:
    url = tracking_url(carrier, number)

    template = CARRIERS[carrier].template
    if not template:
        assert url == ""
        return
    before, _, after = template.partition("{number}")
    assert url.startswith(before)
    assert url.endswith(after)
    said = url.removeprefix(before).removesuffix(after) if after else url.removeprefix(before)
    assert not set(said) & set("/?#&=:@ \\\r\n")


def test_an_address_says_what_it_lacks() -> None:
    whole = {
        "name": "ACME",
        "line1": "Musterallee 3",
        "postcode": "10115",
        "city": "Berlin",
        "country": "DE",
    }

    assert lacks_of(whole) == ()
    assert lacks_of(whole | {"postcode": " "}) == ("postcode",)
    assert lacks_of(whole | {"postcode": None, "country": "HK"}) == ()
    assert lacks_of({}) == ("name", "street", "postcode", "city", "country")


pieces = st.integers(0, 9).map(Decimal)


@given(pieces, pieces, st.lists(st.tuples(st.sampled_from(["shipped", "cancelled"]), pieces)))
def test_what_the_workshop_gives_is_never_taken_from_the_goods_for_sale(
    ordered: Decimal, workshop: Decimal, steps: list[tuple[str, Decimal]]
) -> None:
    """What a line takes off the shelf or gives back never passes what was reserved for it."""
    line = Counts(ordered=ordered, workshop=min(workshop, ordered))
    reserved = line.to_take
    assert reserved == ordered - line.workshop
    for name, quantity in steps:
        part = min(quantity, line.to_ship)
        after = replace(line, **{name: getattr(line, name) + part})
        assert 0 <= line.to_take - after.to_take <= part
        line = after
        assert line.to_take <= line.to_ship
    if line.shipped + line.cancelled == ordered:
        assert line.to_take == 0
