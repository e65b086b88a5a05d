"""What there is to go on with: a figure for each view that holds something."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _

from portal.accounts.queries import count_accounts_by_status
from portal.accounts.rules import STATUS_LABELS, AccountStatus
from portal.catalog.pricing.lists import ListState, count_lists_by_state
from portal.catalog.stock import queries as stock
from portal.errors import N_
from portal.jobs import queries as jobs
from portal.jobs.queries import JobTab
from portal.orders.listing import count_by_tab as count_orders
from portal.orders.queue import DeskTab, count_queue
from portal.orders.rules import Tab as OrderTab
from portal.policy import Actor, P
from portal.service.cases.listing import Listing, filter_of
from portal.service.cases.queries import CaseFilter
from portal.service.cases.queries import count_by_tab as count_cases
from portal.service.cases.rules import SortBy
from portal.service.cases.rules import Tab as CaseTab
from portal.service.cases.tables import Row
from portal.service.repairs import queries as repairs
from portal.service.repairs.queries import BoardFilter
from portal.service.repairs.rules import Tab as RepairTab
from portal.web.tables import Sort

CASES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its words and the view that lists exactly what it counts."""

    figure: int
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one place of the menu and, of cases, the next; empty where nothing waits."""

    title: str
    url: str
    tiles: Sequence[Tile]
    cases: Sequence[Row] = ()


def find_tiles(actor: Actor, now: datetime) -> list[Tile]:
    """Return what the customer's people have to answer, order or ask after."""
    tiles: list[Tile] = []
    if actor.can(P.ORDER_READ):
        orders = count_orders(actor, now=now)
        tiles += [
            Tile(orders[tab], _(label), url_for("orders.index", view=tab.value))
            for tab, label in _ORDERS.items()
            if tab is not OrderTab.DRAFTS or actor.can(P.ORDER_PLACE)
        ]
    if actor.can(P.CASE_READ):
        cases = count_cases(actor, CaseFilter())
        url = url_for("cases.index", view=CaseTab.WAITING.value)
        tiles.append(Tile(cases[CaseTab.WAITING], _("Cases that wait for your answer"), url))
    return [tile for tile in tiles if tile.figure]


_ORDERS: Final[Mapping[OrderTab, str]] = {
    OrderTab.DRAFTS: N_("Order drafts to be placed"),
    OrderTab.CHANGE_PROPOSED: N_("Orders with a change proposed"),
    OrderTab.LATE: N_("Late orders"),
}


def find_work(actor: Actor, now: datetime) -> list[Group]:
    """Return what waits in each place that the actor works in, in the order of the menu."""
    return [count(actor, now) for permission, count in _PLACES if actor.can(permission)]


def _group(
    title: str, endpoint: str, labels: Mapping[Any, str], counts: Mapping[Any, int]
) -> Group:
    """Return a place with the views that hold something, each by its marked word."""
    tiles = [
        Tile(counts[view], _(label), url_for(endpoint, view=view.value))
        for view, label in labels.items()
        if counts[view]
    ]
    return Group(title, url_for(endpoint), tiles)


def _desk(actor: Actor, now: datetime) -> Group:
    labels = {tab: tab.label for tab in DeskTab if tab is not DeskTab.CHANGE_PROPOSED}
    return _group(_("Order desk"), "order_desk.index", labels, count_queue(actor, "", now))


def _service(actor: Actor, now: datetime) -> Group:
    """Return the agent's views with the next cases of their teams, what breaks first at the top."""
    wanted = filter_of(actor, {"view": CaseTab.TEAM.value}, now)
    found = Listing(actor, wanted, Sort(SortBy.CLOCK), now)
    page, counts = found.page(1, CASES_SHOWN)
    views = (CaseTab.MINE, CaseTab.UNASSIGNED, CaseTab.OVERDUE, CaseTab.FOLLOW_UP)
    labels = {tab: tab.label for tab in views}
    return replace(_group(_("Service"), "cases.index", labels, counts), cases=page.items)


def _repairs(actor: Actor, _now: datetime) -> Group:
    labels = {tab: tab.label for tab in RepairTab if tab not in _WIDE}
    counts = repairs.count_by_tab(actor, BoardFilter())
    return _group(_("Repairs"), "repairs.index", labels, counts)


_WIDE: Final = (RepairTab.UNDER_WAY, RepairTab.OVER, RepairTab.ALL)


def _price_lists(actor: Actor, now: datetime) -> Group:
    labels = {state: state.label for state in ListState if state is not ListState.ALL}
    counts = count_lists_by_state(actor, "", now)
    return _group(_("Price lists"), "price_lists.index", labels, counts)


def _stock(_actor: Actor, _now: datetime) -> Group:
    labels = {view: view.label for view in stock.View if view is not stock.View.ALL}
    return _group(_("Stock"), "stock.index", labels, stock.count_views(stock.Filters()))


def _accounts(actor: Actor, _now: datetime) -> Group:
    counts = count_accounts_by_status(actor)
    tiles = [
        Tile(counts[status], _(STATUS_LABELS[status]), url_for(_ACCOUNTS, status=status))
        for status in AccountStatus
        if counts.get(status)
    ]
    return Group(_("Accounts"), url_for(_ACCOUNTS), tiles)


_ACCOUNTS: Final = "desk_accounts.index"


def _jobs(actor: Actor, _now: datetime) -> Group:
    labels = {JobTab.FAILED: N_("Failed")}
    return _group(_("Jobs"), "jobs.desk", labels, jobs.count_by_tab(actor))


_PLACES: Final[Sequence[tuple[P, Callable[[Actor, datetime], Group]]]] = (
    (P.ORDER_CONFIRM, _desk),
    (P.CASE_WORK, _service),
    (P.REPAIR_WORK, _repairs),
    (P.PRICE_LIST_PUBLISH, _price_lists),
    (P.STOCK_SAVE, _stock),
    (P.STAFF_SAVE, _accounts),
    (P.JOB_SAVE, _jobs),
)
"""The right that makes a place one's work, and what waits there."""
