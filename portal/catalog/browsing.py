"""The catalogue's list: search, filters with exact counts, order and page, in few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, func, select
from sqlalchemy.orm import joinedload

from portal.catalog.by_price import MOST_PRICED, Asking, ids_by_price
from portal.catalog.counting import Ranking, count_and_rank, count_products
from portal.catalog.facets import Node, Value
from portal.catalog.models import PartNumber, Product, sku_key
from portal.catalog.narrowing import Below, Filters, found_with, matching, once
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
    first, ids = offset_of(number, size), None
    if filters.text:
        counts, ids = count_and_rank(
            actor, filters, locale, _ranking(filters, sort, locale, size, first)
        )
    else:
        counts = count_products(actor, filters, locale, mark)
    may_price = asking if counts.total <= MOST_PRICED else None
    if sort.key is ProductSort.PRICE and may_price is None:
        sort = Sort(ProductSort.BEST)
    if sort.key is ProductSort.PRICE and may_price is not None:
        found = found_with(actor, filters, counts.below)
        ranked = ids_by_price(may_price, found, descending=sort.descending)
        ids = ranked[first : first + size]
    if ids is None:
        asked = (filters, counts.below, sort, locale, size, first)
        items = _items(once(_slice_statement, actor, *asked), locale)
    else:
        items = _items_of(actor, ids, locale)
    return Listing(
        page=Page(items, counts.total, number, size),
        sort=sort,
        can_sort_by_price=may_price is not None,
        categories=counts.categories,
        chosen=counts.chosen,
        manufacturers=counts.manufacturers,
        attributes=counts.attributes,
    )


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


def _ranking(
    filters: Filters, sort: Sort[ProductSort], locale: str, size: int, first: int
) -> Ranking:
    """Return which page of a search to read; that by price is known only once all are found."""
    wanted = Sort(ProductSort.BEST) if sort.key is ProductSort.PRICE else sort
    keys = _keys(filters.text, wanted.key, locale)
    return Ranking(keys, wanted.descending, size, first)


def _items_of(actor: Actor, ids: Sequence[int], locale: str) -> list[Item]:
    places = {key: place for place, key in enumerate(ids)}
    items = _items(_shown(actor, select(Product).where(Product.id.in_(places))), locale)
    return sorted(items, key=lambda item: places[item.id])


def _slice_statement(  # noqa: PLR0913, PLR0917 - what a page depends on
    actor: Actor,
    filters: Filters,
    below: Below,
    sort: Sort[ProductSort],
    locale: str,
    size: int,
    first: int,
) -> Select[*tuple[Any, ...]]:
    keys = _keys(filters.text, sort.key, locale)
    order = (key.desc() if sort.descending else key for key in keys)
    found = found_with(actor, filters, below).order_by(*order, Product.id)
    return _shown(actor, found.limit(size).offset(first))


def _shown(actor: Actor, products: Select[Product]) -> Select[*tuple[Any, ...]]:
    own = and_(PartNumber.product_id == Product.id, PartNumber.account_id == actor.account_id)
    return products.outerjoin(PartNumber, own).with_only_columns(*_SHOWN)


def _items(statement: Select[*tuple[Any, ...]], locale: str) -> list[Item]:
    return [
        Item(key, sku, local_name(name, names, locale), *others)
        for key, sku, name, names, *others in db.session.execute(statement)
    ]


def _keys(text: str, key: ProductSort, locale: str) -> list[SQLColumnExpression[Any]]:
    """Return the order: for a search the product of that very SKU first, then its beginnings."""
    own_language = Product.names[locale].as_string()
    name = func.lower(func.coalesce(func.nullif(own_language, ""), Product.name))
    keys: dict[ProductSort, list[SQLColumnExpression[Any]]] = {
        ProductSort.BEST: [_closeness(text), name] if text else [name],
        ProductSort.NAME: [name],
        ProductSort.SKU: [Product.sku_key],
        ProductSort.PRICE: [],  # see `ids_by_price`
    }
    return keys[key]


def _closeness(text: str) -> ColumnElement[int]:
    key = sku_key(text)
    return case(
        (Product.sku_key == key, 0),
        (Product.sku_key.startswith(key, autoescape=True), 1),
        else_=2,
    )
