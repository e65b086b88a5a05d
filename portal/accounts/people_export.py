"""The file of people as it leaves: the columns of its import."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.accounts.cells import plain_amount
from portal.accounts.importing import exported_accounts, rows_of
from portal.accounts.models import (
    AccessGroup,
    Account,
    AccountAssignment,
    Membership,
    MembershipRole,
    Person,
    Unit,
)
from portal.db import db
from portal.files.parsing import UNLIMITED
from portal.policy import Actor, Permission


def export_people(actor: Actor, account_code: str | None) -> list[dict[str, Any]]:
    """Return one row for each membership that has not ended, by account, e-mail and unit."""
    ids = exported_accounts(actor, Permission.PERSON_SAVE, account_code)
    manager, manager_person = aliased(Membership), aliased(Person)
    rows = rows_of(
        select(
            Membership.id,
            Person.email,
            Person.name,
            Account.code,
            Unit.code,
            AccessGroup.code,
            Membership.signing_limit,
            Membership.signs_unlimited,
            manager_person.email,
            Person.locale,
        )
        .join(Person, Person.id == Membership.person_id)
        .join(Account, Account.id == Membership.account_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .outerjoin(AccessGroup, AccessGroup.id == Membership.access_group_id)
        .outerjoin(manager, manager.id == Membership.manager_id)
        .outerjoin(manager_person, manager_person.id == manager.person_id)
        .where(Membership.account_id.in_(ids), Membership.status != "ended")
        .order_by(Account.code, Person.email, Unit.code),
        (
            "id",
            "email",
            "name",
            "account_code",
            "unit_code",
            "access_group_code",
            "signing_limit",
            "unlimited",
            "manager_email",
            "locale",
        ),
    )
    roles = _listed(
        select(MembershipRole.membership_id, MembershipRole.role).where(
            MembershipRole.account_id.in_(ids)
        )
    )
    assigned = _listed(
        select(AccountAssignment.membership_id, Account.code)
        .join(Account, Account.id == AccountAssignment.account_id)
        .join(Membership, Membership.id == AccountAssignment.membership_id)
        .where(Membership.account_id.in_(ids))
    )
    for row in rows:
        key, unlimited = row.pop("id"), row.pop("unlimited")
        row["signing_limit"] = UNLIMITED if unlimited else plain_amount(row["signing_limit"])
        row["roles"] = ";".join(roles.get(key, ()))
        row["assigned_accounts"] = ";".join(assigned.get(key, ()))
    return rows


def _listed(statement: Any) -> Mapping[int, list[str]]:  # noqa: ANN401 - a statement of two columns
    found: dict[int, list[str]] = {}
    for key, value in db.session.execute(statement).all():
        found.setdefault(key, []).append(value)
    return {key: sorted(values) for key, values in found.items()}
