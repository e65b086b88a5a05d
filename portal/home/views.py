"""The start page, the search, language and theme, help, and the probes."""

from datetime import timedelta

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.signing_in import save_profile
from portal.home import probes, searching
from portal.home.forms import PreferencesForm
from portal.home.queries import find_waiting
from portal.web.access import public, safe_next, signed_in
from portal.web.clock import now
from portal.web.identity import current_person, current_signed_in
from portal.web.locale import COOKIE
from portal.web.shell import THEME_COOKIE

bp = Blueprint("home", __name__)


@bp.get("/")
@signed_in
def index() -> ResponseReturnValue:
    """Show what waits for this person."""
    actor = current_person().actor
    if actor is None:
        return redirect(url_for("accounts.memberships"), code=303)
    return render_template("home/index.html", waiting=find_waiting(actor, now()))


@bp.get("/search")
@signed_in
def search() -> ResponseReturnValue:
    """Search everything by one box; an exact number leads straight there."""
    actor = current_person().actor
    if actor is None:
        return redirect(url_for("accounts.memberships"), code=303)
    text = searching.clean(request.args.get("q", ""))
    if not text:
        return render_template("home/search.html", search_query="", found=None)
    exact = searching.find_exact(actor, text)
    if exact:
        return redirect(exact, code=303)
    found = searching.search(actor, text, now())
    return render_template("home/search.html", search_query=text, found=found)


@bp.get("/help")
@signed_in
def help() -> str:  # noqa: A001 - the page's name
    """Say how things are done and who can be asked."""
    return render_template("home/help.html")


@bp.post("/preferences")
@public
def preferences() -> ResponseReturnValue:
    """Keep the language and theme: with the person, or in the browser before signing in."""
    form = PreferencesForm()
    answer = redirect(safe_next(form.next.data) or url_for(".index"), code=303)
    person = current_signed_in()
    if person is not None:
        save_profile(
            person,
            name=person.name,
            locale=form.chosen_locale or person.locale,
            theme=form.chosen_theme or person.theme,
            now=now(),
        )
    for name, value in ((COOKIE, form.chosen_locale), (THEME_COOKIE, form.chosen_theme)):
        if value:
            _remember(answer, name, value)
    return answer


def _remember(answer: AnyResponse, name: str, value: str) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=timedelta(days=365),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


@bp.get("/healthz")
@public
def healthz() -> Response:
    """Answer as long as the process can."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Answer 200 once database and migrations are as this program needs them."""
    parts = probes.check()
    is_ready = set(parts.values()) == {"ok"}
    return jsonify(status="ready" if is_ready else "not ready", **parts), 200 if is_ready else 503
