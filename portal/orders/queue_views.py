"""The order desk's page: its queue with tabs, and the same rows as a file."""

from collections.abc import Mapping

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.files.writing import write_csv, write_xlsx
from portal.orders.queue import (
    DeskFilter,
    DeskSort,
    DeskTab,
    QueueRow,
    count_queue,
    find_queue,
)
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.addresses import url_with
from portal.web.clock import now
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import Column, cells_of, file_response, header_of, sort_of

bp = Blueprint("order_desk", __name__, url_prefix="/desk/orders")

MOST_TEXT = 64

COLUMNS: tuple[Column[QueueRow], ...] = (
    Column(
        key="order_number",
        label=_l("Order"),
        value=lambda row: row.order.number,
        sort=DeskSort.NUMBER,
        url=lambda row: url_for("orders.detail", number=row.order.number),
    ),
    Column(
        key="account",
        label=_l("Account"),
        value=lambda row: row.order.account.name,
        sort=DeskSort.ACCOUNT,
    ),
    Column(
        key="purchase_order_number",
        label=_l("Purchase order"),
        value=lambda row: row.order.purchase_order_number,
    ),
    Column(key="status", label=_l("Status"), value=lambda row: _(row.order.status.label)),
    Column(
        key="age_days",
        label=_l("Age in days"),
        value=lambda row: row.age,
        kind="number",
        sort=DeskSort.AGE,
    ),
    Column(
        key="due_on", label=_l("Due"), value=lambda row: row.due_on, kind="day", sort=DeskSort.DUE
    ),
    Column(
        key="blocked_by",
        label=_l("In the way"),
        value=lambda row: ", ".join(_(item.label) for item in row.blockers),
    ),
    Column(
        key="net_total",
        label=_l("Net total"),
        value=lambda row: row.order.net_total,
        kind="money",
        currency=lambda row: row.order.currency,
        sort=DeskSort.TOTAL,
    ),
)


@bp.get("")
@requires(P.ORDER_CONFIRM)
def index() -> ResponseReturnValue:
    """Show the queue, or answer with it as a file."""
    actor, wanted, at = current_actor(), _filter(request.args), now()
    sort = sort_of(DeskSort, DeskSort.AGE, descending=True)
    if request.args.get("format") in {"csv", "xlsx"}:
        return _file(request.args["format"], list(find_queue(actor, wanted, at, sort)))
    number, size = page_number(), page_size()
    counts = count_queue(actor, wanted.text, at)
    rows = find_queue(actor, wanted, at, sort, limit=size, offset=offset_of(number, size))
    return render_template(
        "desk/orders.html",
        page=Page(rows, counts[wanted.tab], number, size),
        wanted=wanted,
        sort=sort,
        columns=COLUMNS,
        views=[
            (
                _(tab.label),
                url_with(view=tab.value, page=None, format=None),
                tab is wanted.tab,
                counts[tab],
            )
            for tab in DeskTab
        ],
    )


def _filter(args: Mapping[str, str]) -> DeskFilter:
    """Read the queue's filter from the address; nonsense is the default."""
    asked = args.get("view", "")
    tab = DeskTab(asked) if asked in set(DeskTab) else DeskTab.TO_CONFIRM
    return DeskFilter(tab, args.get("q", "").strip()[:MOST_TEXT])


def _file(kind: str, rows: list[QueueRow]) -> ResponseReturnValue:
    header, cells = header_of(COLUMNS), cells_of(COLUMNS, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Order desk")), "order-desk.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "order-desk.csv")
