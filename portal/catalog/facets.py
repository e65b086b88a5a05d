"""Every way to narrow the catalogue's list further, from what was counted."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from portal.catalog.rules import STEERING, local_name, parent_path, paths_to

MOST_ATTRIBUTES: Final = 8
MOST_VALUES: Final = 12


@dataclass(frozen=True, slots=True)
class Value:
    """One value to filter by, and how many products would be left."""

    value: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Node:
    """One category to filter by."""

    path: str
    name: str
    depth: int
    count: int
    is_chosen: bool


class Direct(NamedTuple):
    """A category and how many products stand in it itself."""

    id: int
    path: str
    name: str
    names: Mapping[str, Any]
    many: int


def nodes_of(categories: Iterable[Direct], chosen_path: str, locale: str) -> tuple[Node, ...]:
    """Return the roots, the way down to the chosen category and what lies directly below it."""
    known = sorted(categories, key=lambda item: item.path.split("/"))
    counts: Counter[str] = Counter()
    for item in known:
        for path in paths_to(item.path):
            counts[path] += item.many
    is_known = any(item.path == chosen_path for item in known)
    opened = set(paths_to(chosen_path)) if is_known else set()
    shown_below = {None, *opened}
    return tuple(
        Node(
            item.path,
            local_name(item.name, item.names, locale),
            item.path.count("/") + 1,
            counts[item.path],
            item.path == chosen_path,
        )
        for item in known
        if (counts[item.path] or item.path in opened) and parent_path(item.path) in shown_below
    )


def values_of(counts: Mapping[str, int], chosen: Collection[str]) -> tuple[Value, ...]:
    """Return the most frequent values and all chosen ones, the most frequent first."""
    known = dict(counts) | {value: counts.get(value, 0) for value in chosen}
    ranked = sorted(known.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(
        Value(value, count, value in chosen)
        for place, (value, count) in enumerate(ranked)
        if place < MOST_VALUES or value in chosen
    )


def attributes_of(
    counts: Mapping[str, Mapping[str, int]], chosen: Mapping[str, Collection[str]]
) -> dict[str, tuple[Value, ...]]:
    """Return the attributes that most products have, and those that are chosen."""
    totals = {name: sum(values.values()) for name, values in counts.items() if name not in STEERING}
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    shown = [*ranked[:MOST_ATTRIBUTES], *(n for n in chosen if n not in ranked[:MOST_ATTRIBUTES])]
    return {name: values_of(counts.get(name, {}), chosen.get(name, ())) for name in shown}
