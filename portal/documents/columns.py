"""How wide the columns of a document's tables are: as wide as what stands in them.

WeasyPrint finds this out by itself, but lays out every cell twice more to do so, and on each page
anew. Here the text of a cell is measured by the widths of its letters.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final
from xml.etree.ElementTree import Element

from fontTools.ttLib import TTFont

from portal.documents.fetching import asset_path

CELLS: Final = {"td": ("inter-400", 1.0), "th": ("inter-600", 7.5 / 9)}
"""Face and size of what stands in a cell and in a heading, as the style sheet has them."""
MOST: Final = 36.0
"""What all columns but the widest may take, of the 56 times its size that a page is wide, edges of
cells included; where they would take more, WeasyPrint decides."""
_SPARE: Final = 1.03
"""Some letters stand further apart from some others."""
_OTHER: Final = 1.0
"""Of a letter that the face doesn't have: a Chinese or Korean one is as wide as it is high."""
_NARROW: Final = frozenset(" .,:;")

Widths = Mapping[str, Mapping[str, float]]
"""The width of each letter, in sizes of the page's own, by the kind of cell that it stands in."""


def load_widths() -> Widths:
    """Read how wide the letters are."""
    return {kind: _widths(face, size) for kind, (face, size) in CELLS.items()}


def _widths(name: str, size: float) -> dict[str, float]:
    face: Any = TTFont(asset_path(f"documents/{name}.woff2"))  # its tables are made without types
    with face:
        unit = size / face["head"].unitsPerEm
        advances = face["hmtx"]
        widths = {
            chr(code): advances[glyph][0] * unit for code, glyph in face.getBestCmap().items()
        }
    # Figures stand in columns: each is as wide as the widest, and so are most signs beside them.
    figure = max(widths[figure] for figure in "0123456789")
    return {
        letter: width if letter.isalpha() or letter in _NARROW else max(width, figure)
        for letter, width in widths.items()
    }


def set_columns(page: Element, widths: Widths) -> None:
    """Give the tables of a page the widths of their columns; the widest takes what is left."""
    for table in page.iter("table"):
        rows = [list(row) for row in table.iter("tr")]
        if not _is_plain(table, rows):
            continue
        columns = [
            max(_width(cell, widths) for cell in column) * _SPARE
            for column in zip(*rows, strict=True)
        ]
        widest = columns.index(max(columns))
        if sum(columns) - columns[widest] > MOST:
            continue
        table.set("style", "table-layout: fixed")
        for number, (cell, width) in enumerate(zip(rows[0], columns, strict=True)):
            if number != widest:
                cell.set("style", f"width: {width:.2f}rem")


def _is_plain(table: Element, rows: Sequence[Sequence[Element]]) -> bool:
    """Tell whether every row has one cell for each column, and nothing has its own widths."""
    marked = {"style", "colspan", "rowspan"}
    return (
        len({len(row) for row in rows}) == 1
        and len(rows[0]) > 1
        and all(cell.tag in CELLS for row in rows for cell in row)
        and not any(marked & set(each.keys()) for each in chain((table,), *rows))
        and table.find(".//table") is None
    )


def _width(cell: Element, widths: Widths) -> float:
    letters = widths[cell.tag]
    text = " ".join("".join(cell.itertext()).split())
    return sum(letters.get(letter, _OTHER) for letter in text)
