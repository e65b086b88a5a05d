"""Pages of cases: the queue, opening one, and one case with everything that is done with it."""

from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.config import Settings
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import P
from portal.service.cases import actions, asking, ending, listing, pages, queries, teams, working
from portal.service.cases.actions import Then
from portal.service.cases.forms import (
    AssignForm,
    ChangeForm,
    ComplaintForm,
    MergeForm,
    NewCaseForm,
    NoteForm,
    RatingForm,
    ReplyForm,
    TransferForm,
    words_of,
)
from portal.service.cases.models import Case
from portal.service.cases.pages import Forms
from portal.service.cases.rules import (
    CaseKind,
    Cause,
    ComplaintCategory,
    Move,
    Priority,
    Severity,
    SortBy,
)
from portal.service.cases.tables import AGENT_COLUMNS, COLUMNS
from portal.service.cases.working import Assessment, Facts
from portal.service.knowledge.actions import note_helped
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.formats import refusal as words
from portal.web.paging import page_number, page_size
from portal.web.tables import cells_of, file_response, header_of, sort_of

bp = Blueprint("cases", __name__, url_prefix="/service/cases")
Refused = (InvalidError, ConflictError)


@bp.get("")
@requires(P.CASE_READ)
def index() -> ResponseReturnValue:
    actor, at = current_actor(), now()
    wanted = listing.filter_of(actor, request.args, at)
    is_agent = actor.can(P.CASE_WORK)
    sort = sort_of(SortBy, SortBy.CLOCK if is_agent else SortBy.NUMBER, descending=not is_agent)
    found = listing.Listing(actor, wanted, sort, at)
    columns = AGENT_COLUMNS if actor.is_supplier else COLUMNS
    if request.args.get("format") in {"csv", "xlsx"}:
        return _file(request.args["format"], columns, found.all_rows())
    page, counts = found.page(page_number(), page_size())
    return render_template(
        "service/cases.html",
        page=page,
        wanted=found.wanted,
        sort=sort,
        views=listing.views_of(actor, wanted, counts),
        chips=listing.chips_of(wanted),
        kinds=words_of(CaseKind, _("All")),
        priorities=words_of(Priority, _("All")),
        teams=teams.find_teams() if actor.is_supplier else (),
        accounts=queries.find_accounts(actor) if actor.is_supplier else (),
        can_open=actor.can(P.CASE_SAVE),
        can_set_up=actor.can(P.SERVICE_SETUP),
    )


def _file(kind: str, columns: Any, rows: Any) -> ResponseReturnValue:  # noqa: ANN401 - of one list
    header, cells = header_of(columns), cells_of(columns, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Cases")), "cases.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "cases.csv")


@bp.get("/new")
@requires(P.CASE_SAVE)
def new() -> ResponseReturnValue:
    actor = current_actor()
    form = asking.blank_form(actor, request.args)
    page = asking.show_blank(actor, form, now())
    return render_template("service/cases_new.html", page=page, form=form)


@bp.post("/new")
@requires(P.CASE_SAVE)
def open_case() -> ResponseReturnValue:
    """Check what was typed, or open the case, as the pressed button says."""
    actor, form = current_actor(), NewCaseForm()
    is_valid = form.validate_on_submit()
    if is_valid and request.form.get("then") == "send":
        requester = asking.choose_requester(actor, form)
        if not form.errors:
            try:
                wanted = asking.wanted_of(actor, form, requester)
                case = actions.open_case(
                    actor, wanted, form.files.attachments, now=now(), key=_key(form)
                )
            except Refused as refusal:
                form.add_error(refusal)
            else:
                flash(
                    _("Case %(number)s is open. The service was told.", number=case.number),
                    "success",
                )
                return redirect(url_for(".detail", number=case.number), code=303)
    page = asking.check(actor, form, now())
    answer = render_template("service/cases_new.html", page=page, form=form)
    return answer, 422 if form.errors else 200


@bp.post("/helped")
@requires(P.CASE_SAVE)
def helped() -> ResponseReturnValue:
    """Note that an article answered what somebody was about to ask."""
    number = request.form.get("article", "")[:20]
    try:
        note_helped(current_actor(), number, True, now=now())
    except NotFoundError as refusal:
        flash(words(refusal), "error")
        return redirect(url_for(".new"), code=303)
    flash(_("Good. No case was opened."), "success")
    return redirect(url_for("articles.detail", number=number), code=303)


@bp.get("/<number>")
@requires(P.CASE_READ)
def detail(number: str) -> ResponseReturnValue:
    return _show(queries.get_case(current_actor(), number))


def _show(case: Case, forms: Forms | None = None, status: int = 200) -> ResponseReturnValue:
    page = pages.show_case(current_actor(), case, now(), forms)
    return render_template("service/cases_detail.html", page=page, **page.parts), status


@bp.get("/<number>/attachments/<int:position>")
@requires(P.CASE_READ)
def attachment(number: str, position: int) -> ResponseReturnValue:
    """Hand a file out to be kept: never shown inside the portal, whatever it claims to be."""
    found = queries.get_attachment(current_actor(), number, position)
    content = actions.read_attachment(found.sha256)
    response = Response(content, content_type=found.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=found.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@bp.post("/<number>/reply")
@requires(P.CASE_SAVE)
def reply(number: str) -> ResponseReturnValue:
    """Say something, or insert a phrase or an article into what is being written."""
    actor, form = current_actor(), ReplyForm()
    case = _reached(number, Move.REPLY)
    then = request.form.get("then", Then.STAY)
    if then not in set(Then) and actor.can(P.CASE_WORK):
        return _show(case, Forms(reply=_inserted(form, then, case)))

    def send() -> None:
        actions.reply(
            actor,
            number,
            form.text.data or "",
            form.files.attachments,
            now=now(),
            then=Then(then) if then in set(Then) else Then.STAY,
            key=_key(form),
            article_number=(form.article.data or "")[:20],
        )

    return _take(case, form, Forms(reply=form), send, _("Your message is sent."))


def _inserted(form: ReplyForm, then: str, case: Case) -> ReplyForm:
    """Return the form with a phrase or an article added to what was typed so far."""
    kind, _sign, name = then.partition(":")
    text = ""
    try:
        if kind == "article":
            text, form.article.data = _article_text(case, name), name[:20]
        elif form.phrase.data:
            text = teams.get_phrase(_number(form.phrase.data)).body
    except NotFoundError:
        text = ""
    values = {"{number}": case.number, "{subject}": case.subject, "{agent}": current_actor().name}
    for mark, value in values.items():
        text = text.replace(mark, value)
    form.text.data = "\n\n".join(filter(None, (form.text.data, text)))
    return form


def _article_text(case: Case, number: str) -> str:
    """Return a suggested article as an answer carries it: title, first words, where it stands."""
    settings: Settings = current_app.config["SETTINGS"]
    for found in pages.suggestions_for(current_actor(), case):
        if found.number == number:
            link = settings.base_url.rstrip("/") + url_for("articles.detail", number=number)
            return f"{found.title}\n{found.excerpt}\n{link}"
    return ""


@bp.post("/<number>/note")
@requires(P.CASE_WORK)
def note(number: str) -> ResponseReturnValue:
    form, case = NoteForm(), _reached(number, Move.NOTE)
    text, files = form.note.data or "", form.note_files.attachments
    return _take(
        case,
        form,
        Forms(note=form),
        lambda: actions.add_note(current_actor(), number, text, files, now=now(), key=_key(form)),
        _("The note is saved. The customer does not see it."),
    )


@bp.post("/<number>/take")
@requires(P.CASE_WORK)
def take(number: str) -> ResponseReturnValue:
    working.take_case(current_actor(), number, now=now())
    return _done(number, _("Case %(number)s is yours.", number=number))


@bp.post("/<number>/assign")
@requires(P.CASE_WORK)
def assign(number: str) -> ResponseReturnValue:
    form, case = AssignForm(), _reached(number, Move.ASSIGN)
    chosen = form.assignee.data or ""
    return _take(
        case,
        form,
        Forms(assign=form),
        lambda: working.assign_case(
            current_actor(), number, _number(chosen) if chosen else None, now=now()
        ),
        _("The case is assigned."),
    )


@bp.post("/<number>/transfer")
@requires(P.CASE_WORK)
def transfer(number: str) -> ResponseReturnValue:
    form, case = TransferForm(), _reached(number, Move.TRANSFER)

    def hand_over() -> None:
        try:
            working.transfer_case(current_actor(), number, form.team.data or "", now=now())
        except teams.TeamNotFoundError:
            raise UnknownTeamError(code=(form.team.data or "")[:40]) from None

    return _take(case, form, Forms(transfer=form), hand_over, _("The team was told."))


class UnknownTeamError(InvalidError):
    """What was chosen is no team."""

    message = teams.TeamNotFoundError.message
    field = "team"


@bp.post("/<number>/change")
@requires(P.CASE_WORK)
def change(number: str) -> ResponseReturnValue:
    form, case = ChangeForm(), _reached(number, Move.CHANGE)
    return _take(
        case,
        form,
        Forms(change=form),
        lambda: working.change_case(
            current_actor(),
            number,
            _number(form.version.data),
            Facts(
                kind=CaseKind(form.kind.data),
                priority=Priority(form.priority.data),
                about=form.about.data or "",
            ),
            now=now(),
        ),
        _("Saved."),
    )


@bp.post("/<number>/complaint")
@requires(P.CASE_WORK)
def complaint(number: str) -> ResponseReturnValue:
    form, case = ComplaintForm(), _reached(number, Move.ASSESS)
    return _take(
        case,
        form,
        Forms(complaint=form),
        lambda: working.assess_complaint(
            current_actor(),
            number,
            _number(form.version.data),
            Assessment(
                category=ComplaintCategory(form.category.data),
                severity=Severity(form.severity.data),
                cause=Cause(form.cause.data),
                measure=form.measure.data or "",
                follow_up_on=form.follow_up_on.data,
            ),
            now=now(),
        ),
        _("Saved."),
    )


@bp.post("/<number>/follow-up")
@requires(P.CASE_WORK)
def follow_up(number: str) -> ResponseReturnValue:
    working.follow_up(current_actor(), number, now=now())
    return _done(number, _("The complaint is followed up."))


@bp.post("/<number>/merge")
@requires(P.CASE_WORK)
def merge(number: str) -> ResponseReturnValue:
    form, case = MergeForm(), _reached(number, Move.MERGE)
    target = (form.target.data or "").strip().upper()
    return _take(
        case,
        form,
        Forms(merge=form),
        lambda: working.merge_case(current_actor(), number, target, now=now()),
        _("The case is merged. Its messages stand here now."),
        to=target,
    )


@bp.post("/<number>/close")
@requires(P.CASE_SAVE)
def close(number: str) -> ResponseReturnValue:
    ending.close_case(current_actor(), number, now=now())
    return _done(number, _("Case %(number)s is closed.", number=number))


@bp.post("/<number>/reopen")
@requires(P.CASE_SAVE)
def reopen(number: str) -> ResponseReturnValue:
    ending.reopen_case(current_actor(), number, now=now())
    return _done(number, _("Case %(number)s is open again.", number=number))


@bp.post("/<number>/rate")
@requires(P.CASE_SAVE)
def rate(number: str) -> ResponseReturnValue:
    form, case = RatingForm(), _reached(number, Move.RATE)
    return _take(
        case,
        form,
        Forms(rating=form),
        lambda: ending.rate_case(
            current_actor(), number, _number(form.stars.data), form.words.data or "", now=now()
        ),
        _("Your rating is noted. It goes to those who worked on the case."),
    )


def _reached(number: str, move: Move) -> Case:
    """Return a case within reach of a step; a form that complains shows it, too."""
    case = queries.get_case(current_actor(), number)
    actions.must_work(current_actor(), case, move)
    return case


def _take(
    case: Case,
    form: Any,  # noqa: ANN401 - any form of the page
    forms: Forms,
    act: Callable[[], object],
    done: str,
    *,
    to: str = "",
) -> ResponseReturnValue:
    """Act where the form is rightly filled in; else show the page with what is wrong."""
    if form.validate_on_submit():
        try:
            act()
        except Refused as refusal:
            form.add_error(refusal)
        else:
            return _done(to or case.number, done)
    return _show(queries.get_case(current_actor(), case.number), forms, 422)


def _done(number: str, words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for(".detail", number=number), code=303)


def _key(form: Any) -> str:  # noqa: ANN401 - any form with a key
    """Return the form's key; one that never had any gets its own and so never repeats."""
    return str(form.key.data or "")[:64] or pages.new_key()


def _number(text: object) -> int:
    """Return a whole number from a hidden field or choice; nonsense is one that never exists."""
    digits = str(text or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else -1  # noqa: PLR2004
