"""A town per database, founded once: what dies in it are processes, never its rows."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from flask import Flask

from portal.jobs.actions import run_next
from tests.databases import Kind
from tests.proofs.faults.nursery import Nursery
from tests.proofs.faults.town import Town, founded


@pytest.fixture(scope="session")
def towns() -> Iterator[dict[Kind, tuple[Town, Nursery]]]:
    with ExitStack() as stack:
        yield Founded(stack)


class Founded(dict[Kind, tuple[Town, Nursery]]):
    """Towns with their nurseries, each made when first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        self.stack = stack

    def __missing__(self, kind: Kind) -> tuple[Town, Nursery]:
        town = self.stack.enter_context(founded(kind))
        quote = town.orderable()
        nursery = self.stack.enter_context(
            Nursery(town.database, Warm(quote, town.cookies["buyer"]))
        )
        self[kind] = (town, nursery)
        return self[kind]


class Warm:
    """Does each kind of work once, so that no child compiles templates and statements anew."""

    def __init__(self, quote: str, cookie: str) -> None:
        self.quote, self.cookie = quote, cookie

    def __call__(self, app: Flask) -> None:
        form = {"quantity-1": "1", "purchase_order_number": "warm", "key": "warm"}
        headers = {"Cookie": self.cookie, "Host": "localhost"}
        client = app.test_client()
        answer = client.post(f"/quotes/{self.quote}/convert", data=form, headers=headers)
        assert answer.status_code == 303, answer.text
        with app.app_context():
            while run_next(datetime.now(UTC)):
                pass


@pytest.fixture
def town(database_kind: Kind, towns: dict[Kind, tuple[Town, Nursery]]) -> Town:
    town, _nursery = towns[database_kind]
    town.leave_no_work()
    return town


@pytest.fixture
def nursery(database_kind: Kind, towns: dict[Kind, tuple[Town, Nursery]]) -> Nursery:
    return towns[database_kind][1]
