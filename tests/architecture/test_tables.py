"""Rules for tables: a wall around each account, told in the table itself."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Float,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
    text,
)

from portal.db import Base, db

pytestmark = pytest.mark.usefixtures("app")


def _scoped() -> list[Table]:
    return [t for t in Base.metadata.sorted_tables if t.info.get("scope") == "account"]


def test_each_table_is_scoped_to_an_account_or_says_why_not() -> None:
    silent = [
        table.name
        for table in Base.metadata.sorted_tables
        if table.info.get("scope") != "account"
        and not (table.info.get("scope") == "exempt" and len(table.info.get("reason", "")) > 10)
    ]

    assert silent == []


def test_each_scoped_table_names_its_account() -> None:
    unnamed = [
        table.name
        for table in _scoped()
        if (column := table.c.get(table.info.get("account_column", "account_id"))) is None
        or (column.nullable and not table.info.get("shared_when_null"))
    ]

    assert unnamed == []


def test_no_row_can_point_across_the_wall() -> None:
    """A reference between scoped tables carries the account; the account itself is the wall.

    What all accounts may share (``shared_when_null``) has no account to carry.
    """
    walled = {t.name for t in _scoped() if not t.info.get("shared_when_null")} - {"account"}
    single = sorted(
        f"{table.name}.{constraint.column_keys[0]} -> {constraint.referred_table.name}"
        for table in _scoped()
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint)
        and constraint.referred_table.name in walled
        and "account_id" not in constraint.column_keys
    )

    assert single == []


def test_what_others_refer_to_is_unique_within_its_account() -> None:
    referred = {
        constraint.referred_table
        for table in _scoped()
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint) and len(constraint.column_keys) > 1
    }
    for table in referred:
        keys = [
            {column.name for column in constraint.columns}
            for constraint in table.constraints
            if isinstance(constraint, UniqueConstraint)
        ]
        assert {"account_id", "id"} in keys, table.name


def test_amounts_are_whole_numbers_in_the_table() -> None:
    inexact = [
        str(column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Numeric | Float)
        and not isinstance(column.type, Integer | BigInteger)
    ]

    assert inexact == []


def test_the_migrations_make_what_the_models_say() -> None:
    context = MigrationContext.configure(
        db.session.connection(), opts={"compare_type": True, "include_object": _is_ours}
    )

    assert compare_metadata(context, Base.metadata) == []


def _is_ours(_item: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001
    by_hand = {
        "table": ("alembic_", "product_search", "article_search"),
        "index": ("ix_product_by_name_",),
    }
    return not str(name).startswith(by_hand.get(kind, ("\0",)))


def test_postgresql_walls_off_each_scoped_table() -> None:
    if db.engine.dialect.name != "postgresql":
        return  # SQLite has no such thing: there the queries are the wall
    forced = set(
        db.session.scalars(
            text("select relname from pg_class where relrowsecurity and relforcerowsecurity")
        )
    )

    assert {table.name for table in _scoped()} - forced == set()
