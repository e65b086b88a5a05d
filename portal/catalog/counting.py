"""How many products every way to narrow a list leaves: counted once, until the catalogue changes.

Counts follow from who looks, the filters and the catalogue. The first two and the catalogue's mark
are the key under which a process keeps them, so a change that anybody made is seen by the next
request of each process, and nobody is shown what was counted for another audience.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    CTE,
    CompoundSelect,
    Label,
    Row,
    Select,
    SQLColumnExpression,
    String,
    Subquery,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from portal.catalog.assortments import audience_of
from portal.catalog.facets import Direct, Node, Value, attributes_of, nodes_of, values_of
from portal.catalog.models import Category, Product, ProductAttribute
from portal.catalog.narrowing import (
    Below,
    Columns,
    Filters,
    having,
    lies_within,
    made_by,
    matching,
    once,
)
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
    """Return the counts of what an actor sees: in one statement, or as they were kept.

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


@dataclass(frozen=True, slots=True)
class Ranking:
    """In which order a page of what was found is read, and which one."""

    keys: Sequence[SQLColumnExpression[Any]]
    descending: bool
    size: int
    first: int


def count_and_rank(
    actor: Actor, filters: Filters, locale: str, ranking: Ranking
) -> tuple[Counts, list[int]]:
    """Return the counts of what a typed text finds, and the ids of one page of it.

    Finding costs more than all that is asked of what was found, so it is done once, for both.
    """
    rows = db.session.execute(_statement(actor, filters, ranking)).all()
    counts = _counts(rows, filters, locale)
    return counts, [row.number for row in rows if row.part == _Part.PRODUCT]


class _Part(IntEnum):
    """Of what a row of the one statement tells."""

    CATEGORY = 0
    MANUFACTURER = 1
    ATTRIBUTE = 2
    PRODUCT = 3


def _count(actor: Actor, filters: Filters, locale: str) -> Counts:
    statement = _statement(actor, filters) if filters.text else once(_statement, actor, filters)
    return _counts(db.session.execute(statement), filters, locale)


def _counts(rows: Iterable[Row[*tuple[Any, ...]]], filters: Filters, locale: str) -> Counts:
    categories: list[Direct] = []
    values: dict[str, dict[str, int]] = defaultdict(dict)
    elsewhere = 0
    for part, number, name, value, count, path, names in rows:
        if part in {_Part.MANUFACTURER, _Part.ATTRIBUTE}:
            values[name][value] = count
        elif part == _Part.CATEGORY and number is None:
            elsewhere = count
        elif part == _Part.CATEGORY:
            categories.append(Direct(number, path, name, names, count))
    below: Below = None
    if filters.category_path:
        beginning = f"{filters.category_path}/"
        below = frozenset(each.id for each in categories if f"{each.path}/".startswith(beginning))
    nodes = nodes_of(categories, filters.category_path, locale)
    manufacturers = values.pop("", {})
    return Counts(
        total=elsewhere * (below is None)
        + sum(each.many for each in categories if below is None or each.id in below),
        below=below,
        chosen=next((node for node in nodes if node.is_chosen), None),
        categories=nodes,
        manufacturers=values_of(manufacturers, filters.manufacturers),
        attributes=MappingProxyType(attributes_of(values, filters.attributes)),
    )


def _statement(
    actor: Actor, filters: Filters, ranking: Ranking | None = None
) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the statement of all counts; each is made without the filter on itself."""
    ordered: Sequence[SQLColumnExpression[Any]] = ranking.keys if ranking else ()
    keys: list[Label[Any]] = [key.label(f"key_{place}") for place, key in enumerate(ordered)]
    seen = visible_products(actor).with_only_columns(
        Product.id, Product.category_id, Product.manufacturer, *keys
    )
    found = (
        seen.where(matching(actor, filters.text)).cte("found")
        if filters.text
        else seen.subquery("found")
    )
    of = Columns(found.c.id, found.c.category_id, found.c.manufacturer)
    parts = [
        _categories(found, of, filters),
        _manufacturers(found, of, filters),
        _attributes(found, of, filters),
    ]
    if ranking:
        parts.append(_ranked(found, of, filters, ranking))
    return union_all(*parts)


_Found = CTE | Subquery
_Select = Select[*tuple[Any, ...]]


def _categories(found: _Found, of: Columns, filters: Filters) -> _Select:
    """Count what stands in each category itself, and in none."""
    counted = (
        select(of.category_id.label("key"), func.count(of.id).label("many"))
        .select_from(found)
        .where(made_by(filters, of), *having(filters, of).values())
        .group_by(of.category_id)
        .subquery()
    )
    return select(
        literal(_Part.CATEGORY.value).label("part"),
        Category.id.label("number"),
        Category.name,
        cast(null(), String).label("value"),
        func.coalesce(counted.c.many, 0),
        Category.path,
        Category.names,
    ).join_from(Category, counted, counted.c.key == Category.id, full=True)


def _manufacturers(found: _Found, of: Columns, filters: Filters) -> _Select:
    return (
        select(
            literal(_Part.MANUFACTURER.value),
            null(),
            literal(""),
            of.manufacturer,
            func.count(of.id),
            null(),
            null(),
        )
        .select_from(found)
        .where(
            of.manufacturer.is_not(None),
            lies_within(filters.category_path, of),
            *having(filters, of).values(),
        )
        .group_by(of.manufacturer)
    )


def _attributes(found: _Found, of: Columns, filters: Filters) -> _Select:
    conditions = having(filters, of)
    others = [or_(ProductAttribute.name == name, each) for name, each in conditions.items()]
    some = select(of.id).where(made_by(filters, of)).limit(MOST_COUNTED + 1).subquery()
    are_few = select(func.count()).select_from(some).scalar_subquery() <= MOST_COUNTED
    return (
        select(
            literal(_Part.ATTRIBUTE.value),
            null(),
            ProductAttribute.name,
            ProductAttribute.value,
            func.count(of.id),
            null(),
            null(),
        )
        .select_from(found)
        .join(ProductAttribute, ProductAttribute.product_id == of.id)
        .where(
            true() if filters.category_path or filters.attributes else are_few,
            lies_within(filters.category_path, of),
            made_by(filters, of),
            *others,
        )
        .group_by(ProductAttribute.name, ProductAttribute.value)
    )


def _ranked(found: _Found, of: Columns, filters: Filters, ranking: Ranking) -> _Select:
    """Return the ids of one page."""
    keys = [found.c[f"key_{place}"] for place in range(len(ranking.keys))]
    page = (
        select(of.id.label("id"))
        .where(
            lies_within(filters.category_path, of),
            made_by(filters, of),
            *having(filters, of).values(),
        )
        .order_by(*(key.desc() if ranking.descending else key for key in keys), of.id)
        .limit(ranking.size)
        .offset(ranking.first)
        .subquery()
    )
    product = literal(_Part.PRODUCT.value)
    return select(product, page.c.id, null(), null(), literal(0), null(), null())
