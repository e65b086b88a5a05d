"""What the catalogue's files share: cells of paths and languages, refusals, the record."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import Batch, Row
from portal.files.parsing import CellError, TooLongError, text
from portal.policy import Actor

NAME_LENGTH: Final = 300
NAMES: Final = "name:"
ATTRIBUTES: Final = "attr:"
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_PATH_LENGTH: Final = 500


class NotAPathError(CellError):
    """A category path with an empty part."""

    message = N_("Write a category like Hardware/Laptops.")


class NotALocaleError(CellError):
    """The column's name ends in something that is no language."""

    message = N_("“{column}” names no language: write it like name:zh-Hans.")


class NamelessAttributeError(CellError):
    """The column's name lacks the attribute's."""

    message = N_("“{column}” names no attribute: write it like attr:Memory.")


class UnknownAssortmentError(CellError):
    """Neither the account nor all accounts together have such an assortment."""

    message = N_("There is no assortment “{code}”.")


class OneTargetError(CellError):
    """Both a category and a product, or neither."""

    message = N_("Give either a category or a product.")


class SameUomError(CellError):
    """A unit of measure is not converted into itself."""

    message = N_("Give two different units of measure.")


class NotSharedError(CellError):
    """Only who may change every account's assortments may change a shared one."""

    message = N_("Give the account: you can't change what all accounts share.")


def category_path(raw: str, _zone: ZoneInfo) -> str:
    """Parse a category path; blanks around its parts do not count."""
    parts = [part.strip() for part in raw.split("/")]
    if not all(parts) or any(ord(char) < 32 for char in raw):  # noqa: PLR2004 - C0 controls
        raise NotAPathError
    path = "/".join(parts)
    if len(path) > _PATH_LENGTH:
        raise TooLongError(length=_PATH_LENGTH)
    return path


def check_columns(batch: Batch) -> bool:
    """Refuse columns whose names after ``name:`` or ``attr:`` can't be used."""
    if not batch.rows:
        return True
    first = batch.rows[0]
    for column in sorted(batch.columns):
        if column.startswith(NAMES) and not _LOCALE.fullmatch(column.removeprefix(NAMES)):
            batch.refuse(first, column, NotALocaleError(column=column))
        if column.startswith(ATTRIBUTES) and not _is_name(column.removeprefix(ATTRIBUTES)):
            batch.refuse(first, column, NamelessAttributeError(column=column))
    return not batch.report.refused


def _is_name(attribute: str) -> bool:
    return bool(attribute.strip()) and len(attribute) <= 100  # noqa: PLR2004 - the column's length


def check_texts(batch: Batch, row: Row, prefixes: Sequence[str]) -> None:
    """Refuse texts of dynamic columns that are too long or hold control characters."""
    parse = text(NAME_LENGTH)
    for column, value in row.values.items():
        if value and column.startswith(tuple(prefixes)):
            try:
                parse(value, batch.zone)
            except CellError as error:
                batch.refuse(row, column, error)


def merged_names(known: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """Return the names by language after a row: its columns win, an empty cell takes one away."""
    names = dict(known) | row.dynamic(NAMES)
    return {locale: name for locale, name in sorted(names.items()) if name}


def note_file(actor: Actor, batch: Batch, verb: str, account_ids: Iterable[int]) -> None:
    """Note in each account's record that a file changed something; nothing changed, no note."""
    report = batch.report
    if report.refused or not (report.new or report.changed or report.removed):
        return
    for account_id in sorted(set(account_ids)):
        record(
            actor,
            verb,
            kind="file",
            object_id=None,
            number=report.kind,
            account_id=account_id,
            now=batch.now,
            new=report.new,
            changed=report.changed,
            removed=report.removed,
        )
