"""What the proof of the life cycles drives: for each step the action that takes it.

A step without a row fails the proof: whoever adds one says here which action takes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from sqlalchemy import select

from portal.approvals.rules import Outcome
from portal.db import db
from portal.orders import actions as orders
from portal.orders import answering, cancelling, delivering, proposing, shipping
from portal.orders.fulfilment import Shipment
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Packed, Promise
from portal.orders.rules import Move as OrderMove
from portal.orders.rules import OrderStatus
from portal.policy import Actor, P
from portal.quotes import actions as quotes
from portal.quotes import outcomes
from portal.quotes import queries as quote_queries
from portal.quotes.edits import DraftEdits
from portal.quotes.models import Quote
from portal.quotes.moves import Move as QuoteMove
from portal.quotes.rules import QuoteStatus
from portal.service.assets.actions import move_by_tag
from portal.service.assets.rules import AssetStatus
from portal.service.assets.rules import Move as AssetMove
from portal.service.cases import actions as cases
from portal.service.cases import ending, working
from portal.service.cases.models import Case
from portal.service.cases.rules import (
    CaseKind,
    CaseStatus,
    Cause,
    ComplaintCategory,
    Priority,
    Severity,
)
from portal.service.cases.rules import Move as CaseMove
from portal.service.knowledge import actions as articles
from portal.service.knowledge.rules import ArticleStatus
from portal.service.knowledge.rules import Move as ArticleMove
from portal.service.repairs.actions import Words, take_step
from portal.service.repairs.models import Repair
from portal.service.repairs.rules import Move as RepairMove
from portal.service.repairs.rules import RepairStatus

Act = Callable[[Actor, str, datetime], object]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One action: the steps that it takes, and on which thing it is tried."""

    steps: tuple[Any, ...]
    """The first one names its permission; from the states of any of them it may be taken."""
    act: Act
    thing: str = ""
    """Which of the prepared things, where their kind has several."""
    by: Callable[[Actor], bool] = lambda _actor: True
    """Whose it is, where the same button does something else for others."""
    elsewhere: frozenset[Any] = frozenset()
    """States in which the action goes on with another thing: a merged case's target."""
    besides: frozenset[Any] = frozenset()
    """States in which the same button does a little less."""

    @property
    def sources(self) -> frozenset[Any]:
        """The states from which it may be taken."""
        return self.besides.union(*(step.sources for step in self.steps))

    @property
    def permission(self) -> P | None:
        """What whoever takes it must hold."""
        held: P | None = self.steps[0].permission
        return held


@dataclass(frozen=True, kw_only=True)
class Life:
    """One life cycle: its table of steps, where its things are kept, and its actions."""

    steps: type[Enum]
    states: type[Enum]
    table: str
    named: str = "number"
    """Column by which people name such a thing."""
    read: P
    rows: tuple[Row, ...]


# --- quotes --------------------------------------------------------------------------------------


def _quote(number: str) -> Quote:
    return quote_queries.get_by_id(
        db.session.scalars(select(Quote.id).where(Quote.number == number)).one()
    )


def _save(actor: Actor, number: str, now: datetime) -> object:
    edits = DraftEdits(title="Another title")
    return quotes.save_draft(actor, number, _quote(number).version, edits, now)


def _submit(actor: Actor, number: str, now: datetime) -> object:
    return quotes.submit_quote(actor, number, _quote(number).version, {}, now)


def _convert(actor: Actor, number: str, now: datetime) -> object:
    line = _quote(number).current.lines[0].line_id
    return orders.convert_quote(actor, number, {line: Decimal(1)}, key="life", now=now)


def _settle(outcome: Outcome) -> Act:
    def act(_actor: Actor, number: str, now: datetime) -> None:
        outcomes.settle(_quote(number).current.id, outcome, now, None)

    return act


def _expire(_actor: Actor, number: str, now: datetime) -> None:
    outcomes.expire_due({"quote_id": _quote(number).id}, now + timedelta(days=3650))


QUOTES: Final = (
    Row(steps=(QuoteMove.SAVE,), act=_save, thing="draft"),
    Row(steps=(QuoteMove.SUBMIT,), act=_submit, thing="draft"),
    Row(steps=(QuoteMove.DISCARD,), act=quotes.discard_quote, thing="draft"),
    Row(steps=(QuoteMove.WITHDRAW,), act=quotes.withdraw_quote, thing="waiting"),
    Row(steps=(QuoteMove.REVISE,), act=quotes.revise_quote, thing="approved"),
    Row(steps=(QuoteMove.CONVERT,), act=_convert, thing="approved"),
    Row(steps=(QuoteMove.APPROVE,), act=_settle(Outcome.APPROVED), thing="waiting"),
    Row(steps=(QuoteMove.REJECT,), act=_settle(Outcome.REJECTED), thing="waiting"),
    Row(
        steps=(QuoteMove.REQUEST_CHANGES,), act=_settle(Outcome.CHANGES_REQUESTED), thing="waiting"
    ),
    Row(steps=(QuoteMove.EXPIRE,), act=_expire, thing="approved"),
)


# --- orders --------------------------------------------------------------------------------------


def _order_lines(number: str) -> Sequence[OrderLine]:
    found = select(OrderLine).join(Order, Order.id == OrderLine.order_id)
    return db.session.scalars(found.where(Order.number == number)).all()


def _lines(number: str, quantity: int = 1) -> dict[int, Decimal]:
    return {line.id: Decimal(quantity) for line in _order_lines(number)}


def _terms() -> orders.Terms:
    return orders.Terms(purchase_order_number="PO-LIFE-1")


def _propose(actor: Actor, number: str, now: datetime) -> object:
    day = (now + timedelta(days=30)).date()
    wanted = {
        line.id: proposing.Wanted(line.quantity, Promise(day)) for line in _order_lines(number)
    }
    return proposing.propose_change(actor, number, wanted, reason="Later.", now=now)


def _promise(actor: Actor, number: str, now: datetime) -> object:
    day = (now + timedelta(days=20)).date()
    promises = {line.id: Promise(day) for line in _order_lines(number)}
    return answering.change_promises(actor, number, promises, reason="Later.", now=now)


def _ship(actor: Actor, number: str, now: datetime) -> object:
    packed = {key: Packed(quantity) for key, quantity in _lines(number).items()}
    return shipping.ship_order(actor, number, packed, shipping.Parcel(), key="life", now=now)


def _deliver(actor: Actor, number: str, now: datetime) -> object:
    shipment = db.session.scalars(
        select(Shipment.number)
        .join(Order, Order.id == Shipment.order_id)
        .where(Order.number == number)
    ).one()
    return delivering.mark_delivered(actor, number, shipment, now=now)


ORDERS: Final = (
    Row(
        steps=(OrderMove.PLACE,),
        act=lambda a, n, t: orders.place_order(a, n, _terms(), key="life", now=t),
        thing="draft",
    ),
    Row(
        steps=(OrderMove.DISCARD,),
        act=lambda a, n, t: orders.discard_order(a, n, now=t),
        thing="draft",
    ),
    Row(
        steps=(OrderMove.CANCEL,),
        act=lambda a, n, t: orders.cancel_order(a, n, reason="No.", now=t),
        thing="placed",
    ),
    Row(
        steps=(OrderMove.CONFIRM,),
        act=lambda a, n, t: answering.confirm_order(a, n, now=t),
        thing="placed",
    ),
    Row(
        steps=(OrderMove.DECLINE,),
        act=lambda a, n, t: orders.decline_order(a, n, reason="No.", now=t),
        thing="placed",
    ),
    Row(steps=(OrderMove.PROPOSE,), act=_propose, thing="placed"),
    Row(
        steps=(OrderMove.TAKE_BACK,),
        act=lambda a, n, t: proposing.take_back_change(a, n, now=t),
        thing="proposed",
    ),
    Row(
        steps=(OrderMove.ACCEPT,),
        act=lambda a, n, t: proposing.accept_change(a, n, now=t),
        thing="proposed",
    ),
    Row(
        steps=(OrderMove.REFUSE,),
        act=lambda a, n, t: proposing.refuse_change(a, n, comment="No.", now=t),
        thing="proposed",
    ),
    Row(steps=(OrderMove.PROMISE,), act=_promise, thing="confirmed"),
    Row(steps=(OrderMove.SHIP,), act=_ship, thing="confirmed"),
    Row(steps=(OrderMove.DELIVER,), act=_deliver, thing="shipped"),
    Row(
        steps=(OrderMove.ASK_TO_CANCEL,),
        act=lambda a, n, t: cancelling.request_cancellation(
            a, n, _lines(n), reason="Too many.", now=t
        ),
        thing="confirmed",
    ),
    Row(
        steps=(OrderMove.ANSWER_CANCEL,),
        act=lambda a, n, t: cancelling.agree_cancellation(a, n, now=t),
        thing="asked",
    ),
    Row(
        steps=(OrderMove.ANSWER_CANCEL,),
        act=lambda a, n, t: cancelling.refuse_cancellation(a, n, answer="No.", now=t),
        thing="asked",
    ),
    Row(
        steps=(OrderMove.CLOSE,),
        act=lambda a, n, t: delivering.close_order(a, n, now=t),
        thing="delivered",
    ),
)


# --- service -------------------------------------------------------------------------------------


def _works(actor: Actor) -> bool:
    return actor.can(P.CASE_WORK)


def _writes(actor: Actor) -> bool:
    return not actor.can(P.CASE_WORK)


def _version(number: str) -> int:
    return db.session.scalars(select(Case.version).where(Case.number == number)).one()


def _say(then: cases.Then) -> Act:
    return lambda a, n, t: cases.reply(a, n, "A word.", now=t, then=then)


def _change(actor: Actor, number: str, now: datetime) -> object:
    facts = working.Facts(kind=CaseKind.COMPLAINT, priority=Priority.URGENT)
    return working.change_case(actor, number, _version(number), facts, now=now)


def _assess(actor: Actor, number: str, now: datetime) -> object:
    found = working.Assessment(
        category=next(iter(ComplaintCategory)),
        severity=next(iter(Severity)),
        cause=next(iter(Cause)),
        measure="Asked.",
        follow_up_on=now.date() + timedelta(days=9),
    )
    return working.assess_complaint(actor, number, _version(number), found, now=now)


_GONE: Final = frozenset({CaseStatus.MERGED})
CASES: Final = (
    Row(
        steps=(CaseMove.REPLY, CaseMove.RESUME, CaseMove.REOPEN),
        act=_say(cases.Then.STAY),
        by=_writes,
        elsewhere=_GONE,
    ),
    Row(steps=(CaseMove.ANSWER,), act=_say(cases.Then.STAY), by=_works, elsewhere=_GONE),
    Row(
        steps=(CaseMove.ASK,),
        act=_say(cases.Then.ASK),
        by=_works,
        besides=frozenset({CaseStatus.WAITING}),  # what was asked already is answered once more
        elsewhere=_GONE,
    ),
    Row(
        steps=(CaseMove.RESOLVE,),
        act=_say(cases.Then.RESOLVE),
        by=_works,
        elsewhere=_GONE,
    ),
    Row(steps=(CaseMove.NOTE,), act=lambda a, n, t: cases.add_note(a, n, "A note.", now=t)),
    Row(steps=(CaseMove.ASSIGN,), act=lambda a, n, t: working.take_case(a, n, now=t)),
    Row(
        steps=(CaseMove.ASSIGN,),
        act=lambda a, n, t: working.assign_case(a, n, None, now=t),
        thing="taken",
    ),
    Row(steps=(CaseMove.TRANSFER,), act=lambda a, n, t: working.transfer_case(a, n, "LIFE", now=t)),
    Row(steps=(CaseMove.CHANGE,), act=_change),
    Row(steps=(CaseMove.ASSESS,), act=_assess, thing="complaint"),
    Row(
        steps=(CaseMove.FOLLOW_UP,),
        act=lambda a, n, t: working.follow_up(a, n, now=t),
        thing="assessed",
    ),
    Row(steps=(CaseMove.REOPEN,), act=lambda a, n, t: ending.reopen_case(a, n, now=t)),
    Row(steps=(CaseMove.CLOSE,), act=lambda a, n, t: ending.close_case(a, n, now=t)),
    Row(
        steps=(CaseMove.MERGE,),
        act=lambda a, n, t: working.merge_case(a, n, _another_case(n), now=t),
    ),
    Row(steps=(CaseMove.RATE,), act=lambda a, n, t: ending.rate_case(a, n, 4, "Well.", now=t)),
)


def _another_case(number: str) -> str:
    found = select(Case.number).where(Case.number != number, Case.status == CaseStatus.OPEN)
    return db.session.scalars(found.order_by(Case.id).limit(1)).first() or ""


def _step(move: RepairMove) -> Act:
    def act(actor: Actor, number: str, now: datetime) -> object:
        repair = db.session.scalars(select(Repair).where(Repair.number == number)).one()
        case = db.session.get_one(Case, repair.case_id)
        words = Words(note="Because.")
        return take_step(actor, case.number, move, words, version=repair.version, now=now)

    return act


_WITH_UNIT: Final = {RepairMove.RECEIVE: "awaited", RepairMove.CANCEL: "awaited"}
REPAIRS: Final = tuple(
    Row(steps=(move,), act=_step(move), thing=_WITH_UNIT.get(move, "under way"))
    for move in RepairMove
)


def _moved(move: AssetMove) -> Act:
    return lambda a, n, t: move_by_tag(a, n, move, now=t, account="ACME")


ASSETS: Final = tuple(Row(steps=(move,), act=_moved(move)) for move in AssetMove)

ARTICLES: Final = (
    Row(
        steps=(ArticleMove.PUBLISH,),
        act=lambda a, n, t: articles.publish_article(a, n, now=t),
    ),
    Row(steps=(ArticleMove.RETIRE,), act=lambda a, n, t: articles.retire_article(a, n, now=t)),
    Row(steps=(ArticleMove.RESTORE,), act=lambda a, n, t: articles.restore_article(a, n, now=t)),
)


LIVES: Final[Mapping[str, Life]] = {
    "quotes": Life(
        steps=QuoteMove, states=QuoteStatus, table="quote", read=P.QUOTE_READ, rows=QUOTES
    ),
    "orders": Life(
        steps=OrderMove, states=OrderStatus, table="purchase_order", read=P.ORDER_READ, rows=ORDERS
    ),
    "cases": Life(
        steps=CaseMove, states=CaseStatus, table="service_case", read=P.CASE_READ, rows=CASES
    ),
    "repairs": Life(
        steps=RepairMove, states=RepairStatus, table="repair", read=P.CASE_READ, rows=REPAIRS
    ),
    "assets": Life(
        steps=AssetMove,
        states=AssetStatus,
        table="asset",
        named="service_tag",
        read=P.ASSET_READ,
        rows=ASSETS,
    ),
    "articles": Life(
        steps=ArticleMove,
        states=ArticleStatus,
        table="article",
        read=P.ARTICLE_SAVE,
        rows=ARTICLES,
    ),
}
