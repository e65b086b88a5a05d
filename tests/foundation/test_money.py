"""Money is exact, rounds half up at named places, and never mixes currencies."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.money import (
    CURRENCIES,
    EXACT,
    CurrencyMismatchError,
    Money,
    UnknownCurrencyError,
    line_amount,
    minor_units,
    round_half_up,
)

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=4)


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("2.5", 0, "3"),
        ("1.00005", 4, "1.0001"),
        ("1.00004999", 4, "1.0000"),
        ("999999999999.995", 2, "1000000000000.00"),
    ],
)
def test_halves_are_rounded_away_from_zero(value: str, decimals: int, rounded: str) -> None:
    assert round_half_up(Decimal(value), decimals) == Decimal(rounded)


@pytest.mark.parametrize(
    ("currency", "decimals"), [("EUR", 2), ("KRW", 0), ("JPY", 0), ("KWD", 3), ("RSD", 2)]
)
def test_minor_units_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    assert minor_units(currency) == decimals


def test_every_currency_code_has_three_capitals() -> None:
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrencyError, match="XXQ"):
        minor_units("XXQ")


def test_a_line_is_rounded_once_to_the_minor_unit() -> None:
    assert line_amount(Decimal("0.3333"), Decimal("3.5"), "EUR") == Decimal("1.17")
    assert line_amount(Decimal("0.5"), Decimal(1), "KRW") == Decimal(1)


def test_a_product_of_large_values_stays_exact_before_it_is_rounded() -> None:
    price, quantity = Decimal("99999999999.9999"), Decimal("999999999.999")
    exact = Decimal(999999999999999 * 999999999999).scaleb(-7, EXACT)

    assert line_amount(price, quantity, "EUR") == round_half_up(exact, 2)


@given(AMOUNTS, AMOUNTS)
def test_adding_and_taking_away_again_gives_the_same(left: Decimal, right: Decimal) -> None:
    one, other = Money(left, "EUR"), Money(right, "EUR")

    assert (one + other) - other == one


@given(AMOUNTS)
def test_rounding_twice_is_rounding_once(amount: Decimal) -> None:
    once = Money(amount, "EUR").rounded()

    assert once.rounded() == once
    assert abs(once.amount - amount) <= Decimal("0.005")


def test_two_currencies_never_meet() -> None:
    with pytest.raises(CurrencyMismatchError, match="EUR and KRW"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "KRW")
