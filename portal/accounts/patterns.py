"""Regular expressions that files bring: only those whose match can't run away, without a database.

Python's matcher tries one way after the other. A pattern like ``(a+)+b`` has more ways than anybody
can wait for, so the ways of a pattern are counted, as an upper bound, before it is taken.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_PATTERN: Final = 200
LONGEST_TEXT: Final = 64
"""How much text is ever matched; no repetition takes more rounds than there are characters."""
MOST_WAYS: Final = 250_000

_CLASS: Final = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]")
_COUNT: Final = re.compile(r"\{(\d{0,3})(?:(,)(\d{0,3}))?\}")
_PLAIN_ESCAPES: Final = frozenset("dDwWsS")


def is_safe(pattern: str) -> bool:
    r"""Whether a pattern is one of the plain kind and is matched quickly.

    Plain are characters, classes, groups, ``|``, and the repetitions ``? * + {m,n}``. What looks
    around or back (``(?=``, ``\1``), and lazy or possessive repetition, is not.
    """
    if len(pattern) > LONGEST_PATTERN:
        return False
    try:
        re.compile(pattern)
        return _Reader(pattern).count() <= MOST_WAYS
    except (re.error, OverflowError, RecursionError, _NotPlainError):
        return False


class _NotPlainError(Exception):
    """The pattern uses more than the plain kind."""


@dataclass(slots=True)
class _Reader:
    """Reads a pattern from left to right and counts the ways in which its parts can match."""

    pattern: str
    place: int = 0

    def count(self) -> int:
        ways = self._branches()
        if self.place != len(self.pattern):
            raise _NotPlainError
        return ways

    def _next(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def _branches(self) -> int:
        """Add up the ways of each side of ``|``."""
        ways = self._row()
        while self._next() == "|":
            self.place += 1
            ways += self._row()
        return ways

    def _row(self) -> int:
        """Multiply the ways of what stands side by side."""
        ways = 1
        while self._next() not in {"", "|", ")"}:
            ways = _bounded(ways * self._repeated(self._one()))
        return ways

    def _one(self) -> int:
        found = self._next()
        if found == "(":
            return self._group()
        if found == "[":
            match = _CLASS.match(self.pattern, self.place)
            if match is None:
                raise _NotPlainError
            self.place = match.end()
            return 1
        self.place += 2 if found == "\\" else 1
        escaped = self.pattern[self.place - 1]
        if found == "\\" and escaped.isalnum() and escaped not in _PLAIN_ESCAPES:
            raise _NotPlainError
        return 1

    def _group(self) -> int:
        self.place += 1
        if self._next() == "?":
            if not self.pattern.startswith("?:", self.place):
                raise _NotPlainError
            self.place += 2
        ways = self._branches()
        self.place += 1
        return ways

    def _repeated(self, ways: int) -> int:
        """Return the ways of something with the repetition that follows it."""
        least, most = self._range()
        if self._next() in {"?", "*", "+"}:
            raise _NotPlainError
        total = 0
        for rounds in range(min(least, LONGEST_TEXT), min(most, LONGEST_TEXT) + 1):
            total = _bounded(total + _power(ways, rounds))
        return max(total, 1)

    def _range(self) -> tuple[int, int]:
        found = self._next()
        if found in {"?", "*", "+"}:
            self.place += 1
            return (1 if found == "+" else 0), (1 if found == "?" else LONGEST_TEXT)
        match = _COUNT.match(self.pattern, self.place)
        if match is None:
            return 1, 1
        self.place = match.end()
        least = int(match[1] or 0)
        if match[2] is None:
            return least, least
        return least, int(match[3]) if match[3] else LONGEST_TEXT


def _power(ways: int, rounds: int) -> int:
    total = 1
    for _ in range(rounds if ways > 1 else 0):
        total = _bounded(total * ways)
    return total


def _bounded(ways: int) -> int:
    return min(ways, MOST_WAYS + 1)
