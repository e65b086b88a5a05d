"""What the desk and the buyer send from an order's page after it was placed."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import ConflictError, InvalidError
from portal.orders import answering, cancelling, delivering, proposing, queries, shipping
from portal.orders.detail import Forms, blank_forms
from portal.orders.documents import delivery_note_pdf
from portal.orders.forms import AnswerForm, CommentForm, DeliverForm, ReasonForm, ShipForm
from portal.orders.lineforms import (
    line_form,
    read_packed,
    read_promises,
    read_quantities_of,
    read_wanted,
    refuse_changes,
)
from portal.orders.models import Order
from portal.orders.views import show
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.forms import Form
from portal.web.tables import file_response

bp = Blueprint("fulfilment", __name__, url_prefix="/orders")

Act = Callable[[], ResponseReturnValue]
"""Does it and leads on."""


def _opened(number: str) -> tuple[Order, Forms]:
    """Return an order and the forms of its page with what was typed per line."""
    order = queries.get_order(current_actor(), number)
    forms = blank_forms(order)
    forms.typed = line_form(request.form)
    return order, forms


def _answer(number: str, form: Form, forms: Forms, act: Act) -> ResponseReturnValue:
    """Do it if everything typed could be read, else show the page again with its errors."""
    status = 422
    if form.validate_on_submit() and not forms.typed.errors:
        try:
            return act()
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
            status = 409 if isinstance(refusal, ConflictError) else status
    return show(number, forms, status)


def _take(
    number: str,
    form: Form,
    forms: Forms,
    action: Callable[..., object],
    said: str,
    *wanted: object,
    **words: object,
) -> ResponseReturnValue:
    """Take an action with what was read of the form, and say so on the order's page."""

    def act() -> ResponseReturnValue:
        action(current_actor(), number, *wanted, **words, now=now())
        return _said(number, said)

    return _answer(number, form, forms, act)


def _said(number: str, words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for("orders.detail", number=number), code=303)


@bp.post("/<number>/confirm")
@requires(P.ORDER_CONFIRM)
def confirm(number: str) -> ResponseReturnValue:
    """Confirm with the promised days of the form; without any, with what stock allows."""
    order, forms = _opened(number)
    forms.reason = form = ReasonForm()
    promises = read_promises(forms.typed, order)
    refuse_changes(forms.typed, order)
    said = _("Order %(number)s is confirmed. The buyer was told.", number=number)
    return _take(number, form, forms, answering.confirm_order, said, promises=promises)


@bp.post("/<number>/propose")
@requires(P.ORDER_PROPOSE)
def propose(number: str) -> ResponseReturnValue:
    """Propose other days, quantities or products."""
    order, forms = _opened(number)
    forms.reason = form = ReasonForm()
    wanted, reason = read_wanted(forms.typed, order), form.reason.data or ""
    said = _("The change of order %(number)s is proposed. The buyer was told.", number=number)
    return _take(number, form, forms, proposing.propose_change, said, wanted, reason=reason)


@bp.post("/<number>/take-back")
@requires(P.ORDER_PROPOSE)
def take_back(number: str) -> ResponseReturnValue:
    """Withdraw a proposed change."""
    proposing.take_back_change(current_actor(), number, now=now())
    return _said(number, _("The proposed change is withdrawn."))


@bp.post("/<number>/accept-change")
@requires(P.ORDER_ANSWER)
def accept_change(number: str) -> ResponseReturnValue:
    """Accept a proposed change; what needs an approval leads to the quote's next revision."""
    _order, forms = _opened(number)
    forms.comment = form = CommentForm()
    comment = form.comment.data or ""

    def act() -> ResponseReturnValue:
        done = proposing.accept_change(current_actor(), number, comment=comment, now=now())
        return _after_accepting(done)

    return _answer(number, form, forms, act)


def _after_accepting(done: proposing.Accepted) -> ResponseReturnValue:
    if not done.quote_number:
        return _said(done.order.number, _("You accepted the change; the order is confirmed."))
    flash(
        _("You accepted the change. Submit this revision, so that what is new in it is approved."),
        "success",
    )
    return redirect(url_for("quotes.detail", number=done.quote_number), code=303)


@bp.post("/<number>/refuse-change")
@requires(P.ORDER_ANSWER)
def refuse_change(number: str) -> ResponseReturnValue:
    """Refuse a proposed change."""
    _order, forms = _opened(number)
    forms.comment = form = CommentForm()
    said, comment = _("You refused the change. The supplier was told."), form.comment.data or ""
    return _take(number, form, forms, proposing.refuse_change, said, comment=comment)


@bp.post("/<number>/promise")
@requires(P.ORDER_CONFIRM)
def promise(number: str) -> ResponseReturnValue:
    """Promise other days, and say why."""
    order, forms = _opened(number)
    forms.reason = form = ReasonForm()
    promises, reason = read_promises(forms.typed, order), form.reason.data or ""
    said = _("The promised dates of order %(number)s are saved.", number=number)
    return _take(number, form, forms, answering.change_promises, said, promises, reason=reason)


@bp.post("/<number>/ship")
@requires(P.ORDER_SHIP)
def ship(number: str) -> ResponseReturnValue:
    """Ship what the form says, with its packages and serial numbers."""
    order, forms = _opened(number)
    forms.ship = form = ShipForm()
    packed, key = read_packed(forms.typed, order), (form.key.data or "")[:64]

    def act() -> ResponseReturnValue:
        made = shipping.ship_order(current_actor(), number, packed, form.parcel, key=key, now=now())
        left = _("Shipment %(number)s has left. The buyer was told.", number=made.number)
        return _said(number, left)

    return _answer(number, form, forms, act)


@bp.post("/<number>/shipments/<shipment>/deliver")
@requires(P.ORDER_SHIP)
def deliver(number: str, shipment: str) -> ResponseReturnValue:
    """Note that a shipment has arrived."""
    _order, forms = _opened(number)
    form = DeliverForm().at(shipment)
    forms.deliver = {shipment: form}

    def act() -> ResponseReturnValue:
        delivering.mark_delivered(
            current_actor(), number, shipment, delivered_on=form.delivered_on.data,
            received_by=form.received_by.data or "", now=now(),
        )  # fmt: skip
        return _said(number, _("Shipment %(number)s is delivered.", number=shipment))

    return _answer(number, form, forms, act)


@bp.get("/<number>/shipments/<shipment>/delivery-note.pdf")
@requires(P.ORDER_READ)
def delivery_note(number: str, shipment: str) -> ResponseReturnValue:
    """Answer with the delivery note of a shipment."""
    order = queries.get_order(current_actor(), number)
    found = delivering.get_shipment(order, shipment)
    return file_response(delivery_note_pdf(order, found), f"{found.number}.pdf")


@bp.post("/<number>/request-cancellation")
@requires(P.ORDER_CANCEL)
def request_cancellation(number: str) -> ResponseReturnValue:
    """Ask to cancel what has not left."""
    order, forms = _opened(number)
    forms.reason = form = ReasonForm()
    wanted, reason = read_quantities_of(forms.typed, order, "cancel"), form.reason.data or ""
    said = _("The cancellation is asked for. The supplier was told.")
    return _take(number, form, forms, cancelling.request_cancellation, said, wanted, reason=reason)


@bp.post("/<number>/agree-cancellation")
@requires(P.ORDER_CONFIRM)
def agree_cancellation(number: str) -> ResponseReturnValue:
    """Agree to cancel what the form says."""
    order, forms = _opened(number)
    forms.answer = form = AnswerForm()
    agreed, answer = read_quantities_of(forms.typed, order, "agreed"), form.answer.data or ""
    said = _("The cancellation is agreed. The buyer was told.")
    return _take(number, form, forms, cancelling.agree_cancellation, said, agreed, answer=answer)


@bp.post("/<number>/refuse-cancellation")
@requires(P.ORDER_CONFIRM)
def refuse_cancellation(number: str) -> ResponseReturnValue:
    """Refuse to cancel."""
    _order, forms = _opened(number)
    forms.answer = form = AnswerForm()
    said, answer = _("The cancellation is refused. The buyer was told."), form.answer.data or ""
    return _take(number, form, forms, cancelling.refuse_cancellation, said, answer=answer)


@bp.post("/<number>/close")
@requires(P.ORDER_SHIP)
def close(number: str) -> ResponseReturnValue:
    """Close a delivered order."""
    delivering.close_order(current_actor(), number, now=now())
    return _said(number, _("Order %(number)s is closed.", number=number))
