"""Jobs as pages: one's own with their files, the offer of a large file, and all of them."""

import secrets
from typing import Any, Final

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.errors import N_
from portal.files.writing import write_csv, write_xlsx
from portal.home.queries import find_member_name, name_documents
from portal.jobs import queries, requests
from portal.jobs.models import JobRequest
from portal.jobs.queries import JobRow, JobTab
from portal.jobs.rules import ENDED, JobState, Move, percent
from portal.policy import Actor, P
from portal.reports import exporting
from portal.reports.saving import ROOT, title_of
from portal.web.access import current_actor, requires, signed_in
from portal.web.addresses import url_with
from portal.web.clock import now
from portal.web.exports import TooLargeError, must_fit
from portal.web.identity import current_person
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.shell import navigation
from portal.web.tables import Column, cells_of, file_response, header_of

bp = Blueprint("jobs", __name__)

KIND_LABELS: Final = {
    "lists.export": N_("File of a list or report"),
    "reports.mail": N_("Report by mail"),
    "messages.deliver": N_("Message"),
    "record.anchors": N_("Events"),
    "service.alarm-mail": N_("Alarm by mail"),
    "sms.send": N_("Text message"),
    "quotes.expire": N_("End of a quote"),
    "quotes.remind": N_("Reminder of a quote"),
}
"""Kind of a job -> how people call it."""

TAB_LABELS: Final = {
    JobTab.UNFINISHED: N_("Not ended"),
    JobTab.FAILED: N_("Failed"),
    JobTab.ENDED: N_("Ended"),
    JobTab.ALL: N_("All"),
}


def kind_label(kind: str) -> str:
    """Return how people call a kind of job."""
    return _(KIND_LABELS.get(kind, kind))


def what_of(row: JobRow) -> str:
    """Return what a job does and, where it is about a document, about which."""
    return f"{kind_label(row.job.kind)} {row.about}".rstrip()


OWN_COLUMNS: Final[tuple[Column[JobRequest], ...]] = (
    Column(
        key="job",
        label=_l("Job"),
        value=lambda row: row.job_id,
        kind="number",
        url=lambda row: url_for("jobs.detail", job_id=row.job_id),
    ),
    Column(key="title", label=_l("What"), value=lambda row: row.title),
    Column(key="state", label=_l("State"), value=lambda row: _(row.job.state.label)),
    Column(key="asked_at", label=_l("Asked for"), value=lambda row: row.asked_at, kind="instant"),
    Column(
        key="finished_at",
        label=_l("Ended"),
        value=lambda row: row.job.finished_at,
        kind="instant",
    ),
    Column(key="file", label=_l("File"), value=lambda row: row.file_name),
)

ALL_COLUMNS: Final[tuple[Column[JobRow], ...]] = (
    Column(
        key="job",
        label=_l("Job"),
        value=lambda row: row.job.id,
        kind="number",
        url=lambda row: url_for("jobs.desk_detail", job_id=row.job.id),
    ),
    Column(key="kind", label=_l("What"), value=what_of),
    Column(key="state", label=_l("State"), value=lambda row: _(row.job.state.label)),
    Column(key="run_at", label=_l("Due"), value=lambda row: row.job.run_at, kind="instant"),
    Column(
        key="finished_at", label=_l("Ended"), value=lambda row: row.job.finished_at, kind="instant"
    ),
    Column(key="attempts", label=_l("Attempts"), value=lambda row: row.job.attempts, kind="number"),
    Column(key="error", label=_l("Reason"), value=lambda row: row.job.error or ""),
)


def _member() -> Actor:
    """Return who asks; somebody who has not chosen a membership does so first."""
    actor = current_person().actor
    if actor is None:
        abort(redirect(url_for("accounts.memberships"), code=303))
    return actor


@bp.app_errorhandler(TooLargeError)
def offer(error: TooLargeError) -> ResponseReturnValue:
    """Lead from an address whose file is too large to the page that offers to make it."""
    address = request.full_path.rstrip("?")
    return redirect(url_for("jobs.new", address=address, rows=error.rows), code=303)


@bp.get("/jobs")
@signed_in
def index() -> ResponseReturnValue:
    actor = _member()
    total = queries.count_own(actor)
    if request.args.get("format") in {"csv", "xlsx"}:
        return _file(OWN_COLUMNS, queries.find_own(actor, limit=max(total, 1)))
    number, size = page_number(), page_size()
    rows = queries.find_own(actor, limit=size, offset=offset_of(number, size))
    return render_template(
        "jobs/index.html",
        page=Page(rows, total, number, size),
        columns=OWN_COLUMNS,
        now=now(),
        is_watching=any(row.job.state not in ENDED for row in rows),
        may_read_all=actor.can(P.JOB_READ),
        percent=percent,
    )


def _file(columns: Any, rows: Any) -> ResponseReturnValue:  # noqa: ANN401 - of any row
    header, cells = header_of(columns), cells_of(columns, rows)
    if request.args["format"] == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Jobs")), "jobs.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "jobs.csv")


@bp.get("/jobs/new")
@signed_in
def new() -> ResponseReturnValue:
    """Offer to make a file that is too large to wait for."""
    actor = _member()
    if "address" not in request.args:
        return redirect(url_for(".index"), code=303)
    address = exporting.clean_address(request.args["address"])
    rows = request.args.get("rows", "")
    return render_template(
        "jobs/new.html",
        address=address,
        title=_title_of(actor, address),
        key=secrets.token_urlsafe(24),
        back=exporting.page_of(address),
        rows=int(rows) if rows.isdecimal() and len(rows) < 10 else None,  # noqa: PLR2004 - a count
    )


def _title_of(actor: Actor, address: str) -> str:
    """Return what a file is called on the page of jobs: as the menu calls its list or report."""
    path, _mark, query = address.partition("?")
    label = next((link.label for link in navigation(actor) if link.url == path), path)
    if path.startswith(ROOT):
        label = title_of(path.removeprefix(ROOT).partition("/")[0])
    return f"{label} ({'XLSX' if 'format=xlsx' in query else 'CSV'})"


@bp.post("/jobs")
@signed_in
def ask() -> ResponseReturnValue:
    actor, address = _member(), request.form.get("address", "")
    made = exporting.ask_for_export(
        actor, address, title=_title_of(actor, address), key=_key(), now=now()
    )
    return redirect(url_for(".detail", job_id=made.job_id), code=303)


def _key() -> str:
    return request.form.get("key", "")[:64] or secrets.token_urlsafe(24)


@bp.get("/jobs/<int:job_id>")
@signed_in
def detail(job_id: int) -> ResponseReturnValue:
    found = queries.get_own(_member(), job_id)
    has_file = found.file_hash is not None and bool(found.expires_at and found.expires_at > now())
    return render_template(
        "jobs/detail.html",
        job=found.job,
        title=found.title,
        request_=found,
        has_file=has_file,
        back=exporting.page_of(found.address),
        **_state_of(found.job.state, found.job.cancel_asked),
        percent=percent(found.job.progress_done, found.job.progress_total),
    )


def _state_of(state: JobState, is_stopping: bool) -> dict[str, bool]:  # noqa: FBT001 - a column
    return {
        "is_under_way": state not in ENDED,
        "can_cancel": state in Move.CANCEL.sources and not is_stopping,
        "can_retry": state in Move.RETRY.sources,
        "is_stopping": state not in ENDED and is_stopping,
    }


@bp.get("/jobs/<int:job_id>/file")
@signed_in
def file(job_id: int) -> ResponseReturnValue:
    found = queries.get_own(_member(), job_id)
    content = exporting.read_result(found, now())
    answer = Response(content, content_type=found.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=found.file_name)
    return answer


@bp.post("/jobs/<int:job_id>/cancel")
@signed_in
def cancel(job_id: int) -> ResponseReturnValue:
    job = requests.cancel_own(_member(), job_id, now())
    _say_cancelled(job.state)
    return redirect(url_for(".detail", job_id=job_id), code=303)


@bp.post("/jobs/<int:job_id>/retry")
@signed_in
def retry(job_id: int) -> ResponseReturnValue:
    requests.retry_own(_member(), job_id, now())
    flash(_("The job starts again."), "success")
    return redirect(url_for(".detail", job_id=job_id), code=303)


def _say_cancelled(state: JobState) -> None:
    if state is JobState.CANCELLED:
        flash(_("The job is cancelled."), "success")
    else:
        flash(_("The job stops at its next step."), "info")


@bp.get("/desk/jobs")
@requires(P.JOB_READ)
def desk() -> ResponseReturnValue:
    actor, kind = current_actor(), request.args.get("kind", "")[:60]
    tab = _tab()
    counts = queries.count_by_tab(actor, kind)
    if request.args.get("format") in {"csv", "xlsx"}:
        must_fit(counts[tab])
        return _file(ALL_COLUMNS, name_documents(queries.find_all(actor, tab, kind)))
    number, size = page_number(), page_size()
    found = queries.find_all(actor, tab, kind, limit=size, offset=offset_of(number, size))
    rows = name_documents(found)
    return render_template(
        "jobs/desk.html",
        page=Page(rows, counts[tab], number, size),
        columns=ALL_COLUMNS,
        tab=tab,
        kind=kind,
        kinds=[(each, kind_label(each)) for each in queries.find_kinds(actor)],
        views=[
            (_(TAB_LABELS[each]), url_with(view=each.value, page=None), each is tab, counts[each])
            for each in JobTab
        ],
        oldest=queries.oldest_due(actor, now()),
        what_of=what_of,
    )


def _tab() -> JobTab:
    try:
        return JobTab(request.args.get("view", ""))
    except ValueError:
        return JobTab.UNFINISHED


@bp.get("/desk/jobs/<int:job_id>")
@requires(P.JOB_READ)
def desk_detail(job_id: int) -> ResponseReturnValue:
    actor = current_actor()
    [row] = name_documents([queries.get_any(actor, job_id)])
    return render_template(
        "jobs/desk_detail.html",
        job=row.job,
        row=row,
        what=what_of(row),
        who=find_member_name(row.membership_id),
        may_change=actor.can(P.JOB_SAVE),
        **_state_of(row.job.state, row.job.cancel_asked),
        percent=percent(row.job.progress_done, row.job.progress_total),
    )


@bp.post("/desk/jobs/<int:job_id>/cancel")
@requires(P.JOB_SAVE)
def desk_cancel(job_id: int) -> ResponseReturnValue:
    job = requests.cancel_any(current_actor(), job_id, now())
    _say_cancelled(job.state)
    return redirect(url_for(".desk_detail", job_id=job_id), code=303)


@bp.post("/desk/jobs/<int:job_id>/retry")
@requires(P.JOB_SAVE)
def desk_retry(job_id: int) -> ResponseReturnValue:
    requests.retry_any(current_actor(), job_id, now())
    flash(_("The job starts again."), "success")
    return redirect(url_for(".desk_detail", job_id=job_id), code=303)
