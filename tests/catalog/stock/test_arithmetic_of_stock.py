"""The arithmetic of stock, without a database."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.stock.rules import (
    Availability,
    Store,
    draw,
    in_own_unit,
    reserve_from,
    spread,
    store_of,
)

D = Decimal
QUANTITIES = st.decimals(min_value=0, max_value=1000, places=3)


def test_goods_come_from_the_fullest_location() -> None:
    levels = [("JENA", D(12)), ("BERLIN", D(40)), ("SEOUL", D(9))]

    assert draw(levels, D(10)) == [("BERLIN", D(10))]


def test_what_it_does_not_hold_comes_from_the_next_one() -> None:
    levels = [("BERLIN", D(4)), ("JENA", D(7)), ("SEOUL", D(0))]

    assert draw(levels, D(9)) == [("JENA", D(7)), ("BERLIN", D(2))]


@given(st.lists(QUANTITIES, min_size=1, max_size=6), st.data())
def test_what_is_drawn_is_what_was_asked_and_lies_there(held: list[D], data: st.DataObject) -> None:
    levels = [(f"L{number}", quantity) for number, quantity in enumerate(held)]
    wanted = data.draw(st.decimals(min_value=0, max_value=sum(held), places=3))

    drawn = draw(levels, wanted) if wanted else []

    assert sum((part for _code, part in drawn), D(0)) == wanted
    assert all(D(0) < part <= dict(levels)[code] for code, part in drawn)
    assert len({code for code, _part in drawn}) == len(drawn)


@given(st.lists(QUANTITIES, max_size=6), st.data())
def test_shares_never_exceed_their_part_nor_the_whole(parts: list[D], data: st.DataObject) -> None:
    total = data.draw(st.decimals(min_value=0, max_value=sum(parts, D(0)), places=3))

    shares = spread(total, parts)

    assert sum(shares, D(0)) == total
    assert all(D(0) <= share <= part for share, part in zip(shares, parts, strict=True))


def test_a_reservation_says_what_has_to_arrive_first() -> None:
    answer = reserve_from(Availability(D(10), D(7), date(2026, 12, 15)), D(5))

    assert (answer.covered, answer.back_ordered) == (D(3), D(2))
    assert answer.expected_on == date(2026, 12, 15)


def test_nothing_is_covered_where_more_is_promised_than_there_is() -> None:
    assert reserve_from(Availability(D(2), D(7)), D(5)).back_ordered == D(5)


def test_an_expected_day_that_is_over_is_not_told() -> None:
    availability = Availability(D(0), D(0), date(2026, 11, 1))

    assert availability.expected_after(date(2026, 11, 2)) is None
    assert availability.expected_after(date(2026, 11, 1)) == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("factor", "inverse", "quantity", "own"),
    [(D(10), False, D(3), D(30)), (D(10), True, D(5), D("0.5")), (D(3), True, D(1), D("0.334"))],
)
def test_lines_in_boxes_are_counted_in_pieces_and_never_too_few(
    factor: D,
    inverse: bool,  # noqa: FBT001 - a column of the table above
    quantity: D,
    own: D,
) -> None:
    assert in_own_unit(quantity, factor, inverse=inverse) == own


def test_locations_of_the_workshop_are_not_for_sale() -> None:
    assert store_of("REPAIR-BER") is store_of("repair") is Store.REPAIR
    assert store_of("BERLIN") is Store.SALE
