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
    WAIT     = ({S.DIAGNOSED},                                    S.WAITING,    P.REPAIR_WORK)
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
    "repair.estimate-approved": N_("Estimate approved"),
    "repair.estimate-refused": N_("Estimate not approved"),
}
"""Verb of an event -> what the time line says."""

PUBLIC_NOTES: Final = frozenset({Move.DIAGNOSE, Move.GIVE_UP, Move.RETURN, Move.FAIL})
"""Steps whose words the customer reads."""


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
    """The customer is told why, or what was found."""

    message = N_("Say what was found, so that the customer knows.")
    field = "note"


@dataclass(frozen=True, slots=True)
class NeededPart:
    """A part as the rules see it; ``lying`` is what of it lies there for this repair."""

    sku: str
    status: PartStatus
    quantity: Decimal
    is_stocked: bool
    lying: Decimal


def is_free(cover: Cover) -> bool:
    """Whether parts cost nothing: an entitlement that holds today covers them."""
    return cover.is_covered and Covered.PARTS in cover.covers


def check_ready(parts: Iterable[NeededPart]) -> None:
    """Refuse to start a repair before every part is approved and lies there.

    Raises:
        PartsWaitError: Names the first part that is missing.
    """
    for part in parts:
        if part.status is PartStatus.QUOTED:
            raise PartsWaitError(sku=part.sku)
        is_short = part.is_stocked and part.lying < part.quantity
        if part.status is PartStatus.RESERVED and is_short:
            raise PartsWaitError(sku=part.sku)
