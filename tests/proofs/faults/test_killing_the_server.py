"""kill -9 of the server while people order, submit and approve: what was said is true, once."""

import time
from collections import Counter
from random import Random

import pytest

from portal.events.queries import verify_chains
from tests.proofs.faults.clients import AtWork, Orderer, Requester
from tests.proofs.faults.nursery import Nursery, serve
from tests.proofs.faults.points import Death, Point, answer_before_commit
from tests.proofs.faults.sizes import KILLS, SEED
from tests.proofs.faults.town import Town
from tests.stage import opened

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


def orders_of(town: Town, quote: str) -> dict[str, list[str]]:
    """Return the numbers of the orders made of a quote, by the reference that the buyer gave."""
    found: dict[str, list[str]] = {}
    for reference, number in town.rows(
        "select purchase_order_number, purchase_order.number from purchase_order"
        " join quote on quote.id = purchase_order.quote_id where quote.number = :quote",
        quote=quote,
    ):
        found.setdefault(reference, []).append(number)
    return found


def lost_and_doubled(town: Town, quote: str, clients: list[Orderer]) -> tuple[list[str], list[str]]:
    """Compare what was acknowledged with the orders that are there."""
    there = orders_of(town, quote)
    done = {reference for client in clients for reference in client.book.done}
    lost = [reference for reference in done if reference not in there]
    doubled = [reference for reference, numbers in there.items() if len(numbers) > 1]
    return lost, doubled


def assert_chains_hold(town: Town) -> None:
    with opened(town.database):
        assert list(verify_chains()) == []


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
    assert lost_and_doubled(town, quote, orderers) == ([], [])
    assert work.counts()["acknowledged"] > KILLS
    assert work.counts()["answers lost"] > KILLS // 4
    assert_numbers_are_what_was_answered(town, quote, orderers)
    assert_each_order_was_told_once(town, quote)
    assert_each_step_was_taken_once(town, requester)
    assert_chains_hold(town)


def assert_numbers_are_what_was_answered(town: Town, quote: str, orderers: list[Orderer]) -> None:
    there = orders_of(town, quote)
    for client in orderers:
        for reference, leads_to in client.book.done.items():
            assert leads_to.endswith(f"/orders/{there[reference][0]}"), (reference, leads_to)


def assert_each_order_was_told_once(town: Town, quote: str) -> None:
    """One event for each step, one message for each receiver, one job for each message."""
    numbers = {number for numbers in orders_of(town, quote).values() for number in numbers}
    events = Counter(
        (number, verb)
        for number, verb in town.rows(
            "select number, verb from event where verb in ('order.created', 'order.placed')"
        )
        if number in numbers
    )
    assert events == {(n, verb): 1 for n in numbers for verb in ("order.created", "order.placed")}
    messages = Counter(
        (path, membership, role)
        for path, membership, role in town.rows(
            "select path, membership_id, supplier_role from message where kind = 'order_placed'"
        )
        if path.rpartition("/")[2] in numbers
    )
    assert len(messages) >= len(numbers)
    assert set(messages.values()) == {1}


def assert_each_step_was_taken_once(town: Town, requester: Requester) -> None:
    done = Counter(step.split()[0] for step in requester.book.done)
    assert min(done.values()) > 0
    events = Counter(
        verb
        for (verb,) in town.rows(
            "select verb from event where kind = 'quote' and number = :number",
            number=requester.quote,
        )
    )
    assert events["quote.submitted"] == done["submitted"]
    assert events["quote.revised"] == done["revised"]
    decisions = town.rows(
        "select count(*), count(distinct step_id) from decision"
        " join approval_run run on run.id = decision.run_id where run.number = :number",
        number=requester.quote,
    )
    assert decisions == [(done["approved"], done["approved"])]


def test_a_server_that_answers_before_its_commit_loses_orders(town: Town, nursery: Nursery) -> None:
    """The negative control of what is lost: the kills do fall between answer and commit."""
    quote = town.orderable()
    orderers = [Orderer(town, nursery, f"hasty-{n}", SEED + n, quote) for n in range(2)]

    with AtWork(*orderers) as work:
        for _ in range(6):
            child = nursery.start(serve, answer_before_commit)
            time.sleep(0.5)
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
