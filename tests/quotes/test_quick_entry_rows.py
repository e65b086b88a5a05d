from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.quotes.entry import MOST_ROWS, EntryError, parse_cells, parse_text, read_quantity

WIDE = "".join(chr(ord(char) + 0xFEE0) for char in "LT-0001") + "\u3000\u3000\uff15"
"""As an input method for Chinese or Korean writes it: full width."""


@pytest.mark.parametrize(
    ("line", "sku", "quantity"),
    [
        ("LT-0001\t5", "LT-0001", "5"),
        ("LT-0001,5", "LT-0001", "5"),
        ("LT-0001;5", "LT-0001", "5"),
        ("LT-0001   5", "LT-0001", "5"),
        ("LT-0001 5", "LT-0001", "5"),
        ("LT-0001 x 5", "LT-0001", "5"),
        ("LT-0001 ×5", "LT-0001", "5"),
        ("5 x LT-0001", "LT-0001", "5"),
        ("LT-0001\t1,250", "LT-0001", "1250"),
        ("LT-0001 1,250", "LT-0001", "1250"),
        ("LT-0001\t2.5", "LT-0001", "2.5"),
        ('"LT-0001","5"', "LT-0001", "5"),
        (WIDE, "LT-0001", "5"),
        ("DISPLAYX2\t3", "DISPLAYX2", "3"),
        ("MX 500 7", "MX 500", "7"),
    ],
)
def test_a_pasted_line_names_its_sku_and_quantity(line: str, sku: str, quantity: str) -> None:
    (row,) = parse_text(line).rows

    assert (row.sku, row.quantity, row.error) == (sku, Decimal(quantity), None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", EntryError.NO_QUANTITY),
        ("abc", EntryError.NOT_A_NUMBER),
        ("1e999999", EntryError.NOT_A_NUMBER),
        ("NaN", EntryError.NOT_A_NUMBER),
        ("-3", EntryError.NOT_POSITIVE),
        ("0", EntryError.NOT_POSITIVE),
        ("0.0001", EntryError.TOO_FINE),
        ("9999999999", EntryError.TOO_MUCH),
    ],
)
def test_a_quantity_that_cannot_be_used_says_why(text: str, error: EntryError) -> None:
    assert read_quantity(text) == (None, error)


def test_a_name_without_a_quantity_is_kept_with_its_error() -> None:
    (row,) = parse_text("LT-0001").rows

    assert (row.sku, row.error) == ("LT-0001", EntryError.NO_QUANTITY)


def test_the_first_row_may_name_the_columns_in_any_order() -> None:
    rows = [(1, ["Quantity", "Remark", "SKU"]), (2, ["7", "urgent", "LT-0001"])]

    (row,) = parse_cells(rows).rows

    assert (row.row, row.sku, row.quantity) == (2, "LT-0001", Decimal(7))


def test_rows_of_the_same_sku_are_added_up_in_the_place_of_the_first() -> None:
    entered = parse_text("LT-0001\t2\nMN-0001\t1\nlt-0001\t3")

    assert [(row.sku, row.quantity) for row in entered.rows] == [
        ("LT-0001", Decimal(5)),
        ("MN-0001", Decimal(1)),
    ]
    assert entered.merged == 1


def test_rows_with_errors_are_never_merged() -> None:
    entered = parse_text("LT-0001\tx\nLT-0001\ty")

    assert [row.quantity_text for row in entered.rows] == ["x", "y"]


def test_rows_beyond_the_limit_are_counted_and_not_read() -> None:
    entered = parse_cells((number, [f"S{number}", "1"]) for number in range(MOST_ROWS + 3))

    assert len(entered.rows) == MOST_ROWS
    assert entered.dropped == 3


@given(st.text(max_size=300))
def test_no_text_at_all_breaks_the_reading(text: str) -> None:
    for row in parse_text(text).rows:
        assert (row.quantity is None) == (row.error is not None)
        assert row.quantity is None or row.quantity > 0


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 999)), min_size=1, max_size=40))
def test_merging_keeps_the_sum_of_every_sku(pairs: list[tuple[str, int]]) -> None:
    entered = parse_text("\n".join(f"{sku}\t{quantity}" for sku, quantity in pairs))

    sums = {row.sku: row.quantity for row in entered.rows}
    assert sums == {
        sku: Decimal(sum(quantity for other, quantity in pairs if other == sku))
        for sku in {sku for sku, _quantity in pairs}
    }
    assert entered.merged == len(pairs) - len(sums)
