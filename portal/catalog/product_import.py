"""Products and their attributes in and out, tens of thousands at a time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update

from portal.catalog.cells import (
    ATTRIBUTES,
    NAMES,
    category_path,
    check_columns,
    check_texts,
    merged_names,
    note_file,
)
from portal.catalog.models import Category, Product, ProductAttribute
from portal.catalog.pricing.lookups import (
    UnknownCategoryError,
    UnknownProductError,
    find_category_ids,
    find_products,
    plain,
)
from portal.catalog.rules import ACTIVE, STATUSES, SuccessorError
from portal.catalog.search_index import index_products
from portal.db import db, in_pages
from portal.errors import N_
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, Row
from portal.files.parsing import choice, code, decimal, integer, text
from portal.policy import Actor, Permission

PAGE: Final = 5_000

_PLAIN: Final = (
    "name",
    "description",
    "uom",
    "status",
    "successor_sku",
    "lead_time_days",
    "min_quantity",
    "quantity_multiple",
    "manufacturer",
    "mpn",
    "unspsc",
    "tax_category",
)
_WHEN_EMPTY: Final[Mapping[str, Any]] = {"uom": "EA", "status": ACTIVE}
_FIELDS: Final = (*_PLAIN, "names", "category_id")

Attributes = dict[str, str]


def _apply(actor: Actor, batch: Batch) -> None:
    """Make or change products, their attributes and the words by which they are found."""
    if not check_columns(batch):
        return
    rows = {sku: row for (sku,), row in batch.keyed("sku").items()}
    categories = find_category_ids()
    known = _load_products(rows)
    values = {sku: _values(batch, row, known.get(sku), categories) for sku, row in rows.items()}
    _check_successors(batch, rows)
    if batch.report.refused:
        return
    changed = {sku for sku, new in values.items() if sku in known and _differs(known[sku], new)}
    _write(known, values, changed)
    ids = {sku: found.id for sku, found in find_products(rows).items()}
    changed |= _write_attributes(batch, rows, ids)
    for sku in rows:
        batch.count(is_new=sku not in known, is_changed=sku in changed)
    index_products(ids[sku] for sku in rows if sku not in known or sku in changed)
    note_file(actor, batch, "catalogue.imported", [actor.account_id])
    db.session.expire_all()  # the statements above went round the objects of the session


def _load_products(skus: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the fields of those products that exist, by SKU."""
    columns = [Product.id, Product.sku, *(getattr(Product, name) for name in _FIELDS)]
    found: dict[str, Mapping[str, Any]] = {}
    for page in in_pages(sorted(skus), PAGE):
        rows = db.session.execute(select(*columns).where(Product.sku.in_(page)))
        found.update({row.sku: dict(row._mapping) for row in rows})  # noqa: SLF001 - documented
    return found


def _values(
    batch: Batch, row: Row, known: Mapping[str, Any] | None, categories: Mapping[str, int]
) -> dict[str, Any]:
    """Return what a row sets; a column that is missing from the file sets nothing."""
    check_texts(batch, row, (NAMES, ATTRIBUTES))
    given = row.given(*_PLAIN)
    given |= {
        name: default
        for name, default in _WHEN_EMPTY.items()
        if name in given and given[name] is None
    }
    if (known is None or row.has("name")) and row["name"] is None:
        batch.refuse(row, "name", EmptyCellError())
    given["names"] = merged_names(known["names"] if known else {}, row)
    if row.has("category_path"):
        path = row["category_path"]
        given["category_id"] = categories.get(path)
        if path is not None and path not in categories:
            batch.refuse(row, "category_path", UnknownCategoryError(code=path))
    return given


def _check_successors(batch: Batch, rows: Mapping[str, Row]) -> None:
    """Refuse a successor that neither the file nor the catalogue holds, or the product itself."""
    named = {row["successor_sku"] for row in rows.values() if row["successor_sku"] is not None}
    known = set(rows) | set(find_products(named - set(rows)))
    for sku, row in rows.items():
        successor = row["successor_sku"]
        if successor == sku:
            batch.refuse(row, "successor_sku", SuccessorError())
        elif successor is not None and successor not in known:
            batch.refuse(row, "successor_sku", UnknownProductError(code=successor))


def _differs(known: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(known[name] != value for name, value in new.items())


def _write(
    known: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Mapping[str, Any]],
    changed: Collection[str],
) -> None:
    """Write new and changed products in few statements of many rows."""
    made = [{"sku": sku, **_defaults(), **new} for sku, new in values.items() if sku not in known]
    for page in in_pages(made, PAGE):
        db.session.execute(insert(Product), page)
    moved = [
        {"key": known[sku]["id"], **{f"new_{name}": value for name, value in values[sku].items()}}
        for sku in sorted(changed)
    ]
    if moved:
        names = [name.removeprefix("new_") for name in moved[0] if name != "key"]
        statement = (
            update(Product.__table__)  # type: ignore[arg-type]  # a mapped class's table
            .where(Product.__table__.c.id == bindparam("key"))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        for page in in_pages(moved, PAGE):
            db.session.connection().execute(statement, page)


def _defaults() -> dict[str, Any]:
    """Return every field of a new product, so that all rows of a statement are alike."""
    return dict.fromkeys(_FIELDS) | dict(_WHEN_EMPTY) | {"names": {}}


def _write_attributes(batch: Batch, rows: Mapping[str, Row], ids: Mapping[str, int]) -> set[str]:
    """Set, change and remove attributes; return the SKUs whose attributes changed."""
    columns = {name.removeprefix(ATTRIBUTES) for name in batch.columns if _is_attribute(name)}
    if not columns:
        return set()
    changed: set[str] = set()
    held = _load_attributes(ids.values())
    gone: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    for sku, row in rows.items():
        before = {key: value for key, value in held[ids[sku]].items() if key in columns}
        after = {key: value for key, value in row.dynamic(ATTRIBUTES).items() if value}
        if before == after:
            continue
        changed.add(sku)
        stale = [key for key, value in before.items() if after.get(key) != value]
        gone += [{"of": ids[sku], "called": key} for key in stale]
        made += [
            {"product_id": ids[sku], "name": key, "value": value}
            for key, value in after.items()
            if before.get(key) != value
        ]
    _replace_attributes(gone, made)
    return changed


def _is_attribute(column: str) -> bool:
    return column.startswith(ATTRIBUTES)


def _load_attributes(product_ids: Iterable[int]) -> dict[int, Attributes]:
    held: dict[int, Attributes] = defaultdict(dict)
    for page in in_pages(sorted(product_ids), PAGE):
        for product_id, name, value in db.session.execute(
            select(
                ProductAttribute.product_id, ProductAttribute.name, ProductAttribute.value
            ).where(ProductAttribute.product_id.in_(page))
        ):
            held[product_id][name] = value
    return held


def _replace_attributes(gone: list[dict[str, Any]], made: list[dict[str, Any]]) -> None:
    table = ProductAttribute.__table__
    removal = delete(ProductAttribute).where(
        table.c.product_id == bindparam("of"), table.c.name == bindparam("called")
    )
    for page in in_pages(gone, PAGE):
        db.session.connection().execute(removal, page)
    for page in in_pages(made, PAGE):
        db.session.execute(insert(ProductAttribute), page)


def _export(_actor: Actor, _account_code: str | None) -> Iterable[Mapping[str, Any]]:
    """Yield every product with all its names and attributes, by SKU."""
    rows = db.session.execute(
        select(Product, Category.path)
        .outerjoin(Category, Category.id == Product.category_id)
        .order_by(Product.sku)
    ).all()
    held = _load_attributes([product.id for product, _path in rows])
    locales = sorted({locale for product, _path in rows for locale in product.names})
    attributes = sorted({name for values in held.values() for name in values})
    return [
        {"sku": product.sku}
        | {name: _cell(getattr(product, name)) for name in _PLAIN}
        | {"category_path": path}
        | {f"{NAMES}{locale}": product.names.get(locale, "") for locale in locales}
        | {f"{ATTRIBUTES}{name}": held[product.id].get(name, "") for name in attributes}
        for product, path in rows
    ]


def _cell(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value


_MORE_THAN_NOTHING: Final = decimal(3, least=Decimal("0.001"))

PRODUCTS: Final = ImportKind(
    name="products",
    label=N_("Products"),
    columns=(
        Column("sku", code(), required=True),
        Column("name", text(300)),
        Column("description", text(20_000)),
        Column("category_path", category_path),
        Column("uom", code(16)),
        Column("status", choice(STATUSES)),
        Column("successor_sku", code()),
        Column("lead_time_days", integer(most=10_000)),
        Column("min_quantity", _MORE_THAN_NOTHING),
        Column("quantity_multiple", _MORE_THAN_NOTHING),
        Column("manufacturer", text(200)),
        Column("mpn", text(100)),
        Column("unspsc", text(16)),
        Column("tax_category", code(40)),
    ),
    permission=Permission.PRODUCT_SAVE,
    apply=_apply,
    export=_export,
    dynamic=(NAMES, ATTRIBUTES),
)
