"""The life of a quote as one table: guards, buttons and tests read it."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from enum import Enum, unique

from portal.errors import N_, ConflictError
from portal.policy import Actor, Permission
from portal.quotes.rules import EXPIRING, ORDERABLE, QuoteStatus, S

_REVISABLE = ORDERABLE | {S.WITHDRAWN, S.REJECTED, S.CHANGES_REQUESTED, S.EXPIRED}


class IllegalMoveError(ConflictError):
    """The quote is not in a state from which this step can be taken."""

    message = N_("Quote {number} is {status}: this can't be done now.")


@unique
class Move(Enum):
    """Every step a quote can take."""

    # fmt: off
    #                  from               to                    who may; None: the portal itself
    SAVE            = ({S.DRAFT},         S.DRAFT,              Permission.QUOTE_SAVE)
    SUBMIT          = ({S.DRAFT},         S.IN_APPROVAL,        Permission.QUOTE_SUBMIT)
    DISCARD         = ({S.DRAFT},         S.DISCARDED,          Permission.QUOTE_SAVE)
    WITHDRAW        = ({S.IN_APPROVAL},   S.WITHDRAWN,          Permission.QUOTE_SUBMIT)
    REVISE          = (_REVISABLE,        S.DRAFT,              Permission.QUOTE_SAVE)
    CONVERT         = (ORDERABLE,         S.PARTLY_ORDERED,     Permission.QUOTE_CONVERT)
    APPROVE         = ({S.IN_APPROVAL},   S.APPROVED,           None)
    REJECT          = ({S.IN_APPROVAL},   S.REJECTED,           None)
    REQUEST_CHANGES = ({S.IN_APPROVAL},   S.CHANGES_REQUESTED,  None)
    EXPIRE          = (EXPIRING,          S.EXPIRED,            None)
    # fmt: on

    def __init__(
        self, sources: AbstractSet[QuoteStatus], target: QuoteStatus, permission: Permission | None
    ) -> None:
        self.sources, self.target, self.permission = frozenset(sources), target, permission

    def apply(self, status: QuoteStatus, actor: Actor | None, number: str) -> QuoteStatus:
        """Return the new state.

        Args:
            actor: Who takes the step; ``None`` for the portal itself.
            number: The quote's number, for the words of a refusal.

        Raises:
            NotAllowedError: The actor's roles do not include the step.
            IllegalMoveError: The quote is in another state.
        """
        if actor is not None and self.permission is not None:
            actor.must(self.permission)
        if status not in self.sources:
            raise IllegalMoveError(number=number, status=status, move=self.name.lower())
        return self.target


def open_moves(status: QuoteStatus) -> tuple[Move, ...]:
    """Return the steps that people can take from a state, in the order of the buttons."""
    return tuple(move for move in Move if move.permission is not None and status in move.sources)


def states_before(moves: Iterable[Move]) -> frozenset[QuoteStatus]:
    """Return all states from which one of ``moves`` can be taken."""
    return frozenset(status for move in moves for status in move.sources)
