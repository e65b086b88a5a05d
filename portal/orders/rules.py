"""The words and arithmetic of orders: states, moves, the ledger of a quote's lines, numbers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from portal.accounts.patterns import LONGEST_TEXT
from portal.errors import N_, ConflictError, InvalidError
from portal.lifecycle import State, Step
from portal.policy import Actor, Permission

KIND: Final = "order"


@unique
class OrderStatus(State):
    """Where an order stands."""

    DRAFT = "draft", N_("draft"), "idle"
    PLACED = "placed", N_("placed"), "work"
    CHANGE_PROPOSED = "change proposed", N_("change proposed"), "warn"
    CONFIRMED = "confirmed", N_("confirmed"), "ok"
    PARTLY_SHIPPED = "partly shipped", N_("partly shipped"), "work"
    SHIPPED = "shipped", N_("shipped"), "work"
    DELIVERED = "delivered", N_("delivered"), "ok"
    CLOSED = "closed", N_("closed"), "ok"
    DECLINED = "declined", N_("declined"), "bad"
    CANCELLED = "cancelled", N_("cancelled"), "bad"
    DISCARDED = "discarded", N_("discarded"), "bad"


S = OrderStatus

GIVEN_UP: Final = frozenset({S.DECLINED, S.CANCELLED, S.DISCARDED})
"""States of an order of which nothing more will be delivered."""

UNANSWERED: Final = frozenset({S.PLACED, S.CHANGE_PROPOSED})
"""States before the supplier's word: what is cancelled here is open on the quote again."""

TO_SHIP: Final = frozenset({S.CONFIRMED, S.PARTLY_SHIPPED})
"""States in which something has still to leave."""

ON_THE_WAY: Final = frozenset({S.PARTLY_SHIPPED, S.SHIPPED})
"""States in which something may be on its way."""

OPEN: Final = UNANSWERED | TO_SHIP | {S.SHIPPED, S.DELIVERED}
"""States of an order that is placed and not closed: it counts against the credit limit."""

SENT: Final = OPEN | {S.CLOSED}
"""States of an order that the supplier has and that was not given up."""

UNSENT: Final = frozenset({S.DRAFT, S.DISCARDED})
"""States that the supplier never sees."""


@unique
class Move(Step):
    """Every step an order can take.

    In the steps of the last third the quantities decide how far the order gets: the target is the
    furthest, `portal.orders.progress.progress_of` says which it is.
    """

    target: OrderStatus
    permission: Permission

    # fmt: off
    #                from                   to                  who may
    PLACE         = ({S.DRAFT},             S.PLACED,           Permission.ORDER_PLACE)
    DISCARD       = ({S.DRAFT},             S.DISCARDED,        Permission.ORDER_PLACE)
    CANCEL        = (UNANSWERED,            S.CANCELLED,        Permission.ORDER_CANCEL)
    CONFIRM       = ({S.PLACED},            S.CONFIRMED,        Permission.ORDER_CONFIRM)
    DECLINE       = (UNANSWERED,            S.DECLINED,         Permission.ORDER_DECLINE)
    PROPOSE       = ({S.PLACED},            S.CHANGE_PROPOSED,  Permission.ORDER_PROPOSE)
    TAKE_BACK     = ({S.CHANGE_PROPOSED},   S.PLACED,           Permission.ORDER_PROPOSE)
    ACCEPT        = ({S.CHANGE_PROPOSED},   S.CONFIRMED,        Permission.ORDER_ANSWER)
    REFUSE        = ({S.CHANGE_PROPOSED},   S.PLACED,           Permission.ORDER_ANSWER)
    PROMISE       = (TO_SHIP,               S.CONFIRMED,        Permission.ORDER_CONFIRM)
    SHIP          = (TO_SHIP,               S.SHIPPED,          Permission.ORDER_SHIP)
    DELIVER       = (ON_THE_WAY,            S.DELIVERED,        Permission.ORDER_SHIP)
    ASK_TO_CANCEL = (TO_SHIP,               S.CONFIRMED,        Permission.ORDER_CANCEL)
    ANSWER_CANCEL = (TO_SHIP,               S.CANCELLED,        Permission.ORDER_CONFIRM)
    CLOSE         = ({S.DELIVERED},         S.CLOSED,           Permission.ORDER_SHIP)
    # fmt: on

    def apply(self, status: OrderStatus, actor: Actor, number: str) -> OrderStatus:
        """Return the new state; refuses as `Step.check` does."""
        self.check(status, actor, number)
        return self.target


@unique
class Tab(StrEnum):
    """The views of the list; every order is in `ALL`."""

    ALL = "all"
    DRAFTS = "drafts"
    PLACED = "placed"
    CHANGE_PROPOSED = "change-proposed"
    CONFIRMED = "confirmed"
    ON_THE_WAY = "on-the-way"
    LATE = "late"
    DELIVERED = "delivered"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return TAB_LABELS[self]


TAB_LABELS: Final[Mapping[Tab, str]] = {
    Tab.ALL: N_("All"),
    Tab.DRAFTS: N_("Drafts"),
    Tab.PLACED: N_("Placed"),
    Tab.CHANGE_PROPOSED: N_("Change proposed"),
    Tab.CONFIRMED: N_("Confirmed"),
    Tab.ON_THE_WAY: N_("On the way"),
    Tab.LATE: N_("Late"),
    Tab.DELIVERED: N_("Delivered"),
    Tab.ENDED: N_("Declined and cancelled"),
}

TAB_STATES: Final[Mapping[Tab, frozenset[OrderStatus]]] = {
    Tab.ALL: frozenset(S) - {S.DISCARDED},
    Tab.DRAFTS: frozenset({S.DRAFT}),
    Tab.PLACED: frozenset({S.PLACED}),
    Tab.CHANGE_PROPOSED: frozenset({S.CHANGE_PROPOSED}),
    Tab.CONFIRMED: frozenset({S.CONFIRMED}),
    Tab.ON_THE_WAY: ON_THE_WAY,
    Tab.LATE: TO_SHIP,
    Tab.DELIVERED: frozenset({S.DELIVERED, S.CLOSED}),
    Tab.ENDED: frozenset({S.DECLINED, S.CANCELLED}),
}


@unique
class SortBy(StrEnum):
    """By what the list may be sorted."""

    NUMBER = "number"
    PURCHASE_ORDER = "purchase-order"
    STATUS = "status"
    TOTAL = "total"
    PLACED = "placed"


LABELS: Final[Mapping[str, str]] = {
    "order.created": N_("Order draft made from the quote"),
    "order.placed": N_("Order placed"),
    "order.discarded": N_("Order draft discarded"),
    "order.cancelled": N_("Order cancelled"),
    "order.confirmed": N_("Order confirmed by the supplier"),
    "order.declined": N_("Order declined by the supplier"),
    "order.change-proposed": N_("Change proposed by the supplier"),
    "order.change-withdrawn": N_("Proposed change withdrawn by the supplier"),
    "order.change-accepted": N_("Proposed change accepted"),
    "order.change-refused": N_("Proposed change refused"),
    "order.promised": N_("Promised date changed"),
    "order.late": N_("Late: the promised date has passed"),
    "order.shipped": N_("Shipped"),
    "order.delivered": N_("Delivered"),
    "order.cancellation-requested": N_("Cancellation requested"),
    "order.cancellation-agreed": N_("Cancellation agreed by the supplier"),
    "order.cancellation-refused": N_("Cancellation refused by the supplier"),
    "order.closed": N_("Order closed"),
    "order.reordered": N_("Ordered again: its lines went into a draft quote"),
}
"""Verb of an event -> what the time line says."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What orders took of one quote line for good: what they order, and what of it was cancelled.

    What was cancelled before the supplier confirmed is not taken at all: the quote has it again.
    """

    ordered: Decimal = Decimal(0)
    cancelled: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What of one quote line is quoted, ordered, cancelled and still open, in the line's unit.

    ``cancelled`` is what was cancelled after the supplier confirmed: it never reopens.
    """

    line_id: int
    quoted: Decimal
    ordered: Decimal
    cancelled: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        """What can still be ordered; never below zero."""
        return max(self.quoted - self.ordered - self.cancelled, Decimal(0))


def make_ledger(quoted: Mapping[int, Decimal], taken: Mapping[int, Taken]) -> dict[int, LedgerLine]:
    """Return the ledger by line id from quantities quoted and taken by orders."""
    nothing = Taken()
    return {
        line_id: LedgerLine(
            line_id,
            quantity,
            taken.get(line_id, nothing).ordered,
            taken.get(line_id, nothing).cancelled,
        )
        for line_id, quantity in quoted.items()
    }


class NothingChosenError(InvalidError):
    """No line has a quantity to order."""

    message = N_("Enter a quantity for at least one line.")


class QuantityNotOpenError(ConflictError):
    """More is asked for than the quote has open."""

    message = N_("Line {position}: {wanted} asked for, {open} still open.")


class WholeOnlyError(ConflictError):
    """The account's agreement allows no partial orders."""

    message = N_("This quote can only be ordered whole.")


class BelowBreakError(ConflictError):
    """A part does not reach the break whose price was quoted."""

    message = N_("Line {position}: the quoted price holds from {least} on.")


class WholeNumberError(InvalidError):
    """A quantity that is not a positive number with at most three decimals."""

    message = N_("Line {position}: enter a quantity above zero.")


@dataclass(frozen=True, slots=True)
class Wish:
    """A line and the quantity that somebody wants to order of it.

    ``least`` is the break that the quoted price needs (1 where the price has none).
    """

    position: int
    ledger: LedgerLine
    quantity: Decimal
    least: Decimal


def check_wishes(wishes: Iterable[Wish], lines: int, partial_orders: str) -> None:
    """Refuse an order that the ledger or the account's rule on partial orders does not allow.

    Args:
        wishes: The lines with a quantity, in order of position.
        lines: How many lines of the quote still have something open.
        partial_orders: The account's rule: ``free``, ``from_break`` or ``whole``.

    Raises:
        NothingChosenError, WholeNumberError, QuantityNotOpenError, WholeOnlyError, BelowBreakError.
    """
    chosen = list(wishes)
    if not chosen:
        raise NothingChosenError
    for wish in chosen:
        _check_open(wish)
        if partial_orders == "from_break" and wish.quantity < wish.least:
            raise BelowBreakError(position=wish.position, least=wish.least)
    full = all(wish.quantity == wish.ledger.quoted for wish in chosen)
    if partial_orders == "whole" and not (full and len(chosen) == lines):
        raise WholeOnlyError


def _check_open(wish: Wish) -> None:
    if wish.quantity <= 0:
        raise WholeNumberError(position=wish.position)
    if wish.quantity > wish.ledger.open:
        raise QuantityNotOpenError(
            position=wish.position, wanted=wish.quantity, open=wish.ledger.open
        )


class PurchaseOrderNeededError(InvalidError):
    """The account requires its own purchase order number on every order."""

    message = N_("Enter your purchase order number.")
    field = "purchase_order_number"


class PurchaseOrderPatternError(InvalidError):
    """The number does not look as the account's numbers do."""

    message = N_("“{value}” does not have the form of your purchase order numbers ({pattern}).")
    field = "purchase_order_number"


class PurchaseOrderDoubleError(ConflictError):
    """The number stands on another order, and the account refuses that."""

    message = N_("Purchase order number {value} is already on order {other}.")
    field = "purchase_order_number"


class PurchaseOrderWarningError(PurchaseOrderDoubleError):
    """The number stands on another order; the buyer may confirm that it is meant."""

    message = N_(
        "Purchase order number {value} is already on order {other}. Tick the box to use it again."
    )
    field = "accept_duplicate"


def check_purchase_order_number(value: str, *, rule: str, pattern: str | None) -> None:
    """Refuse a purchase order number that the account's rule does not accept.

    Args:
        value: As typed and stripped; text, leading zeros kept.
        rule: ``required`` or ``optional``.
        pattern: Regular expression that the whole number must match, or ``None``.
    """
    if not value:
        if rule == "required":
            raise PurchaseOrderNeededError
        return
    if pattern and (len(value) > LONGEST_TEXT or not re.fullmatch(pattern, value)):
        raise PurchaseOrderPatternError(value=value, pattern=pattern)
