"""Categories in and out."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from portal.catalog.cells import (
    NAMES,
    category_path,
    check_columns,
    check_texts,
    merged_names,
    note_file,
)
from portal.catalog.models import Category
from portal.catalog.queries import find_categories
from portal.catalog.rules import parent_path
from portal.catalog.search_index import index_categories
from portal.db import db
from portal.errors import N_
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import text
from portal.policy import Actor, Permission


def _apply(actor: Actor, batch: Batch) -> None:
    """Make or change categories; those above a path that are missing are made with it."""
    if not check_columns(batch):
        return
    known = {item.path: item for item in db.session.scalars(select(Category))}
    before = set(known)
    renamed: set[int] = set()
    for (path,), row in sorted(batch.keyed("category_path").items()):
        check_texts(batch, row, (NAMES,))
        _make_above(path, known)
        is_new = path not in before
        item = _made(path, known)
        is_changed = _save(item, row)
        if is_changed and not is_new:
            renamed.add(item.id)
        batch.count(is_new=is_new, is_changed=is_changed)
    if batch.report.refused:
        return
    db.session.flush()
    index_categories(renamed)
    note_file(actor, batch, "catalogue.imported", [actor.account_id])


def _make_above(path: str, known: dict[str, Category]) -> None:
    above = parent_path(path)
    if above is not None and above not in known:
        _make_above(above, known)
        _made(above, known)


def _made(path: str, known: dict[str, Category]) -> Category:
    """Return the category of a path, made where it is new; what is above it exists."""
    if path not in known:
        above = parent_path(path)
        item = Category(path=path, name=path.rpartition("/")[2], names={})
        item.parent_id = known[above].id if above is not None else None
        db.session.add(item)
        db.session.flush()  # the next level needs the id
        known[path] = item
    return known[path]


def _save(item: Category, row: Row) -> bool:
    names = merged_names(item.names, row)
    name = item.name
    if row.has("name"):
        name = row["name"] or item.path.rpartition("/")[2]
    is_changed = (name, names) != (item.name, item.names)
    item.name, item.names = name, names
    return is_changed


def _export(_actor: Actor, _account_code: str | None) -> list[Mapping[str, Any]]:
    categories = find_categories()
    locales = sorted({locale for item in categories for locale in item.names})
    return [
        {"category_path": item.path, "name": item.name}
        | {f"{NAMES}{locale}": item.names.get(locale, "") for locale in locales}
        for item in categories
    ]


CATEGORIES: Final = ImportKind(
    name="categories",
    label=N_("Categories"),
    columns=(
        Column("category_path", category_path, required=True),
        Column("name", text(200)),
    ),
    permission=Permission.PRODUCT_SAVE,
    apply=_apply,
    export=_export,
    dynamic=(NAMES,),
)
