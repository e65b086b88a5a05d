"""The record: written with the change, chained, and closed to every later hand."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.accounts.models import Account
from portal.db import db, transaction
from portal.events.actions import record
from portal.events.queries import find_events, has_hash, head_hashes, verify_chains
from tests.stage import Counted


@pytest.fixture
def account(app: Flask) -> Account:  # noqa: ARG001 - the empty database
    with transaction():
        made = Account(code="ACME", name="ACME", country="DE", currency="EUR")
        db.session.add(made)
    return made


def note(account: Account, verb: str, now: datetime, limit: Decimal | None = None) -> None:
    record(
        None,
        verb,
        kind="account",
        object_id=account.id,
        account_id=account.id,
        now=now,
        limit=limit,
    )


def test_an_event_is_there_exactly_when_its_change_is(account: Account, now: datetime) -> None:
    def change_and_fail() -> None:
        with transaction():
            note(account, "account.changed", now)
            raise LookupError

    with transaction():
        note(account, "account.created", now, limit=Decimal("10.50"))
    with pytest.raises(LookupError):
        change_and_fail()

    events = find_events(account.id, [("account", account.id)])
    assert [event.verb for event in events] == ["account.created"]
    assert events[0].data == {"limit": "10.50"}


def test_events_of_one_action_are_two_statements_and_move_the_head(
    account: Account, now: datetime, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    for events in (1, 3):
        with count_statements() as counted, transaction():
            for _ in range(events):
                note(account, "account.changed", now)

        assert counted.total == 2, counted.statements  # the head is locked, the events are written
    last = find_events(account.id, [("account", account.id)])[-1]
    assert last.sequence == 4
    assert head_hashes() == {account.id: last.hash}


def test_a_failed_savepoint_takes_back_its_own_events_only(account: Account, now: datetime) -> None:
    def inner() -> None:
        with transaction():
            note(account, "account.inner", now)
            raise LookupError

    with transaction():
        note(account, "account.outer", now)
        with pytest.raises(LookupError):
            inner()

    assert [event.verb for event in find_events(account.id, [("account", account.id)])] == [
        "account.outer"
    ]
    assert not list(verify_chains())


def test_each_account_has_a_chain_of_its_own(account: Account, now: datetime) -> None:
    with transaction():
        other = Account(code="OTHER", name="Other", country="DE", currency="EUR")
        db.session.add(other)
        db.session.flush()
        for _ in range(3):
            note(account, "account.changed", now)
            note(other, "account.changed", now)

    assert [event.sequence for event in find_events(other.id, [("account", other.id)])] == [1, 2, 3]
    assert set(head_hashes()) == {account.id, other.id}
    assert not list(verify_chains())


@pytest.mark.parametrize(
    "statement", ["update event set verb = 'account.forged'", "delete from event"]
)
def test_the_database_refuses_to_change_or_remove_an_event(
    account: Account, now: datetime, statement: str
) -> None:
    with transaction():
        note(account, "account.created", now)

    with pytest.raises(DBAPIError, match=r"append-only|permission denied"), transaction():
        db.session.execute(text(statement))

    assert [event.verb for event in find_events(account.id, [("account", account.id)])] == [
        "account.created"
    ]


def test_a_row_that_was_altered_all_the_same_is_found(account: Account, now: datetime) -> None:
    with transaction():
        for _ in range(4):
            note(account, "account.changed", now)
    if db.engine.dialect.name != "sqlite":
        return  # only the owner of a file can get round its triggers
    with transaction():
        db.session.execute(text("drop trigger event_no_update"))
        db.session.execute(text("update event set number = 'x' where sequence = 3"))
    db.session.expire_all()

    broken = list(verify_chains())

    assert [(row.account_id, row.sequence) for row in broken] == [(account.id, 3)]


def test_a_head_noted_earlier_is_still_in_the_record(account: Account, now: datetime) -> None:
    with transaction():
        note(account, "account.created", now)
    anchor = head_hashes()[account.id]
    with transaction():
        note(account, "account.changed", now)

    assert has_hash(anchor)
    assert not has_hash("0" * 64)
