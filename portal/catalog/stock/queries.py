"""Reading stock: what can be promised, the desk's list, one product with its ledger."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum, unique
from functools import cache
from typing import Any, Final, TypeVarTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
)

from portal.catalog.models import Product, UomConversion, sku_key
from portal.catalog.stock.models import StockLevel, StockMove, StockReservation
from portal.catalog.stock.rules import NONE, Availability, Store, Subject, in_own_unit
from portal.containing import contains
from portal.db import KEPT, db, in_pages
from portal.errors import N_
from portal.web.paging import Page, offset_of
from portal.web.tables import Sort

PAGE: Final = 5_000
Columns = TypeVarTuple("Columns")


@unique
class View(StrEnum):
    """The tabs of the desk's list."""

    ALL = "all"
    LOW = "low"
    SHORT = "short"
    EXPECTED = "expected"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return VIEW_LABELS[self]


VIEW_LABELS: Final[Mapping[View, str]] = {
    View.ALL: N_("All"),
    View.LOW: N_("Below reorder level"),
    View.SHORT: N_("More promised than on hand"),
    View.EXPECTED: N_("Goods expected"),
}


@unique
class SortBy(StrEnum):
    """By what the desk's list can be ordered."""

    SKU = "sku"
    NAME = "name"
    ON_HAND = "on-hand"
    RESERVED = "reserved"
    AVAILABLE = "available"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the desk's list is narrowed to."""

    view: View = View.ALL
    text: str = ""
    store: Store | None = None
    location: str = ""


@dataclass(frozen=True, slots=True)
class StockRow:
    """One product in one store, as the desk sees it."""

    sku: str
    name: str
    uom: str
    store: Store
    locations: str
    on_hand: Decimal
    reserved: Decimal
    available: Decimal
    reorder_level: Decimal | None
    expected_on: date | None

    @property
    def is_low(self) -> bool:
        """Whether what can be promised has fallen to the reorder level or below it."""
        return self.reorder_level is not None and self.available <= self.reorder_level


def find_availability(
    product_ids: Collection[int], *, store: Store = Store.SALE
) -> dict[int, Availability]:
    """Return what there is of some products over all locations, in one statement per 5,000.

    A product for which no stock is kept is left out.
    """
    found: dict[int, Availability] = {}
    for page in in_pages(sorted(set(product_ids)), PAGE):
        rows = db.session.execute(_availability(), {"product_ids": page, "store": store})
        found.update(
            {
                product_id: make_availability(on_hand, reserved, expected_on)
                for product_id, on_hand, reserved, expected_on in rows
            }
        )
    return found


@cache
def _availability() -> Select[*tuple[Any, ...]]:
    """Return the statement above, which is built once and told what to look for when it runs."""
    product_ids = bindparam("product_ids", type_=BigInteger, expanding=True)
    store = bindparam("store", type_=StockLevel.store.type)
    levels = _levels(StockLevel.product_id.in_(product_ids), StockLevel.store == store)
    kept = _reservations(
        StockReservation.product_id.in_(product_ids), StockReservation.store == store
    )
    return (
        select(levels.c.product_id, levels.c.on_hand, kept.c.quantity, levels.c.expected_on)
        .outerjoin(kept, kept.c.product_id == levels.c.product_id)
        .prefix_with(KEPT, dialect="postgresql")
    )


def join_availability(statement: Select[*Columns], product_ids: Select[int]) -> Select[Any]:
    """Join to products what there is of each for sale, as the columns of `make_availability`.

    Args:
        statement: It selects from `Product`.
        product_ids: Those of the same products, so that no others are added up.
    """
    levels = _levels(StockLevel.product_id.in_(product_ids), StockLevel.store == Store.SALE)
    kept = _reservations(
        StockReservation.product_id.in_(product_ids), StockReservation.store == Store.SALE
    )
    return (
        statement.add_columns(levels.c.on_hand, kept.c.quantity, levels.c.expected_on)
        .outerjoin(levels, levels.c.product_id == Product.id)
        .outerjoin(kept, kept.c.product_id == Product.id)
    )


def make_availability(
    on_hand: Decimal, reserved: Decimal | None, expected_on: date | None
) -> Availability:
    """Return what there is of a product of which stock is kept: `on_hand` is not null there."""
    return Availability(on_hand, reserved or NONE, expected_on)


def count_in_own_unit(
    lines: Iterable[tuple[int, Decimal, str]],
) -> dict[int, Decimal]:
    """Add up the quantities of lines per product, in the product's own unit of measure.

    A line in a unit that is not stated to convert any more is left out: what can't be counted
    is not moved.

    Args:
        lines: Product id, quantity, unit of measure.
    """
    asked = list(lines)
    ids = sorted({product_id for product_id, _quantity, _uom in asked})
    own: dict[int, str] = {}
    factors: dict[tuple[int, str, str], Decimal] = {}
    for page in in_pages(ids, PAGE):
        products = select(Product.id, Product.uom).where(Product.id.in_(page))
        own.update({row.id: row.uom for row in db.session.execute(products)})
        stated = select(UomConversion).where(UomConversion.product_id.in_(page))
        for item in db.session.scalars(stated):
            factors[item.product_id, item.from_uom, item.to_uom] = item.factor
    sums: dict[int, Decimal] = {}
    for product_id, quantity, uom in asked:
        counted = _own(product_id, quantity, uom, own, factors)
        if counted is not None:
            sums[product_id] = sums.get(product_id, NONE) + counted
    return sums


def _own(
    product_id: int,
    quantity: Decimal,
    uom: str,
    own: Mapping[int, str],
    factors: Mapping[tuple[int, str, str], Decimal],
) -> Decimal | None:
    unit = own.get(product_id, "")
    if uom == unit:
        return quantity
    straight = factors.get((product_id, uom, unit))
    if straight is not None:
        return in_own_unit(quantity, straight, inverse=False)
    back = factors.get((product_id, unit, uom))
    return None if back is None else in_own_unit(quantity, back, inverse=True)


def find_reserved(subject: Subject, *, store: Store = Store.SALE) -> dict[int, Decimal]:
    """Return what is reserved for a subject, by product id."""
    kind, key = subject
    statement = select(StockReservation.product_id, StockReservation.quantity).where(
        StockReservation.subject_kind == kind,
        StockReservation.subject_id == key,
        StockReservation.store == store,
    )
    return dict(db.session.execute(statement).all())


def find_stock(
    filters: Filters, *, sort: Sort[SortBy], number: int = 1, size: int | None = None
) -> Page[StockRow]:
    """Return products of which stock is kept, a row for each store, in three statements.

    Args:
        size: Rows of a page; ``None`` returns them all.
    """
    statement = _listed(filters)
    total = db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    columns = statement.selected_columns
    order = {
        SortBy.SKU: Product.sku_key,
        SortBy.NAME: func.lower(Product.name),
        SortBy.ON_HAND: columns["on_hand"],
        SortBy.RESERVED: columns["reserved"],
        SortBy.AVAILABLE: columns["available"],
        SortBy.EXPECTED: columns["expected_on"],
    }[sort.key]
    statement = statement.order_by(
        order.desc() if sort.descending else order.asc(), Product.sku_key, columns["store"]
    )
    if size is not None:
        statement = statement.limit(size).offset(offset_of(number, size))
    rows = db.session.execute(statement).all()
    places = _locations({row.id for row in rows})
    items = [
        StockRow(
            sku=row.sku,
            name=row.name,
            uom=row.uom,
            store=row.store,
            locations=", ".join(places.get((row.id, row.store), ())),
            on_hand=row.on_hand,
            reserved=row.reserved,
            available=row.available,
            reorder_level=row.reorder_level,
            expected_on=row.expected_on,
        )
        for row in rows
    ]
    return Page(items, total, number, size or max(total, 1))


def count_views(filters: Filters) -> dict[View, int]:
    """Return how many rows each tab holds, exactly, in one statement."""
    rows = _listed(Filters(View.ALL, filters.text, filters.store, filters.location)).subquery()
    counts = [
        func.count().filter(_of_view(view, rows.c)).label(view.value) if view is not View.ALL
        else func.count().label(view.value)
        for view in View
    ]  # fmt: skip
    found = db.session.execute(select(*counts).select_from(rows)).one()
    return dict(zip(View, found, strict=True))


def find_locations() -> Sequence[str]:
    """Return the codes of all locations at which something is kept."""
    statement = select(StockLevel.location_code).distinct().order_by(StockLevel.location_code)
    return db.session.scalars(statement).all()


def find_levels(product_id: int) -> Sequence[StockLevel]:
    """Return what lies where of one product."""
    statement = select(StockLevel).where(StockLevel.product_id == product_id)
    return db.session.scalars(statement.order_by(StockLevel.location_code)).all()


def find_reservations(product_id: int) -> Sequence[StockReservation]:
    """Return for whom one product is kept, the oldest first: those are served first."""
    statement = select(StockReservation).where(StockReservation.product_id == product_id)
    return db.session.scalars(
        statement.order_by(StockReservation.reserved_at, StockReservation.id)
    ).all()


def find_moves(product_id: int, *, number: int = 1, size: int = 50) -> Page[StockMove]:
    """Return a page of one product's ledger, the last move first."""
    found = select(StockMove).where(StockMove.product_id == product_id)
    total = db.session.scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = db.session.scalars(
        found.order_by(StockMove.id.desc()).limit(size).offset(offset_of(number, size))
    )
    return Page(rows.all(), total, number, size)


def find_places(product_ids: Collection[int]) -> frozenset[tuple[int, str]]:
    """Return where stock of some products is kept: product id and location."""
    places: set[tuple[int, str]] = set()
    for page in in_pages(sorted(product_ids), PAGE):
        rows = db.session.execute(
            select(StockLevel.product_id, StockLevel.location_code).where(
                StockLevel.product_id.in_(page)
            )
        )
        places.update((product_id, code) for product_id, code in rows)
    return frozenset(places)


def _levels(*conditions: ColumnElement[bool]) -> Subquery:
    return (
        select(
            StockLevel.product_id,
            StockLevel.store,
            func.sum(StockLevel.on_hand).label("on_hand"),
            func.sum(StockLevel.reorder_level).label("reorder_level"),
            func.min(StockLevel.expected_on).label("expected_on"),
        )
        .where(*conditions)
        .group_by(StockLevel.product_id, StockLevel.store)
        .subquery()
    )


def _reservations(*conditions: ColumnElement[bool]) -> Subquery:
    return (
        select(
            StockReservation.product_id,
            StockReservation.store,
            func.sum(StockReservation.quantity).label("quantity"),
        )
        .where(*conditions)
        .group_by(StockReservation.product_id, StockReservation.store)
        .subquery()
    )


def _listed(filters: Filters) -> Select[*tuple[Any, ...]]:
    levels, kept = _levels(), _reservations()
    reserved = func.coalesce(kept.c.quantity, NONE, type_=kept.c.quantity.type)
    statement = (
        select(
            Product.id,
            Product.sku,
            Product.name,
            Product.uom,
            levels.c.store,
            levels.c.on_hand,
            reserved.label("reserved"),
            type_coerce(levels.c.on_hand - reserved, levels.c.on_hand.type).label("available"),
            levels.c.reorder_level,
            levels.c.expected_on,
        )
        .join(levels, levels.c.product_id == Product.id)
        .outerjoin(
            kept, and_(kept.c.product_id == levels.c.product_id, kept.c.store == levels.c.store)
        )
    )
    if filters.store is not None:
        statement = statement.where(levels.c.store == filters.store)
    if filters.text:
        statement = statement.where(
            or_(
                Product.sku_key.contains(sku_key(filters.text), autoescape=True),
                contains(Product.name, filters.text),
            )
        )
    if filters.location:
        there = select(StockLevel.product_id).where(StockLevel.location_code == filters.location)
        statement = statement.where(Product.id.in_(there))
    if filters.view is not View.ALL:
        statement = statement.where(_of_view(filters.view, statement.selected_columns))
    return statement


def _of_view(view: View, columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 - of a select or a subquery
    conditions: dict[View, ColumnElement[bool]] = {
        View.LOW: columns["available"] <= columns["reorder_level"],
        View.SHORT: columns["available"] < NONE,
        View.EXPECTED: columns["expected_on"].is_not(None),
    }
    return conditions[view]


def _locations(product_ids: Collection[int]) -> dict[tuple[int, Store], list[str]]:
    found: dict[tuple[int, Store], list[str]] = {}
    for page in in_pages(sorted(product_ids), PAGE):
        rows = db.session.execute(
            select(StockLevel.product_id, StockLevel.store, StockLevel.location_code)
            .where(StockLevel.product_id.in_(page))
            .order_by(StockLevel.location_code)
        )
        for product_id, store, code in rows:
            found.setdefault((product_id, store), []).append(code)
    return found
