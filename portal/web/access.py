"""Access to views: each names its one permission; a view without a mark answers 403.

Flask-Principal lives in this module alone. Its `Permission` means any-of several needs, admits
everybody without needs, and its combinators let the anonymous in; `OneNeed` can do none of that.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_principal import AnonymousIdentity, Identity, Need, Principal
from flask_principal import Permission as PrincipalPermission

from portal.errors import NotAllowedError
from portal.policy import Permission
from portal.web.identity import current_actor, current_person, current_signed_in

__all__ = [
    "access_of",
    "current_actor",
    "current_person",
    "init_app",
    "public",
    "requires",
    "safe_next",
    "signed_in",
]

PUBLIC: Final = "public"
SIGNED_IN: Final = "signed-in"
_MARK: Final = "portal_access"
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


class OneNeed(PrincipalPermission):
    """Exactly one permission of ours as a need; it can't be combined or turned around."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # Flask-Principal ships no types
            Need("permission", permission.value)
        )

    def admits(self, identity: Identity) -> bool:
        """Whether ``identity`` holds the permission."""
        return self.needs <= identity.provides

    def _refuse(self, *_args: object) -> NoReturn:
        message = "One view names one permission."
        raise TypeError(message)

    __and__ = __or__ = __invert__ = union = difference = reverse = _refuse


def requires(permission: Permission, *, post: Permission | None = None) -> Callable[[View], View]:
    """Mark a view with its permission; ``post`` is for its unsafe methods, where different."""

    def mark(view: View) -> View:
        setattr(view, _MARK, {"read": permission, "write": post or permission})
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that anybody may open."""
    setattr(view, _MARK, {"read": PUBLIC, "write": PUBLIC})
    return view


def signed_in(view: View) -> View:
    """Mark a view for any signed-in person, even before a membership is chosen."""
    setattr(view, _MARK, {"read": SIGNED_IN, "write": SIGNED_IN})
    return view


def access_of(app: Flask, endpoint: str, method: str) -> Permission | str | None:
    """Return what (endpoint, method) asks for: a permission, public, signed-in, or ``None``."""
    marks: dict[str, Permission | str] | None = getattr(app.view_functions[endpoint], _MARK, None)
    if marks is None:
        return None
    return marks["read" if method in _READS else "write"]


def init_app(app: Flask) -> None:
    """Check every request before its view."""
    principal = Principal(app, use_sessions=False, skip_static=True)
    principal.identity_loader(_identity)
    public(app.view_functions["static"])
    app.before_request(_check)


def safe_next(target: str | None) -> str | None:
    """Return ``target`` where it is a path of this portal, so that no link leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(char) < 33 for char in target):  # noqa: PLR2004
        return None
    return target


def _identity() -> Identity:
    person = current_signed_in()
    if person is None or person.actor is None:
        return AnonymousIdentity()
    identity = Identity(person.person_id)
    identity.provides.update(
        Need("permission", permission.value) for permission in person.actor.grants
    )
    return identity


def _check() -> ResponseReturnValue | None:
    endpoint = request.endpoint
    if endpoint is None:  # 404 and 405 are answered by routing
        return None
    needed = access_of(current_app, endpoint, request.method)
    if needed == PUBLIC:
        return None
    person = current_signed_in()
    if person is None:
        return redirect(url_for("accounts.sign_in", next=_here()), code=303)
    if needed == SIGNED_IN:
        return None
    if person.actor is None:
        return redirect(url_for("accounts.memberships", next=_here()), code=303)
    if not isinstance(needed, Permission) or not OneNeed(needed).admits(g.identity):
        raise NotAllowedError(permission=getattr(needed, "value", ""))
    g.actor = person.actor
    return None


def _here() -> str | None:
    """Return the address to come back to after signing in; only a page can be come back to."""
    if request.method != "GET":
        return None
    return request.full_path.rstrip("?")
