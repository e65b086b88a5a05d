"""Who is on the request: read from the session table each time, never from a cookie's content."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Flask, Request, current_app, g, request
from flask_login import LoginManager, UserMixin, current_user

from portal.db import EVERY_ROW, NO_ROWS, RowScope, db, set_row_scope
from portal.policy import Actor
from portal.web.clock import now

SESSION_COOKIE: Final = "portal_session"
ENVIRON: Final = "portal.signed_in"
"""Where a request of the portal's own (see `acting`) carries whose it is; none from outside can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(UserMixin):
    """A signed-in browser: the person, and the membership they chose (if they did)."""

    session_id: int
    person_id: int
    email: str
    name: str
    locale: str | None
    theme: str
    actor: Actor | None
    membership_count: int = 1
    catalogue_mark: str | None = None
    """Under which counts of the catalogue can be kept (`portal.marks`); a job keeps none."""

    def get_id(self) -> str:
        """Return the person's id, as Flask-Login asks for it."""
        return str(self.person_id)


Loader = Callable[[str, datetime], SignedIn | None]


def init_app(app: Flask, load_session: Loader) -> None:
    """Let ``load_session`` turn a session token into the person on each request."""
    manager = LoginManager(app)
    manager.session_protection = None  # type: ignore[assignment]  # its own documented value

    @manager.request_loader  # type: ignore[untyped-decorator]  # Flask-Login ships no types
    def _load(incoming: Request) -> SignedIn | None:
        own: SignedIn | None = incoming.environ.get(ENVIRON)
        if own is not None:
            return own
        token = incoming.cookies.get(SESSION_COOKIE, "")
        if not token or len(token) > 200:  # noqa: PLR2004 - longer than any token ever issued
            return None
        return load_session(token, now())

    @app.before_request
    def _identify() -> None:
        if request.endpoint == "static":
            return
        set_row_scope(EVERY_ROW)
        signed_in = current_signed_in()
        db.session.rollback()
        set_row_scope(row_scope_of(signed_in))

    @app.teardown_request
    def _forget(_error: BaseException | None) -> None:
        set_row_scope(NO_ROWS)


def row_scope_of(signed_in: SignedIn | None) -> RowScope:
    """Return what PostgreSQL may show to this request."""
    if signed_in is None:
        return NO_ROWS
    if signed_in.actor is None:
        return RowScope(person_id=signed_in.person_id)
    if signed_in.actor.is_supplier:
        return EVERY_ROW
    return RowScope(account_ids=frozenset({signed_in.actor.account_id}))


def current_signed_in() -> SignedIn | None:
    """Return who is signed in, or ``None``.

    A page asks for it hundreds of times, so Flask-Login is asked once: it keeps its answer there.
    """
    try:
        person = g._login_user  # noqa: SLF001 - set by Flask-Login
    except (AttributeError, RuntimeError):
        person = current_user._get_current_object()  # noqa: SLF001 - the proxy's documented way out
    return person if isinstance(person, SignedIn) else None


def current_person() -> SignedIn:
    """Return who is signed in; only views that are marked so may ask."""
    signed_in = current_signed_in()
    if signed_in is None:
        current_app.logger.error("a view without a signed-in person asked for one")
        raise RuntimeError(request.endpoint)
    return signed_in


def current_actor() -> Actor:
    """Return the actor of this request; only views with a permission may ask."""
    actor: Actor | None = g.get("actor") or current_person().actor
    if actor is None:
        raise RuntimeError(request.endpoint)
    return actor
