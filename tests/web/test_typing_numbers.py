# ruff: noqa: RUF001 - full-width digits are what is tested
"""Numbers are read as people write them, or refused; never guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.numbers import NotANumberError, decimals_of, parse_number


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("7", "7"),
        (" 1 250 ", "1250"),
        ("1,250", "1250"),
        ("1,250.75", "1250.75"),
        ("12,713,580", "12713580"),
        ("12.5", "12.5"),
        ("12,5", "12.5"),
        ("1.250,75", "1250.75"),
        ("1.250.000", "1250000"),
        ("１２．５", "12.5"),
        ("１，２５０", "1250"),
        ("1\u00a0250", "1250"),
        ("1'250", "1250"),
        ("-3", "-3"),
        ("−3", "-3"),
        (".5", "0.5"),
        ("0005", "5"),
    ],
)
def test_a_typed_number_is_understood(typed: str, read: str) -> None:
    assert parse_number(typed) == Decimal(read)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "ten", "1e999999", "1e3", "NaN", "Infinity", "1-2", "--1", "1,2,3", "1.2.3",
     "12,50.3", "½", "٣", "1" * 41, "0x10", "1.000,5,5"],
)  # fmt: skip
def test_what_is_not_one_number_is_refused(typed: str) -> None:
    with pytest.raises(NotANumberError):
        parse_number(typed)


@given(st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False))
def test_a_number_written_in_english_is_read_back(value: Decimal) -> None:
    assert parse_number(f"{value:,f}") == value


@given(st.text(max_size=60))
def test_no_text_ends_in_anything_but_a_number_or_a_refusal(text: str) -> None:
    try:
        value = parse_number(text)
    except NotANumberError:
        return
    assert value.is_finite()


@pytest.mark.parametrize(("value", "needs"), [("2.50", 1), ("100", 0), ("0.001", 3), ("1E+2", 0)])
def test_trailing_zeros_are_not_decimals(value: str, needs: int) -> None:
    assert decimals_of(Decimal(value)) == needs
