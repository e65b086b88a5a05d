"""Two processes at the same moment: one submission, one order, never more than what is open."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from portal.accounts.models import Address
from portal.accounts.queries import load_actor
from portal.app import create_app
from portal.approvals.actions import decide
from portal.approvals.models import ApprovalRun
from portal.approvals.rules import Answer
from portal.db import EVERY_ROW, db, set_row_scope, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.events.queries import verify_chains
from portal.orders.actions import Terms, convert_quote, order_quote
from portal.orders.models import Order, OrderLine
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote
from portal.quotes.rules import QuoteStatus
from tests.databases import Content, Database, Kind, Shelf
from tests.instants import NOW
from tests.proofs.race import race

pytestmark = pytest.mark.proof

ROUNDS = 12
QUANTITY = Decimal(10)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def database(database_kind: Kind, shelf: Shelf) -> Database:
    return shelf.copy(database_kind, Content.SMALL)


@pytest.fixture
def buyer(database: Database) -> Iterator[Actor]:
    """The buyer who races, on a database of its own."""
    app = create_app(database.settings)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        yield Cast().acme.buyer
        db.session.remove()
        db.engine.dispose()


def draft(buyer: Actor, sku: str = "MS-0002", quantity: Decimal = QUANTITY) -> Quote:
    """Make a draft that the policy approves by itself when it is small."""
    quote = quotes.create_quote(buyer, NOW)
    quote = quotes.add_lines(buyer, quote.number, [(sku, quantity, None)], NOW)
    ship_to = db.session.scalar(
        select(Address.id).where(Address.account_id == buyer.account_id, Address.kind == "ship")
    )
    edits = DraftEdits(ship_to_address_id=ship_to)
    return quotes.save_draft(buyer, quote.number, quote.version, edits, NOW)


def approved(buyer: Actor) -> str:
    quote = draft(buyer)
    quotes.submit_quote(buyer, quote.number, quote.version, {}, NOW)
    assert get_quote(buyer, quote.number).status is QuoteStatus.APPROVED
    return quote.number


def actor_of(membership_id: int) -> Actor:
    actor = load_actor(membership_id)
    assert actor is not None
    return actor


def submit(membership_id: int, number: str, version: int) -> str:
    return quotes.submit_quote(actor_of(membership_id), number, version, {}, LATER).number


def order(membership_id: int, number: str, key: str) -> str:
    terms = Terms(purchase_order_number=f"PO-{number}", accept_duplicate=True)
    wanted = {1: QUANTITY}
    return order_quote(actor_of(membership_id), number, wanted, terms, key=key, now=LATER).number


def convert_unguarded(_membership_id: int, number: str, _key: str) -> bool:
    """Read, then write: what converting must not do. Says whether it believed all to be open."""
    quote = db.session.execute(
        select(Quote.id, Quote.account_id).where(Quote.number == number)
    ).one()
    taken = db.session.scalar(select(func.count()).where(OrderLine.quote_id == quote.id))
    db.session.rollback()
    if taken:
        return False
    with transaction():
        template = db.session.scalars(select(OrderLine).limit(1)).one()
        copied = {
            column.key: getattr(template, column.key)
            for column in OrderLine.__table__.columns
            if column.key not in {"id", "line_id", "quote_id"}
        }
        unused = secrets.randbelow(10**9)
        db.session.add(OrderLine(**copied, line_id=unused, quote_id=quote.id))
    return True


def approve_or_edit(membership_id: int, number: str, run_id: int) -> str:
    """Approve in one process; withdraw and revise the same quote in the other."""
    actor = actor_of(membership_id)
    if run_id:
        run = db.session.get(ApprovalRun, run_id)
        assert run is not None
        content_hash = run.content_hash
        decide(actor, run_id, Answer("approve"), "fine", content_hash, LATER)
        return "approved"
    quotes.withdraw_quote(actor, number, LATER)
    return "withdrawn"


def settle_unguarded(_membership_id: int, number: str, wanted: str) -> bool:
    """Read a quote's state, then write another: what no action may do. Says whether it wrote."""
    before = db.session.scalar(select(Quote.status).where(Quote.number == number))
    db.session.rollback()
    if before not in {QuoteStatus.DRAFT, QuoteStatus.IN_APPROVAL}:
        return False
    with transaction():
        db.session.execute(
            update(Quote).where(Quote.number == number).values(status=QuoteStatus(wanted))
        )
    return True


def count(verb: str, number: str) -> int:
    db.session.rollback()
    statement = select(func.count()).where(Event.verb == verb, Event.number == number)
    return db.session.scalar(statement) or 0


def test_two_presses_of_submit_are_one_submission(database: Database, buyer: Actor) -> None:
    drafts = [draft(buyer) for _ in range(ROUNDS)]
    lanes = [(buyer.membership_id, quote.number, quote.version) for quote in drafts]
    db.session.rollback()

    outcomes = race(database, submit, [[lane, lane] for lane in lanes])

    assert all(item.is_done for together in outcomes for item in together)
    assert [count("quote.submitted", quote.number) for quote in drafts] == [1] * ROUNDS
    assert not list(verify_chains())


def test_the_same_form_from_two_processes_makes_one_order(database: Database, buyer: Actor) -> None:
    numbers = [approved(buyer) for _ in range(ROUNDS)]
    lanes = [(buyer.membership_id, number, f"form of {number}") for number in numbers]
    db.session.rollback()

    outcomes = race(database, order, [[lane, lane] for lane in lanes])

    assert all(one == other and one.is_done for one, other in outcomes)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Order)) == ROUNDS


def test_two_forms_never_order_more_than_was_quoted(database: Database, buyer: Actor) -> None:
    numbers = [approved(buyer) for _ in range(ROUNDS)]
    db.session.rollback()

    outcomes = race(
        database,
        order,
        [
            [(buyer.membership_id, number, f"{number} {form}") for form in "ab"]
            for number in numbers
        ],
    )

    assert [sum(item.is_done for item in together) for together in outcomes] == [1] * ROUNDS
    db.session.rollback()
    taken = db.session.execute(
        select(OrderLine.quote_id, func.sum(OrderLine.quantity)).group_by(OrderLine.quote_id)
    ).all()
    assert [quantity for _, quantity in taken] == [QUANTITY] * ROUNDS
    assert not list(verify_chains())


def test_an_approval_and_a_withdrawal_at_once_never_both_count(
    database: Database, buyer: Actor
) -> None:
    approver = Cast().acme.approver
    numbers, lanes = [], []
    for _ in range(ROUNDS):
        # Two ask one approver; more would in sum reach the rule about thirty days and ask another.
        quote = draft(buyer, "LT-0001", Decimal(2))
        quotes.submit_quote(buyer, quote.number, quote.version, {}, NOW)
        run = db.session.scalars(select(ApprovalRun.id).order_by(ApprovalRun.id.desc())).first()
        numbers.append(quote.number)
        lanes.append(
            [(approver.membership_id, quote.number, run), (buyer.membership_id, quote.number, 0)]
        )
    db.session.rollback()

    outcomes = race(database, approve_or_edit, lanes)

    db.session.rollback()
    states = dict(db.session.execute(select(Quote.number, Quote.status)).all())
    for number, (decided, taken_back) in zip(numbers, outcomes, strict=True):
        assert decided.is_done != taken_back.is_done, (number, decided, taken_back)
        wanted = QuoteStatus.APPROVED if decided.is_done else QuoteStatus.WITHDRAWN
        assert states[number] is wanted


@pytest.mark.parametrize("wanted", [("approved", "approved"), ("approved", "withdrawn")])
def test_without_the_guard_two_submissions_or_an_approval_and_an_edit_both_count(
    database: Database, buyer: Actor, wanted: tuple[str, str]
) -> None:
    """The negative control of submitting twice, and of approving against withdrawing."""
    numbers = [draft(buyer).number for _ in range(ROUNDS)]
    db.session.rollback()

    outcomes = race(
        database,
        settle_unguarded,
        [[(buyer.membership_id, number, state) for state in wanted] for number in numbers],
    )

    assert sum(all(item.value for item in together) for together in outcomes) > ROUNDS // 10


def test_without_the_guard_a_quote_is_ordered_twice(database: Database, buyer: Actor) -> None:
    """The negative control: two processes do meet between reading and writing."""
    numbers = [approved(buyer) for _ in range(ROUNDS)]
    convert_quote(buyer, approved(buyer), {1: Decimal(1)}, key="template", now=LATER)
    db.session.rollback()

    outcomes = race(
        database,
        convert_unguarded,
        [[(buyer.membership_id, number, "")] * 2 for number in numbers],
    )

    doubled = sum(all(item.value for item in together) for together in outcomes)
    assert doubled > ROUNDS // 10
