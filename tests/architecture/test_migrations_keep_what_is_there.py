"""Down and up again on a database in use: nothing is lost, and every row still finds its own."""

from sqlalchemy import create_engine, func, inspect, select, table, text

from portal.migrations.running import downgrade, upgrade
from tests.databases import APP, Content, Database, Kind, Shelf

BEFORE = "0009"
"""The last revision whose tables all live on in the next ones."""


def rows(database: Database) -> dict[str, int]:
    """How many rows each table holds."""
    engine = create_engine(database.owner_url)
    try:
        with engine.begin() as connection:
            if database.kind is Kind.POSTGRESQL:
                connection.execute(text("select set_config('app.all', '1', true)"))
            return {
                name: connection.scalar(select(func.count()).select_from(table(name))) or 0
                for name in inspect(engine).get_table_names()
                if "search" not in name
            }
    finally:
        engine.dispose()


def sums(database: Database) -> list[tuple[int, ...]]:
    """What orders carry of their lines for reports."""
    engine = create_engine(database.owner_url)
    try:
        with engine.begin() as connection:
            if database.kind is Kind.POSTGRESQL:
                connection.execute(text("select set_config('app.all', '1', true)"))
            found = connection.execute(
                text(
                    "select id, valid_lines, list_total, listed_total from purchase_order"
                    " where status not in ('discarded', 'declined', 'cancelled') order by id"
                )
            )
            return [tuple(row) for row in found]
    finally:
        engine.dispose()


def test_a_database_in_use_goes_down_and_up_without_losing_a_row(
    database_kind: Kind, shelf: Shelf
) -> None:
    database = shelf.copy(database_kind, Content.DEMO)
    try:
        before, carried = rows(database), sums(database)

        downgrade(database.owner_url, BEFORE)
        upgrade(database.owner_url, app_role=APP)

        assert before["purchase_order_line"] > 0
        assert rows(database) == before
        assert any(list_total > listed for _id, _lines, list_total, listed in carried)
        assert sums(database) == carried
    finally:
        shelf.drop(database)


def test_an_empty_database_goes_down_to_nothing_and_up_again(
    database_kind: Kind, shelf: Shelf
) -> None:
    database = shelf.copy(database_kind, Content.EMPTY)
    try:
        before = rows(database)

        downgrade(database.owner_url, "base")
        nothing = rows(database)
        upgrade(database.owner_url, app_role=APP)

        assert set(nothing) <= {"alembic_version"}
        assert set(rows(database)) == set(before)
    finally:
        shelf.drop(database)
