"""The price rule and its ladder against a second implementation, over random worlds."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings

from portal.catalog.pricing.ladder import price_ladder
from portal.catalog.pricing.rules import Resolution, order_lists, resolve
from tests.catalog.pricing.naive import naive_price
from tests.catalog.pricing.worlds import to_candidate, to_entries, to_request, worlds

World = tuple[list[dict[str, Any]], dict[str, Any]]


def answer_of(world: World) -> Resolution:
    lists, ask = world
    chain = order_lists(to_candidate(row) for row in lists)
    return resolve(to_request(ask), chain, to_entries(lists), "EUR", ask["at"])


@settings(max_examples=500, deadline=None)
@given(worlds())
def test_both_readings_give_the_same_answer(world: World) -> None:
    lists, ask = world
    answer, expected = answer_of(world), naive_price(lists, ask)

    assert answer.found == expected["found"]
    assert {s.list_code: s.outcome.value for s in answer.trace} == expected["outcomes"]
    if answer.found:
        assert answer.unit_price == expected["unit_price"]
        assert answer.line_total == expected["line_total"]
        assert answer.list_code == expected["list_code"]
        assert answer.list_price == expected["list_price"]


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_the_ladder_promises_what_a_line_gets(world: World) -> None:
    lists, ask = world
    chain = order_lists(to_candidate(row) for row in lists)
    start = ask["quantity"]
    ladder = price_ladder(to_request(ask), chain, to_entries(lists), "EUR", ask["at"])

    for quantity in {start, *(start + Decimal(n) / 7 for n in range(0, 400, 13))}:
        exact = quantity.quantize(Decimal("0.001"))
        expected = naive_price(lists, {**ask, "quantity": exact})
        rung = [each for each in ladder if each.min_quantity <= exact]
        if expected["found"]:
            assert rung[-1].unit_price == expected["unit_price"]
