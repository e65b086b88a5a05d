"""Numbers as people type them: spaces, full-width digits, either decimal style. Pure functions."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

MOST_CHARACTERS: Final = 40

_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_GROUPED_BY_DOTS: Final = re.compile(r"[+-]?\d{1,3}((\.\d{3}){2,}(,\d+)?|\.\d{3},\d+)")
_POINT: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_COMMA: Final = re.compile(r"[+-]?(\d+,\d*|,\d+)")


class NotANumberError(ValueError):
    """The text is not a number, or could be two different ones."""


def parse_number(text: str) -> Decimal:
    """Read a decimal number as typed in English, Chinese or Korean, or with a decimal comma.

    ``1,250`` is one thousand two hundred and fifty, as in the languages that the portal speaks;
    ``12,5`` is twelve and a half. Exponents, infinities and signs inside are refused.

    Raises:
        NotANumberError: ``text`` can't be read as one number.
    """
    folded = unicodedata.normalize("NFKC", text).replace("−", "-").replace("、", ",")
    plain = re.sub(r"[\s'’_]", "", folded)
    if not plain or len(plain) > MOST_CHARACTERS or not plain.isascii():
        raise NotANumberError(text)
    if _GROUPED.fullmatch(plain):
        return Decimal(plain.replace(",", ""))
    if _GROUPED_BY_DOTS.fullmatch(plain):
        return Decimal(plain.replace(".", "").replace(",", "."))
    if _POINT.fullmatch(plain):
        return Decimal(plain)
    if _COMMA.fullmatch(plain):
        return Decimal(plain.replace(",", "."))
    raise NotANumberError(text)


def decimals_of(value: Decimal) -> int:
    """Return how many decimals a finite value needs: 2.50 needs one."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
