"""Opening hours and days as people write them, and as the table keeps them."""

import itertools
import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any, Final

from portal.calendars.rules import MIDNIGHT, Span
from portal.errors import N_, InvalidError

MOST_SPANS: Final = 6
MOST_DAYS: Final = 400
_SPAN: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—〜~]\s*(\d{1,2})(?:[:.](\d{2}))?")
_HOURS_OF_A_DAY: Final = 24


class HoursError(InvalidError):
    """Opening hours that can't be read."""

    message = N_(
        "“{text}” are no opening hours. Write them such as 09:00-12:30, 13:30-18:00; "
        "an empty field is a closed day."
    )


class HoursOrderError(InvalidError):
    """Opening hours that overlap or run backwards."""

    message = N_(
        "“{text}”: each time must be later than the one before it. Hours after midnight "
        "belong to the next day."
    )


class DayError(InvalidError):
    """A line that names no day."""

    message = N_("Line {line}: “{text}” is no day. Write one day on each line, such as 2026-12-24.")


class TooManyDaysError(InvalidError):
    """More days than a calendar can hold."""

    message = N_("A calendar holds at most {most} days of its own.")


def read_spans(text: str) -> tuple[Span, ...]:
    """Return the opening spans of ``09:00-12:30, 13:30-18:00``; nothing for an empty text.

    Raises:
        HoursError: It can't be read.
        HoursOrderError: Spans overlap, touch or run backwards.
    """
    parts = [part for part in re.split(r"[,;，、]", text.strip()) if part.strip()]  # noqa: RUF001 - what people type
    if len(parts) > MOST_SPANS:
        raise HoursError(text=text[:60])
    edges = [edge for part in parts for edge in _read_span(part, text)]
    if any(later <= earlier for earlier, later in itertools.pairwise(edges)):
        raise HoursOrderError(text=text[:60])
    walls = [time(minutes // 60 % _HOURS_OF_A_DAY, minutes % 60) for minutes in edges]
    return tuple(zip(walls[::2], walls[1::2], strict=True))


def _read_span(part: str, text: str) -> tuple[int, int]:
    """Return from and to in minutes since midnight."""
    found = _SPAN.fullmatch(part.strip())
    if found is None:
        raise HoursError(text=text[:60])
    hours = [int(item or 0) for item in found.groups()]
    opens, closes = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if max(hours[1], hours[3]) > 59 or max(opens, closes) > _HOURS_OF_A_DAY * 60:  # noqa: PLR2004
        raise HoursError(text=text[:60])
    return opens, closes


def write_spans(spans: Iterable[Span]) -> str:
    """Return spans as `read_spans` reads them; midnight as an end is 24:00."""
    return ", ".join("-".join(pair) for pair in spans_plain(spans))


def spans_plain(spans: Iterable[Span]) -> list[list[str]]:
    """Return spans as the table keeps them."""
    return [
        [f"{opens:%H:%M}", "24:00" if closes == MIDNIGHT else f"{closes:%H:%M}"]
        for opens, closes in spans
    ]


def spans_of(plain: Iterable[Any]) -> tuple[Span, ...]:
    """Return the spans that the table keeps."""
    return tuple((_wall(opens), _wall(closes)) for opens, closes in plain)


def _wall(text: str) -> time:
    return MIDNIGHT if text == "24:00" else time.fromisoformat(text)


def read_days(text: str) -> tuple[date, ...]:
    """Return the days of a text, one on each line, each once and in order.

    Raises:
        DayError: A line is no day.
        TooManyDaysError: There are too many.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    days = {_read_day(line, number) for number, line in lines if line}
    if len(days) > MOST_DAYS:
        raise TooManyDaysError(most=MOST_DAYS)
    return tuple(sorted(days))


def read_special_days(text: str) -> dict[date, tuple[Span, ...]]:
    """Return days with hours of their own: ``2026-12-24 09:00-12:00`` on each line.

    Raises:
        DayError, HoursError, HoursOrderError, TooManyDaysError: See there.
    """
    days: dict[date, tuple[Span, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        day, _, hours = line.strip().partition(" ")
        if not day:
            continue
        spans = read_spans(hours)
        if not spans:
            raise HoursError(text=line.strip()[:60])
        days[_read_day(day, number)] = spans
    if len(days) > MOST_DAYS:
        raise TooManyDaysError(most=MOST_DAYS)
    return dict(sorted(days.items()))


def write_special_days(days: Mapping[date, Iterable[Span]]) -> str:
    """Return special days as `read_special_days` reads them."""
    return "\n".join(f"{day.isoformat()} {write_spans(spans)}" for day, spans in days.items())


def _read_day(text: str, number: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DayError(line=number, text=text[:40]) from None
