"""Two processes ask for the next document number: each gets its own. Also proves the race."""

import pytest
from sqlalchemy import select, update

from portal.db import NumberCounter, db, next_number, transaction
from tests.databases import Content, Database, Kind, Shelf
from tests.proofs.race import race

pytestmark = pytest.mark.proof

ROUNDS = 200


def take_number() -> str:
    with transaction():
        return next_number("quote", "Q")


def take_number_unguarded() -> str:
    """Read, then write: what `next_number` must not do."""
    last = db.session.scalar(select(NumberCounter.last).where(NumberCounter.kind == "quote")) or 0
    db.session.rollback()
    with transaction():
        db.session.execute(
            update(NumberCounter).where(NumberCounter.kind == "quote").values(last=last + 1)
        )
    return f"Q-{last + 1:06d}"


@pytest.fixture
def database(database_kind: Kind, shelf: Shelf) -> Database:
    return shelf.copy(database_kind, Content.EMPTY)


def test_no_number_is_given_twice(database: Database) -> None:
    race(database, take_number, [[(), ()]])  # the first row of the counter

    outcomes = race(database, take_number, [[(), ()]] * ROUNDS)

    numbers = [outcome.value for together in outcomes for outcome in together if outcome.is_done]
    assert len(numbers) == 2 * ROUNDS
    assert len(set(numbers)) == 2 * ROUNDS


def test_without_the_guard_numbers_are_given_twice(database: Database) -> None:
    """The negative control: the race is one, two processes do meet."""
    race(database, take_number, [[()]])

    outcomes = race(database, take_number_unguarded, [[(), ()]] * ROUNDS)

    doubled = sum(len({outcome.value for outcome in together}) == 1 for together in outcomes)
    assert doubled > ROUNDS // 4
