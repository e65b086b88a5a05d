"""Two processes take the last pieces: what leaves was there, and nobody is promised it twice."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from portal.catalog.models import Product
from portal.catalog.stock.actions import issue, reserve
from portal.catalog.stock.models import StockLevel, StockMove, StockReservation
from portal.catalog.stock.rules import Store
from portal.db import db, transaction
from tests.databases import Database
from tests.proofs.race import race
from tests.stage import opened

pytestmark = pytest.mark.proof

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
PIECES = 40
ROUNDS = 40


def take_one(product_id: int, subject_id: int) -> str:
    issue(("order", subject_id), {product_id: Decimal(1)}, now=AT)
    return "taken"


def take_one_unguarded(product_id: int, subject_id: int) -> str:
    """Read, then write: what `issue` must not do."""
    assert subject_id
    where = (StockLevel.product_id == product_id, StockLevel.location_code == "BERLIN")
    held = db.session.scalars(select(StockLevel.on_hand).where(*where)).one()
    db.session.rollback()
    if held < 1:
        return "empty"
    with transaction():
        db.session.execute(update(StockLevel).where(*where).values(on_hand=held - 1))
    return "taken"


def promise_one(product_id: int, subject_id: int) -> str:
    answer = reserve(("order", subject_id), {product_id: Decimal(1)}, now=AT)
    return f"{answer[product_id].covered:f}"


def put_in_stock(database: Database, count: int, pieces: int) -> list[int]:
    """Leave so many pieces of some products in Berlin, and nothing anywhere else."""
    with opened(database):
        with transaction():
            ids = list(db.session.scalars(select(Product.id).order_by(Product.id).limit(count)))
            db.session.query(StockLevel).delete()
            for product_id in ids:
                db.session.add(
                    StockLevel(
                        product_id=product_id,
                        location_code="BERLIN",
                        store=Store.SALE,
                        on_hand=Decimal(pieces),
                    )
                )
        return ids


def test_exactly_what_lies_there_leaves(committed: Database) -> None:
    [product_id] = put_in_stock(committed, 1, PIECES)

    outcomes = race(committed, take_one, [[(product_id, 1), (product_id, 2)]] * ROUNDS)

    taken = [outcome for together in outcomes for outcome in together if outcome.is_done]
    assert len(taken) == PIECES
    with opened(committed):
        left = db.session.scalar(
            select(StockLevel.on_hand).where(StockLevel.product_id == product_id)
        )
        moved = db.session.scalar(
            select(func.sum(StockMove.on_hand_change)).where(
                StockMove.product_id == product_id, StockMove.subject_kind == "order"
            )
        )
    assert (left, moved) == (Decimal(0), Decimal(-PIECES))


def test_the_last_piece_is_promised_to_one(committed: Database) -> None:
    ids = put_in_stock(committed, ROUNDS, 1)

    outcomes = race(committed, promise_one, [[(key, 1), (key, 2)] for key in ids])

    for together in outcomes:
        assert sorted(Decimal(str(outcome.value)) for outcome in together) == [0, 1]
    with opened(committed):
        kept = db.session.scalar(select(func.sum(StockReservation.quantity)))
    assert kept == 2 * len(ids)


def test_without_the_lock_more_leaves_than_was_there(committed: Database) -> None:
    """The negative control: the race is one, two processes do meet."""
    [product_id] = put_in_stock(committed, 1, PIECES)

    outcomes = race(committed, take_one_unguarded, [[(product_id, 1), (product_id, 2)]] * PIECES)

    taken = [o for together in outcomes for o in together if o.is_done and o.value == "taken"]
    assert len(taken) > PIECES
