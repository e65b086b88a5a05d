"""kill -9 amid an import: all of the file or none of it, and the same file again completes it."""

import socket
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from portal.accounts.queries import load_operator
from portal.db import EVERY_ROW, set_row_scope
from portal.files.importing import Mode, run_import
from portal.files.reading import read_table
from portal.reports.rate_import import EXCHANGE_RATES
from tests.proofs.faults.nursery import Nursery
from tests.proofs.faults.points import Death, Point
from tests.proofs.faults.town import Town

pytestmark = pytest.mark.proof

ROWS = 200
SIGKILL = 9


def take_in(app: Flask, _listener: socket.socket, content: bytes, *deaths: Death) -> None:
    """Import exchange rates, as the page and the command line do."""
    for death in deaths:
        death(app)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        report = run_import(
            EXCHANGE_RATES,
            read_table(content, "rates.csv"),
            actor=load_operator("proof", "UTC"),
            mode=Mode.UPDATE,
            now=datetime.now(UTC),
            zone=ZoneInfo("UTC"),
        )
        assert not report.refused, report.refused[:3]


def rates_of(year: int) -> bytes:
    lines = [f"USD,EUR,0.9{n:03d},{year + n // 28}-01-{n % 28 + 1:02d}" for n in range(ROWS)]
    return "\n".join(["from_currency,to_currency,rate,valid_from", *lines]).encode()


def count(town: Town) -> int:
    return int(town.rows("select count(*) from exchange_rate")[0][0])


def test_an_import_is_there_whole_or_not_at_all(town: Town, nursery: Nursery) -> None:
    content, before = rates_of(1990), count(town)
    for point in (Point.AMID_STATEMENTS, Point.BEFORE_COMMIT):
        child = nursery.start(take_in, content, Death(point, 1))
        assert nursery.wait(child) == SIGKILL, nursery.said(child)
        assert count(town) == before, point

    child = nursery.start(take_in, content, Death(Point.AFTER_COMMIT, 1))
    assert nursery.wait(child) == SIGKILL, nursery.said(child)
    assert count(town) == before + ROWS

    child = nursery.start(take_in, content)
    assert nursery.wait(child) == 0, nursery.said(child)
    assert count(town) == before + ROWS
