"""Jobs on their way: how far they are, stopped at their next step, started again."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.events.models import Event
from portal.jobs import actions
from portal.jobs.actions import (
    LEASE,
    WORKER_DIED,
    GiveUpError,
    handle,
    progress,
    run_next,
    schedule,
)
from portal.jobs.models import Job
from portal.jobs.rules import JobState, percent

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def _every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write progress whenever it is told."""
    monkeypatch.setattr(actions, "PROGRESS_SECONDS", -1)


def job(work: Callable[[], None], now: datetime, **how: Any) -> int:  # noqa: ANN401 - handed on
    def handler(_payload: Mapping[str, Any], _now: datetime) -> None:
        work()

    handle("test.work", handler, **how)
    with transaction():
        return schedule("test.work", {}, now=now)


def row(job_id: int) -> Job:
    db.session.expire_all()
    return db.session.get_one(Job, job_id)


def test_progress_is_seen_while_the_job_runs_and_keeps_its_lease(now: datetime) -> None:
    seen: list[tuple[JobState, int, int | None]] = []

    def work() -> None:
        for done in (0, 40, 100):
            progress(done, 100)
            found = row(job_id)
            seen.append((found.state, found.progress_done, found.progress_total))
            assert found.lease_until is not None
            assert found.lease_until >= now + LEASE

    job_id = job(work, now)
    assert run_next(now)

    assert seen == [
        (JobState.RUNNING, 0, 100),
        (JobState.RUNNING, 40, 100),
        (JobState.RUNNING, 100, 100),
    ]
    assert row(job_id).state is JobState.DONE


def test_what_the_job_has_loaded_stays_while_it_says_how_far_it_is(now: datetime) -> None:
    def work() -> None:
        held = db.session.scalars(select(Job)).one()
        progress(1, 2)
        assert "kind" in held.__dict__

    job_id = job(work, now)
    run_next(now)

    assert row(job_id).state is JobState.DONE


def test_a_running_job_stops_at_its_next_step(now: datetime) -> None:
    steps: list[int] = []

    def work() -> None:
        for done in range(5):
            progress(done, 5)
            steps.append(done)
            if done == 1:
                with transaction():
                    db.session.get_one(Job, job_id).cancel_asked = True

    job_id = job(work, now)
    run_next(now)

    assert steps == [0, 1]
    assert row(job_id).state is JobState.CANCELLED
    assert not run_next(now + timedelta(hours=2))


def test_a_handler_that_catches_everything_is_stopped_all_the_same(now: datetime) -> None:
    def work() -> None:
        with transaction():
            db.session.get_one(Job, job_id).cancel_asked = True
        try:
            progress(1, 2)
        except Exception:  # noqa: BLE001 - what the test is about
            return

    job_id = job(work, now)
    run_next(now)

    assert row(job_id).state is JobState.CANCELLED


def test_a_job_that_another_worker_took_over_is_left_to_it(now: datetime) -> None:
    """The lease ran out, somebody else did the job: the slow one must not go on."""

    def work() -> None:
        with transaction():
            db.session.get_one(Job, job_id).state = JobState.DONE
        progress(1, 2)
        pytest.fail("went on")

    job_id = job(work, now)
    run_next(now)


def test_who_fails_after_the_lease_ran_out_does_not_open_again_what_another_did(
    now: datetime,
) -> None:
    late = now + LEASE + timedelta(seconds=1)

    def work() -> None:
        job_of = row(job_id)
        if job_of.attempts == 1:  # the slow one: meanwhile another takes over and does it
            assert run_next(late)
            message = "too late"
            raise ConnectionError(message)

    job_id = job(work, now)
    assert run_next(now)

    assert (row(job_id).state, row(job_id).attempts, row(job_id).error) == (JobState.DONE, 2, None)
    assert not run_next(late + timedelta(hours=2))


def test_progress_within_a_transaction_waits_for_nobody(now: datetime) -> None:
    def work() -> None:
        with transaction():
            progress(1, 2)

    job_id = job(work, now)
    run_next(now)

    assert (row(job_id).state, row(job_id).progress_done) == (JobState.DONE, 0)


def test_progress_outside_a_job_says_nothing() -> None:
    progress(1, 2)

    assert db.session.scalars(select(Job)).all() == []


def test_a_handler_that_gives_up_is_not_tried_again(now: datetime) -> None:
    told: list[int] = []

    def work() -> None:
        message = "this will never work"
        raise GiveUpError(message)

    job_id = job(work, now, failed=lambda given_up, _now: told.append(given_up))
    run_next(now)

    found = row(job_id)
    assert (found.state, found.error, found.attempts) == (
        JobState.FAILED,
        "this will never work",
        1,
    )
    assert told == [job_id]


def test_a_failure_of_which_nobody_can_be_told_stops_no_worker(now: datetime) -> None:
    def work() -> None:
        message = "no"
        raise GiveUpError(message)

    def tell_nobody(_job_id: int, _now: datetime) -> None:
        raise LookupError

    job_id = job(work, now, failed=tell_nobody)
    assert run_next(now)

    assert (row(job_id).state, row(job_id).error) == (JobState.FAILED, "no")
    assert not run_next(now + timedelta(hours=2))


def test_a_kind_says_how_often_it_is_tried(now: datetime) -> None:
    told: list[int] = []

    def work() -> None:
        message = "no"
        raise LookupError(message)

    job_id = job(work, now, most_attempts=2, failed=lambda given_up, _now: told.append(given_up))
    run_next(now)
    assert (row(job_id).state, told) == (JobState.WAITING, [])

    run_next(now + timedelta(minutes=5))
    assert (row(job_id).state, told) == (JobState.FAILED, [job_id])


def test_a_job_that_was_to_stop_when_its_worker_died_is_not_started_again(now: datetime) -> None:
    job_id = job(lambda: pytest.fail("ran"), now)
    with transaction():
        found = db.session.get_one(Job, job_id)
        found.state, found.lease_until, found.cancel_asked = JobState.RUNNING, now + LEASE, True

    assert not run_next(now + LEASE + timedelta(seconds=1))
    assert row(job_id).state is JobState.CANCELLED


def test_a_job_that_always_kills_its_worker_ends_with_a_word_to_its_owner(now: datetime) -> None:
    told: list[int] = []
    job_id = job(
        lambda: pytest.fail("ran"),
        now,
        most_attempts=3,
        failed=lambda given_up, _now: told.append(given_up),
    )
    with transaction():
        found = db.session.get_one(Job, job_id)
        found.state, found.lease_until, found.attempts = JobState.RUNNING, now, 3

    assert not run_next(now + timedelta(seconds=1))
    assert (row(job_id).error, told) == (WORKER_DIED, [job_id])


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [(0, 10, 0), (5, 10, 50), (10, 10, 100), (11, 10, 100), (1, 0, None), (1, None, None)],
)
def test_percent_never_leaves_its_range(done: int, total: int | None, shown: int | None) -> None:
    assert percent(done, total) == shown


def test_the_worker_writes_no_events_of_its_own(now: datetime) -> None:
    """The record says what people did; how far a job is belongs to the job."""
    job(lambda: progress(1, 1), now)
    run_next(now)

    assert db.session.scalars(select(Event)).all() == []
