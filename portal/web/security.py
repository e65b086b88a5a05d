"""Headers of every answer: nothing inline, nothing framed, nothing cached but static files."""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect

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


def init_app(app: Flask) -> None:
    """Demand a token of every form, answer known hosts alone, set the headers of every answer."""
    CSRFProtect(app)
    settings: Settings = app.config["SETTINGS"]
    app.config["TRUSTED_HOSTS"] = trusted_hosts(settings)
    app.after_request(_harden)


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
