"""The catalogue's list: search, filters with exact counts, order and page, in few statements."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum, unique
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Executable,
    Select,
    SQLColumnExpression,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload

from portal.catalog.by_price import MOST_PRICED, Asking, ids_by_price
from portal.catalog.facets import Node, Value, attributes_of, nodes_of, values_of
from portal.catalog.models import Category, PartNumber, Product, ProductAttribute, sku_key
from portal.catalog.queries import visible_products
from portal.catalog.rules import local_name
from portal.catalog.search_index import found_by
from portal.db import db
from portal.policy import Actor
from portal.web.paging import Page, offset_of
from portal.web.tables import Sort

MOST_COUNTED: Final = 5_000
"""Products of which attributes are counted before a category is chosen: they say little of all."""


@unique
class ProductSort(StrEnum):
    """By what the list can be ordered."""

    BEST = "best"
    NAME = "name"
    SKU = "sku"
    PRICE = "price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is narrowed to; values of one name are alternatives, names hold together."""

    text: str = ""
    category_path: str = ""
    manufacturers: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def is_set(self) -> bool:
        return bool(self.text or self.category_path or self.manufacturers or self.attributes)


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
    chosen: Category | None
    manufacturers: tuple[Value, ...]
    attributes: Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What each filter asks of a product; a facet counts without its own."""

    text: ColumnElement[bool]
    category: ColumnElement[bool]
    manufacturers: ColumnElement[bool]
    attributes: Mapping[str, ColumnElement[bool]]

    def all(self) -> ColumnElement[bool]:
        return and_(self.text, self.category, self.manufacturers, *self.attributes.values())


_ANY: Final = Product.id.is_not(None)
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
) -> Listing:
    """Return one page of what an actor sees, with exact counts, in three statements.

    Args:
        actor: Who looks.
        filters: What the list is narrowed to.
        sort: By what it is wished to be ordered; see ``Listing.sort`` for how it is.
        locale: The language whose names are ordered.
        number: The page, from 1.
        size: How many products a page shows.
        asking: Whose prices the list can be ordered by; that needs three statements more. Without
            it, and for more than `MOST_PRICED` products, the best match comes first instead.
    """
    counted = _count_categories(actor, filters)
    categories = sorted((each for each, _count in counted if each), key=_place)
    direct = {category.id if category else None: count for category, count in counted}
    chosen = next((item for item in categories if item.path == filters.category_path), None)
    below = _below(filters.category_path, categories) if filters.category_path else None
    total = sum(count for key, count in direct.items() if below is None or key in below)
    may_price = asking if total <= MOST_PRICED else None
    if sort.key is ProductSort.PRICE and may_price is None:
        sort = Sort(ProductSort.BEST)
    is_narrow = bool(filters.category_path or filters.attributes or total <= MOST_COUNTED)
    manufacturers, attributes = _count_values(actor, filters, below, is_narrow)
    return Listing(
        page=_page(actor, filters, below, _Slice(sort, locale, number, size, total, may_price)),
        sort=sort,
        can_sort_by_price=may_price is not None,
        categories=nodes_of(categories, direct, chosen, locale),
        chosen=chosen,
        manufacturers=values_of(manufacturers, filters.manufacturers),
        attributes=attributes_of(attributes, filters.attributes),
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


def _place(category: Category) -> list[str]:
    return category.path.split("/")


def find_products(
    actor: Actor, text: str, *, number: int = 1, size: int | None = 50
) -> Page[Product]:
    """Return products by SKU for the supplier's desk, those at the end of their life as well.

    Without a ``size`` it is the whole list, as an export needs it.
    """
    statement = visible_products(actor, with_ended=True)
    if text:
        statement = statement.where(_matches(actor, text))
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


Statement = TypeVar("Statement", bound=Executable)


def _built(
    build: Callable[..., Statement], actor: Actor, filters: Filters, *more: Hashable
) -> Statement:
    """Return a statement of some arguments; building it can take longer than what it asks.

    What people type is seldom typed again, so only a statement without a text is kept.
    """
    return build(actor, filters, *more) if filters.text else _once(build, actor, filters, *more)


@lru_cache(maxsize=512)
def _once(build: Callable[..., Statement], *asked: Hashable) -> Statement:
    return build(*asked)


Below = frozenset[int] | None
"""Ids of a category and all below it; ``None`` where no category is chosen."""


def _conditions(actor: Actor, filters: Filters, below: Below = None) -> _Conditions:
    """Return the conditions of all filters."""
    return _Conditions(
        text=_matches(actor, filters.text) if filters.text else _ANY,
        category=_ANY if below is None else _within(below),
        manufacturers=(
            Product.manufacturer.in_(filters.manufacturers) if filters.manufacturers else _ANY
        ),
        attributes={
            name: Product.id.in_(
                select(ProductAttribute.product_id).where(
                    ProductAttribute.name == name, ProductAttribute.value.in_(values)
                )
            )
            for name, values in filters.attributes.items()
        },
    )


def _matches(actor: Actor, text: str) -> ColumnElement[bool]:
    """Return the condition for a typed query: the index, or the account's own numbers and names."""
    if actor.is_supplier:
        return found_by(text)
    own = select(PartNumber.product_id).where(
        PartNumber.account_id == actor.account_id,
        or_(
            PartNumber.buyer_sku_key.contains(sku_key(text), autoescape=True),
            PartNumber.name.icontains(text.strip(), autoescape=True),
        ),
    )
    return found_by(text, own)


def _below(path: str, categories: Iterable[Category]) -> frozenset[int]:
    """Return the ids of a category with its descendants; an unknown one has none."""
    return frozenset(item.id for item in categories if f"{item.path}/".startswith(f"{path}/"))


def _within(category_ids: Collection[int]) -> ColumnElement[bool]:
    return Product.category_id.in_(sorted(category_ids)) if category_ids else false()


def _page(actor: Actor, filters: Filters, below: Below, part: _Slice) -> Page[Item]:
    first = offset_of(part.number, part.size)
    if part.sort.key is ProductSort.PRICE and part.asking is not None:
        found = _found(actor, filters, below)
        ranked = ids_by_price(part.asking, found, descending=part.sort.descending)
        places = {key: place for place, key in enumerate(ranked[first : first + part.size])}
        items = _items(_shown(actor, select(Product).where(Product.id.in_(places))), part.locale)
        items.sort(key=lambda item: places[item.id])
    else:
        slice_ = (part.sort, part.locale, part.size, first)
        items = _items(_built(_slice_statement, actor, filters, below, *slice_), part.locale)
    return Page(items, part.total, part.number, part.size)


def _found(actor: Actor, filters: Filters, below: Below) -> Select[Product]:
    return visible_products(actor).where(_conditions(actor, filters, below).all())


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
    found = _found(actor, filters, below).order_by(*order)
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


def _count_categories(actor: Actor, filters: Filters) -> list[tuple[Category | None, int]]:
    """Return every category with how many products stand in it itself, and those in none."""
    rows = db.session.execute(_built(_categories_statement, actor, filters))
    return [(category, count) for category, count in rows]


def _categories_statement(actor: Actor, filters: Filters) -> Select[*tuple[Any, ...]]:
    counted = (
        _found(actor, filters, None)
        .with_only_columns(Product.category_id.label("key"), func.count(Product.id).label("many"))
        .group_by(Product.category_id)
        .subquery()
    )
    return select(Category, func.coalesce(counted.c.many, 0)).join_from(
        Category, counted, counted.c.key == Category.id, full=True
    )


def _count_values(
    actor: Actor,
    filters: Filters,
    below: Below,
    with_attributes: bool,  # noqa: FBT001 - part of a key
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Count each manufacturer, and every value of every attribute, in one statement.

    Each name is counted without the filter on itself.
    """
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    statement = _built(_values_statement, actor, filters, below, with_attributes)
    for name, value, count in db.session.execute(statement):
        counts[name][value] = count
    manufacturers = counts.pop("", {})
    return manufacturers, counts


def _values_statement(
    actor: Actor,
    filters: Filters,
    below: Below,
    with_attributes: bool,  # noqa: FBT001 - part of a key
) -> CompoundSelect[*tuple[Any, ...]]:
    conditions = _conditions(actor, filters, below)
    seen = visible_products(actor).where(conditions.text, conditions.category)
    makers = (
        seen.where(*conditions.attributes.values(), Product.manufacturer.is_not(None))
        .with_only_columns(
            literal("").label("name"), Product.manufacturer.label("value"), func.count(Product.id)
        )
        .group_by(Product.manufacturer)
    )
    others = [
        or_(ProductAttribute.name == name, condition)
        for name, condition in conditions.attributes.items()
    ]
    values = (
        seen.join(ProductAttribute, ProductAttribute.product_id == Product.id)
        .where(conditions.manufacturers, *others)
        .with_only_columns(ProductAttribute.name, ProductAttribute.value, func.count(Product.id))
        .group_by(ProductAttribute.name, ProductAttribute.value)
    )
    parts = (makers, values) if with_attributes else (makers,)
    return union_all(*parts)
