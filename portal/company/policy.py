"""The page of the approval policy: read in sentences, who stands behind each step, new versions."""

import json
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileRequired
from wtforms import HiddenField

from portal.accounts.models import Account
from portal.accounts.queries import AccountNotFoundError, find_units, get_account
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


def _account(actor: Actor, code: str) -> Account:
    """Return the account that the page is about: the actor's own, or one that staff name.

    Raises:
        AccountNotFoundError: Its policy is not within the actor's reach.
    """
    account = get_account(actor, code or actor.account_code)
    is_own = account.id == actor.account_id
    if not is_own and not actor.reach(P.POLICY_READ).covers(account_id=account.id):
        raise AccountNotFoundError(code=code)
    return account


def _show(actor: Actor, form: PolicyFileForm, at: datetime) -> str:
    account = _account(actor, request.args.get("account", ""))
    people = load_people(account.id)
    units = {unit.id: unit.name for unit in find_units(account.id)}
    policies = [
        _shown(row, describe(row, people, account.currency), units)
        for row in find_policies(account.id, at)
    ]
    return render_template(
        "company/policy.html",
        account=account,
        named=account.code if account.id != actor.account_id else None,
        policies=policies,
        form=form,
    )


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
    code = _account(actor, request.args.get("account", "")).code
    document = export_policy(actor, code, request.args.get("unit") or None, now())
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2),
        mimetype="application/json",
        headers={"Content-Disposition": f"attachment; filename=policy-{code}.json"},
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
    words, named = None, None
    if report.policy is not None:
        account = _account(actor, report.policy.account_code)
        people = load_people(account.id)
        words = describe_policy(report.policy, people, report.gaps, account.currency)
        named = account.code if account.id != actor.account_id else None
    form = SaveForm(formdata=None)
    form.document.data = document
    page = render_template(
        "company/policy_check.html", report=report, words=words, form=form, named=named
    )
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
    code = report.policy.account_code if report.policy else actor.account_code
    named = code if code != actor.account_code else None
    return redirect(url_for(".index", account=named), code=303)
