"""Reading freight and tax rates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    and_,
    bindparam,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from portal.accounts.models import Account, Address
from portal.catalog.pricing.chains import ASKED, Period, holds_within
from portal.catalog.pricing.models import FreightRate, TaxRate
from portal.catalog.pricing.tax_rules import TaxAmount, TaxLine, TaxSummary, taxes
from portal.db import db

__all__ = [
    "Charges",
    "Destination",
    "TaxAmount",
    "TaxLine",
    "TaxSummary",
    "load_charges",
    "make_charges",
    "select_charges",
    "tax_rates_for",
    "taxes",
]

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""From when a rate holds that has no beginning: any other one goes before it."""


class Destination(NamedTuple):
    """Where goods go, as far as freight and tax ask for it."""

    country: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Charges:
    """The freight and the tax rates of some destinations in one currency."""

    steps: Mapping[str, Sequence[tuple[Decimal, Decimal]]]
    """Country -> net value from which a charge holds, and the charge; the lowest first."""
    rates: Mapping[tuple[str, str | None, str], Decimal]
    """Country, region or None for all of it, tax category -> rate in per cent."""

    def freight(self, country: str, net_value: Decimal) -> Decimal | None:
        """Return what freight costs for goods of a net value; None where no rate fits."""
        reached = (charge for start, charge in self.steps.get(country, ()) if start <= net_value)
        return next(iter(list(reached)[-1:]), None)

    def tax_rate(self, place: Destination, tax_category: str) -> Decimal | None:
        """Return the rate in per cent; that of the region goes before one of the whole country."""
        of_country = self.rates.get((place.country, None, tax_category))
        return self.rates.get((place.country, place.region, tax_category), of_country)


def load_charges(
    places: Collection[Destination], currency: str, tax_categories: Iterable[str], at: datetime
) -> Charges:
    """Return what freight and tax some destinations ask for, in one statement."""
    countries = sorted({place.country for place in places})
    regions = sorted({place.region for place in places if place.region})
    statement = _charges(
        TaxRate.country.in_(countries),
        TaxRate.region.in_(regions),
        FreightRate.country.in_(countries),
        TaxRate.tax_category.in_(sorted(set(tax_categories))),
    )
    asked = {"currency": currency, "first": at, "last": at}
    return make_charges(db.session.execute(statement, asked))


@cache
def select_charges() -> CompoundSelect[*tuple[Any, ...]]:
    """Select what freight and tax the destinations of an account ask for, of every category."""
    account: BindParameter[int] = bindparam("account")
    ship_to = and_(Address.account_id == account, Address.kind == "ship")
    countries = union_all(
        select(Address.country).where(ship_to), select(Account.country).where(Account.id == account)
    )
    return _charges(
        TaxRate.country.in_(countries),
        TaxRate.region.in_(select(Address.region).where(ship_to)),
        FreightRate.country.in_(countries),
    )


def _charges(
    taxed_here: ColumnElement[bool],
    of_a_region: ColumnElement[bool],
    shipped_here: ColumnElement[bool],
    *narrowed: ColumnElement[bool],
) -> CompoundSelect[*tuple[Any, ...]]:
    """Select the tax rates in force somewhere, and the freight there; the others' part is null."""
    rates = select(
        TaxRate.country,
        TaxRate.region,
        TaxRate.tax_category,
        TaxRate.rate,
        TaxRate.valid_from,
        TaxRate.id,
        type_coerce(null(), FreightRate.net_from.type),
        type_coerce(null(), FreightRate.charge.type),
    ).where(
        taxed_here,
        or_(TaxRate.region.is_(None), of_a_region),
        holds_within(TaxRate.valid_from, TaxRate.valid_to, ASKED),
        *narrowed,
    )
    nothing = [null()] * 5
    freight = select(FreightRate.country, *nothing, FreightRate.net_from, FreightRate.charge).where(
        shipped_here, FreightRate.currency == bindparam("currency")
    )
    return union_all(rates, freight)


def make_charges(rows: Iterable[Sequence[Any]]) -> Charges:
    """Return the charges of the rows of either statement above."""
    steps: dict[str, list[tuple[Decimal, Decimal]]] = {}
    taxed: list[tuple[datetime, int, tuple[str, str | None, str], Decimal]] = []
    for country, region, category, rate, start, key, net_from, charge in rows:
        if charge is None:
            taxed.append((start or _ALWAYS, key, (country, region, category), rate))
        else:
            steps.setdefault(country, []).append((net_from, charge))
    return Charges(
        {country: sorted(found) for country, found in steps.items()},
        {place: rate for _start, _key, place, rate in sorted(taxed)},
    )


def tax_rates_for(
    country: str, region: str | None, tax_categories: Collection[str], at: datetime
) -> dict[str, Decimal | None]:
    """Return the rate in per cent of each tax category, None where there is none.

    A rate of the region goes before one of the whole country.
    """
    rows = db.session.execute(
        select(TaxRate.tax_category, TaxRate.rate)
        .where(
            TaxRate.country == country,
            or_(TaxRate.region.is_(None), TaxRate.region == region),
            TaxRate.tax_category.in_(sorted(set(tax_categories))),
            holds_within(TaxRate.valid_from, TaxRate.valid_to, Period(at, at)),
        )
        .order_by(TaxRate.region.is_not(None), TaxRate.valid_from, TaxRate.id)
    )
    known = {row.tax_category: row.rate for row in rows}
    return {category: known.get(category) for category in tax_categories}
