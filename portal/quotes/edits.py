"""What somebody typed into a draft, and how it differs from what stands there meanwhile. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum, unique
from typing import Final, Protocol

from portal.errors import N_


class Keep(Enum):
    """Says that a field was not on the form, so that it stays as it is."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """New content of one line; without a cost centre or address the head's count."""

    quantity: Decimal | Keep = KEEP
    cost_centre_id: int | Keep | None = KEEP
    ship_to_address_id: int | Keep | None = KEEP
    note: str | Keep = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftEdits:
    """New content of a draft; only what is named changes.

    ``known`` are the line ids that the form was made from, ``accepted`` the moved prices that the
    person saw and accepts, by line id.
    """

    title: str | Keep = KEEP
    note: str | Keep = KEEP
    cost_centre_id: int | Keep | None = KEEP
    ship_to_address_id: int | Keep | None = KEEP
    lines: Mapping[int, LineEdit] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()
    known: frozenset[int] | None = None
    accepted: Mapping[int, Decimal] = field(default_factory=dict)


@unique
class ClashKind(StrEnum):
    """What two people's changes of one draft have to do with each other."""

    DIFFERS = "differs"
    ADDED = "added"
    REMOVED = "removed"


FIELDS: Final[Mapping[str, str]] = {
    "title": N_("Title"),
    "note": N_("Note"),
    "quantity": N_("Quantity"),
    "cost_centre_id": N_("Cost centre"),
    "ship_to_address_id": N_("Ship to"),
    "line": N_("Line"),
}


@dataclass(frozen=True, slots=True)
class Clash:
    """One difference between what was typed and what was saved meanwhile."""

    kind: ClashKind
    field: str
    sku: str = ""
    typed: object = None
    saved: object = None


class Head(Protocol):
    """The head of a draft as far as it can be edited."""

    title: str
    note: str
    cost_centre_id: int | None
    ship_to_address_id: int | None


class Line(Protocol):
    """A line of a draft as far as it can be edited."""

    line_id: int
    sku: str
    quantity: Decimal
    note: str
    cost_centre_id: int | None
    ship_to_address_id: int | None


_HEAD: Final = ("title", "note", "cost_centre_id", "ship_to_address_id")
_LINE: Final = ("quantity", "cost_centre_id", "ship_to_address_id", "note")


def clashes(edits: DraftEdits, head: Head, lines: Iterable[Line]) -> list[Clash]:
    """Return where what was typed differs from what stands in the draft now."""
    found = [
        Clash(ClashKind.DIFFERS, name, "", getattr(edits, name), getattr(head, name))
        for name in _HEAD
        if _differs(getattr(edits, name), getattr(head, name))
    ]
    present = {line.line_id: line for line in lines}
    for line_id, edit in edits.lines.items():
        line = present.get(line_id)
        if line is None:
            found.append(Clash(ClashKind.REMOVED, "line", "", edit.quantity, None))
            continue
        found += [
            Clash(ClashKind.DIFFERS, name, line.sku, getattr(edit, name), getattr(line, name))
            for name in _LINE
            if _differs(getattr(edit, name), getattr(line, name))
        ]
    found += [
        Clash(ClashKind.DIFFERS, "line", present[line_id].sku, None, present[line_id].quantity)
        for line_id in sorted(edits.removed & present.keys())
    ]
    if edits.known is not None:
        found += [
            Clash(ClashKind.ADDED, "line", line.sku, None, line.quantity)
            for line_id, line in present.items()
            if line_id not in edits.known
        ]
    return found


def _differs(typed: object, saved: object) -> bool:
    return typed is not KEEP and typed != saved


def changes_anything(edits: DraftEdits, head: Head, lines: Iterable[Line]) -> bool:
    """Whether saving ``edits`` would change the draft at all."""
    here = list(lines)
    own = [clash for clash in clashes(edits, head, here) if clash.kind is ClashKind.DIFFERS]
    return bool(own or edits.accepted)
