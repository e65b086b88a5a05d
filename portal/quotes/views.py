"""Pages of quotes: the list, one quote with its editor, quick entry, the PDF."""

import re
from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import Availability
from portal.errors import ConflictError, DomainError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.quotes import actions, pages, queries
from portal.quotes.checking import Checked, check_rows
from portal.quotes.documents import quote_pdf
from portal.quotes.entry import MOST_CHARACTERS, parse_text
from portal.quotes.forms import DraftForm, ExtendForm, read_draft
from portal.quotes.guarding import must_reach
from portal.quotes.models import Quote
from portal.quotes.quick import fingerprint, read_entry
from portal.quotes.rules import QuoteStatus, SortBy
from portal.quotes.sheet import sheet_shown
from portal.quotes.showing import get_shown
from portal.quotes.tables import columns_of
from portal.web.access import current_actor, requires, safe_next
from portal.web.clock import now
from portal.web.formats import refusal
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import cells_of, file_response, header_of, sort_of

bp = Blueprint("quotes", __name__, url_prefix="/quotes")


@bp.get("")
@requires(P.QUOTE_READ)
def index() -> ResponseReturnValue:
    actor, filters = current_actor(), pages.filters_of(request.args)
    sort = sort_of(SortBy, SortBy.CHANGED, descending=True)
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = queries.find_quotes(actor, filters, sort=sort.key, descending=sort.descending)
        return _file(request.args["format"], rows, is_supplier=actor.is_supplier)
    number, size = page_number(), page_size()
    counts = queries.count_tabs(actor, filters.text)
    rows = queries.find_quotes(
        actor,
        filters,
        sort=sort.key,
        descending=sort.descending,
        offset=offset_of(number, size),
        limit=size,
    )
    return render_template(
        "quotes/index.html",
        page=Page(rows, counts[filters.tab], number, size),
        filters=filters,
        sort=sort,
        columns=columns_of(is_supplier=actor.is_supplier, on_page=True),
        views=pages.views_of(filters, counts),
        can_save=actor.can(P.QUOTE_SAVE),
    )


def _file(kind: str, rows: list[queries.QuoteRow], *, is_supplier: bool) -> ResponseReturnValue:
    columns = columns_of(is_supplier=is_supplier, on_page=False)
    header, cells = header_of(columns), cells_of(columns, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Quotes")), "quotes.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "quotes.csv")


@bp.post("")
@requires(P.QUOTE_SAVE)
def create() -> ResponseReturnValue:
    actor, title = current_actor(), request.form.get("title", "").strip()
    quote = actions.create_quote(actor, now(), title=title)
    flash(_("Quote %(number)s is made. Add products to it.", number=quote.number), "success")
    return redirect(url_for(".detail", number=quote.number), code=303)


@bp.post("/lines")
@requires(P.QUOTE_SAVE)
def add_line() -> ResponseReturnValue:
    """Add one product to the current draft, from wherever it was found."""
    back = safe_next(request.form.get("next")) or url_for(".quick")
    typed = read_draft(
        {
            "add_sku": request.form.get("sku", ""),
            "add_quantity": request.form.get("quantity", "1"),
        }
    )
    number = request.form.get("number") or None
    try:
        if not typed.add_sku or typed.add_quantity is None:
            raise _NothingTypedError(reason=typed.errors.get("add_quantity", _("Enter an SKU.")))
        items = [(typed.add_sku, typed.add_quantity, request.form.get("uom") or None)]
        quote = actions.add_lines(current_actor(), number, items, now())
    except InvalidError as error:
        flash(refusal(error), "error")
    else:
        flash(_("%(sku)s is in %(number)s.", sku=typed.add_sku, number=quote.number), "success")
    return redirect(back, code=303)


class _NothingTypedError(InvalidError):
    message = "{reason}"


@bp.get("/quick")
@requires(P.QUOTE_SAVE)
def quick() -> ResponseReturnValue:
    actor = current_actor()
    kept = queries.find_entry(actor)
    text = kept.text if kept else ""
    return _show_quick(text, check_rows(actor, parse_text(text).rows, now()) if text else None)


def _show_quick(
    text: str, checked: Checked | None, errors: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    page = render_template(
        "quotes/quick.html",
        text=text,
        checked=checked,
        fingerprint=fingerprint(text),
        errors=errors or {},
        draft=queries.current_draft(current_actor()),
        stock=_stock_of(checked),
    )
    return page, 422 if errors else 200


def _stock_of(checked: Checked | None) -> Mapping[int, Availability]:
    """Return what there is of the products that the rows name."""
    rows = checked.rows if checked else ()
    return find_availability({row.product.id for row in rows if row.product is not None})


@bp.post("/quick")
@requires(P.QUOTE_SAVE)
def check_quick() -> ResponseReturnValue:
    """Check the rows that were sent, or add the good ones; what is wrong stays to be fixed."""
    actor, at, text = current_actor(), now(), request.form.get("text", "")
    try:
        entered = read_entry(request.form, _uploaded())
    except InvalidError as error:
        return _show_quick(text[:MOST_CHARACTERS], None, {error.field or "text": refusal(error)})
    checked = check_rows(actor, entered.rows, at, dropped=entered.dropped)
    actions.keep_entry(actor, checked.text(), at)
    if request.form.get("do") != "add":
        return _show_quick(checked.text(), checked)
    return _add_checked(checked)


def _add_checked(checked: Checked) -> ResponseReturnValue:
    """Add the good rows; keep the others to be fixed."""
    actor, at = current_actor(), now()
    if not checked.good:
        nothing = _("Nothing can be added yet: enter an SKU and a quantity in each row.")
        return _show_quick(checked.text(), checked, {"text": nothing})
    try:
        quote = actions.add_lines(actor, None, checked.items, at)
    except InvalidError as error:  # together with what the draft holds already
        return _show_quick(checked.text(), checked, {"text": refusal(error)})
    actions.keep_entry(actor, checked.text(bad_only=True), at)
    flash(_added(len(checked.good), quote.number), "success")
    if not checked.bad:
        return redirect(url_for(".detail", number=quote.number), code=303)
    left = len(checked.bad)
    flash(ngettext("%(num)s row is left to fix.", "%(num)s rows are left to fix.", left), "error")
    return redirect(url_for(".quick"), code=303)


def _added(count: int, number: str) -> str:
    return ngettext(
        "%(num)s line was added to %(number)s.",
        "%(num)s lines were added to %(number)s.",
        count,
        number=number,
    )


def _uploaded() -> tuple[bytes, str] | None:
    file = request.files.get("file")
    return (file.read(), file.filename) if file and file.filename else None


@bp.get("/<number>")
@requires(P.QUOTE_READ)
def detail(number: str) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    page = pages.show_quote(
        actor,
        number,
        at,
        revision=_whole(request.args.get("revision")),
        compared=_compared(request.args.get("compare", "")),
        page=page_number(),
    )
    if page.can_edit and not page.is_opened:
        # What is added next goes to the draft opened last: noted once, not on every look.
        actions.open_draft(actor, number, at)
        page = pages.show_quote(actor, number, at, page=page_number())
    return _show(page)


def _show(
    page: pages.QuotePage, status: int = 200, extend: ExtendForm | None = None
) -> ResponseReturnValue:
    if extend is None:
        extend = ExtendForm(formdata=None, revision=str(page.revision.number))
    return render_template("quotes/detail.html", page=page, extend=extend), status


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else None


def _compared(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{1,6})\.\.(\d{1,6})", text)
    return (int(match[1]), int(match[2])) if match else None


@bp.post("/<number>/save")
@requires(P.QUOTE_SAVE)
def save(number: str) -> ResponseReturnValue:
    form = _read(number, P.QUOTE_SAVE)
    refused = _save(number, form)
    if refused is not None:
        return refused
    flash(_("Quote %(number)s is saved.", number=number), "success")
    return redirect(url_for(".detail", number=number, page=request.form.get("page")), code=303)


@bp.post("/<number>/submit")
@requires(P.QUOTE_SUBMIT)
def submit(number: str) -> ResponseReturnValue:
    actor, form = current_actor(), read_draft(request.form)
    if form.errors:
        return _refuse_unsent(number, form)
    try:
        quote = actions.save_and_submit(
            actor,
            number,
            form.version,
            form.edits,
            now(),
            added=form.added,
            shown_total=form.shown_total,
        )
    except (ConflictError, InvalidError) as error:
        # Nothing of it is done. What was typed is kept all the same, where it can be.
        return _save(number, form) or _refuse(number, DraftForm(), error)
    if quote is not None:
        flash(_submitted(quote), "success")
    return redirect(url_for(".detail", number=number), code=303)


def _refuse_unsent(number: str, form: DraftForm) -> ResponseReturnValue:
    """Show again what can't be read; of a quote that was submitted meanwhile its page."""
    actor = current_actor()
    must_reach(actor, P.QUOTE_SUBMIT, queries.get_row(actor, number))
    if queries.is_submitted(actor, number, form.version):
        return redirect(url_for(".detail", number=number), code=303)
    return _refuse(number, form, None)


def _submitted(quote: Quote) -> str:
    if quote.status is QuoteStatus.IN_APPROVAL:
        return _("Quote %(number)s is submitted. Its approvers were told.", number=quote.number)
    return _("Quote %(number)s is approved: no rule needs anybody's consent.", number=quote.number)


def _read(number: str, permission: P) -> DraftForm:
    """Read the editor's form of a quote that the actor can see and may change."""
    actor = current_actor()
    must_reach(actor, permission, queries.get_row(actor, number))
    return read_draft(request.form)


def _save(number: str, form: DraftForm) -> ResponseReturnValue | None:
    """Save what was typed; return the page again where it can't be."""
    if form.errors:
        return _refuse(number, form, None)
    actor, at = current_actor(), now()
    try:
        quote = actions.save_draft(actor, number, form.version, form.edits, at)
        if form.added:
            quote = actions.add_lines(actor, number, form.added, at)
    except (ConflictError, InvalidError) as error:
        return _refuse(number, form, error)
    form.version = quote.version
    return None


def _refuse(number: str, form: DraftForm, error: DomainError | None) -> ResponseReturnValue:
    """Show the quote again with what was typed and what is wrong with it."""
    if error is not None:
        form.errors[error.field or ""] = refusal(error)
    if isinstance(error, actions.DraftConflictError):
        form.version = 0  # from here on the form is about what was saved meanwhile
    page = pages.show_quote(
        current_actor(),
        number,
        now(),
        form=form,
        clashes=getattr(error, "clashes", ()),
        page=_whole(request.form.get("page")) or 1,
    )
    return _show(page, 409 if isinstance(error, ConflictError) else 422)


@bp.post("/<number>/withdraw")
@requires(P.QUOTE_SUBMIT)
def withdraw(number: str) -> ResponseReturnValue:
    seen = _whole(request.form.get("revision"))
    actions.withdraw_quote(current_actor(), number, now(), seen)
    return _done(number, _("Quote %(number)s is withdrawn. Its approvers need not decide."))


@bp.post("/<number>/revise")
@requires(P.QUOTE_SAVE)
def revise(number: str) -> ResponseReturnValue:
    seen = _whole(request.form.get("revision"))
    actions.revise_quote(current_actor(), number, now(), seen)
    return _done(number, _("A new revision of %(number)s is begun, at today's prices."))


@bp.post("/<number>/extend")
@requires(P.QUOTE_EXTEND)
def extend(number: str) -> ResponseReturnValue:
    """Hold the prices of a submitted quote for longer."""
    actor, form, at = current_actor(), ExtendForm(), now()
    must_reach(actor, P.QUOTE_EXTEND, queries.get_quote(actor, number))
    if form.validate_on_submit() and form.until.data:
        seen, reason = _whole(form.revision.data), form.reason.data or ""
        try:
            actions.extend_quote(
                actor, number, form.until.data, reason=reason, revision=seen, now=at
            )
        except InvalidError as error:
            form.add_error(error)
        else:
            return _done(number, _("The prices of %(number)s are held for longer."))
    return _show(pages.show_quote(actor, number, at), 422, form)


@bp.post("/<number>/discard")
@requires(P.QUOTE_SAVE)
def discard(number: str) -> ResponseReturnValue:
    actions.discard_quote(current_actor(), number, now(), _whole(request.form.get("version")))
    return _done(number, _("Quote %(number)s is discarded."))


@bp.post("/<number>/copy")
@requires(P.QUOTE_SAVE)
def copy(number: str) -> ResponseReturnValue:
    """Make a new draft of the lines of a quote, at today's prices."""
    added = actions.add_from_quote(current_actor(), number, None, now())
    if added.skipped:
        flash(_("Left out, not sold to you now: %(skus)s.", skus=", ".join(added.skipped)), "error")
    return _done(added.quote.number, _("Quote %(number)s has the same lines at today's prices."))


def _done(number: str, text: str) -> ResponseReturnValue:
    flash(text % {"number": number}, "success")
    return redirect(url_for(".detail", number=number), code=303)


@bp.get("/<number>/pdf")
@requires(P.QUOTE_READ)
def pdf(number: str) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    shown = get_shown(actor, number, at, _whole(request.args.get("revision")))
    data = quote_pdf(sheet_shown(shown, at), pages.places_shown(shown), at)
    return file_response(data, f"{number}-r{shown.revision.number}.pdf")
