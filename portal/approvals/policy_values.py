"""The values that a policy file may hold: each parser takes one value or refuses it with words."""

import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from portal.approvals.rules import Quorum, RequesterTotal
from portal.errors import N_
from portal.policy import Role

LARGEST: Final = Decimal(10) ** 13


class UnusableError(Exception):
    """A value that its place does not take."""

    def __init__(self, message: str, **details: str) -> None:
        super().__init__(message)
        self.message, self.details = message, details


def parse_text(value: object) -> str:
    """Take a text of 1 to 200 characters, trimmed."""
    if not isinstance(value, str) or not value.strip() or len(value) > 200:  # noqa: PLR2004
        raise UnusableError(N_("This is a text of 1 to 200 characters."))
    if any(unicodedata.category(char) == "Cc" for char in value.strip()):
        raise UnusableError(N_("The text contains control characters."))
    return value.strip()


def boolean(value: object) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise UnusableError(N_("This is true or false."))
    return value


def only_true(value: object) -> bool:
    """Take true: there is no opposite of this condition."""
    if value is not True:
        raise UnusableError(N_("This can only be true."))
    return True


def whole(least: int) -> Callable[[object], int]:
    """Return a parser of whole numbers from ``least``."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 10**6:
            raise UnusableError(N_("This is a whole number from {least}."), least=str(least))
        return value

    return parse


def choice(*options: str) -> Callable[[object], str]:
    """Return a parser of some words."""

    def parse(value: object) -> str:
        if value not in options or not isinstance(value, str):
            raise UnusableError(N_("This is one of {options}."), options=", ".join(options))
        return value

    return parse


def parse_quorum(value: object) -> Quorum:
    """Take how many of its people a step needs."""
    if value == "any":
        return "any"
    if value == "all":
        return "all"
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 1000:  # noqa: PLR2004
        raise UnusableError(N_("This is “any”, “all” or a whole number from 1."))
    return value


def parse_amount(value: object) -> Decimal:
    """Take an amount of money, from 0, with at most 4 decimals."""
    problem = N_("This is an amount from 0, with a point and at most 4 decimals.")
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise UnusableError(problem)
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise UnusableError(problem) from None
    if not amount.is_finite() or not 0 <= amount < LARGEST or amount != round(amount, 4):
        raise UnusableError(problem)
    return amount


def percent(value: object) -> Decimal:
    """Take a percentage from 0 to 100."""
    amount = parse_amount(value)
    if amount > 100:  # noqa: PLR2004
        raise UnusableError(N_("This is a percentage from 0 to 100."))
    return amount


def words(change: Callable[[str], str] = str) -> Callable[[object], tuple[str, ...]]:
    """Return a parser of lists of texts, each changed by ``change`` and kept once."""

    def parse(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= 500:  # noqa: PLR2004
            raise UnusableError(N_("This is a list of 1 to 500 texts."))
        return tuple(dict.fromkeys(change(parse_text(item)) for item in value))

    return parse


def parse_role(value: object) -> str:
    """Take the code of a built-in role."""
    return choice(*(role.value for role in Role))(value)


def roles(value: object) -> tuple[str, ...]:
    """Take a list of roles."""
    return tuple(parse_role(item) for item in words()(value))


def countries(value: object) -> tuple[str, ...]:
    """Take a list of ISO 3166 country codes."""
    codes = words(str.upper)(value)
    if any(len(code) != 2 or not code.isalpha() or not code.isascii() for code in codes):  # noqa: PLR2004
        raise UnusableError(N_("These are ISO 3166 codes of two letters."))
    return codes


def category(value: object) -> str:
    """Take the path of a category, without slashes at its ends."""
    path = parse_text(value)
    return "/".join(part.strip() for part in path.strip("/").split("/"))


def requester_total(value: object) -> RequesterTotal:
    """Take an amount with the days that it is counted over."""
    if not isinstance(value, dict) or set(value) != {"amount", "days"}:
        raise UnusableError(N_("This is an object with an amount and days."))
    return RequesterTotal(parse_amount(value["amount"]), whole(1)(value["days"]))


CONDITIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "total_over": parse_amount,
    "total_up_to": parse_amount,
    "category_under": category,
    "off_contract": only_true,
    "discount_over_percent": percent,
    "cost_centres": words(),
    "requester_roles": roles,
    "ship_to_countries": countries,
    "requester_total_over": requester_total,
}
