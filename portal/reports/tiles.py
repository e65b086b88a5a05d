"""The first page of reports: a few figures, each with its change and the way to its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext as _

from portal.errors import N_
from portal.policy import Actor
from portal.reports import figures as f
from portal.reports.figures import Figure, change
from portal.reports.results import Change
from portal.reports.running import REPORTS, read_args, report_url
from portal.reports.shapes import Report, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure of the first page; ``beside`` says a second one in words."""

    report: Report
    label: str
    change: Change
    currency: str
    url: str
    beside: Change | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    report: str
    figure: Figure
    beside: Figure | None = None
    label: str = ""
    """What the figure is called where its report does not stand around it."""


_CUSTOMER: Final = (
    _Wish("orders", f.NET),
    _Wish("orders", f.SAVED, f.SAVED_SHARE),
    _Wish("deliveries", f.OPEN_LINES, f.LATE_LINES, N_("Lines to be delivered")),
    _Wish("on-time", f.ON_TIME_SHARE, label=N_("Delivered on time")),
    _Wish("approval-time", f.APPROVAL_HOURS, label=N_("Approval step, average")),
    _Wish("cases", f.CASES, f.CASES_OPEN),
    _Wish("cases", f.RESOLVED_SHARE, label=N_("Cases resolved in time")),
    _Wish("repair-time", f.REPAIR_DAYS, label=N_("Repair, average")),
    _Wish("entitlements", f.ASSETS_EXPIRING, label=N_("Assets losing cover")),
)
_SUPPLIER: Final = (
    _Wish("revenue", f.REVENUE),
    _Wish("revenue", f.DISCOUNT, f.DISCOUNT_SHARE),
    _Wish("funnel", f.QUOTE_SHARE, label=N_("Quotes that became orders")),
    _Wish("backlog", f.OPEN_VALUE, f.LATE_LINES, N_("Backlog")),
    _Wish("on-time", f.ON_TIME_SHARE, label=N_("Delivered on time")),
    _Wish("deliveries", f.LATE_LINES, label=N_("Late lines")),
    _Wish("approval-time", f.APPROVAL_HOURS, label=N_("Approval step, average")),
    _Wish("cases", f.CASES, f.CASES_OPEN),
    _Wish("cases", f.RESOLVED_SHARE, label=N_("Cases resolved in time")),
    _Wish("repair-time", f.REPAIR_DAYS, label=N_("Repair, average")),
    _Wish("complaints", f.COMPLAINTS, f.CASES_OPEN),
    _Wish("entitlements", f.ASSETS_EXPIRING, label=N_("Assets losing cover")),
)


def find_tiles(actor: Actor, args: Mapping[str, str], now: datetime) -> list[Tile]:
    """Return the tiles that the actor may see, each report worked out once for each period."""
    wishes = [
        wish
        for wish in (_SUPPLIER if actor.is_supplier else _CUSTOMER)
        if REPORTS[wish.report].is_open_to(actor)
    ]
    totals = {
        name: _totals(actor, REPORTS[name], args, now)
        for name in dict.fromkeys(wish.report for wish in wishes)
    }
    return [_tile(actor, wish, totals[wish.report], args, now) for wish in wishes]


def _totals(
    actor: Actor, report: Report, args: Mapping[str, str], now: datetime
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    wanted = read_args(actor, report, args, now)
    before = wanted.before if report.askable.has_period else None
    old: Mapping[str, Any] = report.work(actor, before).totals if before else {}
    return report.work(actor, wanted).totals, old


def _tile(
    actor: Actor,
    wish: _Wish,
    totals: tuple[Mapping[str, Any], Mapping[str, Any]],
    args: Mapping[str, str],
    now: datetime,
) -> Tile:
    report, key = REPORTS[wish.report], wish.figure.key
    latest, old = totals
    wanted = read_args(actor, report, args, now)
    asked = {name: args[name] for name in ("period", "currency", "compare") if args.get(name)}
    return Tile(
        report=report,
        label=_(wish.label or wish.figure.label),
        change=Change(
            wish.figure, latest.get(key), old.get(key), change(latest.get(key), old.get(key))
        ),
        currency=wanted.currency if report.has_money else "",
        url=report_url(report, asked),
        beside=_beside(wish.beside, latest),
    )


def _beside(figure: Figure | None, latest: Mapping[str, Any]) -> Change | None:
    value = latest.get(figure.key) if figure else None
    return None if figure is None or value is None else Change(figure, value, None, None)


def find_sections(actor: Actor) -> Sequence[tuple[str, Sequence[tuple[Report, str]]]]:
    """Return the reports that the actor may read with their addresses, by section."""
    found = [
        (
            _(section.label),
            [
                (report, report_url(report, {}))
                for report in REPORTS.values()
                if report.section is section and report.is_open_to(actor)
            ],
        )
        for section in Section
    ]
    return [(label, reports) for label, reports in found if reports]
