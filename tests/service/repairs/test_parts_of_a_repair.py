"""Parts: free under warranty, else approved on a quote first; the ledger of the stock follows."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.catalog.stock.actions import receive_stock
from portal.catalog.stock.models import StockLevel, StockMove
from portal.catalog.stock.queries import find_availability, find_reserved
from portal.catalog.stock.rules import Availability, Store
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.messages.models import Message
from portal.orders.actions import Terms, order_quote
from portal.orders.answering import confirm_order
from portal.orders.models import Order
from portal.orders.progress import Packed
from portal.orders.shipping import Parcel, ship_order
from portal.orders.validating import validate_orders
from portal.quotes import actions as quotes
from portal.quotes.adding import add_lines
from portal.quotes.edits import DraftEdits
from portal.quotes.models import Quote
from portal.quotes.queries import current_draft, get_quote
from portal.quotes.rules import QuoteStatus
from portal.service.assets.rules import Cover, Covered
from portal.service.cases.queries import get_case
from portal.service.repairs.actions import Words, take_step
from portal.service.repairs.models import Repair, RepairPart
from portal.service.repairs.parts import WantedPart, add_part, remove_part, use_part
from portal.service.repairs.queries import get_current
from portal.service.repairs.rules import (
    EstimateFixedError,
    Move,
    NoPayerError,
    PartsNotChangeableError,
    PartStatus,
    PartsWaitError,
    RepairStatus,
    UnknownPartError,
    approved_parts,
    is_free,
    lying_for,
)
from tests.service.assets.conftest import places
from tests.service.desk import BusinessRows
from tests.service.repairs.conftest import Bring

SKU = "KB-0001"
Add = Callable[..., RepairPart]
StockUp = Callable[[str, int], int]


@pytest.fixture
def add(cast: Cast, case_number: str, now: datetime) -> Add:
    def one(sku: str = SKU, quantity: int = 1, key: str = "p", **more: int | None) -> RepairPart:
        wanted = WantedPart(sku=sku, quantity=Decimal(quantity), **more)
        return add_part(cast.supplier.service_agent, case_number, wanted, key=key, now=now)

    return one


@pytest.fixture
def step(cast: Cast, case_number: str, now: datetime) -> Callable[[Move], Repair]:
    def one(move: Move) -> Repair:
        agent = cast.supplier.service_agent
        version = get_current(get_case(agent, case_number)).version
        return take_step(agent, case_number, move, Words(note="x"), version=version, now=now)

    return one


def _there(product_id: int) -> Availability:
    return find_availability([product_id], store=Store.REPAIR)[product_id]


def _ledger_agrees(product_id: int) -> bool:
    """Whether what is on hand and reserved is what the ledger's lines add up to."""
    moved, kept = db.session.execute(
        select(func.sum(StockMove.on_hand_change), func.sum(StockMove.reserved_change)).where(
            StockMove.product_id == product_id, StockMove.store == Store.REPAIR
        )
    ).one()
    there = _there(product_id)
    return (Decimal(moved), Decimal(kept)) == (there.on_hand, there.reserved)


def test_under_warranty_a_part_is_reserved_at_once_and_used_by_the_test(
    bring: Bring, add: Add, step: Callable[[Move], Repair], stock_up: StockUp
) -> None:
    product = stock_up(SKU, 5)
    before = _there(product)
    bring(Move.RECEIVE, Move.DIAGNOSE)

    part = add(quantity=2)

    assert (part.is_free, part.status, part.quote_id) == (True, PartStatus.RESERVED, None)
    assert add(quantity=2).id == part.id, "the same form adds nothing twice"
    assert _there(product).available == before.available - 2
    step(Move.START)
    repair = step(Move.PASS)
    assert [item.status for item in repair.parts] == [PartStatus.USED]
    assert _there(product) == Availability(before.on_hand - 2, before.reserved)
    assert _ledger_agrees(product)


def test_a_part_that_is_not_here_lets_the_repair_wait_until_it_comes(
    bring: Bring, add: Add, step: Callable[[Move], Repair], stock_up: StockUp
) -> None:
    product = stock_up(SKU, 1)
    more = int(_there(product).on_hand) + 2
    bring(Move.RECEIVE, Move.DIAGNOSE)
    assert add(quantity=more).repair.status is RepairStatus.WAITING

    with pytest.raises(PartsWaitError, match=SKU):
        step(Move.START)
    stock_up(SKU, 2)

    assert step(Move.START).status is RepairStatus.IN_REPAIR


@pytest.mark.usefixtures("out_of_warranty")
def test_a_charged_part_is_approved_by_the_customer_then_reserved_then_used(  # noqa: PLR0913, PLR0917 - the whole way
    bring: Bring,
    add: Add,
    step: Callable[[Move], Repair],
    stock_up: StockUp,
    cast: Cast,
    case_number: str,
    now: datetime,
) -> None:
    product = stock_up(SKU, 3)
    before = _there(product)
    bring(Move.RECEIVE, Move.DIAGNOSE)
    buyer, agent = cast.acme.buyer, cast.supplier.service_agent

    part = add()

    assert (part.status, part.is_free) == (PartStatus.QUOTED, False)
    assert _there(product) == before, "nothing is kept before it is approved"
    quote = get_quote(buyer, _number(part))
    assert quote.membership_id == buyer.membership_id
    assert [item.membership_id for item in quote.current.requesters] == [buyer.membership_id]
    assert current_draft(buyer) is None, "the catalogue does not add to it by itself"
    mail = _last_mail("repair_estimate")
    assert (mail.path, mail.membership_id) == (f"/quotes/{quote.number}", buyer.membership_id)
    assert get_current(get_case(agent, case_number)).status is RepairStatus.WAITING
    with pytest.raises(PartsWaitError):
        step(Move.START)

    assert _submit(cast, quote.number, now).status is QuoteStatus.APPROVED

    repair = get_current(get_case(agent, case_number))
    assert [item.status for item in repair.parts] == [PartStatus.RESERVED]
    assert find_reserved(("repair", repair.id), store=Store.REPAIR) == {product: Decimal(1)}
    assert _last_mail("repair_estimate_approved").membership_id == agent.membership_id
    step(Move.START)
    use_part(agent, case_number, part.id, now=now)
    use_part(agent, case_number, part.id, now=now)
    assert _there(product) == Availability(before.on_hand - 1, before.reserved)
    assert _ledger_agrees(product)


def _number(part: RepairPart) -> str:
    return db.session.get_one(Quote, part.quote_id).number


def _submit(cast: Cast, number: str, now: datetime) -> Quote:
    buyer = cast.acme.buyer
    quote = get_quote(buyer, number)
    quote = quotes.save_draft(buyer, number, quote.version, places(buyer), now)
    quotes.submit_quote(buyer, number, quote.version, {}, now)
    return get_quote(buyer, number)


def _last_mail(kind: str) -> Message:
    statement = select(Message).where(Message.kind == kind).order_by(Message.id.desc())
    return db.session.scalars(statement.limit(1)).one()


@pytest.mark.usefixtures("out_of_warranty")
def test_the_same_button_extends_one_draft_and_what_the_owner_takes_off_is_refused(
    bring: Bring, add: Add, stock_up: StockUp, cast: Cast, case_number: str, now: datetime
) -> None:
    stock_up(SKU, 3)
    bring(Move.RECEIVE, Move.DIAGNOSE)
    first, second = add(key="1"), add("MN-0001", key="2")
    assert first.quote_id == second.quote_id
    number, buyer = _number(first), cast.acme.buyer
    quote = get_quote(buyer, number)
    line = next(line for line in quote.current.lines if line.sku == "MN-0001")
    edits = DraftEdits(removed=frozenset({line.line_id}))
    quotes.save_draft(buyer, number, quote.version, edits, now)

    _submit(cast, number, now)

    repair = get_current(get_case(cast.supplier.service_agent, case_number))
    assert [(item.sku, item.status) for item in repair.parts] == [
        (SKU, PartStatus.RESERVED),
        ("MN-0001", PartStatus.REFUSED),
    ]


@pytest.mark.usefixtures("out_of_warranty")
def test_a_discarded_estimate_refuses_its_parts_and_the_next_goes_on_a_new_quote(
    bring: Bring, add: Add, cast: Cast, now: datetime
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE)
    part = add(key="1")

    quotes.discard_quote(cast.acme.buyer, _number(part), now)

    assert db.session.get_one(RepairPart, part.id).status is PartStatus.REFUSED
    assert _last_mail("repair_estimate_refused").data["refused"] == [part.name]
    assert add(key="2").quote_id != part.quote_id


@pytest.mark.usefixtures("out_of_warranty")
def test_a_part_comes_off_the_draft_but_not_off_a_submitted_quote(
    bring: Bring, add: Add, cast: Cast, case_number: str, now: datetime
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE)
    agent, buyer = cast.supplier.service_agent, cast.acme.buyer
    one, two = add(key="1", quantity=2), add(key="2")

    remove_part(agent, case_number, two.id, now=now)

    assert [line.quantity for line in get_quote(buyer, _number(one)).current.lines] == [2]
    big = add("LT-0001", 4, key="3")
    assert _submit(cast, _number(big), now).status is QuoteStatus.IN_APPROVAL
    with pytest.raises(EstimateFixedError):
        remove_part(agent, case_number, big.id, now=now)


@pytest.mark.usefixtures("out_of_warranty")
def test_who_may_not_buy_is_not_asked_to(
    cast: Cast,
    bring: Bring,
    add: Add,
    business_rows: BusinessRows,
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE)
    before = business_rows()

    for payer in (cast.acme.viewer, cast.hanbit.buyer):
        with pytest.raises(NoPayerError):
            add(payer_id=payer.membership_id)

    assert business_rows() == before
    part = add(payer_id=cast.acme.shopper.membership_id)
    assert get_quote(cast.acme.shopper, _number(part)).membership_id == (
        cast.acme.shopper.membership_id
    )
    assert _last_mail("repair_estimate_elsewhere").membership_id == cast.acme.buyer.membership_id


@pytest.mark.usefixtures("out_of_warranty")
def test_a_part_is_not_taken_from_the_goods_for_sale_once_more(
    bring: Bring, add: Add, stock_up: StockUp, cast: Cast, case_number: str, now: datetime
) -> None:
    """Two pieces go into the repair, the third was added by the buyer: only that one is sold."""
    product = stock_up(SKU, 5)
    desk, buyer = cast.supplier.order_desk, cast.acme.buyer
    receive_stock(desk, SKU, "BERLIN", Decimal(5), now=now)
    for_sale = _for_sale(product)
    bring(Move.RECEIVE, Move.DIAGNOSE)
    number = _number(add(quantity=2))
    add_lines(buyer, number, [(SKU, Decimal(1), None)], now)
    assert _submit(cast, number, now).status is QuoteStatus.APPROVED

    first, second = (_order(cast, number, pieces, now) for pieces in (1, 2))

    assert [order.lines[0].workshop for order in (first, second)] == [1, 1]
    checked = validate_orders([second])[second.id]
    assert checked.stock[0].there == for_sale.available + 1, "the workshop's piece is there, too"
    for order in (first, second):
        confirm_order(desk, order.number, now=now)
    assert find_reserved(("order", first.id)) == {}
    assert find_reserved(("order", second.id)) == {product: Decimal(1)}
    for order in (first, second):
        packed = {line.id: Packed(line.quantity) for line in order.lines}
        ship_order(desk, order.number, packed, Parcel(), key=order.number, now=now)
    assert _for_sale(product) == Availability(for_sale.on_hand - 1, for_sale.reserved)
    repair = get_current(get_case(cast.supplier.service_agent, case_number))
    assert find_reserved(("repair", repair.id), store=Store.REPAIR) == {product: Decimal(2)}


@pytest.mark.usefixtures("out_of_warranty")
@pytest.mark.parametrize("way", ["given back", "given up"])
def test_what_the_workshop_gives_back_after_the_order_comes_from_the_goods_for_sale(  # noqa: PLR0913, PLR0917 - the whole way
    bring: Bring,
    add: Add,
    step: Callable[[Move], Repair],
    stock_up: StockUp,
    cast: Cast,
    case_number: str,
    now: datetime,
    way: str,
) -> None:
    product, desk = stock_up(SKU, 5), cast.supplier.order_desk
    bring(Move.RECEIVE, Move.DIAGNOSE)
    part = add(quantity=3)
    assert _submit(cast, _number(part), now).status is QuoteStatus.APPROVED
    placed, confirmed = (_order(cast, _number(part), pieces, now) for pieces in (1, 2))
    confirm_order(desk, confirmed.number, now=now)
    assert [order.lines[0].workshop for order in (placed, confirmed)] == [1, 2]

    give_back = partial(remove_part, cast.supplier.service_agent, case_number, part.id, now=now)
    give_back() if way == "given back" else step(Move.GIVE_UP)

    assert find_reserved(("order", confirmed.id)) == {product: Decimal(2)}
    assert find_reserved(("order", placed.id)) == {}, "nobody has confirmed it yet"
    confirm_order(desk, placed.number, now=now)
    assert find_reserved(("order", placed.id)) == {product: Decimal(1)}


def _for_sale(product_id: int) -> Availability:
    found = find_availability([product_id])[product_id]
    return Availability(found.on_hand, found.reserved)


def _order(cast: Cast, number: str, pieces: int, now: datetime) -> Order:
    [line] = get_quote(cast.acme.buyer, number).current.lines
    terms = Terms(purchase_order_number=f"PO-{pieces}")
    wanted = {line.line_id: Decimal(pieces)}
    return order_quote(cast.acme.buyer, number, wanted, terms, key=f"k{pieces}", now=now)


def test_what_was_reserved_is_given_back_when_the_repair_is_given_up(
    bring: Bring, add: Add, step: Callable[[Move], Repair], stock_up: StockUp
) -> None:
    product = stock_up(SKU, 2)
    before = _there(product)
    bring(Move.RECEIVE, Move.DIAGNOSE)
    add()

    repair = step(Move.GIVE_UP)

    assert [item.status for item in repair.parts] == [PartStatus.GIVEN_BACK]
    assert _there(product) == before
    assert _ledger_agrees(product)


def test_a_used_part_goes_back_to_the_shelf_from_which_it_came(  # noqa: PLR0913, PLR0917 - the whole way
    bring: Bring,
    add: Add,
    step: Callable[[Move], Repair],
    stock_up: StockUp,
    cast: Cast,
    case_number: str,
    now: datetime,
) -> None:
    product = stock_up(SKU, 9)
    before = _levels(product)
    agent = cast.supplier.service_agent
    bring(Move.RECEIVE, Move.DIAGNOSE)
    part = add()
    step(Move.START)
    use_part(agent, case_number, part.id, now=now)
    assert _levels(product) != before

    remove_part(agent, case_number, part.id, now=now)

    assert _levels(product) == before
    assert _ledger_agrees(product)


def _levels(product_id: int) -> dict[str, Decimal]:
    statement = select(StockLevel.location_code, StockLevel.on_hand).where(
        StockLevel.product_id == product_id, StockLevel.store == Store.REPAIR
    )
    return dict(db.session.execute(statement).all())


def test_parts_are_added_by_the_service_between_diagnosis_and_test_alone(
    bring: Bring, add: Add, cast: Cast, case_number: str, now: datetime
) -> None:
    bring(Move.RECEIVE)
    with pytest.raises(PartsNotChangeableError):
        add()
    bring(Move.DIAGNOSE)
    with pytest.raises(UnknownPartError):
        add("NO-SUCH")
    with pytest.raises(NotAllowedError):
        add_part(
            cast.acme.buyer,
            case_number,
            WantedPart(sku=SKU, quantity=Decimal(1)),
            key="b",
            now=now,
        )


@pytest.mark.usefixtures("out_of_warranty")
def test_an_estimate_is_no_place_for_what_the_buyer_adds_meanwhile(
    bring: Bring, add: Add, cast: Cast, now: datetime
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE)
    estimate = _number(add())

    bought = add_lines(cast.acme.buyer, None, [("MN-0002", Decimal(1), None)], now)

    assert bought.number != estimate


def test_what_pays_for_parts_does_not_pay_for_labour_unless_it_says_so() -> None:
    parts_only = Cover(is_covered=True, covers=(Covered.PARTS,))
    ended = Cover(is_covered=False, covers=(Covered.PARTS, Covered.LABOUR))

    assert is_free([parts_only])
    assert is_free([ended, parts_only]), "what held when the fault was reported still pays"
    assert not is_free([parts_only], "labour")
    assert not is_free([ended], "labour")
    assert is_free([parts_only], "nonsense"), "what says nothing known of itself is a part"


quantities = st.integers(1, 9).map(Decimal)


@given(st.lists(quantities, max_size=6), st.integers(0, 30).map(Decimal))
def test_nobody_is_promised_what_lies_there_for_somebody_earlier(
    wants: list[Decimal], on_hand: Decimal
) -> None:
    shares = [
        lying_for(on_hand, [(index == mine, want) for index, want in enumerate(wants)], wants[mine])
        for mine in range(len(wants))
    ]

    assert sum(shares) == min(sum(wants), on_hand)
    assert all(0 <= share <= want for share, want in zip(shares, wants, strict=True))


@given(st.lists(quantities, max_size=6), st.integers(0, 30).map(Decimal))
def test_never_more_parts_are_reserved_than_were_approved(
    wants: list[Decimal], approved: Decimal
) -> None:
    parts = [(index, SKU, want) for index, want in enumerate(wants)]

    paid = approved_parts(parts, {SKU: approved})

    assert sum(wants[index] for index in paid) <= approved
    if sum(wants) <= approved:
        assert paid == set(range(len(wants)))
