"""Small random worlds of lists, entries and questions, dense enough that everything meets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from portal.catalog.pricing.rules import (
    Entry,
    EntryKind,
    Level,
    ListCandidate,
    ListKind,
    PriceRequest,
    Window,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
SKUS = ("A", "B")
CATEGORIES = ("HW", "HW/PC", "HW/PC/Mini", "HW/PCs", "SW")
UNITS = ("EA", "BX", "CS", "PK")
FACTORS = (Decimal(10), Decimal(3), Decimal(12), Decimal("0.5"), Decimal(7))

instants = st.integers(0, 4).map(lambda day: START + timedelta(days=day))
open_instants = st.none() | instants
quantities = st.sampled_from([Decimal(n) for n in ("0.5", "1", "2", "3", "10", "30", "36")])
values = st.sampled_from([Decimal(n) for n in ("0", "0.005", "1", "2.345", "9.995", "12", "33.33")])
percents = st.sampled_from([Decimal(n) for n in ("0.5", "12", "33.333", "100")])


@st.composite
def entry_rows(draw: st.DrawFn, kinds: tuple[str, ...]) -> dict[str, Any]:
    is_sku = draw(st.booleans())
    kind = draw(st.sampled_from(kinds))
    return {
        "sku": draw(st.sampled_from(SKUS)) if is_sku else None,
        "category_path": None if is_sku else draw(st.sampled_from(CATEGORIES)),
        "uom": draw(st.sampled_from(UNITS[:3])),
        "min_qty": draw(st.sampled_from([Decimal(n) for n in ("0", "1", "2", "3", "10")])),
        "kind": kind,
        "value": draw(percents if kind == "percent_off" else values),
        "valid_from": draw(open_instants),
        "valid_to": draw(open_instants),
    }


def publishable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the first of each slot: overlaps could not have been published."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        kept.setdefault((row["sku"], row["category_path"], row["uom"], row["min_qty"]), row)
    return list(kept.values())


@st.composite
def list_rows(draw: st.DrawFn, code: str) -> dict[str, Any]:
    level = draw(st.sampled_from([level.value for level in Level][:5]))
    kinds = ("price", "percent_off", "amount_off")
    rows = st.lists(entry_rows(kinds), max_size=5).map(publishable)
    return {
        "code": code,
        "kind": "agreement" if level.startswith("agreement") else "list",
        "level": level,
        "distance": draw(st.integers(0, 2)) if level.endswith("unit") else 0,
        "priority": draw(st.sampled_from([None, 1, 2])),
        "best_price": draw(st.booleans()),
        "decimals": draw(st.integers(0, 4)),
        "entries": draw(st.none() | rows),
    }


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    codes = draw(st.lists(st.sampled_from(["L1", "L2", "L3", "L4"]), max_size=5))
    lists = [draw(list_rows(code)) for code in codes]
    for row in lists:  # a list reached twice is the same list with the same entries
        first = next(other for other in lists if other["code"] == row["code"])
        row.update({name: first[name] for name in ("best_price", "decimals", "entries")})
    if draw(st.booleans()):
        rows = draw(st.lists(entry_rows(("price",)), max_size=6))
        lists.append(
            {
                "code": "STD",
                "kind": "standard",
                "level": "standard",
                "distance": 0,
                "priority": None,
                "best_price": draw(st.booleans()),
                "decimals": draw(st.integers(0, 4)),
                "entries": publishable(rows),
            }
        )
    ask = {
        "sku": draw(st.sampled_from(SKUS)),
        "category": draw(st.sampled_from(CATEGORIES)),
        "quantity": draw(quantities),
        "uom": draw(st.sampled_from(UNITS)),
        "at": draw(instants),
        "conversions": draw(conversions()),
    }
    return lists, ask


@st.composite
def conversions(draw: st.DrawFn) -> list[tuple[str, str, Decimal]]:
    """State at most one factor for each pair of units, in either direction."""
    stated = []
    for left in range(len(UNITS)):
        for right in range(left + 1, len(UNITS)):
            if draw(st.booleans()):
                pair = [UNITS[left], UNITS[right]]
                big, small = draw(st.permutations(pair))
                stated.append((big, small, draw(st.sampled_from(FACTORS))))
    return stated


def to_request(ask: dict[str, Any]) -> PriceRequest:
    factors: dict[str, Fraction] = {}
    for big, small, factor in ask["conversions"]:
        if big == ask["uom"]:
            factors[small] = Fraction(factor)
        elif small == ask["uom"]:
            factors[big] = 1 / Fraction(factor)
    return PriceRequest(ask["sku"], ask["category"], ask["quantity"], ask["uom"], factors)


def to_candidate(row: dict[str, Any]) -> ListCandidate:
    is_published = row["entries"] is not None
    return ListCandidate(
        code=row["code"],
        kind=ListKind(row["kind"]),
        level=Level(row["level"]),
        distance=row["distance"],
        priority=row["priority"],
        version=1 if is_published else None,
        version_id=version_id(row["code"]) if is_published else None,
        best_price=row["best_price"],
        decimals=row["decimals"],
    )


def version_id(code: str) -> int:
    return ["STD", "L1", "L2", "L3", "L4"].index(code) + 1


def to_entries(lists: list[dict[str, Any]]) -> dict[int, list[Entry]]:
    return {
        version_id(row["code"]): [to_entry(entry) for entry in row["entries"]]
        for row in lists
        if row["entries"] is not None
    }


def to_entry(row: dict[str, Any]) -> Entry:
    return Entry(
        kind=EntryKind(row["kind"]),
        value=row["value"],
        uom=row["uom"],
        min_quantity=row["min_qty"],
        sku=row["sku"],
        category_path=row["category_path"],
        window=Window(row["valid_from"], row["valid_to"]),
    )
