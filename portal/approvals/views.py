"""The approval pages: inbox, one approval, deciding, the link in a mail."""

from datetime import date
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.approvals import actions, queries
from portal.approvals.forms import BulkForm, DecisionForm, ReassignForm
from portal.approvals.frozen import reason_from
from portal.approvals.queries import Box, RunNotFoundError
from portal.approvals.reading import TONES, RunPage, read_run
from portal.approvals.reassigning import reassign_step
from portal.approvals.rules import Answer, RunState
from portal.approvals.words import reason_sentence
from portal.errors import ConflictError, InvalidError
from portal.policy import Actor
from portal.policy import Permission as P  # noqa: N817 - the word of every view
from portal.web.access import current_actor, current_person, requires, signed_in
from portal.web.clock import now
from portal.web.formats import day, money, quantity, refusal
from portal.web.paging import Page, page_number, page_size

bp = Blueprint("approvals", __name__)

MOST_AT_ONCE = 100


@bp.app_template_filter("stored_money")
def stored_money(amount: str, currency: str) -> str:
    """Write an amount that was kept as text with a run or a message."""
    return money(Decimal(amount), currency)


@bp.app_template_filter("stored_quantity")
def stored_quantity(text: str) -> str:
    """Write a quantity that was kept as text with a message."""
    return quantity(Decimal(text))


@bp.app_template_filter("stored_day")
def stored_day(text: str) -> str:
    """Write a day that was kept as text; what is no ISO day is shown as it is."""
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


@bp.app_template_filter("stored_reason")
def stored_reason(reason: dict[str, object], total: str, currency: str) -> str:
    """Say a stored reason in the reader's language."""
    return reason_sentence(reason_from(reason), Decimal(total), currency)


@bp.get("/approvals")
@requires(P.APPROVAL_READ)
def index() -> ResponseReturnValue:
    actor = current_actor()
    box = _box(request.args.get("box"))
    rows, total = queries.find_inbox(actor, box, page=page_number(), size=page_size())
    return render_template(
        "approvals/index.html",
        box=box,
        tabs=_tabs(actor, box),
        page_of=Page(rows, total, page_number(), page_size()),
        tones={state.value: TONES[state] for state in RunState},
        labels={state.value: state.label for state in RunState},
    )


def _box(name: str | None) -> Box:
    return Box(name) if name in set(Box) else Box.WAITING


def _tabs(actor: Actor, current: Box) -> list[tuple[str, str, bool, int | None]]:
    names = {
        Box.WAITING: _("Waiting for me"),
        Box.DECIDED: _("Decided by me"),
        Box.ALL: _("All I may see"),
    }
    return [
        (
            label,
            url_for(".index", box=None if box is Box.WAITING else box.value),
            box is current,
            queries.count_waiting(actor) if box is Box.WAITING else None,
        )
        for box, label in names.items()
    ]


@bp.get("/approvals/<int:run_id>")
@requires(P.APPROVAL_READ)
def detail(run_id: int) -> ResponseReturnValue:
    return _show(read_run(current_actor(), run_id))


def _show(
    page: RunPage,
    form: DecisionForm | None = None,
    problem: str = "",
    reassign_form: ReassignForm | None = None,
) -> str:
    if form is None:
        form = DecisionForm(formdata=None)
    form.content_hash.data = page.run.content_hash
    form.step.data = str(page.step.id) if page.step else ""
    if reassign_form is None:
        reassign_form = ReassignForm(formdata=None)
    return render_template(
        "approvals/detail.html",
        shown=page,
        form=form,
        problem=problem,
        reassign_form=reassign_form,
    )


@bp.post("/approvals/<int:run_id>/reassign")
@requires(P.POLICY_SAVE)
def reassign(run_id: int) -> ResponseReturnValue:
    """Name somebody instead of the people who left a step; without a name the next in charge."""
    actor, form = current_actor(), ReassignForm()
    step = form.step.data or ""
    valid = form.validate_on_submit() and _is_id(step)
    if not valid:
        return _show(read_run(actor, run_id), reassign_form=form), 422
    try:
        reassign_step(actor, run_id, int(step), form.email.data or "", now())
    except InvalidError as error:
        form.add_error(error)
        return _show(read_run(actor, run_id), reassign_form=form), 422
    flash(_("The step is reassigned; whoever answers instead has been asked."), "success")
    return redirect(url_for(".detail", run_id=run_id), code=303)


@bp.get("/a/<token>")
@signed_in
def link(token: str) -> ResponseReturnValue:
    """Show the approval of a mail's link to the person it was sent to, and to nobody else."""
    person = current_person()
    found = queries.find_link(token, person.person_id)
    if found is None:
        raise RunNotFoundError
    if person.actor is None or person.actor.membership_id != found.membership_id:
        if person.actor is not None:
            flash(_("This approval waits for you in another membership: choose it."), "info")
        return redirect(url_for("accounts.memberships", next=request.path), code=303)
    person.actor.must(P.APPROVAL_READ)
    return _show(read_run(person.actor, found.run_id))


@bp.post("/approvals/<int:run_id>/approve")
@requires(P.APPROVAL_DECIDE)
def approve(run_id: int) -> ResponseReturnValue:
    return _decide(run_id, Answer.APPROVE)


@bp.post("/approvals/<int:run_id>/reject")
@requires(P.APPROVAL_DECIDE)
def reject(run_id: int) -> ResponseReturnValue:
    return _decide(run_id, Answer.REJECT)


@bp.post("/approvals/<int:run_id>/request-changes")
@requires(P.APPROVAL_DECIDE)
def request_changes(run_id: int) -> ResponseReturnValue:
    return _decide(run_id, Answer.REQUEST_CHANGES)


def _decide(run_id: int, answer: Answer) -> ResponseReturnValue:
    actor, form = current_actor(), DecisionForm()
    if not form.validate_on_submit():
        return _show(read_run(actor, run_id), form), 422
    step = form.step.data or ""
    try:
        actions.decide(
            actor,
            run_id,
            answer,
            form.comment.data or "",
            form.content_hash.data or "",
            now(),
            int(step) if _is_id(step) else None,
        )
    except InvalidError as error:
        form.add_error(error)
        return _show(read_run(actor, run_id), form), 422
    except ConflictError as error:
        return _show(read_run(actor, run_id), form, refusal(error)), 409
    return redirect(url_for(".done", run_id=run_id), code=303)


@bp.get("/approvals/<int:run_id>/done")
@requires(P.APPROVAL_READ)
def done(run_id: int) -> ResponseReturnValue:
    """Say what was decided and lead to the next one that waits."""
    actor = current_actor()
    page = read_run(actor, run_id)
    if page.mine is None:
        return redirect(url_for(".detail", run_id=run_id), code=303)
    return render_template(
        "approvals/done.html",
        shown=page,
        answer=Answer(page.mine.answer),
        waiting=queries.count_waiting(actor),
        following=queries.find_next_waiting(actor, after=run_id),
    )


@bp.get("/approvals/bulk")
@requires(P.APPROVAL_DECIDE)
def bulk() -> ResponseReturnValue:
    """Show what would be approved together; nothing is decided by looking."""
    chosen = [int(item) for item in request.args.getlist("run") if _is_id(item)][:MOST_AT_ONCE]
    runs = queries.find_waiting(current_actor(), chosen)
    if not runs:
        flash(_("Choose at least one approval that waits for you."), "info")
        return redirect(url_for(".index"), code=303)
    return render_template("approvals/bulk.html", runs=runs, form=BulkForm(formdata=None))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004 - an id fits


@bp.post("/approvals/bulk")
@requires(P.APPROVAL_DECIDE)
def bulk_approve() -> ResponseReturnValue:
    actor, form = current_actor(), BulkForm()
    pairs = [item.partition(":") for item in request.form.getlist("run")[:MOST_AT_ONCE]]
    chosen = [(int(run_id), shown) for run_id, _colon, shown in pairs if _is_id(run_id)]
    if not form.validate_on_submit():
        runs = queries.find_waiting(actor, [run_id for run_id, _shown in chosen])
        return render_template("approvals/bulk.html", runs=runs, form=form), 422
    approved, refused = actions.decide_many(actor, chosen, form.comment.data or "", now())
    if approved:
        flash(ngettext("%(num)s approved.", "%(num)s approved.", len(approved)), "success")
    for _run_id, error in refused:
        flash(refusal(error), "warning")
    return redirect(url_for(".index"), code=303)
