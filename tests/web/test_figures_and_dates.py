"""Figures and dates are written in the reader's language, with codes that can't be mixed up."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask_babel import force_locale

from portal.errors import ConflictError
from portal.web import formats
from portal.web.locale import LANGUAGES, babel_code, language_of

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("12713.58", "USD", "12,713.58 USD"),
        ("12713.5", "EUR", "12,713.50 EUR"),
        ("15000000", "KRW", "15,000,000 KRW"),
        ("1.2345", "KWD", "1.235 KWD"),
        ("-5", "EUR", "-5.00 EUR"),
    ],
)
def test_an_amount_has_its_minor_units_and_code(value: str, currency: str, written: str) -> None:
    assert formats.money(Decimal(value), currency) == written


def test_a_unit_price_shows_the_decimals_that_it_has() -> None:
    assert formats.unit_price(Decimal("1143.1200"), "EUR") == "1,143.12 EUR"
    assert formats.unit_price(Decimal("0.0125"), "EUR") == "0.0125 EUR"
    assert formats.unit_price(Decimal(1250), "KRW") == "1,250 KRW"


def test_no_value_is_a_dash() -> None:
    assert {formats.money(None, "EUR"), formats.day(None), formats.quantity(None)} == {"–"}


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "Dec 14, 2026"),
        ("zh-Hans", "2026年12月14日"),
        ("zh-Hant", "2026年12月14日"),
        ("ko", "2026. 12. 14."),
    ],
)
def test_a_day_is_written_in_the_reader_s_language(tag: str, written: str) -> None:
    with force_locale(babel_code(tag)):
        assert formats.day(date(2026, 12, 14)) == written


def test_an_exclusive_end_is_shown_as_its_last_day() -> None:
    midnight_in_seoul = datetime(2026, 12, 14, 15, tzinfo=UTC)

    assert formats.last_day(midnight_in_seoul, "Asia/Seoul") == "Dec 14, 2026"
    assert formats.last_day(midnight_in_seoul, "UTC") == "Dec 14, 2026"
    assert formats.last_day(datetime(2027, 1, 1, tzinfo=UTC), "UTC") == "Dec 31, 2026"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh_Hant_TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-TW", "zh-Hant"),
        ("ko-KR", "ko"),
        ("en-GB", "en"),
    ],
)
def test_a_browser_s_tag_finds_its_language(asked: str, given: str) -> None:
    assert language_of(asked) is LANGUAGES[given]


def test_an_unknown_tag_finds_none() -> None:
    assert language_of("fr") is None
    assert language_of(None) is None
    assert babel_code("fr") == "en"


def test_a_refusal_s_details_are_written_for_people() -> None:
    class LateError(ConflictError):
        message = "Ordered {quantity} until {day}."

    error = LateError(quantity=Decimal("1250.000"), day=date(2026, 3, 1))
    assert formats.refusal(error) == "Ordered 1,250 until Mar 1, 2026."
