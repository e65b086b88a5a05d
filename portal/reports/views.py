"""Pages of reports: the first one, each report, and the rows behind its figures."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.errors import NotAllowedError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.reports.choosing import fields_of, find_currencies
from portal.reports.pages import (
    chips_of,
    facts_of,
    form_parts,
    index_form,
    key_chip,
    meanings_of,
)
from portal.reports.running import (
    REPORTS,
    answer,
    arguments_of,
    endpoint_of,
    get_report,
    list_rows,
    read_args,
    report_url,
)
from portal.reports.tiles import find_sections, find_tiles
from portal.web.access import current_person, requires, signed_in
from portal.web.clock import now
from portal.web.exports import must_fit
from portal.web.identity import current_actor
from portal.web.paging import SIZES, Page, offset_of, page_number, page_size
from portal.web.tables import cells_of, file_response, header_of

bp = Blueprint("reports", __name__, url_prefix="/reports")
FILES = frozenset({"csv", "xlsx"})


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show the figures and reports of whoever may read any."""
    actor = current_person().actor
    sections = find_sections(actor) if actor else ()
    if actor is None or not sections:
        raise NotAllowedError(permission=P.ORDER_REPORT_READ.value)
    at = now()
    tiles = find_tiles(actor, request.args, at)
    return render_template(
        "reports/index.html",
        tiles=tiles,
        sections=sections,
        ask=index_form(actor, request.args, at),
    )


def show_report(name: str) -> ResponseReturnValue:
    """Answer with a report's page or file."""
    actor = current_actor()
    report = get_report(actor, name)
    wanted = read_args(actor, report, request.args, now())
    result = answer(actor, report, wanted)
    if request.args.get("format") in FILES:
        return _file(name, result.columns, result.rows, result.title)
    ask, fields = report.asked_by(actor), fields_of(actor, report, wanted)
    number, size = page_number(), page_size(SIZES[-1])
    first = offset_of(number, size)
    return render_template(
        "reports/report.html",
        page=Page(result.rows[first : first + size], len(result.rows), number, size),
        report=report,
        ask=ask,
        wanted=wanted,
        result=result,
        fields=fields,
        currencies=[(code, code) for code in find_currencies(actor, wanted)]
        if report.has_money
        else [],
        facts=facts_of(report, wanted),
        chips=chips_of(fields),
        form_parts=form_parts(ask),
        meanings=meanings_of(result),
    )


def show_rows(name: str) -> ResponseReturnValue:
    """Answer with the rows behind a figure, as page or file."""
    actor = current_actor()
    report = get_report(actor, name)
    wanted = read_args(actor, report, request.args, now())
    listing = list_rows(actor, report, wanted)
    if request.args.get("format") in FILES:
        must_fit(listing.total)
        rows = listing.fetch(None, 0)
        return _file(f"{name}-rows", listing.columns, rows, str(report.title))
    number, size = page_number(), page_size()
    rows = listing.fetch(size, offset_of(number, size))
    return render_template(
        "reports/rows.html",
        report=report,
        wanted=wanted,
        columns=listing.columns,
        page=Page(rows, listing.total, number, size),
        facts=facts_of(report, wanted),
        back=report_url(report, arguments_of(report, wanted)),
        chips=[*key_chip(wanted), *chips_of(fields_of(actor, report, wanted))],
    )


def _file(name: str, columns: Any, rows: Any, sheet: str) -> ResponseReturnValue:  # noqa: ANN401
    header, cells = header_of(columns), cells_of(columns, rows)
    if request.args["format"] == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=sheet), f"{name}.xlsx")
    return file_response(write_csv(header, cells, for_people=True), f"{name}.csv")


def _view(
    show: Callable[[str], ResponseReturnValue], name: str, permission: P
) -> Callable[[], ResponseReturnValue]:
    @requires(permission)
    def view() -> ResponseReturnValue:
        return show(name)

    return view


for _report in REPORTS.values():
    _endpoint = endpoint_of(_report)
    bp.add_url_rule(
        f"/{_report.name}",
        endpoint=_endpoint,
        view_func=_view(show_report, _report.name, _report.permission),
    )
    bp.add_url_rule(
        f"/{_report.name}/rows",
        endpoint=f"{_endpoint}_rows",
        view_func=_view(show_rows, _report.name, _report.permission),
    )
