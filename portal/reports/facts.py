"""Figures from plain facts: rows read once within the reader's scope, put together in many ways.

The rows behind a figure are the very facts it was made of, so that both always agree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from portal.reports.asking import By, Wanted
from portal.reports.naming import Name, nothing
from portal.reports.periods import Window, bucket_of, buckets_of
from portal.reports.results import NO_KEY, ResultRow

Payload = TypeVar("Payload")
Measure = Callable[[Sequence[Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Fact(Generic[Payload]):
    """One thing that is counted: when it was, to which groups it belongs, and what it is."""

    at: datetime | None
    marks: Mapping[By, Name]
    what: Payload


def passing(facts: Sequence[Fact[Payload]], wanted: Wanted) -> list[Fact[Payload]]:
    """Return the facts that pass every filter."""
    return [
        fact
        for fact in facts
        if all(_passes(fact, by, text) for by, text in wanted.filters.items())
    ]


def _passes(fact: Fact[Payload], by: By, text: str) -> bool:
    name = fact.marks.get(By.SUBCATEGORY if by is By.CATEGORY else by) or nothing()
    if by is By.CATEGORY and text != NO_KEY:
        return (name.key + "/").startswith(text + "/")
    if by is By.UNIT:
        return text in {name.key, name.key.rpartition("/")[2]}
    return name.key == text


def in_group(facts: Sequence[Fact[Payload]], wanted: Wanted, window: Window) -> list[Fact[Payload]]:
    """Return the facts of the group whose rows are asked for; all of them without one."""
    if wanted.key is None:
        return list(facts)
    name = _namer(wanted.by, window)
    return [fact for fact in facts if name(fact).key == wanted.key]


def group(
    facts: Sequence[Fact[Payload]], wanted: Wanted, window: Window, measure: Measure
) -> list[ResultRow]:
    """Return one row of figures for each group; time lines also have their empty pieces."""
    name = _namer(wanted.by, window)
    names: dict[str, Name] = {}
    held: dict[str, list[Payload]] = {}
    if wanted.by.step is not None and facts:
        for bucket in buckets_of(window, wanted.by.step):
            names[bucket.key], held[bucket.key] = Name(bucket.key, bucket.key), []
    for fact in facts:
        found = name(fact)
        names.setdefault(found.key, found)
        held.setdefault(found.key, []).append(fact.what)
    return [ResultRow(key, names[key].label, measure(rows)) for key, rows in held.items()]


def _namer(by: By, window: Window) -> Callable[[Fact[Any]], Name]:
    step = by.step
    if step is None:
        return lambda fact: fact.marks.get(by) or nothing()
    buckets = buckets_of(window, step)

    def name(fact: Fact[Any]) -> Name:
        if fact.at is None:
            return nothing()
        key = bucket_of(buckets, fact.at)
        return Name(key, key)

    return name


def window_around(facts: Sequence[Fact[Any]], window: Window) -> Window:
    """Return the days from the first to the last fact, for reports that have no period."""
    days = [window.day_of(fact.at) for fact in facts if fact.at is not None]
    if not days:
        return window
    return Window(min(days), max(days).fromordinal(max(days).toordinal() + 1), window.zone)
