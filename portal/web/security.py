"""Headers of every answer: nothing inline, nothing framed, nothing cached but static files."""

from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from portal.config import Settings

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
LOOPBACK: Final = ("127.0.0.1", "localhost")
NUL: Final = "\x00"


class PlainRequest(Request):
    """A request whose texts hold no NUL: nobody types one, and PostgreSQL has no place for it."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The address's own values."""
        return _without_nul(super().args)

    @cached_property
    def form(self) -> ImmutableMultiDict[str, str]:
        """The form's values."""
        return ImmutableMultiDict(_without_nul(super().form))


def _without_nul(values: MultiDict[str, str]) -> MultiDict[str, str]:
    pairs = values.items(multi=True)
    return MultiDict([(key.replace(NUL, ""), text.replace(NUL, "")) for key, text in pairs])


def init_app(app: Flask) -> None:
    """Demand a token of every form, answer known hosts alone, set the headers of every answer."""
    app.request_class = PlainRequest
    app.before_request(_refuse_nul)
    CSRFProtect(app)
    settings: Settings = app.config["SETTINGS"]
    app.config["TRUSTED_HOSTS"] = trusted_hosts(settings)
    app.after_request(_harden)


def _refuse_nul() -> None:
    """Answer an address with a NUL in its path as one that does not exist."""
    if NUL in request.path:
        abort(404)


def trusted_hosts(settings: Settings) -> list[str]:
    """Return the host names that are answered: those set, and the portal's own address."""
    own = urlsplit(settings.base_url).hostname or ""
    names = {*settings.trusted_hosts, own} - {""}
    return sorted(names | set(LOOPBACK) if own in LOOPBACK else names)


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.vary.update(("HX-Request", "Cookie"))
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
