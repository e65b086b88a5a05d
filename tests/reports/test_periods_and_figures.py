"""Periods by the calendar, and the arithmetic of figures."""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, String, literal, select

from portal.db import db
from portal.money import line_amount
from portal.reports.figures import average, change, fifths, median, share
from portal.reports.periods import (
    Compare,
    Period,
    Step,
    Window,
    bucket_of,
    buckets_of,
    window_before,
    window_of,
)
from portal.reports.sales import list_total

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 22)
D = Decimal


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.LAST_30_DAYS, date(2026, 10, 24), TODAY),
        (Period.THIS_MONTH, date(2026, 11, 1), TODAY),
        (Period.LAST_MONTH, date(2026, 10, 1), date(2026, 10, 31)),
        (Period.THIS_QUARTER, date(2026, 10, 1), TODAY),
        (Period.LAST_QUARTER, date(2026, 7, 1), date(2026, 9, 30)),
        (Period.THIS_YEAR, date(2026, 1, 1), TODAY),
        (Period.LAST_YEAR, date(2025, 1, 1), date(2025, 12, 31)),
        (Period.LAST_12_MONTHS, date(2025, 12, 1), TODAY),
    ],
)
def test_a_word_means_whole_days_and_today_is_one_of_them(
    period: Period, first: date, last: date
) -> None:
    window = window_of(period, TODAY, BERLIN)

    assert (window.first, window.last) == (first, last)


@pytest.mark.parametrize(
    ("period", "compare", "first", "last"),
    [
        (Period.THIS_MONTH, Compare.PREVIOUS, date(2026, 10, 1), date(2026, 10, 22)),
        (Period.LAST_MONTH, Compare.PREVIOUS, date(2026, 9, 1), date(2026, 9, 30)),
        (Period.LAST_12_MONTHS, Compare.PREVIOUS, date(2024, 12, 1), date(2025, 11, 22)),
        (Period.LAST_MONTH, Compare.YEAR, date(2025, 10, 1), date(2025, 10, 31)),
        (Period.LAST_30_DAYS, Compare.PREVIOUS, date(2026, 9, 24), date(2026, 10, 23)),
    ],
)
def test_a_period_is_held_against_as_many_days_before(
    period: Period, compare: Compare, first: date, last: date
) -> None:
    before = window_before(period, window_of(period, TODAY, BERLIN), compare)

    assert before is not None
    assert (before.first, before.last) == (first, last)


def test_all_time_is_held_against_nothing() -> None:
    window = window_of(Period.ALL, TODAY, BERLIN)

    assert window_before(Period.ALL, window, Compare.YEAR) is None


@given(
    st.dates(date(2001, 1, 1), date(2060, 1, 1)),
    st.integers(1, 1_500),
    st.sampled_from(Step),
    st.sampled_from(["Europe/Berlin", "Asia/Seoul", "America/New_York", "UTC"]),
)
def test_the_pieces_of_a_period_hold_each_of_its_days_once(
    first: date, days: int, step: Step, zone: str
) -> None:
    window = Window(first, first + timedelta(days=days), ZoneInfo(zone))
    pieces = buckets_of(window, step)

    assert len({piece.key for piece in pieces}) == len(pieces)
    assert pieces[0].start_at <= window.start_at
    for offset in range(0, days, 17):
        day = first + timedelta(days=offset)
        own = bucket_of(pieces, Window(day, day, window.zone).start_at)
        assert own.startswith(str(day.year))
        if step is Step.MONTH:
            assert own == f"{day:%Y-%m}"


def test_shares_and_means_are_rounded_half_up_once() -> None:
    assert (share(1, 3), share(1, 8), share(1, 0)) == (D("33.3"), D("12.5"), None)
    assert share(D("0.0005"), 1) == D("0.1")
    assert average([D(1), D(2), D(2)]) == D("1.7")
    assert (median([D(3), D(1)]), median([D(5), D(1), D(2)]), median([])) == (D(2), D(2), None)
    assert (change(D(106), D(100)), change(D(1), D(0)), change(None, D(1))) == (D(6), None, None)


def test_equal_values_have_equal_scores_and_the_best_fifth_has_five() -> None:
    assert fifths([10, 20, 30, 40, 50]) == [1, 2, 3, 4, 5]
    assert fifths([10, 20, 30, 40, 50], is_high_good=False) == [5, 4, 3, 2, 1]
    assert fifths([7, 7, 7]) == [5, 5, 5]
    assert fifths([1]) == [5]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.decimals(D(0), D("99999999.9999"), places=4),
    st.decimals(D("0.001"), D("999999.999"), places=3),
    st.sampled_from(["EUR", "KRW", "KWD", "CLF", "USD"]),
)
def test_the_list_value_in_sql_is_the_one_of_the_document_to_the_last_cent(
    app: Flask, price: Decimal, quantity: Decimal, currency: str
) -> None:
    assert app.name
    scaled = list_total(
        literal(int(price.scaleb(4)), BigInteger),
        literal(int(quantity.scaleb(3)), BigInteger),
        literal(currency, String),
    )

    assert db.session.scalar(select(scaled)) == line_amount(price, quantity, currency)
