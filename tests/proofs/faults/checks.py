"""What must hold after every fault: what was acknowledged is there, once, with all it wrote."""

from collections import Counter

from portal.events.queries import verify_chains
from tests.proofs.faults.clients import Orderer, Requester
from tests.proofs.faults.town import Town
from tests.stage import opened


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


def assert_nothing_lost_or_doubled(
    town: Town, quote: str, orderers: list[Orderer], requester: Requester
) -> None:
    """Compare everything that was acknowledged with everything that is there."""
    assert lost_and_doubled(town, quote, orderers) == ([], [])
    assert_numbers_are_what_was_answered(town, quote, orderers)
    assert_each_order_was_told_once(town, quote)
    assert_each_step_was_taken_once(town, requester)
    assert_chains_hold(town)
