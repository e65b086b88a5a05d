"""Two people at one case at the same moment: one form opens one case, one merge wins."""

import pytest
from sqlalchemy import func, select

from portal.accounts.queries import load_actor
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import ConflictError
from portal.policy import Actor
from portal.service.cases.actions import NewCase, open_case, reply
from portal.service.cases.models import Case, CaseMessage
from portal.service.cases.queries import get_by_id
from portal.service.cases.rules import CaseKind, CaseStatus
from portal.service.cases.working import merge_case
from tests.databases import Database
from tests.instants import NOW
from tests.proofs.race import race
from tests.stage import opened

pytestmark = pytest.mark.proof

ROUNDS = 20
SAID = NewCase(kind=CaseKind.QUESTION, subject="A lamp", text="It blinks.")


def _actor(membership_id: int) -> Actor:
    actor = load_actor(membership_id)
    assert actor is not None
    return actor


def open_with(membership_id: int, key: str | None) -> str:
    return open_case(_actor(membership_id), SAID, now=NOW, key=key).number


def write_with(membership_id: int, number: str, key: str | None) -> str:
    return reply(_actor(membership_id), number, "Once.", now=NOW, key=key).number


def merge(membership_id: int, number: str, into: str) -> str:
    return merge_case(_actor(membership_id), number, into, now=NOW).number


def merge_unguarded(_membership_id: int, number: str, into: str) -> str:
    """Look first, then write: without locking both."""
    ids = {
        name: db.session.scalars(select(Case.id).where(Case.number == name)).one()
        for name in (number, into)
    }
    case, target = get_by_id(ids[number]), get_by_id(ids[into])
    if target.status is CaseStatus.MERGED:
        raise ConflictError
    with transaction():
        found = db.session.get_one(Case, case.id)
        found.status, found.merged_into_id = CaseStatus.MERGED, target.id
    return into


def prepare(database: Database, pairs: int) -> tuple[int, int, list[tuple[str, str]]]:
    """Open pairs of cases; return buyer, agent and the numbers."""
    with opened(database):
        cast = Cast()
        buyer, agent = cast.acme.buyer, cast.supplier.service_agent
        assert buyer.membership_id is not None
        assert agent.membership_id is not None
        found = [
            (open_case(buyer, SAID, now=NOW).number, open_case(buyer, SAID, now=NOW).number)
            for _ in range(pairs)
        ]
        return buyer.membership_id, agent.membership_id, found


def count(database: Database, table: type) -> int:
    with opened(database):
        return db.session.scalar(select(func.count()).select_from(table)) or 0


def merged(database: Database) -> int:
    with opened(database):
        gone = select(func.count(Case.id)).where(Case.status == CaseStatus.MERGED)
        return db.session.scalar(gone) or 0


def test_one_form_sent_twice_at_once_opens_one_case(committed: Database) -> None:
    buyer, _agent, _none = prepare(committed, 0)

    found = race(committed, open_with, [[(buyer, f"k{n}")] * 2 for n in range(ROUNDS)])

    assert all(first.value == second.value for first, second in found)
    assert count(committed, Case) == ROUNDS


def test_forms_without_a_key_open_two(committed: Database) -> None:
    """The negative control: both do come to write."""
    buyer, _agent, _none = prepare(committed, 0)

    race(committed, open_with, [[(buyer, None)] * 2] * 5)

    assert count(committed, Case) == 10


def test_one_word_sent_twice_at_once_is_said_once(committed: Database) -> None:
    buyer, _agent, pairs = prepare(committed, 1)
    number = pairs[0][0]

    race(committed, write_with, [[(buyer, number, f"k{n}")] * 2 for n in range(ROUNDS)])

    assert count(committed, CaseMessage) == ROUNDS + 2


def test_of_two_opposite_merges_one_wins(committed: Database) -> None:
    _buyer, agent, pairs = prepare(committed, ROUNDS)

    found = race(committed, merge, [[(agent, a, b), (agent, b, a)] for a, b in pairs])

    assert [sum(outcome.is_done for outcome in together) for together in found] == [1] * ROUNDS
    assert merged(committed) == ROUNDS


def test_merges_that_only_look_make_rings(committed: Database) -> None:
    """The negative control: the two do meet."""
    _buyer, agent, pairs = prepare(committed, ROUNDS)

    race(committed, merge_unguarded, [[(agent, a, b), (agent, b, a)] for a, b in pairs])

    assert merged(committed) > ROUNDS
