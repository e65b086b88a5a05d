"""Pages of saved views: the list, one view, and what can be done with it."""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.errors import ConflictError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import Actor
from portal.reports import saving, scheduling
from portal.reports.rhythm import Rhythm
from portal.reports.saving import ROOT, ViewRow, clean_query
from portal.web.access import signed_in
from portal.web.clock import now
from portal.web.forms import CheckField, ChoiceField, Form, TextField
from portal.web.identity import current_person, current_signed_in
from portal.web.tables import Column, cells_of, file_response, header_of

bp = Blueprint("saved_reports", __name__, url_prefix="/reports/views")


def mailed(row: ViewRow) -> str:
    """Return how often a view is mailed to the reader."""
    if row.schedule is None:
        return _("no")
    if row.schedule.next_at is None:
        return _("stopped: the rights were gone")
    return _(row.schedule.rhythm.label)


COLUMNS: Final[tuple[Column[ViewRow], ...]] = (
    Column(
        key="name", label=_l("Name"), value=lambda row: row.view.name, url=lambda row: row.address
    ),
    Column(key="report", label=_l("Report"), value=lambda row: saving.title_of(row.view.report)),
    Column(key="owner", label=_l("Saved by"), value=lambda row: row.owner),
    Column(
        key="shared",
        label=_l("Seen by"),
        value=lambda row: _("everybody in the account") if row.view.is_shared else _("only you"),
    ),
    Column(key="mailed", label=_l("By mail"), value=mailed),
    Column(
        key="next_at",
        label=_l("Next mail"),
        value=lambda row: row.schedule.next_at if row.schedule else None,
        kind="instant",
    ),
)


class ViewForm(Form):
    """A view's name and who sees it."""

    name = TextField(_l("Name of the view"), max_length=saving.LONGEST_NAME)
    shared = CheckField(_l("Everybody in the account sees it"))


class RhythmForm(Form):
    """How often a view is mailed."""

    rhythm = ChoiceField(
        _l("Mail it to me"),
        choices=[("", _l("not any more")), *((each.value, _l(each.label)) for each in Rhythm)],
        required=False,
    )


@bp.app_context_processor
def _context() -> dict[str, Callable[[], list[ViewRow]]]:
    return {"saved_views": views_here}


def views_here() -> list[ViewRow]:
    """Return the saved views of the report that the page shows."""
    person = current_signed_in()
    if person is None or person.actor is None or not request.path.startswith(ROOT):
        return []
    return [*saving.find_views(person.actor, request.path.removeprefix(ROOT))]


def _member() -> Actor:
    """Return who asks; somebody who has not chosen a membership does so first."""
    actor = current_person().actor
    if actor is None:
        abort(redirect(url_for("accounts.memberships"), code=303))
    return actor


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show the views that the reader sees, own ones first."""
    rows = saving.find_views(_member())
    if request.args.get("format") in {"csv", "xlsx"}:
        header, cells = header_of(COLUMNS), cells_of(COLUMNS, rows)
        if request.args["format"] == "xlsx":
            content = write_xlsx(header, cells, sheet=_("Saved views"))
            return file_response(content, "saved-views.xlsx")
        return file_response(write_csv(header, cells, for_people=True), "saved-views.csv")
    return render_template("reports/saved.html", rows=rows, columns=COLUMNS, mailed=mailed)


@bp.post("")
@signed_in
def save() -> ResponseReturnValue:
    """Save what the address of a report says."""
    actor, form = _member(), ViewForm()
    report, query = request.form.get("report", "")[:60], request.form.get("query", "")
    saving.must_read(actor, report)
    if form.validate_on_submit():
        try:
            view = saving.save_view(
                actor,
                report,
                query,
                form.name.data or "",
                is_shared=bool(form.shared.data),
                now=now(),
            )
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal, "name")
        else:
            flash(_("The view “%(name)s” is saved.", name=view.name), "success")
            return redirect(url_for(".detail", view_id=view.id), code=303)
    back = saving.address_of(report, clean_query(query))
    return render_template(
        "reports/saved_new.html", form=form, report=report, query=query, back=back
    ), 422


@bp.get("/<int:view_id>")
@signed_in
def detail(view_id: int) -> ResponseReturnValue:
    """Show one view: its mail, its name, who sees it."""
    return _show(view_id)


def _show(
    view_id: int, form: ViewForm | None = None, rhythm: RhythmForm | None = None, status: int = 200
) -> ResponseReturnValue:
    row = saving.get_row(_member(), view_id)
    held = row.schedule.rhythm.value if row.schedule and row.schedule.next_at else ""
    return render_template(
        "reports/saved_detail.html",
        row=row,
        form=form or ViewForm(formdata=None, name=row.view.name, shared=row.view.is_shared),
        rhythm=rhythm or RhythmForm(formdata=None, rhythm=held),
        mailed=mailed(row),
        report_title=saving.title_of(row.view.report),
    ), status


@bp.post("/<int:view_id>/change")
@signed_in
def change(view_id: int) -> ResponseReturnValue:
    """Rename a view, share it or take it back."""
    actor, form = _member(), ViewForm()
    saving.get_view(actor, view_id, is_own=True)
    if form.validate_on_submit():
        try:
            saving.change_view(
                actor,
                view_id,
                name=form.name.data or "",
                is_shared=bool(form.shared.data),
                now=now(),
            )
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal, "name")
        else:
            flash(_("The view is saved."), "success")
            return redirect(url_for(".detail", view_id=view_id), code=303)
    return _show(view_id, form=form, status=422)


@bp.post("/<int:view_id>/remove")
@signed_in
def remove(view_id: int) -> ResponseReturnValue:
    """Remove a view."""
    saving.remove_view(_member(), view_id, now())
    flash(_("The view is removed, and is mailed to nobody any more."), "success")
    return redirect(url_for(".index"), code=303)


@bp.post("/<int:view_id>/mail")
@signed_in
def mail(view_id: int) -> ResponseReturnValue:
    """Mail a view to the reader, or no more."""
    actor, form = _member(), RhythmForm()
    saving.get_view(actor, view_id)
    if not form.validate_on_submit():
        return _show(view_id, rhythm=form, status=422)
    if form.rhythm.data:
        made = scheduling.set_schedule(actor, view_id, Rhythm(form.rhythm.data), now())
        flash(_("The report comes by mail: %(rhythm)s.", rhythm=_(made.rhythm.label)), "success")
    else:
        scheduling.remove_schedule(actor, view_id, now())
        flash(_("The report comes by mail no more."), "success")
    return redirect(url_for(".detail", view_id=view_id), code=303)
