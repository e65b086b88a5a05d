"""The shape of every report: what it is called, who may read it, what it works out and lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Final

from flask_babel.speaklater import LazyString

from portal.errors import N_
from portal.policy import Actor, Permission
from portal.reports.asking import Askable, By, Wanted
from portal.reports.figures import Figure
from portal.reports.results import ResultRow
from portal.web.tables import Column

SUPPLIER_ONLY: Final = frozenset(
    {By.ACCOUNT, By.TEAM, By.COMPLAINT, By.CAUSE, By.SEVERITY, By.CHANNEL}
)
"""Groupings that say nothing to a customer, or what the service keeps to itself."""


@unique
class Section(StrEnum):
    """The parts of the page that lists all reports."""

    ORDERS = "orders"
    SERVICE = "service"
    SALES = "sales"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return {
            Section.ORDERS: N_("Orders"),
            Section.SERVICE: N_("Service"),
            Section.SALES: N_("Sales"),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """The figures of a report before they are dressed for page, file or mail."""

    figures: Sequence[Figure]
    rows: Sequence[ResultRow]
    totals: Mapping[str, Any]
    notes: Sequence[str] = ()
    charted: Sequence[Figure] = ()
    has_totals: bool = True
    """Whether the totals are a row of the table; stages of a way have no sum."""
    headed: Sequence[Figure] = ()
    """The figures of the totals, where they are called otherwise than in the table."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows behind a figure: how many, their columns, and how some of them are read."""

    total: int
    columns: Sequence[Column[Any]]
    fetch: Callable[[int | None, int], Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report; its address is /reports/NAME."""

    name: str
    title: str | LazyString
    meaning: str | LazyString
    section: Section
    permission: Permission
    askable: Askable
    work: Callable[[Actor, Wanted], Worked]
    listing: Callable[[Actor, Wanted], Listing]
    is_supplier_only: bool = False
    has_money: bool = False

    def is_open_to(self, actor: Actor) -> bool:
        """Whether the actor may read it."""
        return actor.can(self.permission) and (actor.is_supplier or not self.is_supplier_only)

    def asked_by(self, actor: Actor) -> Askable:
        """Return what this actor may ask: customers have no grouping by account or team."""
        if actor.is_supplier:
            return self.askable
        ask = self.askable
        return Askable(
            groupings=[by for by in ask.groupings if by not in SUPPLIER_ONLY],
            filters=[by for by in ask.filters if by not in SUPPLIER_ONLY],
            period=ask.period,
            has_period=ask.has_period,
            days=ask.days,
        )
