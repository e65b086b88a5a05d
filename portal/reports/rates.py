"""Reading exchange rates."""

from datetime import date, datetime, time, timedelta

from flask import current_app
from sqlalchemy import select

from portal.config import Settings
from portal.db import db
from portal.reports.conversion import ConversionTable, Rate, RateBook
from portal.reports.models import ExchangeRate


def load_rates() -> RateBook:
    """Return every exchange rate, in one statement."""
    rows = db.session.execute(
        select(
            ExchangeRate.from_currency,
            ExchangeRate.to_currency,
            ExchangeRate.rate,
            ExchangeRate.valid_from,
        ).order_by(ExchangeRate.id)
    )
    return RateBook(tuple(Rate(*row) for row in rows))


def convert_table(currency: str, on: date | datetime) -> ConversionTable:
    """Return how amounts become ``currency`` with the rates of a day or instant.

    Args:
        on: A day means its end in the supplier's time zone.
    """
    return load_rates().table(currency, instant_of(on))


def instant_of(on: date | datetime) -> datetime:
    """Return an instant as it is, and a day as its last moment in the supplier's time zone."""
    if isinstance(on, datetime):
        return on
    settings: Settings = current_app.config["SETTINGS"]
    midnight = datetime.combine(on + timedelta(days=1), time(), settings.zone)
    return midnight - timedelta(microseconds=1)
