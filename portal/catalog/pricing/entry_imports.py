"""Import and export of the entries of price lists, into drafts alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, insert, select

from portal.catalog.pricing import lists
from portal.catalog.pricing.actions import open_draft
from portal.catalog.pricing.list_imports import exported_lists
from portal.catalog.pricing.lookups import (
    PAGE,
    VALIDITY,
    FoundProduct,
    UnknownCategoryError,
    UnknownProductError,
    by_list,
    check_window,
    find_category_ids,
    find_lists_by_code,
    find_products,
    plain,
    supplier_zone,
)
from portal.catalog.pricing.models import (
    PriceEntry,
    PriceList,
    PriceListVersion,
)
from portal.catalog.pricing.publication_rules import is_fit
from portal.catalog.pricing.rules import Entry, EntryKind, ListKind
from portal.db import Base, db, in_pages
from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, Mode, Row
from portal.files.parsing import (
    CellError,
    choice,
    code,
    decimal,
    format_ending,
    format_instant,
    text,
)
from portal.policy import Actor, Permission

SET, DELETE = "set", "delete"
KINDS_BY_NAME = {kind.value: kind for kind in EntryKind}


class OneTargetError(CellError):
    """An entry is about one thing."""

    message = N_("Fill in exactly one of sku and category_path.")


class OneValueError(CellError):
    """An entry says one thing."""

    message = N_("Fill in exactly one of price, percent_off and amount_off.")


class UnfitValueError(CellError):
    """The value can't stand in this list."""

    message = N_(
        "A standard list holds fixed prices; percent_off is above 0 and at most 100; nothing is"
        " below 0."
    )


class Key(NamedTuple):
    """What makes an entry the same one: target, unit, break and start of validity."""

    product_id: int | None
    category_id: int | None
    uom: str
    min_quantity: Decimal
    valid_from: datetime | None

    @property
    def slot(self) -> tuple[int | None, int | None, str, Decimal]:
        return self[:4]


class Said(NamedTuple):
    """What an entry says."""

    kind: str
    value: Decimal
    valid_to: datetime | None


_ENTRY: Final = Base.metadata.tables[PriceEntry.__tablename__]
"""The bare table: rows that nobody asks for again need no objects."""
_WRITTEN: Final = ("version_id", *Key._fields, *Said._fields)


@dataclass(slots=True)
class _Plan:
    """What a file does to the entries of one list."""

    drop: list[int]
    add: list[tuple[Key, Said]]
    kept: list[tuple[Key, Said]]
    new: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.drop or self.add)


@dataclass(frozen=True, slots=True)
class _Codes:
    products: Mapping[str, FoundProduct]
    categories: Mapping[str, int]


def apply_entries(actor: Actor, batch: Batch) -> None:
    """Set, replace or delete entries of drafts; a list without a change gets no draft."""
    known = find_lists_by_code(row["list_code"] for row in batch.rows)
    codes = _Codes(find_products(row["sku"] for row in batch.rows), find_category_ids())
    versions = lists.find_editable([each.id for each in known.values()])
    for list_code, rows in by_list(batch, known).items():
        price_list = known[list_code]
        wanted, deleted = _read(batch, rows, price_list, codes)
        if batch.report.refused:
            continue
        basis = versions.get(price_list.id)
        plan = _plan(_stored(basis), wanted, deleted, batch.mode)
        batch.report.new += plan.new
        batch.report.changed += plan.changed
        batch.report.removed += plan.removed
        batch.report.unchanged += plan.unchanged
        if not plan.is_empty:
            _write(price_list, basis, plan)
            _record_drafted(actor, batch, price_list, plan)


def _read(
    batch: Batch, rows: Sequence[Row], price_list: PriceList, codes: _Codes
) -> tuple[dict[Key, list[Said]], set[Key]]:
    """Return what a file wants of one list, and the keys that it deletes."""
    wanted: dict[Key, list[Said]] = {}
    deleted: set[Key] = set()
    is_standard = price_list.kind == ListKind.STANDARD.value
    for row in rows:
        key = _key(batch, row, codes)
        is_deletion = row["action"] == DELETE
        if key is None or not check_window(batch, row):
            continue
        if is_deletion:
            deleted.add(key)
            continue
        said = _said(batch, row, is_standard=is_standard)
        if said is not None:
            wanted.setdefault(key, []).append(said)
    return wanted, deleted


def _key(batch: Batch, row: Row, codes: _Codes) -> Key | None:
    sku, path, uom = row["sku"], row["category_path"], row["uom"]
    if (sku is None) == (path is None):
        batch.refuse(row, "sku", OneTargetError())
        return None
    product = codes.products.get(sku) if sku else None
    category_id = codes.categories.get(path) if path else None
    if sku and product is None:
        batch.refuse(row, "sku", UnknownProductError(code=sku))
    elif path and category_id is None:
        batch.refuse(row, "category_path", UnknownCategoryError(code=path))
    elif uom is None and product is None:
        batch.refuse(row, "uom", EmptyCellError())
    else:
        unit = uom or (product.uom if product else "")
        least = row["min_qty"] or Decimal(0)
        return Key(product.id if product else None, category_id, unit, least, row["valid_from"])
    return None


def _said(batch: Batch, row: Row, *, is_standard: bool) -> Said | None:
    named = [name for name in KINDS_BY_NAME if row.values.get(name) is not None]
    if len(named) != 1:
        batch.refuse(row, named[1] if named else "price", OneValueError())
        return None
    name = named[0]
    value: Decimal = row.values[name]
    entry = Entry(KINDS_BY_NAME[name], value, "", Decimal(0))
    if not is_fit(entry, in_standard_list=is_standard):
        batch.refuse(row, name, UnfitValueError())
        return None
    return Said(name, value, row["valid_to"])


def _stored(basis: PriceListVersion | None) -> dict[Key, list[tuple[int, Said]]]:
    """Return the entries of the version that an edit starts from, by key."""
    found: dict[Key, list[tuple[int, Said]]] = {}
    if basis is None:
        return found
    entry = PriceEntry
    rows = db.session.execute(
        select(
            entry.id,
            entry.product_id,
            entry.category_id,
            entry.uom,
            entry.min_quantity,
            entry.valid_from,
            entry.kind,
            entry.value,
            entry.valid_to,
        ).where(entry.version_id == basis.id)
    )
    for row in rows:
        key = Key(row.product_id, row.category_id, row.uom, row.min_quantity, row.valid_from)
        found.setdefault(key, []).append((row.id, Said(row.kind, row.value, row.valid_to)))
    return found


def _plan(
    stored: Mapping[Key, list[tuple[int, Said]]],
    wanted: Mapping[Key, list[Said]],
    deleted: set[Key],
    mode: Mode,
) -> _Plan:
    """Compare what is there with what a file wants.

    A key twice in one file is two entries: they can be drafted, and publishing refuses them.
    """
    plan = _Plan([], [], [])
    ended = {key.slot for key in deleted if key.valid_from is None}
    for key in {**stored, **wanted}:
        there, asked = stored.get(key, []), wanted.get(key)
        is_deleted = key in deleted or key.slot in ended
        if asked is None and not is_deleted and mode is Mode.UPDATE:
            plan.kept += [(key, said) for _, said in there]
        else:
            _compare(plan, key, there, asked or [])
    return plan


def _compare(
    plan: _Plan, key: Key, there: Sequence[tuple[int, Said]], asked: Sequence[Said]
) -> None:
    """Match equal entries of one key first; what is left over pairs up as changes."""
    left = list(asked)
    gone: list[int] = []
    for entry_id, said in there:
        if said in left:
            left.remove(said)
            plan.kept.append((key, said))
            plan.unchanged += 1
        else:
            gone.append(entry_id)
    changed = min(len(left), len(gone))
    plan.changed += changed
    plan.new += len(left) - changed
    plan.removed += len(gone) - changed
    plan.drop += gone
    plan.add += [(key, said) for said in left]


def _write(price_list: PriceList, basis: PriceListVersion | None, plan: _Plan) -> None:
    """Bring the draft to what the plan says; a first edit writes the kept entries with it."""
    is_draft = basis is not None and basis.is_draft
    draft = basis if is_draft and basis else open_draft(price_list, with_entries=False)
    if is_draft:
        for page in in_pages(plan.drop, PAGE):
            db.session.execute(delete(PriceEntry).where(PriceEntry.id.in_(page)))
    rows = plan.add if is_draft else [*plan.kept, *plan.add]
    for written in in_pages(rows, PAGE):
        db.session.execute(
            insert(_ENTRY),
            [dict(zip(_WRITTEN, (draft.id, *key, *said), strict=True)) for key, said in written],
        )


def _record_drafted(actor: Actor, batch: Batch, price_list: PriceList, plan: _Plan) -> None:
    record(
        actor,
        "price-list.drafted",
        kind="price-list",
        object_id=price_list.id,
        number=price_list.code,
        account_id=actor.account_id,
        now=batch.now,
        new=plan.new,
        changed=plan.changed,
        removed=plan.removed,
    )


def export_entries(actor: Actor, account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return the entries of each list's draft or, where it has none, of its latest version."""
    zone = supplier_zone()
    found = db.session.scalars(exported_lists(actor, account_code)).all()
    versions = lists.find_editable([each.id for each in found])
    for each in found:
        version = versions.get(each.id)
        for entry in lists.load_entries(version.id if version else None):
            yield {
                "list_code": each.code,
                "sku": entry.sku or "",
                "category_path": entry.category_path or "",
                "uom": entry.uom,
                "min_qty": plain(entry.min_quantity),
                **{
                    kind.value: plain(entry.value) if kind is entry.kind else ""
                    for kind in EntryKind
                },
                "valid_from": format_instant(entry.window.start, zone),
                "valid_to": format_ending(entry.window.end, zone),
                "action": SET,
            }


ENTRIES = ImportKind(
    name="price-entries",
    rows_stand_alone=True,
    label=N_("Price list entries"),
    permission=Permission.PRICE_LIST_DRAFT,
    columns=(
        Column("list_code", code(), required=True),
        Column("sku", text(64)),
        Column("category_path", text(500)),
        Column("uom", code(16)),
        Column("min_qty", decimal(3)),
        Column("price", decimal(6, most=Decimal(10) ** 11)),
        Column("percent_off", decimal(6)),
        Column("amount_off", decimal(6, most=Decimal(10) ** 11)),
        *VALIDITY,
        Column("action", choice((SET, DELETE))),
    ),
    apply=apply_entries,
    export=export_entries,
    has_modes=True,
)
