"""Spreadsheets as no program writes them: cells far apart, sizes that lie, parts that explode."""

import io
import zipfile
import zlib
from typing import Final

from portal.files.writing import write_xlsx

SHEET: Final = "xl/worksheets/sheet1.xml"
_HEAD: Final = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def plain() -> bytes:
    """A sheet that is what it says."""
    return write_xlsx(("sku", "quantity"), [("LT-1", 5), ("LT-2", 7)], sheet="S")


def rebuilt(parts: dict[str, bytes], *, without: str = "") -> bytes:
    """The plain sheet with some of its parts replaced, added or left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain())) as old:
        whole = {name: old.read(name) for name in old.namelist()} | parts
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in whole.items():
            if name != without:
                new.writestr(name, content)
    return out.getvalue()


def sheet(rows: str, before: str = "") -> bytes:
    """A book whose one sheet holds these rows."""
    text = f"{before}{_HEAD}<sheetData>{rows}</sheetData></worksheet>"
    return rebuilt({SHEET: text.encode()})


def cell(place: str, value: str = "1", row: int = 1) -> str:
    """A row with one cell that says where it stands."""
    return f'<row r="{row}"><c r="{place}"><v>{value}</v></c></row>'


def lying() -> bytes:
    """An archive with a part that says it is small, and unpacks to 128 MiB."""
    claimed = b"0" * 1000
    packed = zlib.compressobj(1, zlib.DEFLATED, -15)
    content = b"".join(packed.compress(b"0" * 2**20) for _ in range(128)) + packed.flush()
    out = bytearray(rebuilt({"xl/sharedStrings.xml": claimed}))
    with zipfile.ZipFile(io.BytesIO(bytes(out))) as archive:
        part = archive.getinfo("xl/sharedStrings.xml")
        start = archive.start_dir
    old_end = part.header_offset + 30 + len(part.filename) + part.compress_size
    head = bytearray(out[part.header_offset : part.header_offset + 30 + len(part.filename)])
    longer = len(content) - part.compress_size
    _write(head, 18, len(content))
    made = out[: part.header_offset] + head + content + out[old_end:start]
    directory = bytearray(out[start:])
    place = directory.index(part.filename.encode()) - 46
    _write(directory, place + 20, len(content))
    _shift_later(directory, part.header_offset, longer)
    end = directory.rindex(b"PK\5\6")
    _write(directory, end + 16, start + longer)
    return bytes(made + directory)


def _shift_later(directory: bytearray, after: int, by: int) -> None:
    place = directory.find(b"PK\1\2")
    while place >= 0:
        offset = int.from_bytes(directory[place + 42 : place + 46], "little")
        if offset > after:
            _write(directory, place + 42, offset + by)
        place = directory.find(b"PK\1\2", place + 4)


def _write(into: bytearray, place: int, number: int) -> None:
    into[place : place + 4] = number.to_bytes(4, "little")


FAR_APART: Final = {
    "the last cell that there is": sheet(cell("A1") + cell("XFD1048576", row=1048576)),
    "a cell that no sheet has": sheet(cell("A1") + cell("ZZZZZZZ99999999999")),
    "a column in the last row": sheet(cell("A1") + cell("NT1000000", row=1000000)),
    "cells that do not say where": sheet(
        f'<row r="1">{"<c><v>1</v></c>" * 300}</row><row r="999999"><c><v>1</v></c></row>'
    ),
    "small letters": sheet(cell("a1") + cell("xfd900000")),
    "blanks around the sign": sheet('<row r = "1"><c r\n=\n"XFD9"><v>1</v></c></row>'),
    "a sign in quotes before it": sheet('<row r="1"><c x=">" r="XFD9"><v>1</v></c></row>'),
    "in UTF-16": rebuilt(
        {
            SHEET: (
                f'<?xml version="1.0" encoding="UTF-16"?>{_HEAD}<sheetData>'
                f"{cell('A1')}{cell('XFD1048576')}</sheetData></worksheet>"
            ).encode("utf-16")
        }
    ),
}
"""Small files for which a parser would lay out millions of cells."""

ODD: Final = {
    "numbers that are none": sheet(cell("A1", "NaN") + cell("B1", "1e999999") + cell("C1", "inf")),
    "days that are none": sheet('<row r="1"><c r="A1" t="d"><v>9999-99-99</v></c></row>'),
    "row nought": sheet(cell("A0", row=0)),
    "a size that is wrong": sheet(cell("A1") + '<dimension ref="A1:XFD1048576"/>'),
    "entities": sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    ),
    "a file of this machine": sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&f;</t></is></c></row>',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>',
    ),
    "a NUL": sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>a&#0;b</t></is></c></row>'),
    "half a character": sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&#xD800;</t></is></c></row>'
    ),
    "a text that is not there": sheet('<row r="1"><c r="A1" t="s"><v>4000000000</v></c></row>'),
    "tags without end": sheet("<row><c><v>" * 5000),
    "no book": rebuilt({}, without="xl/workbook.xml"),
    "no sheet": rebuilt({}, without=SHEET),
    "another format inside": rebuilt({"content.xml": b"<x/>", "mimetype": b"spreadsheet"}),
    "a path that leads out": rebuilt({"../../../tmp/evil.xml": b"<x/>"}),
}
"""Files that are broken, or hold what no cell should."""
