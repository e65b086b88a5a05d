"""Jobs: done once each, tried again after a failure, left to others when a worker dies."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.db import db, transaction
from portal.jobs import worker
from portal.jobs.actions import (
    LEASE,
    MOST_ATTEMPTS,
    MOST_AWAY_SECONDS,
    WORKER_DIED,
    AwayError,
    handle,
    run_next,
    schedule,
)
from portal.jobs.models import Job


class Done(list[str]):
    """What a handler was asked to do."""

    def __call__(self, payload: Mapping[str, Any], now: datetime) -> None:  # noqa: ARG002
        self.append(payload["name"])


@pytest.fixture
def done(app: Flask) -> Done:  # noqa: ARG001 - the empty database
    seen = Done()
    handle("test.note", seen)
    return seen


def add(
    name: str, now: datetime, *, run_at: datetime | None = None, unique_key: str | None = None
) -> None:
    with transaction():
        schedule("test.note", {"name": name}, now=now, run_at=run_at, unique_key=unique_key)


def test_jobs_are_done_once_and_in_order(done: Done, now: datetime) -> None:
    add("first", now)
    add("second", now)

    assert [run_next(now), run_next(now), run_next(now)] == [True, True, False]
    assert done == ["first", "second"]


def test_a_job_waits_for_its_time(done: Done, now: datetime) -> None:
    add("later", now, run_at=now + timedelta(hours=1))

    assert not run_next(now)
    assert run_next(now + timedelta(hours=1))
    assert done == ["later"]


def test_the_same_key_is_scheduled_once(done: Done, now: datetime) -> None:
    add("one", now, unique_key="k")
    add("two", now, unique_key="k")

    while run_next(now):
        pass
    assert done == ["one"]


def test_a_change_that_fails_leaves_no_job(done: Done, now: datetime) -> None:
    def fail() -> None:
        with transaction():
            schedule("test.note", {"name": "never"}, now=now)
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert not run_next(now)
    assert done == []


@pytest.mark.usefixtures("app")
def test_a_failed_job_is_tried_again_later_and_given_up_in_the_end(now: datetime) -> None:
    def refuse(_payload: Mapping[str, Any], _now: datetime) -> None:
        message = "the mail server hung up"
        raise ConnectionError(message)

    handle("test.refuse", refuse)
    with transaction():
        schedule("test.refuse", {}, now=now)

    moment = now
    for _ in range(MOST_ATTEMPTS):
        assert run_next(moment)
        assert not run_next(moment)
        moment += timedelta(hours=2)
    job = db.session.scalars(select(Job)).one()

    assert (job.state, job.attempts) == ("failed", MOST_ATTEMPTS)
    assert job.error == "ConnectionError: the mail server hung up"
    assert not run_next(moment)


class Target(list[str]):
    """What jobs of one kind talk to: away at first."""

    is_away = True

    def __call__(self, payload: Mapping[str, Any], now: datetime) -> None:  # noqa: ARG002
        if self.is_away:
            message = "nobody answers"
            raise AwayError(message)
        self.append(payload["name"])


def test_a_target_away_for_days_costs_no_job_and_is_served_in_order(
    done: Done, now: datetime
) -> None:
    target = Target()
    handle("test.talk", target)
    with transaction():
        for name in ("first", "second"):
            schedule("test.talk", {"name": name}, now=now)

    moment = now
    for _ in range(MOST_ATTEMPTS * 3):
        run_next(moment)
        moment += timedelta(hours=2)
    with transaction():
        schedule("test.talk", {"name": "third"}, now=moment)
    add("of another kind", moment)
    assert run_next(moment)
    assert run_next(moment)
    assert done == ["of another kind"]

    target.is_away = False
    assert not run_next(moment)
    moment += timedelta(seconds=MOST_AWAY_SECONDS + 1)
    while run_next(moment):
        pass

    assert target == ["first", "second", "third"]
    assert set(db.session.scalars(select(Job.state))) == {"done"}


def test_the_job_of_a_worker_that_died_is_done_by_another(done: Done, now: datetime) -> None:
    add("left behind", now)
    with transaction():
        db.session.execute(update(Job).values(lease_until=now + LEASE, attempts=1))

    assert not run_next(now)
    assert run_next(now + LEASE + timedelta(seconds=1))
    assert done == ["left behind"]


def test_a_job_that_kills_its_worker_every_time_is_given_up(done: Done, now: datetime) -> None:
    def die(_payload: Mapping[str, Any], _now: datetime) -> None:
        raise SystemExit

    handle("test.die", die)
    with transaction():
        schedule("test.die", {}, now=now)
    add("next in line", now + timedelta(seconds=1))

    moment = now
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(SystemExit):
            run_next(moment)
        moment += LEASE + timedelta(seconds=1)
    assert run_next(moment)
    assert not run_next(moment)
    job = db.session.scalars(select(Job).where(Job.kind == "test.die")).one()

    assert (job.state, job.attempts, job.error) == ("failed", MOST_ATTEMPTS, WORKER_DIED)
    assert done == ["next in line"]


def test_recurring_work_that_fails_stops_neither_the_rest_nor_the_worker(
    done: Done, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_now: datetime) -> None:
        message = "this one is broken"
        raise LookupError(message)

    ran: list[datetime] = []
    monkeypatch.setattr(worker, "_recurring", [])
    worker.recur("test.fails", timedelta(minutes=5), fail)
    worker.recur("test.runs", timedelta(minutes=5), ran.append)
    add("a job", now)

    assert worker.run_due(now) == 1
    assert (ran, done) == ([now], ["a job"])
