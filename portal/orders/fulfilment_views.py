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

Act = Callable[[], str]
"""Does it and returns what to say."""


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
            said = act()
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
            status = 409 if isinstance(refusal, ConflictError) else status
        else:
            flash(said, "success")
            return redirect(url_for("orders.detail", number=number), code=303)
    return show(number, forms, status)


@bp.post("/<number>/confirm")
@requires(P.ORDER_CONFIRM)
def confirm(number: str) -> ResponseReturnValue:
    """Confirm with the promised days of the form; without any, with what stock allows."""
    order, forms = _opened(number)
    forms.reason = ReasonForm()
    promises = read_promises(forms.typed, order)
    refuse_changes(forms.typed, order)

    def act() -> str:
        answering.confirm_order(current_actor(), number, now=now(), promises=promises)
        return _("Order %(number)s is confirmed. The buyer was told.", number=number)

    return _answer(number, forms.reason, forms, act)


@bp.post("/<number>/propose")
@requires(P.ORDER_PROPOSE)
def propose(number: str) -> ResponseReturnValue:
    """Propose other days, quantities or products."""
    order, forms = _opened(number)
    forms.reason = ReasonForm()
    wanted = read_wanted(forms.typed, order)

    def act() -> str:
        reason = forms.reason.reason.data or ""
        proposing.propose_change(current_actor(), number, wanted, reason=reason, now=now())
        return _("The change of order %(number)s is proposed. The buyer was told.", number=number)

    return _answer(number, forms.reason, forms, act)


@bp.post("/<number>/take-back")
@requires(P.ORDER_PROPOSE)
def take_back(number: str) -> ResponseReturnValue:
    """Withdraw a proposed change."""
    proposing.take_back_change(current_actor(), number, now=now())
    flash(_("The proposed change is withdrawn."), "success")
    return redirect(url_for("orders.detail", number=number), code=303)


@bp.post("/<number>/accept-change")
@requires(P.ORDER_ANSWER)
def accept_change(number: str) -> ResponseReturnValue:
    """Accept a proposed change; what needs an approval leads to the quote's next revision."""
    _order, forms = _opened(number)
    forms.comment = form = CommentForm()
    status = 422
    if form.validate_on_submit():
        comment = form.comment.data or ""
        try:
            done = proposing.accept_change(current_actor(), number, comment=comment, now=now())
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
            status = 409 if isinstance(refusal, ConflictError) else status
        else:
            return _after_accepting(done)
    return show(number, forms, status)


def _after_accepting(done: proposing.Accepted) -> ResponseReturnValue:
    if not done.quote_number:
        flash(_("You accepted the change; the order is confirmed."), "success")
        return redirect(url_for("orders.detail", number=done.order.number), code=303)
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
    forms.comment = CommentForm()

    def act() -> str:
        comment = forms.comment.comment.data or ""
        proposing.refuse_change(current_actor(), number, comment=comment, now=now())
        return _("You refused the change. The supplier was told.")

    return _answer(number, forms.comment, forms, act)


@bp.post("/<number>/promise")
@requires(P.ORDER_CONFIRM)
def promise(number: str) -> ResponseReturnValue:
    """Promise other days, and say why."""
    order, forms = _opened(number)
    forms.reason = ReasonForm()
    promises = read_promises(forms.typed, order)

    def act() -> str:
        reason = forms.reason.reason.data or ""
        answering.change_promises(current_actor(), number, promises, reason=reason, now=now())
        return _("The promised dates of order %(number)s are saved.", number=number)

    return _answer(number, forms.reason, forms, act)


@bp.post("/<number>/ship")
@requires(P.ORDER_SHIP)
def ship(number: str) -> ResponseReturnValue:
    """Ship what the form says, with its packages and serial numbers."""
    order, forms = _opened(number)
    forms.ship = form = ShipForm()
    packed = read_packed(forms.typed, order)

    def act() -> str:
        key = (form.key.data or "")[:64]
        made = shipping.ship_order(current_actor(), number, packed, form.parcel, key=key, now=now())
        return _("Shipment %(number)s has left. The buyer was told.", number=made.number)

    return _answer(number, form, forms, act)


@bp.post("/<number>/shipments/<shipment>/deliver")
@requires(P.ORDER_SHIP)
def deliver(number: str, shipment: str) -> ResponseReturnValue:
    """Note that a shipment has arrived."""
    _order, forms = _opened(number)
    form = DeliverForm().at(shipment)
    forms.deliver = {shipment: form}

    def act() -> str:
        delivering.mark_delivered(
            current_actor(), number, shipment, delivered_on=form.delivered_on.data,
            received_by=form.received_by.data or "", now=now(),
        )  # fmt: skip
        return _("Shipment %(number)s is delivered.", number=shipment)

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
    forms.reason = ReasonForm()
    wanted = read_quantities_of(forms.typed, order, "cancel")

    def act() -> str:
        reason = forms.reason.reason.data or ""
        cancelling.request_cancellation(current_actor(), number, wanted, reason=reason, now=now())
        return _("The cancellation is asked for. The supplier was told.")

    return _answer(number, forms.reason, forms, act)


@bp.post("/<number>/agree-cancellation")
@requires(P.ORDER_CONFIRM)
def agree_cancellation(number: str) -> ResponseReturnValue:
    """Agree to cancel what the form says."""
    order, forms = _opened(number)
    forms.answer = AnswerForm()
    agreed = read_quantities_of(forms.typed, order, "agreed")

    def act() -> str:
        answer = forms.answer.answer.data or ""
        cancelling.agree_cancellation(current_actor(), number, agreed, answer=answer, now=now())
        return _("The cancellation is agreed. The buyer was told.")

    return _answer(number, forms.answer, forms, act)


@bp.post("/<number>/refuse-cancellation")
@requires(P.ORDER_CONFIRM)
def refuse_cancellation(number: str) -> ResponseReturnValue:
    """Refuse to cancel."""
    _order, forms = _opened(number)
    forms.answer = AnswerForm()

    def act() -> str:
        answer = forms.answer.answer.data or ""
        cancelling.refuse_cancellation(current_actor(), number, answer=answer, now=now())
        return _("The cancellation is refused. The buyer was told.")

    return _answer(number, forms.answer, forms, act)


@bp.post("/<number>/close")
@requires(P.ORDER_SHIP)
def close(number: str) -> ResponseReturnValue:
    """Close a delivered order."""
    delivering.close_order(current_actor(), number, now=now())
    flash(_("Order %(number)s is closed.", number=number), "success")
    return redirect(url_for("orders.detail", number=number), code=303)
