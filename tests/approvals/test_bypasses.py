"""Ways around an approval that other products left open; here each one ends in a refusal.

These go the whole way, from the quote to the order. What one function alone refuses has its tests
beside it: deciding (test_deciding), a new revision that keeps approvals (test_keeping_approvals),
naming oneself (test_reassigning_a_step), and among the tests of orders expired and changed content
(test_ordering_a_quote) and changes of an order (test_proposing_a_change); two at once have
test_deciding_at_once.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.accounts.models import Address, CostCentre
from portal.approvals.actions import OwnRequestError, decide
from portal.approvals.models import ApprovalRun
from portal.approvals.policy_import import import_policy_file
from portal.approvals.queries import RunNotFoundError
from portal.approvals.rules import Answer
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import ConflictError, DomainError, NotAllowedError
from portal.orders.actions import Terms, convert_quote, order_quote
from portal.orders.proof import NotApprovedError, QuoteExpiredError
from portal.policy import Actor, operator_actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits, LineEdit
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote
from portal.quotes.rules import QuoteStatus
from tests.stage import PortalClient

Rows = Callable[[], dict[str, tuple[int, str]]]
SignIn = Callable[..., PortalClient]
SKU = "MS-0002"
HERE = "ACME - IT"


class Desk:
    """ACME's buyer and approver under a policy that the test chooses."""

    def __init__(self, cast: Cast, now: datetime) -> None:
        self.cast, self.now, self.buyer = cast, now, cast.acme.buyer

    def policy(self, *rules: dict[str, object]) -> None:
        """Put a policy in force for ACME."""
        operator = operator_actor(
            account_id=self.buyer.account_id,
            account_code="ACME",
            operator="tester",
            time_zone="UTC",
        )
        document = {"account_code": "ACME", "signing_limits": "off", "rules": list(rules)}
        assert import_policy_file(operator, json.dumps(document), self.now).refused == ()

    def over(self, bound: Decimal | int) -> None:
        """Ask the approver for everything above a total."""
        self.policy(asks({"total_over": str(bound)}))

    def draft(self, quantity: int = 10, actor: Actor | None = None) -> Quote:
        """Begin a quote with a place to ship to."""
        who = actor or self.buyer
        quote = quotes.create_quote(who, self.now, title="Around")
        items = [(SKU, Decimal(quantity), None)]
        quote = quotes.add_lines(who, quote.number, items, self.now)
        place = select(Address.id).where(
            Address.account_id == who.account_id, Address.kind == "ship"
        )
        centre = select(CostCentre.id).where(CostCentre.account_id == who.account_id)
        edits = DraftEdits(
            ship_to_address_id=db.session.scalar(place.limit(1)),
            cost_centre_id=db.session.scalar(centre.limit(1)),
        )
        return quotes.save_draft(who, quote.number, quote.version, edits, self.now)

    def submit(self, quote: Quote) -> Quote:
        """Submit a draft and return it as it stands then."""
        quotes.submit_quote(self.buyer, quote.number, quote.version, {}, self.now)
        return get_quote(self.buyer, quote.number)

    def change(self, quote: Quote, quantity: int) -> Quote:
        """Begin the next revision with another quantity."""
        quotes.revise_quote(self.buyer, quote.number, self.now)
        quote = get_quote(self.buyer, quote.number)
        line = quote.current.lines[0].line_id
        edits = DraftEdits(lines={line: LineEdit(quantity=Decimal(quantity))})
        return quotes.save_draft(self.buyer, quote.number, quote.version, edits, self.now)

    def run(self, quote: Quote) -> ApprovalRun:
        """Return the latest run of a quote."""
        found = select(ApprovalRun).where(ApprovalRun.number == quote.number)
        return db.session.scalars(found.order_by(ApprovalRun.id.desc()).limit(1)).one()

    def say(self, quote: Quote, answer: Answer, actor: Actor | None = None) -> Quote:
        """Let the approver, or somebody else, answer."""
        run = self.run(quote)
        who = actor or self.cast.acme.approver
        decide(who, run.id, answer, "Because.", run.content_hash, self.now)
        return get_quote(self.buyer, quote.number)

    def order(self, quote: Quote, at: datetime | None = None) -> None:
        """Order all of a quote."""
        lines = {line.line_id: line.quantity for line in quote.current.lines}
        terms = Terms(purchase_order_number=f"PO-{quote.number}")
        order_quote(self.buyer, quote.number, lines, terms, key=quote.number, now=at or self.now)


def asks(when: dict[str, object], who: str = "approver@acme.example") -> dict[str, object]:
    return {
        "number": 1,
        "name": "Somebody looks",
        "when": when,
        "steps": [{"level": 1, "approvers": {"persons": [who]}, "quorum": "all"}],
    }


@pytest.fixture
def desk(cast: Cast, now: datetime) -> Desk:
    made = Desk(cast, now)
    made.over(0)
    return made


def test_what_is_approved_is_ordered(desk: Desk) -> None:
    """The negative control of everything below."""
    quote = desk.say(desk.submit(desk.draft()), Answer.APPROVE)

    desk.order(quote)

    assert get_quote(desk.buyer, quote.number).status is QuoteStatus.ORDERED


@pytest.mark.parametrize("then", ["order", "count", "draft"])
def test_nobody_orders_by_the_address_alone_what_nobody_approved(
    desk: Desk, sign_in: SignIn, business_rows: Rows, then: str
) -> None:
    never, waiting = desk.draft(), desk.submit(desk.draft())
    buyer = sign_in("buyer@acme.example", membership=HERE)
    before = business_rows()

    for quote in (never, waiting):
        line = quote.current.lines[0].line_id
        sent = {str(line): "10", f"quantity-{line}": "10", "then": then, "key": "k"}
        answer = buyer.post(
            f"/quotes/{quote.number}/convert", data=sent | {"purchase_order_number": "PO-1"}
        )
        assert answer.status_code in {200, 409, 422}, answer.status_code

    assert business_rows() == before


@pytest.mark.parametrize("answer", [Answer.REJECT, Answer.REQUEST_CHANGES])
def test_what_was_declined_is_not_ordered(desk: Desk, business_rows: Rows, answer: Answer) -> None:
    quote = desk.say(desk.submit(desk.draft()), answer)
    before = business_rows()

    with pytest.raises(NotApprovedError):
        desk.order(quote)

    assert business_rows() == before


def test_what_was_never_submitted_or_was_withdrawn_is_not_ordered(
    desk: Desk, now: datetime, business_rows: Rows
) -> None:
    draft, withdrawn = desk.draft(), desk.submit(desk.draft())
    quotes.withdraw_quote(desk.buyer, withdrawn.number, now)
    before = business_rows()

    for quote in (draft, get_quote(desk.buyer, withdrawn.number)):
        with pytest.raises(NotApprovedError):
            desk.order(quote)

    assert business_rows() == before


def test_an_approval_ends_with_the_revision_that_it_was_for(
    desk: Desk, business_rows: Rows
) -> None:
    quote = desk.say(desk.submit(desk.draft(10)), Answer.APPROVE)
    changed = desk.change(quote, 900)
    before = business_rows()

    with pytest.raises(ConflictError):
        desk.order(changed)
    with pytest.raises(ConflictError):
        desk.order(quote)

    assert business_rows() == before
    assert desk.submit(changed).status is QuoteStatus.IN_APPROVAL


def test_a_total_that_is_lowered_and_raised_again_is_asked_about_again(desk: Desk) -> None:
    first = desk.draft(100)
    small = desk.draft(1)
    total = desk.submit(small).current.net_total
    assert total is not None
    desk.over(total * 2)

    quote = desk.say(desk.submit(first), Answer.REQUEST_CHANGES)
    lowered = desk.submit(desk.change(quote, 1))
    assert lowered.status is QuoteStatus.APPROVED, "the small one needs nobody"
    raised = desk.submit(desk.change(lowered, 100))

    assert raised.status is QuoteStatus.IN_APPROVAL
    with pytest.raises(NotApprovedError):
        desk.order(raised)


def test_orders_in_small_pieces_add_up(desk: Desk, now: datetime) -> None:
    one = desk.submit(desk.draft(1)).current.net_total
    assert one is not None
    desk.policy(asks({"requester_total_over": {"amount": str(one * 3), "days": 30}}))

    states = []
    for _piece in range(3):
        quote = desk.submit(desk.draft(1))
        states.append(quote.status)
        if quote.status is QuoteStatus.APPROVED:
            desk.order(quote)

    assert states == [QuoteStatus.APPROVED, QuoteStatus.APPROVED, QuoteStatus.IN_APPROVAL]
    assert now == desk.now


def test_what_is_free_of_charge_is_asked_about_like_everything_else(
    desk: Desk, now: datetime, business_rows: Rows
) -> None:
    desk.policy(asks({"total_over": "0"}), {**asks({"total_up_to": "0"}), "number": 2})
    quote = desk.draft(1)
    line = quote.current.lines[0].line_id
    before = business_rows()

    for quantity in (0, -1):
        edits = DraftEdits(lines={line: LineEdit(quantity=Decimal(quantity))})
        with pytest.raises(DomainError):
            quotes.save_draft(desk.buyer, quote.number, quote.version, edits, now)
    with pytest.raises(DomainError):
        quotes.submit_quote(
            desk.buyer, quote.number, quote.version, {line: Decimal(0)}, now, shown_total=Decimal(0)
        )

    assert business_rows() == before


def test_nothing_is_ordered_of_an_approved_quote_with_quantities_that_cancel_out(
    desk: Desk, now: datetime, business_rows: Rows
) -> None:
    quote = desk.say(desk.submit(desk.draft()), Answer.APPROVE)
    line = quote.current.lines[0].line_id
    before = business_rows()

    for quantity in (0, -1, 11):
        with pytest.raises(DomainError):
            convert_quote(desk.buyer, quote.number, {line: Decimal(quantity)}, key="k", now=now)

    assert business_rows() == before


def test_what_expired_while_it_waited_is_neither_approved_nor_ordered(
    desk: Desk, business_rows: Rows
) -> None:
    approved = desk.say(desk.submit(desk.draft()), Answer.APPROVE)
    waiting = desk.submit(desk.draft())
    end = approved.current.valid_until
    assert end is not None
    run = desk.run(waiting)
    before = business_rows()

    with pytest.raises(QuoteExpiredError):
        desk.order(approved, at=end + timedelta(days=1))
    with pytest.raises(ConflictError):
        decide(desk.cast.acme.approver, run.id, Answer.APPROVE, "", run.content_hash, end)

    assert business_rows() == before


def test_nobody_approves_another_accounts_request(desk: Desk, business_rows: Rows) -> None:
    quote = desk.submit(desk.draft())
    before = business_rows()

    for stranger in (desk.cast.hanbit.approver, desk.cast.hanbit.admin):
        with pytest.raises(RunNotFoundError):
            desk.say(quote, Answer.APPROVE, stranger)
    for helper in (desk.cast.supplier.account_manager, desk.cast.supplier.system_admin):
        with pytest.raises((NotAllowedError, RunNotFoundError)):
            desk.say(quote, Answer.APPROVE, helper)

    assert business_rows() == before


def test_nobody_approves_their_own_request_from_another_unit_either(
    desk: Desk, business_rows: Rows
) -> None:
    """A policy that names the requester finds somebody else; their other membership is they."""
    desk.policy(asks({}, who="buyer@acme.example"))
    quote = desk.submit(desk.draft())
    before = business_rows()

    for own in (desk.cast.acme.buyer, desk.cast.acme.buyer_at_research):
        with pytest.raises((OwnRequestError, RunNotFoundError, NotAllowedError)):
            desk.say(quote, Answer.APPROVE, own)

    assert quote.status is QuoteStatus.IN_APPROVAL
    assert business_rows() == before
