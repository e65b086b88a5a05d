"""What routes are made of: everybody of an account, and its policies in force."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select

from portal.accounts.models import CostCentre, Membership, MembershipRole, Person, Unit
from portal.approvals.models import ApprovalPolicy
from portal.approvals.people import Member, People
from portal.db import db


def load_people(account_id: int) -> People:
    """Return everybody of an account with units and cost centre owners, in four statements."""
    roles: dict[int, set[str]] = {}
    for membership_id, role in db.session.execute(
        select(MembershipRole.membership_id, MembershipRole.role).where(
            MembershipRole.account_id == account_id
        )
    ):
        roles.setdefault(membership_id, set()).add(role)
    rows = db.session.execute(
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.account_id == account_id)
        .order_by(Membership.id)
    )
    members = [
        _member(membership, person, roles.get(membership.id, ())) for membership, person in rows
    ]
    units = select(Unit.id, Unit.parent_id).where(Unit.account_id == account_id)
    owners = select(CostCentre.code, CostCentre.owner_person_id).where(
        CostCentre.account_id == account_id
    )
    return People(
        members,
        dict(db.session.execute(units).all()),
        dict(db.session.execute(owners).all()),
    )


def _member(membership: Membership, person: Person, roles: Iterable[str]) -> Member:
    return Member(
        membership_id=membership.id,
        person_id=person.id,
        email=person.email,
        name=person.name,
        unit_id=membership.unit_id,
        roles=frozenset(roles),
        signing_limit=membership.signing_limit,
        unlimited=membership.signs_unlimited,
        manager_id=membership.manager_id,
        # Invited people count: they are asked by mail, and sign in by their invitation.
        is_active=membership.status == "active" and person.status != "suspended",
    )


def find_policies(account_id: int, now: datetime) -> Sequence[ApprovalPolicy]:
    """Return the version in force of each policy of an account, the account's own first."""
    newest = (
        select(ApprovalPolicy.unit_key, func.max(ApprovalPolicy.version).label("version"))
        .where(ApprovalPolicy.account_id == account_id, ApprovalPolicy.valid_from <= now)
        .group_by(ApprovalPolicy.unit_key)
        .subquery()
    )
    statement = (
        select(ApprovalPolicy)
        .join(
            newest,
            (newest.c.unit_key == ApprovalPolicy.unit_key)
            & (newest.c.version == ApprovalPolicy.version),
        )
        .where(ApprovalPolicy.account_id == account_id)
        .order_by(ApprovalPolicy.unit_key)
    )
    return db.session.scalars(statement).all()


def policy_for(
    account_id: int, unit_id: int | None, people: People, now: datetime
) -> ApprovalPolicy | None:
    """Return the policy of a unit or of the nearest above; it replaces those above whole."""
    by_unit = {policy.unit_id: policy for policy in find_policies(account_id, now)}
    return next((by_unit[unit] for unit in people.units_upwards(unit_id) if unit in by_unit), None)


def find_versions(account_id: int, unit_id: int | None) -> Sequence[ApprovalPolicy]:
    """Return every version of one policy, the newest first."""
    statement = (
        select(ApprovalPolicy)
        .where(ApprovalPolicy.account_id == account_id, ApprovalPolicy.unit_key == (unit_id or 0))
        .order_by(ApprovalPolicy.version.desc())
    )
    return db.session.scalars(statement).all()
