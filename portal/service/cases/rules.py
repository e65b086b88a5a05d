"""The words of cases: kinds, states, moves, and which events the clock counts."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from enum import Enum, StrEnum, unique
from typing import Final

from portal.errors import N_, ConflictError, InvalidError
from portal.policy import Actor, Permission
from portal.service.clock.rules import Signal

KIND: Final = "case"
CLOSES_AFTER: Final = timedelta(days=7)
"""A resolved case to which nobody comes back is closed after this time."""
MOST_STARS: Final = 5


@unique
class CaseKind(StrEnum):
    """What a case is about."""

    QUESTION = "question"
    COMPLAINT = "complaint"
    REPAIR = "repair"
    RETURN = "return"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return KIND_LABELS[self]


KIND_LABELS: Final[Mapping[CaseKind, str]] = {
    CaseKind.QUESTION: N_("question"),
    CaseKind.COMPLAINT: N_("complaint"),
    CaseKind.REPAIR: N_("repair"),
    CaseKind.RETURN: N_("return"),
}


@unique
class Priority(StrEnum):
    """How soon a case must be answered, from the least."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return PRIORITY_LABELS[self]

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Priority).index(self)


PRIORITY_LABELS: Final[Mapping[Priority, str]] = {
    Priority.LOW: N_("low"),
    Priority.NORMAL: N_("normal"),
    Priority.HIGH: N_("high"),
    Priority.URGENT: N_("urgent"),
}


@unique
class Channel(StrEnum):
    """Which way a case or message came."""

    PORTAL = "portal"
    EMAIL = "e-mail"
    CALL = "call"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return CHANNEL_LABELS[self]


CHANNEL_LABELS: Final[Mapping[Channel, str]] = {
    Channel.PORTAL: N_("portal"),
    Channel.EMAIL: N_("e-mail"),
    Channel.CALL: N_("call"),
}


@unique
class CaseStatus(StrEnum):
    """Where a case stands."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting for customer"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return STATUS_LABELS[self]

    @property
    def tone(self) -> str:
        """Which of the five shapes of a state it has."""
        return _TONES[self]


S = CaseStatus

STATUS_LABELS: Final[Mapping[CaseStatus, str]] = {
    S.NEW: N_("new"),
    S.OPEN: N_("open"),
    S.WAITING: N_("waiting for customer"),
    S.RESOLVED: N_("resolved"),
    S.CLOSED: N_("closed"),
    S.MERGED: N_("merged"),
}
_TONES: Final[Mapping[CaseStatus, str]] = {
    S.NEW: "idle",
    S.OPEN: "work",
    S.WAITING: "warn",
    S.RESOLVED: "ok",
    S.CLOSED: "ok",
    S.MERGED: "idle",
}

UNSOLVED: Final = frozenset({S.NEW, S.OPEN, S.WAITING})
"""States in which the clock has something to say."""
LIVE: Final = UNSOLVED | {S.RESOLVED}
"""States in which somebody may still write."""
ENDED: Final = frozenset({S.CLOSED, S.MERGED})
EVERY: Final = frozenset(S)


class IllegalMoveError(ConflictError):
    """The case is not in a state from which this step can be taken."""

    message = N_("Case {number} is {status}: this can't be done now.")


@unique
class Move(Enum):
    """Every step a case can take; without a target the state stays.

    A customer's word on what is resolved or closed opens it again first; an agent who begins to
    work on what is new opens it.
    """

    # fmt: off
    #            from                    to           who may                what happened
    REPLY     = ({S.NEW, S.OPEN},        None,        Permission.CASE_SAVE,  "case.replied")
    ANSWER    = (LIVE,                   None,        Permission.CASE_WORK,  "case.answered")
    ASK       = ({S.NEW, S.OPEN},        S.WAITING,   Permission.CASE_WORK,  "case.asked")
    RESUME    = ({S.WAITING},            S.OPEN,      Permission.CASE_SAVE,  "case.replied")
    NOTE      = (EVERY,                  None,        Permission.CASE_WORK,  "case.noted")
    ASSIGN    = (LIVE,                   None,        Permission.CASE_WORK,  "case.assigned")
    TRANSFER  = (LIVE,                   None,        Permission.CASE_WORK,  "case.transferred")
    CHANGE    = (EVERY,                  None,        Permission.CASE_WORK,  "case.changed")
    ASSESS    = (EVERY,                  None,        Permission.CASE_WORK,  "case.complaint")
    FOLLOW_UP = (EVERY,                  None,        Permission.CASE_WORK,  "case.followed-up")
    RESOLVE   = (UNSOLVED,               S.RESOLVED,  Permission.CASE_WORK,  "case.resolved")
    REOPEN    = ({S.RESOLVED, S.CLOSED}, S.OPEN,      Permission.CASE_SAVE,  "case.reopened")
    CLOSE     = (LIVE,                   S.CLOSED,    Permission.CASE_SAVE,  "case.closed")
    MERGE     = (LIVE,                   S.MERGED,    Permission.CASE_WORK,  "case.merged")
    RATE      = ({S.RESOLVED, S.CLOSED}, None,        Permission.CASE_SAVE,  "case.rated")
    # fmt: on

    def __init__(
        self,
        sources: AbstractSet[CaseStatus],
        target: CaseStatus | None,
        permission: Permission,
        verb: str,
    ) -> None:
        self.sources, self.target = frozenset(sources), target
        self.permission, self.verb = permission, verb

    def apply(self, status: CaseStatus, actor: Actor, number: str) -> CaseStatus:
        """Return the new state; raise `NotAllowedError` or `IllegalMoveError`."""
        actor.must(self.permission)
        if status not in self.sources:
            raise IllegalMoveError(number=number, status=status, move=self.name.lower())
        if self.target is None and self in _WORK and status is S.NEW:
            return S.OPEN
        return self.target or status


_WORK: Final = frozenset({Move.ANSWER, Move.ASSIGN})
"""Steps by which an agent begins to work on what is new."""


SIGNALS: Final[Mapping[str, Signal]] = {
    "case.opened": Signal.OPENED,
    "case.answered": Signal.ANSWERED,
    "case.asked": Signal.WAITING,
    "case.replied": Signal.RESUMED,
    "case.resolved": Signal.RESOLVED,
    "case.closed": Signal.RESOLVED,
    "case.reopened": Signal.REOPENED,
    "case.merged": Signal.MERGED,
}
"""Verb of an event -> what it means to the clock."""


LABELS: Final[Mapping[str, str]] = {
    "case.opened": N_("Case opened"),
    "case.routed": N_("Case given to a team"),
    "case.replied": N_("The customer replied"),
    "case.answered": N_("The service answered"),
    "case.answered/diagnosis": N_("The diagnosis went to the customer"),
    "case.asked": N_("The service asked back; the clock pauses"),
    "case.noted": N_("Internal note written"),
    "case.assigned": N_("Case assigned"),
    "case.transferred": N_("Case handed to another team"),
    "case.changed": N_("Kind or priority changed"),
    "case.complaint": N_("Complaint assessed"),
    "case.followed-up": N_("Complaint followed up"),
    "case.resolved": N_("Case resolved"),
    "case.reopened": N_("Case opened again"),
    "case.closed": N_("Case closed"),
    "case.rated": N_("Case rated"),
    "case.merged": N_("Case merged into another one"),
    "case.absorbed": N_("Another case was merged into this one"),
    "case.warned": N_("The team was warned that an answer is due"),
    "case.warned/resolution": N_("The team was warned that the promised time is nearly over"),
    "case.escalated": N_("The team's manager was told that an answer is overdue"),
    "case.escalated/resolution": N_("The team's manager was told that the promised time is over"),
    "service.team-saved": N_("Service team saved"),
    "service.rule-saved": N_("Routing rule saved"),
    "service.rule-removed": N_("Routing rule removed"),
    "service.phrase-saved": N_("Canned answer saved"),
    "service.phrase-removed": N_("Canned answer removed"),
}
"""Verb of an event -> what the time line says."""

BY_DIAGNOSIS: Final = "diagnosis"
"""What an answer is about that was never written: the repair's own step says it on the page."""

INTERNAL: Final = frozenset(
    {
        "case.noted",
        "case.assigned",
        "case.routed",
        "case.complaint",
        "case.followed-up",
        "case.warned",
        "case.escalated",
    }
)
"""What the service does among itself; the customer's time line leaves it out."""


@unique
class ComplaintCategory(StrEnum):
    """What went wrong, as reports count it."""

    DELIVERY = "delivery"
    PRODUCT = "product"
    INVOICE = "invoice"
    SERVICE = "service"
    DOCUMENTS = "documents"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return COMPLAINT_LABELS[self]


COMPLAINT_LABELS: Final[Mapping[ComplaintCategory, str]] = {
    ComplaintCategory.DELIVERY: N_("Delivery late, short or damaged"),
    ComplaintCategory.PRODUCT: N_("Product defective or not as described"),
    ComplaintCategory.INVOICE: N_("Invoice or price"),
    ComplaintCategory.SERVICE: N_("Service or advice"),
    ComplaintCategory.DOCUMENTS: N_("Documents and manuals"),
    ComplaintCategory.OTHER: N_("Something else"),
}


@unique
class Severity(StrEnum):
    """How bad it is, from the least."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return SEVERITY_LABELS[self]


SEVERITY_LABELS: Final[Mapping[Severity, str]] = {
    Severity.MINOR: N_("Minor: work goes on"),
    Severity.MAJOR: N_("Major: work is hindered"),
    Severity.CRITICAL: N_("Critical: work stands still"),
}


@unique
class Cause(StrEnum):
    """Why it went wrong, as reports count it."""

    UNKNOWN = "unknown"
    OURS = "ours"
    CARRIER = "carrier"
    MANUFACTURER = "manufacturer"
    INFORMATION = "information"
    CUSTOMER = "customer"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return CAUSE_LABELS[self]


CAUSE_LABELS: Final[Mapping[Cause, str]] = {
    Cause.UNKNOWN: N_("Not known yet"),
    Cause.OURS: N_("Mistake on our side"),
    Cause.CARRIER: N_("Carrier"),
    Cause.MANUFACTURER: N_("Manufacturer"),
    Cause.INFORMATION: N_("Wrong or missing information"),
    Cause.CUSTOMER: N_("Use by the customer"),
}


@unique
class Tab(StrEnum):
    """The views of the list; agents have those of the queue, customers those of their cases."""

    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"
    WAITING = "waiting"
    OVERDUE = "overdue"
    FOLLOW_UP = "follow-up"
    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"
    ALL = "all"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return TAB_LABELS[self]


TAB_LABELS: Final[Mapping[Tab, str]] = {
    Tab.MINE: N_("Mine"),
    Tab.TEAM: N_("My teams"),
    Tab.UNASSIGNED: N_("Unassigned"),
    Tab.WAITING: N_("Waiting for customer"),
    Tab.OVERDUE: N_("Overdue"),
    Tab.FOLLOW_UP: N_("To follow up"),
    Tab.OPEN: N_("Open"),
    Tab.RESOLVED: N_("Resolved"),
    Tab.CLOSED: N_("Closed"),
    Tab.ALL: N_("All"),
}
AGENT_TABS: Final = (
    Tab.MINE,
    Tab.TEAM,
    Tab.UNASSIGNED,
    Tab.WAITING,
    Tab.OVERDUE,
    Tab.FOLLOW_UP,
    Tab.OPEN,
    Tab.RESOLVED,
    Tab.CLOSED,
    Tab.ALL,
)
CUSTOMER_TABS: Final = (Tab.OPEN, Tab.WAITING, Tab.RESOLVED, Tab.CLOSED, Tab.ALL)
TAB_STATES: Final[Mapping[Tab, frozenset[CaseStatus]]] = {
    Tab.MINE: UNSOLVED,
    Tab.TEAM: UNSOLVED,
    Tab.UNASSIGNED: UNSOLVED,
    Tab.OVERDUE: UNSOLVED,
    Tab.WAITING: frozenset({S.WAITING}),
    Tab.FOLLOW_UP: EVERY,
    Tab.OPEN: UNSOLVED,
    Tab.RESOLVED: frozenset({S.RESOLVED}),
    Tab.CLOSED: ENDED,
    Tab.ALL: EVERY,
}


@unique
class SortBy(StrEnum):
    """By what the list may be sorted."""

    CLOCK = "clock"
    NUMBER = "number"
    PRIORITY = "priority"
    STATUS = "status"
    OPENED = "opened"
    CHANGED = "changed"


class NothingSaidError(InvalidError):
    """A message without words says nothing."""

    message = N_("Write what you want to say.")
    field = "text"


class StarsError(InvalidError):
    """A rating is between one and five."""

    message = N_("Choose between 1 and 5.")
    field = "stars"


def check_text(text: str) -> str:
    """Return the text trimmed; refuse an empty one."""
    said = text.strip()
    if not said:
        raise NothingSaidError
    return said


def check_stars(stars: int) -> None:
    """Refuse a rating outside 1 to 5."""
    if not 1 <= stars <= MOST_STARS:
        raise StarsError
