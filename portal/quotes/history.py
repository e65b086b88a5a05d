"""What happened to a quote: its own events and those of its approvals, as one story."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Select, bindparam, select, union_all

from portal.accounts.models import Person
from portal.approvals.models import ApprovalRun
from portal.approvals.rules import LABELS as APPROVAL_LABELS
from portal.db import KEPT, db
from portal.events.models import Event
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


class Happened(NamedTuple):
    """One event with the name of who did it; nobody is named where the person was erased."""

    verb: str
    occurred_at: datetime
    person_id: int | None
    data: Mapping[str, Any]
    name: str | None


def find_history(account_id: int, quote_id: int, *more: tuple[str, int]) -> list[Happened]:
    """Return the events of a quote, of the approvals of all its revisions and of ``more``.

    Args:
        more: Further objects as (kind, id), for example the order made from the quote.

    Returns:
        Oldest first, each thing once. The caller has made sure that the actor may see the objects.
    """
    objects = ((KIND, quote_id), *more)
    keys = {f"key_{number}": key for number, (_kind, key) in enumerate(objects)}
    statement = select_history(tuple(kind for kind, _key in objects))
    rows = db.session.execute(statement, {"account": account_id, "quote": quote_id, **keys})
    return make_history(rows)


def make_history(rows: Iterable[Sequence[Any]]) -> list[Happened]:
    """Return the events that `select_history` found, oldest first, each thing once."""
    in_order = sorted(rows, key=itemgetter(2, 0))
    return told_once(Happened._make(row[1:]) for row in in_order)


@cache
def select_history(kinds: tuple[str, ...] = (KIND,)) -> Select[*tuple[Any, ...]]:
    """Select the above; as a union each part is found by its index, "or" would read too much.

    The quote itself is asked for twice: as ``quote``, and as the first of ``kinds`` by ``key_0``.
    """
    revisions = select(QuoteRevision.id).where(QuoteRevision.quote_id == bindparam("quote"))
    runs = select(ApprovalRun.id).where(
        ApprovalRun.kind == KIND, ApprovalRun.subject_id.in_(revisions)
    )
    wanted = [
        _events_of(kind).where(Event.object_id == bindparam(f"key_{number}"))
        for number, kind in enumerate(kinds)
    ]
    wanted.append(_events_of("approval").where(Event.object_id.in_(runs)))
    return (
        select(
            Event.sequence,
            Event.verb,
            Event.occurred_at,
            Event.person_id,
            Event.data,
            Person.name,
        )
        .outerjoin(Person, Person.id == Event.person_id)
        .where(Event.id.in_(union_all(*wanted)))
        .prefix_with(KEPT, dialect="postgresql")
    )


def _events_of(kind: str) -> Select[int]:
    return select(Event.id).where(Event.account_id == bindparam("account"), Event.kind == kind)


def names_of(events: Iterable[Happened]) -> dict[int, str]:
    """Return person id -> name of those who did something."""
    return {
        event.person_id: event.name
        for event in events
        if event.person_id is not None and event.name is not None
    }


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
