"""One order as its page shows it: what may be done with it, how far it is, what was promised."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from flask_babel import gettext as _

from portal.errors import N_
from portal.orders import queries
from portal.orders.acting import today_of
from portal.orders.answering import suggest_promises
from portal.orders.forms import (
    AnswerForm,
    CommentForm,
    DeliverForm,
    ReasonForm,
    ShipForm,
    TermsForm,
)
from portal.orders.lateness import late_of
from portal.orders.lineforms import LineForm
from portal.orders.models import Order
from portal.orders.progress import Promise
from portal.orders.queries import Fulfilment
from portal.orders.rules import GIVEN_UP, KIND, LABELS, UNSENT, Move, OrderStatus
from portal.orders.telling import told
from portal.orders.validating import Validation, validate_orders
from portal.policy import Actor
from portal.quotes.history import HISTORY_LABELS, Happened, find_history, names_of
from portal.web.forms import Form
from portal.web.timeline import TimelineEntry, entries_of

SUPPLIER_MOVES: Final = frozenset(
    {
        Move.CONFIRM,
        Move.DECLINE,
        Move.PROPOSE,
        Move.TAKE_BACK,
        Move.PROMISE,
        Move.SHIP,
        Move.DELIVER,
        Move.ANSWER_CANCEL,
        Move.CLOSE,
    }
)
"""Steps that only the supplier takes; all others are the buyer's."""


@dataclass(frozen=True, slots=True)
class Button:
    """A step that can be taken now; ``reason`` says why this person can't."""

    move: Move
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stop of an order's way; ``at`` an instant or a day, ``note`` where there is more."""

    label: str
    tone: str
    at: datetime | None = None
    on: date | None = None
    note: str = ""


@dataclass(slots=True)
class Forms:
    """The forms of the page; those that were just refused carry what was typed."""

    terms: TermsForm
    reason: ReasonForm
    comment: CommentForm
    answer: AnswerForm
    ship: ShipForm
    typed: LineForm = field(default_factory=LineForm)
    deliver: Mapping[str, DeliverForm] = field(default_factory=dict)

    @property
    def refused(self) -> Form | LineForm | None:
        """The first form with errors."""
        every: list[Form | LineForm] = [
            self.terms,
            self.reason,
            self.comment,
            self.answer,
            self.ship,
            self.typed,
            *self.deliver.values(),
        ]
        return next((form for form in every if form.errors), None)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order as its page shows it."""

    order: Order
    owner: str
    buttons: Mapping[str, Button]
    timeline: Sequence[TimelineEntry]
    forms: Forms
    fulfilment: Fulfilment
    stages: Sequence[Stage]
    late: frozenset[int]
    validation: Validation | None
    promises: Mapping[int, Promise]
    reasons: Mapping[int, str]
    today: date

    @property
    def form(self) -> Form | LineForm:
        """The form whose errors the page's title speaks of."""
        return self.forms.refused or self.forms.terms

    @property
    def has_left(self) -> bool:
        """Whether something was shipped."""
        return bool(self.fulfilment.shipments)

    @property
    def needs_approval(self) -> bool:
        """Whether accepting what is proposed leads to a new approval."""
        proposal = self.fulfilment.open_proposal
        return proposal is not None and any(line.proposed.needs_approval for line in proposal.lines)


def blank_forms(order: Order) -> Forms:
    """Return the forms of the page as nobody has touched them."""
    return Forms(
        terms=TermsForm(formdata=None, obj=order),
        reason=ReasonForm(formdata=None),
        comment=CommentForm(formdata=None),
        answer=AnswerForm(formdata=None),
        ship=ShipForm(formdata=None, packages="1"),
    )


def show_order(actor: Actor, order: Order, now: datetime, forms: Forms | None = None) -> OrderPage:
    """Return an order's page: what may be done with it, and its time line with the quote's."""
    forms = forms or blank_forms(order)
    for form in (forms.terms, forms.ship):
        form.key.data = form.key.data or secrets.token_urlsafe(24)
    events = find_history(order.account_id, order.quote_id, (KIND, order.id))
    entries = entries_of(events, {**HISTORY_LABELS, **LABELS}, names_of(events))
    buttons = buttons_of(actor, order)
    fulfilment = queries.load_fulfilment(order)
    _offer_deliveries(forms, fulfilment, today_of(order, now))
    is_desk = actor.is_supplier and order.status not in UNSENT | GIVEN_UP
    return OrderPage(
        order=order,
        owner=queries.find_owner_name(order.membership_id),
        buttons=buttons,
        timeline=told(entries, events)[::-1],
        forms=forms,
        fulfilment=fulfilment,
        stages=stages_of(order, fulfilment),
        late=frozenset(line.id for line in late_of(order, now)),
        validation=validate_orders([order])[order.id] if is_desk else None,
        promises=suggest_promises(order, now) if "confirm" in buttons else {},
        reasons=_reasons(events),
        today=today_of(order, now),
    )


def _offer_deliveries(forms: Forms, fulfilment: Fulfilment, today: date) -> None:
    """Give each shipment that has not arrived a form, with today filled in."""
    offered = {
        shipment.number: DeliverForm(formdata=None, delivered_on=today).at(shipment.number)
        for shipment in fulfilment.shipments
        if shipment.delivered_on is None
    }
    forms.deliver = offered | dict(forms.deliver)


def _reasons(events: Sequence[Happened]) -> dict[int, str]:
    """Return the reason of the last moved promise by the position of its line."""
    found: dict[int, str] = {}
    for event in events:
        if event.verb == "order.promised":
            reason = str(event.data["reason"])
            found |= {change["after"]["position"]: reason for change in event.data["changes"]}
    return found


def buttons_of(actor: Actor, order: Order) -> dict[str, Button]:
    """Return the steps of the actor's side that can be taken now, by name."""
    return {
        move.name.lower(): Button(move, _reason(actor, order, move))
        for move in Move
        if (move in SUPPLIER_MOVES) is actor.is_supplier and order.status in move.sources
    }


def _reason(actor: Actor, order: Order, move: Move) -> str:
    if not actor.can(move.permission):
        return _("Your role does not include this.")
    reach = actor.reach(move.permission)
    if not reach.covers(
        account_id=order.account_id, unit_id=order.unit_id, owner_id=order.membership_id
    ):
        return _("Only the person who made this order can do this.")
    return ""


_SHIPPED: Final = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.CLOSED})
_DELIVERED: Final = frozenset({OrderStatus.DELIVERED, OrderStatus.CLOSED})
_BEFORE: Final = frozenset({OrderStatus.PLACED, OrderStatus.CHANGE_PROPOSED})


def stages_of(order: Order, fulfilment: Fulfilment) -> list[Stage]:
    """Return the way of an order: what is done, what goes on, and for when the rest is promised."""
    if order.status in UNSENT or order.placed_at is None:
        return []
    stages = [Stage(N_("placed"), "ok", order.placed_at)]
    if order.status in GIVEN_UP:
        if order.confirmed_at is not None:
            stages.append(Stage(N_("confirmed"), "ok", order.confirmed_at))
        return [*stages, Stage(order.status.label, "bad", order.ended_at)]
    if order.status in _BEFORE:
        word = (
            order.status.label if order.status is OrderStatus.CHANGE_PROPOSED else N_("confirmed")
        )
        tone = "warn" if order.status is OrderStatus.CHANGE_PROPOSED else "idle"
        return [
            *stages,
            Stage(word, tone),
            Stage(N_("shipped"), "idle"),
            Stage(N_("delivered"), "idle"),
        ]
    stages.append(Stage(N_("confirmed"), "ok", order.confirmed_at))
    stages.append(_shipping(order, fulfilment))
    stages.append(_arriving(order, fulfilment))
    if order.status is OrderStatus.CLOSED:
        stages.append(Stage(N_("closed"), "ok", order.ended_at))
    return stages


def _shipping(order: Order, fulfilment: Fulfilment) -> Stage:
    if order.status in _SHIPPED:
        return Stage(N_("shipped"), "ok", order.shipped_at)
    if not fulfilment.shipments:
        return Stage(N_("shipped"), "idle", on=order.due_on, note=N_("promised"))
    return Stage(N_("partly shipped"), "work", on=order.due_on, note=N_("the rest promised"))


def _arriving(order: Order, fulfilment: Fulfilment) -> Stage:
    days = [item.delivered_on for item in fulfilment.shipments if item.delivered_on is not None]
    if order.status in _DELIVERED:
        return Stage(N_("delivered"), "ok", on=max(days, default=None))
    if days:
        return Stage(N_("partly delivered"), "work", on=max(days))
    expected = [item.expected_on for item in fulfilment.shipments if item.expected_on is not None]
    return Stage(N_("delivered"), "idle", on=max(expected, default=None), note=N_("expected"))
