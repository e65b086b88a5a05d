"""Races: the same thing attempted by several processes at the same moment, round after round."""

import multiprocessing
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from portal.app import create_app
from portal.db import EVERY_ROW, db, set_row_scope
from portal.errors import DomainError
from tests.databases import Database

Attempt = Callable[..., object]
PATIENCE_SECONDS = 60
_RACERS = multiprocessing.get_context("forkserver")
_RACERS.set_forkserver_preload(["portal.migrations.everything", "portal.app", "portal.demo.cast"])
"""Racers are forks of a process that has loaded the portal and nothing else, no connection either:
loading it takes each of them 3 seconds, and a race has up to eight."""


@dataclass(frozen=True)
class Outcome:
    """What one process got in one round: a value, or the name of the refusal."""

    value: object = None
    refusal: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the attempt went through."""
        return self.refusal is None


def race(
    database: Database, attempt: Attempt, rounds: Sequence[Sequence[tuple[Any, ...]]]
) -> list[list[Outcome]]:
    """Run ``attempt`` in as many processes as a round has entries, all let loose together.

    Args:
        attempt: A function of a module; it runs in an application context that sees every row.
        rounds: Per round and process the arguments; plain values, they travel between processes.

    Returns:
        Per round and process what came of it. A refusal counts, any other error fails the race.
    """
    runners = len(rounds[0])
    barrier = _RACERS.Barrier(runners)
    answers: Queue[tuple[int, list[Outcome] | str]] = _RACERS.Queue()
    processes = [
        _RACERS.Process(
            target=_run,
            args=(number, database, attempt, [entry[number] for entry in rounds], barrier, answers),
            daemon=True,
        )
        for number in range(runners)
    ]
    for process in processes:
        process.start()
    try:
        collected = dict(answers.get(timeout=PATIENCE_SECONDS * 5) for _ in processes)
    finally:
        for process in processes:
            process.join(timeout=PATIENCE_SECONDS)
            process.kill()
    lanes: list[list[Outcome]] = []
    for number in range(runners):
        lane = collected[number]
        assert not isinstance(lane, str), lane
        lanes.append(lane)
    return [list(together) for together in zip(*lanes, strict=True)]


def _run(
    number: int,
    database: Database,
    attempt: Attempt,
    lane: Sequence[tuple[Any, ...]],
    barrier: Barrier,
    answers: "Queue[tuple[int, list[Outcome] | str]]",
) -> None:
    try:
        app = create_app(database.settings)
        outcomes = []
        for arguments in lane:
            with app.app_context():
                set_row_scope(EVERY_ROW)
                db.session.connection()  # connected before the start, so that the start is fair
                db.session.rollback()
                barrier.wait(PATIENCE_SECONDS)
                outcomes.append(_attempted(attempt, arguments))
        answers.put((number, outcomes))
    except BaseException as error:  # noqa: BLE001 - told to the test, which fails with it
        barrier.abort()
        answers.put((number, f"process {number}: {error!r}\n{traceback.format_exc()}"))


def _attempted(attempt: Attempt, arguments: tuple[Any, ...]) -> Outcome:
    try:
        return Outcome(value=attempt(*arguments))
    except DomainError as refusal:
        return Outcome(refusal=type(refusal).__name__)
