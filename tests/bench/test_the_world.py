"""The benchmark's world is one in which the portal could have been used."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from bench.databases import Kind, opened
from bench.sizes import Size
from bench.stage import Stage, buyer, prepare
from bench.world import build
from portal.app import create_app
from portal.catalog.models import Product
from portal.db import db
from portal.orders.models import Order, OrderLine
from portal.quotes.models import QuoteLine

pytestmark = pytest.mark.proof
TINY = Size(
    products=900,
    in_large_category=30,
    accounts=4,
    lists=3,
    entries=900,
    orders=60,
    of_one_account=20,
)


def _rows() -> dict[str, int]:
    return {
        table.__tablename__: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in (Product, Order, OrderLine, QuoteLine)
    }


def test_every_row_refers_to_rows_that_are_there_and_the_pages_show_them(tmp_path: Path) -> None:
    with opened(Kind.SQLITE, tmp_path) as database:
        app = create_app(database.settings)
        build(app, database, TINY, None, lambda _text: None)
        with create_engine(database.url).connect() as connection:
            assert connection.execute(text("pragma foreign_key_check")).all() == []
        prepare(app)
        stage = Stage(app, database, TINY)
        with stage.inside():
            assert _rows()["product"] == 900
            assert _rows()["purchase_order"] == 61, "the sixty and the one they were made from"
            ordered = db.session.execute(
                select(
                    QuoteLine.quantity,
                    select(func.sum(OrderLine.quantity))
                    .where(
                        OrderLine.quote_id
                        == select(func.max(OrderLine.quote_id)).scalar_subquery(),
                        OrderLine.line_id == QuoteLine.line_id,
                    )
                    .scalar_subquery(),
                )
                .order_by(QuoteLine.id.desc())
                .limit(1)
            ).one()
            assert ordered[0] == ordered[1] > Decimal(0), "orders take what the quote holds"
        client = stage.client(buyer)
        assert "O-000002" in client.get("/orders?view=all").text
        assert "AGR-" not in client.get("/catalog").text, "lists are not named to buyers"
        number = stage.quote_of(5)
        assert number in client.get(f"/quotes/{number}").text
        with app.app_context():
            db.engine.dispose()
