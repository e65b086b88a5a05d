"""Fixtures for journeys: a server with the demo, and people with browsers."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.databases import Content, Kind, Shelf
from tests.stories.browsing import ARGUMENTS, CHROMIUM, Look, Server, Visitor


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=15_000)  # as long as for everything else: machines may be busy
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared_servers(shelf: Shelf) -> Iterator[dict[Kind, Server]]:
    """One server per database for everything that only looks."""
    servers: dict[Kind, Server] = {}
    yield servers
    for server in servers.values():
        server.stop()
        shelf.drop(server.database)


@pytest.fixture
def shown(database_kind: Kind, shelf: Shelf, shared_servers: dict[Kind, Server]) -> Server:
    """A server with the demo that other tests use as well: only for looking."""
    if database_kind not in shared_servers:
        server = Server(shelf.copy(database_kind, Content.LIVE))
        shared_servers[database_kind] = server.__enter__()
    return shared_servers[database_kind]


@pytest.fixture
def portal(database_kind: Kind, shelf: Shelf) -> Iterator[Server]:
    """A server with the demo, of this story alone."""
    database = shelf.copy(database_kind, Content.LIVE)
    with Server(database) as server:
        yield server
    shelf.drop(database)


@pytest.fixture
def browse_as(
    database_kind: Kind,  # noqa: ARG001 - so that pytest runs the story once per database
    browser: Browser,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Visitor]]:
    """``browse_as("e-mail", "ACME - IT", Look(width=390))``: somebody signed in, in a browser.

    With no e-mail nobody is signed in. Whatever a page does wrong meanwhile fails the test.
    """
    server: Server = request.getfixturevalue(
        "portal" if "portal" in request.fixturenames else "shown"
    )
    visitors: list[Visitor] = []

    def enter(
        email: str | None = None, membership: str | None = None, look: Look | None = None
    ) -> Visitor:
        visitor = Visitor(browser, server.url, look or Look())
        visitors.append(visitor)
        if email is not None:
            visitor.sign_in(email, membership)
        return visitor

    yield enter
    for visitor in visitors:
        visitor.leave()
