"""An order's page after it was placed, as the desk and the buyer work with it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from html import unescape

import pytest
from sqlalchemy import select

from portal.db import db
from portal.demo.cast import Cast
from portal.jobs.worker import run_due
from portal.mail.rendering import Envelope, render
from portal.messages.models import Message
from portal.orders.answering import change_promises, confirm_order
from portal.orders.cancelling import agree_cancellation, request_cancellation
from portal.orders.delivering import mark_delivered
from portal.orders.lateness import note_late
from portal.orders.models import Order
from portal.orders.progress import Packed, Promise
from portal.orders.proposing import Wanted, accept_change, propose_change
from portal.orders.queries import get_order
from portal.orders.shipping import Parcel, ship_order
from tests.stage import PortalClient

PlaceOrder = Callable[..., Order]
SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, object]]
DESK = "desk@northwind.example"


@pytest.fixture
def order(placed: PlaceOrder, stocked: Callable[..., None]) -> Order:
    stocked("MS-0002", 100)
    stocked("KB-0004", 100)
    return placed("MS-0002", "KB-0004", quantity=10)


@pytest.fixture
def desk(sign_in: SignIn) -> PortalClient:
    return sign_in(DESK)


@pytest.fixture
def buyer(sign_in: SignIn) -> PortalClient:
    return sign_in("buyer@acme.example", membership="ACME - IT")


def far(now: datetime) -> str:
    return f"{now.year + 40}-01-31"


def answer(order: Order, now: datetime, **more: str) -> dict[str, str]:
    """The form of the order desk as the page fills it in, and what somebody changed in it."""
    fields: dict[str, str] = {}
    for line in order.lines:
        fields |= {
            f"quantity-{line.id}": "10",
            f"promised-{line.id}": far(now),
            f"back-{line.id}": "",
            f"backorder-{line.id}": "",
            f"sku-{line.id}": "",
        }
    return fields | {"reason": ""} | more


def test_the_desk_confirms_with_a_day_per_line_and_the_buyer_sees_it(
    order: Order, desk: PortalClient, buyer: PortalClient, now: datetime
) -> None:
    page = desk.get(f"/orders/{order.number}").text
    for words in ("Checks", "credit limit", "Every address is complete.", "Confirm", "Decline"):
        assert words in page
    assert "Propose change" in page

    done = desk.post(f"/orders/{order.number}/confirm", data=answer(order, now))

    assert done.status_code == 303
    seen = buyer.get(f"/orders/{order.number}").text
    assert "Promised and actual dates" in seen
    assert f'datetime="{far(now)}"' in seen
    assert "Order desk" not in seen


def test_a_day_that_is_none_is_said_at_its_field_and_everything_typed_stays(
    order: Order, desk: PortalClient, now: datetime, business_rows: Rows
) -> None:
    first, second = order.lines
    typed = answer(order, now) | {
        f"promised-{first.id}": "soon",
        f"back-{second.id}": "many",
        "reason": "kept",
    }
    before = business_rows()

    page = desk.post(f"/orders/{order.number}/confirm", data=typed)

    assert page.status_code == 422
    text = unescape(page.text)
    assert "Enter a day such as 2026-12-31." in text
    assert "“many” is not a number." in text
    assert 'value="soon"' in text
    assert 'value="many"' in text
    assert "kept</textarea>" in text
    assert "<title>Error:" in text
    assert f'href="#promised-{first.id}"' in text
    assert business_rows() == before


def test_confirm_does_not_change_what_was_ordered(
    order: Order, desk: PortalClient, now: datetime, business_rows: Rows
) -> None:
    typed = answer(order, now) | {f"quantity-{order.lines[0].id}": "7"}
    before = business_rows()

    page = desk.post(f"/orders/{order.number}/confirm", data=typed)

    assert page.status_code == 422
    assert "needs the buyer's word" in unescape(page.text)
    assert business_rows() == before


def test_a_proposal_is_shown_with_its_price_and_leads_to_the_next_revision(
    order: Order, desk: PortalClient, buyer: PortalClient, cast: Cast, now: datetime
) -> None:
    quote_number = get_order(cast.acme.buyer, order.number).quote.number
    typed = answer(order, now) | {f"sku-{order.lines[0].id}": "MS-0003", "reason": "Ended"}
    assert desk.post(f"/orders/{order.number}/propose", data=typed).status_code == 303

    page = unescape(buyer.get(f"/orders/{order.number}").text)
    assert "The supplier proposes a change" in page
    assert "Accepting needs a new approval" in page
    assert "MS-0003" in page
    done = buyer.post(f"/orders/{order.number}/accept-change", data={"comment": "Fine"})

    assert done.status_code == 303
    assert done.location.endswith(f"/quotes/{quote_number}")
    assert "MS-0003" in buyer.get(done.location).text
    assert "confirmed" in buyer.get(f"/orders/{order.number}").text
    timeline = buyer.get(f"/orders/{order.number}").text.split("Timeline")[1]
    accepted, confirmed = (
        timeline.index(words)
        for words in ("Proposed change accepted", "Order confirmed as changed")
    )
    assert confirmed < accepted, "the latest stands first"
    assert "Order confirmed by the supplier" not in timeline


def test_a_refused_proposal_is_the_desk_s_again(
    order: Order, desk: PortalClient, buyer: PortalClient, now: datetime
) -> None:
    typed = answer(order, now) | {f"quantity-{order.lines[0].id}": "7", "reason": "Too few"}
    desk.post(f"/orders/{order.number}/propose", data=typed)

    assert buyer.post(f"/orders/{order.number}/refuse-change", data={}).status_code == 303
    again = buyer.post(f"/orders/{order.number}/refuse-change", data={})

    assert again.status_code == 409
    assert "Propose change" in desk.get(f"/orders/{order.number}").text
    assert "Proposed change refused" in buyer.get(f"/orders/{order.number}").text


def shipping(order: Order, **more: str) -> dict[str, str]:
    first, second = order.lines
    return {
        "key": "form-1",
        "carrier": "dhl",
        "tracking_number": "0034 0434",
        "expected_on": "",
        "packages": "2",
        "weights": "2.5 1,2",
        f"ship-{first.id}": "4",
        f"serials-{first.id}": "A-1, A-2\nA-3",
        f"ship-{second.id}": "",
    } | more


def test_the_desk_ships_a_part_and_marks_it_delivered(
    order: Order, desk: PortalClient, buyer: PortalClient, cast: Cast, now: datetime
) -> None:
    confirm_order(cast.supplier.order_desk, order.number, now=now)

    first = desk.post(f"/orders/{order.number}/ship", data=shipping(order))
    again = desk.post(f"/orders/{order.number}/ship", data=shipping(order))

    assert (first.status_code, again.status_code) == (303, 303)
    page = unescape(buyer.get(f"/orders/{order.number}").text)
    assert page.count("Shipment S-0") == 2, "once in the list, once in the time line"
    assert "tracking-id=0034%200434" in page
    assert "3 serial numbers" in page
    assert "A-1 A-2 A-3" in page
    assert "2 packages" in page
    assert "3.7 kg" in page
    done = desk.post(
        f"/orders/{order.number}/shipments/S-000001/deliver",
        data={"delivered_on": now.date().isoformat(), "received_by": "Cho"},
    )
    assert done.status_code in {303, 422}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"packages": "none"}, "Enter how many packages there are."),
        ({"weights": "2.5"}, "Enter one weight per package, or none at all."),
        ({"weights": "2.5 heavy"}, "“heavy” is not a number."),
        ({"carrier": "pigeon"}, "Choose one of the list: Carrier."),
        ({"expected_on": "2026-99-01"}, "Enter a day such as 2026-12-31."),
    ],
)
def test_a_wrong_shipment_keeps_what_was_typed(  # noqa: PLR0913, PLR0917 - fixtures and cases
    order: Order,
    desk: PortalClient,
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    changes: dict[str, str],
    words: str,
) -> None:
    confirm_order(cast.supplier.order_desk, order.number, now=now)
    before = business_rows()

    page = desk.post(f"/orders/{order.number}/ship", data=shipping(order, **changes))

    assert page.status_code == 422
    assert words in unescape(page.text)
    assert "A-1, A-2\nA-3</textarea>" in unescape(page.text)
    assert business_rows() == before


def test_what_is_not_there_is_told_as_a_conflict(
    order: Order,
    desk: PortalClient,
    cast: Cast,
    now: datetime,
    stocked: Callable[..., None],
) -> None:
    confirm_order(cast.supplier.order_desk, order.number, now=now)
    stocked("MS-0002", 1)

    page = desk.post(f"/orders/{order.number}/ship", data=shipping(order))

    assert page.status_code == 409
    assert "There is a problem" in page.text
    assert get_order(cast.supplier.order_desk, order.number).lines[0].shipped == 0


def test_the_buyer_asks_to_cancel_and_the_desk_agrees_in_part(
    order: Order, desk: PortalClient, buyer: PortalClient, cast: Cast, now: datetime
) -> None:
    confirm_order(cast.supplier.order_desk, order.number, now=now)
    first, second = order.lines
    wanted = {f"cancel-{first.id}": "10", f"cancel-{second.id}": "0", "reason": "Stopped"}
    assert "Request cancellation" in buyer.get(f"/orders/{order.number}").text

    asked = buyer.post(f"/orders/{order.number}/request-cancellation", data=wanted)
    assert asked.status_code == 303
    assert "Stopped" in desk.get(f"/orders/{order.number}").text
    agreed = desk.post(
        f"/orders/{order.number}/agree-cancellation",
        data={f"agreed-{first.id}": "4", "answer": "Six are packed"},
    )

    assert agreed.status_code == 303
    page = unescape(buyer.get(f"/orders/{order.number}").text)
    assert "4 cancelled" in page
    assert "Six are packed" in page
    assert get_order(cast.acme.buyer, order.number).lines[0].valid == 6


def test_a_viewer_sees_everything_and_can_do_nothing(
    order: Order, sign_in: SignIn, cast: Cast, now: datetime
) -> None:
    confirm_order(cast.supplier.order_desk, order.number, now=now)
    viewer = sign_in("viewer@acme.example")

    page = unescape(viewer.get(f"/orders/{order.number}").text)

    assert "Promised and actual dates" in page
    assert "Your role does not include this." in page
    assert viewer.post(f"/orders/{order.number}/request-cancellation").status_code == 403
    assert viewer.post(f"/orders/{order.number}/ship").status_code == 403


def delivered(order: Order, cast: Cast, now: datetime) -> str:
    """Ship the first line with serial numbers; return the shipment's number."""
    desk = cast.supplier.order_desk
    confirm_order(desk, order.number, now=now)
    packed = {order.lines[0].id: Packed(Decimal(10), ("A-1", "<b>A-2</b>"))}
    parcel = Parcel(carrier="dhl", tracking_number="123")
    return ship_order(desk, order.number, packed, parcel, key="k", now=now).number


def test_the_delivery_note_bears_no_prices_and_is_only_the_account_s(
    order: Order, buyer: PortalClient, sign_in: SignIn, cast: Cast, now: datetime
) -> None:
    shipment = delivered(order, cast, now)
    address = f"/orders/{order.number}/shipments/{shipment}/delivery-note.pdf"

    note = buyer.get(address)

    assert note.status_code == 200
    assert note.data.startswith(b"%PDF")
    assert note.headers["Content-Disposition"].startswith("attachment")
    assert buyer.get(address.replace(shipment, "S-999999")).status_code == 404
    foreign = sign_in("buyer@hanbit.example")
    assert foreign.get(address).status_code == 404


def test_each_outcome_has_a_mail_that_says_it(
    placed: PlaceOrder, stocked: Callable[..., None], cast: Cast, now: datetime
) -> None:
    """Every message that this story writes is rendered in each language, text and page."""
    desk, buyer = cast.supplier.order_desk, cast.acme.buyer
    stocked("MS-0002", 100)
    changed = placed("MS-0002", quantity=10)
    line = changed.lines[0]
    late = Promise(now.date(), Decimal(2), now.date())
    propose_change(desk, changed.number, {line.id: Wanted(Decimal(9), late)}, reason="Few", now=now)
    accept_change(buyer, changed.number, now=now)
    change_promises(desk, changed.number, {line.id: Promise(now.date())}, reason="More", now=now)
    assert note_late(now.replace(day=now.day + 3)) == 1
    packed = {line.id: Packed(Decimal(5), ("A-1",))}
    shipment = ship_order(desk, changed.number, packed, Parcel(carrier="ups"), key="k", now=now)
    mark_delivered(desk, changed.number, shipment.number, received_by="Cho", now=now)
    request_cancellation(buyer, changed.number, {line.id: Decimal(4)}, reason="Stop", now=now)
    agree_cancellation(desk, changed.number, now=now)

    messages = db.session.scalars(select(Message).where(Message.kind.startswith("order_"))).all()
    assert {message.kind for message in messages} >= {
        "order_change_proposed",
        "order_change_accepted",
        "order_confirmed",
        "order_promised",
        "order_late",
        "order_late_desk",
        "order_shipped",
        "order_delivered",
        "order_cancellation_requested",
        "order_cancellation_agreed",
    }
    for message in messages:
        for locale in ("en", "ko", "zh_Hans", "zh_Hant"):
            envelope = Envelope("Ben", "ben@acme.example", locale, "p@x.example", "<1@x>", now)
            context = message.data | {"receiver": buyer, "link": "https://portal/x"}
            mail = render(message.kind, envelope, context)
            assert changed.number in str(mail["Subject"]) + mail.as_string()
            assert mail.get_body(("html",)) is not None, message.kind
    assert run_due(now.replace(day=now.day + 3)) >= len(messages), "the worker sends them"
