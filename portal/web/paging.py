"""Pages of a list: which one is asked for, how many there are, which numbers to offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from flask import request

SIZES: Final = (50, 100, 250)
LAST_NUMBER: Final = 1_000_000
"""Beyond this a page number is an attack on the database's OFFSET, not a wish."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and where they stand in it; numbers count from 1."""

    items: Sequence[T]
    total: int
    number: int = 1
    size: int = SIZES[0]

    sizes: ClassVar[tuple[int, ...]] = SIZES

    @property
    def pages(self) -> int:
        """How many pages the list has, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Position of the first row shown; 0 for an empty list."""
        return min((self.number - 1) * self.size + 1, self.total) if self.items else 0

    @property
    def last(self) -> int:
        """Position of the last row shown."""
        return self.first + len(self.items) - 1 if self.items else 0

    @property
    def window(self) -> list[int | None]:
        """Page numbers to offer: the first, the last, those near; None is a gap."""
        near = {1, self.pages, *range(self.number - 2, self.number + 3)}
        shown = sorted(number for number in near if 1 <= number <= self.pages)
        offered: list[int | None] = []
        for number in shown:
            if offered and offered[-1] is not None and number > offered[-1] + 1:
                offered.append(None)
            offered.append(number)
        return offered


def page_number() -> int:
    """Return the page asked for in the address; 1 for nonsense."""
    return min(max(_whole(request.args.get("page")), 1), LAST_NUMBER)


def page_size(usual: int = SIZES[0]) -> int:
    """Return the page size asked for, one of `SIZES`, or the usual one."""
    size = _whole(request.args.get("size"))
    return size if size in SIZES else usual


def offset_of(number: int, size: int) -> int:
    """Return how many rows lie before a page."""
    return (number - 1) * size


def _whole(text: str | None) -> int:
    if not text or len(text) > len(str(LAST_NUMBER)) or not (text.isascii() and text.isdigit()):
        return 0
    return int(text)
