"""The list of cases: the agents' queue by their clocks, the customers' own cases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.policy import Actor, Permission
from portal.service.cases import queries
from portal.service.cases.clocks import find_clocks, is_overdue, urgency
from portal.service.cases.models import Case
from portal.service.cases.people import find_member_names
from portal.service.cases.queries import CaseFilter
from portal.service.cases.rules import (
    AGENT_TABS,
    CUSTOMER_TABS,
    TAB_STATES,
    UNSOLVED,
    CaseKind,
    Priority,
    SortBy,
    Tab,
)
from portal.service.cases.tables import Row
from portal.service.clock.rules import Clock
from portal.web.addresses import url_with
from portal.web.paging import Page, offset_of
from portal.web.tables import Sort

MOST_TEXT: Final = 200


def tabs_of(actor: Actor) -> Sequence[Tab]:
    """Return the views that an actor has."""
    return AGENT_TABS if actor.can(Permission.CASE_WORK) else CUSTOMER_TABS


def filter_of(actor: Actor, args: Mapping[str, str], now: datetime) -> CaseFilter:
    """Read a list's filter from the address; nonsense is the default."""
    asked = args.get("view", "")
    tab = Tab(asked) if asked in set(tabs_of(actor)) else Tab.OPEN
    kind, priority = args.get("kind", ""), args.get("priority", "")
    return CaseFilter(
        tab=tab,
        text=args.get("q", "").strip()[:MOST_TEXT],
        kind=kind if kind in set(CaseKind) else "",
        priority=priority if priority in set(Priority) else "",
        team=args.get("team", "")[:64] if actor.is_supplier else "",
        account=args.get("account", "")[:64] if actor.is_supplier else "",
        today=now.astimezone(ZoneInfo(actor.time_zone)).date(),
    )


class Listing:
    """One answer of the list: what its rows, tabs and export agree on."""

    def __init__(self, actor: Actor, wanted: CaseFilter, sort: Sort[SortBy], now: datetime) -> None:
        self.actor, self.sort, self.now = actor, sort, now
        self.clocks: Mapping[int, Clock] = {}
        if actor.can(Permission.CASE_WORK):
            self.clocks = find_clocks(queries.find_unsolved(actor, wanted), now)
        late = frozenset(key for key, clock in self.clocks.items() if is_overdue(clock))
        self.wanted = replace(wanted, overdue=late)

    def all_rows(self) -> list[Row]:
        """Return everything that the filter finds, for the file."""
        return self._rows(self._find(None, 0))

    def page(self, number: int, size: int) -> tuple[Page[Row], dict[Tab, int]]:
        """Return one page and the exact counts of all views."""
        counts = queries.count_by_tab(self.actor, self.wanted)
        found = self._find(size, offset_of(number, size))
        return Page(self._rows(found), counts[self.wanted.tab], number, size), counts

    def _find(self, limit: int | None, offset: int) -> Sequence[Case]:
        by_clock = self.sort.key is SortBy.CLOCK and TAB_STATES[self.wanted.tab] <= UNSOLVED
        if not by_clock:
            return queries.find_cases(
                self.actor,
                self.wanted,
                sort=self.sort.key,
                descending=self.sort.descending,
                limit=limit,
                offset=offset,
            )
        found = list(queries.find_cases(self.actor, self.wanted, descending=False))
        clocks = self._clocks(found)
        found.sort(key=lambda case: urgency(clocks.get(case.id)), reverse=self.sort.descending)
        return found[offset:] if limit is None else found[offset : offset + limit]

    def _clocks(self, cases: Sequence[Case]) -> Mapping[int, Clock]:
        """Return the clocks of some cases, reading only those that are not read yet."""
        missing = [case for case in cases if case.id not in self.clocks]
        if missing:
            self.clocks = {**self.clocks, **find_clocks(missing, self.now)}
        return self.clocks

    def _rows(self, cases: Sequence[Case]) -> list[Row]:
        clocks = self._clocks(cases)
        names = find_member_names(
            {case.membership_id for case in cases} | {case.assignee_id for case in cases}
        )
        return [
            Row(
                case,
                clocks.get(case.id),
                names.get(case.membership_id, ""),
                names.get(case.assignee_id or 0, ""),
            )
            for case in cases
        ]


def views_of(
    actor: Actor, wanted: CaseFilter, counts: Mapping[Tab, int]
) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the list: label, address, whether it is shown, exact count."""
    return [
        (_(tab.label), url_with(view=tab.value, page=None), tab is wanted.tab, counts[tab])
        for tab in tabs_of(actor)
    ]


def chips_of(wanted: CaseFilter) -> list[tuple[str, str]]:
    """Return (words, address without it) of each filter that is on."""
    shown = {
        "q": (_("Text"), wanted.text),
        "kind": (_("Kind"), _(CaseKind(wanted.kind).label) if wanted.kind else ""),
        "priority": (_("Priority"), _(Priority(wanted.priority).label) if wanted.priority else ""),
        "team": (_("Team"), wanted.team),
        "account": (_("Account"), wanted.account),
    }
    return [
        (f"{label}: {value}", url_with(**{name: None}, page=None))
        for name, (label, value) in shown.items()
        if value
    ]
