"""A search index in the database: FTS5 on SQLite, a tsvector with GIN on PostgreSQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    MetaData,
    Select,
    SQLColumnExpression,
    Table,
    any_,
    cast,
    event,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from portal.catalog.search import Term, to_fts5, to_tsquery
from portal.db import Base, db


class WordIndex:
    """The words of one table's rows, made and dropped with that table; each row has an ``id``.

    Args:
        name: The index's own table, for example ``product_search``.
        of: The table whose rows it finds; its name is also that of the key column.
    """

    def __init__(self, name: str, of: Table) -> None:
        self.name, self.of, self.key = name, of, f"{of.name}_id"
        self._rows = Table(
            name, MetaData(), Column(self.key, BigInteger), Column("words", TSVECTOR)
        )
        event.listen(Base.metadata, "after_create", self._create_with_tables)
        event.listen(Base.metadata, "before_drop", self._drop_with_tables)

    def create(self, connection: Connection) -> None:
        """Make the index; migrations and ``create_all`` call this."""
        if connection.dialect.name == "sqlite":
            connection.execute(
                text(
                    f"create virtual table {self.name} using fts5(words, detail=none,"
                    " columnsize=0, prefix='2 3 4', tokenize='unicode61 remove_diacritics 0')"
                )
            )
            return
        connection.execute(
            text(
                f"create table {self.name} ({self.key} bigint primary key"
                f" references {self.of.name} (id) on delete cascade, words tsvector not null)"
            )
        )
        connection.execute(
            text(f"create index ix_{self.name}_words on {self.name} using gin (words)")
        )

    def drop(self, connection: Connection) -> None:
        """Take the index away."""
        connection.execute(text(f"drop table if exists {self.name}"))

    def ids_with(self, terms: Iterable[Term]) -> Select[int]:
        """Select the ids of the rows that hold all terms, of which there is at least one."""
        wanted = tuple(terms)
        if _is_sqlite():
            return (
                select(literal_column(f"{self.name}.rowid", Integer))
                .select_from(self._rows)
                .where(literal_column(self.name).op("match")(to_fts5(wanted)))
            )
        query = cast(to_tsquery(wanted), TSQUERY)
        return select(self._rows.c[self.key]).where(self._rows.c.words.op("@@")(query))

    def store(self, documents: Mapping[int, Iterable[str]]) -> None:
        """Write the words of some rows anew, in the transaction that changed them."""
        if not documents:
            return
        session = db.session()
        if _is_sqlite():
            session.execute(
                text(f"delete from {self.name} where rowid = :id"),  # noqa: S608 - our own name
                [{"id": key} for key in documents],
            )
            session.execute(
                text(f"insert into {self.name} (rowid, words) values (:id, :words)"),  # noqa: S608
                [{"id": key, "words": " ".join(sorted(words))} for key, words in documents.items()],
            )
            return
        session.execute(
            text(
                f"insert into {self.name} ({self.key}, words)"  # noqa: S608 - our own names
                " values (:id, array_to_tsvector(cast(:words as text[])))"
                f" on conflict ({self.key}) do update set words = excluded.words"
            ),
            [{"id": key, "words": sorted(words)} for key, words in documents.items()],
        )

    def _create_with_tables(
        self,
        _metadata: MetaData,
        connection: Connection,
        **details: Any,  # noqa: ANN401 - SQLAlchemy's
    ) -> None:
        if self.of in (details.get("tables") or ()):
            self.create(connection)

    def _drop_with_tables(
        self,
        _metadata: MetaData,
        connection: Connection,
        **details: Any,  # noqa: ANN401 - SQLAlchemy's
    ) -> None:
        if self.of in (details.get("tables") or ()):
            self.drop(connection)


def one_of(
    column: SQLColumnExpression[Any], ids: Select[int] | CompoundSelect[int]
) -> ColumnElement[bool]:
    """Return the condition that a column is one of the ids that a statement finds.

    PostgreSQL makes a list of them first: what it guesses of a statement inside another one (one
    category, two hundred products) can be wrong a hundred times over, and with it the whole plan.
    """
    if _is_sqlite():
        return column.in_(ids)
    return column == any_(func.array(ids.scalar_subquery(), type_=ARRAY(BigInteger)))


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"
