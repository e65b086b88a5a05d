"""Lists as data: which columns a table and its export show, and by what it may be sorted."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, Literal, TypeVar

from flask import Response, request

from portal.jobs.actions import progress
from portal.web.addresses import url_with
from portal.web.exports import must_fit

Kind = Literal["text", "number", "money", "day", "instant"]
NUMERIC: Final = frozenset({"number", "money"})
PROGRESS_ROWS: Final = 250
MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}

Row = TypeVar("Row")
Key = TypeVar("Key", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)  # no slots: with them `Column[Row](...)` fails in 3.11
class Column(Generic[Row]):
    """One column: ``key`` names it in files, ``label`` on the page, ``value`` reads a row.

    ``currency`` is asked for columns of kind money, ``url`` turns the cell into a link, ``sort``
    is the name by which the address asks for this order.
    """

    key: str
    label: Any
    value: Callable[[Row], Any]
    kind: Kind = "text"
    sort: str | None = None
    currency: Callable[[Row], str] | None = None
    url: Callable[[Row], str] | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds figures, which stand at the end of their cell."""
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class Sort(Generic[Key]):
    """The order of a list; only names of its enum can ever reach a query."""

    key: Key
    descending: bool = False

    def url(self, key: str) -> str:
        """Return the address that sorts by ``key``, turning the order round where it is on."""
        turned = key == self.key and not self.descending
        return url_with(sort=f"-{key}" if turned else key, page=None)


def sort_of(keys: type[Key], default: Key, *, descending: bool = False) -> Sort[Key]:
    """Return the order that the address asks for: ``?sort=name`` or ``?sort=-name``."""
    asked = request.args.get("sort", "")
    try:
        return Sort(keys(asked.removeprefix("-")), asked.startswith("-"))
    except ValueError:
        return Sort(default, descending)


def header_of(columns: Iterable[Column[Row]]) -> list[str]:
    """Return the names of the columns as files carry them; a money column brings its currency."""
    names: list[str] = []
    for column in columns:
        names.append(column.key)
        if column.kind == "money":
            names.append(f"{column.key}_currency")
    return names


def cells_of(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> Iterator[list[Any]]:
    """Yield the values of each row as a file holds them: plain, exact, untranslated.

    A job says on the way how far it is.

    Raises:
        TooLargeError: More rows than a page writes while somebody waits.
    """
    total = len(rows) if isinstance(rows, Sized) else None
    must_fit(total or 0)
    for number, row in enumerate(rows):
        if number % PROGRESS_ROWS == 0:
            progress(number, total)
        cells: list[Any] = []
        for column in columns:
            cells.append(column.value(row))
            if column.kind == "money":
                cells.append(column.currency(row) if column.currency else "")
        yield cells


def file_response(content: bytes | str, name: str) -> Response:
    """Answer with a file to keep; its kind follows from the ending of ``name``."""
    body = b"\xef\xbb\xbf" + content.encode() if isinstance(content, str) else content
    response = Response(body, content_type=MEDIA_TYPES[name.rpartition(".")[2]])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
