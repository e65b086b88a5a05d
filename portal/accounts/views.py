"""Signing in and out, choosing a membership, mailed links, the own profile."""

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug import Response

from portal.accounts import links, signing_in
from portal.accounts.forms import (
    ForgottenForm,
    NewPasswordForm,
    PasswordForm,
    ProfileForm,
    SignInForm,
)
from portal.accounts.queries import find_own_memberships
from portal.accounts.rules import (
    SESSION_LASTS,
    SHORTEST_PASSWORD,
    LinkGoneError,
    LinkKind,
    SignInRefusedError,
    SuspendedError,
    TooManyAttemptsError,
    WeakPasswordError,
    WrongPasswordError,
)
from portal.db import EVERY_ROW, reaching
from portal.errors import DomainError
from portal.web.access import current_person, public, safe_next, signed_in
from portal.web.clock import now
from portal.web.forms import Form
from portal.web.identity import SESSION_COOKIE, SignedIn
from portal.web.locale import LANGUAGES
from portal.web.shell import THEMES

bp = Blueprint("accounts", __name__)

TOO_MANY = 429


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if not form.is_submitted():
        return _sign_in_page(form, 200)
    if not form.validate():
        return _sign_in_page(form, 422)
    try:
        opened = signing_in.sign_in(
            form.email.data or "", form.password.data or "", address=_address(), now=now()
        )
    except (SignInRefusedError, SuspendedError, TooManyAttemptsError) as refusal:
        form.add_error(refusal)
        return _sign_in_page(form, _status(refusal))
    target = _next() or "/"
    if not opened.has_membership:
        target = url_for(".memberships", next=_next())
    return _with_session(redirect(target, code=303), opened.token)


def _sign_in_page(form: SignInForm, status: int) -> ResponseReturnValue:
    return render_template("accounts/sign_in.html", form=form, next=_next()), status


def _status(refusal: DomainError) -> int:
    if isinstance(refusal, TooManyAttemptsError):
        return TOO_MANY
    return 403 if isinstance(refusal, SuspendedError) else 422


def _next() -> str | None:
    return safe_next(request.values.get("next"))


def _address() -> str:
    return request.remote_addr or ""


def _with_session(response: Response, token: str) -> Response:
    """Hand the browser its session: out of reach for scripts and for other sites' forms."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SETTINGS"].base_url.startswith("https:"),
        path="/",
    )
    return response


@bp.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    signing_in.sign_out(current_person(), now=now())
    response = redirect(url_for(".sign_in"), code=303)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="Lax")
    return response


@bp.get("/memberships")
@signed_in
def memberships() -> ResponseReturnValue:
    person = current_person()
    return render_template(
        "accounts/memberships.html",
        memberships=find_own_memberships(person.person_id),
        chosen=person.actor.membership_id if person.actor else None,
        next=_next(),
    )


@bp.post("/memberships/<int:membership_id>")
@signed_in
def choose_membership(membership_id: int) -> ResponseReturnValue:
    token = signing_in.choose_membership(current_person(), membership_id, now=now())
    return _with_session(redirect(_next() or "/", code=303), token)


@bp.route("/invitation/<token>", methods=["GET", "POST"])
@public
def invitation(token: str) -> ResponseReturnValue:
    return _by_link(LinkKind.INVITATION, token)


@bp.route("/password/<token>", methods=["GET", "POST"])
@public
def reset(token: str) -> ResponseReturnValue:
    return _by_link(LinkKind.RESET, token)


def _by_link(kind: LinkKind, token: str) -> ResponseReturnValue:
    """Show who the link is for and take the password; only the POST uses the link up."""
    form = NewPasswordForm()
    invited = kind is LinkKind.INVITATION
    try:
        with reaching(EVERY_ROW):
            link = links.get_link(kind, token, now())
        if form.validate_on_submit():
            take = signing_in.accept_invitation if invited else signing_in.reset_password
            take(token, form.password.data or "", now=now())
            flash(_("Your password is set. Sign in with it."), "success")
            return redirect(url_for(".sign_in"), code=303)
    except WeakPasswordError as refusal:
        form.add_error(refusal)
    except LinkGoneError:
        return render_template("accounts/link_gone.html", invited=invited), 404
    page = render_template(
        "accounts/new_password.html", form=form, link=link, invited=invited, least=SHORTEST_PASSWORD
    )
    return page, 422 if form.is_submitted() else 200


@bp.route("/password/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> ResponseReturnValue:
    form = ForgottenForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            signing_in.request_reset(form.email.data or "", address=_address(), now=now())
        except TooManyAttemptsError as refusal:
            form.add_error(refusal)
            status = TOO_MANY
        else:
            return redirect(url_for(".reset_sent"), code=303)
    return render_template("accounts/forgotten.html", form=form), status


@bp.get("/password/sent")
@public
def reset_sent() -> ResponseReturnValue:
    return render_template("accounts/reset_sent.html")


@bp.route("/me", methods=["GET", "POST"])
@signed_in
def profile() -> ResponseReturnValue:
    person = current_person()
    form = _profile_form(person)
    if not form.is_submitted():
        return _profile_page(person, form, PasswordForm(formdata=None), form)
    if not form.validate():
        return _profile_page(person, form, PasswordForm(formdata=None), form), 422
    signing_in.save_profile(
        person,
        name=form.name.data or "",
        locale=form.locale.data or None,
        theme=form.theme.data,
        now=now(),
    )
    flash(_("Saved."), "success")
    return redirect(url_for(".profile"), code=303)


@bp.post("/me/password")
@signed_in
def change_password() -> ResponseReturnValue:
    person, form = current_person(), PasswordForm()
    status = 422
    if form.validate_on_submit():
        try:
            signing_in.change_password(
                person,
                form.present_password.data or "",
                form.password.data or "",
                now=now(),
            )
        except (WrongPasswordError, WeakPasswordError, TooManyAttemptsError) as refusal:
            form.add_error(refusal)
            status = _status(refusal)
        else:
            flash(_("Your password is changed. Other browsers are signed out."), "success")
            return redirect(url_for(".profile"), code=303)
    return _profile_page(person, _profile_form(person, is_shown_only=True), form, form), status


def _profile_form(person: SignedIn, *, is_shown_only: bool = False) -> ProfileForm:
    held = {"name": person.name, "locale": person.locale or "", "theme": person.theme}
    form = ProfileForm(formdata=None, data=held) if is_shown_only else ProfileForm(data=held)
    languages = [(tag, language.name) for tag, language in LANGUAGES.items()]
    if person.locale and person.locale not in LANGUAGES:
        languages.append((person.locale, person.locale))
    form.locale.choices = [("", _("As my company")), *languages]
    form.theme.choices = [(name, _(label)) for name, label in THEMES.items()]
    return form


def _profile_page(
    person: SignedIn, profile_form: ProfileForm, password_form: PasswordForm, form: Form
) -> str:
    return render_template(
        "accounts/profile.html",
        person=person,
        profile_form=profile_form,
        password_form=password_form,
        form=form,
        least=SHORTEST_PASSWORD,
    )
