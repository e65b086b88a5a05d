"""Alarms: who is told that a promise is about to break, when, and never twice."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from portal.config import Settings
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.jobs.actions import run_next
from portal.jobs.models import Job
from portal.service.cases.actions import Then, reply
from portal.service.cases.models import Case, ServiceRule, ServiceTeam
from portal.service.cases.rules import Priority
from portal.service.cases.setup import NEW, RuleFacts, TeamFacts, save_rule, save_team
from portal.service.watching import watch_cases
from portal.sms.models import TextMessage
from portal.sms.numbers import PhoneError
from tests.service.desk import BusinessRows, OpenCase
from tests.stage import Counted

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""Nine in Berlin, where the calendar of the team opens."""


@pytest.fixture
def team(cast: Cast, now: datetime) -> ServiceTeam:
    """One team that gets every case; its manager is the account manager."""
    agent, operator = cast.supplier.service_agent, cast.supplier.service_agent
    with transaction():
        db.session.execute(delete(ServiceRule))
    facts = TeamFacts(
        code="NIGHT",
        name="Night watch",
        alarm_email="alarm@northwind.example",
        alarm_phone="+49 30 901820",
        manager_id=cast.supplier.account_manager.membership_id,
        calendar_code="EUROPE",
        member_ids=[agent.membership_id or 0],
    )
    made = save_team(operator, None, NEW, facts, now=now)
    save_rule(operator, None, NEW, RuleFacts(number=1, team_code="NIGHT"), now=now)
    return made


@pytest.fixture
def box(world: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings: Settings = replace(world.config["SETTINGS"], data_dir=tmp_path)
    monkeypatch.setitem(world.config, "SETTINGS", settings)
    with transaction():
        db.session.execute(update(Job).where(Job.state == "waiting").values(state="done"))
    return tmp_path


def alarms(case: Case) -> list[tuple[str, str]]:
    events = db.session.scalars(
        select(Event)
        .where(Event.kind == "case", Event.object_id == case.id)
        .where(Event.verb.in_(["case.warned", "case.escalated"]))
        .order_by(Event.id)
    )
    return [(event.verb, event.data["about"]) for event in events]


def deliver(box: Path, now: datetime) -> dict[str, list[EmailMessage]]:
    """Send what waits; return the alarm mails by receiver."""
    while run_next(now):
        pass
    found: dict[str, list[EmailMessage]] = {}
    for path in sorted((box / "mail").glob("*.eml")):
        mail: Any = message_from_bytes(path.read_bytes(), policy=policy.default)
        if mail["Message-ID"].startswith(("<case_warned", "<case_escalated")):
            found.setdefault(mail["To"].addresses[0].addr_spec, []).append(mail)
        path.unlink()
    return found


@pytest.mark.usefixtures("team")
def test_a_case_that_nobody_answers_warns_after_twelve_hours_and_escalates_after_twenty_four(
    opened: OpenCase,
) -> None:
    """Nine hours a day: twelve hours end on Tuesday at noon, twenty-four on Wednesday at three."""
    case = opened(at=MONDAY)

    watch_cases(MONDAY + 26 * HOUR + timedelta(minutes=59))
    assert alarms(case) == []
    watch_cases(MONDAY + 27 * HOUR)
    assert alarms(case) == [("case.warned", "answer")]
    watch_cases(MONDAY + 53 * HOUR + timedelta(minutes=59))
    assert len(alarms(case)) == 1
    watch_cases(MONDAY + 54 * HOUR)
    assert alarms(case) == [("case.warned", "answer"), ("case.escalated", "answer")]


@pytest.mark.usefixtures("team")
def test_a_weekend_and_holidays_warn_nobody(opened: OpenCase) -> None:
    """From the 23rd of December in the afternoon there are two hours, three, and then Monday."""
    case = opened(at=datetime(2026, 12, 23, 15, tzinfo=UTC))

    watch_cases(datetime(2026, 12, 28, 14, 59, tzinfo=UTC))
    assert alarms(case) == []
    watch_cases(datetime(2026, 12, 28, 15, tzinfo=UTC))
    assert alarms(case) == [("case.warned", "answer")]


@pytest.mark.usefixtures("team")
def test_nobody_is_told_twice_however_often_it_is_looked(opened: OpenCase, box: Path) -> None:
    opened(at=MONDAY)
    first = MONDAY + 60 * HOUR

    assert watch_cases(first) == 2
    mails = deliver(box, first)
    assert [watch_cases(first + n * HOUR) for n in range(5)] == [0] * 5
    assert deliver(box, first + 5 * HOUR) == {}
    assert {receiver: len(found) for receiver, found in mails.items()} == {
        "service@northwind.example": 1,
        "alarm@northwind.example": 1,
        "manager@northwind.example": 1,
    }


@pytest.mark.usefixtures("team")
def test_the_warning_reaches_members_address_and_phone_and_not_the_manager(
    opened: OpenCase, box: Path
) -> None:
    case = opened(at=MONDAY)
    at = MONDAY + 27 * HOUR

    watch_cases(at)
    mails = deliver(box, at)

    assert set(mails) == {"service@northwind.example", "alarm@northwind.example"}
    mail = mails["alarm@northwind.example"][0]
    body = mail.get_body(("plain",))
    assert body is not None
    assert mail["Subject"] == "Answer due: A lamp · ACME Industrie GmbH"
    assert "for 12 h of business time" in body.get_content()
    assert f"/service/cases/{case.number}" in body.get_content()
    (text,) = db.session.scalars(select(TextMessage)).all()
    assert (text.phone, text.account_id) == ("+4930901820", case.account_id)
    assert text.body == f"{case.number} ACME Industrie GmbH: no answer for 12 h. A lamp"
    assert (box / "sms").is_dir()


@pytest.mark.usefixtures("team")
def test_the_manager_alone_is_told_after_that(opened: OpenCase, box: Path) -> None:
    opened(at=MONDAY)
    watch_cases(MONDAY + 27 * HOUR)
    deliver(box, MONDAY + 27 * HOUR)

    watch_cases(MONDAY + 54 * HOUR)
    mails = deliver(box, MONDAY + 54 * HOUR)

    ((receiver, found),) = mails.items()
    assert receiver == "manager@northwind.example"
    assert found[0]["Subject"] == "Answer overdue: A lamp · ACME Industrie GmbH"


@pytest.mark.usefixtures("team")
def test_who_was_answered_is_no_alarm_and_a_new_question_is_a_new_one(
    cast: Cast, opened: OpenCase
) -> None:
    case = opened(at=MONDAY)
    watch_cases(MONDAY + 27 * HOUR)
    reply(cast.supplier.service_agent, case.number, "Which?", now=MONDAY + 28 * HOUR, then=Then.ASK)

    watch_cases(MONDAY + 60 * HOUR)
    assert alarms(case) == [("case.warned", "answer")]
    reply(cast.acme.buyer, case.number, "The green one.", now=MONDAY + 72 * HOUR)
    watch_cases(MONDAY + 72 * HOUR + 27 * HOUR)
    assert alarms(case) == [("case.warned", "answer")] * 2


@pytest.mark.usefixtures("team")
def test_a_resolution_is_watched_alike(cast: Cast, opened: OpenCase) -> None:
    """Urgent for tier gold: eight hours; a fifth of that is left at half past three."""
    case = opened(at=MONDAY, priority=Priority.URGENT)
    reply(cast.supplier.service_agent, case.number, "We are on it.", now=MONDAY + HOUR / 2)

    watch_cases(MONDAY + timedelta(hours=6, minutes=24))
    assert alarms(case) == []
    watch_cases(MONDAY + timedelta(hours=6, minutes=25))
    assert alarms(case) == [("case.warned", "resolution")]
    watch_cases(MONDAY + timedelta(hours=8, minutes=1))
    assert alarms(case) == [("case.warned", "resolution"), ("case.escalated", "resolution")]


@pytest.mark.usefixtures("team")
def test_a_clock_that_pauses_alarms_nobody(cast: Cast, opened: OpenCase) -> None:
    case = opened(at=MONDAY, priority=Priority.URGENT)
    reply(cast.supplier.service_agent, case.number, "Which?", now=MONDAY + HOUR / 2, then=Then.ASK)

    watch_cases(MONDAY + timedelta(days=30))

    assert alarms(case) == []


def test_without_team_manager_or_phone_the_agents_are_told(
    cast: Cast, opened: OpenCase, box: Path
) -> None:
    with transaction():
        db.session.execute(delete(ServiceRule))
    case = opened(at=MONDAY)
    assert (case.team_id, cast.acme.account_id) == (None, case.account_id)

    watch_cases(MONDAY + 60 * HOUR)

    assert set(deliver(box, MONDAY + 60 * HOUR)) == {"service@northwind.example"}
    assert db.session.scalars(select(TextMessage)).all() == []


def test_a_phone_that_can_not_ring_is_refused_when_it_is_entered(
    cast: Cast, now: datetime, business_rows: BusinessRows
) -> None:
    before = business_rows()
    facts = TeamFacts(code="DEAF", name="Deaf", alarm_phone="ring me")

    with pytest.raises(PhoneError, match="“ring me” is no telephone number"):
        save_team(cast.supplier.service_agent, None, NEW, facts, now=now)

    assert business_rows() == before


def test_a_phone_that_can_not_ring_keeps_no_mail_back(
    team: ServiceTeam, opened: OpenCase, box: Path
) -> None:
    with transaction():
        db.session.execute(
            update(ServiceTeam).where(ServiceTeam.id == team.id).values(alarm_phone="ring me")
        )
    opened(at=MONDAY)

    watch_cases(MONDAY + 27 * HOUR)

    assert "service@northwind.example" in deliver(box, MONDAY + 27 * HOUR)
    assert db.session.scalars(select(TextMessage)).all() == []


@pytest.mark.usefixtures("team")
def test_looking_over_many_cases_costs_what_one_costs(
    opened: OpenCase, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    def look() -> int:
        db.session.expire_all()
        with count_statements() as counted:
            assert watch_cases(MONDAY + HOUR) == 0
        return counted.total

    opened(at=MONDAY)
    one = look()
    for _more in range(6):
        opened(at=MONDAY)

    assert look() == one <= 6
