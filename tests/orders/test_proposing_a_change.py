"""A change that the desk proposes: what the buyer may accept alone, and what needs an approval."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.catalog.models import Product
from portal.catalog.stock.models import StockReservation
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import DomainError, NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.orders.acting import ReasonNeededError
from portal.orders.actions import Terms, cancel_order, order_quote
from portal.orders.answering import confirm_order, suggest_promises
from portal.orders.fulfilment import OrderProposal, ProposalLine
from portal.orders.models import Order
from portal.orders.progress import Promise
from portal.orders.proposing import (
    NoSubstituteError,
    NothingLeftError,
    SubstituteQuantityError,
    Wanted,
    accept_change,
    propose_change,
    refuse_change,
    take_back_change,
)
from portal.orders.queries import OrderNotFoundError, find_taken, get_order, load_fulfilment
from portal.orders.rules import OrderStatus, Taken
from portal.quotes.actions import submit_quote
from portal.quotes.queries import get_quote
from portal.quotes.rules import QuoteStatus

PlaceOrder = Callable[..., Order]
Rows = Callable[[], dict[str, object]]
DAY_SOON = date(2026, 11, 26)
SOON = Promise(DAY_SOON)
DAY = timedelta(days=1)


def propose(cast: Cast, order: Order, now: datetime, *wanted: Wanted) -> None:
    propose_change(
        cast.supplier.order_desk,
        order.number,
        {line.id: item for line, item in zip(order.lines, wanted, strict=False)},
        reason="The maker is late.",
        now=now,
    )


def test_a_later_day_and_a_smaller_quantity_need_no_new_approval(
    placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order = placed("MS-0002", quantity=10)
    propose(cast, order, now, Wanted(Decimal(7), Promise(DAY_SOON, Decimal(2), DAY_SOON + DAY)))

    done = accept_change(cast.acme.buyer, order.number, now=now)

    line = done.order.lines[0]
    assert done.quote_number == ""
    assert done.order.status is OrderStatus.CONFIRMED
    assert (line.quantity, line.valid, line.backordered) == (Decimal(10), Decimal(7), Decimal(2))
    assert line.line_total == line.unit_price * 7
    assert done.order.net_total == line.line_total + done.order.freight
    assert find_taken(order.quote_id) == {line.line_id: Taken(Decimal(7), Decimal(0))}
    assert get_quote(cast.acme.buyer, order.quote.number).status is QuoteStatus.PARTLY_ORDERED


def test_another_product_goes_through_the_next_revision_and_the_rest_is_confirmed(
    placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    buyer = cast.acme.buyer
    order = placed("MS-0002", "KB-0004", quantity=10)
    keep = Wanted(Decimal(10), SOON)
    propose(cast, order, now, Wanted(Decimal(10), SOON, "MS-0003"), keep)

    done = accept_change(buyer, order.number, now=now)

    mouse, keyboard = done.order.lines
    assert done.order.status is OrderStatus.CONFIRMED
    assert (mouse.valid, mouse.reopened, keyboard.valid) == (Decimal(0), Decimal(10), Decimal(10))
    quote = get_quote(buyer, done.quote_number)
    assert (quote.status, quote.revision) == (QuoteStatus.DRAFT, 2)
    assert [(line.sku, line.quantity) for line in quote.current.lines] == [
        ("KB-0004", Decimal(10)),
        ("MS-0003", Decimal(10)),
    ]
    new = next(line for line in quote.current.lines if line.sku == "MS-0003")
    assert new.seen_price not in {None, mouse.unit_price}, "it is priced as of today, by itself"


def test_a_substitute_does_not_take_over_what_the_other_product_lacks(
    placed: PlaceOrder, stocked: Callable[..., None], cast: Cast, now: datetime
) -> None:
    order = placed("MS-0002", "KB-0004", quantity=5)
    stocked("MS-0002", 2, expected_on=DAY_SOON + 20 * DAY)
    stocked("MS-0003", 100)
    stocked("KB-0004", 100)
    mouse = order.lines[0]
    as_shown = suggest_promises(get_order(cast.supplier.order_desk, order.number), now)[mouse.id]
    assert as_shown.backordered == Decimal(3)

    propose(cast, order, now, Wanted(Decimal(5), as_shown, "MS-0003"))

    [line, _keyboard] = _proposed(order)
    assert (line.sku, line.backordered, line.backorder_on) == ("MS-0003", Decimal(0), None)
    assert line.promised_on is not None
    assert line.promised_on < DAY_SOON + 20 * DAY
    accept_change(cast.acme.buyer, order.number, now=now)
    assert _reserved(order) == {"KB-0004": Decimal(5)}, "nothing stays reserved of the old product"


def _proposed(order: Order) -> list[ProposalLine]:
    return list(
        db.session.scalars(
            select(ProposalLine)
            .join(OrderProposal, OrderProposal.id == ProposalLine.proposal_id)
            .where(OrderProposal.order_id == order.id)
            .order_by(ProposalLine.order_line_id)
        )
    )


def _reserved(order: Order) -> dict[str, Decimal]:
    statement = (
        select(Product.sku, StockReservation.quantity)
        .join(Product, Product.id == StockReservation.product_id)
        .where(StockReservation.subject_kind == "order", StockReservation.subject_id == order.id)
    )
    return dict(db.session.execute(statement).all())


def test_the_substitute_is_ordered_once_the_revision_is_approved(
    placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    buyer = cast.acme.buyer
    order = placed("MS-0002", quantity=5)
    propose(cast, order, now, Wanted(Decimal(5), SOON, "MS-0003"))

    done = accept_change(buyer, order.number, now=now)
    assert done.order.status is OrderStatus.CANCELLED
    quote = get_quote(buyer, done.quote_number)
    submit_quote(buyer, quote.number, quote.version, {}, now)
    quote = get_quote(buyer, quote.number)
    [line] = quote.current.lines
    again = order_quote(
        buyer,
        quote.number,
        {line.line_id: Decimal(5)},
        Terms(purchase_order_number="PO-2"),
        key="again",
        now=now,
    )

    assert (again.status, again.lines[0].sku) == (OrderStatus.PLACED, "MS-0003")


def test_a_larger_quantity_is_content_that_nobody_approved(
    placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order = placed("MS-0002", quantity=10)
    propose(cast, order, now, Wanted(Decimal(12), SOON))

    done = accept_change(cast.acme.buyer, order.number, now=now)

    quote = get_quote(cast.acme.buyer, done.quote_number)
    assert done.order.status is OrderStatus.CANCELLED
    assert [(line.sku, line.quantity) for line in quote.current.lines] == [("MS-0002", Decimal(12))]


def test_a_refused_or_withdrawn_change_leaves_the_order_as_it_was_placed(
    placed: PlaceOrder, cast: Cast, now: datetime
) -> None:
    order, desk = placed("MS-0002", quantity=10), cast.supplier.order_desk

    propose(cast, order, now, Wanted(Decimal(7), SOON))
    refused = refuse_change(cast.acme.buyer, order.number, comment="We need all ten.", now=now)
    propose(cast, order, now, Wanted(Decimal(8), SOON))
    back = take_back_change(desk, order.number, now=now)

    assert refused.status is back.status is OrderStatus.PLACED
    assert back.lines[0].valid == 10
    assert [item.state for item in load_fulfilment(back).proposals] == ["refused", "withdrawn"]
    assert confirm_order(desk, order.number, now=now).lines[0].valid == 10


def test_cancelling_ends_what_was_proposed(placed: PlaceOrder, cast: Cast, now: datetime) -> None:
    order = placed("MS-0002", quantity=10)
    propose(cast, order, now, Wanted(Decimal(7), SOON))

    done = cancel_order(cast.acme.buyer, order.number, reason="", now=now)

    assert done.status is OrderStatus.CANCELLED
    assert [item.state for item in load_fulfilment(done).proposals] == ["withdrawn"]
    with pytest.raises(IllegalMoveError):
        accept_change(cast.acme.buyer, order.number, now=now)


@pytest.mark.parametrize(
    ("wanted", "reason", "refusal"),
    [
        (Wanted(Decimal(10), SOON), " ", ReasonNeededError),
        (Wanted(Decimal(0), SOON), "Ended", NothingLeftError),
        (Wanted(Decimal(10), SOON, "NO-SUCH"), "Ended", NoSubstituteError),
        (Wanted(Decimal(10), SOON, "MS-0002"), "Ended", NoSubstituteError),
        (Wanted(Decimal("0.5"), SOON, "MS-0003"), "Ended", SubstituteQuantityError),
    ],
)
def test_a_proposal_that_says_nothing_useful_is_refused(  # noqa: PLR0913, PLR0917 - fixtures and cases
    placed: PlaceOrder,
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    wanted: Wanted,
    reason: str,
    refusal: type[DomainError],
) -> None:
    order = placed("MS-0002", quantity=10)
    before = business_rows()

    with pytest.raises(refusal):
        propose_change(
            cast.supplier.order_desk,
            order.number,
            {order.lines[0].id: wanted},
            reason=reason,
            now=now,
        )

    assert business_rows() == before


def test_only_who_may_answer_answers(
    placed: PlaceOrder, cast: Cast, now: datetime, business_rows: Rows
) -> None:
    order = placed("MS-0002", quantity=10)
    propose(cast, order, now, Wanted(Decimal(7), SOON))
    before = business_rows()

    for actor in (cast.acme.viewer, cast.acme.approver, cast.supplier.order_desk):
        with pytest.raises(NotAllowedError):
            accept_change(actor, order.number, now=now)
    with pytest.raises(OrderNotFoundError):
        accept_change(cast.hanbit.site_buyer, order.number, now=now)
    assert business_rows() == before

    assert accept_change(cast.acme.site_buyer, order.number, now=now).order.lines[0].valid == 7
    assert get_order(cast.acme.buyer, order.number).status is OrderStatus.CONFIRMED
