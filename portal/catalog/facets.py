"""Every way to narrow the catalogue's list further, from what was counted."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.catalog.models import Category
from portal.catalog.rules import STEERING, local_name

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


def nodes_of(
    categories: Sequence[Category],
    direct: Mapping[int | None, int],
    chosen: Category | None,
    locale: str,
) -> tuple[Node, ...]:
    """Return the roots, the way down to the chosen category and what lies directly below it."""
    counts: Counter[str] = Counter()
    for item in categories:
        for path in item.ancestor_paths:
            counts[path] += direct.get(item.id, 0)
    opened = set(chosen.ancestor_paths) if chosen else set()
    return tuple(
        Node(
            item.path,
            local_name(item.name, item.names, locale),
            item.depth,
            counts[item.path],
            item is chosen,
        )
        for item in categories
        if (counts[item.path] or item.path in opened)
        and (item.depth == 1 or item.path.rpartition("/")[0] in opened)
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
