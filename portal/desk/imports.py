"""Imports on the supplier's desk: choose a file, check it, import exactly the checked one."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from portal.catalog.pricing.lookups import supplier_zone
from portal.db import db, transaction
from portal.desk.kinds import BY_NAME, KINDS, page_permission
from portal.errors import N_, InvalidError
from portal.files.importing import ImportKind, ImportReport, Mode, Remark, run_import
from portal.files.models import Upload
from portal.files.reading import UnreadableFileError, read_table
from portal.files.uploads import get_upload, keep_upload
from portal.files.writing import write_csv
from portal.policy import GRANTS, ROLE_LABELS, SUPPLIER_ROLES, P, Role
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.formats import refusal
from portal.web.forms import FileField, Form, RadioChoiceField

bp = Blueprint("imports", __name__, url_prefix="/desk/imports")

MOST_SHOWN: Final = 200
View = Callable[[], ResponseReturnValue]


PLACES: Final = {
    "accounts": ("desk_accounts.index", N_("Accounts"), P.ACCOUNT_READ, None),
    "people": ("people.index", N_("People"), P.PERSON_READ, None),
    "products": ("desk_catalog.index", N_("Products"), P.PRODUCT_SAVE, None),
    "price-lists": ("price_lists.index", N_("Price lists"), P.PRICE_LIST_READ, None),
    "price-entries": ("price_lists.index", N_("Price lists"), P.PRICE_LIST_READ, "draft"),
    "price-assignments": ("price_lists.index", N_("Price lists"), P.PRICE_LIST_READ, None),
    "agreements": ("price_lists.index", N_("Price lists"), P.PRICE_LIST_READ, None),
    "stock": ("stock.index", N_("Stock"), P.STOCK_READ, None),
    "quotes": ("quotes.index", N_("Quotes"), P.QUOTE_READ, None),
    "orders": ("past_orders.index", N_("Orders"), P.ORDER_READ, None),
    "assets": ("assets.index", N_("Assets"), P.ASSET_READ, None),
}
"""Kind -> the page on which one goes on with what was imported, and what that page asks for."""


class FileForm(Form):
    file = FileField(lazy_gettext("CSV or XLSX file"), required=True)


class ModeForm(FileForm):
    mode = RadioChoiceField(
        lazy_gettext("Rows that are not in the file"),
        choices=[
            (Mode.UPDATE.value, lazy_gettext("stay as they are (update)")),
            (Mode.REPLACE.value, lazy_gettext("are removed from the drafts it names (replace)")),
        ],
        default=Mode.UPDATE.value,
    )


class NoUploadError(InvalidError):
    message = N_("Choose a file and check it first.")


@bp.get("")
@requires(P.ACCOUNT_READ)
def index() -> ResponseReturnValue:
    wanted = request.args.get("kind", "")
    if wanted in BY_NAME and _may_open(BY_NAME[wanted]):
        return redirect(url_for(f".{_endpoint('start', BY_NAME[wanted])}"), code=303)
    kinds = [kind for kind in KINDS if page_permission(kind)]
    return render_template(
        "desk/imports.html",
        open_kinds=[kind for kind in kinds if _is_open(kind)],
        closed_kinds=[(kind, _roles_for(kind)) for kind in kinds if not _is_open(kind)],
        urls=_start_urls(),
    )


def _roles_for(kind: ImportKind) -> list[str]:
    """Return the names of the supplier's roles that may import a kind."""
    needed = {kind.permission, page_permission(kind)}
    return [
        _(ROLE_LABELS[role])
        for role in Role
        if role in SUPPLIER_ROLES and needed <= {*GRANTS[role]}
    ]


def _is_open(kind: ImportKind) -> bool:
    """Whether the actor may both open the page of a kind and import it."""
    permission, actor = page_permission(kind), current_actor()
    return permission is not None and actor.can(permission) and actor.can(kind.permission)


def _may_open(kind: ImportKind) -> bool:
    return page_permission(kind) is not None


def _start_urls() -> dict[str, str]:
    return {kind.name: url_for(f".{_endpoint('start', kind)}") for kind in KINDS if _may_open(kind)}


def _start(kind: ImportKind) -> View:
    """Return the page on which a file of ``kind`` is chosen."""

    def start() -> ResponseReturnValue:
        current_actor().must(kind.permission)
        return _choose_page(kind, _form(kind))

    return start


def _check(kind: ImportKind) -> View:
    """Return the view that checks a file and keeps it for the import."""

    def check() -> ResponseReturnValue:
        actor, form = current_actor(), _form(kind)
        actor.must(kind.permission)
        if not form.validate_on_submit():
            return _choose_page(kind, form), 422
        name, content = form.file.data.filename, form.file.data.read()
        mode = Mode(form.mode.data) if isinstance(form, ModeForm) else kind.default_mode
        try:
            report = _run(kind, content, name, mode, dry_run=True)
        except UnreadableFileError as error:
            form.add_error(error)
            return _choose_page(kind, form), 422
        if report.refused:
            return _report_page(kind, report, name, mode), 422
        upload_id = keep_upload(
            actor.membership_id,
            kind=kind.name,
            mode=mode.value,
            filename=name,
            content=content,
            now=now(),
        )
        return _report_page(kind, report, name, mode, upload_id)

    return check


def _commit(kind: ImportKind) -> View:
    """Return the view that imports a file which was checked."""

    def commit() -> ResponseReturnValue:
        actor = current_actor()
        actor.must(kind.permission)
        raw = request.form.get("upload", "")
        if not (raw.isascii() and raw.isdigit() and len(raw) < 19):  # noqa: PLR2004 - a BIGINT's digits
            raise NoUploadError
        with transaction():
            upload = get_upload(actor.membership_id, int(raw), kind=kind.name)
            report = _import(kind, upload)
        if report.refused:
            return _report_page(kind, report, upload.filename, Mode(upload.mode)), 422
        flash(_imported(report, upload.filename), "success")
        return redirect(url_for(f".{_endpoint('start', kind)}"), code=303)

    return commit


def _import(kind: ImportKind, upload: Upload) -> ImportReport:
    """Import a kept file and forget it, or keep it where it is refused meanwhile."""
    report = _run(kind, upload.content, upload.filename, Mode(upload.mode), dry_run=False)
    if not report.refused:
        db.session.delete(upload)
    return report


def _export(kind: ImportKind) -> View:
    """Return the view that hands out what is there, in the columns of the import."""

    def export() -> ResponseReturnValue:
        actor = current_actor()
        actor.must(kind.permission)
        rows = list(kind.export(actor, None))
        columns = list(rows[0]) if rows else [column.name for column in kind.columns]
        content = write_csv(columns, [[row.get(name) for name in columns] for row in rows])
        disposition = f"attachment; filename={kind.name}.csv"
        return Response(content, mimetype="text/csv", headers={"Content-Disposition": disposition})

    return export


def _run(
    kind: ImportKind, content: bytes, filename: str, mode: Mode, *, dry_run: bool
) -> ImportReport:
    return run_import(
        kind,
        read_table(content, filename),
        actor=current_actor(),
        mode=mode,
        now=now(),
        zone=supplier_zone(),
        dry_run=dry_run,
    )


def _form(kind: ImportKind) -> FileForm:
    return ModeForm() if kind.has_modes else FileForm()


def _choose_page(kind: ImportKind, form: FileForm) -> str:
    return render_template(
        "desk/imports_start.html",
        kind=kind,
        form=form,
        check_url=url_for(f".{_endpoint('check', kind)}"),
        export_url=url_for(f".{_endpoint('export', kind)}"),
        place=_place(kind),
    )


def _place(kind: ImportKind) -> tuple[str, str] | None:
    """Return address and name of the page that shows what a kind brings, if they may open it."""
    if kind.name not in PLACES:
        return None
    endpoint, label, permission, view = PLACES[kind.name]
    return (url_for(endpoint, view=view), _(label)) if current_actor().can(permission) else None


def _report_page(
    kind: ImportKind,
    report: ImportReport,
    filename: str,
    mode: Mode,
    upload_id: int | None = None,
) -> str:
    return render_template(
        "desk/imports_report.html",
        kind=kind,
        report=report,
        counts=_counts(report),
        refused=_remarks(report.refused),
        warnings=_remarks(report.warnings),
        filename=filename,
        mode=mode,
        upload_id=upload_id,
        has_changes=bool(report.new or report.changed or report.removed),
        start_url=url_for(f".{_endpoint('start', kind)}"),
        commit_url=url_for(f".{_endpoint('commit', kind)}"),
    )


def _remarks(remarks: Sequence[Remark]) -> list[tuple[int, str, str, str]]:
    """Return the first of some remarks, each reason in the reader's language."""
    return [
        (item.row, item.column, item.value, refusal(item.error)) for item in remarks[:MOST_SHOWN]
    ]


def _counts(report: ImportReport) -> list[tuple[str, int]]:
    """Return the figures of a report, removals first."""
    return [
        (_("Removed"), report.removed),
        (_("Changed"), report.changed),
        (_("New"), report.new),
        (_("Unchanged"), report.unchanged),
        (_("Refused"), len(report.refused)),
        *([(_("Warnings"), len(report.warnings))] if report.warnings else []),
    ]


def _imported(report: ImportReport, filename: str) -> str:
    return _(
        "Imported %(file)s: %(removed)s removed, %(changed)s changed, %(new)s new,"
        " %(unchanged)s unchanged.",
        file=filename,
        removed=report.removed,
        changed=report.changed,
        new=report.new,
        unchanged=report.unchanged,
    )


def _endpoint(step: str, kind: ImportKind) -> str:
    return f"{step}_{kind.name.replace('-', '_')}"


def _register() -> None:
    """Give each kind its addresses, each with the permission that it needs."""
    steps: tuple[tuple[str, Callable[[ImportKind], View], str, str], ...] = (
        ("start", _start, "", "GET"),
        ("check", _check, "/check", "POST"),
        ("commit", _commit, "/import", "POST"),
        ("export", _export, "/export.csv", "GET"),
    )
    for kind in KINDS:
        permission = page_permission(kind)
        if permission is None:
            continue
        for step, make, path, method in steps:
            view: Any = requires(permission)(make(kind))
            bp.add_url_rule(f"/{kind.name}{path}", _endpoint(step, kind), view, methods=[method])


_register()
