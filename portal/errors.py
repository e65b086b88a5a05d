"""Refusals: every way an action says no, and the kind of answer that each one deserves."""

from typing import ClassVar


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's extractor and readers expect
    """Mark ``text`` for translation and return it unchanged; the edge translates it."""
    return text


class DomainError(Exception):
    """A refusal with words a buyer understands.

    The class carries the marked message, the instance the details that fill its placeholders.
    """

    message: ClassVar[str] = N_("This can't be done.")
    field: ClassVar[str | None] = None

    def __init__(self, **details: object) -> None:
        super().__init__(details)
        self.details = details

    def __str__(self) -> str:
        return self.message.format(**self.details)


class NotFoundError(DomainError):
    """The thing does not exist, or not for this person: both are answered alike."""

    message = N_("There is nothing here that you can see.")


class NotAllowedError(DomainError):
    """The person lacks the permission itself."""

    message = N_("Your role does not include this.")


class ConflictError(DomainError):
    """The thing is not in a state that allows this, or it changed meanwhile."""

    message = N_("This changed while you were working on it.")


class InvalidError(DomainError):
    """What was typed or sent can't be used."""

    message = N_("There is a problem with what was entered.")
