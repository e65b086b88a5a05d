"""Answers that say no: what happened, what was kept, what to do next, a reference to quote."""

import errno
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import Flask, current_app, g, has_request_context, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from portal.errors import (
    N_,
    ConflictError,
    DomainError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
)
from portal.web.formats import refusal

STATUSES: Final[Mapping[type[DomainError], int]] = {
    NotFoundError: 404,
    NotAllowedError: 403,
    ConflictError: 409,
    InvalidError: 422,
}
TITLES: Final[Mapping[int, str]] = {
    400: N_("The form can't be used any more"),
    403: N_("You can't do this"),
    404: N_("Page not found"),
    405: N_("This address can't be used in that way"),
    409: N_("This changed in the meantime"),
    413: N_("The file is too large"),
    422: N_("There is a problem"),
    429: N_("Too many attempts"),
    500: N_("Something went wrong on our side"),
    503: N_("The portal is not available at the moment"),
}
NOT_SAVED: Final = N_("Nothing can be saved at the moment")
"""The title of 503 where something was to be saved: pages can often be read all the same."""
_PAGES: Final = frozenset({400, 403, 404, 409, 422, 500, 503})
_AWAY: Final = 503
_RETRY_SECONDS: Final = 30
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HIDDEN: Final = frozenset({"csrf_token", "password", "new_password", "current_password"})
_LONGEST_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the page or the JSON says (RFC 9457)."""

    status: int
    title: str
    detail: str
    reference: str


def status_of(error: DomainError) -> int:
    """Return the HTTP status that a refusal's kind deserves."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 422)


def reference() -> str:
    """Return the word by which this request is found in the log."""
    if "reference" not in g:
        g.reference = secrets.token_hex(4).upper()
    held: str = g.reference
    return held


def has_failed() -> bool:
    """Whether this request broke, so that its page must not ask the database anything."""
    return has_request_context() and bool(g.get("request_failed"))


def wants_json() -> bool:
    """Whether a program asks rather than a browser."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json" or request.is_json


def answer(status: int, detail: str, **context: object) -> ResponseReturnValue:
    """Answer with a page, or a JSON problem for programs."""
    is_write = status == _AWAY and request.method == "POST"
    title = _(NOT_SAVED if is_write else TITLES.get(status, TITLES[500]))
    problem = Problem(status=status, title=title, detail=detail, reference=reference())
    current_app.logger.info(
        "answered %s to %s %s, reference %s",
        status,
        request.method,
        request.path,
        problem.reference,
    )
    if wants_json():
        body = jsonify(
            title=title, status=status, detail=detail, instance=f"urn:reference:{reference()}"
        )
        body.content_type = "application/problem+json"
        return body, status
    page = f"errors/{status}.html" if status in _PAGES else "errors/problem.html"
    return render_template(page, problem=problem, **context), status


def _refused(error: DomainError) -> ResponseReturnValue:
    return answer(status_of(error), refusal(error))


def _http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):
        return error.get_response()  # an unknown host: no address of a page can be built for it
    if isinstance(error, InternalServerError):
        return broke(error.original_exception or error)
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - a redirect is raised as an exception too
        return error.get_response()
    answered = answer(status, _details().get(status, _(NotFoundError.message)))
    return current_app.make_response(answered)


def _details() -> Mapping[int, str]:
    return {
        400: _("The request was not complete. Go back and try again."),
        403: _(NotAllowedError.message),
        405: _("Open the page again and use its buttons."),
        413: _("Send a smaller file, or split it."),
        415: _("The file or form is of a kind that can't be read."),
        429: _("Wait a few minutes, then try again."),
    }


def _forged(_error: CSRFError) -> ResponseReturnValue:
    """Refuse a form without a valid token; show what was typed so that it can be sent again.

    Only a browser that says the form came from our own page gets a button to repeat it: otherwise
    a foreign page could prepare a request and let the reader press it.
    """
    detail = _("The page was open for too long, or you signed in again in another window.")
    return answer(400, detail, **_typed())


def _typed() -> dict[str, object]:
    """Return what was typed, and whether the page may have a button that sends it again."""
    own = request.headers.get("Sec-Fetch-Site") == "same-origin"
    sent = [pair for pair in request.form.items(multi=True) if pair[0] not in _HIDDEN]
    typed = [(name, value) for name, value in sent if len(value) <= _LONGEST_KEPT]
    secret = any(name in request.form for name in _HIDDEN - {"csrf_token"})
    is_whole = len(typed) == len(sent) and not request.files
    return {"typed": typed if own else [], "can_repeat": own and is_whole and not secret}


def broke(error: BaseException) -> ResponseReturnValue:
    """Answer a failure of ours: the log has the trace, the page only the reference to it."""
    g.request_failed = True
    current_app.logger.error(
        "request failed, reference %s: %s %s",
        reference(),
        request.method,
        request.path,
        exc_info=error,
    )
    detail = _("Nothing of what you sent was carried out by half: either all or none of it.")
    if not _is_away(error):
        return answer(500, detail)
    is_read = not isinstance(error, OSError)  # else the form itself found no room to be read into
    kept = _typed() if request.method == "POST" and is_read else {}
    response = current_app.make_response(answer(_AWAY, detail, **kept))
    response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def _is_away(error: BaseException) -> bool:
    """Whether the database is away or busy, or a disk full: no mistake of ours, and it passes."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | PoolTimeoutError)


def init_app(app: Flask) -> None:
    """Answer refusals, HTTP errors, stale forms and failures."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    if not (app.testing or app.debug):
        app.register_error_handler(Exception, broke)
