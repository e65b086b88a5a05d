"""The page of the approval policy: read in sentences, who stands behind each step, new versions."""

import json
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileRequired
from wtforms import HiddenField

from portal.accounts.queries import find_units
from portal.approvals.models import ApprovalPolicy
from portal.approvals.policy_import import PolicyReport, export_policy, import_policy_file
from portal.approvals.policy_words import PolicySentences, describe, describe_policy
from portal.approvals.population import find_policies, find_versions, load_people
from portal.policy import Actor
from portal.policy import Permission as P  # noqa: N817 - the word of every view
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.forms import FileField, Form

bp = Blueprint("policy", __name__, url_prefix="/company/policy")

LARGEST_FILE = 1024 * 1024


class PolicyFileForm(Form):
    file = FileField(_l("Policy file (JSON)"), accept=".json", validators=[FileRequired()])


class SaveForm(Form):
    document = HiddenField()


@bp.get("")
@requires(P.POLICY_READ)
def index() -> ResponseReturnValue:
    return _show(current_actor(), PolicyFileForm(formdata=None), now())


def _show(actor: Actor, form: PolicyFileForm, at: datetime) -> str:
    people = load_people(actor.account_id)
    units = {unit.id: unit.name for unit in find_units(actor.account_id)}
    policies = [
        _shown(row, describe(row, people, actor.currency), units)
        for row in find_policies(actor.account_id, at)
    ]
    return render_template("company/policy.html", policies=policies, form=form)


def _shown(row: ApprovalPolicy, words: PolicySentences, units: dict[int, str]) -> dict[str, object]:
    return {
        "row": row,
        "unit": units.get(row.unit_id) if row.unit_id is not None else None,
        "words": words,
        "versions": find_versions(row.account_id, row.unit_id),
    }


@bp.get("/export.json")
@requires(P.POLICY_READ)
def export() -> ResponseReturnValue:
    actor = current_actor()
    document = export_policy(actor, actor.account_code, request.args.get("unit") or None, now())
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2),
        mimetype="application/json",
        headers={"Content-Disposition": f"attachment; filename=policy-{actor.account_code}.json"},
    )


@bp.post("/check")
@requires(P.POLICY_SAVE)
def check() -> ResponseReturnValue:
    """Say what a file would change and where it would be a dead end; nothing is written."""
    actor, form = current_actor(), PolicyFileForm()
    if not form.validate_on_submit():
        return _show(actor, form, now()), 422
    text = form.file.data.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        form.add_error(_("The file is too large for a policy."), "file")
        return _show(actor, form, now()), 422
    report = import_policy_file(actor, text, now(), dry_run=True)
    return _report(actor, report, text.decode(errors="replace"))


def _report(actor: Actor, report: PolicyReport, document: str) -> ResponseReturnValue:
    words = None
    if report.policy is not None:
        people = load_people(actor.account_id)
        words = describe_policy(report.policy, people, report.gaps, actor.currency)
    form = SaveForm(formdata=None)
    form.document.data = document
    page = render_template("company/policy_check.html", report=report, words=words, form=form)
    return page, 422 if report.refused else 200


@bp.post("/save")
@requires(P.POLICY_SAVE)
def save() -> ResponseReturnValue:
    actor, form = current_actor(), SaveForm()
    document = (form.document.data or "")[: LARGEST_FILE + 1]
    if not form.validate_on_submit():
        return _report(actor, import_policy_file(actor, document, now(), dry_run=True), document)
    report = import_policy_file(actor, document, now())
    if report.refused:
        return _report(actor, report, document)
    flash(
        _("The policy is saved. It holds for what is submitted from now on.")
        if report.new or report.changed or report.removed
        else _("The policy was the same already; nothing changed."),
        "success",
    )
    return redirect(url_for(".index"), code=303)
