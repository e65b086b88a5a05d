"""The accounts' own part numbers in and out."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from portal.accounts.importing import exported_accounts, named_accounts
from portal.accounts.models import Account
from portal.catalog.cells import note_file
from portal.catalog.models import PartNumber, Product, sku_key
from portal.catalog.pricing.lookups import UnknownProductError, find_products
from portal.db import db
from portal.errors import N_
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import text
from portal.policy import Actor, Permission


def _apply(actor: Actor, batch: Batch) -> None:
    """Set an account's number and name of products; one that is not in the file stays."""
    accounts = named_accounts(actor, Permission.ASSORTMENT_SAVE, batch)
    rows = batch.keyed("account_code", "sku").values()
    products = find_products(row["sku"] for row in rows)
    ids = sorted(account.id for account in accounts.values())
    stated = {
        (item.account_id, item.product_id): item
        for item in db.session.scalars(select(PartNumber).where(PartNumber.account_id.in_(ids)))
    }
    for row in rows:
        product, account = products.get(row["sku"]), accounts.get(row["account_code"])
        if product is None:
            batch.refuse(row, "sku", UnknownProductError(code=row["sku"]))
        elif account is not None:
            _save(batch, row, (account.id, product.id), stated.get((account.id, product.id)))
    note_file(actor, batch, "part-number.imported", ids)


def _save(batch: Batch, row: Row, key: tuple[int, int], item: PartNumber | None) -> None:
    is_new = item is None
    if item is None:
        item = PartNumber(account_id=key[0], product_id=key[1], buyer_sku=row["buyer_sku"])
        db.session.add(item)
    name = row["name"] if row.has("name") else item.name
    is_changed = (item.buyer_sku, item.name) != (row["buyer_sku"], name)
    item.buyer_sku, item.buyer_sku_key = row["buyer_sku"], sku_key(row["buyer_sku"])
    item.name = name
    batch.count(is_new=is_new, is_changed=is_changed)


def _export(actor: Actor, account_code: str | None) -> list[Mapping[str, Any]]:
    ids = exported_accounts(actor, Permission.ASSORTMENT_SAVE, account_code)
    rows = db.session.execute(
        select(Account.code, Product.sku, PartNumber.buyer_sku, PartNumber.name)
        .join(Account, Account.id == PartNumber.account_id)
        .join(Product, Product.id == PartNumber.product_id)
        .where(PartNumber.account_id.in_(ids))
        .order_by(Account.code, Product.sku)
    )
    return [
        {"account_code": account, "sku": sku, "buyer_sku": number, "name": name}
        for account, sku, number, name in rows
    ]


PART_NUMBERS: Final = ImportKind(
    name="part-numbers",
    rows_stand_alone=True,
    label=N_("Own part numbers"),
    columns=(
        Column("account_code", text(64), required=True),
        Column("sku", text(64), required=True),
        Column("buyer_sku", text(64), required=True),
        Column("name", text(300)),
    ),
    permission=Permission.ASSORTMENT_SAVE,
    apply=_apply,
    export=_export,
)
