"""Public holidays of countries and their parts, from the `holidays` library."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Final

import holidays

from portal.errors import N_, InvalidError

_LANGUAGES: Final = {"en": "en_US", "ko": "ko", "zh-Hans": "zh_CN", "zh-Hant": "zh_TW"}


class UnknownCountryError(InvalidError):
    """The library knows no holidays of this country."""

    message = N_("The public holidays of {country} are not known. Enter the days below instead.")
    field = "country"


class UnknownSubdivisionError(InvalidError):
    """The country has no such part, or none whose holidays differ."""

    message = N_("{country} has no region {subdivision}. Known are: {known}.")
    field = "subdivision"


@cache
def known_countries() -> Mapping[str, tuple[str, ...]]:
    """Return country -> its regions whose holidays are known (ISO 3166)."""
    found = holidays.list_supported_countries(include_aliases=False)
    return MappingProxyType({code: tuple(sorted(parts)) for code, parts in sorted(found.items())})


def check_region(country: str | None, subdivision: str | None) -> None:
    """Refuse a country or region whose holidays are not known.

    Raises:
        UnknownCountryError, UnknownSubdivisionError: See there.
    """
    if not country:
        if subdivision:
            raise UnknownSubdivisionError(country="–", subdivision=subdivision, known="–")
        return
    known = known_countries().get(country)
    if known is None:
        raise UnknownCountryError(country=country)
    if subdivision and subdivision not in known:
        raise UnknownSubdivisionError(
            country=country, subdivision=subdivision, known=", ".join(known) or "–"
        )


def public_holidays(
    country: str | None, subdivision: str | None, years: Iterable[int]
) -> frozenset[date]:
    """Return the public holidays of some years; none without a country."""
    days = frozenset[date]()
    for year in years:
        days |= _days(country, subdivision, year) if country else frozenset()
    return days


@cache
def _days(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


def named_holidays(
    country: str, subdivision: str | None, year: int, language: str
) -> Sequence[tuple[date, str]]:
    """Return the days of a year with their names, in ``language`` where the library has it."""
    wanted = _LANGUAGES.get(language, "en_US")
    made = holidays.country_holidays(country, subdiv=subdivision, years=year)
    spoken = wanted if wanted in made.supported_languages else "en_US"
    if spoken in made.supported_languages:
        made = holidays.country_holidays(country, subdiv=subdivision, years=year, language=spoken)
    return sorted(made.items())
