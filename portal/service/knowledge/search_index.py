"""The search index of articles: FTS5 on SQLite, a tsvector with GIN on PostgreSQL."""

from collections.abc import Iterable
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
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from portal.catalog.search import Term, document, parse_query, to_fts5, to_tsquery
from portal.db import Base, db
from portal.service.knowledge.models import Article
from portal.service.knowledge.rules import Text, plain

_SQLITE: Final = [
    """
    create virtual table article_search using fts5(
        words, detail=none, columnsize=0, prefix='2 3 4', tokenize='unicode61 remove_diacritics 0'
    )
    """
]
_POSTGRESQL: Final = [
    """
    create table article_search (
        article_id bigint primary key references article (id) on delete cascade,
        words tsvector not null
    )
    """,
    "create index ix_article_search_words on article_search using gin (words)",
]
_index: Final = Table(
    "article_search", MetaData(), Column("article_id", BigInteger), Column("words", TSVECTOR)
)


def create_search_index(connection: Connection) -> None:
    """Make the index; migrations and ``create_all`` call this."""
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        connection.execute(text(statement))


def drop_search_index(connection: Connection) -> None:
    """Take the index away."""
    connection.execute(text("drop table if exists article_search"))


@event.listens_for(Base.metadata, "after_create")
def _create_with_tables(_metadata: MetaData, connection: Connection, **details: Any) -> None:  # noqa: ANN401
    if Article.__table__ in (details.get("tables") or ()):
        create_search_index(connection)


@event.listens_for(Base.metadata, "before_drop")
def _drop_with_tables(_metadata: MetaData, connection: Connection, **details: Any) -> None:  # noqa: ANN401
    if Article.__table__ in (details.get("tables") or ()):
        drop_search_index(connection)


def found_by(query: str) -> ColumnElement[bool]:
    """Return the condition that keeps the articles that hold all words of a typed query."""
    terms = parse_query(query)
    return _hits(terms) if terms else false()


def touched_by(asked: Iterable[Term]) -> ColumnElement[bool]:
    """Return the condition that keeps the articles that hold some word of a question."""
    return or_(false(), *(_hits((term,)) for term in asked))


def _hits(terms: tuple[Term, ...]) -> ColumnElement[bool]:
    if _is_sqlite():
        rowids: Select[int] = (
            select(literal_column("article_search.rowid", Integer))
            .select_from(_index)
            .where(literal_column("article_search").op("match")(to_fts5(terms)))
        )
        return Article.id.in_(rowids)
    wanted = cast(to_tsquery(terms), TSQUERY)
    return Article.id.in_(select(_index.c.article_id).where(_index.c.words.op("@@")(wanted)))


def index_article(
    article_id: int, number: str, texts: Iterable[Text], skus: Iterable[str], about: Iterable[str]
) -> None:
    """Write the words of an article anew, in the transaction that changed it.

    Args:
        texts: In every language, of the version that readers see.
        skus: Of the products that it is about.
        about: Names of those products and of the category.
    """
    parts = [part for item in texts for part in (item.title, plain(item.body))]
    words = sorted(document([*parts, *about], [number, *skus]))
    session = db.session()
    if _is_sqlite():
        session.execute(text("delete from article_search where rowid = :id"), {"id": article_id})
        session.execute(
            text("insert into article_search (rowid, words) values (:id, :words)"),
            {"id": article_id, "words": " ".join(words)},
        )
        return
    session.execute(
        text(
            "insert into article_search (article_id, words)"
            " values (:id, array_to_tsvector(cast(:words as text[])))"
            " on conflict (article_id) do update set words = excluded.words"
        ),
        {"id": article_id, "words": words},
    )


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"
