"""Freight by country and net value; tax per rate, rounded once; and what has no rate."""

from decimal import Decimal

import pytest
from flask import Flask

from portal.catalog.pricing.charges import Destination, load_charges, tax_rates_for
from portal.catalog.pricing.tax_rules import TaxLine, TaxStatus, taxes
from tests.catalog.pricing.shop import DAY, T0, Shop

D = Decimal


@pytest.fixture
def shop(app: Flask) -> Shop:
    assert app.config["SETTINGS"]
    made = Shop()
    made.load(
        "freight-rates",
        "country,currency,net_from,charge\nDE,EUR,0,14.90\nDE,EUR,500,9.90\nDE,EUR,2500,0\n",
    )
    made.load(
        "tax-rates",
        "country,region,tax_category,rate,valid_from,valid_to\n"
        "US,,S,5,,\nUS,CA,S,7.25,,\nDE,,S,19,,2025-12-31\nDE,,S,20,2026-01-01,\n",
    )
    return made


@pytest.mark.parametrize(
    ("country", "currency", "net", "charge"),
    [
        ("DE", "EUR", "0", "14.90"),
        ("DE", "EUR", "499.99", "14.90"),
        ("DE", "EUR", "500", "9.90"),
        ("DE", "EUR", "9999", "0"),
        ("DE", "KRW", "500", None),
        ("FR", "EUR", "500", None),
    ],
)
def test_freight_is_that_of_the_highest_net_value_reached(
    shop: Shop, country: str, currency: str, net: str, charge: str | None
) -> None:
    assert shop.actor.is_supplier
    expected = None if charge is None else D(charge)
    charges = load_charges([Destination(country, None)], currency, [], T0)
    assert charges.freight(country, D(net)) == expected


def test_a_region_goes_before_its_country_and_dates_are_half_open(shop: Shop) -> None:
    assert shop.actor.is_supplier
    assert tax_rates_for("US", "CA", ["S", "Z"], T0) == {"S": D("7.25"), "Z": None}
    assert tax_rates_for("US", "NY", ["S"], T0) == {"S": D(5)}
    assert tax_rates_for("DE", None, ["S"], T0 - DAY) == {"S": D(19)}
    assert tax_rates_for("DE", None, ["S"], T0) == {"S": D(20)}


def test_the_rates_of_many_destinations_are_those_of_each(shop: Shop) -> None:
    assert shop.actor.is_supplier
    places = [Destination(*place) for place in [("US", "CA"), ("US", "NY"), ("DE", None)]]
    for at in (T0 - DAY, T0):
        charges = load_charges(places, "EUR", ["S", "Z"], at)

        for place in places:
            for category, rate in tax_rates_for(*place, ["S", "Z"], at).items():
                assert charges.tax_rate(place, category) == rate


def test_tax_is_rounded_once_for_each_rate() -> None:
    lines = [TaxLine("S", D("0.13")), TaxLine("S", D("0.13")), TaxLine("R", D("10"))]

    summary = taxes(lines, D("4.90"), "normal", {"S": D(19), "R": D(7)}, "EUR")

    assert [(each.rate, each.base, each.tax) for each in summary.taxes] == [
        (D(7), D(10), D("0.70")),
        (D(19), D("5.16"), D("0.98")),
    ]
    assert (summary.net_total, summary.tax_total, summary.gross_total) == (
        D("15.16"),
        D("1.68"),
        D("16.84"),
    )


def test_a_currency_without_minor_unit_has_whole_tax() -> None:
    summary = taxes([TaxLine("S", D(15))], D(0), "normal", {"S": D(10)}, "KRW")

    assert summary.gross_total == D(17)


@pytest.mark.parametrize("status", [TaxStatus.EXEMPT, TaxStatus.REVERSE_CHARGE])
def test_exempt_and_reverse_charge_bear_no_tax(status: TaxStatus) -> None:
    summary = taxes([TaxLine("S", D(100))], D(5), status, {}, "EUR")

    assert (summary.taxes, summary.tax_total, summary.gross_total) == ((), D(0), D(105))


def test_without_a_rate_there_is_neither_tax_nor_gross() -> None:
    summary = taxes([TaxLine("S", D(100)), TaxLine("X", D(1))], D(5), "normal", {"S": D(19)}, "EUR")

    assert summary.tax_total is None
    assert (summary.net_total, summary.tax_total, summary.gross_total) == (D(106), None, None)
