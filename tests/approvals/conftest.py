"""An account with a buyer and three approvers, and what its subjects are told."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask

from portal.approvals import running
from portal.approvals.actions import on_outcome
from tests.approvals.office import Office, Told, always, by, open_office


@pytest.fixture
def told() -> Iterator[Told]:
    before = dict(running.PLUGS)
    told = Told([])
    on_outcome("quote", told.settle)
    yield told
    running.PLUGS.clear()
    running.PLUGS.update(before)


@pytest.fixture
def acme(app: Flask, now: datetime, told: Told) -> Office:  # noqa: ARG001 - the empty schema
    """ACME: Mina buys; Kim and then Lee approve; Sam administers."""
    assert told.outcomes == []
    office = open_office()
    office.hire("lee", "approver")
    office.hire("kim", "approver", manager="lee")
    office.hire("mina", "buyer", manager="kim", limit=None)
    office.hire("sam", "site-administrator", limit=None)
    office.set_policy(now, always(10, by("kim")), always(20, by("lee", level=2)))
    return office
