"""The catalogue's list: search, filters with exact counts, order and page, in few statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, func, select
from sqlalchemy.orm import joinedload

from portal.catalog.by_price import MOST_PRICED, Asking, ids_by_price
from portal.catalog.counting import count_products
from portal.catalog.facets import Node, Value
from portal.catalog.models import PartNumber, Product, sku_key
from portal.catalog.narrowing import Below, Filters, built, found_with, matching
from portal.catalog.queries import visible_products
from portal.catalog.rules import local_name
from portal.db import db
from portal.policy import Actor
from portal.web.paging import Page, offset_of
from portal.web.tables import Sort


@unique
class ProductSort(StrEnum):
    """By what the list can be ordered."""

    BEST = "best"
    NAME = "name"
    SKU = "sku"
    PRICE = "price"


class Item(NamedTuple):
    """What the list shows of a product, with the account's own number and name for it."""

    id: int
    sku: str
    name: str
    manufacturer: str | None
    mpn: str | None
    category_id: int | None
    uom: str
    min_quantity: Decimal | None
    quantity_multiple: Decimal | None
    lead_time_days: int | None
    own_number: str | None
    own_name: str | None

    @property
    def is_active(self) -> bool:
        """The list shows what is sold."""
        return True


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the catalogue, its order, and every way to narrow it further."""

    page: Page[Item]
    sort: Sort[ProductSort]
    can_sort_by_price: bool
    categories: tuple[Node, ...]
    chosen: Node | None
    manufacturers: tuple[Value, ...]
    attributes: Mapping[str, tuple[Value, ...]]


_SHOWN: Final = (
    Product.id,
    Product.sku,
    Product.name,
    Product.names,
    Product.manufacturer,
    Product.mpn,
    Product.category_id,
    Product.uom,
    Product.min_quantity,
    Product.quantity_multiple,
    Product.lead_time_days,
    PartNumber.buyer_sku,
    PartNumber.name,
)
"""The columns of an `Item`: a page of objects costs more than the statement that finds them."""


def search_products(  # noqa: PLR0913 - what a list of the catalogue can be asked
    actor: Actor,
    filters: Filters,
    *,
    sort: Sort[ProductSort],
    locale: str,
    number: int = 1,
    size: int = 50,
    asking: Asking | None = None,
    mark: str | None = None,
) -> Listing:
    """Return one page of what an actor sees, with exact counts, in one statement or three.

    Args:
        actor: Who looks.
        filters: What the list is narrowed to.
        sort: By what it is wished to be ordered; see ``Listing.sort`` for how it is.
        locale: The language whose names are ordered.
        number: The page, from 1.
        size: How many products a page shows.
        asking: Whose prices the list can be ordered by; that needs three statements more. Without
            it, and for more than `MOST_PRICED` products, the best match comes first instead.
        mark: The catalogue's mark, under which counts are kept.
    """
    counts = count_products(actor, filters, locale, mark)
    may_price = asking if counts.total <= MOST_PRICED else None
    if sort.key is ProductSort.PRICE and may_price is None:
        sort = Sort(ProductSort.BEST)
    part = _Slice(sort, locale, number, size, counts.total, may_price)
    return Listing(
        page=_page(actor, filters, counts.below, part),
        sort=sort,
        can_sort_by_price=may_price is not None,
        categories=counts.categories,
        chosen=counts.chosen,
        manufacturers=counts.manufacturers,
        attributes=counts.attributes,
    )


@dataclass(frozen=True, slots=True)
class _Slice:
    """Which rows of all that were found a page shows, and in which order."""

    sort: Sort[ProductSort]
    locale: str
    number: int
    size: int
    total: int
    asking: Asking | None


def find_products(
    actor: Actor, text: str, *, number: int = 1, size: int | None = 50
) -> Page[Product]:
    """Return products by SKU for the supplier's desk, those at the end of their life as well.

    Without a ``size`` it is the whole list, as an export needs it.
    """
    statement = visible_products(actor, with_ended=True)
    if text:
        statement = statement.where(matching(actor, text))
    total = db.session.scalar(statement.with_only_columns(func.count(Product.id))) or 0
    listed = statement.options(joinedload(Product.category)).order_by(Product.sku_key, Product.id)
    if size is not None:
        listed = listed.limit(size).offset(offset_of(number, size))
    return Page(db.session.scalars(listed).all(), total, number, size or max(total, 1))


def count_by_category() -> Mapping[int | None, int]:
    """Return how many products, sold or ended, stand in each category itself."""
    rows = db.session.execute(
        select(Product.category_id, func.count(Product.id)).group_by(Product.category_id)
    )
    return {category_id: count for category_id, count in rows}  # noqa: C416 - rows are no pairs


def _page(actor: Actor, filters: Filters, below: Below, part: _Slice) -> Page[Item]:
    first = offset_of(part.number, part.size)
    if part.sort.key is ProductSort.PRICE and part.asking is not None:
        found = found_with(actor, filters, below)
        ranked = ids_by_price(part.asking, found, descending=part.sort.descending)
        places = {key: place for place, key in enumerate(ranked[first : first + part.size])}
        items = _items(_shown(actor, select(Product).where(Product.id.in_(places))), part.locale)
        items.sort(key=lambda item: places[item.id])
    else:
        slice_ = (part.sort, part.locale, part.size, first)
        items = _items(built(_slice_statement, actor, filters, below, *slice_), part.locale)
    return Page(items, part.total, part.number, part.size)


def _slice_statement(  # noqa: PLR0913, PLR0917 - what a page depends on
    actor: Actor,
    filters: Filters,
    below: Below,
    sort: Sort[ProductSort],
    locale: str,
    size: int,
    first: int,
) -> Select[*tuple[Any, ...]]:
    order = _order(filters.text, sort, locale)
    found = found_with(actor, filters, below).order_by(*order)
    return _shown(actor, found.limit(size).offset(first))


def _shown(actor: Actor, products: Select[Product]) -> Select[*tuple[Any, ...]]:
    own = and_(PartNumber.product_id == Product.id, PartNumber.account_id == actor.account_id)
    return products.outerjoin(PartNumber, own).with_only_columns(*_SHOWN)


def _items(statement: Select[*tuple[Any, ...]], locale: str) -> list[Item]:
    return [
        Item(key, sku, local_name(name, names, locale), *others)
        for key, sku, name, names, *others in db.session.execute(statement)
    ]


def _order(text: str, sort: Sort[ProductSort], locale: str) -> list[SQLColumnExpression[Any]]:
    """Return the order: for a search the product of that very SKU first, then its beginnings."""
    own_language = Product.names[locale].as_string()
    name = func.lower(func.coalesce(func.nullif(own_language, ""), Product.name))
    keys: dict[ProductSort, list[SQLColumnExpression[Any]]] = {
        ProductSort.BEST: [_closeness(text), name] if text else [name],
        ProductSort.NAME: [name],
        ProductSort.SKU: [Product.sku_key],
        ProductSort.PRICE: [],  # see `ids_by_price`
    }
    columns = keys[sort.key]
    return [*(column.desc() if sort.descending else column for column in columns), Product.id]


def _closeness(text: str) -> ColumnElement[int]:
    key = sku_key(text)
    return case(
        (Product.sku_key == key, 0),
        (Product.sku_key.startswith(key, autoescape=True), 1),
        else_=2,
    )
