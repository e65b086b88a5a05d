"""A report as the table of a mail: its cells in the reader's words, cut to what a mail can hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import request

from portal.policy import Actor
from portal.reports.results import ReportResult, ResultRow
from portal.reports.running import run_report
from portal.reports.saving import address_of
from portal.web import formats
from portal.web.acting import acting_as
from portal.web.clock import now
from portal.web.tables import Column

MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class MailTable:
    """What a mail shows of a report; a header cell is (words, whether its column holds figures)."""

    title: str
    header: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str]]
    totals: Sequence[str]
    more_rows: int
    notes: Sequence[str]


def table_of(actor: Actor, report: str, query: str) -> MailTable:
    """Work out a report with the actor's rights, in their language and time zone.

    Raises:
        NotAllowedError, NotFoundError: As the page of the report.
    """
    with acting_as(actor, address_of(report, query)):
        result = run_report(actor, report, request.args, now())
        return in_words(result)


def in_words(result: ReportResult) -> MailTable:
    """Return a report in the words of the request under way."""
    shown = result.rows[:MOST_ROWS]
    return MailTable(
        title=str(result.title),
        header=[(str(column.label), column.is_numeric) for column in result.columns],
        rows=[[_text(column, row) for column in result.columns] for row in shown],
        totals=[_text(column, result.totals) for column in result.columns] if result.totals else [],
        more_rows=len(result.rows) - len(shown),
        notes=[str(note) for note in (*result.notes, *result.problems)],
    )


def _text(column: Column[ResultRow], row: ResultRow) -> str:
    value: Any = column.value(row)
    match column.kind:
        case "money":
            return formats.money(value, column.currency(row) if column.currency else "")
        case "number":
            return formats.decimal(value, 0, 2)
        case "day":
            return formats.day(value)
        case "instant":
            return formats.instant(value)
        case _:
            return formats.NOTHING if value is None or value == "" else str(value)
