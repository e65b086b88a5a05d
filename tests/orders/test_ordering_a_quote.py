"""Converting and placing: what is ordered is what was approved, once, and never more."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.events.queries import find_events, verify_chains
from portal.lifecycle import IllegalMoveError
from portal.messages.models import Message
from portal.orders.actions import (
    KeyReusedError,
    ReasonNeededError,
    Terms,
    cancel_order,
    confirm_order,
    convert_quote,
    decline_order,
    discard_order,
    order_quote,
    place_order,
)
from portal.orders.models import Order
from portal.orders.proof import NotApprovedError, ProofMissingError, QuoteExpiredError
from portal.orders.queries import OrderNotFoundError, get_order
from portal.orders.rules import (
    OrderStatus,
    PurchaseOrderDoubleError,
    PurchaseOrderNeededError,
    PurchaseOrderWarningError,
    QuantityNotOpenError,
    WholeOnlyError,
)
from portal.quotes import actions as quotes
from portal.quotes.models import Quote, QuoteLine
from portal.quotes.queries import QuoteNotFoundError, get_quote
from portal.quotes.rules import QuoteStatus

MakeQuote = Callable[..., Quote]
Rows = Callable[[], dict[str, tuple[int, str]]]
PO = Terms(purchase_order_number="4500000001")


def line_of(quote: Quote) -> QuoteLine:
    return quote.current.lines[0]


def test_a_part_is_ordered_and_the_rest_stays_open(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    quote = approved()
    line = line_of(quote)

    order = order_quote(
        cast.acme.buyer, quote.number, {line.line_id: Decimal(4)}, PO, key="k", now=now
    )

    assert order.status is OrderStatus.PLACED
    assert order.purchase_order_number == "4500000001"
    assert [(item.sku, item.quantity, item.unit_price) for item in order.lines] == [
        (line.sku, Decimal(4), line.unit_price)
    ]
    assert order.lines_total == sum(item.line_total for item in order.lines)
    assert order.content_hash == quote.current.content_hash
    assert get_quote(cast.acme.buyer, quote.number).status is QuoteStatus.PARTLY_ORDERED


def test_ordering_the_rest_makes_the_quote_ordered_and_freight_is_charged_once(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line = line_of(quote)

    first = convert_quote(buyer, quote.number, {line.line_id: Decimal(4)}, key="a", now=now)
    second = convert_quote(buyer, quote.number, {line.line_id: Decimal(6)}, key="b", now=now)

    place_order(buyer, first.number, PO, key="p", now=now)

    assert first.freight == quote.current.freight
    assert second.freight == 0
    assert get_quote(buyer, quote.number).status is QuoteStatus.ORDERED


def test_never_more_than_what_is_open(
    cast: Cast, approved: MakeQuote, now: datetime, business_rows: Rows
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line = line_of(quote)
    convert_quote(buyer, quote.number, {line.line_id: Decimal(8)}, key="a", now=now)
    before = business_rows()

    with pytest.raises(QuantityNotOpenError, match="3 asked for, 2"):
        convert_quote(buyer, quote.number, {line.line_id: Decimal(3)}, key="b", now=now)

    assert business_rows() == before


def test_the_same_form_sent_twice_makes_one_order(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    part = {line_of(quote).line_id: Decimal(4)}

    first = order_quote(buyer, quote.number, part, PO, key="same", now=now)
    again = order_quote(buyer, quote.number, part, PO, key="same", now=now)

    assert again.number == first.number
    count = select(func.count()).select_from(Order).where(Order.quote_id == quote.id)
    assert db.session.scalar(count) == 1


def test_a_key_that_comes_back_with_other_content_is_refused(
    cast: Cast, approved: MakeQuote, now: datetime, business_rows: Rows
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line_id = line_of(quote).line_id
    convert_quote(buyer, quote.number, {line_id: Decimal(4)}, key="same", now=now)
    before = business_rows()

    with pytest.raises(KeyReusedError, match="already used for order"):
        convert_quote(buyer, quote.number, {line_id: Decimal(5)}, key="same", now=now)

    assert business_rows() == before


def test_discarding_a_draft_gives_its_quantities_back(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    part = {line_of(quote).line_id: Decimal(10)}
    draft = convert_quote(buyer, quote.number, part, key="a", now=now)

    discard_order(buyer, draft.number, now=now)

    assert get_quote(buyer, quote.number).status is QuoteStatus.APPROVED
    convert_quote(buyer, quote.number, part, key="b", now=now)


def test_an_expired_quote_is_not_ordered_and_nothing_changes(
    cast: Cast, approved: MakeQuote, business_rows: Rows
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    valid_until = quote.current.valid_until
    assert valid_until is not None
    before = business_rows()

    with pytest.raises(QuoteExpiredError, match="no longer hold"):
        order_quote(
            buyer, quote.number, {line_of(quote).line_id: Decimal(1)}, PO, key="k", now=valid_until
        )

    assert business_rows() == before
    last_moment = valid_until - timedelta(seconds=1)
    order_quote(
        buyer, quote.number, {line_of(quote).line_id: Decimal(1)}, PO, key="k", now=last_moment
    )


def test_validity_is_checked_again_when_a_draft_is_placed(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    draft = convert_quote(
        buyer, quote.number, {line_of(quote).line_id: Decimal(1)}, key="k", now=now
    )
    assert quote.current.valid_until is not None

    with pytest.raises(QuoteExpiredError):
        place_order(buyer, draft.number, PO, key="p", now=quote.current.valid_until)

    assert get_order(buyer, draft.number).status is OrderStatus.DRAFT


def test_content_that_differs_from_what_was_approved_is_not_ordered(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line = line_of(quote)
    with transaction():
        db.session.execute(
            update(QuoteLine).where(QuoteLine.id == line.id).values(unit_price=Decimal("0.01"))
        )

    with pytest.raises(ProofMissingError, match="no valid approval"):
        convert_quote(buyer, quote.number, {line.line_id: Decimal(1)}, key="k", now=now)


def test_a_quote_in_revision_is_not_ordered(cast: Cast, approved: MakeQuote, now: datetime) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line_id = line_of(quote).line_id
    quotes.revise_quote(buyer, quote.number, now)

    with pytest.raises((NotApprovedError, IllegalMoveError)):
        convert_quote(buyer, quote.number, {line_id: Decimal(1)}, key="k", now=now)


def test_a_shopper_and_another_buyer_can_not_order_what_they_may_see(
    cast: Cast, approved: MakeQuote, now: datetime, business_rows: Rows
) -> None:
    quote = approved()
    part = {line_of(quote).line_id: Decimal(1)}
    before = business_rows()

    with pytest.raises(NotAllowedError):
        convert_quote(cast.acme.viewer, quote.number, part, key="k", now=now)

    assert business_rows() == before


def test_another_account_s_buyer_finds_neither_quote_nor_order(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    quote = approved()
    part = {line_of(quote).line_id: Decimal(1)}
    order = order_quote(cast.acme.buyer, quote.number, part, PO, key="k", now=now)

    with pytest.raises(QuoteNotFoundError):
        convert_quote(cast.hanbit.buyer, quote.number, part, key="k", now=now)
    with pytest.raises(OrderNotFoundError):
        get_order(cast.hanbit.buyer, order.number)


def test_the_supplier_sees_an_order_only_once_it_is_placed(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    draft = convert_quote(
        buyer, quote.number, {line_of(quote).line_id: Decimal(1)}, key="k", now=now
    )

    with pytest.raises(OrderNotFoundError):
        get_order(cast.supplier.order_desk, draft.number)
    place_order(buyer, draft.number, PO, key="p", now=now)
    assert get_order(cast.supplier.order_desk, draft.number).status is OrderStatus.PLACED


def test_the_desk_confirms_and_the_buyer_is_told(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    part = {line_of(quote).line_id: Decimal(1)}
    order = order_quote(buyer, quote.number, part, PO, key="k", now=now)

    confirm_order(cast.supplier.order_desk, order.number, now=now)

    kinds = db.session.execute(
        select(Message.kind, Message.membership_id).where(Message.path == f"/orders/{order.number}")
    ).all()
    assert ("order_confirmed", buyer.membership_id) in kinds
    verbs = [event.verb for event in find_events(order.account_id, [("order", order.id)])]
    assert verbs == ["order.created", "order.placed", "order.confirmed"]
    assert not list(verify_chains())


def test_a_declined_order_says_why_and_opens_its_quantities(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, desk, quote = cast.acme.buyer, cast.supplier.order_desk, approved()
    part = {line_of(quote).line_id: Decimal(10)}
    order = order_quote(buyer, quote.number, part, PO, key="k", now=now)

    with pytest.raises(ReasonNeededError):
        decline_order(desk, order.number, reason="  ", now=now)
    decline_order(desk, order.number, reason="Not in stock before June", now=now)

    assert get_order(buyer, order.number).reason == "Not in stock before June"
    assert get_quote(buyer, quote.number).status is QuoteStatus.APPROVED


def test_a_buyer_cancels_until_the_supplier_confirms(
    cast: Cast, approved: MakeQuote, now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line_id = line_of(quote).line_id
    first = order_quote(buyer, quote.number, {line_id: Decimal(5)}, PO, key="a", now=now)
    other = Terms(purchase_order_number="4500000002")
    second = order_quote(buyer, quote.number, {line_id: Decimal(5)}, other, key="b", now=now)
    confirm_order(cast.supplier.order_desk, second.number, now=now)

    cancel_order(buyer, first.number, reason="", now=now)

    with pytest.raises(IllegalMoveError, match="is confirmed"):
        cancel_order(buyer, second.number, reason="", now=now)
    assert get_quote(buyer, quote.number).status is QuoteStatus.PARTLY_ORDERED


def test_a_required_purchase_order_number_keeps_everything_as_it_was(
    cast: Cast, approved: MakeQuote, now: datetime, business_rows: Rows
) -> None:
    quote = approved()
    before = business_rows()

    with pytest.raises(PurchaseOrderNeededError):
        order_quote(
            cast.acme.buyer,
            quote.number,
            {line_of(quote).line_id: Decimal(1)},
            Terms(),
            key="k",
            now=now,
        )

    assert business_rows() == before


@pytest.mark.parametrize(
    ("rule", "refusal"),
    [("warn", PurchaseOrderWarningError), ("refuse", PurchaseOrderDoubleError)],
)
def test_a_purchase_order_number_used_before_is_questioned_or_refused(
    cast: Cast,
    approved: MakeQuote,
    now: datetime,
    set_account: Callable[..., None],
    rule: str,
    refusal: type[Exception],
) -> None:
    set_account(purchase_order_duplicates=rule)
    buyer, quote = cast.acme.buyer, approved()
    line_id = line_of(quote).line_id
    order_quote(buyer, quote.number, {line_id: Decimal(1)}, PO, key="a", now=now)

    with pytest.raises(refusal, match="4500000001"):
        order_quote(buyer, quote.number, {line_id: Decimal(1)}, PO, key="b", now=now)

    sure = Terms(purchase_order_number="4500000001", accept_duplicate=True)
    if rule == "warn":
        order_quote(buyer, quote.number, {line_id: Decimal(1)}, sure, key="b", now=now)
    else:
        with pytest.raises(refusal):
            order_quote(buyer, quote.number, {line_id: Decimal(1)}, sure, key="b", now=now)


def test_an_account_that_orders_whole_quotes_only_gets_no_part(
    cast: Cast, approved: MakeQuote, now: datetime, set_account: Callable[..., None]
) -> None:
    set_account(partial_orders="whole")
    quote = approved()

    with pytest.raises(WholeOnlyError):
        convert_quote(
            cast.acme.buyer, quote.number, {line_of(quote).line_id: Decimal(9)}, key="k", now=now
        )
