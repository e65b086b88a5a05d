"""The words of quotes: states, kinds of change, and how long a submitted revision holds."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum, unique
from typing import Final
from zoneinfo import ZoneInfo

from portal.errors import N_
from portal.lifecycle import State

KIND: Final = "quote"
"""What a quote is called in events, and its revisions towards approvals."""

MOST_LINES: Final = 5_000
LONGEST_TITLE: Final = 200
MOST_QUANTITY: Final = 999_999_999
QUANTITY_DECIMALS: Final = 3


@unique
class QuoteStatus(State):
    """Where a quote and its revisions stand; a quote stands where its current revision does."""

    DRAFT = "draft", N_("draft"), "idle"
    IN_APPROVAL = "in approval", N_("in approval"), "work"
    APPROVED = "approved", N_("approved"), "ok"
    PARTLY_ORDERED = "partly ordered", N_("partly ordered"), "ok"
    ORDERED = "ordered", N_("ordered"), "ok"
    EXPIRED = "expired", N_("expired"), "bad"
    DISCARDED = "discarded", N_("discarded"), "bad"
    WITHDRAWN = "withdrawn", N_("withdrawn"), "warn"
    REJECTED = "rejected", N_("rejected"), "bad"
    CHANGES_REQUESTED = "changes requested", N_("changes requested"), "warn"
    SUPERSEDED = "superseded", N_("superseded"), "idle"


S = QuoteStatus

ORDERABLE: Final = frozenset({S.APPROVED, S.PARTLY_ORDERED})
EXPIRING: Final = frozenset({S.IN_APPROVAL, S.APPROVED, S.PARTLY_ORDERED})
"""States that end by themselves when `valid_until` is reached."""

UNAPPROVED: Final = frozenset(
    {S.DRAFT, S.IN_APPROVAL, S.WITHDRAWN, S.REJECTED, S.CHANGES_REQUESTED, S.DISCARDED}
)
"""States of a revision that nobody has approved: nothing was ever ordered from it."""

UNCOUNTED: Final = frozenset({S.REJECTED, S.WITHDRAWN, S.EXPIRED, S.DRAFT, S.DISCARDED})
"""Revisions that a requester's total over some days leaves out."""


@unique
class Tab(StrEnum):
    """The views of the list; every quote is in `ALL` and in at most one other."""

    ACTIVE = "active"
    DRAFTS = "drafts"
    IN_APPROVAL = "in-approval"
    APPROVED = "approved"
    ORDERED = "ordered"
    RETURNED = "returned"
    EXPIRED = "expired"
    ALL = "all"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return TAB_LABELS[self]


TAB_LABELS: Final[Mapping[Tab, str]] = {
    Tab.ACTIVE: N_("Active"),
    Tab.DRAFTS: N_("Drafts"),
    Tab.IN_APPROVAL: N_("In approval"),
    Tab.APPROVED: N_("Approved"),
    Tab.ORDERED: N_("Ordered"),
    Tab.RETURNED: N_("Returned"),
    Tab.EXPIRED: N_("Expired"),
    Tab.ALL: N_("All"),
}

TAB_STATES: Final[Mapping[Tab, frozenset[QuoteStatus]]] = {
    Tab.ACTIVE: frozenset(S) - {S.ORDERED, S.EXPIRED, S.DISCARDED, S.SUPERSEDED},
    Tab.DRAFTS: frozenset({S.DRAFT}),
    Tab.IN_APPROVAL: frozenset({S.IN_APPROVAL}),
    Tab.APPROVED: frozenset({S.APPROVED, S.PARTLY_ORDERED}),
    Tab.ORDERED: frozenset({S.ORDERED}),
    Tab.RETURNED: frozenset({S.WITHDRAWN, S.REJECTED, S.CHANGES_REQUESTED}),
    Tab.EXPIRED: frozenset({S.EXPIRED}),
    Tab.ALL: frozenset(S),
}


@unique
class SortBy(StrEnum):
    """By what the list may be sorted."""

    NUMBER = "number"
    TITLE = "title"
    STATUS = "status"
    CHANGED = "changed"
    VALID_UNTIL = "valid-until"
    TOTAL = "total"


LABELS: Final[Mapping[str, str]] = {
    "quote.created": N_("Quote created"),
    "quote.imported": N_("Quote taken over from a file"),
    "quote.lines-added": N_("Lines added"),
    "quote.saved": N_("Draft saved"),
    "quote.submitted": N_("Submitted for approval"),
    "quote.withdrawn": N_("Withdrawn"),
    "quote.revised": N_("New revision started"),
    "quote.discarded": N_("Discarded"),
    "quote.approved": N_("Revision approved"),
    "quote.rejected": N_("Revision rejected"),
    "quote.changes-requested": N_("Changes requested"),
    "quote.expired": N_("Expired"),
    "quote.extended": N_("Prices held for longer"),
    "quote.ordered": N_("Ordered in full"),
    "quote.partly-ordered": N_("Ordered in part"),
    "quote.reopened": N_("Open again"),
}
"""Verb of an event -> what the time line says."""


def end_of_validity(
    submitted_at: datetime, zone: ZoneInfo, days: int, ends: Iterable[datetime | None]
) -> datetime:
    """Return the exclusive instant until which a submitted revision holds.

    It is the end of the calendar day, in the account's time zone, ``days`` after submission, and at
    most the earliest end of an entry used.

    Args:
        submitted_at: Aware instant of submission.
        zone: The account's time zone.
        days: The account's `quote_valid_days`.
        ends: Exclusive ends of the prices used; ``None`` is open.
    """
    last_day = submitted_at.astimezone(zone).date() + timedelta(days=days)
    midnight = datetime.combine(last_day + timedelta(days=1), time(), zone)
    return min(end.astimezone(UTC) for end in (midnight, *ends) if end is not None)


def last_day_of(valid_until: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day that is shown for an exclusive end: the last one included."""
    return (valid_until - timedelta(microseconds=1)).astimezone(zone).date()
