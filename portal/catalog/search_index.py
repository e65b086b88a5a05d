"""Which products hold which words: names, descriptions, attributes and numbers."""

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    false,
    select,
    union_all,
)

from portal.catalog.models import Category, Product, ProductAttribute
from portal.catalog.search import document, parse_query
from portal.catalog.word_index import WordIndex, one_of
from portal.db import Base, db, in_pages

PAGE: Final = 1_000
_PRODUCTS: Final[Table] = Base.metadata.tables["product"]
_INDEX: Final = WordIndex("product_search", _PRODUCTS)


def create_search_index(connection: Connection) -> None:
    """Make the index of products; the migration calls this."""
    _INDEX.create(connection)


def drop_search_index(connection: Connection) -> None:
    """Take the index of products away."""
    _INDEX.drop(connection)


def found_by(query: str, *others: Select[int]) -> ColumnElement[bool]:
    """Return the condition that keeps the products whose words answer a typed query.

    Args:
        others: More ids that are kept. One set of all ids is looked up in the products' index; an
            "or" of two sets would have every product read.
    """
    terms = parse_query(query)
    ways = [*([_INDEX.ids_with(terms)] if terms else []), *others]
    if not ways:
        return false()
    return one_of(Product.id, union_all(*ways) if len(ways) > 1 else ways[0])


def index_products(product_ids: Iterable[int]) -> None:
    """Write the words of some products anew, in the transaction that changed them."""
    for page in in_pages(sorted(set(product_ids)), PAGE):
        _INDEX.store(_documents(page))


def index_categories(category_ids: Collection[int]) -> None:
    """Write the words anew of all products in some categories, whose names changed."""
    for page in in_pages(sorted(category_ids), PAGE):
        index_products(
            db.session.scalars(select(Product.id).where(Product.category_id.in_(page))).all()
        )


def _documents(product_ids: Collection[int]) -> dict[int, frozenset[str]]:
    attributes: dict[int, list[str]] = {}
    for product_id, value in db.session.execute(
        select(ProductAttribute.product_id, ProductAttribute.value).where(
            ProductAttribute.product_id.in_(product_ids)
        )
    ):
        attributes.setdefault(product_id, []).append(value)
    rows = db.session.execute(
        select(
            Product.id,
            Product.sku,
            Product.mpn,
            Product.name,
            Product.names,
            Product.description,
            Product.manufacturer,
            Category.name.label("category"),
            Category.names.label("category_names"),
        )
        .outerjoin(Category, Category.id == Product.category_id)
        .where(Product.id.in_(product_ids))
    )
    return {
        row.id: document(
            (
                row.name,
                row.description,
                row.manufacturer,
                row.category,
                *(row.names or {}).values(),
                *(row.category_names or {}).values(),
                *attributes.get(row.id, ()),
            ),
            (row.sku, row.mpn),
        )
        for row in rows
    }
