"""The life of a job: its states, the steps between them, and how far it is."""

from collections.abc import Mapping
from enum import unique
from typing import Final

from portal.errors import N_
from portal.lifecycle import State, Step


@unique
class JobState(State):
    """Where a job is."""

    WAITING = "waiting", N_("waiting"), "idle"
    RUNNING = "running", N_("running"), "work"
    DONE = "done", N_("done"), "ok"
    FAILED = "failed", N_("failed"), "bad"
    CANCELLED = "cancelled", N_("cancelled"), "bad"


LABELS: Final[Mapping[str, str]] = {
    "job.requested": N_("Job asked for"),
    "job.cancelled": N_("Job cancelled"),
    "job.retried": N_("Job started again"),
}
"""Verb of an event -> what happened, in words."""

S = JobState
ENDED = frozenset({S.DONE, S.FAILED, S.CANCELLED})


@unique
class Move(Step):
    """What people do with a job; the worker takes the other steps under its lease."""

    # fmt: off
    CANCEL = ({S.WAITING, S.RUNNING},  S.CANCELLED, None)
    RETRY  = ({S.FAILED, S.CANCELLED}, S.WAITING,   None)
    # fmt: on


def percent(done: int, total: int | None) -> int | None:
    """Return how far a job is, from 0 to 100; ``None`` where nobody knows how much there is."""
    if not total or total < 0:
        return None
    return min(100, max(0, done * 100 // total))
