"""How figures, dates and instants are written in the reader's language: the Jinja filters."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import dates, numbers
from flask import Flask
from flask_babel import gettext as _

from portal.errors import DomainError
from portal.money import Money, minor_units, round_half_up
from portal.web.locale import current_time_zone, language_in_force

NOTHING: Final = "–"
"""Shown where there is no value, so that a cell is never just empty."""


def decimal(value: Decimal | int | None, places: int = 0, most: int | None = None) -> str:
    """Write a number with grouped digits, ``places`` decimals and up to ``most`` where needed."""
    if value is None:
        return NOTHING
    fraction = "0" * places + "#" * max(0, (most or places) - places)
    pattern = "#,##0" + (f".{fraction}" if fraction else "")
    return number(round_half_up(Decimal(value), max(places, most or places)), pattern)


def number(value: Decimal, pattern: str) -> str:
    """Write a number by a pattern of CLDR, for example ``#,##0.00##``."""
    return _number(value or Decimal(0), pattern, language_in_force())  # a zero has no sign


@lru_cache(maxsize=16_384)
def _number(value: Decimal, pattern: str, locale: str) -> str:
    """Write a number; lists show the same few thousand again and again."""
    text: str = numbers.format_decimal(value, format=pattern, locale=locale)
    return text


@lru_cache(maxsize=4_096)
def _date(value: date, locale: str) -> str:
    return dates.format_date(value, "medium", locale=locale)


def money(value: Decimal | None, currency: str) -> str:
    """Write an amount with its currency's minor units and ISO code: 12,713.58 USD."""
    return NOTHING if value is None else f"{decimal(value, minor_units(currency))} {currency}"


def unit_price(value: Decimal | None, currency: str) -> str:
    """Write a unit price: at least the minor units, at most four decimals, and the ISO code."""
    if value is None:
        return NOTHING
    return f"{decimal(value, minor_units(currency), 4)} {currency}"


def quantity(value: Decimal | int | None) -> str:
    """Write a quantity with the decimals that it needs, at most three."""
    return decimal(value, 0, 3)


def percent(value: Decimal | int | None) -> str:
    """Write a percentage given in percent: 12.5 becomes 12.5%."""
    return NOTHING if value is None else f"{decimal(value, 0, 2)}%"


def day(value: date | datetime | None) -> str:
    """Write a calendar day; an instant is shown as its day in the reader's time zone."""
    if value is None:
        return NOTHING
    local = _local(value).date() if isinstance(value, datetime) else value
    return _date(local, language_in_force())


def last_day(value: datetime | None, zone: str | None = None) -> str:
    """Write the last day before an exclusive end, in ``zone`` or the reader's time zone."""
    if value is None:
        return NOTHING
    last = (value - timedelta(microseconds=1)).astimezone(_zone(zone))
    return _date(last.date(), language_in_force())


def instant(value: datetime | None) -> str:
    """Write day, hour and minute in the reader's time zone."""
    if value is None:
        return NOTHING
    return f"{day(value)} {_local(value):%H:%M}"


def duration(value: timedelta | int | None) -> str:
    """Write a length of time (or of so many minutes); the sign is left to the sentence."""
    if value is None:
        return NOTHING
    value = timedelta(minutes=value) if isinstance(value, int) else value
    hours, minutes = divmod(int(abs(value).total_seconds()) // 60, 60)
    if hours and minutes:
        return _("%(hours)s h %(minutes)s min", hours=decimal(hours), minutes=minutes)
    return (
        _("%(hours)s h", hours=decimal(hours)) if hours else _("%(minutes)s min", minutes=minutes)
    )


def exact_instant(value: datetime) -> str:
    """Write an instant to the second with its zone, for the hover text."""
    local = _local(value)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()} ({current_time_zone()})"


def iso_instant(value: datetime) -> str:
    """Write an instant for machines: ISO 8601 in UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def slug(text: object) -> str:
    """Turn words of any language into an identifier for the page's anchors."""
    return re.sub(r"\W+", "-", str(text).lower()).strip("-") or "part"


def refusal(error: DomainError) -> str:
    """Write a refusal in the reader's language, its figures and dates included."""
    details = {name: _readable(value) for name, value in error.details.items()}
    return _(error.message).format(**details)


def _readable(value: object) -> str:
    label = getattr(value, "label", None)
    if isinstance(value, Enum) and isinstance(label, str):
        return _(label)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, Money):
        return money(value.amount, value.currency)
    return decimal(value, 0, 4) if isinstance(value, Decimal) else str(value)


def _zone(name: str | None = None) -> ZoneInfo:
    return ZoneInfo(name or current_time_zone())


def _local(value: datetime) -> datetime:
    return value.astimezone(_zone())


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    for function in (
        money,
        unit_price,
        quantity,
        percent,
        decimal,
        day,
        last_day,
        instant,
        duration,
        exact_instant,
        iso_instant,
        slug,
        refusal,
    ):
        app.add_template_filter(function, function.__name__)
