"""Running a report: what was asked, within whose rights, and the answer for page, file and mail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask_babel import gettext as _

from portal.errors import N_, NotFoundError
from portal.policy import Actor
from portal.reports.approving import APPROVAL_TIME
from portal.reports.asking import Wanted, read_wanted
from portal.reports.customers import ACCOUNTS, DORMANT
from portal.reports.ending import ENTITLEMENTS
from portal.reports.figures import change
from portal.reports.fulfilment import BACKLOG, DELIVERIES, ON_TIME
from portal.reports.funnel import FUNNEL
from portal.reports.results import (
    Change,
    LateRows,
    ReportResult,
    ResultRow,
    chart_of,
    columns_of,
)
from portal.reports.serving import CASES, COMPLAINTS, REPAIR_TIME
from portal.reports.shapes import Listing, Report, Worked
from portal.reports.spending import ORDERS, REVENUE

ROOT: Final = "/reports"
"""Where reports are; mails name their addresses, too, where no request says which host asks."""

REPORTS: Final[Mapping[str, Report]] = {
    report.name: report
    for report in (
        ORDERS,
        DELIVERIES,
        ON_TIME,
        APPROVAL_TIME,
        CASES,
        REPAIR_TIME,
        COMPLAINTS,
        ENTITLEMENTS,
        FUNNEL,
        REVENUE,
        ACCOUNTS,
        DORMANT,
        BACKLOG,
    )
}
"""Every report by its name, in the order in which the page lists them."""


class ReportNotFoundError(NotFoundError):
    """There is no report of this name for the reader."""

    message = N_("There is no report “{name}” that you can see.")


def get_report(actor: Actor, name: str) -> Report:
    """Return a report that the actor may read.

    Raises:
        NotAllowedError: The report's permission is not held.
        ReportNotFoundError: There is none of this name, or only for the supplier.
    """
    report = REPORTS.get(name)
    if report is None:
        raise ReportNotFoundError(name=name[:40])
    actor.must(report.permission)
    if not report.is_open_to(actor):
        raise ReportNotFoundError(name=name)
    return report


def read_args(actor: Actor, report: Report, args: Mapping[str, str], now: datetime) -> Wanted:
    """Return what an address asks of a report."""
    return read_wanted(actor, report.asked_by(actor), args, now)


def run_report(actor: Actor, name: str, args: Mapping[str, str], now: datetime) -> ReportResult:
    """Work a report out with the rights that the actor has at this moment.

    Args:
        args: The arguments of the report's address.

    Raises:
        NotAllowedError, ReportNotFoundError: As `get_report`.
    """
    report = get_report(actor, name)
    return answer(actor, report, read_args(actor, report, args, now))


def answer(actor: Actor, report: Report, wanted: Wanted) -> ReportResult:
    """Work out what was asked of a report."""
    worked = report.work(actor, wanted)
    currency = wanted.currency if report.has_money else ""
    behind_all = rows_url(report, wanted)

    def dressed(row: ResultRow) -> ResultRow:
        return replace(row, url=f"{behind_all}&{urlencode({'key': row.key})}", currency=currency)

    rows = LateRows(worked.rows, dressed)
    totals = None
    if rows and worked.has_totals:
        totals = ResultRow("", _("Total"), worked.totals, currency=currency, url=behind_all)
    title = str(report.title)
    return ReportResult(
        name=report.name,
        title=title,
        columns=columns_of(_(wanted.by.label), wanted.by.value, worked.figures, currency),
        rows=rows,
        totals=totals,
        chart=chart_of(
            title,
            rows,
            worked.charted,
            is_time=wanted.by.step is not None,
            currency=currency,
        ),
        notes=worked.notes,
        problems=wanted.problems,
        currency=currency,
        changes=_changes(actor, report, wanted, worked),
        figures=worked.figures,
    )


def _changes(actor: Actor, report: Report, wanted: Wanted, worked: Worked) -> Sequence[Change]:
    """Return the totals beside those of the period that this one is held against."""
    before = wanted.before if report.askable.has_period else None
    old: Mapping[str, Any] = {}
    if before is not None:
        old = report.work(actor, before).totals
    return [
        Change(figure, now, old.get(figure.key), change(now, old.get(figure.key)))
        for figure in worked.headed or worked.figures
        if (now := worked.totals.get(figure.key)) is not None
    ]


def rows_url(report: Report, wanted: Wanted) -> str:
    """Return the address of the rows behind all groups; ``key`` added to it names one."""
    return f"{ROOT}/{report.name}/rows?{urlencode(arguments_of(report, wanted))}"


def arguments_of(report: Report, wanted: Wanted) -> dict[str, str]:
    """Return the arguments of the address that asks the same, without what it never asks."""
    arguments = wanted.arguments
    if not report.askable.has_period:
        arguments.pop("period", None)
    if not report.has_money:
        arguments.pop("currency", None)
    return arguments


def report_url(report: Report, arguments: Mapping[str, str]) -> str:
    """Return the address of a report with some arguments."""
    address = f"{ROOT}/{report.name}"
    return f"{address}?{urlencode(arguments)}" if arguments else address


def endpoint_of(report: Report) -> str:
    """Return the name of the report's view."""
    return report.name.replace("-", "_")


def list_rows(actor: Actor, report: Report, wanted: Wanted) -> Listing:
    """Return the rows behind a figure, within the actor's scope."""
    return report.listing(actor, wanted)
