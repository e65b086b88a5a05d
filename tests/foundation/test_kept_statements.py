"""Statements that stay prepared on a connection show each transaction its own rows."""

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.accounts.models import Unit
from portal.db import KEPT, RowScope, db, reaching
from portal.demo.cast import Cast

OFTEN = 12
"""More executions than psycopg waits for, and PostgreSQL before it keeps one plan for all."""


@pytest.fixture(autouse=True)
def _prepares(app: Flask) -> None:
    if app.config["SETTINGS"].is_sqlite:
        pytest.skip("SQLite has neither prepared statements nor row policies")


def units_of(account_id: int, comment: str) -> set[int]:
    statement = select(Unit.account_id).prefix_with(comment, dialect="postgresql")
    with reaching(RowScope(account_ids=frozenset({account_id}))):
        return set(db.session.scalars(statement))


def prepared(comment: str) -> int:
    count: int = db.session.scalars(
        text("select count(*) from pg_prepared_statements where statement like :mark"),
        {"mark": f"SELECT {comment} unit.account_id%"},
    ).one()
    return count


def test_a_kept_statement_outlives_a_rollback_and_shows_each_account_its_own(cast: Cast) -> None:
    accounts = (cast.acme.account_id, cast.hanbit.account_id)
    for _ in range(OFTEN):
        for account_id in accounts:
            assert units_of(account_id, KEPT) == {account_id}
            db.session.rollback()
    assert prepared(KEPT) == 1


def test_any_other_statement_is_forgotten_with_its_transaction(cast: Cast) -> None:
    for _ in range(OFTEN):
        units_of(cast.acme.account_id, "/* other */")
    assert prepared("/* other */") == 0
