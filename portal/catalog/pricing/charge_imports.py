"""Import and export of costs, tax rates and freight rates."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import insert, select

from portal.catalog.models import Product
from portal.catalog.pricing.lookups import (
    PAGE,
    VALIDITY,
    EndsBeforeItStartsError,
    UnknownProductError,
    assign,
    country,
    currency,
    find_products,
    plain,
    supplier_zone,
)
from portal.catalog.pricing.models import Cost, FreightRate, TaxRate
from portal.db import Base, db, in_pages
from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import (
    Batch,
    Column,
    EmptyCellError,
    ImportKind,
    RepeatedRowError,
    Row,
)
from portal.files.parsing import code, decimal, format_ending, format_instant, text
from portal.policy import Actor, Permission

Keyed = dict[tuple[Any, ...], Row]
Known = Mapping[tuple[Any, ...], Base]
Checked = Callable[[Row, dict[str, Any], bool], bool]


def _upsert(
    batch: Batch, model: type[Base], rows: Keyed, known: Known, keys: tuple[str, ...]
) -> bool:
    """Change the rows that are known and insert the others, many at a time."""
    columns = [name for name in model.__table__.columns.keys() if name not in {*keys, "id"}]  # noqa: SIM118 - keys of columns
    made: list[dict[str, Any]] = []
    is_changed = False
    for key, row in rows.items():
        found = known.get(key)
        values = row.given(*columns)
        if not _is_whole(batch, row, found, values, keys, key):
            continue
        has_moved = found is not None and assign(found, values)
        if found is None:
            empty = dict.fromkeys(columns)
            made.append({**empty, **dict(zip(keys, key, strict=True)), **values})
        batch.count(is_new=found is None, is_changed=has_moved)
        is_changed |= has_moved
    for page in in_pages(made, PAGE):
        db.session.execute(insert(model), page)
    db.session.flush()
    return is_changed or bool(made)


def _is_whole(
    batch: Batch,
    row: Row,
    found: Base | None,
    values: Mapping[str, Any],
    keys: tuple[str, ...],
    key: tuple[Any, ...],
) -> bool:
    """Refuse a new row without its figure, an emptied figure, and a window without an instant."""
    figure = next((name for name in ("cost", "rate", "charge") if row.has(name)), None)
    if figure is None or values[figure] is None:
        if found is None or figure is not None:
            batch.refuse(row, figure or keys[0], EmptyCellError())
            return False
        return True
    if "valid_from" not in keys:
        return True
    start = dict(zip(keys, key, strict=True))["valid_from"]
    end = values["valid_to"] if "valid_to" in values else getattr(found, "valid_to", None)
    if start is not None and end is not None and start >= end:
        batch.refuse(row, "valid_to", EndsBeforeItStartsError())
        return False
    return True


def _record(actor: Actor, batch: Batch, verb: str, kind: str) -> None:
    record(
        actor,
        verb,
        kind=kind,
        object_id=None,
        account_id=actor.account_id,
        now=batch.now,
        new=batch.report.new,
        changed=batch.report.changed,
    )


def _key_of(model: type[Base], keys: tuple[str, ...]) -> dict[tuple[Any, ...], Base]:
    rows: Iterable[Base] = db.session.scalars(select(model))
    return {tuple(getattr(row, name) for name in keys): row for row in rows}


# --- costs ---------------------------------------------------------------------------------------

COST_KEY = ("product_id", "currency", "uom", "valid_from")


def apply_costs(actor: Actor, batch: Batch) -> None:
    """Set costs and floor prices; rows that the file does not name stay."""
    products = find_products(row["sku"] for row in batch.rows)
    rows: Keyed = {}
    for row in batch.rows:
        product = products.get(row["sku"])
        if product is None:
            batch.refuse(row, "sku", UnknownProductError(code=row["sku"]))
            continue
        key = (product.id, row["currency"], row["uom"] or product.uom, row["valid_from"])
        if key in rows:
            batch.refuse(row, "sku", RepeatedRowError(other=rows[key].number))
        rows[key] = row
    if not batch.report.refused and _upsert(batch, Cost, rows, _key_of(Cost, COST_KEY), COST_KEY):
        _record(actor, batch, "cost.saved", "cost")


def export_costs(actor: Actor, _account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return all costs."""
    actor.must(Permission.COST_READ)
    zone = supplier_zone()
    rows = db.session.execute(
        select(Cost, Product.sku)
        .join(Product, Product.id == Cost.product_id)
        .order_by(Product.sku, Cost.currency, Cost.uom, Cost.valid_from, Cost.id)
    )
    for each, sku in rows:
        yield {
            "sku": sku,
            "currency": each.currency,
            "uom": each.uom,
            "cost": plain(each.cost),
            "floor_price": plain(each.floor_price),
            "valid_from": format_instant(each.valid_from, zone),
            "valid_to": format_ending(each.valid_to, zone),
        }


# --- tax rates -----------------------------------------------------------------------------------

TAX_KEY = ("country", "region", "tax_category", "valid_from")


def apply_tax_rates(actor: Actor, batch: Batch) -> None:
    """Set tax rates; rows that the file does not name stay."""
    rows = batch.keyed(*TAX_KEY)
    known = _key_of(TaxRate, TAX_KEY)
    if not batch.report.refused and _upsert(batch, TaxRate, rows, known, TAX_KEY):
        _record(actor, batch, "tax-rate.saved", "tax-rate")


def export_tax_rates(_actor: Actor, _account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return all tax rates; they are no secret."""
    zone = supplier_zone()
    rows = db.session.scalars(
        select(TaxRate).order_by(
            TaxRate.country, TaxRate.region, TaxRate.tax_category, TaxRate.valid_from, TaxRate.id
        )
    )
    for each in rows:
        yield {
            "country": each.country,
            "region": each.region or "",
            "tax_category": each.tax_category,
            "rate": plain(each.rate),
            "valid_from": format_instant(each.valid_from, zone),
            "valid_to": format_ending(each.valid_to, zone),
        }


# --- freight rates -------------------------------------------------------------------------------

FREIGHT_KEY = ("country", "currency", "net_from")


def apply_freight_rates(actor: Actor, batch: Batch) -> None:
    """Set freight rates; rows that the file does not name stay."""
    rows = batch.keyed(*FREIGHT_KEY)
    known = _key_of(FreightRate, FREIGHT_KEY)
    if not batch.report.refused and _upsert(batch, FreightRate, rows, known, FREIGHT_KEY):
        _record(actor, batch, "freight-rate.saved", "freight-rate")


def export_freight_rates(_actor: Actor, _account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return all freight rates; they are no secret."""
    rows = db.session.scalars(
        select(FreightRate).order_by(
            FreightRate.country, FreightRate.currency, FreightRate.net_from
        )
    )
    for each in rows:
        yield {
            "country": each.country,
            "currency": each.currency,
            "net_from": plain(each.net_from),
            "charge": plain(each.charge),
        }


COSTS = ImportKind(
    name="costs",
    rows_stand_alone=True,
    label=N_("Costs and floor prices"),
    permission=Permission.COST_SAVE,
    columns=(
        Column("sku", text(64), required=True),
        Column("currency", currency, required=True),
        Column("uom", code(16)),
        Column("cost", decimal(4)),
        Column("floor_price", decimal(4)),
        *VALIDITY,
    ),
    apply=apply_costs,
    export=export_costs,
)

TAX_RATES = ImportKind(
    name="tax-rates",
    rows_stand_alone=True,
    label=N_("Tax rates"),
    permission=Permission.CHARGE_SAVE,
    columns=(
        Column("country", country, required=True),
        Column("region", text(100)),
        Column("tax_category", code(16), required=True),
        Column("rate", decimal(6)),
        *VALIDITY,
    ),
    apply=apply_tax_rates,
    export=export_tax_rates,
)

FREIGHT_RATES = ImportKind(
    name="freight-rates",
    rows_stand_alone=True,
    label=N_("Freight rates"),
    permission=Permission.CHARGE_SAVE,
    columns=(
        Column("country", country, required=True),
        Column("currency", currency, required=True),
        Column("net_from", decimal(4), required=True),
        Column("charge", decimal(4)),
    ),
    apply=apply_freight_rates,
    export=export_freight_rates,
)
