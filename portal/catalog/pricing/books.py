"""Reading what the versions of lists say about some products: entries, categories, factors."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from portal.catalog.models import Category, Product, UomConversion
from portal.catalog.pricing.chains import Period, holds_within
from portal.catalog.pricing.models import PriceEntry
from portal.catalog.pricing.rules import Entry, EntryKind, PriceRequest, Window
from portal.db import db, in_pages

PAGE = 2_000


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
    """Read everything the price rule needs to know about some products, in four statements."""
    categories = _load_categories({each.category_id for each in products if each.category_id})
    versions = sorted(version_ids)
    ids = sorted({product.id for product in products})
    by_product: dict[int, dict[int, list[Entry]]] = {}
    factors: dict[int, list[tuple[str, str, Decimal]]] = {}
    for page in in_pages(ids, PAGE):
        for key, sku, *facts in db.session.execute(_product_entries(page, versions, period)):
            _add(by_product, key, facts, sku=sku)
        for key, *conversion in db.session.execute(_conversions(page)):
            factors.setdefault(key, []).append((conversion[0], conversion[1], conversion[2]))
    by_category: dict[int, dict[int, list[Entry]]] = {}
    above = {item for chain in categories.ancestors.values() for item in chain}
    for page in in_pages(sorted(above), PAGE):
        for key, path, *facts in db.session.execute(_category_entries(page, versions, period)):
            _add(by_category, key, facts, category_path=path)
    return Book(categories.paths, categories.ancestors, by_product, by_category, factors)


@dataclass(frozen=True, slots=True)
class _Categories:
    paths: Mapping[int, str]
    ancestors: Mapping[int, Sequence[int]]


def _load_categories(category_ids: Collection[int]) -> _Categories:
    own, above = aliased(Category), aliased(Category)
    is_above = or_(
        above.path == own.path,
        func.substr(own.path, 1, func.length(above.path) + 1) == above.path + "/",
    )
    rows = db.session.execute(
        select(own.id, own.path, above.id)
        .join(above, is_above)
        .where(own.id.in_(sorted(category_ids)))
    )
    paths: dict[int, str] = {}
    ancestors: dict[int, list[int]] = {}
    for own_id, path, above_id in rows:
        paths[own_id] = path
        ancestors.setdefault(own_id, []).append(above_id)
    return _Categories(paths, ancestors)


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


def _product_entries(
    product_ids: Sequence[int], version_ids: Sequence[int], period: Period
) -> Select[*tuple[Any, ...]]:
    return (
        select(PriceEntry.product_id, Product.sku, *ENTRY_COLUMNS)
        .join(Product, Product.id == PriceEntry.product_id)
        .where(
            PriceEntry.version_id.in_(version_ids),
            PriceEntry.product_id.in_(product_ids),
            holds_within(PriceEntry.valid_from, PriceEntry.valid_to, period),
        )
    )


def _category_entries(
    category_ids: Sequence[int], version_ids: Sequence[int], period: Period
) -> Select[*tuple[Any, ...]]:
    return (
        select(PriceEntry.category_id, Category.path, *ENTRY_COLUMNS)
        .join(Category, Category.id == PriceEntry.category_id)
        .where(
            PriceEntry.version_id.in_(version_ids),
            PriceEntry.category_id.in_(category_ids),
            holds_within(PriceEntry.valid_from, PriceEntry.valid_to, period),
        )
    )


def _conversions(product_ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return select(
        UomConversion.product_id,
        UomConversion.from_uom,
        UomConversion.to_uom,
        UomConversion.factor,
    ).where(UomConversion.product_id.in_(product_ids))
