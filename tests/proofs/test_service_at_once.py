"""Two workers look into the same mailbox and at the same clocks: each mail and alarm comes once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select

from portal.accounts.queries import load_actor
from portal.db import EVERY_ROW, db, set_row_scope, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.service import watching
from portal.service.cases.actions import NewCase, open_case
from portal.service.cases.clocks import read_readings
from portal.service.cases.models import Case, CaseMessage
from portal.service.cases.queries import get_by_id
from portal.service.cases.rules import CaseKind
from portal.service.mailbox import fetch_mail
from portal.service.watching import alarms_of, watch_cases
from tests.databases import Database
from tests.instants import NOW
from tests.proofs.race import race
from tests.stage import make_app

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

ROUNDS = 25
CASES = 12
LATER = NOW + timedelta(days=30)


def fetch(folder: str) -> int:
    settings = current_app.config["SETTINGS"]
    current_app.config["SETTINGS"] = replace(settings, mailbox=folder)
    return fetch_mail(NOW)


def open_unguarded(membership_id: int) -> str:
    """Take a mail without asking whether it came before."""
    actor = load_actor(membership_id)
    assert actor is not None
    said = NewCase(kind=CaseKind.QUESTION, subject="A lamp", text="It blinks.")
    return open_case(actor, said, now=NOW).number


def watch(at: datetime) -> int:
    return watch_cases(at)


def watch_unguarded(at: datetime) -> int:
    """Read what was said, then say it: without the lock and the second look."""
    cases = watching._find_watched()  # noqa: SLF001 - the pieces, put together wrongly
    readings, due = read_readings(cases, at), watching._due(cases, at)  # noqa: SLF001
    alarms = {case_id: alarms_of(readings[case_id]) for case_id in due}
    for case_id, found in alarms.items():
        with transaction():
            for alarm in found:
                watching._note(get_by_id(case_id), alarm, at)  # noqa: SLF001
    return len(due)


def mail(number: int) -> bytes:
    made = EmailMessage()
    made["From"], made["Subject"] = "buyer@acme.example", "A lamp"
    made["Message-ID"] = f"<{number}@acme.example>"
    made.set_content("It blinks.")
    return bytes(made)


@pytest.fixture
def house(committed: Database) -> Iterator[Flask]:
    """An application on the database of the race, which leaves no connection behind."""
    app = make_app(committed)
    yield app
    with app.app_context():
        db.engine.dispose()


def open_cases(house: Flask, count: int) -> None:
    with house.app_context():
        set_row_scope(EVERY_ROW)
        buyer = Cast().acme.buyer
        for _number in range(count):
            open_case(buyer, NewCase(kind=CaseKind.QUESTION, subject="A", text="B"), now=NOW)


def counted(house: Flask, *tables: type) -> list[int]:
    with house.app_context():
        set_row_scope(EVERY_ROW)
        return [db.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables]


def alarms(house: Flask) -> list[tuple[int, str, str]]:
    with house.app_context():
        set_row_scope(EVERY_ROW)
        events = db.session.scalars(
            select(Event).where(Event.verb.in_([level.value for level in watching.Level]))
        )
        return [(event.object_id or 0, event.verb, event.data["about"]) for event in events]


def test_a_mail_that_two_workers_find_opens_one_case(
    committed: Database, house: Flask, tmp_path: Path
) -> None:
    folders = [tmp_path / str(number) for number in range(ROUNDS)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        (folder / "a.eml").write_bytes(mail(number))

    race(committed, fetch, [[(str(folder),)] * 2 for folder in folders])

    assert counted(house, Case, CaseMessage) == [ROUNDS, ROUNDS]
    assert all((folder / "done" / "a.eml").is_file() for folder in folders)


def test_without_its_id_two_workers_open_two(committed: Database, house: Flask) -> None:
    """The negative control: both do come to write."""
    with house.app_context():
        set_row_scope(EVERY_ROW)
        buyer = Cast().acme.buyer.membership_id

    race(committed, open_unguarded, [[(buyer,)] * 2] * 5)

    assert counted(house, Case) == [10]


def test_an_alarm_that_two_workers_see_is_given_once(committed: Database, house: Flask) -> None:
    open_cases(house, CASES)

    race(committed, watch, [[(LATER,)] * 2] * 3)

    given = alarms(house)
    assert len(given) == len(set(given))
    assert {verb for _, verb, about in given if about == "answer"} == {
        "case.warned",
        "case.escalated",
    }
    assert len([about for _, _, about in given if about == "answer"]) == 2 * CASES


def test_without_the_second_look_alarms_are_given_twice(committed: Database, house: Flask) -> None:
    """The negative control: the workers do meet."""
    open_cases(house, CASES)

    race(committed, watch_unguarded, [[(LATER,)] * 2])

    given = alarms(house)
    assert len(given) > len(set(given))
