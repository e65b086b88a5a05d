"""Conversions between units of measure in and out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from portal.catalog.cells import SameUomError, note_file
from portal.catalog.models import Product, UomConversion
from portal.catalog.pricing.lookups import (
    FoundProduct,
    UnknownProductError,
    find_products,
    plain,
)
from portal.db import db, in_pages
from portal.errors import N_
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import code, decimal
from portal.policy import Actor, Permission

_FACTOR_DECIMALS: Final = 9
Key = tuple[int, str, str]


def _apply(actor: Actor, batch: Batch) -> None:
    """State or change factors; one that is not in the file stays."""
    rows = batch.keyed("sku", "from_uom", "to_uom").values()
    products = find_products(row["sku"] for row in rows)
    stated = _load({found.id for found in products.values()})
    for row in rows:
        if _is_usable(batch, row, products):
            key = (products[row["sku"]].id, row["from_uom"], row["to_uom"])
            _save(batch, key, row["factor"], stated.get(key))
    note_file(actor, batch, "catalogue.imported", [actor.account_id])


def _is_usable(batch: Batch, row: Row, products: Mapping[str, FoundProduct]) -> bool:
    if row["from_uom"] == row["to_uom"]:
        batch.refuse(row, "to_uom", SameUomError())
    if row["sku"] not in products:
        batch.refuse(row, "sku", UnknownProductError(code=row["sku"]))
    return row["from_uom"] != row["to_uom"] and row["sku"] in products


def _load(product_ids: set[int]) -> dict[Key, UomConversion]:
    found: dict[Key, UomConversion] = {}
    for page in in_pages(sorted(product_ids), 5_000):
        rows = db.session.scalars(select(UomConversion).where(UomConversion.product_id.in_(page)))
        found.update({(row.product_id, row.from_uom, row.to_uom): row for row in rows})
    return found


def _save(batch: Batch, key: Key, factor: Decimal, stated: UomConversion | None) -> None:
    batch.count(is_new=stated is None, is_changed=stated is not None and stated.factor != factor)
    if stated is None:
        product_id, start, end = key
        db.session.add(
            UomConversion(product_id=product_id, from_uom=start, to_uom=end, factor=factor)
        )
    else:
        stated.factor = factor


def _export(_actor: Actor, _account_code: str | None) -> list[Mapping[str, Any]]:
    rows = db.session.execute(
        select(Product.sku, UomConversion.from_uom, UomConversion.to_uom, UomConversion.factor)
        .join(Product, Product.id == UomConversion.product_id)
        .order_by(Product.sku, UomConversion.from_uom, UomConversion.to_uom)
    )
    return [
        {"sku": sku, "from_uom": start, "to_uom": end, "factor": plain(factor)}
        for sku, start, end, factor in rows
    ]


UOM_CONVERSIONS: Final = ImportKind(
    name="uom-conversions",
    rows_stand_alone=True,
    label=N_("Units of measure"),
    columns=(
        Column("sku", code(), required=True),
        Column("from_uom", code(16), required=True),
        Column("to_uom", code(16), required=True),
        Column(
            "factor",
            decimal(_FACTOR_DECIMALS, least=Decimal("0.000000001"), most=Decimal(10) ** 8),
            required=True,
        ),
    ),
    permission=Permission.PRODUCT_SAVE,
    apply=_apply,
    export=_export,
)
