"""The page of what is promised: for each tier of accounts and priority."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import ConflictError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.service.clock import actions, queries
from portal.service.clock.forms import PARTS, TargetsForm
from portal.service.clock.rules import Clock, Gauge, Targets
from portal.service.clock.tables import COLUMNS, rows_of
from portal.service.clock.targets import PRIORITIES
from portal.service.clock.words import gauge_tone, gauge_words, pause_words
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.tables import cells_of, file_response, header_of

bp = Blueprint("service_targets", __name__, url_prefix="/desk/service/targets")


@bp.app_template_filter("gauge_words")
def gauge_in_words(gauge: Gauge) -> str:
    """Say how a promise stands."""
    return gauge_words(gauge)


@bp.app_template_filter("gauge_tone")
def gauge_in_colour(gauge: Gauge) -> str:
    """Return the tone of a promise's tag."""
    return gauge_tone(gauge)


@bp.app_template_filter("pause_words")
def pause_in_words(clock: Clock, *, for_customer: bool = True) -> str:
    """Say why time stands still."""
    return pause_words(clock, for_customer=for_customer)


@bp.get("")
@requires(P.SERVICE_SETUP)
def index() -> ResponseReturnValue:
    if request.args.get("format") in {"csv", "xlsx"}:
        return _file(request.args["format"])
    tier = request.args.get("tier", "").strip()[: actions.LONGEST_TIER]
    rows, form = actions.find_rows(tier), TargetsForm(formdata=None)
    form.show(_promised(tier))
    form.tier.data, form.seen.data = tier, actions.fingerprint(rows)
    return _page(form, tier, is_saved=bool(rows))


def _promised(tier: str) -> dict[str, Targets]:
    book = queries.load_targets()
    return {priority: book.targets_for(priority, tier) for priority in PRIORITIES}


def _page(form: TargetsForm, tier: str, *, is_saved: bool) -> str:
    return render_template(
        "service/targets.html",
        form=form,
        tier=tier,
        tiers=queries.find_tiers(),
        is_saved=is_saved,
        priorities=PRIORITIES,
        parts=PARTS,
    )


@bp.post("")
@requires(P.SERVICE_SETUP)
def save() -> ResponseReturnValue:
    form = TargetsForm()
    tier = (form.tier.data or "").strip()
    if not form.validate_on_submit():
        return _page(form, tier, is_saved=bool(actions.find_rows(tier))), 422
    try:
        actions.save_targets(
            current_actor(), tier, form.promised(), seen=form.seen.data or "", now=now()
        )
    except (ConflictError, InvalidError) as refusal:
        rows = actions.find_rows(tier)
        form.add_error(refusal)
        form.seen.data = actions.fingerprint(rows)
        status = 409 if isinstance(refusal, ConflictError) else 422
        return _page(form, tier, is_saved=bool(rows)), status
    flash(_("Saved. The clocks of all cases follow at once."), "success")
    return redirect(url_for(".index", tier=tier or None), code=303)


@bp.post("/forget")
@requires(P.SERVICE_SETUP)
def forget() -> ResponseReturnValue:
    tier = request.form.get("tier", "").strip()
    actions.forget_targets(current_actor(), tier, now=now())
    flash(
        _("The targets of this tier are gone. What holds for all accounts holds again."), "success"
    )
    return redirect(url_for(".index", tier=tier or None), code=303)


def _file(kind: str) -> ResponseReturnValue:
    rows = rows_of(queries.load_targets(), ["", *queries.find_tiers()])
    header, cells = header_of(COLUMNS), cells_of(COLUMNS, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Targets")), "targets.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "targets.csv")
