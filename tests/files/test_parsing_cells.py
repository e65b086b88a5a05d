"""Cells: typed or refused in words; bare dates in the supplier's time zone."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.files.parsing import (
    CellError,
    boolean,
    choice,
    code,
    codes,
    decimal,
    ending_instant,
    format_ending,
    format_instant,
    instant,
    integer,
    text,
)

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_bare_date_is_midnight_at_the_supplier_s() -> None:
    assert instant("2026-01-01", BERLIN) == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_a_bare_date_in_an_ending_column_is_the_last_day_included() -> None:
    assert ending_instant("2026-12-31", BERLIN) == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert format_ending(ending_instant("2026-12-31", BERLIN), BERLIN) == "2026-12-31"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_that_is_written_is_read_back(moment: datetime) -> None:
    assert instant(format_instant(moment, BERLIN), BERLIN) == moment
    assert ending_instant(format_ending(moment, BERLIN), BERLIN) == moment


@pytest.mark.parametrize(
    "raw", ["1e9", "١٢", "NaN", "1,5", "", "0x1", "1_000", "Infinity", "1e999999"]
)
def test_only_plain_numbers_are_numbers(raw: str) -> None:
    with pytest.raises(CellError):
        decimal(4)(raw, BERLIN)


@pytest.mark.parametrize(("raw", "value"), [("12.50", "12.5"), ("0", "0"), ("0012", "12")])
def test_a_number_keeps_its_value(raw: str, value: str) -> None:
    assert decimal(2)(raw, BERLIN) == Decimal(value)


@pytest.mark.parametrize("raw", ["1.001", "-1", "99999999999999"])
def test_too_fine_negative_or_large_is_refused(raw: str) -> None:
    with pytest.raises(CellError):
        decimal(2)(raw, BERLIN)


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        (integer(), "1.5"),
        (boolean, "yes"),
        (choice(("a", "b")), "c"),
        (code(), "two words"),
        (text(3), "four"),
        (text(), "a\x07b"),
        (instant, "31.12.2026"),
        (instant, "2026-02-30"),
    ],
)
def test_what_can_not_be_used_is_refused_with_words(parse: object, raw: str) -> None:
    with pytest.raises(CellError) as refusal:
        parse(raw, BERLIN)  # type: ignore[operator]  # any of the parsers

    assert str(refusal.value)


def test_a_list_in_one_cell_keeps_its_order_and_drops_doubles() -> None:
    assert codes(" b; a ;b;;", BERLIN) == ("b", "a")
