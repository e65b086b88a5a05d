"""What happened to a quote: its own events and those of its approvals, as one story."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from portal.approvals.queries import find_runs
from portal.approvals.rules import LABELS as APPROVAL_LABELS
from portal.db import db
from portal.events.models import Event
from portal.events.queries import find_events
from portal.quotes.models import QuoteRevision
from portal.quotes.rules import KIND, LABELS

HISTORY_LABELS: Final[Mapping[str, str]] = {**APPROVAL_LABELS, **LABELS}
"""Verb of an event -> what a time line says."""

ECHOES: Final = frozenset({"quote.approved", "quote.rejected", "quote.changes-requested"})
"""Verbs that a time line leaves out: the approval's own event says it, and who decided."""


def find_history(account_id: int, quote_id: int, *more: tuple[str, int]) -> list[Event]:
    """Return the events of a quote, of the approvals of all its revisions and of ``more``.

    Args:
        more: Further objects as (kind, id), for example the order made from the quote.

    Returns:
        Oldest first. The caller has made sure that the actor may see the objects.
    """
    revisions = db.session.scalars(
        select(QuoteRevision.id).where(QuoteRevision.quote_id == quote_id)
    ).all()
    runs = find_runs(KIND, revisions)
    objects = [(KIND, quote_id), *(("approval", run.id) for run in runs), *more]
    return [event for event in find_events(account_id, objects) if event.verb not in ECHOES]
