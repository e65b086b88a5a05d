"""The state machine over people, prices, quotes, approvals and orders, with what must fail."""

import os
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from portal.approvals import actions as approvals
from portal.orders import queries as order_queries
from portal.orders.rules import Move as OrderMove
from portal.quotes import drafting, submission
from portal.quotes.moves import Move as QuoteMove
from tests.databases import Content, Kind
from tests.proofs.machine.machine import EXPECT, Stage, run
from tests.proofs.machine.world import build
from tests.stage import Stages, plans_kept, rolled_back

PARTS = (1, 2)
"""So that both workers of a run have one."""
SEQUENCES = {Kind.SQLITE: 1000, Kind.POSTGRESQL: 250}
"""In each part, some 30 actions each. `PORTAL_MACHINE_SEQUENCES` runs more, or fewer: each takes
0.3 s of CPU on SQLite, and two to three times that on a busy machine."""
SEED = int(os.environ.get("PORTAL_MACHINE_SEED", "1"))

WALKED = frozenset(
    f"{move} from {state}"
    for moves, states in (
        (("add", "save", "submit", "discard"), ("draft",)),
        (("withdraw", "approve", "reject", "request-changes"), ("in approval",)),
        (("convert",), ("approved", "partly ordered")),
        (("extend", "expire"), ("in approval", "approved", "partly ordered")),
        (("revise",), ("approved", "partly ordered", "withdrawn", "rejected")),
        (("revise",), ("changes requested", "expired")),
        (("place", "discard-order"), ("draft",)),
        (("confirm", "decline", "cancel"), ("placed",)),
        (("ship",), ("confirmed", "partly shipped")),
    )
    for move, state in product(moves, states)
)
"""Every step of a life cycle that the machine takes, by the state it is taken from."""
AROUND = frozenset({"create", "change", "suspend", "policy", "publish", "assign"})
REFUSED = frozenset({"approve", "reject", "request-changes", *EXPECT}) - {"decide", "expire"}

ORDER_MOVES = {
    "PLACE": "place", "DISCARD": "discard-order", "CANCEL": "cancel", "CONFIRM": "confirm",
    "DECLINE": "decline", "SHIP": "ship",
}  # fmt: skip
ELSEWHERE = {"PROPOSE", "TAKE_BACK", "ACCEPT", "REFUSE", "PROMISE", "DELIVER", "ASK_TO_CANCEL",
             "ANSWER_CANCEL", "CLOSE"}  # fmt: skip
"""Steps of orders that tests/orders walks; the machine leaves them out."""


@pytest.fixture
def stage(database_kind: Kind, stages: Stages) -> Iterator[Stage]:
    """The small world on an empty database, rolled back at the end."""
    app = stages.app(database_kind, Content.EMPTY)
    with rolled_back(app) as connection, plans_kept(connection):
        yield Stage(connection, build())


@pytest.mark.proof(minutes=10)
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("part", PARTS)
def test_what_the_reference_says_is_what_happens(
    stage: Stage,
    database_kind: Kind,
    part: int,
    record_property: Callable[[str, object], None],
) -> None:
    sequences = int(os.environ.get("PORTAL_MACHINE_SEQUENCES", SEQUENCES[database_kind]))
    number = SEED * 100 + part
    counts = run(stage, sequences, number)
    head = f"machine on {database_kind}, part {part}, PORTAL_MACHINE_SEED={SEED}"
    record_property("counts", f"{head}: {counts.told()}")
    assert counts.actions >= sequences * 25
    if sequences >= min(SEQUENCES.values()):
        never = (WALKED | AROUND) - counts.taken.keys()
        assert never == set(), f"never taken: {sorted(never)}"
        never = REFUSED - counts.refused.keys()
        assert never == set(), f"never refused: {sorted(never)}"


def test_the_machine_walks_every_step_of_quotes_and_the_ones_of_orders_it_names() -> None:
    names = {"SAVE": "save", "REQUEST_CHANGES": "request-changes"}
    wanted = {
        f"{names.get(move.name, move.name.lower())} from {state}"
        for move in QuoteMove
        for state in move.sources
    }
    wanted |= {
        f"{ORDER_MOVES[move.name]} from {state}"
        for move in OrderMove
        if move.name not in ELSEWHERE
        for state in move.sources - {"change proposed"}
    }
    assert wanted <= WALKED


def _any_content(_run: object, _hash: object, _now: object) -> None:
    """Take any content for the approved one."""


def _nothing(*_args: object, **_named: object) -> dict[int, object]:
    """Do nothing; say that nothing was taken."""
    return {}


CONTROLS = {
    "a decision counts for content that nobody looked at": (approvals, "_check_content"),
    "an old page is taken for the present one": (drafting, "clashes"),
    "what was ordered is forgotten": (order_queries, "_taken_by_line"),
    "a submission or a new revision leaves no event": (submission, "record_quote"),
    "a withdrawn quote stays in its approval": (submission, "withdraw_run"),
}


@pytest.mark.proof
@pytest.mark.any_database
@pytest.mark.parametrize("control", CONTROLS)
def test_a_guard_taken_away_is_noticed(
    stage: Stage, control: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name = CONTROLS[control]
    monkeypatch.setattr(module, name, _any_content if name == "_check_content" else _nothing)
    with pytest.raises(AssertionError):
        run(stage, 200, SEED)
