"""Jobs planned in a transaction: written together at its end, or not at all."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.jobs.actions import Planned, schedule_all, schedule_each
from portal.jobs.models import Job
from tests.stage import Counted

pytestmark = pytest.mark.usefixtures("app")


def planned(key: str, now: datetime) -> Planned:
    return Planned("test.note", {"name": key}, now, key)


def names() -> Sequence[str]:
    return [job.payload["name"] for job in db.session.scalars(select(Job).order_by(Job.id))]


def test_all_jobs_of_a_transaction_are_one_statement(
    now: datetime, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    with count_statements() as counted, transaction():
        schedule_each("test.note", [{"name": "a"}, {"name": "b"}], now=now)
        with transaction():
            schedule_all([planned("c", now)], now=now)

    assert names() == ["a", "b", "c"]
    assert counted.total == 1, counted.statements


def test_a_key_that_is_known_is_written_once(now: datetime) -> None:
    for _ in range(2):
        with transaction():
            schedule_all([planned("a", now), planned("a", now), planned("b", now)], now=now)

    assert names() == ["a", "b"]


def test_a_failed_savepoint_takes_back_its_own_jobs_only(now: datetime) -> None:
    def inner() -> None:
        with transaction():
            schedule_all([planned("inner", now)], now=now)
            raise LookupError

    with transaction():
        schedule_all([planned("outer", now)], now=now)
        with pytest.raises(LookupError):
            inner()

    assert names() == ["outer"]


def test_a_failed_transaction_leaves_no_job_to_the_next(now: datetime) -> None:
    def fail() -> None:
        with transaction():
            schedule_all([planned("lost", now)], now=now)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with transaction():
        schedule_all([planned("kept", now)], now=now)

    assert names() == ["kept"]
