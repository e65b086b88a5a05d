"""How far an order is: what left, what arrived, what was promised, what is late. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from portal.errors import N_, ConflictError, InvalidError
from portal.orders.rules import OrderStatus

NONE: Final = Decimal(0)
DISPATCH_DAYS: Final = 2
"""Days from the order desk's word to the arrival of what lies in stock."""
USUAL_LEAD_DAYS: Final = 7
"""Lead time of a product that states none."""
CLOSES_AFTER: Final = timedelta(days=14)
"""How long after its delivery an order is closed by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of one line; quantities in the line's unit of measure.

    ``backordered`` is the part of what has still to leave that comes on ``backorder_on``, the rest
    of it on ``promised_on``. ``workshop`` is the part that a repair takes off the workshop's own
    shelves; it is what leaves first and what is cancelled last.
    """

    ordered: Decimal
    cancelled: Decimal = NONE
    backordered: Decimal = NONE
    shipped: Decimal = NONE
    delivered: Decimal = NONE
    workshop: Decimal = NONE
    promised_on: date | None = None
    backorder_on: date | None = None

    @property
    def valid(self) -> Decimal:
        """What is ordered and not cancelled."""
        return self.ordered - self.cancelled

    @property
    def to_ship(self) -> Decimal:
        """What has still to leave."""
        return self.valid - self.shipped

    @property
    def to_ship_first(self) -> Decimal:
        """What of that is not on back-order."""
        return max(self.to_ship - self.backordered, NONE)

    @property
    def to_take(self) -> Decimal:
        """What of what has still to leave is taken from the goods for sale."""
        return max(self.valid - max(self.shipped, self.workshop), NONE)


def progress_of(lines: Iterable[Counts]) -> OrderStatus:
    """Return where a confirmed order stands by its lines."""
    counts = list(lines)
    valid = sum((line.valid for line in counts), NONE)
    shipped = sum((line.shipped for line in counts), NONE)
    delivered = sum((line.delivered for line in counts), NONE)
    if not valid:
        return OrderStatus.CANCELLED
    if not shipped:
        return OrderStatus.CONFIRMED
    if shipped < valid:
        return OrderStatus.PARTLY_SHIPPED
    return OrderStatus.DELIVERED if delivered == valid else OrderStatus.SHIPPED


def due_of(line: Counts) -> date | None:
    """Return the first promised day of what of a line has still to leave."""
    days = [
        day
        for day, quantity in (
            (line.promised_on, line.to_ship_first),
            (line.backorder_on, min(line.backordered, line.to_ship)),
        )
        if day is not None and quantity > 0
    ]
    return min(days, default=None)


def last_due(lines: Iterable[Counts]) -> date | None:
    """Return the last day promised for what has still to leave."""
    days = [
        day
        for line in lines
        for day, quantity in (
            (line.promised_on, line.to_ship_first),
            (line.backorder_on, min(line.backordered, line.to_ship)),
        )
        if day is not None and quantity > 0
    ]
    return max(days, default=None)


def is_late(line: Counts, today: date) -> bool:
    """Whether something that was promised for a day before ``today`` has not left."""
    due = due_of(line)
    return due is not None and due < today


@dataclass(frozen=True, slots=True)
class Promise:
    """When a line arrives: ``backordered`` of it on ``backorder_on``, the rest on ``on``."""

    on: date | None
    backordered: Decimal = NONE
    backorder_on: date | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """What the supplier can say of a product; ``available`` is ``None`` where no stock is kept.

    ``available`` is what nobody else was promised, ``on_hand`` what lies there.
    """

    available: Decimal | None = None
    on_hand: Decimal | None = None
    expected_on: date | None = None
    lead_time_days: int | None = None


def suggest_promise(
    quantity: Decimal, supply: Supply, *, today: date, wished_on: date | None
) -> Promise:
    """Return the promise that stock and lead time allow; never before the day wished for.

    What is in stock goes now, the rest is on back-order until the day the stock expects more, or
    else for the lead time.
    """
    later = today + timedelta(days=supply.lead_time_days or USUAL_LEAD_DAYS)
    if supply.available is None:
        return Promise(_not_before(wished_on, later))
    if supply.expected_on is not None and supply.expected_on >= today:
        later = supply.expected_on + timedelta(days=DISPATCH_DAYS)
    soon = _not_before(wished_on, today + timedelta(days=DISPATCH_DAYS))
    later = _not_before(wished_on, later)
    missing = min(max(quantity - supply.available, NONE), quantity)
    if not missing:
        return Promise(soon)
    return Promise(soon if missing < quantity else later, missing, later)


def _not_before(wished_on: date | None, day: date) -> date:
    return day if wished_on is None else max(day, wished_on)


class PromiseNeededError(InvalidError):
    """A line is confirmed without a day."""

    message = N_("Line {position}: enter the promised date.")


class PromiseInThePastError(InvalidError):
    """A day that is over can't be promised."""

    message = N_("Line {position}: {day} is over. Promise today or a later day.")


class BackorderError(InvalidError):
    """More is put on back-order than is ordered."""

    message = N_("Line {position}: at most {most} can be on back-order.")


def check_promise(position: int, quantity: Decimal, promise: Promise, today: date) -> None:
    """Refuse a promise without a day, for a day that is over, or of more than is ordered."""
    if not NONE <= promise.backordered <= quantity:
        raise BackorderError(position=position, most=quantity)
    if promise.on is None and promise.backordered < quantity:
        raise PromiseNeededError(position=position)
    for day in (promise.on, promise.backorder_on):
        if day is not None and day < today:
            raise PromiseInThePastError(position=position, day=day)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the desk proposes for one line; ``sku`` names another product."""

    line: int
    ordered: Decimal
    quantity: Decimal
    promise: Promise
    sku: str = ""

    @property
    def needs_approval(self) -> bool:
        """Whether accepting it goes beyond what was approved.

        A smaller quantity at the approved price lowers the total; another product or a larger
        quantity is content that nobody has approved.
        """
        return bool(self.sku) or self.quantity > self.ordered


class NotToShipError(ConflictError):
    """More is shipped than is confirmed and has not left."""

    message = N_("Line {position}: {wanted} to ship, {open} not shipped yet.")


class NothingToShipError(InvalidError):
    """A shipment carries something."""

    message = N_("Enter a quantity to ship for at least one line.")


class SerialCountError(InvalidError):
    """There are more serial numbers than pieces."""

    message = N_("Line {position}: {count} serial numbers for {quantity} pieces.")


class SerialTwiceError(InvalidError):
    """One serial number is one piece."""

    message = N_("Line {position}: serial number {serial} stands there twice.")


@dataclass(frozen=True, slots=True)
class Packed:
    """How much of a line goes into a shipment, with the serial numbers of its pieces."""

    quantity: Decimal
    serial_numbers: tuple[str, ...] = ()


def check_packed(
    packed: Mapping[int, Packed], positions: Mapping[int, int], lines: Mapping[int, Counts]
) -> None:
    """Refuse a shipment of nothing, of more than is left, or with wrong serial numbers.

    Args:
        packed: What is shipped by line.
        positions: Printed position by line.
        lines: What became of each line so far.
    """
    if not any(item.quantity for item in packed.values()):
        raise NothingToShipError
    seen: set[str] = set()
    for key, item in packed.items():
        position = positions[key]
        if item.quantity < 0 or item.quantity > lines[key].to_ship:
            raise NotToShipError(position=position, wanted=item.quantity, open=lines[key].to_ship)
        if len(item.serial_numbers) > item.quantity:
            raise SerialCountError(
                position=position, count=len(item.serial_numbers), quantity=item.quantity
            )
        _check_unique(position, item.serial_numbers, seen)


def _check_unique(position: int, serial_numbers: Sequence[str], seen: set[str]) -> None:
    for serial in serial_numbers:
        if serial.casefold() in seen:
            raise SerialTwiceError(position=position, serial=serial)
        seen.add(serial.casefold())


class NotCancellableError(ConflictError):
    """More is to be cancelled than has not left yet."""

    message = N_("Line {position}: {wanted} to cancel, {open} not shipped yet.")


class NothingToCancelError(InvalidError):
    """A cancellation names a quantity."""

    message = N_("Enter a quantity to cancel for at least one line.")


def check_cancelled(
    wanted: Mapping[int, Decimal], positions: Mapping[int, int], lines: Mapping[int, Counts]
) -> None:
    """Refuse a cancellation of nothing, or of what has left already."""
    if not any(wanted.values()):
        raise NothingToCancelError
    for key, quantity in wanted.items():
        if quantity < 0 or quantity > lines[key].to_ship:
            raise NotCancellableError(
                position=positions[key], wanted=quantity, open=lines[key].to_ship
            )
