from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from weasyprint import CSS, HTML
from weasyprint.formatting_structure.boxes import LineBox, TableCellBox
from weasyprint.text.fonts import FontConfiguration

from portal.documents.columns import load_widths, set_columns
from portal.documents.fetching import AssetFetcher
from portal.documents.renderer import STYLES

WIDTHS = load_widths()
QUOTE = ("#", "SKU", "Product", "Quantity", "List price", "Line total")
LARGE = (
    "10000",
    "WMW-MMW-0003",
    "A product of ours " * 9,
    "9,999,999.999 m²",
    "€88,888,888,888.88",
    "US",
)


def _table(head: Sequence[str], *rows: Sequence[str]) -> str:
    heads = "".join(f'<th scope="col">{text}</th>' for text in head)
    cells = ("".join(map(_cell, row)) for row in rows)
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>"
        f"{''.join(f'<tr>{row}</tr>' for row in cells)}</tbody></table>"
    )


def _cell(text: str) -> str:
    may_wrap = "product" in text
    return f"<td>{text}</td>" if may_wrap else f'<td class="num">{text}</td>'


def _widths_of(table: str) -> list[str | None]:
    page = ET.fromstring(f"<body>{table}</body>")  # noqa: S314 - our own
    set_columns(page, WIDTHS)
    return [cell.get("style") for cell in next(page.iter("tr"))]


def _overflows(table: str) -> list[tuple[float, float]]:
    """Return the widths of a line and of its cell wherever the line is wider."""
    fonts = FontConfiguration()
    page = HTML(string=f'<html lang="en"><body>{table}', url_fetcher=AssetFetcher())
    set_columns(page.etree_element, WIDTHS)
    styles = CSS(url=STYLES, url_fetcher=AssetFetcher(), font_config=fonts)
    document = page.render(stylesheets=[styles], font_config=fonts)
    return [
        (line.width, cell.width)
        for sheet in document.pages
        for cell in _within(sheet._page_box, TableCellBox)  # noqa: SLF001 - nothing else says it
        for line in _within(cell, LineBox)
        if line.width > cell.width
    ]


def _within(box: Any, kind: type) -> list[Any]:  # noqa: ANN401 - WeasyPrint has no annotations
    return [each for each in box.descendants() if isinstance(each, kind)]


@pytest.mark.parametrize(
    "row",
    [
        ("1", "AC-0003", "A product <div>Berlin</div>", "1 EA", "41.31 EUR", "1,239.24 EUR"),
        ("50", "(M)*=+-", "A product of ours " * 9, "1,000 EA", "가격은 문의", "0.00 KRW"),
        ("1111", "/|@&amp;%#", "A product of ours " * 9, "价格面议", "-1,111.11", "价格面议"),
        ("9", "WWWWWWWW", "A product of ours " * 9, "4,444,444 m²", "[{~}]", "4.44 €"),
    ],
)
def test_no_text_is_wider_than_its_column(row: Sequence[str]) -> None:
    assert _overflows(_table(QUOTE, row)) == []


def test_the_widest_column_takes_what_the_others_leave() -> None:
    number, sku, product, *others = _widths_of(_table(("#", "SKU", "Product"), ("1", "A", "Long")))

    assert number is not None
    assert sku is not None
    assert product is None
    assert others == []


def test_a_wider_text_makes_a_wider_column() -> None:
    narrow = _widths_of(_table(("Price", "Product"), ("1.00", "A long name")))
    wide = _widths_of(_table(("Price", "Product"), ("1.00", "A long name"), ("1,000.00", "B")))

    assert narrow[0] != wide[0]


@pytest.mark.parametrize(
    "table",
    [
        _table(QUOTE, LARGE),
        _table(("A", "B"), ("M" * 50, "W" * 50)),
        '<table><tr><td colspan="2">both</td></tr><tr><td>one</td><td>two</td></tr></table>',
        "<table><tr><td>one</td><td>two</td></tr><tr><td>alone</td></tr></table>",
        '<table><tr><td width="1">own</td><td style="width: 9mm">widths</td></tr></table>',
        "<table><tr><td><table><tr><td>1</td><td>2</td></tr></table></td><td>3</td></tr></table>",
        "<table><tr><td>alone</td></tr></table>",
        "<table></table>",
    ],
)
def test_what_is_too_wide_or_not_plain_is_left_to_the_library(table: str) -> None:
    page = ET.fromstring(f"<body>{table}</body>")  # noqa: S314 - our own
    first = page[0]

    set_columns(page, WIDTHS)

    assert first.get("style") is None
