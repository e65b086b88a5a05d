"""A database of its own with real commits, people who are signed in, and quotes to work on."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg
import pysqlite3
from sqlalchemy import Engine, create_engine, make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from portal.accounts.models import Address
from portal.accounts.queries import load_operator
from portal.accounts.sessions import open_session
from portal.approvals.actions import decide
from portal.approvals.models import ApprovalRun
from portal.approvals.policy_import import import_policy_file
from portal.approvals.rules import Answer
from portal.db import db
from portal.demo.cast import Cast
from portal.demo.story import load_small
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits
from portal.quotes.models import Quote
from portal.web.identity import SESSION_COOKIE
from tests.databases import APP, Content, Database, Kind, Server, Shelf
from tests.stage import opened

PIECES: Final = 1_000_000
SKU: Final = "MS-0002"
_POLICY: Final = {
    "account_code": "ACME",
    "signing_limits": "off",
    "rules": [
        {
            "number": 1,
            "name": "Everything",
            "when": {},
            "steps": [
                {"level": 1, "approvers": {"persons": ["approver@acme.example"]}, "quorum": "all"}
            ],
        }
    ],
}


class OwnServer(Server):
    """A PostgreSQL whose processes may be killed: it keeps what it has acknowledged.

    It waits for no disk: the system, which holds what was written, does not die with it.
    """

    def __init__(self) -> None:
        super().__init__()
        with psycopg.connect(self._plain_url(), autocommit=True) as connection:
            for setting in ("synchronous_commit", "full_page_writes"):
                connection.execute(f"alter system reset {setting}")
            connection.execute("alter system set restart_after_crash = on")
            connection.execute("select pg_reload_conf()")

    def _plain_url(self) -> str:
        return self.url.replace("+psycopg", "")

    def backends(self) -> list[tuple[int, str]]:
        """Return the processes that serve the application, each with what it did last."""
        with psycopg.connect(self._plain_url(), autocommit=True) as connection:
            return connection.execute(
                "select pid, query from pg_stat_activity where usename = %s order by pid", (APP,)
            ).fetchall()

    def set(self, **settings: str) -> None:
        """Change settings for everybody, from their next statement on."""
        with psycopg.connect(self._plain_url(), autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"alter system set {name} = {value}".encode())
            connection.execute("select pg_reload_conf()")

    def restart_after_kill(self) -> None:
        """Kill the process that all others are children of, and start it as a supervisor does."""
        file = self.folder / "data" / "postmaster.pid"
        pid = int(file.read_text().split(maxsplit=1)[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.1)
            with suppress(subprocess.SubprocessError):  # its children are still leaving
                if not Path(f"/proc/{pid}").exists():
                    self.server.ensure_postgres_running()
                    return
        message = "PostgreSQL does not start again"
        raise TimeoutError(message)


@dataclass
class Town:
    """What the proofs of one database work with."""

    database: Database
    server: OwnServer | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._engine = _reader(self.database, self.server)

    def rows(self, statement: str, **values: object) -> Sequence[Any]:
        """Return what a statement finds, past every wall; waits for a database that is away."""
        while True:
            try:
                with self._engine.connect() as connection:
                    return connection.execute(text(statement), values).all()
            except DBAPIError as error:
                if not isinstance(error, OperationalError) or self.server is None:
                    raise
                time.sleep(0.05)

    def execute(self, statement: str) -> None:
        """Change the database itself, past every wall."""
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    def leave_no_work(self) -> None:
        """Take back the jobs that an earlier proof left, so that a worker meets only new ones."""
        self.execute("update job set state = 'cancelled' where state in ('waiting', 'running')")

    def orderable(self) -> str:
        """Return an approved quote from which any number of pieces can be ordered."""
        with opened(self.database):
            buyer, approver = Cast().acme.buyer, Cast().acme.approver
            quote = self._draft(buyer, PIECES)
            quotes.submit_quote(buyer, quote.number, quote.version, {}, datetime.now(UTC))
            run = db.session.scalars(select(ApprovalRun).order_by(ApprovalRun.id.desc())).first()
            assert run is not None
            key, content = run.id, run.content_hash
            decide(approver, key, Answer.APPROVE, "", content, datetime.now(UTC))
            return quote.number

    def drafts(self, count: int) -> list[str]:
        """Return the numbers of drafts that can be submitted."""
        with opened(self.database):
            buyer = Cast().acme.buyer
            return [self._draft(buyer, 2).number for _ in range(count)]

    def _draft(self, buyer: Actor, pieces: int) -> Quote:
        at = datetime.now(UTC)
        quote = quotes.create_quote(buyer, at)
        quote = quotes.add_lines(buyer, quote.number, [(SKU, Decimal(pieces), None)], at)
        ship_to = db.session.scalar(
            select(Address.id).where(Address.account_id == buyer.account_id, Address.kind == "ship")
        )
        edits = DraftEdits(ship_to_address_id=ship_to)
        return quotes.save_draft(buyer, quote.number, quote.version, edits, at)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _reader(database: Database, server: OwnServer | None) -> Engine:
    if server is None:
        return create_engine(database.url, module=pysqlite3, poolclass=NullPool)
    name = make_url(database.url).database
    url = make_url(server.url).set(database=name)
    return create_engine(url, poolclass=NullPool)


@contextmanager
def founded(kind: Kind, cluster: type[OwnServer] = OwnServer) -> Iterator[Town]:
    """Make a town by the real clock, on a database (and for PostgreSQL a cluster) of its own."""
    folder = Path(tempfile.mkdtemp(prefix="portal-faults-"))
    server = cluster() if kind is Kind.POSTGRESQL else None
    try:
        shelf = Shelf(folder, folder, server.url if server else None)
        town = Town(shelf.copy(kind, Content.EMPTY), server)
        _settle(town)
        yield town
        town.close()
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _settle(town: Town) -> None:
    at = datetime.now(UTC)
    with opened(town.database):
        load_small(at)
        operator = load_operator("proof", "UTC")
        report = import_policy_file(operator, json.dumps(_POLICY), at)
        assert report.refused == ()
        acme = Cast().acme
        for name, actor in (("buyer", acme.buyer), ("approver", acme.approver)):
            assert actor.person_id is not None
            token = open_session(actor.person_id, actor.membership_id, at)
            town.cookies[name] = f"{SESSION_COOKIE}={token}"
