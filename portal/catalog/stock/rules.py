"""The arithmetic of stock: what a move changes, what is available, from where goods are taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum, unique
from typing import Final

from portal.errors import N_, ConflictError, InvalidError

KIND: Final = "stock"
NONE: Final = Decimal(0)
_WORKSHOP: Final = "REPAIR"
_SMALLEST: Final = Decimal("0.001")

Subject = tuple[str, int]
"""What goods are reserved for: kind and id, for example ``("order", 17)``."""


@unique
class Store(StrEnum):
    """Which goods: those for sale, or the spare parts of the workshop, which nobody is promised."""

    SALE = "sale"
    REPAIR = "repair"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return STORE_LABELS[self]


STORE_LABELS: Final[Mapping[Store, str]] = {
    Store.SALE: N_("for sale"),
    Store.REPAIR: N_("spare parts"),
}


def store_of(location_code: str) -> Store:
    """Return the store a location belongs to: codes that begin with REPAIR are the workshop's."""
    return Store.REPAIR if location_code.upper().startswith(_WORKSHOP) else Store.SALE


@unique
class MoveKind(StrEnum):
    """Every change of the ledger."""

    COUNTED = "counted"
    RECEIVED = "received"
    RESERVED = "reserved"
    RELEASED = "released"
    ISSUED = "issued"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return MOVE_LABELS[self]


MOVE_LABELS: Final[Mapping[MoveKind, str]] = {
    MoveKind.COUNTED: N_("counted"),
    MoveKind.RECEIVED: N_("received"),
    MoveKind.RESERVED: N_("reserved"),
    MoveKind.RELEASED: N_("released"),
    MoveKind.ISSUED: N_("issued"),
}

LABELS: Final[Mapping[str, str]] = {
    "stock.imported": N_("Stock set by a file"),
    "stock.received": N_("Goods received"),
    "stock.corrected": N_("Stock corrected"),
}
"""What the time line says of each verb."""


class NotEnoughStockError(ConflictError):
    """More is to leave than lies there."""

    message = N_("{sku}: {wanted} are to be issued, {on_hand} are on hand.")


class StockQuantityError(InvalidError):
    """Not a positive quantity with at most three decimals."""

    message = N_("Enter a quantity above 0 with at most 3 decimals.")
    field = "quantity"


class CountedQuantityError(InvalidError):
    """Nobody counts less than nothing."""

    message = N_("Enter what was counted: 0 or more, with at most 3 decimals.")
    field = "on_hand"


class StockMovedError(ConflictError):
    """Goods moved, or somebody else saved, since the form was opened."""

    message = N_("Stock at {location} changed meanwhile: {on_hand} are on hand now. Look again.")


class ReasonNeededError(InvalidError):
    """A correction says why."""

    message = N_("Say why the figure changes: the ledger keeps it.")
    field = "reason"


@dataclass(frozen=True, slots=True)
class Availability:
    """What of a product there is, in its own unit of measure.

    ``available`` is below zero where more is promised than lies there. ``expected_on`` is the day
    on which the next goods are expected, if somebody said so.
    """

    on_hand: Decimal
    reserved: Decimal
    expected_on: date | None = None

    @property
    def available(self) -> Decimal:
        """What can still be promised."""
        return self.on_hand - self.reserved

    def covers(self, quantity: Decimal) -> bool:
        """Whether a further quantity can be promised from what lies there."""
        return quantity <= self.available

    def expected_after(self, day: date) -> date | None:
        """Return the expected day where it is still to come."""
        return self.expected_on if self.expected_on and self.expected_on >= day else None


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a reservation got: so much lies there for it, the rest is on back-order."""

    wanted: Decimal
    covered: Decimal
    expected_on: date | None = None

    @property
    def back_ordered(self) -> Decimal:
        """What has to arrive first."""
        return self.wanted - self.covered


def reserve_from(availability: Availability, wanted: Decimal) -> Reserved:
    """Return what a further reservation gets of what is available before it."""
    covered = min(max(availability.available, NONE), wanted)
    return Reserved(wanted, covered, availability.expected_on)


def draw(levels: Sequence[tuple[str, Decimal]], quantity: Decimal) -> list[tuple[str, Decimal]]:
    """Return from which locations a quantity is taken: the fullest first, so the fewest do.

    Args:
        levels: Location and what is on hand there.
        quantity: At most the sum of what is on hand.
    """
    taken: list[tuple[str, Decimal]] = []
    left = quantity
    for code, held in sorted(levels, key=lambda level: (-level[1], level[0])):
        part = min(held, left)
        if part > 0:
            taken.append((code, part))
            left -= part
    return taken


def spread(total: Decimal, parts: Iterable[Decimal]) -> list[Decimal]:
    """Spread a total over parts in order, none getting more than its own size."""
    shares: list[Decimal] = []
    for part in parts:
        share = min(part, total)
        shares.append(share)
        total -= share
    return shares


def in_own_unit(quantity: Decimal, factor: Decimal, *, inverse: bool) -> Decimal:
    """Return a quantity of another unit in the product's own, rounded up to what is kept.

    Args:
        quantity: In the line's unit of measure.
        factor: Of the stated conversion.
        inverse: The conversion leads from the product's unit to the line's.
    """
    exact = quantity / factor if inverse else quantity * factor
    return exact.quantize(_SMALLEST, rounding=ROUND_CEILING)
