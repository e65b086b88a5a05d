"""Cells of files about accounts: countries, currencies, languages, e-mails, and their refusals."""

import re
from decimal import Decimal
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import pycountry

from portal.accounts.patterns import LONGEST_PATTERN, is_safe
from portal.accounts.rules import BadEmailError, ManagerLoopError, ParentLoopError, normal_email
from portal.errors import N_
from portal.files.parsing import CellError, text
from portal.money import CURRENCIES
from portal.web.locale import LANGUAGES

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_LONGEST_LOCALE: Final = 16


class UnknownAccountError(CellError):
    """No such account, or not one for this importer: answered alike."""

    message = N_("There is no account with this code that you may change.")


class UnknownUnitError(CellError):
    """The account has no such unit."""

    message = N_("The account has no unit with this code.")


class UnknownGroupError(CellError):
    """The account has no such access group."""

    message = N_("The account has no access group with this code.")


class UnknownMemberError(CellError):
    """Nobody of the account has this e-mail."""

    message = N_("Nobody of this account has this e-mail.")


class UnknownAssortmentError(CellError):
    """The account has no such assortment."""

    message = N_("The account has no assortment {code}.")


class UnknownCountryError(CellError):
    """Not an ISO 3166-1 code."""

    message = N_("Use a country code of two letters, such as DE.")


class UnknownCurrencyError(CellError):
    """Not an ISO 4217 code."""

    message = N_("Use a currency code of three letters, such as EUR.")


class UnknownLocaleError(CellError):
    """Not a BCP 47 tag."""

    message = N_("Use a language tag such as en, ko or zh-Hans.")


class UnknownTimeZoneError(CellError):
    """Not an IANA name."""

    message = N_("Use a time zone such as Europe/Berlin.")


class BadPatternError(CellError):
    """Not a regular expression."""

    message = N_("This pattern can't be read as a regular expression.")


class RunawayPatternError(CellError):
    """A regular expression that could keep the portal busy for ever, or a rare kind of one."""

    message = N_(
        "This pattern is too involved: no repetition inside a repetition, nothing that looks"
        " around or back, and few parts of varying length."
    )


class EmailCellError(CellError):
    """Not an e-mail address."""

    message = BadEmailError.message


class LoopCellError(CellError):
    """The units lead back to themselves."""

    message = ParentLoopError.message


class SupplierRowError(CellError):
    """The supplier's own account is made at installation, not by a file."""

    message = N_("This is the supplier's own account: files don't change it.")


class OtherNameError(CellError):
    """One person has one name and one language."""

    message = N_("Row {other} gives this person another name or language.")


class ManagerLoopCellError(CellError):
    """The managers lead back to themselves."""

    message = ManagerLoopError.message


def country(raw: str, _zone: ZoneInfo) -> str:
    """Parse an ISO 3166-1 code of two letters."""
    if pycountry.countries.get(alpha_2=raw) is None or raw != raw.upper():
        raise UnknownCountryError
    return raw


def currency(raw: str, _zone: ZoneInfo) -> str:
    """Parse an ISO 4217 code."""
    if raw not in CURRENCIES:
        raise UnknownCurrencyError
    return raw


def locale(raw: str, _zone: ZoneInfo) -> str:
    """Parse a BCP 47 tag; one of our own is written as we do, any other is kept as it is."""
    if len(raw) > _LONGEST_LOCALE or not _LOCALE.fullmatch(raw):
        raise UnknownLocaleError
    return next((tag for tag in LANGUAGES if tag.lower() == raw.lower()), raw)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(raw: str, _zone: ZoneInfo) -> str:
    """Parse an IANA time zone."""
    if raw not in _time_zones():
        raise UnknownTimeZoneError
    return raw


def email(raw: str, _zone: ZoneInfo) -> str:
    """Parse an e-mail into the identity it is."""
    try:
        return normal_email(raw)
    except BadEmailError as error:
        raise EmailCellError from error


def pattern(raw: str, zone: ZoneInfo) -> str:
    """Parse a regular expression of at most 200 characters."""
    checked = str(text(LONGEST_PATTERN)(raw, zone))
    try:
        re.compile(checked)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPatternError from error
    if not is_safe(checked):
        raise RunawayPatternError
    return checked


def plain_amount(value: Decimal | None) -> Decimal | None:
    """Return an amount with two decimals, or more where it has them."""
    if value is None:
        return None
    short = value.quantize(Decimal("0.01"))
    return short if short == value else value.normalize()
