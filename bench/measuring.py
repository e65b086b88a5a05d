"""What a piece of work costs: time, statements and memory, beside the least it could cost."""

import re
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, event

RUNS: Final = 3
ENOUGH_SECONDS: Final = 1.0
MOST_CALLS: Final = 9
_NOISE: Final = re.compile(
    r"\s*(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|select set_config|PRAGMA)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs: the median of the runs' medians, and the most memory it held."""

    ms: float
    statements: int
    kib: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table; ``met`` is ``None`` where the aim can't be judged by this run."""

    work: str
    aim: str
    cost: Cost
    floor: Cost | None = None
    value: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor's time it took."""
        return self.cost.ms / self.floor.ms if self.floor else None


@contextmanager
def counting() -> Iterator[list[str]]:
    """Collect the statements of a block, transactions and settings aside."""
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not _NOISE.match(statement):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def cost_of(call: Callable[[], object], runs: int = RUNS) -> Cost:
    """Measure something that may be repeated: once to warm up, then in several runs."""
    call()
    with counting() as statements:
        call()
    tracemalloc.start()
    try:
        call()
        kib = tracemalloc.get_traced_memory()[1] // 1024
    finally:
        tracemalloc.stop()
    return Cost(statistics.median(_run(call) for _ in range(runs)), len(statements), kib)


def _run(call: Callable[[], object]) -> float:
    times: list[float] = []
    while len(times) < MOST_CALLS and sum(times) < ENOUGH_SECONDS * 1000:
        times.append(timed(call))
    return statistics.median(times)


def timed(call: Callable[[], object]) -> float:
    """Return how many milliseconds one call took."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def cost_of_each(calls: list[Callable[[], object]]) -> Cost:
    """Measure something that can be done only once per subject: the median over the subjects."""
    times, counts = [], []
    for call in calls:
        with counting() as statements:
            times.append(timed(call))
        counts.append(len(statements))
    return Cost(statistics.median(times), round(statistics.median(counts)))
