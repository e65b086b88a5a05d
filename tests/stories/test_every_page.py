"""Every page there is, in a real browser: accessible in light and dark, quiet, narrow enough.

Pages come from the url map; each is looked at by the first of these people who may open it.
"""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy.orm import close_all_sessions

from portal.app import create_app
from portal.db import EVERY_ROW, db, set_row_scope
from portal.policy import Permission
from portal.web.access import access_of
from tests.proofs.routes import TOKENS, address, arguments, is_known, sample_of
from tests.stage import held_by
from tests.stories.browsing import Server, Visitor

pytestmark = [pytest.mark.story, pytest.mark.any_database, pytest.mark.timeout(600)]

PEOPLE: Final = {
    "nobody": None,
    "buyer": "buyer@acme.example",
    "approver": "approver@acme.example",
    "administrator": "admin@acme.example",
    "account manager": "manager@northwind.example",
    "pricing manager": "pricing@northwind.example",
    "order desk": "desk@northwind.example",
    "service agent": "service@northwind.example",
    "system administrator": "system@northwind.example",
}
ELSEWHERE: Final = ("/healthz", "/readyz")
FEWEST: Final = 12
"""Pages that must have been looked at altogether: with fewer, the walk is broken."""


@pytest.fixture
def looked_at(shown: Server) -> dict[str, list[str]]:
    """Who looks at which addresses."""
    app = create_app(shown.database.settings)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        assigned: dict[str, list[str]] = {name: [] for name in PEOPLE}
        grants = {name: held_by(email) for name, email in PEOPLE.items()}
        for path, needed in _pages(app):
            name = next((n for n in PEOPLE if _may_open(needed, grants[n], PEOPLE[n])), None)
            assert name, f"nobody of the cast may open {path}"
            assigned[name].append(path)
        close_all_sessions()
        db.engine.dispose()
    assert sum(map(len, assigned.values())) >= FEWEST
    return assigned


def _pages(app: Flask) -> Iterator[tuple[str, Permission | str | None]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or "GET" not in (rule.methods or ()) or not is_known(rule):
            continue
        if rule.rule in ELSEWHERE or (rule.arguments and arguments(rule)[0][0] in TOKENS):
            continue
        sample = sample_of(rule)
        found = sample.find("ACME") if sample else (0, "")
        assert found is not None, f"the demo has nothing for {rule.rule}"
        yield address(app, rule, found[1]), access_of(app, rule.endpoint, "GET")


def _may_open(
    needed: Permission | str | None, grants: frozenset[Permission], email: str | None
) -> bool:
    if needed == "public":
        return email is None
    return email is not None and (needed == "signed-in" or needed in grants)


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_is_fit_for_everybody(
    name: str, looked_at: dict[str, list[str]], browse_as: Callable[..., Visitor]
) -> None:
    visitor = browse_as(PEOPLE[name])
    for path in looked_at[name]:
        if _is_page(visitor.page, visitor.home + path):
            visitor.open(path)
            visitor.examine()


def _is_page(page: Page, url: str) -> bool:
    """Whether an address shows a page to this person; others answer files or lead elsewhere."""
    answer = page.request.get(url, max_redirects=0)
    return answer.status == 200 and "text/html" in answer.headers.get("content-type", "")
