"""One person for each role, and those who have none: the rows of the permission matrix."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from portal.accounts.models import (
    AccessGroup,
    Account,
    AccountAssignment,
    Membership,
    MembershipRole,
    Person,
    Unit,
)
from portal.db import db, transaction
from portal.policy import CUSTOMER_ROLES, SUPPLIER_ROLES, Permission, Role, Scope, grants_of

HOME: Final = "ACME"
ELSEWHERE: Final = "HANBIT"
UNIT: Final = "IT"
SIBLING: Final = "FIN"


@dataclass(frozen=True)
class Somebody:
    """A kind of person: what they are called, who they are, what the table grants them."""

    name: str
    email: str | None
    is_supplier: bool
    grants: Mapping[Permission, Scope]
    membership_id: int | None = None
    group_id: int | None = None
    is_suspended: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in: the session of whoever is suspended counts for nothing."""
        return self.email is None or self.is_suspended


NOBODY: Final = Somebody("nobody", None, is_supplier=False, grants={})


def everybody() -> Iterator[Somebody]:
    """Make a member of ACME's IT for each customer role, one of the supplier for each of theirs."""
    supplier = db.session.scalars(select(Account.code).where(Account.kind == "supplier")).one()
    yield NOBODY
    for role in Role:
        if role in CUSTOMER_ROLES:
            yield _make(role, HOME, UNIT, is_supplier=False)
        if role in SUPPLIER_ROLES:
            yield _make(role, supplier, None, is_supplier=True)
    yield _also_elsewhere(_make(Role.SITE_BUYER, HOME, UNIT, is_supplier=False, name="of two"))
    yield _suspended(_make(Role.SITE_ADMINISTRATOR, HOME, UNIT, is_supplier=False, name="out"))


def _also_elsewhere(somebody: Somebody) -> Somebody:
    """Let somebody administer the other account too; here they act for the first one."""
    with transaction() as session:
        here = session.get_one(Membership, somebody.membership_id)
        account = session.scalars(select(Account).where(Account.code == ELSEWHERE)).one()
        there = Membership(person_id=here.person_id, account_id=account.id)
        session.add(there)
        session.flush()
        role = Role.SITE_ADMINISTRATOR.value
        session.add(MembershipRole(membership_id=there.id, role=role, account_id=account.id))
    return replace(somebody, name=f"{somebody.name}, who administers {ELSEWHERE} too")


def _suspended(somebody: Somebody) -> Somebody:
    """Keep somebody out whose session is still open."""
    with transaction() as session:
        membership = session.get_one(Membership, somebody.membership_id)
        session.get_one(Person, membership.person_id).status = "suspended"
    return replace(somebody, name=f"{somebody.name}, suspended", grants={}, is_suspended=True)


def _make(
    role: Role, account_code: str, unit_code: str | None, *, is_supplier: bool, name: str = ""
) -> Somebody:
    side = "supplier" if is_supplier else "customer"
    email = f"{role.value}{name.replace(' ', '-')}@{side}.matrix.example"
    with transaction() as session:
        account = session.scalars(select(Account).where(Account.code == account_code)).one()
        unit = session.scalars(
            select(Unit).where(Unit.account_id == account.id, Unit.code == (unit_code or ""))
        ).first()
        group = session.scalars(
            select(AccessGroup).where(AccessGroup.account_id == account.id).order_by(AccessGroup.id)
        ).first()
        person = Person(email=email, name=email, status="active", theme="auto")
        session.add(person)
        session.flush()
        membership = Membership(
            person_id=person.id,
            account_id=account.id,
            unit_id=unit.id if unit else None,
            access_group_id=group.id if group else None,
        )
        session.add(membership)
        session.flush()
        session.add(
            MembershipRole(membership_id=membership.id, role=role.value, account_id=account.id)
        )
        if is_supplier:
            assigned = session.scalars(select(Account.id).where(Account.code == HOME)).one()
            session.add(AccountAssignment(membership_id=membership.id, account_id=assigned))
    return Somebody(
        f"{side} {role.value}",
        email,
        is_supplier=is_supplier,
        grants=grants_of([role], is_supplier=is_supplier),
        membership_id=membership.id,
        group_id=membership.access_group_id,
    )
