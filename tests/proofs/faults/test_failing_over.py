"""A database dies and its standby takes over: refusals, recovery unaided, and nothing lost."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.databases import Kind
from tests.proofs.faults.checks import assert_nothing_lost_or_doubled, lost_and_doubled
from tests.proofs.faults.clients import AtWork, Orderer, Requester
from tests.proofs.faults.conftest import Warm
from tests.proofs.faults.nursery import Nursery, serve
from tests.proofs.faults.pair import Pair
from tests.proofs.faults.sizes import FAILOVERS, SEED
from tests.proofs.faults.toil import toil
from tests.proofs.faults.town import Town, founded
from tests.proofs.faults.writing import last_job, wait_until_ended

pytestmark = pytest.mark.proof

EACH = 4
"""So many things are acknowledged between two deaths, and lost where nobody waits for both."""


@pytest.fixture
def town(database_kind: Kind) -> Iterator[Town]:
    """A town whose database is a pair."""
    if database_kind is Kind.SQLITE:
        pytest.skip("SQLite has no standby")
    with founded(database_kind, Pair) as town:
        yield town


@pytest.fixture
def pair(town: Town) -> Pair:
    assert isinstance(town.server, Pair)
    town.server.follow()
    return town.server


@pytest.fixture
def nursery(town: Town) -> Iterator[Nursery]:
    warm_up = Warm(town.orderable(), town.cookies["buyer"])
    with Nursery(town.database, warm_up) as nursery:
        yield nursery


@pytest.mark.proof(minutes=0.5)
def test_the_standby_takes_over_and_every_promise_is_kept(
    town: Town, nursery: Nursery, pair: Pair
) -> None:
    since = last_job(town)
    quote, around = town.orderable(), town.drafts(1)[0]
    orderers = [Orderer(town, nursery, f"pair-{n}", SEED + n, quote) for n in range(2)]
    requester = Requester(town, nursery, "pair-requester", SEED, around)
    serving, working = nursery.start(serve), nursery.start(toil, timedelta(minutes=10))

    waits = []
    with AtWork(*orderers, requester) as work:
        for _number in range(FAILOVERS):
            work.wait_for(work.acknowledged + EACH)
            died = time.monotonic()
            pair.fail_over()
            work.wait_for(work.acknowledged + 1)
            waits.append(time.monotonic() - died)
            pair.follow()
        work.wait_for(work.acknowledged + EACH)
    alive = [nursery.wait(child, 0) for child in (serving, working)]
    wait_until_ended(town, since)
    for child in (serving, working):
        nursery.kill(child)

    print(  # noqa: T201
        f"{FAILOVERS} times failed over; at work again after {max(waits):.1f} s at most;"
        f" {work.counts()}"
    )
    assert alive == [None, None]
    assert work.strange == []
    assert work.counts()["broken off"] > 0
    assert_nothing_lost_or_doubled(town, quote, orderers, requester)


def test_a_standby_that_nobody_waits_for_has_lost_orders(
    town: Town, nursery: Nursery, pair: Pair
) -> None:
    """The negative control: what was acknowledged without the standby is gone with the primary."""
    quote = town.orderable()
    orderers = [Orderer(town, nursery, f"alone-{n}", SEED + n, quote) for n in range(2)]
    serving = nursery.start(serve)
    pair.fall_behind()

    with AtWork(*orderers) as work:
        work.wait_for(EACH)
        pair.fail_over()
        work.wait_for(work.acknowledged + 1)
    nursery.kill(serving)

    lost, _doubled = lost_and_doubled(town, quote, orderers)
    print(f"without waiting for the standby: {len(lost)} of {work.acknowledged} lost")  # noqa: T201
    assert lost
