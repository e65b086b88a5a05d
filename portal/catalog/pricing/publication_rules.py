"""Publishing as a reviewed change: what may be published, and what would change. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from portal.catalog.pricing.rules import Entry, EntryKind

# What two entries must not share while both hold: SKU or category, unit of measure, break.
Slot: TypeAlias = tuple[str | None, str | None, str, Decimal]
# What makes an entry the same one in another version of its list.
EntryKey: TypeAlias = tuple[str | None, str | None, str, Decimal, datetime | None]

MAX_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Change:
    """The same entry before and after."""

    before: Entry
    after: Entry


@dataclass(frozen=True, slots=True)
class Diff:
    """What publishing would change, in the order of the entries' keys."""

    new: tuple[Entry, ...]
    changed: tuple[Change, ...]
    removed: tuple[Entry, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Mover:
    """An entry whose value moves, with the move in per cent of the value before."""

    change: Change
    percent: Decimal


def slot_of(entry: Entry) -> Slot:
    """Return what no two entries may share while both hold."""
    return entry.sku, entry.category_path, entry.uom, entry.min_quantity


def key_of(entry: Entry) -> EntryKey:
    """Return what makes an entry the same one in another version."""
    return *slot_of(entry), entry.window.start


def find_overlaps(entries: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    """Return pairs of the same SKU or category, unit and break whose validity overlaps.

    Each entry is named once, with the earlier one that it runs into.
    """
    slots: dict[Slot, list[Entry]] = {}
    for entry in entries:
        slots.setdefault(slot_of(entry), []).append(entry)
    pairs: list[tuple[Entry, Entry]] = []
    for same in slots.values():
        if len(same) > 1:
            pairs += _overlaps_of(same)
    return pairs


def _overlaps_of(same: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Walk one slot in order of starts, remembering the entry that lasts longest."""
    ordered = sorted(same, key=lambda e: (e.window.start is not None, e.window.start or 0))
    pairs: list[tuple[Entry, Entry]] = []
    longest = ordered[0]
    for entry in ordered[1:]:
        if longest.window.overlaps(entry.window):
            pairs.append((longest, entry))
        if longest.window.end is not None and (
            entry.window.end is None or entry.window.end > longest.window.end
        ):
            longest = entry
    return pairs


def is_fit(entry: Entry, *, in_standard_list: bool) -> bool:
    """Tell whether the value can stand in such a list at all (rules 2 and 4)."""
    if entry.kind is EntryKind.PRICE:
        return entry.value >= 0
    if in_standard_list:
        return False
    if entry.kind is EntryKind.PERCENT_OFF:
        return 0 < entry.value <= MAX_PERCENT
    return entry.value >= 0


def compare(before: Iterable[Entry], after: Iterable[Entry]) -> Diff:
    """Compare two sets of entries by SKU or category, unit, break and start of validity."""
    old: Mapping[EntryKey, Entry] = {key_of(entry): entry for entry in before}
    new: Mapping[EntryKey, Entry] = {key_of(entry): entry for entry in after}
    changed = [Change(old[key], new[key]) for key in new if key in old and new[key] != old[key]]
    added = [entry for key, entry in new.items() if key not in old]
    return Diff(
        new=tuple(sorted(added, key=_reading_order)),
        changed=tuple(sorted(changed, key=lambda change: _reading_order(change.after))),
        removed=tuple(
            sorted((entry for key, entry in old.items() if key not in new), key=_reading_order)
        ),
        unchanged=len(new) - len(added) - len(changed),
    )


def biggest_movers(diff: Diff, limit: int = 10) -> tuple[Mover, ...]:
    """Return the changed entries whose value moves most, in per cent, largest move first."""
    movers = [
        Mover(change, (change.after.value - change.before.value) * 100 / change.before.value)
        for change in diff.changed
        if change.before.value and change.before.kind is change.after.kind
    ]
    movers.sort(key=lambda mover: (-abs(mover.percent), _reading_order(mover.change.after)))
    return tuple(mover for mover in movers[:limit] if mover.percent)


def _reading_order(entry: Entry) -> tuple[str, str, str, Decimal, str]:
    start = entry.window.start
    return (
        entry.sku or "",
        entry.category_path or "",
        entry.uom,
        entry.min_quantity,
        start.isoformat() if start else "",
    )
