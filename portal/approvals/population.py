"""What routes are made of: everybody of an account, and its policies in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from portal.accounts.models import CostCentre, Membership, MembershipRole, Person, Unit
from portal.approvals.models import ApprovalPolicy
from portal.approvals.people import Member, People
from portal.approvals.policy_file import read_policy
from portal.approvals.rules import Policy
from portal.db import KEPT, db

_MEMBER: Final = "member"
_UNIT: Final = "unit"
_CENTRE: Final = "centre"
_POLICY: Final = "policy"
"""What a row of everybody and everything that routes are made of is about."""


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The policy of a unit, or of the account, as rules judge by it, and where it is kept."""

    id: int
    policy: Policy


Judges = tuple[People, PolicyInForce | None]
"""Everybody of an account, and the policy of one of its units where one is in force."""


def load_people(account_id: int) -> People:
    """Return everybody of an account with units and cost centre owners, in one statement."""
    return _read(db.session.execute(_population(), {"account": account_id}))[0]


def load_judges(account_id: int, unit_id: int | None, now: datetime) -> Judges:
    """Return everybody of an account, and the policy of one of its units, in one statement.

    It is the policy in force of the unit or of the nearest above; it replaces those above whole.
    """
    asked = {"account": account_id, "now": now}
    return make_judges(db.session.execute(select_judges(), asked), unit_id)


def make_judges(rows: Iterable[Sequence[Any]], unit_id: int | None) -> Judges:
    """Return the judges of a unit that `select_judges` found."""
    people, policies = _read(rows)
    units = people.units_upwards(unit_id)
    found = next((policies[unit] for unit in units if unit in policies), None)
    return people, None if found is None else PolicyInForce(found[0], read_policy(found[1]))


def _read(
    rows: Iterable[Any],
) -> tuple[People, Mapping[int | None, tuple[int, dict[str, Any]]]]:
    policies: dict[int | None, tuple[int, dict[str, Any]]] = {}
    members: list[Member] = []
    parents: dict[int, int | None] = {}
    owners: dict[str, int | None] = {}
    for kind, *columns, document in rows:
        if kind == _MEMBER:
            members.append(_member(*columns))
        elif kind == _UNIT:
            parents[columns[0]] = columns[1]
        elif kind == _CENTRE:
            owners[columns[-2]] = columns[1]
        else:
            policies[columns[1]] = columns[0], document
    members.sort(key=lambda member: member.membership_id)
    return People(members, parents, owners), policies


@cache
def _population() -> CompoundSelect[Any]:
    return union_all(*_parts())


@cache
def select_judges() -> CompoundSelect[*tuple[Any, ...]]:
    """Select everybody of an account, and its policies in force."""
    account: BindParameter[int] = bindparam("account")
    now: BindParameter[datetime] = bindparam("now", type_=ApprovalPolicy.valid_from.type)
    newest = _newest(account, now)
    policies = (
        select(
            literal(_POLICY),
            ApprovalPolicy.id,
            ApprovalPolicy.unit_id,
            *[null()] * 8,
            ApprovalPolicy.document,
        )
        .join(newest, _is_newest(newest))
        .where(ApprovalPolicy.account_id == account)
    )
    return union_all(*_parts(), policies)


def _parts() -> tuple[Select[*tuple[Any, ...]], ...]:
    """Select members, units and cost centres of an account; what a row has none of is null."""
    account: BindParameter[int] = bindparam("account")
    none = cast(null(), ApprovalPolicy.document.type)
    roles = select(func.aggregate_strings(MembershipRole.role, ",")).where(
        MembershipRole.membership_id == Membership.id
    )
    # Invited people count: they are asked by mail, and sign in by their invitation.
    is_active = and_(Membership.status == "active", Person.status != "suspended")
    members = (
        select(
            literal(_MEMBER),
            Membership.id,
            Membership.person_id,
            Membership.unit_id,
            Membership.manager_id,
            Membership.signing_limit,
            Membership.signs_unlimited,
            is_active,
            roles.scalar_subquery(),
            Person.email,
            Person.name,
            none,
        )
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.account_id == account)
        .prefix_with(KEPT, dialect="postgresql")
    )
    nothing = [null()] * 6
    units = select(literal(_UNIT), Unit.id, Unit.parent_id, *nothing, null(), null(), none)
    centres = select(
        literal(_CENTRE),
        CostCentre.id,
        CostCentre.owner_person_id,
        *nothing,
        CostCentre.code,
        null(),
        none,
    )
    return (
        members,
        units.where(Unit.account_id == account),
        centres.where(CostCentre.account_id == account),
    )


def _member(  # noqa: PLR0913, PLR0917 - a row of the above
    membership_id: int,
    person_id: int,
    unit_id: int | None,
    manager_id: int | None,
    signing_limit: Decimal | None,
    unlimited: bool,  # noqa: FBT001 - as above
    is_active: bool,  # noqa: FBT001 - as above
    roles: str | None,
    email: str,
    name: str,
) -> Member:
    return Member(
        membership_id=membership_id,
        person_id=person_id,
        email=email,
        name=name,
        unit_id=unit_id,
        roles=frozenset(roles.split(",") if roles else ()),
        signing_limit=signing_limit,
        unlimited=bool(unlimited),
        manager_id=manager_id,
        is_active=bool(is_active),
    )


def find_policies(account_id: int, now: datetime) -> Sequence[ApprovalPolicy]:
    """Return the version in force of each policy of an account, the account's own first."""
    newest = _newest(account_id, now)
    statement = (
        select(ApprovalPolicy)
        .join(newest, _is_newest(newest))
        .where(ApprovalPolicy.account_id == account_id)
        .order_by(ApprovalPolicy.unit_key)
    )
    return db.session.scalars(statement).all()


def _newest(
    account_id: int | BindParameter[int], now: datetime | BindParameter[datetime]
) -> Subquery:
    """Select the last version of each policy that is in force."""
    return (
        select(ApprovalPolicy.unit_key, func.max(ApprovalPolicy.version).label("version"))
        .where(ApprovalPolicy.account_id == account_id, ApprovalPolicy.valid_from <= now)
        .group_by(ApprovalPolicy.unit_key)
        .subquery()
    )


def _is_newest(newest: Subquery) -> ColumnElement[bool]:
    return and_(
        newest.c.unit_key == ApprovalPolicy.unit_key, newest.c.version == ApprovalPolicy.version
    )


def find_versions(account_id: int, unit_id: int | None) -> Sequence[ApprovalPolicy]:
    """Return every version of one policy, the newest first."""
    statement = (
        select(ApprovalPolicy)
        .where(ApprovalPolicy.account_id == account_id, ApprovalPolicy.unit_key == (unit_id or 0))
        .order_by(ApprovalPolicy.version.desc())
    )
    return db.session.scalars(statement).all()
