"""The search index in the database: FTS5 on SQLite, a tsvector with GIN on PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    cast,
    event,
    false,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from portal.catalog.models import Category, Product, ProductAttribute
from portal.catalog.search import document, parse_query, to_fts5, to_tsquery
from portal.db import Base, db, in_pages

PAGE: Final = 1_000

_SQLITE: Final = [
    """
    create virtual table product_search using fts5(
        words, detail=none, columnsize=0, prefix='2 3 4', tokenize='unicode61 remove_diacritics 0'
    )
    """
]
_POSTGRESQL: Final = [
    """
    create table product_search (
        product_id bigint primary key references product (id) on delete cascade,
        words tsvector not null
    )
    """,
    "create index ix_product_search_words on product_search using gin (words)",
]
_index: Final = Table(
    "product_search", MetaData(), Column("product_id", BigInteger), Column("words", TSVECTOR)
)


def create_search_index(connection: Connection) -> None:
    """Make the index; migrations and ``create_all`` call this."""
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        connection.execute(text(statement))


def drop_search_index(connection: Connection) -> None:
    """Take the index away."""
    connection.execute(text("drop table if exists product_search"))


@event.listens_for(Base.metadata, "after_create")
def _create_with_tables(_metadata: MetaData, connection: Connection, **details: Any) -> None:  # noqa: ANN401
    if Product.__table__ in (details.get("tables") or ()):
        create_search_index(connection)


@event.listens_for(Base.metadata, "before_drop")
def _drop_with_tables(_metadata: MetaData, connection: Connection, **details: Any) -> None:  # noqa: ANN401
    if Product.__table__ in (details.get("tables") or ()):
        drop_search_index(connection)


def found_by(query: str) -> ColumnElement[bool]:
    """Return the condition that keeps the products whose words answer a typed query."""
    terms = parse_query(query)
    if not terms:
        return false()
    if _is_sqlite():
        rowids: Select[int] = (
            select(literal_column("product_search.rowid", Integer))
            .select_from(_index)
            .where(literal_column("product_search").op("match")(to_fts5(terms)))
        )
        return Product.id.in_(rowids)
    wanted = cast(to_tsquery(terms), TSQUERY)
    hits = select(_index.c.product_id).where(_index.c.words.op("@@")(wanted))
    return Product.id.in_(hits)


def index_products(product_ids: Iterable[int]) -> None:
    """Write the words of some products anew, in the transaction that changed them."""
    for page in in_pages(sorted(set(product_ids)), PAGE):
        _store(_documents(page))


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


def _store(documents: Mapping[int, frozenset[str]]) -> None:
    if not documents:
        return
    session = db.session()
    if _is_sqlite():
        session.execute(
            text("delete from product_search where rowid = :id"), [{"id": key} for key in documents]
        )
        session.execute(
            text("insert into product_search (rowid, words) values (:id, :words)"),
            [{"id": key, "words": " ".join(sorted(words))} for key, words in documents.items()],
        )
        return
    session.execute(
        text(
            "insert into product_search (product_id, words)"
            " values (:id, array_to_tsvector(cast(:words as text[])))"
            " on conflict (product_id) do update set words = excluded.words"
        ),
        [{"id": key, "words": sorted(words)} for key, words in documents.items()],
    )


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"
