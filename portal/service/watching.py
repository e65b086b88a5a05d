"""The eye on the clocks: a team is warned before a promise breaks, then its manager is told.

What was said already stands in the record as events, so that nobody is told twice, whoever runs
this however often. Nothing about deadlines is stored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Any, Final

import structlog
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.queries import find_supplier
from portal.config import Settings
from portal.db import EVERY_ROW, db, in_pages, reaching, transaction
from portal.events.actions import record
from portal.events.models import Event
from portal.jobs.actions import schedule
from portal.mail.rendering import Envelope, render
from portal.mail.sending import send
from portal.messages.actions import tell
from portal.policy import Role
from portal.service.cases.clocks import read_readings
from portal.service.cases.models import Case, ServiceTeam
from portal.service.cases.queries import get_by_id
from portal.service.cases.recording import find_member_ids
from portal.service.cases.rules import KIND, CaseStatus
from portal.service.clock.queries import Reading
from portal.service.clock.rules import GaugeState
from portal.sms.actions import text_to
from portal.sms.numbers import PhoneError
from portal.web.formats import duration

ALARM_MAIL: Final = "service.alarm-mail"
WATCHED: Final = (CaseStatus.NEW, CaseStatus.OPEN)
"""States in which somebody of the service has to do something."""
WARNS_AT: Final = 5
"""A resolution is warned of when less than this part (a fifth) of its time is left."""

_log = structlog.get_logger(__name__)


@unique
class About(StrEnum):
    """Which promise an alarm is about."""

    ANSWER = "answer"
    RESOLUTION = "resolution"


@unique
class Level(StrEnum):
    """Who is told: the team, then its manager; the value is the verb of the event."""

    WARNED = "case.warned"
    ESCALATED = "case.escalated"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that has to be said about a case; once for what began at ``since``."""

    about: About
    level: Level
    since: datetime
    lasted: timedelta

    @property
    def key(self) -> tuple[str, str, str]:
        """By what it is known that this was said already."""
        return (self.level, self.about, self.since.isoformat())


def alarms_of(reading: Reading) -> list[Alarm]:
    """Return everything that a clock gives reason to say, whether or not it was said already."""
    found: list[Alarm] = []
    if reading.silence is not None:
        since, lasted = reading.silence.since, reading.silence.lasted
        for level, after in (
            (Level.WARNED, reading.targets.warn_after),
            (Level.ESCALATED, reading.targets.escalate_after),
        ):
            if lasted >= after:
                found.append(Alarm(About.ANSWER, level, since, lasted))
    return found + _resolution_alarms(reading)


def _resolution_alarms(reading: Reading) -> list[Alarm]:
    gauge, since = reading.clock.resolution, reading.clock.running_since
    if gauge.target is None or gauge.left is None or since is None:
        return []
    is_broken = gauge.state is GaugeState.BROKEN
    levels = [Level.WARNED] if is_broken or gauge.left * WARNS_AT < gauge.target else []
    levels += [Level.ESCALATED] if is_broken else []
    return [Alarm(About.RESOLUTION, level, since, gauge.used) for level in levels]


def watch_cases(now: datetime) -> int:
    """Say everything that is due about open cases; return how many alarms were given."""
    with reaching(EVERY_ROW):
        cases = _find_watched()
        due = _due(cases, now)
        return sum(_alarm(case_id, now) for case_id in due)


def _find_watched() -> Sequence[Case]:
    statement = (
        select(Case)
        .where(Case.status.in_(WATCHED))
        .options(joinedload(Case.account), joinedload(Case.team))
        .order_by(Case.id)
    )
    return db.session.scalars(statement).all()


def _due(cases: Sequence[Case], now: datetime) -> list[int]:
    """Return the cases about which something is to be said that was not said yet."""
    readings, said = read_readings(cases, now), _said(cases)
    return [
        case.id
        for case in cases
        if any(alarm.key not in said.get(case.id, ()) for alarm in alarms_of(readings[case.id]))
    ]


def _said(cases: Collection[Case]) -> Mapping[int, set[tuple[str, str, str]]]:
    """Return what was said about each case, from the record."""
    found: dict[int, set[tuple[str, str, str]]] = {}
    for page in in_pages(sorted(case.id for case in cases), 5_000):
        rows = db.session.execute(
            select(Event.object_id, Event.verb, Event.data).where(
                Event.account_id.in_(sorted({case.account_id for case in cases})),
                Event.kind == KIND,
                Event.object_id.in_(page),
                Event.verb.in_([level.value for level in Level]),
            )
        )
        for object_id, verb, data in rows:
            key = (verb, str(data.get("about", "")), str(data.get("since", "")))
            found.setdefault(object_id or 0, set()).add(key)
    return found


def _alarm(case_id: int, now: datetime) -> int:
    """Say what is due about one case, with the case locked and everything read anew."""
    with transaction():
        case = get_by_id(case_id, for_update=True)
        if case.status not in WATCHED:
            return 0
        said = _said([case]).get(case_id, set())
        alarms = [
            alarm
            for alarm in alarms_of(read_readings([case], now)[case_id])
            if alarm.key not in said
        ]
        for alarm in alarms:
            _note(case, alarm, now)
            if alarm.level is Level.WARNED:
                _warn_team(case, alarm, now)
            else:
                _tell_manager(case, alarm, now)
    return len(alarms)


def _note(case: Case, alarm: Alarm, now: datetime) -> None:
    """Write the event that remembers; it changes nothing that a form could overwrite."""
    record(
        None,
        alarm.level.value,
        kind=KIND,
        object_id=case.id,
        number=case.number,
        account_id=case.account_id,
        now=now,
        about=alarm.about.value,
        since=alarm.since,
        minutes=_minutes(alarm.lasted),
        team_id=case.team_id,
        status=case.status.value,
        priority=case.priority.value,
    )


def _warn_team(case: Case, alarm: Alarm, now: datetime) -> None:
    """Tell whoever works on the case and the team's members, its address and its phone."""
    members = {*find_member_ids(case.team_id), *filter(None, [case.assignee_id])}
    roles = () if members else (Role.SERVICE_AGENT,)
    tell(
        "case_warned",
        account_id=case.account_id,
        subject=_subject(case, alarm),
        now=now,
        path=_path(case),
        membership_ids=members,
        supplier_roles=roles,
    )
    if case.team is not None and case.team.alarm_email:
        _mail_team(case, case.team, alarm, now)
    if case.team is not None and case.team.alarm_phone:
        _text_team(case, case.team, alarm, now)


def _tell_manager(case: Case, alarm: Alarm, now: datetime) -> None:
    """Tell the team's manager; where there is none, all who can do something."""
    manager = case.team.manager_id if case.team is not None else None
    tell(
        "case_escalated",
        account_id=case.account_id,
        subject=_subject(case, alarm),
        now=now,
        path=_path(case),
        membership_ids=() if manager is None else (manager,),
        supplier_roles=(Role.SERVICE_AGENT,) if manager is None else (),
    )


def _subject(case: Case, alarm: Alarm) -> dict[str, Any]:
    return {
        "number": case.number,
        "subject": case.subject,
        "priority": case.priority.value,
        "account": case.account.name,
        "team": case.team.name if case.team is not None else "",
        "about": alarm.about.value,
        "minutes": _minutes(alarm.lasted),
    }


def _path(case: Case) -> str:
    return f"/service/cases/{case.number}"


def _minutes(lasted: timedelta) -> int:
    return int(lasted.total_seconds()) // 60


def _text_team(case: Case, team: ServiceTeam, alarm: Alarm, now: datetime) -> None:
    try:
        text_to(team.alarm_phone, _text(case, alarm), account_id=case.account_id, now=now)
    except PhoneError as error:
        # The mails still go; a wrong number must not keep anybody from being told.
        _log.warning("alarm phone can't be used", team=team.code, error=str(error))


def _text(case: Case, alarm: Alarm) -> str:
    """Return the text message, in the supplier's language."""
    supplier = find_supplier()
    facts = {
        "number": case.number,
        "account": case.account.name,
        "subject": case.subject,
    }
    with force_locale((supplier.locale if supplier else "en").replace("-", "_")):
        time = duration(_minutes(alarm.lasted))
        if alarm.about is About.ANSWER:
            return _(
                "%(number)s %(account)s: no answer for %(time)s. %(subject)s", time=time, **facts
            )
        return _(
            "%(number)s %(account)s: open for %(time)s, the promised time is nearly over."
            " %(subject)s",
            time=time,
            **facts,
        )


def _mail_team(case: Case, team: ServiceTeam, alarm: Alarm, now: datetime) -> None:
    """Write the job that mails the team's own address, which is no person's."""
    key = f"{case.id}.{alarm.about}.{int(alarm.since.timestamp())}"
    schedule(
        ALARM_MAIL,
        {
            "key": key,
            "team_id": team.id,
            "path": _path(case),
            "data": _subject(case, alarm),
        },
        now=now,
        unique_key=f"{ALARM_MAIL}:{key}",
    )


def mail_alarm(payload: Mapping[str, Any], now: datetime) -> None:
    """Mail a warning to a team's own address, in the supplier's language.

    Raises:
        OSError, smtplib.SMTPException: Not delivered; the job is tried again.
    """
    settings: Settings = current_app.config["SETTINGS"]
    with reaching(EVERY_ROW):
        team = db.session.get(ServiceTeam, payload["team_id"])
        supplier = find_supplier()
        if team is None or not team.alarm_email or supplier is None:
            return
        envelope = Envelope(
            name=team.name,
            email=team.alarm_email,
            locale=supplier.locale.replace("-", "_"),
            sender=settings.mail_from,
            message_id=f"<case_warned.{payload['key']}@{settings.mail_host}>",
            sent_at=now,
        )
        context = dict(payload["data"]) | {
            "receiver": {
                "name": team.name,
                "email": team.alarm_email,
                "locale": supplier.locale,
            },
            "link": settings.base_url.rstrip("/") + payload["path"],
            "time_zone": supplier.time_zone,
        }
        mail = render("case_warned", envelope, context)
    send(mail, smtp_url=settings.smtp_url, folder=settings.mail_dir)
