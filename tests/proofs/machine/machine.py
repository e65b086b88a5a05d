"""The machine: commands one after the other against the portal and the reference beside it."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from time import process_time
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import Connection, event

from portal.db import db
from tests.instants import NOW
from tests.proofs.machine import decisions, orders, quotes
from tests.proofs.machine.actions import Portal
from tests.proofs.machine.choosing import ON_ORDERS, ON_QUOTES, Chooser, Dice
from tests.proofs.machine.invariants import Rows
from tests.proofs.machine.model import Command, Expected, Model, command, refused
from tests.proofs.machine.world import PEOPLE, Keys
from tests.stage import snapshot, taken_back

EXPECT = {**quotes.EXPECT, **decisions.EXPECT, **orders.EXPECT}
APPLY = {**quotes.APPLY, **decisions.APPLY, **orders.APPLY}

DICE = st.integers(0, 2**48)
STEPS = 25
"""Rules of one sequence; about a third of them deliver more than one command."""


@dataclass
class Counts:
    """What the sequences did, told at the end."""

    began: float = field(default_factory=process_time)
    sequences: int = 0
    actions: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def told(self) -> str:
        """Return the counts as lines, in the order of the alphabet."""
        spent = process_time() - self.began
        head = f"{self.sequences} sequences, {self.actions} actions in {spent:.0f} CPU seconds"
        parts = {
            "taken": self.taken, "refused": self.refused, "answered alike": self.repeated,
            "refused because of": self.reasons,
        }  # fmt: skip
        lines = [
            f"  {name}: " + ", ".join(f"{each} {count}" for each, count in sorted(part.items()))
            for name, part in parts.items()
        ]
        return "\n".join([head, *lines])


@dataclass
class Stage:
    """Where the sequences run: one connection, each sequence rolled back."""

    connection: Connection
    keys: Keys
    counts: Counts = field(default_factory=Counts)
    writes: int = 0

    def __post_init__(self) -> None:
        event.listen(self.connection, "before_cursor_execute", self._note)

    def _note(self, _c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
            self.writes += 1


class Machine(RuleBasedStateMachine):
    """People, prices, policies, quotes, approvals and orders, all at once."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        db.session.rollback()
        db.session.expunge_all()
        self.undo = ExitStack()
        self.undo.enter_context(taken_back(self.stage.connection))
        self.model = Model(NOW)
        self.portal = Portal(self.stage.keys)
        self.chooser = Chooser(self.model)
        self.rows = Rows(self.stage.connection)
        self.sent: list[Command] = []
        self.sealed = self.rows.sealed()
        self.stage.counts.sequences += 1

    def teardown(self) -> None:
        try:
            self.rows.final_checks()
        finally:
            db.session.rollback()
            db.session.expunge_all()
            self.undo.close()

    # --- what may come next ---------------------------------------------------------------------

    @rule(dice=DICE)
    def go_on(self, dice: int) -> None:
        self.deliver(self.chooser.natural(self.dice(dice)))

    @rule(dice=DICE)
    def go_on_further(self, dice: int) -> None:
        self.deliver(self.chooser.natural(self.dice(dice)))

    @rule(dice=DICE)
    def go_on_twice(self, dice: int) -> None:
        """Carry on, and once more with the very same form."""
        wanted = self.chooser.natural(self.dice(dice))
        self.deliver(wanted)
        if wanted.do != "create":
            self.deliver(wanted)

    @rule(who=st.sampled_from(sorted(PEOPLE)), do=st.sampled_from(ON_QUOTES + ON_ORDERS), dice=DICE)
    def try_anything(self, who: str, do: str, dice: int) -> None:
        wanted = self.chooser.wild(who, do, self.dice(dice))
        self.deliver(wanted or self.chooser.natural(self.dice(dice)))

    @rule(who=st.sampled_from(sorted(PEOPLE)), do=st.sampled_from(ON_QUOTES + ON_ORDERS), dice=DICE)
    def go_on_beside_others(self, who: str, do: str, dice: int) -> None:
        """Carry on between two attempts at something else."""
        self.try_anything(who, do, dice)
        self.go_on(dice)
        self.try_anything(who, do, dice)

    @rule(dice=DICE)
    def send_again(self, dice: int) -> None:
        """Deliver an old form once more, however much happened since."""
        old = [each for each in self.sent if each.do not in {"create", "add"}]
        self.deliver(self.dice(dice).pick(old) if old else self.chooser.natural(self.dice(dice)))

    @rule(dice=DICE)
    def change_around(self, dice: int) -> None:
        self.deliver(self.chooser.around(self.dice(dice)))

    @rule(dice=DICE)
    def let_time_pass(self, dice: int) -> None:
        drawn = self.dice(dice)
        self.model.now += self.chooser.jump(drawn)
        if drawn.chance(2):
            self.deliver(command("expire", "worker"))
        else:
            self.deliver(self.chooser.natural(drawn))

    # --- one step -------------------------------------------------------------------------------

    def dice(self, drawn: int) -> Dice:
        """Return dice that fall otherwise at each step: the same few numbers are drawn often."""
        return Dice(drawn * 64 + len(self.sent))

    def deliver(self, c: Command) -> None:
        """Do it in the portal, and compare what came of it with what the reference expects."""
        self.model.now += timedelta(seconds=1)
        self.sent.append(c)
        try:
            self._deliver(c)
        except AssertionError as error:
            error.add_note("\n".join(f"{number:3} {each}" for number, each in enumerate(self.sent)))
            raise

    def _deliver(self, c: Command) -> None:
        wanted = self.expected(c)
        before = self.stage.writes
        state = self.state_of(c)
        whole = snapshot() if wanted.refusals and self.is_thorough() else None
        outcome, made = self.portal.perform(c, self.model.now)
        self.count(c, state, wanted)
        if c.do == "expire":
            for status in self.model.over():
                self.stage.counts.taken[f"expire from {status}"] += 1
        if outcome == "done":
            assert not wanted.refusals, f"{c} was done; expected {sorted(wanted.refusals)}"
        else:
            assert outcome in wanted.refusals, f"{c}: {outcome}; expected {wanted}"
        if wanted.is_done:
            APPLY[c.do](self.model, c, made)
            self.rows.compare(self.model, self.portal)
            sealed = self.rows.sealed()
            assert sealed[0] > self.sealed[0], f"{c} left no event"
            self.sealed = sealed
        elif self.stage.writes != before:
            self.rows.compare(self.model, self.portal)
            assert self.rows.sealed() == self.sealed, f"{c} changed something"
        if wanted.is_repeat and c.do == "convert":
            assert self.model.orders[made]["conversion"][0] == c["key"], f"{c} made {made}"
        assert whole is None or snapshot() == whole, f"{c} was refused and changed something"

    def is_thorough(self) -> bool:
        """Whether all tables are compared this time; for every step it would be too dear."""
        return sum(self.stage.counts.refused.values()) % 25 == 0

    def expected(self, c: Command) -> Expected:
        if c.who in PEOPLE and not self.model.can_act(c.who):
            return refused({"nobody"})
        return EXPECT[c.do](self.model, c)

    def state_of(self, c: Command) -> str:
        things = self.model.orders if c.do in ON_ORDERS else self.model.quotes
        return str(things[c.on]["status"]) if c.on in things else ""

    def count(self, c: Command, state: str, wanted: Expected) -> None:
        counts = self.stage.counts
        counts.actions += 1
        name = c["answer"] if c.do == "decide" else c.do
        label = f"{name} from {state}" if state and wanted.is_done else name
        if wanted.is_done and c.do != "expire":
            counts.taken[label] += 1
        elif not wanted.refusals:
            counts.repeated[name] += 1
        else:
            counts.refused[name] += 1
            counts.reasons[min(wanted.refusals)] += 1


def run(stage: Stage, sequences: int, number: int, *, shrinks: bool = False) -> Counts:
    """Run so many sequences; the same number draws the same ones."""
    phases = (Phase.generate, Phase.shrink) if shrinks else (Phase.generate,)
    machine = seed(number)(type("SeededMachine", (Machine,), {"stage": stage}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=phases, print_blob=False,
            report_multiple_bugs=False,
        ),
    )  # fmt: skip
    return stage.counts
