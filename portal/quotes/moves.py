"""The life of a quote as one table: guards, buttons and tests read it."""

from enum import unique

from portal.lifecycle import Step
from portal.policy import Actor, Permission
from portal.quotes.rules import EXPIRING, ORDERABLE, QuoteStatus, S

_REVISABLE = ORDERABLE | {S.WITHDRAWN, S.REJECTED, S.CHANGES_REQUESTED, S.EXPIRED}


@unique
class Move(Step):
    """Every step a quote can take."""

    target: QuoteStatus

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

    def apply(self, status: QuoteStatus, actor: Actor | None, number: str) -> QuoteStatus:
        """Return the new state; refuses as `Step.check` does."""
        self.check(status, actor, number)
        return self.target


def open_moves(status: QuoteStatus) -> tuple[Move, ...]:
    """Return the steps that people can take from a state, in the order of the buttons."""
    return tuple(move for move in Move if move.permission is not None and status in move.sources)
