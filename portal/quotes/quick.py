"""What quick entry was sent: pasted text, a file, or the rows of the last check, fixed inline."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from portal.errors import N_, InvalidError
from portal.files.reading import read_cells
from portal.quotes.entry import (
    MOST_CHARACTERS,
    MOST_ROWS,
    Entered,
    EntryRow,
    merge,
    parse_cells,
    parse_text,
    read_row,
)

MOST_FILE_ROWS: Final = 50_000
_ROW_NAME: Final = re.compile(r"sku-(?:0|[1-9]\d{0,6})", re.ASCII)
"""As the page names its rows; another way to write the same number is no row."""


class TooMuchTextError(InvalidError):
    """Far more than a list of products."""

    message = N_("This is too long: paste at most {most} rows at once.")
    field = "text"


def fingerprint(text: str) -> str:
    """Return what tells whether the text area was changed since it was drawn."""
    plain = "\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def read_entry(fields: Mapping[str, str], file: tuple[bytes, str] | None) -> Entered:
    """Return the rows that were sent.

    The rows of the last check count where the text is as it was drawn; a changed text replaces
    them. A file's rows come on top.

    Args:
        fields: Of the form: ``text``, ``checked`` (fingerprint of the text as drawn) and
            ``sku-N``, ``quantity-N``, ``uom-N``, ``drop-N`` for row N; ``use`` (``N:SKU``) is the
            suggestion that was pressed.
        file: Content and name of an uploaded file.

    Raises:
        TooMuchTextError: The text is too long.
        UnreadableFileError: The file is not a table.
    """
    text = fields.get("text", "")
    if len(text) > MOST_CHARACTERS:
        raise TooMuchTextError(most=MOST_ROWS)
    rows = _fixed_rows(_with_suggestion(fields))
    if rows and fingerprint(text) == fields.get("checked"):
        entered = Entered(merge(rows))
    else:
        entered = parse_text(text)
    if file is None:
        return entered
    return _joined(entered, parse_cells(read_cells(*file)[:MOST_FILE_ROWS]))


def _with_suggestion(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Return the fields with the suggested SKU in the row that it was pressed for."""
    number, _colon, sku = fields.get("use", "").partition(":")
    return {**fields, f"sku-{number}": sku} if f"sku-{number}" in fields else fields


def _joined(first: Entered, second: Entered) -> Entered:
    merged = merge([*first.rows, *second.rows])
    over = max(0, len(merged) - MOST_ROWS)
    return Entered(merged[:MOST_ROWS], first.dropped + second.dropped + over)


def _fixed_rows(fields: Mapping[str, str]) -> list[EntryRow]:
    """Return the rows of the last check as they were fixed; empty and dropped ones are left out."""
    numbers = sorted(int(name.removeprefix("sku-")) for name in fields if _ROW_NAME.fullmatch(name))
    rows = []
    for number in numbers[:MOST_ROWS]:
        sku, quantity = fields[f"sku-{number}"], fields.get(f"quantity-{number}", "")
        if f"drop-{number}" in fields or not (sku.strip() or quantity.strip()):
            continue
        rows.append(read_row(number, sku, quantity, fields.get(f"uom-{number}", "")))
    return rows
