"""Life cycles as tables: states with their word and shape, and the moves that lead between them."""

from collections.abc import Set as AbstractSet
from enum import Enum, StrEnum
from typing import Self

from portal.errors import N_, ConflictError
from portal.policy import Actor, Permission


class IllegalMoveError(ConflictError):
    """The thing is not in a state from which this step can be taken."""

    message = N_("{number} is {status}: this can't be done now.")


class State(StrEnum):
    """Base of the states of one kind of thing, each written as value, word and shape.

    Attributes:
        label: The marked word of the page.
        tone: Which of the five shapes of a state it has: idle, work, ok, warn or bad.
    """

    _value_: str
    label: str
    tone: str

    def __new__(cls, value: str, label: str = "", tone: str = "idle") -> Self:
        """Make the member that its value alone finds again."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.tone = label, tone
        return member


class Step(Enum):
    """Base of the moves of one kind of thing, each written as sources, target and permission.

    Attributes:
        sources: States from which it can be taken.
        target: The state that it leads to.
        permission: What whoever takes it must hold; ``None``: the portal itself takes it.
    """

    def __init__(
        self, sources: AbstractSet[State], target: State, permission: Permission | None
    ) -> None:
        self.sources, self.target, self.permission = frozenset(sources), target, permission

    def check(self, status: State, actor: Actor | None, number: str) -> None:
        """Refuse a step that can't be taken now, or not by this actor.

        Args:
            actor: Who takes the step; ``None`` for the portal itself.
            number: What the thing is called, for the words of the refusal.

        Raises:
            NotAllowedError: The actor's roles do not include the step.
            IllegalMoveError: The thing is in another state.
        """
        if actor is not None and self.permission is not None:
            actor.must(self.permission)
        if status not in self.sources:
            raise IllegalMoveError(number=number, status=status, move=self.name.lower())
