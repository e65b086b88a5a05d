"""What a report answers: rows of figures with their columns, the same for page, file and mail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar, overload

from flask_babel import gettext as _

from portal.reports.figures import Figure, Kind
from portal.web.tables import Column

NO_KEY: Final = "-"
"""Key of the group of rows that have no value there."""
MOST_BARS: Final = 12
Group = TypeVar("Group")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One group of a report with its figures by their key; ``url`` leads to the rows behind it."""

    key: str
    label: str
    values: Mapping[str, Any]
    currency: str = ""
    url: str = ""
    sort: Any = None


class LateRows(Sequence[ResultRow], Generic[Group]):
    """Rows that are made when they are looked at: of ten thousand groups a page shows a few."""

    def __init__(self, groups: Sequence[Group], make: Callable[[Group], ResultRow]) -> None:
        self._groups, self._make = groups, make

    def __len__(self) -> int:
        return len(self._groups)

    @overload
    def __getitem__(self, place: int) -> ResultRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[ResultRow]: ...
    def __getitem__(self, place: int | slice) -> ResultRow | list[ResultRow]:
        if isinstance(place, slice):
            return [self._make(group) for group in self._groups[place]]
        return self._make(self._groups[place])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a chart, as long as the chart has places."""

    name: str
    values: Sequence[Decimal | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The figures of a table as bars; ``kind`` is "time" (upright) or "groups" (lying)."""

    kind: str
    title: str
    places: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    left_out: int = 0
    urls: Sequence[str] = ()

    def plain(self) -> dict[str, Any]:
        """Return it for the script that draws it; figures become numbers of pixels there."""
        return {
            "kind": self.kind,
            "title": self.title,
            "unit": self.unit,
            "places": list(self.places),
            "urls": list(self.urls),
            "series": [
                {
                    "name": series.name,
                    "values": [None if value is None else str(value) for value in series.values],
                }
                for series in self.series
            ],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A total beside the same total of the period it is held against."""

    figure: Figure
    now: Any
    before: Any
    percent: Decimal | None

    @property
    def label(self) -> str:
        """What the figure is called."""
        return _(self.figure.label)

    @property
    def is_good(self) -> bool | None:
        """Whether the figure moved the way it should; ``None`` where nobody can say."""
        if self.now is None or self.before is None or self.now == self.before:
            return None
        if self.figure.is_better_up is None:
            return None
        return bool((self.now > self.before) == self.figure.is_better_up)

    @property
    def is_up(self) -> bool | None:
        """Whether the figure grew; ``None`` where it did not move."""
        if self.now is None or self.before is None or self.now == self.before:
            return None
        return bool(self.now > self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """A report, worked out for one person: the same figures on page, in file and mail."""

    name: str
    title: str
    columns: Sequence[Column[ResultRow]]
    rows: Sequence[ResultRow]
    totals: ResultRow | None = None
    chart: Chart | None = None
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()
    currency: str = ""
    changes: Sequence[Change] = ()
    figures: Sequence[Figure] = field(default=())


def columns_of(
    heading: str, key: str, figures: Sequence[Figure], currency: str
) -> list[Column[ResultRow]]:
    """Return the columns of a table of groups: how they are called, then their figures."""
    first: Column[ResultRow] = Column(
        key=key,
        label=heading,
        value=lambda row: row.label,
        url=lambda row: row.url,
    )
    return [first, *(_column(figure, currency) for figure in figures)]


def _column(figure: Figure, currency: str) -> Column[ResultRow]:
    def read(row: ResultRow) -> Any:  # noqa: ANN401 - the value of a cell
        return row.values.get(figure.key)

    if figure.kind is Kind.MONEY:
        return Column(
            key=figure.key,
            label=_(figure.label),
            value=read,
            kind="money",
            currency=lambda row: row.currency or currency,
        )
    return Column(key=figure.key, label=_(figure.label), value=read, kind="number")


def chart_of(
    title: str,
    rows: Sequence[ResultRow],
    figures: Sequence[Figure],
    *,
    is_time: bool,
    currency: str,
) -> Chart | None:
    """Return the chart of a table: all pieces of a time line, or the first groups of a list."""
    shown = rows[: None if is_time else MOST_BARS]
    if not shown or not figures:
        return None
    is_money = figures[0].kind is Kind.MONEY
    return Chart(
        kind="time" if is_time else "groups",
        title=title,
        places=[row.label for row in shown],
        series=[
            Series(_(figure.label), [row.values.get(figure.key) for row in shown])
            for figure in figures
        ],
        unit=currency if is_money else "",
        left_out=len(rows) - len(shown),
        urls=[row.url for row in shown],
    )


Reader = Callable[[Any], Any]
