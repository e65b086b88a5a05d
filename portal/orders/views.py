"""Pages of orders: the list, one order with its time line, and the check page of a conversion."""

import secrets
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import ConflictError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.orders import actions, pages, queries
from portal.orders.detail import Forms, blank_forms, show_order
from portal.orders.forms import ReasonForm, TermsForm
from portal.orders.lineforms import line_form
from portal.orders.listing import Range, list_orders, list_with_counts
from portal.orders.rules import Move, SortBy
from portal.orders.tables import COLUMNS, SUPPLIER_COLUMNS
from portal.policy import P
from portal.quotes import queries as quote_queries
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import cells_of, file_response, header_of, sort_of

bp = Blueprint("orders", __name__)


@bp.get("/orders")
@requires(P.ORDER_READ)
def index() -> ResponseReturnValue:
    actor, wanted = current_actor(), pages.filter_of(request.args, now())
    sort = sort_of(SortBy, SortBy.NUMBER, descending=True)
    columns = SUPPLIER_COLUMNS if actor.is_supplier else COLUMNS
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = list_orders(actor, wanted, Range(sort.key, sort.descending))
        return _file(request.args["format"], columns, rows)
    number, size = page_number(), page_size()
    part = Range(sort.key, sort.descending, size, offset_of(number, size))
    rows, counts = list_with_counts(actor, wanted, part)
    page = Page(rows, counts[wanted.tab], number, size)
    return render_template(
        "orders/index.html",
        page=page,
        wanted=wanted,
        sort=sort,
        columns=columns,
        views=pages.views_of(actor, wanted, counts),
    )


def _file(kind: str, columns: object, rows: object) -> ResponseReturnValue:
    header, cells = header_of(columns), cells_of(columns, rows)  # type: ignore[arg-type]
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Orders")), "orders.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "orders.csv")


@bp.get("/orders/<number>")
@requires(P.ORDER_READ)
def detail(number: str) -> ResponseReturnValue:
    return show(number)


def show(number: str, forms: Forms | None = None, status: int = 200) -> ResponseReturnValue:
    """Answer with an order's page; ``forms`` carry what was typed and refused."""
    actor = current_actor()
    page = show_order(actor, queries.get_order(actor, number), now(), forms)
    return render_template("orders/detail.html", page=page, form=page.form), status


def forms_of(number: str) -> Forms:
    """Return the untouched forms of an order's page, for a view that puts its own one in."""
    return blank_forms(queries.get_order(current_actor(), number))


@bp.post("/orders/<number>/place")
@requires(P.ORDER_PLACE)
def place(number: str) -> ResponseReturnValue:
    actor, form = current_actor(), TermsForm()
    if form.validate_on_submit():
        try:
            actions.place_order(actor, number, form.terms, key=_key(form), now=now())
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
        else:
            flash(_("Order %(number)s is placed. The supplier was told.", number=number), "success")
            return redirect(url_for(".detail", number=number), code=303)
    forms = forms_of(number)
    form.freight.data, forms.terms = forms.terms.freight.data, form
    return show(number, forms, pages.status_of(form))


@bp.post("/orders/<number>/discard")
@requires(P.ORDER_PLACE)
def discard(number: str) -> ResponseReturnValue:
    order = actions.discard_order(current_actor(), number, now=now())
    flash(_("The order draft is discarded; its quantities are open again."), "success")
    return redirect(url_for("quotes.detail", number=order.quote.number), code=303)


@bp.post("/orders/<number>/cancel")
@requires(P.ORDER_CANCEL)
def cancel(number: str) -> ResponseReturnValue:
    return _with_reason(number, Move.CANCEL)


@bp.post("/orders/<number>/decline")
@requires(P.ORDER_DECLINE)
def decline(number: str) -> ResponseReturnValue:
    return _with_reason(number, Move.DECLINE)


def _with_reason(number: str, move: Move) -> ResponseReturnValue:
    actor, form = current_actor(), ReasonForm()
    act, done = {
        Move.CANCEL: (actions.cancel_order, _("Order %(number)s is cancelled.", number=number)),
        Move.DECLINE: (actions.decline_order, _("Order %(number)s is declined.", number=number)),
    }[move]
    if form.validate_on_submit():
        try:
            act(actor, number, reason=form.reason.data or "", now=now())
        except InvalidError as refusal:
            form.add_error(refusal)
        else:
            flash(done, "success")
            return redirect(url_for(".detail", number=number), code=303)
    forms = forms_of(number)
    forms.reason, forms.typed = form, line_form(request.form)
    return show(number, forms, 422)


@bp.get("/quotes/<number>/convert")
@requires(P.QUOTE_CONVERT)
def convert_form(number: str) -> ResponseReturnValue:
    actor = current_actor()
    quote = quote_queries.get_orderable(actor, number)
    page = pages.show_conversion(actor, quote)
    form = TermsForm(formdata=None, key=secrets.token_urlsafe(24), freight=page.freight)
    return render_template("orders/convert.html", page=page, form=form)


@bp.post("/quotes/<number>/convert")
@requires(P.QUOTE_CONVERT)
def convert(number: str) -> ResponseReturnValue:
    actor, form = current_actor(), TermsForm()
    typed = pages.read_quantities(request.form)
    is_counting = request.form.get("then") == "count"
    is_valid = not is_counting and form.validate_on_submit()
    for text in typed.errors.values():
        form.add_error(text)
    if is_valid and not typed.errors:
        try:
            order_number = _convert(number, form, typed.quantities)
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
        else:
            return redirect(url_for(".detail", number=order_number), code=303)
    page = pages.show_conversion(actor, quote_queries.get_quote(actor, number), typed)
    form.freight.data = str(page.freight)
    return render_template("orders/convert.html", page=page, form=form), pages.status_of(form)


def _convert(number: str, form: TermsForm, quantities: dict[int, Decimal]) -> str:
    """Convert and place, or only save the draft, as the pressed button says."""
    actor = current_actor()
    if request.form.get("then") == "draft":
        order = actions.convert_quote(actor, number, quantities, key=_key(form), now=now())
        flash(_("Order draft %(number)s is saved.", number=order.number), "success")
        return order.number
    order = actions.order_quote(actor, number, quantities, form.terms, key=_key(form), now=now())
    flash(_("Order %(number)s is placed. The supplier was told.", number=order.number), "success")
    return order.number


def _key(form: TermsForm) -> str:
    """Return the form's key; one that never had any gets its own and so never repeats."""
    return str(form.key.data or "")[:64] or secrets.token_urlsafe(24)
