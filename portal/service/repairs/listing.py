"""The lists of the workshop: repairs by step, and the parts that lie there for them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.catalog.stock.queries import VIEW_LABELS, Filters, StockRow, View
from portal.catalog.stock.rules import Store
from portal.errors import NotFoundError
from portal.policy import Actor, Permission
from portal.service.cases.people import find_member_names
from portal.service.cases.queries import get_case
from portal.service.repairs import queries
from portal.service.repairs.queries import BoardFilter
from portal.service.repairs.rules import RepairStatus, SortBy, Tab, Way
from portal.service.repairs.tables import BoardRow, PartRow
from portal.web.addresses import url_with
from portal.web.tables import Sort

MOST_TEXT = 200


def filter_of(args: Mapping[str, str]) -> BoardFilter:
    """Read the board's filter from the address; nonsense is the default."""
    asked, way = args.get("view", ""), args.get("way", "")
    return BoardFilter(
        tab=Tab(asked) if asked in set(Tab) else Tab.UNDER_WAY,
        text=args.get("q", "").strip()[:MOST_TEXT],
        way=way if way in set(Way) else "",
        account=args.get("account", "").strip()[:64],
    )


def board_rows(
    actor: Actor,
    wanted: BoardFilter,
    sort: Sort[SortBy],
    now: datetime,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[BoardRow]:
    """Return what the board shows of some repairs: since when, and who works on them."""
    found = queries.find_repairs(
        actor, wanted, sort=sort.key, descending=sort.descending, limit=limit, offset=offset
    )
    names = find_member_names({repair.case.assignee_id for repair in found})
    zone = ZoneInfo(actor.time_zone)
    today = now.astimezone(zone).date()
    return [
        BoardRow(
            repair,
            names.get(repair.case.assignee_id or 0, ""),
            today,
            repair.stepped_at.astimezone(zone).date(),
        )
        for repair in found
    ]


def groups_of(rows: Iterable[BoardRow]) -> list[tuple[RepairStatus, list[BoardRow]]]:
    """Return the rows of each step, in the order in which they come."""
    return [
        (status, list(group)) for status, group in groupby(rows, key=lambda row: row.repair.status)
    ]


def views_of(wanted: BoardFilter, counts: Mapping[Tab, int]) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the board: label, address, whether it is shown, exact count."""
    return [
        (_(tab.label), url_with(view=tab.value, page=None), tab is wanted.tab, counts[tab])
        for tab in Tab
    ]


def chips_of(wanted: BoardFilter) -> list[tuple[str, str]]:
    """Return (words, address without it) of each filter that is on."""
    shown = {
        "q": (_("Text"), wanted.text),
        "way": (_("How it comes"), _(Way(wanted.way).label) if wanted.way else ""),
        "account": (_("Account"), wanted.account),
    }
    return [
        (f"{label}: {value}", url_with(**{name: None}, page=None))
        for name, (label, value) in shown.items()
        if value
    ]


def part_filters(args: Mapping[str, str]) -> Filters:
    """Read the filter of the spare parts from the address."""
    view = args.get("view", "")
    return Filters(
        view=View(view) if view in set(View) else View.ALL,
        text=args.get("q", "").strip()[:MOST_TEXT],
        store=Store.REPAIR,
    )


def part_views(filters: Filters, counts: Mapping[View, int]) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the spare parts."""
    return [
        (_(label), url_with(view=view.value, page=None), view is filters.view, counts[view])
        for view, label in VIEW_LABELS.items()
    ]


def part_rows(actor: Actor, stock: Iterable[StockRow]) -> list[PartRow]:
    """Return spare parts with the repairs that hold some of them."""
    rows = list(stock)
    holdings = queries.find_holdings(actor, {row.sku for row in rows})
    return [PartRow(row, holdings.get(row.sku, ())) for row in rows]


def case_for_parts(actor: Actor, number: str) -> str:
    """Return the case for whose repair parts are looked up, where parts may be added to it."""
    if not number or not actor.can(Permission.REPAIR_WORK):
        return ""
    try:
        return get_case(actor, number).number
    except NotFoundError:
        return ""
