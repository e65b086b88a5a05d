"""The frame of every page: who is signed in, where they can go, what waits for them there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, current_app, request, url_for
from flask_babel import gettext as _

from portal.errors import N_
from portal.policy import Actor, Permission
from portal.web import drawing, errors, formats, locale, security, static
from portal.web.addresses import url_with, url_without
from portal.web.identity import SignedIn
from portal.web.locale import LANGUAGES, Language, current_language, signed_in_or_none

THEME_COOKIE: Final = "portal_theme"
THEMES: Final[Mapping[str, str]] = {
    "auto": N_("As the device"),
    "light": N_("Light"),
    "dark": N_("Dark"),
}
_PLUGS: Final = "portal.shell"
NOTHING_WAITS: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """One place to go: shown to those who hold its permission on the side it belongs to.

    ``side`` is "customer", "supplier" or "" for both; ``prefix`` is the start of the addresses for
    which the link is marked as current; ``count`` names the count that says how many things wait
    there; ``or_with`` are permissions any of which shows the link, too.
    """

    label: str
    endpoint: str
    permission: Permission | None
    prefix: str
    side: str = ""
    count: str = ""
    or_with: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NavLink:
    """A place to go, as drawn."""

    label: str
    url: str
    is_current: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The quote that "Add to quote" goes to."""

    number: str
    url: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody: counts by the name that a `NavItem` gives, and the current draft."""

    counts: Mapping[str, int] = field(default_factory=dict)
    draft: Draft | None = None


@dataclass(slots=True, kw_only=True)
class Plugs:
    """What the packages above give to the frame; app.py fills it, one line per kind."""

    items: Sequence[NavItem] = ()
    supplier_name: Callable[[], str] = lambda: ""
    grantors: Callable[[Actor], Sequence[str]] = lambda _actor: ()
    waiting: Callable[[Actor], Waiting] = lambda _actor: Waiting()


class Shell:
    """What base.html draws around a page; each part is computed when the page asks for it."""

    def __init__(self, person: SignedIn | None) -> None:
        self.person = person
        self.actor = person.actor if person else None

    @property
    def language(self) -> Language:
        """The language of the page."""
        return current_language()

    @property
    def languages(self) -> Sequence[Language]:
        """All languages, each by its own name."""
        return tuple(LANGUAGES.values())

    @property
    def theme(self) -> str:
        """The person's choice, else the browser's cookie, else what the device prefers."""
        chosen = self.person.theme if self.person else request.cookies.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else "auto"

    @property
    def themes(self) -> Sequence[tuple[str, str]]:
        """Name and label of each theme."""
        return [(name, _(label)) for name, label in THEMES.items()]

    @cached_property
    def supplier_name(self) -> str:
        """The operator's name; the portal's own word while there is none."""
        return (plugs().supplier_name() if self.is_healthy else "") or _("Portal")

    @property
    def is_healthy(self) -> bool:
        """Whether the database may be asked while drawing this page."""
        return not errors.has_failed()

    @property
    def membership(self) -> str:
        """The chosen membership as the list of memberships names it."""
        if self.actor is None:
            return ""
        parts = (self.actor.account_code, self.actor.unit_code)
        return " - ".join(part for part in parts if part)

    @cached_property
    def navigation(self) -> Sequence[NavLink]:
        """Where this person can go, in the order of the table."""
        if self.actor is None or not self.is_healthy:
            return ()
        return navigation(self.actor, self.waiting.counts)

    @cached_property
    def waiting(self) -> Waiting:
        """What waits for this person."""
        if self.actor is None or not self.is_healthy:
            return Waiting()
        return plugs().waiting(self.actor)

    @property
    def draft(self) -> Draft | None:
        """The quote that products are added to."""
        return self.waiting.draft

    @cached_property
    def grantors(self) -> Sequence[str]:
        """Names of those who can change this person's rights."""
        if self.actor is None or not self.is_healthy:
            return ()
        return plugs().grantors(self.actor)

    def url(self, endpoint: str) -> str | None:
        """Return the address of an endpoint, None where it does not exist."""
        return url_for(endpoint) if endpoint in current_app.view_functions else None


def plug(app: Flask, plugs_: Plugs) -> None:
    """Give the frame what the packages above know."""
    app.extensions[_PLUGS] = plugs_


def plugs() -> Plugs:
    """Return what was plugged in."""
    held: Plugs = current_app.extensions[_PLUGS]
    return held


def navigation(actor: Actor, counts: Mapping[str, int] = NOTHING_WAITS) -> Sequence[NavLink]:
    """Return the links that the actor's permissions allow; a missing endpoint has no link."""
    side = "supplier" if actor.is_supplier else "customer"
    return [
        NavLink(
            label=_(item.label),
            url=url_for(item.endpoint),
            is_current=_is_here(item.prefix),
            count=counts.get(item.count, 0),
        )
        for item in plugs().items
        if item.endpoint in current_app.view_functions
        and item.side in {"", side}
        and (item.permission is None or any(map(actor.can, (item.permission, *item.or_with))))
    ]


def _is_here(prefix: str) -> bool:
    if prefix == "/":
        return request.path == "/"
    others = (item.prefix for item in plugs().items if item.prefix != prefix)
    deeper = any(other.startswith(prefix) and _starts(request.path, other) for other in others)
    return _starts(request.path, prefix) and not deeper


def _starts(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _context() -> dict[str, Any]:
    """Give templates the frame; a text made outside a request (a mail) has none."""
    person = signed_in_or_none()
    return {"shell": Shell(person)}


def init_app(app: Flask) -> None:
    """Start the edge kit on the app: languages, formats, headers, static files, errors, frame."""
    app.extensions.setdefault(_PLUGS, Plugs())
    locale.init_app(app)
    formats.init_app(app)
    drawing.init_app(app)
    security.init_app(app)
    static.init_app(app)
    errors.init_app(app)
    app.context_processor(_context)
    app.add_template_global(url_with, "url_with")
    app.add_template_global(url_without, "url_without")
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
