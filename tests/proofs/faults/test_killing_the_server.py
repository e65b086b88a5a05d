"""kill -9 of the server while people order, submit and approve: what was said is true, once."""

import time
from collections import Counter
from random import Random

import pytest

from tests.proofs.faults.checks import assert_nothing_lost_or_doubled, lost_and_doubled
from tests.proofs.faults.clients import AtWork, Orderer, Requester
from tests.proofs.faults.nursery import Nursery, serve
from tests.proofs.faults.points import Death, Point, answer_before_commit
from tests.proofs.faults.sizes import KILLS, SEED
from tests.proofs.faults.town import Town

pytestmark = pytest.mark.proof

RANDOM = "at a random moment"
LONGEST_LIFE = 0.6
SIGKILL = 9


def kill_again_and_again(
    nursery: Nursery, chance: Random, kills: int, *arrangements: object
) -> Counter[str]:
    """Let one server after the other die, at each named point in turn and at random."""
    died: Counter[str] = Counter()
    for number in range(kills):
        where = [*Point, None, None][number % (len(Point) + 2)]
        if where is None:
            child = nursery.start(serve, *arrangements)
            time.sleep(chance.uniform(0.05, LONGEST_LIFE))
            nursery.kill(child)
        else:
            times = chance.randint(1, 60 if where is Point.AMID_STATEMENTS else 5)
            child = nursery.start(serve, *arrangements, Death(where, times))
            assert nursery.wait(child) == SIGKILL, where
        died[where or RANDOM] += 1
    return died


@pytest.mark.proof(minutes=0.5)
def test_every_acknowledged_order_and_decision_is_there_once(town: Town, nursery: Nursery) -> None:
    quote, around = town.orderable(), town.drafts(1)[0]
    orderers = [Orderer(town, nursery, f"server-{n}", SEED + n, quote) for n in range(2)]
    requester = Requester(town, nursery, "requester", SEED, around)

    with AtWork(*orderers, requester) as work:
        died = kill_again_and_again(nursery, Random(SEED), KILLS)  # noqa: S311 - chance, no secret
        last = nursery.start(serve)
    nursery.kill(last)

    print(f"servers killed on {town.database.kind}: {dict(died)}; {work.counts()}")  # noqa: T201
    assert work.strange == []
    assert work.counts()["acknowledged"] > KILLS
    assert work.counts()["answers lost"] > KILLS // 4
    assert_nothing_lost_or_doubled(town, quote, orderers, requester)


def test_a_server_that_answers_before_its_commit_loses_orders(town: Town, nursery: Nursery) -> None:
    """The negative control of what is lost: the kills do fall between answer and commit."""
    quote = town.orderable()
    orderers = [Orderer(town, nursery, f"hasty-{n}", SEED + n, quote) for n in range(2)]

    with AtWork(*orderers) as work:
        for _ in range(6):
            told = work.acknowledged
            child = nursery.start(serve, answer_before_commit)
            work.wait_for(told + 1)
            nursery.kill(child)
        last = nursery.start(serve)
    nursery.kill(last)

    lost, _doubled = lost_and_doubled(town, quote, orderers)
    print(f"answered before the commit: {len(lost)} of {work.acknowledged} lost")  # noqa: T201
    assert lost


def test_a_client_without_a_key_orders_twice(town: Town, nursery: Nursery) -> None:
    """The negative control of what is doubled: answers are lost after the commit."""
    quote = town.orderable()
    orderers = [
        Orderer(town, nursery, f"keyless-{n}", SEED + n, quote, keeps_key=False) for n in range(2)
    ]

    with AtWork(*orderers) as work:
        for times in (1, 2, 3, 4):
            child = nursery.start(serve, Death(Point.AMID_ANSWER, times))
            assert nursery.wait(child) == SIGKILL
        last = nursery.start(serve)
    nursery.kill(last)

    _lost, doubled = lost_and_doubled(town, quote, orderers)
    print(f"without a key: {len(doubled)} of {work.acknowledged} doubled")  # noqa: T201
    assert doubled
