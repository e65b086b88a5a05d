"""Two processes decide at the same moment: one answer per person, one end per run."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts.queries import load_actor
from portal.app import create_app
from portal.approvals.actions import decide, start_run, withdraw_run
from portal.approvals.models import ApprovalRun, Decision
from portal.approvals.rules import Answer, RunState
from portal.db import EVERY_ROW, db, set_row_scope, transaction
from portal.events.models import Event
from tests.approvals.office import Office, always, by, open_office
from tests.databases import Content, Database, Kind, Shelf
from tests.instants import NOW
from tests.proofs.race import race

pytestmark = pytest.mark.proof

ROUNDS = 40
KIND = "raced"
"""A kind of subject that nobody settles: the race is about the run alone."""


@pytest.fixture
def database(database_kind: Kind, shelf: Shelf) -> Database:
    return shelf.copy(database_kind, Content.EMPTY)


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    """One account on a database of its own, and a run for each round."""
    app: Flask = create_app(database.settings)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        office = open_office()
        office.hire("kim", "approver")
        office.hire("lee", "approver")
        office.hire("mina", "buyer")
        office.set_policy(NOW, always(10, by("kim lee", quorum=2)))
        for key in range(1, ROUNDS + 1):
            subject = office.subject(key=key, kind=KIND)
            start_run(office.actor("mina"), subject, NOW)
        yield office
        db.session.remove()
        db.engine.dispose()


def answer(member_id: int, run_id: int, said: str) -> str:
    actor = load_actor(member_id)
    run = db.session.get(ApprovalRun, run_id)
    assert actor is not None
    assert run is not None
    content_hash = run.content_hash
    later = NOW + timedelta(hours=1)
    decided = decide(actor, run_id, Answer(said), "because", content_hash, later)
    return decided.decision.answer


def withdraw(member_id: int, run_id: int, said: str) -> str:
    """Answer in one process, take the subject back in the other."""
    if said:
        return answer(member_id, run_id, said)
    run = db.session.get(ApprovalRun, run_id)
    assert run is not None
    ended = withdraw_run(KIND, run.subject_id, NOW + timedelta(hours=1))
    return "withdrawn" if ended is not None else "too late"


def answer_unguarded(member_id: int, run_id: int, _said: str) -> bool:
    """Read, then write: what deciding must not do. Says whether it ended the run."""
    state = db.session.scalar(select(ApprovalRun.state).where(ApprovalRun.id == run_id))
    db.session.rollback()
    if state != RunState.OPEN:
        return False
    with transaction():
        db.session.execute(
            update(ApprovalRun).where(ApprovalRun.id == run_id).values(state="approved")
        )
    return member_id > 0


def run_ids() -> list[int]:
    found = list(db.session.scalars(select(ApprovalRun.id).order_by(ApprovalRun.id)))
    db.session.rollback()  # what is read after the race must not be what was there before it
    return found


def states() -> Counter[str]:
    db.session.rollback()
    return Counter(db.session.scalars(select(ApprovalRun.state)))


def events(verb: str) -> int:
    statement = select(func.count()).select_from(Event).where(Event.verb == verb)
    return db.session.scalar(statement) or 0


def test_a_double_click_of_one_person_is_one_decision(database: Database, office: Office) -> None:
    kim = office.membership("kim").id
    db.session.rollback()

    outcomes = race(
        database, answer, [[(kim, run, "approve"), (kim, run, "approve")] for run in run_ids()]
    )

    assert all(item.value == "approve" for together in outcomes for item in together)
    assert db.session.scalar(select(func.count()).select_from(Decision)) == ROUNDS
    assert states() == {"open": ROUNDS}


def test_two_approvers_at_once_end_the_run_once(database: Database, office: Office) -> None:
    kim, lee = office.membership("kim").id, office.membership("lee").id
    db.session.rollback()

    outcomes = race(
        database, answer, [[(kim, run, "approve"), (lee, run, "approve")] for run in run_ids()]
    )

    assert all(item.value == "approve" for together in outcomes for item in together)
    assert states() == {"approved": ROUNDS}
    assert events("approval.finished") == ROUNDS
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 2 * ROUNDS


def test_approve_and_reject_at_once_reject_and_approve_never_wins_alone(
    database: Database, office: Office
) -> None:
    kim, lee = office.membership("kim").id, office.membership("lee").id
    db.session.rollback()

    race(database, answer, [[(kim, run, "approve"), (lee, run, "reject")] for run in run_ids()])

    assert states() == {"rejected": ROUNDS}
    assert events("approval.finished") == 0


def test_a_rejection_and_a_withdrawal_at_once_end_the_run_once(
    database: Database, office: Office
) -> None:
    kim = office.membership("kim").id
    db.session.rollback()

    outcomes = race(
        database, withdraw, [[(kim, run, "reject"), (kim, run, "")] for run in run_ids()]
    )

    for said, taken_back in outcomes:
        assert said.is_done != (taken_back.value == "withdrawn")
    ended = states()
    assert ended["rejected"] + ended["withdrawn"] == ROUNDS
    assert events("approval.withdrawn") == ended["withdrawn"]
    assert events("approval.rejected") == ended["rejected"]


def test_without_the_guard_runs_end_twice(database: Database, office: Office) -> None:
    """The negative control: the race is one, two processes do meet."""
    kim = office.membership("kim").id
    db.session.rollback()

    outcomes = race(
        database, answer_unguarded, [[(kim, run, ""), (kim, run, "")] for run in run_ids()]
    )

    doubled = sum(all(item.value for item in together) for together in outcomes)
    assert doubled > ROUNDS // 10
