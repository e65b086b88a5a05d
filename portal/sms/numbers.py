"""Telephone numbers: read as people write them, kept as the world dials them (E.164)."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from portal.errors import N_, InvalidError


class PhoneError(InvalidError):
    """No telephone number that could ring."""

    message = N_(
        "“{text}” is no telephone number. Write it with its country, such as +49 30 1234567."
    )
    field = "alarm_phone"


def parse_phone(text: str, country: str | None = None) -> str:
    """Return a telephone number as E.164, for example ``+49301234567``.

    Args:
        country: Where a number without a country code is dialled (ISO 3166-1).

    Raises:
        PhoneError: It can't be read, or nobody can have such a number.
    """
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        raise PhoneError(text=text[:40]) from None
    if not phonenumbers.is_possible_number(number):
        raise PhoneError(text=text[:40])
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def readable_phone(number: str) -> str:
    """Return an E.164 number as people read it: ``+49 30 1234567``."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return number
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
