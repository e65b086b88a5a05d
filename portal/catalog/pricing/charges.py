"""Reading freight and tax rates."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from sqlalchemy import or_, select

from portal.catalog.pricing.chains import Period, holds_within
from portal.catalog.pricing.models import FreightRate, TaxRate
from portal.catalog.pricing.tax_rules import TaxAmount, TaxLine, TaxSummary, taxes
from portal.db import db

__all__ = ["TaxAmount", "TaxLine", "TaxSummary", "freight_for", "tax_rates_for", "taxes"]


def freight_for(
    country: str,
    currency: str,
    net_value: Decimal,
    at: datetime,  # noqa: ARG001 - callers say the instant; the rates of the file carry no dates
) -> Decimal | None:
    """Return what freight costs to a country for goods of a net value; None where no rate fits."""
    return db.session.scalar(
        select(FreightRate.charge)
        .where(
            FreightRate.country == country,
            FreightRate.currency == currency,
            FreightRate.net_from <= net_value,
        )
        .order_by(FreightRate.net_from.desc())
        .limit(1)
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
