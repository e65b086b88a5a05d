"""What happened to a quote: its own events and those of its approvals, as one story."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final, TypeVar

from sqlalchemy import select

from portal.approvals.queries import find_run_ids
from portal.approvals.rules import LABELS as APPROVAL_LABELS
from portal.events.models import Event
from portal.events.queries import find_events
from portal.quotes.models import QuoteRevision
from portal.quotes.rules import KIND, LABELS
from portal.web.timeline import Happening

Told = TypeVar("Told", bound=Happening)

HISTORY_LABELS: Final[Mapping[str, str]] = {**APPROVAL_LABELS, **LABELS}
"""Verb of an event -> what a time line says."""

ECHOES: Final = frozenset({"quote.approved", "quote.rejected", "quote.changes-requested"})
"""Verbs that a time line leaves out: the approval's own event says it, and who decided."""

_SAID_BY: Final[Mapping[str, frozenset[str]]] = {
    "quote.lines-added": frozenset({"quote.created"}),
    "quote.saved": frozenset({"quote.created"}),
    "approval.requested": frozenset({"quote.submitted"}),
    "approval.finished": frozenset(
        {"approval.approved", "approval.rejected", "approval.changes-requested"}
    ),
    "quote.partly-ordered": frozenset({"order.placed"}),
    "quote.ordered": frozenset({"order.placed"}),
    "order.created": frozenset({"order.placed"}),
}
"""Verb -> verbs that say the same where they happened at the same instant."""

_TOILS: Final = frozenset({"quote.saved", "quote.lines-added"})
"""Verbs of which only the last is told where the same person did them one after the other."""


def find_history(account_id: int, quote_id: int, *more: tuple[str, int]) -> list[Event]:
    """Return the events of a quote, of the approvals of all its revisions and of ``more``.

    Args:
        more: Further objects as (kind, id), for example the order made from the quote.

    Returns:
        Oldest first, each thing once. The caller has made sure that the actor may see the objects.
    """
    runs = find_run_ids(KIND, select(QuoteRevision.id).where(QuoteRevision.quote_id == quote_id))
    objects = [(KIND, quote_id), *(("approval", run_id) for run_id in runs), *more]
    return told_once(find_events(account_id, objects))


def told_once(events: Iterable[Told]) -> list[Told]:
    """Leave out what another event of the same instant says, and all but the last of many saves.

    Args:
        events: Oldest first.
    """
    once: list[Told] = []
    for _, together in groupby(events, key=lambda event: event.occurred_at):
        moment = list(together)
        verbs = {event.verb for event in moment}
        once += [
            event
            for event in moment
            if event.verb not in ECHOES and not verbs & _SAID_BY.get(event.verb, frozenset())
        ]
    followers = [*once[1:], None]
    return [
        event
        for event, following in zip(once, followers, strict=True)
        if following is None or not _is_continued(event, following)
    ]


def _is_continued(event: Happening, following: Happening) -> bool:
    same = event.verb == following.verb and event.person_id == following.person_id
    return same and event.verb in _TOILS
