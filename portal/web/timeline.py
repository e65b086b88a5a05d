"""A time line as a page shows it: events in words, with names instead of ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from flask_babel import gettext as _

from portal.web.formats import quantity


class Happening(Protocol):
    """What a time line needs to know of an event."""

    @property
    def verb(self) -> str:
        """What was done."""

    @property
    def occurred_at(self) -> datetime:
        """When it was done."""

    @property
    def person_id(self) -> int | None:
        """Who did it."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Ids and figures."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line: when, what, who; ``tone`` is one of the five of a status."""

    at: datetime
    label: str
    who: str = ""
    detail: str = ""
    tone: str = "ok"


def entries_of(
    events: Iterable[Happening], labels: Mapping[str, str], names: Mapping[int, str]
) -> list[TimelineEntry]:
    """Turn events into lines.

    Args:
        events: Oldest first.
        labels: Verb -> marked sentence, of all packages concerned; `verb/about` where the same
            verb says something else about something else.
        names: Person id -> name; somebody who was erased has none.
    """
    return [
        TimelineEntry(
            event.occurred_at, _(label_of(event, labels)), _who(event, names), _goods(event)
        )
        for event in events
    ]


def label_of(event: Happening, labels: Mapping[str, str]) -> str:
    """Return the marked sentence of an event; a verb without one is shown itself."""
    about = f"{event.verb}/{event.data.get('about', '')}"
    return labels.get(about) or labels.get(event.verb, event.verb)


def _goods(event: Happening) -> str:
    """Return which goods an event is about, where it names them; figures are kept as texts."""
    sku, count = event.data.get("sku"), event.data.get("quantity")
    return f"{quantity(Decimal(count))} × {sku}" if sku and count else sku or ""


def _who(event: Happening, names: Mapping[int, str]) -> str:
    if event.person_id is None:
        return ""
    return names.get(event.person_id, _("a former user"))
