"""Pages of repairs: their part of a case's page, the board, spare parts, the packing slip."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog.stock.actions import receive_stock
from portal.catalog.stock.queries import SortBy as StockSort
from portal.catalog.stock.queries import count_views, find_stock
from portal.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.service.cases.models import Case
from portal.service.cases.pages import show_case
from portal.service.cases.queries import get_case
from portal.service.repairs import actions, listing, pages, parts, queries
from portal.service.repairs.actions import Announcement, Words
from portal.service.repairs.documents import packing_slip_pdf
from portal.service.repairs.forms import AnnounceForm, PartForm, ReceivePartForm, StepForm
from portal.service.repairs.pages import RepairForms
from portal.service.repairs.parts import WantedPart
from portal.service.repairs.rules import Move, RepairChangedError, SortBy, Way
from portal.service.repairs.tables import BOARD, PARTS
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import cells_of, file_response, header_of, sort_of

bp = Blueprint("repairs", __name__, url_prefix="/service")
Refused = (InvalidError, ConflictError)


@bp.post("/cases/<number>/repair")
@requires(P.CASE_SAVE)
def announce(number: str) -> ResponseReturnValue:
    actor = current_actor()
    case = _reached(number, P.CASE_SAVE)
    form = AnnounceForm()
    form.address.choices = pages.address_choices(case)

    def act() -> None:
        wanted = Announcement(
            way=Way(form.way.data),
            fault=form.fault.data or "",
            address=form.address.data or "",
            contact=form.contact.data or "",
        )
        actions.announce_repair(actor, number, wanted, key=_key(form), now=now())

    return _take(
        case, form, RepairForms(announce=form), act, _("The repair is announced. See what is next.")
    )


@bp.post("/cases/<number>/repair/step")
@requires(P.REPAIR_WORK)
def step(number: str) -> ResponseReturnValue:
    """Take the step that the pressed button names."""
    actor, form = current_actor(), StepForm()
    case = _reached(number, P.REPAIR_WORK)
    asked = request.form.get("move", "").upper()

    def act() -> None:
        if asked not in Move.__members__:
            raise RepairChangedError(number=number)
        words = Words(
            note=form.note.data or "",
            carrier=form.carrier.data or "",
            tracking_number=form.tracking_number.data or "",
        )
        actions.take_step(
            actor, number, Move[asked], words, version=_number(form.version.data), now=now()
        )

    return _take(case, form, RepairForms(step=form), act, _("The step is noted."))


@bp.post("/cases/<number>/repair/parts")
@requires(P.REPAIR_WORK)
def add_part(number: str) -> ResponseReturnValue:
    actor, form = current_actor(), PartForm()
    case = _reached(number, P.REPAIR_WORK)
    form.payer.choices = pages.payer_choices(case)

    def act() -> None:
        chosen = form.payer.data or ""
        wanted = WantedPart(
            sku=form.sku.data or "",
            quantity=form.quantity.data or Decimal(0),
            payer_id=_number(chosen) if chosen else None,
        )
        part = parts.add_part(actor, number, wanted, key=_key(form), now=now())
        flash(
            _("%(sku)s is reserved, free of charge.", sku=part.sku)
            if part.is_free
            else _("%(sku)s is on a quote. The customer was told.", sku=part.sku),
            "success",
        )

    return _take(case, form, RepairForms(part=form), act, "")


@bp.post("/cases/<number>/repair/parts/use")
@requires(P.REPAIR_WORK)
def use_part(number: str) -> ResponseReturnValue:
    part = parts.use_part(current_actor(), number, _number(request.form.get("part")), now=now())
    return _done(number, _("%(sku)s is used.", sku=part.sku))


@bp.post("/cases/<number>/repair/parts/give-back")
@requires(P.REPAIR_WORK)
def give_back(number: str) -> ResponseReturnValue:
    part = parts.remove_part(current_actor(), number, _number(request.form.get("part")), now=now())
    return _done(number, _("%(sku)s is given back.", sku=part.sku))


@bp.get("/cases/<number>/repair/packing-slip.pdf")
@requires(P.CASE_READ)
def packing_slip(number: str) -> ResponseReturnValue:
    case = get_case(current_actor(), number)
    repair = queries.get_current(case)
    response = Response(packing_slip_pdf(case, repair), content_type="application/pdf")
    response.headers.set("Content-Disposition", "inline", filename=f"{repair.number}.pdf")
    return response


@bp.get("/repairs")
@requires(P.REPAIR_WORK)
def index() -> ResponseReturnValue:
    actor = current_actor()
    wanted, sort = listing.filter_of(request.args), sort_of(SortBy, SortBy.STEP)
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = listing.board_rows(actor, wanted, sort, now())
        return _file(request.args["format"], "repairs", BOARD, rows)
    counts = queries.count_by_tab(actor, wanted)
    number, size = page_number(), page_size()
    rows = listing.board_rows(
        actor, wanted, sort, now(), limit=size, offset=offset_of(number, size)
    )
    return render_template(
        "service/repairs.html",
        page=Page(rows, counts[wanted.tab], number, size),
        groups=listing.groups_of(rows) if sort.key is SortBy.STEP else (),
        wanted=wanted,
        sort=sort,
        views=listing.views_of(wanted, counts),
        chips=listing.chips_of(wanted),
        ways=[("", _("All")), *((way.value, _(way.label)) for way in Way)],
        accounts=queries.find_accounts(actor),
        can_see_parts=actor.can(P.PART_READ),
    )


@bp.get("/parts")
@requires(P.PART_READ)
def spare_parts() -> ResponseReturnValue:
    return _parts_page(ReceivePartForm(formdata=None, key=pages.new_key()))


def _parts_page(form: ReceivePartForm, status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    filters, sort = listing.part_filters(request.args), sort_of(StockSort, StockSort.SKU)
    if request.args.get("format") in {"csv", "xlsx"}:
        found = find_stock(filters, sort=sort, size=None)
        rows = listing.part_rows(actor, found.items)
        return _file(request.args["format"], "spare-parts", PARTS, rows)
    counts = count_views(filters)
    found = find_stock(filters, sort=sort, number=page_number(), size=page_size())
    page = Page(listing.part_rows(actor, found.items), found.total, found.number, found.size)
    return (
        render_template(
            "service/parts.html",
            page=page,
            filters=filters,
            sort=sort,
            columns=PARTS,
            views=listing.part_views(filters, counts),
            form=form,
            for_case=listing.case_for_parts(actor, request.args.get("case", "")),
            key=pages.new_key(),
            can_save=actor.can(P.PART_SAVE),
            can_see_stock=actor.can(P.STOCK_READ),
        ),
        status,
    )


@bp.post("/parts")
@requires(P.PART_SAVE)
def receive_part() -> ResponseReturnValue:
    """Take spare parts in at a location of the workshop."""
    actor, form = current_actor(), ReceivePartForm()
    if form.validate_on_submit():
        try:
            receive_stock(
                actor,
                form.sku.data or "",
                form.location_code.data or "",
                form.quantity.data or Decimal(0),
                note=form.note.data or "",
                key=str(form.key.data or "")[:64] or None,
                now=now(),
            )
        except (InvalidError, NotFoundError) as refusal:
            form.add_error(refusal, "sku" if isinstance(refusal, NotFoundError) else None)
        except NotAllowedError:
            form.add_error(
                _("Spare parts lie at locations that begin with REPAIR."), "location_code"
            )
        else:
            flash(
                _("The goods are on hand at %(place)s.", place=form.location_code.data), "success"
            )
            return redirect(url_for(".spare_parts", q=form.sku.data), code=303)
    return _parts_page(form, 422)


def _file(kind: str, name: str, columns: Any, rows: Any) -> ResponseReturnValue:  # noqa: ANN401 - of one list
    header, cells = header_of(columns), cells_of(columns, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=name), f"{name}.xlsx")
    return file_response(write_csv(header, cells, for_people=True), f"{name}.csv")


def _reached(number: str, permission: P) -> Case:
    """Return a case within reach of what is asked; a form that complains shows it, too."""
    case = get_case(current_actor(), number)
    current_actor().must_reach(
        permission,
        account_id=case.account_id,
        unit_id=case.unit_id,
        owner_id=case.membership_id,
    )
    return case


def _take(
    case: Case,
    form: Any,  # noqa: ANN401 - any form of the panel
    forms: RepairForms,
    act: Callable[[], None],
    done: str,
) -> ResponseReturnValue:
    """Act where the form is rightly filled in; else show the case with what is wrong."""
    if form.validate_on_submit():
        try:
            act()
        except Refused as refusal:
            form.add_error(refusal)
        else:
            return _done(case.number, done)
    actor, at = current_actor(), now()
    case = get_case(actor, case.number)
    page = show_case(actor, case, at)
    shown = {**page.parts, **pages.show_repairs(actor, case, at, forms).values}
    return render_template("service/cases_detail.html", page=page, form=form, **shown), 422


def _done(number: str, words: str) -> ResponseReturnValue:
    if words:
        flash(words, "success")
    return redirect(url_for("cases.detail", number=number, _anchor="repair"), code=303)


def _key(form: Any) -> str:  # noqa: ANN401 - any form with a key
    return str(form.key.data or "")[:64] or pages.new_key()


def _number(text: object) -> int:
    """Return a whole number from a hidden field or choice; nonsense is one that never exists."""
    digits = str(text or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else -1  # noqa: PLR2004
