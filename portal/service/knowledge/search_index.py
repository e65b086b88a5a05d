"""Which articles hold which words, in every language that they are written in."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, Connection, false, or_

from portal.catalog.search import Term, document, parse_query
from portal.catalog.word_index import WordIndex
from portal.db import Base
from portal.service.knowledge.models import Article
from portal.service.knowledge.rules import Text, plain

_INDEX: Final = WordIndex("article_search", Base.metadata.tables["article"])


def create_search_index(connection: Connection) -> None:
    """Make the index of articles; the migration calls this."""
    _INDEX.create(connection)


def drop_search_index(connection: Connection) -> None:
    """Take the index of articles away."""
    _INDEX.drop(connection)


def found_by(query: str) -> ColumnElement[bool]:
    """Return the condition that keeps the articles that hold all words of a typed query."""
    terms = parse_query(query)
    return Article.id.in_(_INDEX.ids_with(terms)) if terms else false()


def touched_by(asked: Iterable[Term]) -> ColumnElement[bool]:
    """Return the condition that keeps the articles that hold some word of a question."""
    return or_(false(), *(Article.id.in_(_INDEX.ids_with((term,))) for term in asked))


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
    _INDEX.store({article_id: document([*parts, *about], [number, *skus])})
