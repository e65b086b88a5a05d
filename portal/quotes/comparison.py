"""What differs between two revisions, line by line, by the stable line id."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique


@unique
class ChangeKind(StrEnum):
    """What became of a line."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """A line as far as comparisons look at it."""

    line_id: int
    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal | None
    line_total: Decimal | None
    cost_centre: str | None = None
    ship_to: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One difference: ``before`` is missing for an added line, ``after`` for a removed one."""

    kind: ChangeKind
    before: ComparedLine | None
    after: ComparedLine | None

    @property
    def line(self) -> ComparedLine:
        """The line as it is now, or as it last was."""
        line = self.after or self.before
        if line is None:
            raise ValueError
        return line

    @property
    def quantity_changed(self) -> bool:
        """Whether another quantity is wanted."""
        return self._differs("quantity")

    @property
    def price_changed(self) -> bool:
        """Whether the unit price is another one."""
        return self._differs("unit_price")

    @property
    def booking_changed(self) -> bool:
        """Whether cost centre, address or note are others."""
        return any(self._differs(name) for name in ("cost_centre", "ship_to", "note"))

    def _differs(self, name: str) -> bool:
        if self.before is None or self.after is None:
            return False
        return bool(getattr(self.before, name) != getattr(self.after, name))


def compare(before: Sequence[ComparedLine], after: Sequence[ComparedLine]) -> list[LineChange]:
    """Return the differences: changed and added lines in their new order, then the removed ones."""
    old = {line.line_id: line for line in before}
    new_ids = {line.line_id for line in after}
    changes: list[LineChange] = []
    for line in after:
        known = old.get(line.line_id)
        if known is None:
            changes.append(LineChange(ChangeKind.ADDED, None, line))
        elif known != line:
            changes.append(LineChange(ChangeKind.CHANGED, known, line))
    changes.extend(
        LineChange(ChangeKind.REMOVED, line, None) for line in before if line.line_id not in new_ids
    )
    return changes
