"""Stock in and out: what was counted where, when more is expected, when to reorder."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from portal.catalog.cells import note_file
from portal.catalog.models import Product
from portal.catalog.pricing.lookups import (
    FoundProduct,
    UnknownProductError,
    find_products,
    plain,
)
from portal.catalog.stock.actions import Count, set_level
from portal.catalog.stock.ledger import Place, lock_places
from portal.catalog.stock.models import StockLevel
from portal.catalog.stock.queries import find_places
from portal.db import db
from portal.errors import N_
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, Row
from portal.files.parsing import code, day, decimal
from portal.policy import Actor, Permission

_DECIMALS: Final = 3
_MOST: Final = Decimal(999_999_999)
_QUANTITY: Final = decimal(_DECIMALS, most=_MOST)


def _apply(actor: Actor, batch: Batch) -> None:
    """Set what was counted; a place that is not in the file stays as it is."""
    rows = batch.keyed("location_code", "sku").values()
    products = find_products(row["sku"] for row in rows)
    known = find_places({found.id for found in products.values()})
    usable = [row for row in rows if _is_usable(batch, row, products, known)]
    if batch.report.refused:
        return
    levels = lock_places(_place(row, products) for row in usable)
    for row in usable:
        place = _place(row, products)
        is_new = place not in known
        is_changed = set_level(
            levels[place], _count(row, levels[place]), now=batch.now, reason="", actor=actor
        )
        batch.count(is_new=is_new, is_changed=is_changed)
    db.session.flush()
    note_file(actor, batch, "stock.imported", [actor.account_id])


def _place(row: Row, products: Mapping[str, FoundProduct]) -> Place:
    return products[row["sku"]].id, row["location_code"]


def _is_usable(
    batch: Batch, row: Row, products: Mapping[str, FoundProduct], known: frozenset[Place]
) -> bool:
    if row["sku"] not in products:
        batch.refuse(row, "sku", UnknownProductError(code=row["sku"]))
        return False
    is_missing = not row.has("quantity") and _place(row, products) not in known
    if is_missing or (row.has("quantity") and row["quantity"] is None):
        batch.refuse(row, "quantity", EmptyCellError())
        return False
    return True


def _count(row: Row, level: StockLevel) -> Count:
    """Return what a row says; a column that is not in the file leaves what is there."""
    return Count(
        on_hand=row["quantity"] if row.has("quantity") else level.on_hand,
        expected_on=row["expected_on"] if row.has("expected_on") else level.expected_on,
        reorder_level=row["reorder_level"] if row.has("reorder_level") else level.reorder_level,
    )


def _export(_actor: Actor, _account_code: str | None) -> list[Mapping[str, Any]]:
    rows = db.session.execute(
        select(
            StockLevel.location_code,
            Product.sku,
            StockLevel.on_hand,
            StockLevel.expected_on,
            StockLevel.reorder_level,
        )
        .join(Product, Product.id == StockLevel.product_id)
        .order_by(StockLevel.location_code, Product.sku)
    )
    return [
        {
            "location_code": location,
            "sku": sku,
            "quantity": plain(on_hand),
            "expected_on": expected_on.isoformat() if expected_on else "",
            "reorder_level": plain(reorder_level),
        }
        for location, sku, on_hand, expected_on, reorder_level in rows
    ]


STOCK: Final = ImportKind(
    name="stock",
    rows_stand_alone=True,
    label=N_("Stock"),
    columns=(
        Column("location_code", code(), required=True),
        Column("sku", code(), required=True),
        Column("quantity", _QUANTITY),
        Column("expected_on", day),
        Column("reorder_level", _QUANTITY),
    ),
    permission=Permission.STOCK_SAVE,
    apply=_apply,
    export=_export,
)

KINDS: Final[tuple[ImportKind, ...]] = (STOCK,)
"""What the desk's list of files offers of this package."""
