"""The pure rules: the ledger, partial orders, purchase order numbers, moves."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lifecycle import IllegalMoveError
from portal.orders.rules import (
    BelowBreakError,
    LedgerLine,
    Move,
    NothingChosenError,
    OrderStatus,
    PurchaseOrderNeededError,
    PurchaseOrderPatternError,
    QuantityNotOpenError,
    Taken,
    WholeNumberError,
    WholeOnlyError,
    Wish,
    check_purchase_order_number,
    check_wishes,
    make_ledger,
)
from portal.policy import Permission, operator_actor

QUANTITIES = st.decimals(min_value=0, max_value=1000, places=3)


def wish(quantity: str, quoted: str = "10", ordered: str = "0", least: str = "1") -> Wish:
    ledger = LedgerLine(1, Decimal(quoted), Decimal(ordered))
    return Wish(1, ledger, Decimal(quantity), Decimal(least))


TAKEN = st.builds(Taken, QUANTITIES, QUANTITIES)


@given(st.dictionaries(st.integers(1, 20), QUANTITIES), st.dictionaries(st.integers(1, 20), TAKEN))
def test_what_is_quoted_is_ordered_cancelled_or_open(
    quoted: dict[int, Decimal], taken: dict[int, Taken]
) -> None:
    ledger = make_ledger(quoted, taken)

    assert set(ledger) == set(quoted)
    for line_id, line in ledger.items():
        gone = line.ordered + line.cancelled
        assert line.open >= 0
        assert line.open + gone >= quoted[line_id]
        if gone <= line.quoted:
            assert line.open + gone == line.quoted


@pytest.mark.parametrize(
    ("wishes", "partial_orders", "refusal"),
    [
        ([], "free", NothingChosenError),
        ([wish("0")], "free", WholeNumberError),
        ([wish("-1")], "free", WholeNumberError),
        ([wish("11")], "free", QuantityNotOpenError),
        ([wish("4", ordered="7")], "free", QuantityNotOpenError),
        ([wish("9")], "whole", WholeOnlyError),
        ([wish("9", least="10")], "from_break", BelowBreakError),
    ],
)
def test_a_wish_that_the_ledger_or_the_account_does_not_allow_is_refused(
    wishes: list[Wish], partial_orders: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        check_wishes(wishes, 1, partial_orders)


@pytest.mark.parametrize(
    ("wishes", "partial_orders"),
    [
        ([wish("10")], "whole"),
        ([wish("10", least="10")], "from_break"),
        ([wish("0.5")], "free"),
        ([wish("3", ordered="7")], "free"),
    ],
)
def test_a_wish_within_what_is_open_is_allowed(wishes: list[Wish], partial_orders: str) -> None:
    check_wishes(wishes, 1, partial_orders)


def test_a_whole_order_needs_every_line_that_is_open() -> None:
    with pytest.raises(WholeOnlyError):
        check_wishes([wish("10")], 2, "whole")


def test_a_purchase_order_number_is_text_and_keeps_its_leading_zeros() -> None:
    check_purchase_order_number("0004711", rule="required", pattern=r"\d{7}")


@pytest.mark.parametrize(
    ("value", "rule", "pattern", "refusal"),
    [
        ("", "required", None, PurchaseOrderNeededError),
        ("47-11", "optional", r"\d+", PurchaseOrderPatternError),
        ("4711 ", "required", r"\d+", PurchaseOrderPatternError),
    ],
)
def test_a_purchase_order_number_against_the_account_s_rule_is_refused(
    value: str, rule: str, pattern: str | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        check_purchase_order_number(value, rule=rule, pattern=pattern)


def test_no_number_is_fine_where_it_is_optional() -> None:
    check_purchase_order_number("", rule="optional", pattern=r"\d+")


@pytest.mark.parametrize("move", list(Move))
@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_move_is_possible_from_its_own_states_only(move: Move, status: OrderStatus) -> None:
    actor = operator_actor(account_id=1, account_code="S", operator="test", time_zone="UTC")

    if status in move.sources:
        assert move.apply(status, actor, "O-000001") is move.target
    else:
        with pytest.raises(IllegalMoveError, match="O-000001 is"):
            move.apply(status, actor, "O-000001")


def test_what_customers_and_the_supplier_do_are_different_permissions() -> None:
    supplier = {Permission.ORDER_CONFIRM, Permission.ORDER_DECLINE}

    assert {move.permission for move in (Move.CONFIRM, Move.DECLINE)} == supplier
    assert not supplier & {move.permission for move in (Move.PLACE, Move.DISCARD, Move.CANCEL)}
