"""Parsers of single cells: text in, typed value out, or a refusal that says what was expected."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal.errors import N_, InvalidError

UNLIMITED: Final = "unlimited"
_NUMBER: Final = re.compile(r"[+-]?\d{1,18}(?:\.(\d{1,18}))?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
_CODE: Final = re.compile(r"[^\s\x00-\x1f;]+")
_FARTHEST: Final = timedelta(days=1)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class CellError(InvalidError):
    """A cell's text can't be used."""


class NotANumberError(CellError):
    """Not a plain decimal number."""

    message = N_("Enter a number like 1234.50.")


class TooManyDecimalsError(CellError):
    """More decimals than the figure can have."""

    message = N_("At most {decimals} decimals are possible.")


class OutOfRangeError(CellError):
    """Outside the inclusive limits."""

    message = N_("The value must lie between {least} and {most}.")


class NotAChoiceError(CellError):
    """Not one of the words that are known."""

    message = N_("Use one of: {choices}.")


class TooLongError(CellError):
    """Longer than the column allows."""

    message = N_("At most {length} characters are possible.")


class NotAnInstantError(CellError):
    """Neither a day nor an instant (ISO 8601)."""

    message = N_("Enter a date like 2026-12-31 or an instant like 2026-12-31T17:00:00Z.")


class NotABooleanError(CellError):
    """Neither 0 nor 1."""

    message = N_("Enter 0 or 1.")


class BadTextError(CellError):
    """Text with control characters."""

    message = N_("The text contains control characters.")


class NotACodeError(CellError):
    """Text that can't be a code."""

    message = N_("A code has letters, digits, dots, hyphens and underscores, without spaces.")


Parser = Callable[[str, ZoneInfo], Any]


def text(length: int = 200) -> Parser:
    """Text of at most ``length`` characters without control characters."""

    def parse(raw: str, _zone: ZoneInfo) -> str:
        if len(raw) > length:
            raise TooLongError(length=length)
        if _CONTROL.search(raw):
            raise BadTextError
        return raw

    return parse


def code(length: int = 64) -> Parser:
    """A code as it is typed, without spaces."""

    def parse(raw: str, _zone: ZoneInfo) -> str:
        if len(raw) > length:
            raise TooLongError(length=length)
        if not _CODE.fullmatch(raw):
            raise NotACodeError
        return raw

    return parse


def decimal(
    decimals: int, *, least: Decimal | None = Decimal(0), most: Decimal = Decimal(10) ** 13
) -> Parser:
    """A plain decimal number with at most ``decimals`` places and inclusive limits."""

    def parse(raw: str, _zone: ZoneInfo) -> Decimal:
        number = _NUMBER.fullmatch(raw)
        if number is None:
            raise NotANumberError
        if len((number[1] or "").rstrip("0")) > decimals:
            raise TooManyDecimalsError(decimals=decimals)
        value = Decimal(raw)
        if (least is not None and value < least) or value > most:
            raise OutOfRangeError(least="-" if least is None else least, most=most)
        return value

    return parse


def integer(*, least: int = 0, most: int = 10**9) -> Parser:
    """A whole number within inclusive limits."""
    number = decimal(0, least=Decimal(least), most=Decimal(most))

    def parse(raw: str, zone: ZoneInfo) -> int:
        return int(number(raw, zone))

    return parse


def choice(choices: Iterable[str]) -> Parser:
    """One of some words."""
    known = tuple(choices)

    def parse(raw: str, _zone: ZoneInfo) -> str:
        if raw not in known:
            raise NotAChoiceError(choices=", ".join(known))
        return raw

    return parse


def boolean(raw: str, _zone: ZoneInfo) -> bool:
    """Parse 0 or 1."""
    if raw not in {"0", "1"}:
        raise NotABooleanError
    return raw == "1"


def codes(raw: str, _zone: ZoneInfo) -> tuple[str, ...]:
    """Parse a list in one cell, separated by semicolons; order kept, doubles dropped."""
    return tuple(dict.fromkeys(part.strip() for part in raw.split(";") if part.strip()))


def instant(raw: str, zone: ZoneInfo) -> datetime:
    """Parse an instant; a bare date is its midnight in the supplier's time zone."""
    return _instant(raw, zone, days=0)


def ending_instant(raw: str, zone: ZoneInfo) -> datetime:
    """Parse an exclusive ending instant; a bare date is the last day included."""
    return _instant(raw, zone, days=1)


def day(raw: str, _zone: ZoneInfo) -> date:
    """Parse a calendar day."""
    return _date(raw)


def _date(raw: str) -> date:
    if not _DAY.fullmatch(raw):
        raise NotAnInstantError
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise NotAnInstantError from error


def _instant(raw: str, zone: ZoneInfo, *, days: int) -> datetime:
    try:
        if _DAY.fullmatch(raw):
            value = datetime.combine(_date(raw) + timedelta(days=days), time(), zone)
        else:
            value = datetime.fromisoformat(raw)
            value = value if value.tzinfo else value.replace(tzinfo=zone)
        for way in (-_FARTHEST, _FARTHEST):
            value.astimezone(UTC) + way  # it has to have a place in every zone that may show it
    except (ValueError, OverflowError) as error:
        raise NotAnInstantError from error
    return value


def format_instant(value: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant so that `instant` reads it back: a midnight as its bare date."""
    if value is None:
        return ""
    local = value.astimezone(zone)
    return local.date().isoformat() if local.time() == time() else _exact(value)


def format_ending(value: datetime | None, zone: ZoneInfo) -> str:
    """Return an exclusive end so that `ending_instant` reads it back: as the last day included."""
    if value is None:
        return ""
    local = value.astimezone(zone)
    if local.time() == time():
        return (local.date() - timedelta(days=1)).isoformat()
    return _exact(value)


def _exact(value: datetime) -> str:
    return value.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
