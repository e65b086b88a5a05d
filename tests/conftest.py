"""Fixtures that every test may ask for; databases.py and stage.py hold what they do."""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Final

import pytest
import time_machine
from flask import Flask
from hypothesis import settings

from portal.db import db
from portal.demo.cast import Cast
from portal.documents.rendering import Renderers
from portal.jobs.actions import forget_pauses
from tests.databases import Content, Database, Kind, Server, Shelf
from tests.instants import NOW
from tests.stage import (
    Counted,
    PortalClient,
    Stages,
    client_of,
    counting,
    plans_kept,
    rolled_back,
    snapshot,
)

SERVER: Final = "PORTAL_TEST_POSTGRESQL"
"""Where a superuser's URL for PostgreSQL stands, for the workers of this run."""

_server = pytest.StashKey[Server]()


settings.register_profile("steady", derandomize=True)
settings.register_profile("searching")
settings.load_profile("steady")
"""A run says the same each time; `pytest --hypothesis-profile=searching` looks for what is new."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        default="sqlite",
        choices=["sqlite", "postgresql", "both"],
        help="the databases on which each database test runs",
    )


def _kinds(config: pytest.Config) -> list[Kind]:
    chosen = config.getoption("--database")
    return list(Kind) if chosen == "both" else [Kind(chosen)]


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if is_worker or Kind.POSTGRESQL not in _kinds(config) or config.option.collectonly:
        return
    if SERVER not in os.environ:
        config.stash[_server] = Server()
        os.environ[SERVER] = config.stash[_server].url


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest proofs begin first: one that began last would run on alone."""
    items.sort(key=_minutes, reverse=True)


def _minutes(item: pytest.Item) -> float:
    """How long a test takes, where it says so: ``@pytest.mark.proof(minutes=9)``."""
    proof = item.get_closest_marker("proof")
    return float(proof.kwargs.get("minutes", 0)) if proof else 0


def pytest_collection_finish() -> None:
    """Spare the collector what every test needs: it took a tenth of the long proofs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_server, None)
    if server is not None:
        server.stop()
        del os.environ[SERVER]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what proofs counted: `record_property("counts", text)` reaches here from any worker."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in getattr(report, "user_properties", ()):
                if name == "counts" and report.when == "call":
                    terminalreporter.write_line(str(text))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        kinds = _kinds(metafunc.config)
        if metafunc.definition.get_closest_marker("any_database"):
            kinds = kinds[:1]
        metafunc.parametrize("database_kind", kinds, ids=str)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: tuple[str, int] | str) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {
            "127.0.0.1",
            "localhost",
            "::1",
        }:
            pytest.fail(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _nothing_is_away() -> None:
    """Let no test wait because a mail server was away in the test before."""
    forget_pauses()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return Shelf(shared, own, os.environ.get(SERVER))


@pytest.fixture(scope="session")
def stages(shelf: Shelf) -> Iterator[Stages]:
    made = Stages(shelf)
    yield made
    made.close()


@pytest.fixture
def app(database_kind: Kind, stages: Stages) -> Iterator[Flask]:
    """The application on an empty schema."""
    flask = stages.app(database_kind, Content.EMPTY)
    with rolled_back(flask):
        yield flask


@pytest.fixture
def world(database_kind: Kind, stages: Stages) -> Iterator[Flask]:
    """The application on the cast, their prices and a small catalogue."""
    flask = stages.app(database_kind, Content.SMALL)
    with rolled_back(flask):
        yield flask


@pytest.fixture
def demo(database_kind: Kind, stages: Stages) -> Iterator[Flask]:
    """The application on the whole demo."""
    flask = stages.app(database_kind, Content.DEMO)
    with rolled_back(flask):
        yield flask


@pytest.fixture
def cast(database_kind: Kind, request: pytest.FixtureRequest) -> Cast:
    """The people; on the demo where the test asks for it, else on the small world."""
    assert database_kind  # asked for by name, so that pytest runs the test once per database
    if "demo" not in request.fixturenames:
        request.getfixturevalue("world")
    return Cast()


def _stage_of(request: pytest.FixtureRequest) -> Flask:
    """The application that the test asks for besides, or an empty one."""
    names = [name for name in ("demo", "world", "app") if name in request.fixturenames]
    if not names and "cast" in request.fixturenames:
        names = ["world"]
    flask: Flask = request.getfixturevalue(names[0] if names else "app")
    return flask


@pytest.fixture
def clock() -> Iterator[None]:
    """Let requests happen at ``now``; time goes on from there."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def client(database_kind: Kind, clock: None, request: pytest.FixtureRequest) -> PortalClient:  # noqa: ARG001
    """A client that nobody has signed in, on whichever application the test uses."""
    return client_of(_stage_of(request))


@pytest.fixture
def still(clock: None) -> Iterator[None]:  # noqa: ARG001 - time stands still where it was
    """Let every request happen at the same moment: no session is noted as used once more."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def plans_last(database_kind: Kind, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG001
    """Let PostgreSQL plan each statement of a long proof once, on whichever application it uses."""
    _stage_of(request)
    with plans_kept(db.session.connection()):
        yield


@pytest.fixture
def each_document_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render a document once, however many people ask for the same one."""
    render, known = Renderers.render, dict[bytes, tuple[bytes, str]]()

    def once(self: Renderers, source: bytes, timeout_seconds: float) -> tuple[bytes, str]:
        if source not in known:
            known[source] = render(self, source, timeout_seconds)
        return known[source]

    monkeypatch.setattr(Renderers, "render", once)


@pytest.fixture
def sign_in(
    database_kind: Kind,  # noqa: ARG001
    clock: None,  # noqa: ARG001
    request: pytest.FixtureRequest,
) -> Callable[..., PortalClient]:
    """``sign_in("e-mail")`` or ``sign_in("e-mail", "ACME - IT")``: a client signed in."""
    return partial(client_of, _stage_of(request))


@pytest.fixture
def count_statements() -> Callable[[], AbstractContextManager[Counted]]:
    return counting


@pytest.fixture
def business_rows() -> Callable[[], dict[str, tuple[int, str]]]:
    return snapshot


@pytest.fixture
def committed(database_kind: Kind, shelf: Shelf) -> Iterator[Database]:
    """A database with the cast, of the test's own: real commits, for several processes."""
    database = shelf.copy(database_kind, Content.SMALL)
    yield database
    shelf.drop(database)
