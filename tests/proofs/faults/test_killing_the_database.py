"""kill -9 of PostgreSQL's processes: refusals, recovery unaided, and nothing lost or doubled.

SQLite has no process of its own: whoever is killed there is the server or the worker.
"""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random

import psycopg
import pytest

from portal.jobs.actions import LEASE
from tests.databases import Kind
from tests.proofs.faults.checks import assert_nothing_lost_or_doubled, lost_and_doubled
from tests.proofs.faults.clients import AtWork, Orderer, Requester
from tests.proofs.faults.nursery import Nursery, serve
from tests.proofs.faults.sizes import KILLS, SEED
from tests.proofs.faults.toil import toil
from tests.proofs.faults.town import OwnServer, Town
from tests.proofs.faults.writing import last_job, wait_until_ended

pytestmark = pytest.mark.proof

EVERY = 6
"""Each so many-th time it is the postmaster, whom somebody has to start again."""
PATIENCE_SECONDS = 60


@pytest.fixture
def server(database_kind: Kind, town: Town) -> OwnServer:
    if database_kind is Kind.SQLITE:
        pytest.skip("SQLite has no process of its own")
    assert town.server is not None
    return town.server


def kill_one(server: OwnServer, chance: Random, number: int) -> str:
    """Kill one process of the database; return which it was."""
    if number % EVERY == EVERY - 1:
        server.restart_after_kill()
        return "postmaster"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError, ProcessLookupError):  # recovering; it has left
            if backends := server.backends():
                pid, query = chance.choice(backends)
                os.kill(pid, signal.SIGKILL)
                return (query.split() or ["(new)"])[0].lower()
        time.sleep(0.02)
    message = "no backend to kill"
    raise TimeoutError(message)


def kill_again_and_again(
    server: OwnServer, work: AtWork, chance: Random, kills: int
) -> tuple[Counter[str], float]:
    """Kill, and wait until work goes on; return what was killed and the longest wait."""
    died: Counter[str] = Counter()
    longest = 0.0
    for number in range(kills):
        time.sleep(chance.uniform(0, 0.3))
        died[kill_one(server, chance, number)] += 1
        longest = max(longest, work.wait_for(work.acknowledged + 1))
    return died, longest


@pytest.mark.proof(minutes=0.5)
def test_the_portal_goes_on_by_itself_and_keeps_every_promise(
    town: Town, nursery: Nursery, server: OwnServer
) -> None:
    since = last_job(town)
    quote, around = town.orderable(), town.drafts(1)[0]
    orderers = [Orderer(town, nursery, f"database-{n}", SEED + n, quote) for n in range(2)]
    requester = Requester(town, nursery, "database-requester", SEED, around)
    serving, working = nursery.start(serve), nursery.start(toil, timedelta(minutes=10))

    with AtWork(*orderers, requester) as work:
        died, longest = kill_again_and_again(server, work, Random(SEED), KILLS)  # noqa: S311
    alive = [nursery.wait(child, 0) for child in (serving, working)]
    after_the_leases = nursery.start(toil, timedelta(minutes=10) + 2 * LEASE)
    wait_until_ended(town, since)
    for child in (serving, working, after_the_leases):
        nursery.kill(child)

    print(  # noqa: T201
        f"database killed, by what it did: {dict(died)}; at work again after {longest:.1f} s at"
        f" most; {work.counts()}"
    )
    assert alive == [None, None]
    assert work.strange == []
    assert work.acknowledged > KILLS
    assert work.counts()["broken off"] > KILLS // 10
    assert_nothing_lost_or_doubled(town, quote, orderers, requester)


def test_a_database_that_acknowledges_before_it_writes_loses_orders(
    town: Town, nursery: Nursery, server: OwnServer
) -> None:
    """The negative control: with lazy commits the same kills do lose what was acknowledged."""
    quote = town.orderable()
    orderers = [Orderer(town, nursery, f"lazy-{n}", SEED + n, quote) for n in range(2)]
    server.set(synchronous_commit="off", wal_writer_delay="'10s'")
    serving = nursery.start(serve)

    with AtWork(*orderers) as work:
        for wanted in (4, 8):
            work.wait_for(wanted)
            kill_one(server, Random(SEED), 0)  # noqa: S311 - chance, not a secret
    nursery.kill(serving)
    server.set(synchronous_commit="on", wal_writer_delay="'200ms'")

    lost, _doubled = lost_and_doubled(town, quote, orderers)
    print(f"lazy commits: {len(lost)} of {work.acknowledged} lost")  # noqa: T201
    assert lost
