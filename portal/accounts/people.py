"""The list of people: memberships within reach, with what an administrator asks about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import (
    AccessGroup,
    Account,
    Membership,
    MembershipRole,
    Person,
    Unit,
)
from portal.accounts.queries import membership_reached
from portal.containing import contains
from portal.db import db, in_pages
from portal.events.models import Event
from portal.policy import Actor, Permission
from portal.web.paging import Page, offset_of
from portal.web.tables import Sort


@unique
class PeopleOrder(StrEnum):
    """By what the list can be sorted."""

    NAME = "name"
    EMAIL = "email"
    UNIT = "unit"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """What narrows the list; nothing set, nothing narrowed."""

    text: str = ""
    account_id: int | None = None
    unit_code: str = ""
    role: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One membership as the list shows it."""

    membership_id: int
    person_id: int
    name: str
    email: str
    account_code: str
    currency: str
    unit_code: str
    unit_name: str
    group_name: str
    signing_limit: Decimal | None
    signs_unlimited: bool
    manager_name: str
    membership_status: str
    person_status: str
    roles: tuple[str, ...]
    signed_in_at: datetime | None

    @property
    def status(self) -> str:
        """The state that counts: the membership's, or what keeps the person out altogether."""
        if self.membership_status != "active":
            return self.membership_status
        return self.person_status


_MANAGER = aliased(Membership)
_MANAGER_PERSON = aliased(Person)
_ORDERS: Mapping[PeopleOrder, tuple[Any, ...]] = {
    PeopleOrder.NAME: (Person.name,),
    PeopleOrder.EMAIL: (Person.email,),
    PeopleOrder.UNIT: (Unit.code, Person.name),
    PeopleOrder.ACCOUNT: (Account.code, Person.name),
}


def find_memberships(
    actor: Actor,
    wanted: PeopleFilter,
    sort: Sort[PeopleOrder],
    *,
    number: int = 1,
    size: int | None = 50,
) -> Page[PersonRow]:
    """Return a page of the memberships that the actor may see, in four statements.

    Without a ``size`` it is the whole list, as an export needs it.
    """
    conditions = [membership_reached(actor, Permission.PERSON_READ), *_conditions(wanted)]
    base = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .join(Account, Account.id == Membership.account_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .where(*conditions)
    )
    total = db.session.scalar(select(func.count()).select_from(base.subquery())) or 0
    order = [*_ORDERS[sort.key], Membership.id]
    statement = (
        base.outerjoin(AccessGroup, AccessGroup.id == Membership.access_group_id)
        .outerjoin(_MANAGER, _MANAGER.id == Membership.manager_id)
        .outerjoin(_MANAGER_PERSON, _MANAGER_PERSON.id == _MANAGER.person_id)
        .with_only_columns(
            Membership.id.label("membership_id"),
            Membership.person_id,
            Person.name,
            Person.email,
            Account.code.label("account_code"),
            Account.currency,
            func.coalesce(Unit.code, "").label("unit_code"),
            func.coalesce(Unit.name, "").label("unit_name"),
            func.coalesce(AccessGroup.name, "").label("group_name"),
            Membership.signing_limit,
            Membership.signs_unlimited,
            func.coalesce(_MANAGER_PERSON.name, "").label("manager_name"),
            Membership.status.label("membership_status"),
            Person.status.label("person_status"),
        )
        .order_by(*(item.desc() if sort.descending else item for item in order))
    )
    if size is not None:
        statement = statement.offset(offset_of(number, size)).limit(size)
    rows = db.session.execute(statement).all()
    keys = [row.membership_id for row in rows]
    roles, seen = _roles(keys), _last_sign_ins(keys)
    items = [
        PersonRow(
            **row._asdict(),
            roles=roles.get(row.membership_id, ()),
            signed_in_at=seen.get(row.membership_id),
        )
        for row in rows
    ]
    return Page(items, total, number, size or max(total, 1))


def _conditions(wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(
            or_(
                contains(Person.name, wanted.text),
                contains(Person.email, wanted.text),
            )
        )
    if wanted.account_id is not None:
        conditions.append(Membership.account_id == wanted.account_id)
    if wanted.unit_code:
        conditions.append(Unit.code == wanted.unit_code)
    if wanted.role:
        holders = select(MembershipRole.membership_id).where(MembershipRole.role == wanted.role)
        conditions.append(Membership.id.in_(holders))
    if wanted.status:
        conditions.append(_in_state(wanted.status))
    return conditions


def _in_state(status: str) -> ColumnElement[bool]:
    """Match `PersonRow.status`."""
    if status == "suspended":
        return or_(
            Membership.status == status,
            (Membership.status == "active") & (Person.status == status),
        )
    if status == "ended":
        return Membership.status == status
    return (Membership.status == "active") & (Person.status == status)


def _roles(membership_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for page in in_pages(membership_ids):
        for key, role in db.session.execute(
            select(MembershipRole.membership_id, MembershipRole.role)
            .where(MembershipRole.membership_id.in_(page))
            .order_by(MembershipRole.role)
        ):
            found[key] = (*found.get(key, ()), role)
    return found


def _last_sign_ins(membership_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when each membership was last chosen, as the record has it."""
    found: dict[int, datetime] = {}
    for page in in_pages(membership_ids):
        rows = db.session.execute(
            select(Event.object_id, func.max(Event.occurred_at))
            .where(
                Event.kind == "membership",
                Event.verb == "membership.chosen",
                Event.object_id.in_(page),
            )
            .group_by(Event.object_id)
        ).all()
        found.update({key: at for key, at in rows if key is not None})
    return found
