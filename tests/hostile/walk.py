"""Going through every page as the people who may, to fill in what it offers with hostile values."""

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from zlib import crc32

from flask import Flask
from werkzeug.test import TestResponse

from portal.web.access import access_of
from portal.web.identity import SESSION_COOKIE
from tests.hostile.pages import FoundForm, Offered, offered_by
from tests.proofs.routes import address, sample_of
from tests.stage import PortalClient, client_of, held_by, undone

SignIn = Callable[..., PortalClient]
PEOPLE: Final = (
    "buyer@acme.example",
    "admin@acme.example",
    "service@northwind.example",
    "desk@northwind.example",
    "pricing@northwind.example",
    "manager@northwind.example",
    "system@northwind.example",
)
"""Together they reach every page; whoever comes first fills it in."""
TYPED: Final = frozenset({"text", "textarea", "search", "email", "tel", "number", "date"})
SENT: Final = TYPED | {"hidden", "select", "checkbox", "radio", "datetime-local", "time"}


@dataclass(frozen=True)
class Visit:
    """A page as somebody opened it."""

    who: str
    app: Flask
    session: str
    address: str
    offered: Offered

    @property
    def client(self) -> PortalClient:
        """A browser that has met nothing; if a request ended the session, that is undone."""
        client = client_of(self.app)
        client.set_cookie(SESSION_COOKIE, self.session)
        return client


def visits(app: Flask, sign_in: SignIn) -> Iterator[Visit]:
    """Open every page once, as the first of `PEOPLE` who may."""
    seen: set[str] = set()
    for who in PEOPLE:
        client, held = sign_in(who), held_by(who)
        session = client.get_cookie(SESSION_COOKIE)
        assert session is not None
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
            if "GET" not in (rule.methods or ()) or rule.endpoint == "static" or rule.rule in seen:
                continue
            if access_of(app, rule.endpoint, "GET") not in {*held, "signed-in", "public"}:
                continue
            sample = sample_of(rule)
            found = sample.find("ACME") if sample is not None else None
            if rule.arguments and found is None:
                continue
            place = address(app, rule, found[1] if found else "")
            with undone():
                answer = client.get(place)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                seen.add(rule.rule)
                yield Visit(who, app, session.value, place, offered_by(place, answer.text))


def forms(visit: Visit, seen: set[object]) -> Iterator[FoundForm]:
    """Yield the forms of a page that change something and that no page had before."""
    for form in visit.offered.forms:
        if form.method == "post" and form.shape not in seen and "sign-out" not in form.action:
            seen.add(form.shape)
            yield form


def path_of(form: FoundForm) -> str:
    """Where a form is sent."""
    parts = urlsplit(form.action)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def some(values: Sequence[str], key: str, count: int) -> list[str]:
    """Take ``count`` of the values, others for another key: together the fields meet them all."""
    start = crc32(key.encode())
    return [values[(start + turn * 7) % len(values)] for turn in range(count)]


def filled(form: FoundForm) -> dict[str, str]:
    """What a form would send as it stands."""
    return {name: text for name, text in form.fields.items() if form.kinds.get(name) != "file"}


def stands_in(typed: str, page: TestResponse) -> bool:
    """Whether a page shows again what was typed, folded or not."""
    return html.escape(typed.strip()) in html.escape(html.unescape(page.text), quote=True)
