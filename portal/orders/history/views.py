"""Pages of imported orders: the list, and one order as it was in the other system."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.files.writing import write_csv, write_xlsx
from portal.orders.history.queries import (
    PastFilter,
    count_past_orders,
    find_past_orders,
    find_years,
    get_past_order,
)
from portal.orders.history.rules import SortBy
from portal.orders.history.tables import COLUMNS, SUPPLIER_COLUMNS
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import cells_of, file_response, header_of, sort_of

bp = Blueprint("past_orders", __name__, url_prefix="/orders/past")

MOST_TEXT = 64


@bp.get("")
@requires(P.ORDER_READ)
def index() -> ResponseReturnValue:
    actor, wanted = current_actor(), _filter()
    sort = sort_of(SortBy, SortBy.PLACED, descending=True)
    columns = SUPPLIER_COLUMNS if actor.is_supplier else COLUMNS
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = find_past_orders(actor, wanted, sort=sort.key, descending=sort.descending)
        header, cells = header_of(columns), cells_of(columns, rows)
        if request.args["format"] == "xlsx":
            book = write_xlsx(header, cells, sheet=_("Imported orders"))
            return file_response(book, "imported-orders.xlsx")
        return file_response(write_csv(header, cells, for_people=True), "imported-orders.csv")
    number, size = page_number(), page_size()
    rows = find_past_orders(
        actor,
        wanted,
        sort=sort.key,
        descending=sort.descending,
        limit=size,
        offset=offset_of(number, size),
    )
    return render_template(
        "orders/past.html",
        page=Page(rows, count_past_orders(actor, wanted), number, size),
        wanted=wanted,
        sort=sort,
        columns=columns,
        years=find_years(actor),
        own_url=url_for("orders.index", q=wanted.text or None),
    )


def _filter() -> PastFilter:
    year = request.args.get("year", "")
    is_year = year.isascii() and year.isdigit() and len(year) == 4  # noqa: PLR2004 - the digits of a year
    return PastFilter(
        text=request.args.get("q", "").strip()[:MOST_TEXT], year=int(year) if is_year else None
    )


@bp.get("/<path:number>")
@requires(P.ORDER_READ)
def detail(number: str) -> ResponseReturnValue:
    actor = current_actor()
    order = get_past_order(actor, number, request.args.get("account", "").strip())
    return render_template(
        "orders/past_detail.html", order=order, can_reorder=actor.can(P.QUOTE_SAVE)
    )
