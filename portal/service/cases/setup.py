"""Setting the service up: saving and removing teams, routing rules and canned answers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from portal.accounts.models import Account
from portal.catalog.models import Category
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.events.actions import record
from portal.policy import Actor, Permission
from portal.service.cases import teams
from portal.service.cases.models import (
    CannedAnswer,
    Case,
    ServiceRule,
    ServiceTeam,
    ServiceTeamMember,
)
from portal.service.cases.rules import LIVE, CaseKind, Priority
from portal.sms.numbers import parse_phone, readable_phone

NEW = 0
"""Version of what does not exist yet."""


class CodeTakenError(ConflictError):
    """Another team has this code."""

    message = N_("There is already a team {code}.")
    field = "code"


class NumberTakenError(ConflictError):
    """Another rule has this number."""

    message = N_("There is already a rule {number}.")
    field = "number"


class NameTakenError(ConflictError):
    """Another canned answer has this name in this language."""

    message = N_("There is already a canned answer “{name}” in this language.")
    field = "name"


class OutdatedError(ConflictError):
    """Somebody saved it since the form was opened."""

    message = N_("Somebody changed this meanwhile. Look at it again and repeat your change.")


class TeamInUseError(ConflictError):
    """A team with live cases or rules can't end."""

    message = N_("Team {code} still has cases or rules. Hand them to another team first.")
    field = "is_active"


class UnknownPlaceError(InvalidError):
    """A rule names an account or category that does not exist."""

    message = N_("There is no “{text}”.")

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text=text)
        self.field = field  # type: ignore[misc]  # two fields of one form can be wrong so


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFacts:
    """What is said about a team."""

    code: str
    name: str
    alarm_email: str = ""
    alarm_phone: str = ""
    manager_id: int | None = None
    calendar_code: str = ""
    is_active: bool = True
    member_ids: Collection[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What is said about a routing rule; what is empty matches everything."""

    number: int
    team_code: str
    kind: CaseKind | None = None
    category_path: str = ""
    account_code: str = ""
    country: str = ""
    priority: Priority | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseFacts:
    """What is said about a canned answer."""

    name: str
    body: str
    locale: str = ""


def save_team(
    actor: Actor, code: str | None, version: int, facts: TeamFacts, *, now: datetime
) -> ServiceTeam:
    """Save a team, or make a new one where ``code`` is ``None``.

    Raises:
        PhoneError: The alarm phone could not ring.
        NotAllowedError, TeamNotFoundError, OutdatedError, CodeTakenError, TeamInUseError.
    """
    actor.must(Permission.SERVICE_SETUP)
    phone = readable_phone(parse_phone(facts.alarm_phone)) if facts.alarm_phone else ""
    with transaction():
        team = ServiceTeam(version=NEW) if code is None else teams.get_team(code, for_update=True)
        _check_version(team.version, version)
        same = db.session.scalar(select(ServiceTeam.id).where(ServiceTeam.code == facts.code))
        if same is not None and same != team.id:
            raise CodeTakenError(code=facts.code)
        if code is not None and not facts.is_active and _is_in_use(team):
            raise TeamInUseError(code=team.code)
        team.code, team.name = facts.code, facts.name
        team.alarm_email, team.alarm_phone = facts.alarm_email, phone
        team.manager_id, team.calendar_code = facts.manager_id, facts.calendar_code
        team.is_active, team.version = facts.is_active, team.version + 1
        db.session.add(team)
        db.session.flush()
        _set_members(team, facts.member_ids)
        _note(actor, "team", "service-team", team.id, team.code, now, members=len(facts.member_ids))
    return team


def _is_in_use(team: ServiceTeam) -> bool:
    cases = select(func.count(Case.id)).where(
        Case.team_id == team.id, Case.status.in_(sorted(LIVE))
    )
    rules = select(func.count(ServiceRule.id)).where(ServiceRule.team_id == team.id)
    return bool(db.session.scalar(cases) or db.session.scalar(rules))


def _set_members(team: ServiceTeam, member_ids: Collection[int]) -> None:
    known = {key for key, _ in teams.find_agents()} & set(member_ids)
    db.session.execute(delete(ServiceTeamMember).where(ServiceTeamMember.team_id == team.id))
    db.session.add_all(
        ServiceTeamMember(team_id=team.id, membership_id=key) for key in sorted(known)
    )
    db.session.flush()
    db.session.expire(team, ["members"])


def save_rule(
    actor: Actor, number: int | None, version: int, facts: RuleFacts, *, now: datetime
) -> ServiceRule:
    """Save a routing rule, or make a new one where ``number`` is ``None``.

    Raises:
        NotAllowedError, RuleNotFoundError, TeamNotFoundError, OutdatedError, NumberTakenError,
        UnknownPlaceError.
    """
    actor.must(Permission.SERVICE_SETUP)
    with transaction():
        rule = (
            ServiceRule(version=NEW) if number is None else teams.get_rule(number, for_update=True)
        )
        _check_version(rule.version, version)
        same = db.session.scalar(select(ServiceRule.id).where(ServiceRule.number == facts.number))
        if same is not None and same != rule.id:
            raise NumberTakenError(number=facts.number)
        rule.number, rule.kind, rule.priority = facts.number, facts.kind, facts.priority
        rule.team_id = teams.get_team(facts.team_code).id
        rule.account_id = _account_id(facts.account_code)
        rule.category_path, rule.country = _path(facts.category_path), facts.country.upper()
        rule.version += 1
        db.session.add(rule)
        db.session.flush()
        _note(actor, "rule", "service-rule", rule.id, str(rule.number), now, team_id=rule.team_id)
    return rule


def remove_rule(actor: Actor, number: int, *, now: datetime) -> None:
    """Remove a routing rule; cases that it routed stay where they are.

    Raises:
        NotAllowedError, RuleNotFoundError.
    """
    actor.must(Permission.SERVICE_SETUP)
    with transaction():
        rule = teams.get_rule(number, for_update=True)
        _note(actor, "rule-removed", "service-rule", rule.id, str(number), now)
        db.session.delete(rule)


def save_phrase(
    actor: Actor, phrase_id: int | None, version: int, facts: PhraseFacts, *, now: datetime
) -> CannedAnswer:
    """Save a canned answer, or make a new one where ``phrase_id`` is ``None``.

    Raises:
        NotAllowedError, PhraseNotFoundError, OutdatedError, NameTakenError.
    """
    actor.must(Permission.SERVICE_SETUP)
    with transaction():
        phrase = (
            CannedAnswer(version=NEW)
            if phrase_id is None
            else teams.get_phrase(phrase_id, for_update=True)
        )
        _check_version(phrase.version, version)
        same = db.session.scalar(
            select(CannedAnswer.id).where(
                CannedAnswer.name == facts.name, CannedAnswer.locale == facts.locale
            )
        )
        if same is not None and same != phrase.id:
            raise NameTakenError(name=facts.name)
        phrase.name, phrase.body, phrase.locale = facts.name, facts.body, facts.locale
        phrase.version += 1
        db.session.add(phrase)
        db.session.flush()
        _note(actor, "phrase", "canned-answer", phrase.id, "", now)
    return phrase


def remove_phrase(actor: Actor, phrase_id: int, *, now: datetime) -> None:
    """Remove a canned answer; what was said with it stays said.

    Raises:
        NotAllowedError, PhraseNotFoundError.
    """
    actor.must(Permission.SERVICE_SETUP)
    with transaction():
        phrase = teams.get_phrase(phrase_id, for_update=True)
        _note(actor, "phrase-removed", "canned-answer", phrase.id, "", now)
        db.session.delete(phrase)


def _check_version(stored: int, seen: int) -> None:
    if stored != seen:
        raise OutdatedError


def _account_id(code: str) -> int | None:
    if not code:
        return None
    found = db.session.scalar(
        select(Account.id).where(Account.code == code, Account.kind == "customer")
    )
    if found is None:
        raise UnknownPlaceError("account", code)
    return found


def _path(path: str) -> str:
    if path and db.session.scalar(select(Category.id).where(Category.path == path)) is None:
        raise UnknownPlaceError("category", path)
    return path


def _note(
    actor: Actor,
    what: str,
    kind: str,
    object_id: int,
    number: str,
    now: datetime,
    **data: object,
) -> None:
    record(
        actor,
        f"service.{what}" if "removed" in what else f"service.{what}-saved",
        kind=kind,
        object_id=object_id,
        number=number,
        account_id=actor.account_id,
        now=now,
        **data,
    )
