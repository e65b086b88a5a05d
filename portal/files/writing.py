"""Writing tables: the one writer of CSV and XLSX, in which a text stays a text."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import xlsxwriter

Cell = str | int | Decimal | date | datetime | bool | None
FORMULA_STARTS: Final = (*"=+-@\t\r\n", *"＝＋－＠")  # noqa: RUF001 - some take the wide ones too


def write_csv(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, for_people: bool = False
) -> str:
    """Return RFC 4180 text.

    Args:
        for_people: The file will be opened in a spreadsheet: a text that would start a formula is
            quoted with an apostrophe. Files that are imported again are written as they are.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_text(name, for_people=for_people) for name in columns])
    for row in rows:
        writer.writerow([_text(cell, for_people=for_people) for cell in row])
    return out.getvalue()


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet: str) -> bytes:
    """Return a workbook with one sheet; strings are never read as formulas or links."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "in_memory": True,
        },
    )
    page = book.add_worksheet(sheet[:31])
    bold = book.add_format({"bold": True})
    for column, name in enumerate(columns):
        page.write_string(0, column, name, bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
                page.write_number(number, column, Fraction(cell))
            elif cell is not None:
                page.write_string(number, column, _text(cell, for_people=False))
    book.close()
    return out.getvalue()


def _text(cell: Cell, *, for_people: bool) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "1" if cell else "0"
        case Decimal():
            return f"{cell:f}"
        case datetime() | date():
            return cell.isoformat()
        case str() if for_people and cell.startswith(FORMULA_STARTS):
            return "'" + cell
        case _:
            return str(cell)
