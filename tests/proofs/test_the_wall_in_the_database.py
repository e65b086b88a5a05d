"""Row-level security: what PostgreSQL itself keeps apart when a query forgets to.

SQLite has nothing like it; there the scoped queries are the only wall, and the matrix proves them.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

import pytest
from sqlalchemy import ColumnElement, Table, func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from portal.accounts.models import Account
from portal.db import EVERY_ROW, NO_ROWS, Base, RowScope, db, reaching, set_row_scope
from portal.quotes.models import Quote
from tests.databases import Content, Database, Kind, Shelf
from tests.stage import make_app

pytestmark = [
    pytest.mark.proof,
    pytest.mark.any_database,
    pytest.mark.usefixtures("walled"),
]

TURNS: Final = 10_000
SCOPED: Final = [t for t in Base.metadata.sorted_tables if t.info.get("scope") == "account"]


@pytest.fixture
def walled(database_kind: Kind, shelf: Shelf) -> Iterator[Database]:
    """The whole demo on PostgreSQL, connected to as the application's role."""
    assert database_kind
    if shelf.server_url is None:
        pytest.skip("this run has no PostgreSQL")
    database = shelf.copy(Kind.POSTGRESQL, Content.DEMO)
    with make_app(database).app_context():
        yield database
        set_row_scope(NO_ROWS)
        db.session.remove()
        db.engine.dispose()
    shelf.drop(database)


def _accounts() -> dict[str, int]:
    with reaching(EVERY_ROW):
        return {row.code: row.id for row in db.session.execute(select(Account.code, Account.id))}


def _only(account_id: int) -> RowScope:
    return RowScope(account_ids=frozenset({account_id}))


def _account_of(table: Table) -> ColumnElement[int]:
    column = "id" if table.name == "account" else table.info.get("account_column", "account_id")
    return table.c[column]


def _owners(table: Table, scope: RowScope) -> dict[int | None, int]:
    """Return how many rows of which account a query without any condition finds."""
    account = _account_of(table)
    with reaching(scope):
        rows = db.session.execute(select(account, func.count()).group_by(account))
        return {owner: count for owner, count in rows}  # noqa: C416 - rows, not pairs, to mypy


def test_the_application_is_neither_owner_nor_above_the_rules() -> None:
    role = db.session.execute(
        text("select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = user")
    ).one()
    owned = db.session.scalar(text("select count(*) from pg_tables where tableowner = user"))

    assert tuple(role) == (False, False, False)
    assert owned == 0


def test_a_query_that_forgot_its_scope_finds_one_account_s_rows() -> None:
    acme, hanbit = (_accounts()[code] for code in ("ACME", "HANBIT"))
    filled = 0
    for table in SCOPED:
        everything = _owners(table, EVERY_ROW)
        filled += {acme, hanbit} <= set(everything)
        for account_id in (acme, hanbit):
            seen = _owners(table, _only(account_id))
            foreign = set(seen) - {account_id}
            assert foreign <= ({None} if table.info.get("shared_when_null") else set()), table.name
            assert seen.get(account_id, 0) == everything.get(account_id, 0), table.name
        assert set(_owners(table, NO_ROWS)) <= {None}, table.name

    print(f"{len(SCOPED)} walled tables, {filled} with rows of both accounts")  # noqa: T201 - a proof says its counts
    assert filled >= 20


def test_a_wall_reads_who_is_inside_once_for_a_statement_not_for_each_row() -> None:
    asked = {
        table.name: [
            line
            for (line,) in db.session.execute(text(f"explain select * from {table.name}"))  # noqa: S608
            if "Filter" in line
        ]
        for table in SCOPED
    }

    assert [name for name, filters in asked.items() if not filters] == []
    assert [name for name, filters in asked.items() if "current_setting" in str(filters)] == []


def test_nothing_is_written_beyond_the_wall() -> None:
    acme, hanbit = (_accounts()[code] for code in ("ACME", "HANBIT"))
    tried = 0
    for table in SCOPED:
        account = _account_of(table)
        with reaching(EVERY_ROW):
            row = db.session.execute(select(table).where(account == hanbit).limit(1)).first()
        if row is None or table.name == "event":  # the record refuses every change anyhow
            continue
        tried += 1
        values = {column.name: getattr(row, column.key) for column in table.c}
        with reaching(_only(acme)):
            changed = db.session.execute(
                update(table).where(account == hanbit).values({account.name: hanbit})
            )
            assert changed.rowcount == 0, table.name  # type: ignore[attr-defined]
        with reaching(_only(acme)), pytest.raises(ProgrammingError, match="row-level security"):
            db.session.execute(insert(table).values(values))

    print(f"{tried} tables refused a foreign row")  # noqa: T201
    assert tried >= 20


def test_one_connection_serves_two_accounts_in_turn_without_mixing_them() -> None:
    accounts = [_accounts()[code] for code in ("ACME", "HANBIT")]
    chance = Random(4)  # noqa: S311 - a shuffled order, no secret
    ask = select(Quote.account_id, func.pg_backend_pid()).group_by(Quote.account_id)
    used = set()
    for _turn in range(TURNS):
        account_id = chance.choice(accounts)
        set_row_scope(_only(account_id))
        rows = db.session.execute(ask).all()
        assert [row[0] for row in rows] == [account_id]
        used.add(rows[0][1])
        db.session.rollback() if chance.random() < 0.5 else db.session.commit()

    print(f"{TURNS} turns on {len(used)} connection")  # noqa: T201
    assert len(used) == 1
