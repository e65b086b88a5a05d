"""A second, naive reading of the price rule: plain dictionaries, long-hand, nothing shared."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

LEVELS = [
    "agreement-unit",
    "agreement-account",
    "list-unit",
    "list-account",
    "list-group",
    "standard",
]

Row = dict[str, Any]


def half_up(exact: Fraction, places: int) -> Decimal:
    """Round by long division, digit by digit, then look at the next digit."""
    sign, exact = (-1, -exact) if exact < 0 else (1, exact)
    whole, rest = divmod(exact.numerator, exact.denominator)
    digits = [int(char) for char in str(whole)]
    for _ in range(places + 1):
        digit, rest = divmod(rest * 10, exact.denominator)
        digits.append(digit)
    last = digits.pop()
    number = int("".join(map(str, digits))) + (1 if last >= 5 else 0)
    return Decimal(sign * number).scaleb(-places)


def in_window(row: Row, at: datetime) -> bool:
    if row["valid_from"] is not None and at < row["valid_from"]:
        return False
    return not (row["valid_to"] is not None and at >= row["valid_to"])


def about(row: Row, sku: str, category: str) -> bool:
    if row["sku"]:
        return bool(row["sku"] == sku)
    have = row["category_path"].split("/")
    return bool(category.split("/")[: len(have)] == have)


def depth(row: Row) -> int:
    return 99 if row["sku"] else len(row["category_path"].split("/"))


def chain_of(lists: list[Row]) -> list[Row]:
    ordered: list[Row] = []
    for level in LEVELS:
        here = [row for row in lists if row["level"] == level]
        for distance in sorted({row["distance"] for row in here}):
            near = [row for row in here if row["distance"] == distance]
            near.sort(key=lambda r: (10**9 if r["priority"] is None else r["priority"], r["code"]))
            for row in near:
                if row["code"] not in [seen["code"] for seen in ordered]:
                    ordered.append(row)
    return ordered


def factor_between(ask: Row, uom: str) -> Fraction | None:
    """Return how many ``uom`` one unit of the question holds, if that is stated."""
    for big, small, factor in ask["conversions"]:
        if (big, small) == (ask["uom"], uom):
            return Fraction(factor)
        if (small, big) == (ask["uom"], uom):
            return 1 / Fraction(factor)
    return None


def pick(row: Row, ask: Row) -> tuple[Row, Fraction] | None:
    """Return the entry that counts in one list and the factor of its unit of measure."""
    fitting = [e for e in row["entries"] if about(e, ask["sku"], ask["category"])]
    fitting = [e for e in fitting if in_window(e, ask["at"])]
    own = [e for e in fitting if e["uom"] == ask["uom"] and e["min_qty"] <= ask["quantity"]]
    if own:
        deepest = max(depth(e) for e in own)
        best = [e for e in own if depth(e) == deepest]
        top = max(e["min_qty"] for e in best)
        return next(e for e in best if e["min_qty"] == top), Fraction(1)
    usable: list[tuple[Row, Fraction, Fraction]] = []
    for entry in fitting:
        per_line = factor_between(ask, entry["uom"])
        if per_line is None:
            continue
        converted = Fraction(entry["min_qty"]) / per_line
        if converted <= Fraction(ask["quantity"]):
            usable.append((entry, per_line, converted))
    if not usable:
        return None
    deepest = max(depth(e) for e, _, _ in usable)
    usable = [item for item in usable if depth(item[0]) == deepest]
    top_break = max(c for _, _, c in usable)
    usable = [item for item in usable if item[2] == top_break]
    entry, per_line, _ = min(usable, key=lambda item: item[0]["uom"])
    return entry, per_line


def price_of(row: Row, ask: Row, list_price: Decimal | None) -> Decimal | None:
    picked = pick(row, ask)
    if picked is None:
        return None
    entry, factor = picked
    if entry["kind"] == "price":
        exact = Fraction(entry["value"]) * factor
    elif list_price is None:
        return None
    elif entry["kind"] == "percent_off":
        exact = Fraction(list_price) - Fraction(list_price) * Fraction(entry["value"]) / 100
    else:
        exact = Fraction(list_price) - Fraction(entry["value"]) * factor
    return None if exact < 0 else half_up(exact, row["decimals"])


def naive_price(lists: list[Row], ask: Row) -> Row:  # noqa: C901, PLR0912 - as long as the text
    """Answer as the specification reads, one sentence after the other."""
    chain = chain_of(lists)
    standard = [row for row in chain if row["kind"] == "standard" and row["entries"] is not None]
    list_price = price_of(standard[0], ask, None) if standard else None
    outcomes: dict[str, str] = {}
    decider: Row | None = None
    prices: list[tuple[Decimal, int]] = []
    for place, row in enumerate(chain):
        if row["entries"] is None or pick(row, ask) is None:
            outcomes[row["code"]] = "silent"
            continue
        price = price_of(row, ask, list_price)
        if decider is None:
            decider = row
            outcomes[row["code"]] = "no-price" if price is None else "won"
            if price is not None:
                prices.append((price, place))
        elif decider["best_price"]:
            outcomes[row["code"]] = "no-price" if price is None else "lost"
            if price is not None:
                prices.append((price, place))
        else:
            outcomes[row["code"]] = "lost"
    if not prices:
        return {"found": False, "outcomes": outcomes}
    lowest = min(price for price, _ in prices)
    place = min(place for price, place in prices if price == lowest)
    for _, other in prices:
        outcomes[chain[other]["code"]] = "won" if other == place else "lost"
    total = Context(prec=80).multiply(lowest, ask["quantity"])
    return {
        "found": True,
        "unit_price": lowest,
        "line_total": total.quantize(Decimal("0.01"), ROUND_HALF_UP, Context(prec=80)),
        "list_code": chain[place]["code"],
        "list_price": list_price,
        "outcomes": outcomes,
    }
