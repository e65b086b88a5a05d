"""Exchange rates: imported by day, found by day, rounded once."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from portal.accounts.queries import load_operator
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.desk.cli import export_text
from portal.desk.kinds import BY_NAME
from portal.errors import NotAllowedError
from portal.events.models import Event
from portal.files.importing import ImportReport, Mode, run_import
from portal.files.reading import read_table
from portal.money import minor_units
from portal.reports.conversion import Rate, RateBook
from portal.reports.models import ExchangeRate
from portal.reports.rates import convert_table, instant_of, load_rates

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
FILE = """from_currency,to_currency,rate,valid_from
USD,EUR,0.9,2026-01-01
USD,EUR,0.85,2026-06-01
EUR,KRW,1600,2026-01-01
"""
Load = Callable[..., ImportReport]


@pytest.fixture
def load(world: Flask, now: datetime) -> Load:  # noqa: ARG001 - the small world
    operator = load_operator("test", "UTC")
    with transaction():
        db.session.execute(delete(ExchangeRate))  # those of the demo

    def load(text: str, *, dry_run: bool = False) -> ImportReport:
        return run_import(
            BY_NAME["exchange-rates"],
            read_table(text.encode(), "rates.csv"),
            actor=operator,
            mode=Mode.REPLACE,
            now=now,
            zone=ZoneInfo("UTC"),
            dry_run=dry_run,
        )

    return load


def rate(source: str, target: str, factor: str, start: datetime = JANUARY) -> Rate:
    return Rate(source, target, Decimal(factor), start)


def test_the_newest_rate_that_has_begun_holds(load: Load) -> None:
    load(FILE)
    amount = Decimal("100.00")

    assert convert_table("EUR", date(2026, 5, 31)).convert(amount, "USD") == Decimal("90.00")
    assert convert_table("EUR", date(2026, 6, 1)).convert(amount, "USD") == Decimal("85.00")
    assert convert_table("EUR", date(2025, 12, 31)).convert(amount, "USD") is None


def test_the_inverse_and_a_third_currency_lead_there_too(load: Load) -> None:
    load(FILE)
    book = load_rates()

    assert book.table("USD", JUNE).convert(Decimal("85.00"), "EUR") == Decimal("100.00")
    assert book.table("KRW", JUNE).convert(Decimal("100.00"), "USD") == Decimal(136_000)
    assert book.table("USD", JUNE).convert(Decimal(136_000), "KRW") == Decimal("100.00")


def test_a_stated_rate_is_taken_before_the_inverse_and_before_a_detour() -> None:
    book = RateBook(
        (
            rate("USD", "EUR", "0.5"),
            rate("EUR", "USD", "3"),
            rate("USD", "KRW", "1000"),
            rate("EUR", "KRW", "1"),
        )
    )

    assert book.table("USD", JUNE).convert(Decimal(10), "EUR") == Decimal("30.00")
    assert book.table("EUR", JUNE).convert(Decimal(10), "USD") == Decimal("5.00")
    assert book.table("KRW", JUNE).convert(Decimal(10), "USD") == Decimal(10_000)


def test_the_page_can_say_which_rates_were_used() -> None:
    dollars, won = rate("USD", "EUR", "0.9"), rate("EUR", "KRW", "1600", JUNE)
    table = RateBook((dollars, won)).table("KRW", JUNE)

    assert table.rates_for(["USD", "EUR", "KRW"]) == [won, dollars]
    assert table.rates_for(["KRW"]) == []
    assert table.knows("USD")
    assert not table.knows("JPY")


def test_an_amount_in_the_currency_itself_is_left_alone() -> None:
    assert RateBook(()).table("EUR", JUNE).convert(Decimal("1.2345"), "EUR") == Decimal("1.2345")


@given(
    amount=st.decimals(min_value=-(10**9), max_value=10**9, places=4),
    stated=st.decimals(min_value=Decimal("0.0001"), max_value=10**6, places=8),
    target=st.sampled_from(["EUR", "KRW", "KWD"]),
)
def test_the_result_is_within_half_a_minor_unit_of_the_exact_one(
    amount: Decimal, stated: Decimal, target: str
) -> None:
    step = Fraction(1, 10 ** minor_units(target))
    for book, exact in (
        (RateBook((Rate("USD", target, stated, JANUARY),)), Fraction(amount) * Fraction(stated)),
        (RateBook((Rate(target, "USD", stated, JANUARY),)), Fraction(amount) / Fraction(stated)),
    ):
        got = book.table(target, JUNE).convert(amount, "USD")
        assert got is not None
        assert abs(Fraction(got) - exact) <= step / 2
        assert Fraction(got) % step == 0


def test_a_day_ends_in_the_supplier_s_time_zone(world: Flask) -> None:
    end = instant_of(date(2026, 6, 1))

    assert end + timedelta(microseconds=1) == datetime(
        2026, 6, 2, tzinfo=world.config["SETTINGS"].zone
    )
    assert instant_of(JUNE) is JUNE


def test_the_export_imported_again_changes_nothing(load: Load, now: datetime) -> None:
    assert load(FILE).new == 3
    text = export_text(BY_NAME["exchange-rates"], load_operator("test", "UTC"), None)
    again = load(text)

    assert (again.new, again.changed, again.unchanged, again.refused) == (0, 0, 3, [])
    events = select(Event).where(Event.kind == "exchange-rate", Event.occurred_at == now)
    assert [event.data for event in db.session.scalars(events)][-1:] == [{"new": 3, "changed": 0}]


def test_a_corrected_rate_counts_as_changed(load: Load) -> None:
    load(FILE)
    report = load(FILE.replace("1600", "1650.5"))

    assert (report.new, report.changed, report.unchanged) == (0, 1, 2)
    assert convert_table("KRW", JUNE).convert(Decimal(2), "EUR") == Decimal(3301)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("EUR,EUR,1,2026-01-01", "to_currency"),
        ("EUR,XXY,1,2026-01-01", "to_currency"),
        ("EUR,USD,0,2026-01-01", "rate"),
        ("EUR,USD,-1,2026-01-01", "rate"),
        ("EUR,USD,1e9,2026-01-01", "rate"),
        ("EUR,USD,0.00000000001,2026-01-01", "rate"),
        ("EUR,USD,,2026-01-01", "rate"),
        ("EUR,USD,1,", "valid_from"),
        ("EUR,USD,1,yesterday", "valid_from"),
        ("USD,EUR,0.9,2026-01-01", "from_currency"),
    ],
)
def test_a_row_that_can_t_be_a_rate_is_refused_and_nothing_is_written(
    row: str, column: str, load: Load, business_rows: Callable[[], object]
) -> None:
    before = business_rows()
    report = load(FILE + row + "\n")

    assert [(item.row, item.column) for item in report.refused] == [(5, column)]
    assert business_rows() == before


def test_only_those_with_the_right_import_rates(
    cast: Cast, now: datetime, business_rows: Callable[[], object]
) -> None:
    before = business_rows()
    table = read_table(FILE.encode(), "rates.csv")
    for actor in (cast.acme.admin, cast.supplier.account_manager, cast.supplier.order_desk):
        with pytest.raises(NotAllowedError):
            run_import(
                BY_NAME["exchange-rates"],
                table,
                actor=actor,
                mode=Mode.UPDATE,
                now=now,
                zone=ZoneInfo("UTC"),
            )
    assert business_rows() == before
    run_import(
        BY_NAME["exchange-rates"],
        table,
        actor=cast.supplier.pricing_manager,
        mode=Mode.UPDATE,
        now=now,
        zone=ZoneInfo("UTC"),
    )
    held = select(ExchangeRate).where(ExchangeRate.valid_from == JUNE)
    assert ("USD", Decimal("0.85")) in [
        (each.from_currency, each.rate) for each in db.session.scalars(held)
    ]
