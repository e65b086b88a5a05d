"""What happened lately at the two customers, done by the people themselves through the actions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from portal.accounts.models import CostCentre
from portal.approvals.actions import decide
from portal.approvals.queries import find_run
from portal.approvals.rules import Answer
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotFoundError
from portal.orders.actions import Terms, confirm_order, order_quote
from portal.policy import Actor
from portal.quotes.actions import DraftEdits, add_lines, create_quote, save_draft, submit_quote
from portal.quotes.models import Quote
from portal.quotes.queries import get_quote

Items = Mapping[str, int]

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def draft(actor: Actor, title: str, items: Items, at: datetime, *, cost_centre: str = "") -> Quote:
    """Save a draft with some products, booked to a cost centre."""
    number = create_quote(actor, at, title=title).number
    add_lines(actor, number, [(sku, Decimal(count), None) for sku, count in items.items()], at)
    quote = get_quote(actor, number)
    if not cost_centre:
        return quote
    centre = db.session.execute(
        select(CostCentre.id).where(
            CostCentre.account_id == actor.account_id, CostCentre.code == cost_centre
        )
    ).scalar_one()
    save_draft(actor, number, quote.version, DraftEdits(cost_centre_id=centre), at)
    return get_quote(actor, number)


def submit(actor: Actor, quote: Quote, at: datetime) -> Quote:
    """Submit a draft as it stands."""
    submit_quote(actor, quote.number, quote.version, {}, at)
    return get_quote(actor, quote.number)


def answer(actor: Actor, quote: Quote, given: Answer, comment: str, at: datetime) -> None:
    """Decide on a submitted quote."""
    run = find_run("quote", quote.current.id)
    if run is None or quote.current.content_hash is None:
        raise NotFoundError
    decide(actor, run.id, given, comment, quote.current.content_hash, at)


def order(actor: Actor, quote: Quote, purchase_order: str, at: datetime, *, parts: int = 1) -> str:
    """Order an approved quote, or of each line one of so many parts; return the order's number."""
    quantities = {
        line.line_id: line.quantity // parts
        for line in get_quote(actor, quote.number).current.lines
    }
    terms = Terms(purchase_order_number=purchase_order, contact=actor.name)
    key = f"demo-{quote.number}"
    return order_quote(actor, quote.number, quantities, terms, key=key, now=at).number


def tell(now: datetime) -> None:
    """Let both customers work for a fortnight."""
    tell_of_acme(now)
    tell_of_acmes_research(now)
    tell_of_hanbit(now)


def tell_of_acme(now: datetime) -> None:
    """A confirmed order, one placed in part, two quotes in approval, one sent back, one draft."""
    acme, desk = Cast.acme, Cast.supplier.order_desk
    starters = draft(
        acme.buyer, "Laptops for the new starters", {"LT-0001": 10, "MS-0002": 10, "KB-0004": 10},
        now - 12 * DAY, cost_centre="2100",
    )  # fmt: skip
    starters = submit(acme.buyer, starters, now - 12 * DAY + HOUR)
    answer(acme.approver, starters, Answer.APPROVE, "As planned for December.", now - 11 * DAY)
    number = order(acme.buyer, starters, "4500018801", now - 11 * DAY + 2 * HOUR)
    confirm_order(desk, number, now=now - 10 * DAY)

    rooms = draft(
        acme.buyer, "Monitors for the meeting rooms", {"MN-0004": 12, "WC-0002": 6},
        now - 8 * DAY, cost_centre="2100",
    )  # fmt: skip
    rooms = submit(acme.buyer, rooms, now - 8 * DAY + HOUR)
    answer(acme.approver, rooms, Answer.APPROVE, "", now - 7 * DAY)
    order(acme.buyer, rooms, "4500018856", now - 6 * DAY, parts=2)

    power = draft(
        acme.site_buyer, "UPS for the branch offices", {"UP-0002": 12}, now - 5 * DAY,
        cost_centre="1000",
    )  # fmt: skip
    power = submit(acme.site_buyer, power, now - 5 * DAY + HOUR)
    answer(acme.cio, power, Answer.REQUEST_CHANGES, "Please take the larger model.", now - 4 * DAY)

    simulation = draft(
        acme.buyer, "Workstations for simulation", {"WS-0002": 6, "MN-0005": 8},
        now - 2 * DAY, cost_centre="2200",
    )  # fmt: skip
    simulation = submit(acme.buyer, simulation, now - 2 * DAY + HOUR)
    answer(acme.approver, simulation, Answer.APPROVE, "Agreed with the department.", now - DAY)

    spares = draft(
        acme.buyer, "Network cards, spares", {"NW-0002": 7, "NW-0004": 10}, now - DAY,
        cost_centre="2200",
    )  # fmt: skip
    submit(acme.buyer, spares, now - DAY + HOUR)
    draft(acme.shopper, "Headset for the home office", {"HS-0003": 1}, now - 5 * HOUR)
    draft(
        acme.buyer, "Second floor, keyboards and mice", {"KB-0001": 20, "MS-0003": 20},
        now - 3 * HOUR, cost_centre="2100",
    )  # fmt: skip


def tell_of_acmes_research(now: datetime) -> None:
    """An approved quote that nobody has ordered yet, and a draft from the laboratory."""
    acme = Cast.acme
    storage = draft(
        acme.research_buyer, "Storage for the test bench", {"SD-0001": 12, "SD-0004": 4},
        now - 4 * DAY, cost_centre="3100",
    )  # fmt: skip
    storage = submit(acme.research_buyer, storage, now - 4 * DAY + HOUR)
    answer(acme.research_head, storage, Answer.APPROVE, "", now - 3 * DAY)
    draft(acme.lab_shopper, "实验室显示器", {"MN-0001": 3}, now - 20 * HOUR, cost_centre="3200")


def tell_of_hanbit(now: datetime) -> None:
    """A confirmed order, a quote in approval and a draft."""
    hanbit, desk = Cast.hanbit, Cast.supplier.order_desk
    memory = draft(
        hanbit.buyer, "서버 메모리 증설", {"MM-0001": 20, "SD-0001": 10}, now - 9 * DAY,
        cost_centre="H210",
    )  # fmt: skip
    memory = submit(hanbit.buyer, memory, now - 9 * DAY + HOUR)
    answer(hanbit.approver, memory, Answer.APPROVE, "확인했습니다.", now - 8 * DAY)
    number = order(hanbit.buyer, memory, "HB-26-0412", now - 8 * DAY + HOUR)
    confirm_order(desk, number, now=now - 7 * DAY)

    line = draft(
        hanbit.fab_buyer, "생산 라인 모니터", {"MN-0004": 20}, now - 2 * DAY, cost_centre="H310"
    )
    submit(hanbit.fab_buyer, line, now - 2 * DAY + HOUR)
    draft(hanbit.shopper, "사무용 마우스", {"MS-0001": 2}, now - 6 * HOUR, cost_centre="H210")
