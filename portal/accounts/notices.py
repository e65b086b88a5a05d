"""The way upwards to the messages: the application plugs in what writes them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol


class Tell(Protocol):
    """Writes a message in the transaction under way; `portal.messages.actions.tell` is one."""

    def __call__(  # noqa: PLR0913 - a message has this many parts, all named at the call
        self,
        kind: str,
        *,
        account_id: int,
        subject: Mapping[str, Any],
        now: datetime,
        path: str,
        membership_ids: Iterable[int] = ...,
        person_ids: Iterable[int] = ...,
        is_secret: bool = ...,
    ) -> None: ...


_plugged: list[Tell] = []


def plug_in(tell: Tell) -> None:
    """Say what writes messages; called once, by the application."""
    _plugged[:] = [tell]


def teller() -> Tell:
    """Return what writes messages.

    Raises:
        RuntimeError: The application plugged nothing in.
    """
    if not _plugged:
        message = "portal.accounts.notices.plug_in was not called"
        raise RuntimeError(message)
    return _plugged[0]
