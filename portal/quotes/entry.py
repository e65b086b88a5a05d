"""Quick entry: what people paste, read as rows of SKU and quantity. Pure; knows no products."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from portal.errors import N_
from portal.quotes.rules import MOST_QUANTITY, QUANTITY_DECIMALS
from portal.web.numbers import NotANumberError, decimals_of, parse_number

MOST_ROWS: Final = 5_000
MOST_CHARACTERS: Final = 400_000
LONGEST_SKU: Final = 64

_TIMES: Final = re.compile(
    r"^(?P<sku>\S.*?)(?:\s+x\s*|\s*[×*]\s*)(?P<quantity>\d[\d.,]*)$", re.IGNORECASE
)
_COUNTED: Final = re.compile(r"^(?P<quantity>\d[\d.,]*)\s*[x×*]\s+(?P<sku>\S.*)$", re.IGNORECASE)
_GROUPED_END: Final = re.compile(r"^(?P<sku>[^,\s]+)\s+(?P<quantity>\d{1,3}(,\d{3})+)$")
_SPACES: Final = re.compile(r"\s{2,}")
_LAST_SPACE: Final = re.compile(r"^(?P<sku>\S.*?)\s+(?P<quantity>\d[\d.,]*)$")

_HEAD_SKUS: Final = frozenset(
    {
        *("sku", "item", "item number", "article", "article number", "part", "part no"),
        *("part number", "part-no", "product", "product code", "material", "material number"),
        *(
            "own number",
            "buyer_sku",
            "货号",
            "貨號",
            "产品",
            "產品",
            "品号",
            "品號",
            "料号",
            "料號",
        ),
        *("품번", "제품", "상품", "부품번호"),
    }
)
_HEAD_QUANTITIES: Final = frozenset(
    {"quantity", "qty", "pcs", "pieces", "amount", "count", "数量", "數量", "수량"}
)
_HEAD_UOMS: Final = frozenset({"uom", "unit", "unit of measure", "单位", "單位", "단위"})


@unique
class EntryError(StrEnum):
    """Why a row can't be read."""

    NO_SKU = "no-sku"
    NO_QUANTITY = "no-quantity"
    NOT_A_NUMBER = "not-a-number"
    NOT_POSITIVE = "not-positive"
    TOO_FINE = "too-fine"
    TOO_MUCH = "too-much"
    TOO_LONG = "too-long"


ERRORS: Final = {
    EntryError.NO_SKU: N_("Enter an SKU."),
    EntryError.NO_QUANTITY: N_("Enter a quantity."),
    EntryError.NOT_A_NUMBER: N_("The quantity is not a number. Enter one such as 5 or 12.5."),
    EntryError.NOT_POSITIVE: N_("Enter a quantity above 0."),
    EntryError.TOO_FINE: N_("A quantity has at most 3 decimals."),
    EntryError.TOO_MUCH: N_("This quantity is too large."),
    EntryError.TOO_LONG: N_("An SKU has at most 64 characters."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One row as it was read; ``merged`` counts the rows of the same SKU that were added to it."""

    row: int
    sku: str
    quantity_text: str
    quantity: Decimal | None = None
    uom: str = ""
    error: EntryError | None = None
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Entered:
    """All rows read; ``dropped`` counts those beyond the limit."""

    rows: tuple[EntryRow, ...]
    dropped: int = 0

    @property
    def merged(self) -> int:
        """How many rows were added to an earlier one of the same SKU."""
        return sum(row.merged for row in self.rows)


def fold(text: str) -> str:
    """Make full-width letters, digits and separators plain, as spreadsheets in CJK write them."""
    return unicodedata.normalize("NFKC", text).replace("\u3000", " ")


def parse_text(text: str) -> Entered:
    """Read pasted lines: tabs, commas, semicolons, several spaces, or "SKU x 5"."""
    cells = []
    for number, line in enumerate(fold(text).splitlines(), start=1):
        if line.strip():
            cells.append((number, split_line(line)))
    return parse_cells(cells)


def split_line(line: str) -> list[str]:
    """Cut one typed line into SKU, quantity and what follows."""
    stripped = line.strip()
    grouped = _GROUPED_END.match(stripped)
    if grouped:
        return [grouped["sku"], grouped["quantity"]]
    for separator in ("\t", ";", ","):
        if separator in line:
            return [cell.strip().strip('"').strip() for cell in line.split(separator)]
    parts = _SPACES.split(stripped)
    if len(parts) > 1:
        return parts
    for pattern in (_COUNTED, _TIMES, _LAST_SPACE):
        match = pattern.match(stripped)
        if match:
            return [match["sku"], match["quantity"]]
    return [stripped]


def parse_cells(rows: Iterable[tuple[int, Sequence[str]]]) -> Entered:
    """Read rows of cells, of a paste or of a file, and add up those that name the same SKU.

    A first row of names decides which column is which; without it the first is the SKU and the
    second the quantity.
    """
    listed = [(number, [fold(cell).strip() for cell in cells]) for number, cells in rows]
    listed = [(number, cells) for number, cells in listed if any(cells)]
    columns = _columns(listed[0][1]) if listed else None
    body = listed[1:] if columns else listed
    sku_at, quantity_at, uom_at = columns or (0, 1, 2)
    read = [
        read_row(number, _at(cells, sku_at), _at(cells, quantity_at), _at(cells, uom_at))
        for number, cells in body[:MOST_ROWS]
    ]
    return Entered(merge(read), max(0, len(body) - MOST_ROWS))


def read_row(number: int, sku: str, quantity_text: str, uom: str = "") -> EntryRow:
    """Read one row of typed cells."""
    sku, quantity_text, uom = fold(sku).strip(), fold(quantity_text).strip(), fold(uom).strip()
    quantity, error = read_quantity(quantity_text)
    if not sku:
        error = EntryError.NO_SKU
    elif len(sku) > LONGEST_SKU:
        error = EntryError.TOO_LONG
    return EntryRow(
        row=number,
        sku=sku[:200],
        quantity_text=quantity_text[:40],
        quantity=None if error else quantity,
        uom=uom.upper()[:16] if re.fullmatch(r"[A-Za-z0-9]{1,16}", uom) else "",
        error=error,
    )


def read_quantity(text: str) -> tuple[Decimal | None, EntryError | None]:
    """Read a quantity with grouped digits and either decimal mark; say what is wrong with it."""
    text = fold(text).strip()
    if not text:
        return None, EntryError.NO_QUANTITY
    try:
        quantity = parse_number(text)
    except NotANumberError:
        return None, EntryError.NOT_A_NUMBER
    if quantity <= 0:
        return None, EntryError.NOT_POSITIVE
    if quantity > MOST_QUANTITY:
        return None, EntryError.TOO_MUCH
    if decimals_of(quantity) > QUANTITY_DECIMALS:
        return None, EntryError.TOO_FINE
    return quantity, None


def merge(rows: Iterable[EntryRow]) -> tuple[EntryRow, ...]:
    """Add up rows of the same SKU and unit of measure, in the place of the first."""
    merged: dict[object, EntryRow] = {}
    for row in rows:
        key = (row.sku.casefold(), row.uom) if row.error is None else ("row", row.row, len(merged))
        known = merged.get(key)
        if known is None or known.quantity is None or row.quantity is None:
            merged[key] = row
            continue
        total = known.quantity + row.quantity
        merged[key] = EntryRow(
            row=known.row,
            sku=known.sku,
            quantity_text=f"{total:f}",
            quantity=total,
            uom=known.uom,
            merged=known.merged + 1 + row.merged,
        )
    return tuple(merged.values())


def _columns(cells: Sequence[str]) -> tuple[int, int, int] | None:
    """Return the places of SKU, quantity and unit of measure if the row is a header."""
    names = [cell.casefold().rstrip(".:") for cell in cells]
    sku_at = _first(names, _HEAD_SKUS)
    quantity_at = _first(names, _HEAD_QUANTITIES)
    if sku_at is None or quantity_at is None:
        return None
    uom_at = _first(names, _HEAD_UOMS)
    return sku_at, quantity_at, len(names) if uom_at is None else uom_at


def _first(names: Sequence[str], wanted: frozenset[str]) -> int | None:
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
