"""Measure the pages of the demo in one process: what a page costs, without network and browser.

Loads the demo into a folder that is thrown away, asks for each page again and again, prints the
median and the slowest twentieth in milliseconds, and the number of statements.
"""

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from portal.accounts.models import Membership, Person
from portal.accounts.sessions import open_session
from portal.app import create_app
from portal.config import load_settings
from portal.db import EVERY_ROW, db, set_row_scope
from portal.demo.story import load_demo
from portal.migrations.running import upgrade
from portal.web.identity import SESSION_COOKIE

ROUNDS = 40
BUYER = "buyer@acme.example"
PAGES = ("/", "/catalog", "/catalog?q=laptop", "/quotes", "/orders", "/approvals")


def main() -> None:
    """Load, warm up, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {
                "PORTAL_DATABASE_URL": os.environ.get("PORTAL_BENCH_DATABASE_URL", ""),
                "PORTAL_DATA_DIR": str(Path(folder)),
                "PORTAL_DEMO": "1",
            }
        )
        upgrade(settings.owner_database_url)
        app = create_app(settings)
        with app.app_context():
            set_row_scope(EVERY_ROW)
            load_demo(datetime.now(UTC))
            found = db.session.execute(
                select(Person.id, Membership.id).join(Membership).where(Person.email == BUYER)
            ).first()
            assert found is not None  # noqa: S101 - the demo always has its buyer
            token = open_session(found[0], found[1], datetime.now(UTC))
        client = app.test_client()
        client.set_cookie(SESSION_COOKIE, token)
        print(f"{'page':28} {'median ms':>10} {'p95 ms':>8} {'statements':>11}")
        for page in PAGES:
            measure(client, page)


def measure(client: FlaskClient, page: str) -> None:
    """Ask for one page `ROUNDS` times."""
    with counted() as statements:
        status = client.get(page).status_code
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        client.get(page)
        times.append((time.perf_counter() - began) * 1000)
    slow = statistics.quantiles(times, n=20)[-1]
    line = f"{page:28} {statistics.median(times):10.1f} {slow:8.1f} {len(statements):11}"
    print(line if status == 200 else f"{line}  answered {status}")  # noqa: PLR2004


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements of a block."""
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


if __name__ == "__main__":
    main()
