"""How many products every way to narrow a list leaves: counted once, until the catalogue changes.

Counts follow from who looks, the filters and the catalogue. The first two and the catalogue's mark
are the key under which a process keeps them, so a change that anybody made is seen by the next
request of each process, and nobody is shown what was counted for another audience.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import CompoundSelect, Select, func, literal, or_, select, union_all

from portal.catalog.assortments import audience_of
from portal.catalog.facets import Node, Value, attributes_of, nodes_of, values_of
from portal.catalog.models import Category, Product, ProductAttribute
from portal.catalog.narrowing import Below, Filters, below_of, built, conditions_of, found_with
from portal.catalog.queries import visible_products
from portal.db import db
from portal.policy import Actor

MOST_COUNTED: Final = 5_000
"""Products of which attributes are counted before a category is chosen: they say little of all."""
MOST_KEPT: Final = 512
"""Counts that a process keeps, of some ten KiB each; then it starts anew."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many products were found, and every way to narrow them further."""

    total: int
    below: Below
    chosen: Node | None
    categories: tuple[Node, ...]
    manufacturers: tuple[Value, ...]
    attributes: Mapping[str, tuple[Value, ...]]


def count_products(actor: Actor, filters: Filters, locale: str, mark: str | None) -> Counts:
    """Return the counts of what an actor sees: in two statements, or as they were kept.

    Args:
        actor: Who looks.
        filters: What the list is narrowed to.
        locale: The language in which categories are named.
        mark: The catalogue's mark, read before; without one nothing is kept. Nor is it for a text,
            for what people type is seldom typed again, and finds own numbers besides.
    """
    if mark is None or filters.text:
        return _count(actor, filters, locale)
    chosen = (filters.category_path, filters.manufacturers, tuple(filters.attributes.items()))
    key = (mark, audience_of(actor), chosen, locale)
    known = _KEPT.get(key)
    if known is None:
        known = _count(actor, filters, locale)
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = known
    return known


_KEPT: Final[dict[Hashable, Counts]] = {}


def _count(actor: Actor, filters: Filters, locale: str) -> Counts:
    counted = _count_categories(actor, filters)
    categories = sorted((each for each, _count in counted if each), key=_place)
    direct = {category.id if category else None: count for category, count in counted}
    chosen = next((item for item in categories if item.path == filters.category_path), None)
    below = below_of(filters.category_path, categories) if filters.category_path else None
    total = sum(count for key, count in direct.items() if below is None or key in below)
    is_narrow = bool(filters.category_path or filters.attributes or total <= MOST_COUNTED)
    manufacturers, attributes = _count_values(actor, filters, below, is_narrow)
    nodes = nodes_of(categories, direct, chosen, locale)
    return Counts(
        total=total,
        below=below,
        chosen=next((node for node in nodes if node.is_chosen), None),
        categories=nodes,
        manufacturers=values_of(manufacturers, filters.manufacturers),
        attributes=MappingProxyType(attributes_of(attributes, filters.attributes)),
    )


def _place(category: Category) -> list[str]:
    return category.path.split("/")


def _count_categories(actor: Actor, filters: Filters) -> list[tuple[Category | None, int]]:
    """Return every category with how many products stand in it itself, and those in none."""
    rows = db.session.execute(built(_categories_statement, actor, filters))
    return [(category, count) for category, count in rows]


def _categories_statement(actor: Actor, filters: Filters) -> Select[*tuple[Any, ...]]:
    counted = (
        found_with(actor, filters, None)
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
    statement = built(_values_statement, actor, filters, below, with_attributes)
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
    conditions = conditions_of(actor, filters, below)
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
