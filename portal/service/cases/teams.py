"""Reading the service's own set-up: teams, agents, the rules that route, phrases to insert."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account, Membership, MembershipRole, Person
from portal.db import db, lock
from portal.errors import N_, NotFoundError
from portal.permissions import GRANTS, Permission
from portal.service.cases.models import (
    CannedAnswer,
    ServiceRule,
    ServiceTeam,
)

WORKS = tuple(role.value for role, grants in GRANTS.items() if Permission.CASE_WORK in grants)
"""Roles whose holders work on cases."""


class TeamNotFoundError(NotFoundError):
    """No such team."""

    message = N_("There is no team {code}.")


class RuleNotFoundError(NotFoundError):
    """No such rule."""

    message = N_("There is no routing rule {number}.")


class PhraseNotFoundError(NotFoundError):
    """No such phrase."""

    message = N_("There is no such canned answer.")


def find_teams(*, with_ended: bool = False) -> Sequence[ServiceTeam]:
    """Return the teams with their members, by name."""
    statement = select(ServiceTeam).options(selectinload(ServiceTeam.members))
    if not with_ended:
        statement = statement.where(ServiceTeam.is_active)
    return db.session.scalars(statement.order_by(ServiceTeam.name, ServiceTeam.id)).all()


def get_team(code: str, *, for_update: bool = False) -> ServiceTeam:
    """Return one team with its members.

    Raises:
        TeamNotFoundError: There is none with this code.
    """
    statement = select(ServiceTeam).where(ServiceTeam.code == code)
    if for_update:
        statement = lock(statement)
    team = db.session.scalar(statement.options(selectinload(ServiceTeam.members)))
    if team is None:
        raise TeamNotFoundError(code=code)
    return team


def find_agents() -> Sequence[tuple[int, str]]:
    """Return (membership id, name) of everybody who may work on cases, by name."""
    statement = (
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .join(Account, Account.id == Membership.account_id)
        .join(MembershipRole, MembershipRole.membership_id == Membership.id)
        .where(
            Account.kind == "supplier",
            MembershipRole.role.in_(WORKS),
            Membership.status == "active",
            Person.status != "suspended",
        )
        .distinct()
        .order_by(Person.name, Membership.id)
    )
    return [(key, name) for key, name in db.session.execute(statement)]


def find_staff() -> Sequence[tuple[int, str]]:
    """Return (membership id, name) of all supplier staff, by name: a manager may be any of them."""
    statement = (
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .join(Account, Account.id == Membership.account_id)
        .where(Account.kind == "supplier", Membership.status == "active")
        .order_by(Person.name, Membership.id)
    )
    return [(key, name) for key, name in db.session.execute(statement)]


def find_rules() -> Sequence[ServiceRule]:
    """Return the routing rules with team and account, by number."""
    statement = (
        select(ServiceRule)
        .options(joinedload(ServiceRule.team), joinedload(ServiceRule.account))
        .order_by(ServiceRule.number)
    )
    return db.session.scalars(statement).all()


def get_rule(number: int, *, for_update: bool = False) -> ServiceRule:
    """Return one rule with its team and account.

    Raises:
        RuleNotFoundError: There is none with this number.
    """
    statement = select(ServiceRule).where(ServiceRule.number == number)
    if for_update:
        statement = lock(statement)
    rule = db.session.scalar(
        statement.options(selectinload(ServiceRule.team), selectinload(ServiceRule.account))
    )
    if rule is None:
        raise RuleNotFoundError(number=number)
    return rule


def find_phrases(locale: str | None = None) -> Sequence[CannedAnswer]:
    """Return the canned answers, by name; those for one language and for every one alone."""
    statement = select(CannedAnswer).order_by(CannedAnswer.name, CannedAnswer.locale)
    if locale is not None:
        statement = statement.where(CannedAnswer.locale.in_(["", locale]))
    return db.session.scalars(statement).all()


def get_phrase(phrase_id: int, *, for_update: bool = False) -> CannedAnswer:
    """Return one canned answer.

    Raises:
        PhraseNotFoundError: There is none.
    """
    statement = select(CannedAnswer).where(CannedAnswer.id == phrase_id)
    phrase = db.session.scalar(lock(statement) if for_update else statement)
    if phrase is None:
        raise PhraseNotFoundError
    return phrase
