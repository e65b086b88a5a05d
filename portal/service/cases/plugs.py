"""The way upwards: what packages above cases show on a case's page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.policy import Actor
from portal.service.cases.models import Case


@dataclass(frozen=True, slots=True)
class Part:
    """What one package adds: values for its own template, and whose events join the time line.

    ``objects`` are (kind, id) of events of the case's own account, ``labels`` says their verbs.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    objects: Sequence[tuple[str, int]] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


Maker = Callable[[Actor, Case, datetime], Part]
_makers: dict[str, Maker] = {}


def also_show(name: str, make: Maker) -> None:
    """Name what makes a further part of the page; called once per part, by the application."""
    _makers[name] = make


def parts_of(actor: Actor, case: Case, now: datetime) -> list[Part]:
    """Return the further parts of one case's page."""
    return [make(actor, case, now) for make in _makers.values()]
