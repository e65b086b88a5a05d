"""Every life cycle: each state, each action, each role; what the tables forbid changes nothing.

The rows of `tests.proofs.life` say which action takes which step. The state is put into the table
by SQL, so that an action meets states that its page would never have offered it.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import Table, func, select, update

import portal
from portal.accounts.queries import load_actor
from portal.approvals.actions import decide
from portal.approvals.models import ApprovalRun, StepApprover
from portal.approvals.rules import Answer, RunState
from portal.catalog.pricing.actions import open_draft, publish_list, rollback_list
from portal.catalog.pricing.models import PriceList, PriceListVersion
from portal.db import Base, db, transaction
from portal.demo.cast import Cast
from portal.errors import DomainError, NotAllowedError, NotFoundError
from portal.jobs.rules import Move as JobMove
from portal.lifecycle import IllegalMoveError, Step
from portal.orders.rules import UNSENT
from portal.policy import CUSTOMER_ROLES, Actor, Permission, Role, operator_actor
from portal.service.cases.rules import CaseStatus
from portal.service.cases.rules import IllegalMoveError as IllegalCaseMoveError
from portal.service.knowledge.rules import ArticleStatus
from tests.actors import person
from tests.instants import NOW
from tests.proofs.life import LIVES, Life, Row
from tests.proofs.people import everybody
from tests.proofs.things import Maker
from tests.stage import snapshot, undone, writes

OWN_TESTS: Final[dict[type[Enum], str]] = {
    JobMove: "tests/jobs/test_progress_and_stopping.py",  # whose job it is decides, no role
}
ILLEGAL = (IllegalMoveError, IllegalCaseMoveError)


# --- the tables ----------------------------------------------------------------------------------


def life_cycles() -> list[type[Enum]]:
    """Return every table of steps that the portal has, wherever it stands."""
    found: dict[str, type[Enum]] = {}
    for module in pkgutil.walk_packages(portal.__path__, "portal."):
        if module.name.endswith(("rules", "moves")):
            for name, thing in vars(importlib.import_module(module.name)).items():
                if name == "Move" and isinstance(thing, type) and issubclass(thing, Enum):
                    found[f"{thing.__module__}.{name}"] = thing
    return list(found.values())


def test_every_table_of_steps_is_proved_here() -> None:
    tables = life_cycles()

    assert set(tables) == {life.steps for life in LIVES.values()} | set(OWN_TESTS)
    assert {
        table for table in Step.__subclasses__() if table.__module__.startswith("portal.")
    } <= set(tables)


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_every_step_has_an_action_that_takes_it(life: Life) -> None:
    taken = {step for row in life.rows for step in row.steps}

    assert [step.name for step in life.steps if step not in taken] == []


@pytest.mark.parametrize("table", life_cycles(), ids=lambda table: table.__module__)
def test_a_step_is_let_through_exactly_as_its_table_says(table: type[Enum]) -> None:
    steps: list[Any] = list(table)
    states = type(next(iter(steps[0].sources)))
    asked: Counter[str] = Counter()
    for step in steps:
        for state in states:
            for role in Role:
                for side in (True, False):
                    actor = person(role, is_supplier=side)
                    may = step.permission is None or step.permission in actor.grants
                    said = _said(step, state, actor)
                    expected = "goes" if may and state in step.sources else "no" if may else "never"
                    assert said == expected, (step, state, role, side)
                    asked[said] += 1

    assert asked["goes"]
    assert asked["no"]


def _said(step: Any, state: Any, actor: Actor) -> str:  # noqa: ANN401 - of any table
    try:
        step.check(state, actor, "X-1") if isinstance(step, Step) else step.apply(
            state, actor, "X-1"
        )
    except NotAllowedError:
        return "never"
    except ILLEGAL:
        return "no"
    return "goes"


# --- the actions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One question: this action, by this person, while the thing is in this state."""

    life: Life
    row: Row
    name: str
    who: str
    actor: Actor
    state: Enum

    def __str__(self) -> str:
        return f"{self.row.steps[0].name} from {self.state.value} by {self.who}"


def _put(cell: Cell) -> Any:  # noqa: ANN401 - a row of whichever table
    """Let a thing be in a state and belong to the actor, where they are a customer's."""
    tables = Base.metadata.tables
    table = tables[cell.life.table]
    here = table.c[cell.life.named] == cell.name
    values = {"status": cell.state} | _companions(table, cell.state)
    db.session.execute(update(table).where(here).values(values))
    thing = db.session.execute(select(table).where(here)).one()
    if cell.life.table == "quote":
        revision = tables["quote_revision"]
        db.session.execute(
            update(revision)
            .where(revision.c.quote_id == thing.id, revision.c.number == thing.revision)
            .values(status=cell.state)
        )
    if cell.life.table == "repair":  # it belongs to whose case it is
        table, here = tables["service_case"], tables["service_case"].c.id == thing.case_id
    if not cell.actor.is_supplier and "membership_id" in table.c:
        owner = cell.actor.membership_id
        db.session.execute(update(table).where(here).values(membership_id=owner))
    db.session.commit()
    db.session.expire_all()
    return db.session.execute(select(table).where(here)).one()


def _companions(table: Table, state: Enum) -> dict[str, object]:
    """What the table demands of a thing in this state besides."""
    if table.name == "purchase_order" and state not in UNSENT:
        return {"placed_at": func.coalesce(table.c.placed_at, NOW)}
    if table.name == "article" and state is ArticleStatus.PUBLISHED:
        return {"published_version": func.coalesce(table.c.published_version, 1)}
    if table.name == "service_case" and state is CaseStatus.MERGED:
        return {"merged_into_id": table.c.id}
    return {}


def _reaches(actor: Actor, permission: Permission, row: object) -> bool:
    """Whether the table of rights lets the actor do this with the row."""
    if not hasattr(row, "account_id"):
        return actor.can(permission)
    return actor.reach(permission).covers(
        account_id=getattr(row, "account_id", 0),
        unit_id=getattr(row, "unit_id", None),
        owner_id=getattr(row, "membership_id", None),
    )


def _tried(cell: Cell, now: datetime) -> str:
    """Take the step and return what came of it."""
    try:
        cell.row.act(cell.actor, cell.name, now)
    except (NotAllowedError, NotFoundError):
        return "never"
    except ILLEGAL:
        return "no"
    except DomainError:
        return "not so"  # the step would be right; something else is missing
    return "done"


def _cells(life: Life, row: Row, actors: dict[str, Actor]) -> Iterator[tuple[str, Actor, Any]]:
    for who, actor in actors.items():
        if row.by(actor):
            for state in set(life.states) - row.elsewhere:
                yield who, actor, state


@pytest.fixture
def actors(world: Flask) -> dict[str, Actor]:
    """Return one member for each role, those of customers all in the same unit."""
    assert world.testing
    found = {}
    for somebody in everybody():
        if somebody.membership_id is not None and not somebody.is_suspended:
            actor = load_actor(somebody.membership_id)
            assert actor is not None
            found[somebody.name] = actor
    assert len(found) > len(CUSTOMER_ROLES) + 6
    return found


@pytest.mark.proof(minutes=1)
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("plans_last")
@pytest.mark.parametrize("kind", LIVES)
def test_the_action_refuses_whatever_the_table_refuses(
    cast: Cast, now: datetime, actors: dict[str, Actor], kind: str
) -> None:
    life, things = LIVES[kind], getattr(Maker(cast, now), kind)()
    before, wrong, done = snapshot(), [], Counter[Any]()
    for row in life.rows:
        name = things[row.thing]
        people = actors if row.permission else {"the portal": _nobody(cast)}
        for who, actor, state in _cells(life, row, people):
            cell = Cell(life, row, name, who, actor, state)
            wrong += _judged(cell, now, done)

    assert wrong == []
    assert [row.steps[0].name for row in life.rows if not done[row.steps[0]]] == []
    assert snapshot() == before


def _judged(cell: Cell, now: datetime, done: Counter[Any]) -> list[str]:
    """Try one cell and return what is wrong about it."""
    row, actor, found = cell.row, cell.actor, []
    with undone():
        thing = _put(cell)
        may = row.permission is None or (
            _reaches(actor, row.permission, thing) and _reaches(actor, cell.life.read, thing)
        )
        allowed = may and cell.state in row.sources
        with writes() as tried:
            said = _tried(cell, now)
        db.session.rollback()
        left = snapshot() if tried and not allowed else None
    done[row.steps[0]] += said == "done" and allowed
    if allowed and said in {"never", "no"}:
        found.append(f"{cell}: {said}, though the table allows it")
    if not may and said != "never":
        found.append(f"{cell}: {said}, though nobody granted it")
    if left is not None:
        with undone():
            _put(cell)
            if snapshot() != left:
                found.append(f"{cell}: {said}, and {sorted(tried)} changed")
    return found


# --- approvals and price lists, whose states are no steps of a table ------------------------------


@pytest.mark.proof
def test_only_whom_an_open_run_names_decides(
    cast: Cast, now: datetime, actors: dict[str, Actor]
) -> None:
    number = Maker(cast, now).quotes()["waiting"]
    run = db.session.scalars(select(ApprovalRun).where(ApprovalRun.number == number)).one()
    key, content, before = run.id, run.content_hash, snapshot()
    named = set(
        db.session.scalars(select(StepApprover.membership_id).where(StepApprover.run_id == key))
    )
    approvers = {f"approver {one}": actor for one in named if (actor := load_actor(one))}
    done, wrong = Counter[Answer](), []
    for who, actor in (actors | approvers).items():
        for state in RunState:
            for answer in Answer:
                with undone():
                    db.session.execute(
                        update(ApprovalRun).where(ApprovalRun.id == key).values(state=state.value)
                    )
                    db.session.commit()
                    db.session.expire_all()
                    with writes() as tried:
                        said = _decided(actor, key, answer, content, now)
                done[answer] += said == "done"
                may = actor.membership_id in named and state is RunState.OPEN
                if (said == "done" and not may) or (tried and not may):
                    wrong.append(f"{answer} while {state} by {who}: {said}, {sorted(tried)}")

    assert wrong == []
    assert set(done) == set(Answer)
    assert all(done.values())
    assert snapshot() == before


def _decided(actor: Actor, run_id: int, answer: Answer, content: str, now: datetime) -> str:
    try:
        decide(actor, run_id, answer, "Because.", content, now)
    except DomainError as error:
        return type(error).__name__
    return "done"


@pytest.mark.proof
def test_only_who_may_publish_publishes_and_only_a_draft(
    cast: Cast, now: datetime, actors: dict[str, Actor]
) -> None:
    published = db.session.scalars(
        select(PriceListVersion).where(PriceListVersion.number.is_not(None))
    ).first()
    assert published is not None
    price_list = db.session.get_one(PriceList, published.list_id)
    wrong, done, before = [], 0, snapshot()
    for who, actor in actors.items():
        for has_draft in (True, False):
            for act in (_publish, _return):
                with undone():
                    if has_draft:
                        with transaction():
                            open_draft(price_list)
                    with writes() as tried:
                        said = act(actor, price_list.code, published.number or 1, now)
                may = actor.can(Permission.PRICE_LIST_PUBLISH) and (has_draft or act is _return)
                done += said == "done"
                if may != (said == "done") or (tried and not may):
                    wrong.append(f"{act.__name__} by {who}, draft {has_draft}: {said}")

    assert wrong == []
    assert done == 3
    assert snapshot() == before
    assert cast.supplier.pricing_manager.can(Permission.PRICE_LIST_PUBLISH)


def _publish(actor: Actor, code: str, _to: int, now: datetime) -> str:
    try:
        publish_list(actor, code, now=now)
    except DomainError as error:
        return type(error).__name__
    return "done"


def _return(actor: Actor, code: str, to: int, now: datetime) -> str:
    try:
        rollback_list(actor, code, to=to, now=now)
    except DomainError as error:
        return type(error).__name__
    return "done"


def _nobody(cast: Cast) -> Actor:
    buyer = cast.acme.buyer
    return operator_actor(
        account_id=buyer.account_id, account_code="ACME", operator="proof", time_zone="UTC"
    )
