"""The words of repairs: the steps from reception to return, and who pays for a part."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from portal.errors import N_, ConflictError, InvalidError
from portal.lifecycle import State, Step
from portal.policy import Actor, P
from portal.service.assets.rules import Cover, Covered

KIND: Final = "repair"


@unique
class RepairStatus(State):
    """Where a repair stands."""

    AWAITED = "awaited", N_("awaited"), "idle"
    RECEIVED = "received", N_("received"), "work"
    DIAGNOSED = "diagnosed", N_("diagnosed"), "work"
    WAITING = "waiting for parts", N_("waiting for parts"), "warn"
    IN_REPAIR = "in repair", N_("in repair"), "work"
    TESTED = "tested", N_("tested"), "ok"
    GIVEN_UP = "not repaired", N_("not repaired"), "bad"
    RETURNED = "returned", N_("returned"), "ok"
    CANCELLED = "cancelled", N_("cancelled"), "bad"


S = RepairStatus

STEPS: Final = (S.AWAITED, S.RECEIVED, S.DIAGNOSED, S.WAITING, S.IN_REPAIR, S.TESTED, S.RETURNED)
"""The way a repair goes when all goes well; `WAITING` is left out where no part is needed."""

UNDER_WAY: Final = frozenset(
    {S.AWAITED, S.RECEIVED, S.DIAGNOSED, S.WAITING, S.IN_REPAIR, S.TESTED, S.GIVEN_UP}
)
"""States in which the unit is, or is about to be, with the service."""

PARTS_CHANGE: Final = frozenset({S.DIAGNOSED, S.WAITING, S.IN_REPAIR})
"""States in which parts are added and taken away."""


@unique
class Move(Step):
    """Every step a repair can take."""

    # fmt: off
    #           from                                              to            who may
    RECEIVE  = ({S.AWAITED},                                      S.RECEIVED,   P.REPAIR_WORK)
    CANCEL   = ({S.AWAITED},                                      S.CANCELLED,  P.REPAIR_WORK)
    DIAGNOSE = ({S.RECEIVED},                                     S.DIAGNOSED,  P.REPAIR_WORK)
    WAIT     = ({S.DIAGNOSED, S.IN_REPAIR},                       S.WAITING,    P.REPAIR_WORK)
    START    = ({S.DIAGNOSED, S.WAITING},                         S.IN_REPAIR,  P.REPAIR_WORK)
    PASS     = ({S.IN_REPAIR},                                    S.TESTED,     P.REPAIR_WORK)
    FAIL     = ({S.IN_REPAIR, S.TESTED},                          S.DIAGNOSED,  P.REPAIR_WORK)
    GIVE_UP  = ({S.RECEIVED, S.DIAGNOSED, S.WAITING, S.IN_REPAIR}, S.GIVEN_UP,  P.REPAIR_WORK)
    RETURN   = ({S.TESTED, S.GIVEN_UP},                           S.RETURNED,   P.REPAIR_WORK)
    # fmt: on

    def apply(self, status: RepairStatus, actor: Actor, number: str) -> RepairStatus:
        """Return the new state; raise `NotAllowedError` or `IllegalMoveError`."""
        self.check(status, actor, number)
        return RepairStatus(self.target)


VERBS: Final[Mapping[Move, str]] = {
    Move.RECEIVE: "repair.received",
    Move.CANCEL: "repair.cancelled",
    Move.DIAGNOSE: "repair.diagnosed",
    Move.WAIT: "repair.waiting",
    Move.START: "repair.started",
    Move.PASS: "repair.tested",
    Move.FAIL: "repair.test-failed",
    Move.GIVE_UP: "repair.given-up",
    Move.RETURN: "repair.returned",
}
"""Step -> what the record says of it."""

MOVE_LABELS: Final[Mapping[Move, str]] = {
    Move.RECEIVE: N_("Receive the unit"),
    Move.CANCEL: N_("Cancel the repair"),
    Move.DIAGNOSE: N_("Save the diagnosis"),
    Move.WAIT: N_("Wait for parts"),
    Move.START: N_("Start the repair"),
    Move.PASS: N_("Test passed"),
    Move.FAIL: N_("Test failed"),
    Move.GIVE_UP: N_("Give the repair up"),
    Move.RETURN: N_("Send the unit back"),
}
"""Step -> its button."""

LABELS: Final[Mapping[str, str]] = {
    "repair.announced": N_("Repair announced"),
    "repair.received": N_("Unit received for repair"),
    "repair.cancelled": N_("Repair cancelled"),
    "repair.diagnosed": N_("Diagnosis made"),
    "repair.waiting": N_("Waiting for parts"),
    "repair.started": N_("Repair started"),
    "repair.tested": N_("Repaired and tested"),
    "repair.test-failed": N_("Test failed; back to diagnosis"),
    "repair.given-up": N_("Repair given up"),
    "repair.returned": N_("Unit sent back"),
    "repair.part-added": N_("Part reserved"),
    "repair.part-removed": N_("Part given back"),
    "repair.part-quoted": N_("Cost of a part put on a quote"),
    "repair.part-used": N_("Part used"),
    "repair.estimate-approved": N_("Estimate approved"),
    "repair.estimate-refused": N_("Estimate not approved"),
}
"""Verb of an event -> what the time line says."""

PUBLIC_NOTES: Final = frozenset({Move.CANCEL, Move.DIAGNOSE, Move.GIVE_UP, Move.RETURN})
"""Steps whose words the customer reads; those of the others are the service's own."""

NEEDS_WORDS: Final = frozenset({Move.DIAGNOSE, Move.FAIL, Move.GIVE_UP, Move.CANCEL})
"""Steps that say why, or what was found."""

OVER: Final = frozenset({S.RETURNED, S.CANCELLED})
"""States after which nothing follows."""

COVERED_AS: Final = "covered_as"
"""Attribute of a product: what an entitlement has to cover for it to be free; parts if absent."""


@unique
class Way(StrEnum):
    """How the unit gets to the service."""

    SEND_IN = "send-in"
    PICK_UP = "pick-up"
    ON_SITE = "on-site"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return WAY_LABELS[self]


WAY_LABELS: Final[Mapping[Way, str]] = {
    Way.SEND_IN: N_("Sent in by the customer"),
    Way.PICK_UP: N_("Picked up at the customer's"),
    Way.ON_SITE: N_("Repaired on site"),
}


@unique
class PartStatus(StrEnum):
    """Where a part of a repair stands."""

    QUOTED = "quoted"
    RESERVED = "reserved"
    USED = "used"
    GIVEN_BACK = "given back"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return PART_LABELS[self]


PART_LABELS: Final[Mapping[PartStatus, str]] = {
    PartStatus.QUOTED: N_("waits for the quote"),
    PartStatus.RESERVED: N_("reserved"),
    PartStatus.USED: N_("used"),
    PartStatus.GIVEN_BACK: N_("given back"),
    PartStatus.REFUSED: N_("not approved"),
}


class PartsNotChangeableError(ConflictError):
    """Parts are added between diagnosis and test."""

    message = N_("Parts are added between diagnosis and test; this repair is {status}.")


class PartsWaitError(ConflictError):
    """A part is neither approved nor here."""

    message = N_("{sku} waits for its quote or for stock. The repair can start when it is there.")


class WordsNeededError(InvalidError):
    """Whoever works on it next, or waits for it, is told why, or what was found."""

    message = N_("Say what was found, or why.")
    field = "note"


class NoRepairError(ConflictError):
    """The case has none."""

    message = N_("Case {number} has no repair yet.")


class RepairChangedError(ConflictError):
    """Somebody else was faster."""

    message = N_("Repair {number} changed while you were working on it. Look at it again.")


class NotRepairableError(ConflictError):
    """A repair belongs to a live case of that kind, with a unit."""

    message = N_("Case {number} can have no repair: it needs the kind “repair” and a service tag.")


class UnderWayError(ConflictError):
    """One unit is in one place."""

    message = N_("{tag} is in repair already: {repair}.")


class UnknownPlaceError(InvalidError):
    """Not an address of the account."""

    message = N_("Choose one of the list.")
    field = "address"


class UnknownPartError(InvalidError):
    """Nothing has that SKU."""

    message = N_("There is no product {sku}.")
    field = "sku"


class PartQuantityError(InvalidError):
    """Nothing, far too much, or with more decimals than are kept."""

    message = N_("Enter a quantity above 0 with at most 3 decimals.")
    field = "quantity"


class PartGoneError(ConflictError):
    """Somebody used it or gave it back meanwhile."""

    message = N_("{sku} is {status}: this can't be done now.")


class NoPayerError(InvalidError):
    """A quote is somebody's who may buy."""

    message = N_("Choose who decides on the cost: somebody of the account who may make quotes.")
    field = "payer"


class EstimateFixedError(ConflictError):
    """What is in approval or approved is changed by a new revision of its owner."""

    message = N_("{sku} stands on quote {quote}, which is {status}. Ask the customer to change it.")


@dataclass(frozen=True, slots=True)
class NeededPart:
    """A part as the rules see it; ``lying`` is what lies there for this repair, if it is kept."""

    sku: str
    status: PartStatus
    quantity: Decimal
    lying: Decimal | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the repair can't begin without it: not approved, or not here."""
        if self.status is PartStatus.QUOTED:
            return True
        is_short = self.lying is not None and self.lying < self.quantity
        return self.status is PartStatus.RESERVED and is_short


def is_free(covers: Iterable[Cover], covered_as: str = "") -> bool:
    """Whether something costs nothing: one of some covers pays for parts, or for what it is.

    Args:
        covers: Those of the day on which the fault was reported and of today.
        covered_as: What the product says of itself; nothing or nonsense is a part.
    """
    what = Covered(covered_as) if covered_as in set(Covered) else Covered.PARTS
    return any(cover.pays(what) for cover in covers)


def check_ready(parts: Iterable[NeededPart]) -> None:
    """Refuse to start a repair before every part is approved and lies there.

    Raises:
        PartsWaitError: Names the first part that is missing.
    """
    for part in parts:
        if part.is_missing:
            raise PartsWaitError(sku=part.sku)


def lying_for(
    on_hand: Decimal, reserved: Iterable[tuple[bool, Decimal]], wanted: Decimal
) -> Decimal:
    """Return how much of what is on hand lies there for one: who reserved first is served first.

    Args:
        on_hand: What lies there for all.
        reserved: All reservations, the oldest first: whether it is the one's own, and how much.
        wanted: What the one needs; more than it reserved is never lying for it.
    """
    left = on_hand
    for is_own, quantity in reserved:
        if is_own:
            return max(min(left, quantity, wanted), Decimal(0))
        left -= quantity
    return Decimal(0)


def approved_parts(
    parts: Iterable[tuple[int, str, Decimal]], approved: Mapping[str, Decimal]
) -> set[int]:
    """Return which parts an approved quote pays: in their order, as far as its quantities reach.

    Args:
        parts: Id, SKU and quantity of those that wait for it.
        approved: SKU -> quantity that was approved; its owner may have changed it.
    """
    left = dict(approved)
    paid: set[int] = set()
    for part_id, sku, quantity in parts:
        if left.get(sku, Decimal(0)) >= quantity:
            left[sku] -= quantity
            paid.add(part_id)
    return paid


@unique
class Tab(StrEnum):
    """The views of the board."""

    UNDER_WAY = "under-way"
    AWAITED = "awaited"
    RECEIVED = "received"
    DIAGNOSED = "diagnosed"
    WAITING = "waiting"
    IN_REPAIR = "in-repair"
    TESTED = "to-return"
    OVER = "over"
    ALL = "all"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _TABS[self][0]

    @property
    def states(self) -> frozenset[RepairStatus]:
        """The states that it shows."""
        return _TABS[self][1]


_TABS: Final[Mapping[Tab, tuple[str, frozenset[RepairStatus]]]] = {
    Tab.UNDER_WAY: (N_("Under way"), UNDER_WAY),
    Tab.AWAITED: (N_("Awaited"), frozenset({S.AWAITED})),
    Tab.RECEIVED: (N_("To diagnose"), frozenset({S.RECEIVED})),
    Tab.DIAGNOSED: (N_("Diagnosed"), frozenset({S.DIAGNOSED})),
    Tab.WAITING: (N_("Waiting for parts"), frozenset({S.WAITING})),
    Tab.IN_REPAIR: (N_("In repair"), frozenset({S.IN_REPAIR})),
    Tab.TESTED: (N_("To send back"), frozenset({S.TESTED, S.GIVEN_UP})),
    Tab.OVER: (N_("Over"), OVER),
    Tab.ALL: (N_("All"), frozenset(RepairStatus)),
}


@unique
class SortBy(StrEnum):
    """By what the board may be sorted."""

    STEP = "step"
    NUMBER = "number"
    SINCE = "since"
    ANNOUNCED = "announced"
