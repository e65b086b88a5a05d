"""Reading an uploaded CSV or XLSX into rows of text, within limits."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Final, NoReturn

import python_calamine

from portal.errors import N_, InvalidError

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 1_000_000
MOST_COLUMNS: Final = 400
MOST_UNPACKED: Final = 512 * 1024 * 1024
MOST_RATIO: Final = 200
FULL_ENOUGH: Final = 50
"""A sheet is laid out in memory as one rectangle: it may be so many times larger than its cells."""
SMALL_ENOUGH: Final = 100_000
"""Cells of a rectangle about which nobody asks how full it is."""
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_HANGUL: Final = re.compile("[가-힣]")
_MOSTLY: Final = 0.9
_CELL: Final = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_ROW: Final = re.compile(rb"[\s\"']r\s*=\s*[\"'][A-Za-z]*(\d+)")
_COLUMN: Final = re.compile(rb"[\s\"']r\s*=\s*[\"']([A-Za-z]+)\d")
"""Where a row or a cell says that it stands: letters for the column, digits for the row."""
_AT_ONCE: Final = 4 * 1024 * 1024
_OTHER_BOOKS: Final = frozenset({"xl/workbook.bin", "mimetype", "content.xml"})
"""Parts of formats that the reader knows too and that nobody has looked through here."""


class UnreadableFileError(InvalidError):
    """The file is not a CSV or XLSX table that can be read."""

    message = N_("This file can't be read as a CSV or XLSX table: {reason}")
    field = "file"


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet as text: ``rows[i]`` belongs to file row ``first_row + i``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_numbers: tuple[int, ...]


def read_table(data: bytes, filename: str) -> Table:
    """Read a CSV or the first sheet of an XLSX; the first row names the columns.

    Text is stripped, empty rows are skipped, short rows are filled with empty cells.

    Raises:
        UnreadableFileError: Not a table, too large, or with a column named twice.
    """
    cells = read_cells(data, filename)
    if not cells:
        raise UnreadableFileError(reason=N_("it is empty"))
    columns = tuple(cell.strip().lstrip("\ufeff") for cell in cells[0][1])
    while columns and not columns[-1]:
        columns = columns[:-1]
    doubled = sorted({name for name in columns if columns.count(name) > 1})
    if doubled:
        raise UnreadableFileError(reason=f"{doubled[0]!r} names two columns")
    width = len(columns)
    numbers, rows = [], []
    for number, row in cells[1:]:
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            raise UnreadableFileError(reason=f"row {number} has more cells than there are columns")
        padded = (*map(str.strip, row[:width]), *("",) * (width - len(row)))
        if any(padded):
            numbers.append(number)
            rows.append(padded)
    return Table(columns, tuple(rows), tuple(numbers))


def read_cells(data: bytes, filename: str) -> list[tuple[int, list[str]]]:
    """Read every row as (row number, cells) without naming columns; for pasted and quick lists."""
    if len(data) > MOST_BYTES:
        raise UnreadableFileError(reason=f"it is larger than {MOST_BYTES // 1024 // 1024} MiB")
    is_archive = data[:4] == b"PK\x03\x04"
    if is_archive or filename.lower().endswith((".xlsx", ".xlsm")):
        return _xlsx(data)
    return _csv(decode(data))


def decode(data: bytes) -> str:
    """Return text from UTF-8, GB18030, Big5, CP949 or Windows-1252 bytes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _utf16(data)
    if b"\x00" in data:
        raise UnreadableFileError(reason=N_("it holds binary data"))
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    for encoding in _guess(data):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("cp1252", errors="replace")


def _guess(data: bytes) -> tuple[str, ...]:
    """Return the encodings to try, the likeliest first.

    Detectors need more text than a price list has, and take short Chinese for Korean. Four facts
    suffice here: Western text has single high bytes, Korean text is all Hangul, Big5 has second
    bytes below 0x80, and GB18030 decodes nearly everything else.
    """
    high = _HIGH.findall(data)
    if sum(len(run) == 1 for run in high) > _MOSTLY * len(high):
        return ("cp1252",)
    korean = data.decode("cp949", errors="replace")
    hangul = len(_HANGUL.findall(korean))
    if hangul == sum(ord(char) > 0x7F for char in korean):  # noqa: PLR2004 - beyond ASCII
        return ("cp949",)
    odd = sum(len(run) % 2 for run in high)
    return ("big5", "gb18030") if odd else ("gb18030", "big5")


def _utf16(data: bytes) -> str:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(reason=N_("it holds binary data")) from error
    if "\x00" in text:
        raise UnreadableFileError(reason=N_("it holds binary data"))
    return text


def _csv(content: str) -> list[tuple[int, list[str]]]:
    first = content.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    cells: list[tuple[int, list[str]]] = []
    try:
        for number, row in enumerate(reader, start=1):
            if number > MOST_ROWS:
                raise UnreadableFileError(reason=f"it has more than {MOST_ROWS} rows")
            if len(row) > MOST_COLUMNS:
                raise UnreadableFileError(reason=f"it has more than {MOST_COLUMNS} columns")
            if row:
                cells.append((number, row))
    except csv.Error as error:
        raise UnreadableFileError(reason=str(error)) from error
    return cells


def _xlsx(data: bytes) -> list[tuple[int, list[str]]]:
    plain = _unpacked(data)
    try:
        book = python_calamine.load_workbook(plain)
        sheet = book.get_sheet_by_index(0)
        if (sheet.total_height or 0) > MOST_ROWS or (sheet.total_width or 0) > MOST_COLUMNS:
            _refuse_size()
        start = sheet.start[0] if sheet.start else 0
        rows = sheet.to_python(skip_empty_area=True)
    except UnreadableFileError:
        raise
    except Exception as error:  # the reader's own errors share no base class
        raise UnreadableFileError(reason=str(error)) from error
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":  # a panic of the reader is no `Exception`
            raise
        raise UnreadableFileError(reason=N_("it is not an XLSX file")) from error
    return [(start + number, [_cell(cell) for cell in row]) for number, row in enumerate(rows, 1)]


def _unpacked(data: bytes) -> io.BytesIO:
    """Return the archive unpacked and packed anew, so that what was measured is what is read.

    An archive may say of a part what its content belies, or name a part twice: the parser would
    then see another file than these limits did.
    """
    plain = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(plain, "w") as copy:
            for part in _parts(archive):
                content = _content(archive, part)
                _check_extent(content)
                copy.writestr(part.filename, content)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise UnreadableFileError(reason=N_("it is not an XLSX file")) from error
    plain.seek(0)
    return plain


def _content(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """Return what a part holds, as long as it says: read at once it would be unpacked whole."""
    with archive.open(part) as file:
        return b"".join(iter(lambda: file.read(_AT_ONCE), b""))


def _parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the parts to read; refuse an archive that unpacks to far more than is allowed."""
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    if unpacked > MOST_UNPACKED or (unpacked > MOST_BYTES // 4 and unpacked / packed > MOST_RATIO):
        raise UnreadableFileError(reason=N_("it unpacks to more than is allowed"))
    names = {part.filename.lower() for part in parts}
    usual = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    if (
        len(names) != len(parts)
        or "xl/workbook.xml" not in names
        or names & _OTHER_BOOKS
        or any(part.compress_type not in usual for part in parts)
    ):
        raise UnreadableFileError(reason=N_("it is not an XLSX file"))
    return [part for part in parts if part.filename.lower().endswith((".xml", ".rels"))]


def _check_extent(content: bytes) -> None:
    """Refuse a part that claims cells far apart: the parser makes room for all those between."""
    text = content.replace(b"\0", b"") if b"\0" in content else content  # UTF-16
    cells, placed = 0, 0
    named, numbers = set[bytes](), set[bytes]()
    for piece in _pieces(text):
        cells += len(_CELL.findall(piece))
        letters = _COLUMN.findall(piece)
        placed += len(letters)
        named.update(letters)
        numbers.update(_ROW.findall(piece))
    rows = max((int(digits[:9]) for digits in numbers), default=0)
    columns = max((_column(letters) for letters in named), default=0)
    if placed < cells:  # a cell that says nothing stands beside the one before it
        columns = max(columns, min(cells - placed, MOST_COLUMNS))
    is_hollow = rows * columns > max(SMALL_ENOUGH, FULL_ENOUGH * cells)
    if rows > MOST_ROWS or columns > MOST_COLUMNS or is_hollow:
        _refuse_size()


def _pieces(text: bytes) -> Iterator[bytes]:
    """Yield a text in pieces that are cut before a tag, never inside what is looked for."""
    start = 0
    while start < len(text):
        end = text.find(b"<", start + _AT_ONCE)
        yield text[start : end if end > 0 else len(text)]
        start = end if end > 0 else len(text)


def _column(letters: bytes) -> int:
    """Return which column the letters name, counted from 1."""
    number = 0
    for letter in letters[:4].upper():
        number = number * 26 + letter - 64
    return number


def _refuse_size() -> NoReturn:
    raise UnreadableFileError(reason=N_("the sheet has too many rows or columns"))


def _cell(value: object) -> str:
    """Return a cell as the text its writer meant: 12345, not 12345.0."""
    match value:
        case bool():
            return "1" if value else "0"
        case float() if isfinite(value):
            number = Decimal(repr(value))
            integral = number == number.to_integral_value()
            return str(int(number)) if integral else f"{number:f}"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
