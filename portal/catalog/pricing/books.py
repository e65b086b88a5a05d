"""Reading what the versions of lists say about some products: entries, categories, factors."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, unique
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    any_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from portal.catalog.models import Category, Product, UomConversion
from portal.catalog.pricing.chains import ASKED, Period, holds_within
from portal.catalog.pricing.models import PriceEntry
from portal.catalog.pricing.rules import Entry, EntryKind, PriceRequest, Window
from portal.db import KEPT, db, in_pages

PAGE = 5_000
_OWN: Final = aliased(Category)
_ABOVE: Final = aliased(Category)
"""Made once: an alias copies the columns of its table, which costs more than most statements."""


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What pricing needs to know of a product."""

    id: int
    sku: str
    category_id: int | None
    uom: str

    @classmethod
    def of(cls, product: Product) -> "ProductFacts":
        """Return the facts of a loaded product."""
        return cls(product.id, product.sku, product.category_id, product.uom)


@dataclass(frozen=True, slots=True)
class Book:
    """All entries of some versions that are about some products."""

    paths: Mapping[int, str]
    """Path of each category that the products stand in."""
    ancestors: Mapping[int, Sequence[int]]
    """Ids of a category and of those above it."""
    by_product: Mapping[int, Mapping[int, Sequence[Entry]]]
    by_category: Mapping[int, Mapping[int, Sequence[Entry]]]
    factors: Mapping[int, Sequence[tuple[str, str, Decimal]]]

    def entries_of(self, product: ProductFacts) -> dict[int, list[Entry]]:
        """Return the entries about a product by version id."""
        found: dict[int, list[Entry]] = {}
        above = self.ancestors.get(product.category_id or 0, ())
        sources = [self.by_product.get(product.id, {})]
        sources += [self.by_category.get(category_id, {}) for category_id in above]
        for source in sources:
            for version_id, entries in source.items():
                found.setdefault(version_id, []).extend(entries)
        return found

    def said_of(self, product: ProductFacts) -> Hashable:
        """Return everything that this book holds about a product, to be compared."""
        return (
            product.uom,
            self.paths.get(product.category_id or 0, ""),
            tuple(self.factors.get(product.id, ())),
            *(
                (version_id, tuple(entries))
                for version_id, entries in self.entries_of(product).items()
            ),
        )

    def request(self, product: ProductFacts, quantity: Decimal, uom: str) -> PriceRequest:
        """Return the question for the price rule."""
        return PriceRequest(
            sku=product.sku,
            category_path=self.paths.get(product.category_id or 0, ""),
            quantity=quantity,
            uom=uom,
            factors=factors_to(uom, self.factors.get(product.id, ())),
        )


def factors_to(uom: str, conversions: Iterable[tuple[str, str, Decimal]]) -> dict[str, Fraction]:
    """Return how many of each other unit one ``uom`` holds, from either direction.

    Where both directions are stated, the one that starts at ``uom`` counts.
    """
    stated = list(conversions)
    factors = {start: 1 / Fraction(factor) for start, end, factor in stated if end == uom}
    factors.update({end: Fraction(factor) for start, end, factor in stated if start == uom})
    factors.pop(uom, None)
    return factors


def load_book(
    products: Sequence[ProductFacts], version_ids: Collection[int], period: Period
) -> Book:
    """Read everything the price rule needs to know about some products, in one statement."""
    found = _Found()
    asked = {
        "version_ids": sorted(version_ids),
        "category_ids": sorted({each.category_id for each in products if each.category_id}),
        "first": period.first,
        "last": period.last,
    }
    is_first = True
    for page in in_pages(sorted({product.id for product in products}), PAGE):
        statement = _statement(db.engine.dialect.name, with_categories=is_first)
        for what, *row in db.session.execute(statement, {**asked, "product_ids": page}):
            found.take(what, row)
        is_first = False  # categories are the same for every page
    return Book(found.paths, found.ancestors, found.by_product, found.by_category, found.factors)


@unique
class _What(IntEnum):
    """What a row of the one statement tells."""

    PRODUCT_ENTRY = 1
    CATEGORY_ENTRY = 2
    ANCESTOR = 3
    CONVERSION = 4


@dataclass(slots=True)
class _Found:
    """A book while its rows come in."""

    paths: dict[int, str] = field(default_factory=dict)
    ancestors: dict[int, list[int]] = field(default_factory=dict)
    by_product: dict[int, dict[int, list[Entry]]] = field(default_factory=dict)
    by_category: dict[int, dict[int, list[Entry]]] = field(default_factory=dict)
    factors: dict[int, list[tuple[str, str, Decimal]]] = field(default_factory=dict)

    def take(self, what: int, row: Sequence[Any]) -> None:
        """Put one row where it belongs."""
        key, text, *facts, factor = row
        if what == _What.PRODUCT_ENTRY:
            _add(self.by_product, key, facts, sku=text)
        elif what == _What.CATEGORY_ENTRY:
            _add(self.by_category, key, facts, category_path=text)
        elif what == _What.ANCESTOR:
            self.paths[key] = text
            self.ancestors.setdefault(key, []).append(facts[0])
        else:
            self.factors.setdefault(key, []).append((text, facts[3], factor))


ENTRY_COLUMNS = (
    PriceEntry.version_id,
    PriceEntry.kind,
    PriceEntry.value,
    PriceEntry.uom,
    PriceEntry.min_quantity,
    PriceEntry.valid_from,
    PriceEntry.valid_to,
)


def make_entry(
    facts: Sequence[Any], *, sku: str | None = None, category_path: str | None = None
) -> Entry:
    """Return the entry of a row of `ENTRY_COLUMNS`."""
    _, kind, value, uom, min_quantity, start, end = facts
    return _entry(kind, value, uom, min_quantity, sku, category_path, start, end)


@lru_cache(maxsize=16_384)
def _entry(  # noqa: PLR0913, PLR0917 - the columns of a row
    kind: str,
    value: Decimal,
    uom: str,
    min_quantity: Decimal,
    sku: str | None,
    category_path: str | None,
    start: datetime | None,
    end: datetime | None,
) -> Entry:
    """Return the entry of some values: rows that are read again need not be made again."""
    return Entry(
        kind=EntryKind(kind),
        value=value,
        uom=uom,
        min_quantity=min_quantity,
        sku=sku,
        category_path=category_path,
        window=Window(start, end),
    )


def _add(
    found: dict[int, dict[int, list[Entry]]],
    key: int,
    facts: Sequence[Any],
    *,
    sku: str | None = None,
    category_path: str | None = None,
) -> None:
    entry = make_entry(facts, sku=sku, category_path=category_path)
    found.setdefault(key, {}).setdefault(facts[0], []).append(entry)


OneOf = Callable[[SQLColumnExpression[Any], str], ColumnElement[bool]]
"""Makes the condition that a column is one of the ids that are asked for by a name."""
Parts = tuple[Select[*tuple[Any, ...]], ...]


def _one_of_list(column: SQLColumnExpression[Any], name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, type_=BigInteger, expanding=True))


def _one_of_array(column: SQLColumnExpression[Any], name: str) -> ColumnElement[bool]:
    """Ask with one value however many ids there are: PostgreSQL takes a list as one value each."""
    return column == any_(bindparam(name, type_=ARRAY(BigInteger)))


@cache
def _statement(dialect: str, *, with_categories: bool) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the one statement, which is built once and told what to look for when it runs."""
    one_of = _one_of_list if dialect == "sqlite" else _one_of_array
    parts = _of_products(one_of)
    if with_categories:
        parts += _of_categories(one_of)
    return union_all(*parts)


def _of_products(one_of: OneOf) -> Parts:
    """Select what is said of some products themselves: entries and units of measure."""
    entries = (
        select(
            literal(_What.PRODUCT_ENTRY.value),
            PriceEntry.product_id,
            Product.sku,
            *ENTRY_COLUMNS,
            _none(UomConversion.factor),
        )
        .prefix_with(KEPT, dialect="postgresql")
        .join(Product, Product.id == PriceEntry.product_id)
        .where(
            one_of(PriceEntry.version_id, "version_ids"),
            one_of(PriceEntry.product_id, "product_ids"),
            holds_within(PriceEntry.valid_from, PriceEntry.valid_to, ASKED),
        )
    )
    names: dict[Any, Any] = {PriceEntry.uom: UomConversion.to_uom}
    conversions = select(
        literal(_What.CONVERSION.value),
        UomConversion.product_id,
        UomConversion.from_uom,
        *(names.get(column, _none(column)) for column in ENTRY_COLUMNS),
        UomConversion.factor,
    ).where(one_of(UomConversion.product_id, "product_ids"))
    return entries, conversions


def _of_categories(one_of: OneOf) -> Parts:
    """Select what is said of the categories that products stand in, and which stand above them."""
    own, above = _OWN, _ABOVE
    names: dict[Any, Any] = {PriceEntry.version_id: above.id}
    ancestors = (
        select(
            literal(_What.ANCESTOR.value),
            own.id,
            own.path,
            *(names.get(column, _none(column)) for column in ENTRY_COLUMNS),
            _none(UomConversion.factor),
        )
        .join(above, _stands_above(above, own))
        .where(one_of(own.id, "category_ids"))
    )
    reached = (
        select(above.id).join(own, _stands_above(above, own)).where(one_of(own.id, "category_ids"))
    )
    entries = (
        select(
            literal(_What.CATEGORY_ENTRY.value),
            PriceEntry.category_id,
            Category.path,
            *ENTRY_COLUMNS,
            _none(UomConversion.factor),
        )
        .join(Category, Category.id == PriceEntry.category_id)
        .where(
            one_of(PriceEntry.version_id, "version_ids"),
            PriceEntry.category_id.in_(reached),
            holds_within(PriceEntry.valid_from, PriceEntry.valid_to, ASKED),
        )
    )
    return ancestors, entries


def _stands_above(above: type[Category], own: type[Category]) -> ColumnElement[bool]:
    """Return the condition that a category is another one or stands above it."""
    return or_(
        above.path == own.path,
        func.substr(own.path, 1, func.length(above.path) + 1) == above.path + "/",
    )


def _none(column: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a mapped column
    """Return nothing, with the type of a column: PostgreSQL wants one in each part of a union."""
    return type_coerce(cast(null(), column.type), column.type)
