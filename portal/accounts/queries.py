"""Reading accounts, their organisation and their people; every list within the actor's scope."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, String, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, selectinload

from portal.accounts.models import (
    AccessGroup,
    Account,
    AccountAssignment,
    Address,
    CostCentre,
    Membership,
    MembershipRole,
    Person,
    Unit,
    UserSession,
)
from portal.accounts.rules import ACTING_ACCOUNTS, ancestors, descendants
from portal.containing import contains
from portal.db import EVERY_ROW, KEPT, db, lock, reaching
from portal.errors import N_, NotFoundError
from portal.policy import Actor, Permission, Role, grants_of, operator_actor
from portal.scope import within
from portal.web.paging import Page, offset_of

_ROLES = frozenset(role.value for role in Role)
_TREE_UNIT: Final = aliased(Unit)
_COUNTED: Final = aliased(Membership)
_COUNTED_ACCOUNT: Final = aliased(Account)


class AccountNotFoundError(NotFoundError):
    """No such account within the actor's reach."""

    message = N_("There is no account {code} that you can see.")


class NoSupplierError(NotFoundError):
    """Nothing can be done before the supplier's own row is there."""

    message = N_("The supplier's own account has not been made yet.")


def load_actor(membership_id: int) -> Actor | None:
    """Return the membership with its rights of this moment; ``None`` where it can't act.

    A suspended person, membership or account can't, an ended membership can't, and nobody can
    before their invitation is accepted.
    """
    found = db.session.execute(_actor_statement(), {"membership": membership_id}).one_or_none()
    return None if found is None else make_actor(*found)


@cache
def _actor_statement() -> Select[Any]:
    return (
        select(Person, *actor_columns())
        .join(Membership, Membership.person_id == Person.id)
        .join(Account, Account.id == Membership.account_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .where(Membership.id == bindparam("membership"), Person.status == "active", *_acting())
        .prefix_with(KEPT, dialect="postgresql")
    )


def actor_columns() -> tuple[Any, ...]:
    """Return what an actor is made of besides the person, for a statement about memberships.

    Roles, the account's tree of units and the assigned accounts each come as one text: rights are
    read on every request, and so in one statement.
    """
    roles = select(func.aggregate_strings(MembershipRole.role, ",")).where(
        MembershipRole.membership_id == Membership.id
    )
    assigned = select(
        func.aggregate_strings(cast(AccountAssignment.account_id, String), ",")
    ).where(AccountAssignment.membership_id == Membership.id)
    return (
        Membership,
        Account,
        Unit.code,
        roles.scalar_subquery(),
        _units_of(Membership.account_id),
        assigned.scalar_subquery(),
    )


def _units_of(account_id: InstrumentedAttribute[int]) -> ColumnElement[str]:
    """Return the tree of an account's units as one text, which `parents_of` reads."""
    unit = _TREE_UNIT
    above = func.coalesce(cast(unit.parent_id, String), "")
    units = select(func.aggregate_strings(cast(unit.id, String) + ":" + above, ","))
    return units.where(unit.account_id == account_id).scalar_subquery()


def make_actor(person: Person, *columns: Any) -> Actor:  # noqa: ANN401 - a row of the above
    """Return the actor of a person and a row of `actor_columns`."""
    membership, account, unit_code, role_names, units, assigned = columns
    roles = frozenset(Role(name) for name in _parts(role_names) if name in _ROLES)
    parents, unit_id = parents_of(units), membership.unit_id
    return Actor(
        person_id=person.id,
        membership_id=membership.id,
        account_id=account.id,
        account_code=account.code,
        is_supplier=account.is_supplier,
        currency=account.currency,
        locale=person.locale or account.locale,
        time_zone=account.time_zone,
        name=person.name,
        email=person.email,
        unit_id=unit_id,
        unit_code=unit_code or "",
        unit_path=ancestors(unit_id, parents),
        access_group_id=membership.access_group_id,
        reachable_unit_ids=descendants(unit_id, parents),
        assigned_account_ids=(
            frozenset(map(int, _parts(assigned))) if account.is_supplier else frozenset()
        ),
        roles=roles,
        grants=grants_of(roles, is_supplier=account.is_supplier),
    )


def join_acting() -> ColumnElement[bool]:
    """Return the condition that joins to a person the membership that a session acts with."""
    return and_(
        Membership.id == UserSession.membership_id,
        Membership.person_id == Person.id,
        Membership.status == "active",
    )


def _parts(text: str | None) -> list[str]:
    return text.split(",") if text else []


def parents_of(units: str | None) -> dict[int, int | None]:
    """Return unit id -> id of the unit above it, from the text that the statement gave."""
    pairs = (part.partition(":") for part in _parts(units))
    return {int(unit): int(above) if above else None for unit, _colon, above in pairs}


def _acting() -> tuple[ColumnElement[bool], ...]:
    return (Membership.status == "active", Account.status.in_(ACTING_ACCOUNTS))


def load_operator(operator: str, time_zone: str) -> Actor:
    """Return the actor of the command line: every permission, named ``operator`` in events.

    Raises:
        NoSupplierError: The database holds no supplier yet.
    """
    supplier = find_supplier()
    if supplier is None:
        raise NoSupplierError
    return operator_actor(
        account_id=supplier.id,
        account_code=supplier.code,
        operator=operator,
        time_zone=time_zone,
    )


def find_supplier() -> Account | None:
    """Return the supplier's own account, or ``None`` before it is made."""
    return db.session.scalar(select(Account).where(Account.kind == "supplier"))


def find_unit_parents(account_id: int) -> Mapping[int, int | None]:
    """Return unit id -> id of the unit above it, for one account."""
    rows = db.session.execute(select(Unit.id, Unit.parent_id).where(Unit.account_id == account_id))
    return MappingProxyType(dict(rows.all()))


def get_account_with_units(account_id: int) -> tuple[Account, Mapping[int, int | None]]:
    """Return an account for the portal itself, and unit id -> id of the unit above it."""
    account, units = db.session.execute(_account_with_units(), {"account": account_id}).one()
    return account, parents_of(units)


@cache
def _account_with_units() -> Select[Any]:
    return select(*account_columns()).where(Account.id == bindparam("account"))


def account_columns() -> tuple[Any, ...]:
    """Return an account and its units, which `parents_of` reads, for a statement that joins it."""
    return Account, _units_of(Account.id)


def visible_to(actor: Actor, permission: Permission = Permission.ACCOUNT_READ) -> Select[Account]:
    """Return the accounts that ``permission`` reaches, and the actor's own."""
    reached = within(actor, permission, account=Account.id)
    return select(Account).where(or_(Account.id == actor.account_id, reached))


def get_account(actor: Actor, code: str, *, is_locked: bool = False) -> Account:
    """Return one account by its code.

    Raises:
        AccountNotFoundError: None, or not for this actor.
    """
    statement = visible_to(actor).where(Account.code == code)
    account = db.session.scalar(lock(statement) if is_locked else statement)
    if account is None:
        raise AccountNotFoundError(code=code)
    return account


def find_accounts(
    actor: Actor, *, text: str = "", status: str = "", number: int = 1, size: int | None = 50
) -> Page[Account]:
    """Return a page of the customer accounts within reach, by code; filters narrow it.

    Without a ``size`` it is the whole list, as an export needs it.
    """
    conditions: list[ColumnElement[bool]] = [
        Account.kind == "customer",
        within(actor, Permission.ACCOUNT_READ, account=Account.id),
    ]
    if text:
        conditions.append(
            or_(
                contains(Account.code, text),
                contains(Account.name, text),
            )
        )
    if status:
        conditions.append(Account.status == status)
    total = db.session.scalar(select(func.count()).select_from(Account).where(*conditions)) or 0
    statement = select(Account).where(*conditions).order_by(Account.code)
    if size is not None:
        statement = statement.offset(offset_of(number, size)).limit(size)
    items = db.session.scalars(statement).all()
    return Page(items, total, number, size or max(total, 1))


def count_accounts_by_status(actor: Actor) -> Mapping[str, int]:
    """Return how many customer accounts within reach are in each state."""
    rows = db.session.execute(
        select(Account.status, func.count())
        .where(
            Account.kind == "customer",
            within(actor, Permission.ACCOUNT_READ, account=Account.id),
        )
        .group_by(Account.status)
    )
    return dict(rows.all())


def find_account_codes(account_ids: Collection[int]) -> Mapping[int, str]:
    """Return id -> code of some accounts."""
    rows = db.session.execute(
        select(Account.id, Account.code).where(Account.id.in_(sorted(account_ids)))
    )
    return dict(rows.all())


def find_units(account_id: int) -> Sequence[Unit]:
    """Return the units of one account, by code."""
    return db.session.scalars(
        select(Unit).where(Unit.account_id == account_id).order_by(Unit.code)
    ).all()


def find_addresses(
    account_id: int, *, kind: str | None = None, unit_ids: Collection[int] | None = None
) -> Sequence[Address]:
    """Return the addresses of one account, by code.

    Args:
        kind: ``ship`` or ``bill`` alone.
        unit_ids: Those of these units and of the account as a whole alone.
    """
    statement = select(Address).where(Address.account_id == account_id).order_by(Address.code)
    if kind is not None:
        statement = statement.where(Address.kind == kind)
    if unit_ids is not None:
        statement = statement.where(
            or_(Address.unit_id.is_(None), Address.unit_id.in_(sorted(unit_ids)))
        )
    return db.session.scalars(statement).all()


def find_cost_centres(
    account_id: int, *, unit_ids: Collection[int] | None = None
) -> Sequence[CostCentre]:
    """Return the cost centres of one account, by code; ``unit_ids`` as in `find_addresses`."""
    statement = (
        select(CostCentre).where(CostCentre.account_id == account_id).order_by(CostCentre.code)
    )
    if unit_ids is not None:
        statement = statement.where(
            or_(CostCentre.unit_id.is_(None), CostCentre.unit_id.in_(sorted(unit_ids)))
        )
    return db.session.scalars(statement).all()


def find_access_groups(account_id: int) -> Sequence[AccessGroup]:
    """Return the access groups of one account, by code."""
    return db.session.scalars(
        select(AccessGroup).where(AccessGroup.account_id == account_id).order_by(AccessGroup.code)
    ).all()


def find_people_names(person_ids: Collection[int]) -> Mapping[int, str]:
    """Return id -> name of some people, for pages that already may name them."""
    rows = db.session.execute(
        select(Person.id, Person.name).where(Person.id.in_(sorted(person_ids)))
    )
    return dict(rows.all())


def find_person_by_email(email: str) -> Person | None:
    """Return the person with this e-mail, compared in lower case, whatever their state."""
    return db.session.scalar(select(Person).where(Person.email == email.strip().lower()))


@dataclass(frozen=True, slots=True)
class OwnMembership:
    """One membership as its holder chooses it."""

    id: int
    account_id: int
    account_code: str
    account_name: str
    unit_code: str
    unit_name: str

    @property
    def label(self) -> str:
        """Return ``ACCOUNT - UNIT``."""
        return f"{self.account_code} - {self.unit_code}" if self.unit_code else self.account_code


def find_own_memberships(person_id: int) -> list[OwnMembership]:
    """Return the memberships with which a person can act, by account and unit.

    They may lie in several accounts, so the database's own row scope is lifted for this one
    statement; the person is the wall. Not inside a transaction.
    """
    with reaching(EVERY_ROW):
        return read_own_memberships(person_id)


def read_own_memberships(person_id: int) -> list[OwnMembership]:
    """Do as `find_own_memberships` does, in the row scope and transaction that there is."""
    rows = db.session.execute(
        select(Membership.id, Account.id, Account.code, Account.name, Unit.code, Unit.name)
        .join(Person, Person.id == Membership.person_id)
        .join(Account, Account.id == Membership.account_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .where(Membership.person_id == person_id, *_acting())
        .order_by(Account.code, Unit.code, Membership.id)
    ).all()
    return [_own(row) for row in rows]


def _own(row: Row[int, int, str, str, str, str]) -> OwnMembership:
    key, account_id, code, name, unit_code, unit_name = row
    return OwnMembership(key, account_id, code, name, unit_code or "", unit_name or "")


def acting_membership_count(person_id: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """Return, as part of a statement about people, with how many memberships each can act."""
    member, account = _COUNTED, _COUNTED_ACCOUNT
    return (
        select(func.count(member.id))
        .join(account, account.id == member.account_id)
        .where(
            member.person_id == person_id,
            member.status == "active",
            account.status.in_(ACTING_ACCOUNTS),
        )
        .scalar_subquery()
    )


def memberships_visible_to(
    actor: Actor, permission: Permission = Permission.PERSON_READ
) -> Select[Membership]:
    """Return the memberships that ``permission`` reaches."""
    return select(Membership).where(membership_reached(actor, permission))


def membership_reached(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """Return the condition that keeps the memberships ``permission`` reaches."""
    return within(
        actor,
        permission,
        account=Membership.account_id,
        unit=Membership.unit_id,
        owner=Membership.id,
        group=Membership.access_group_id,
    )


def get_membership(actor: Actor, membership_id: int, *, is_locked: bool = False) -> Membership:
    """Return one membership with its person, account, unit and roles.

    Raises:
        NotFoundError: None, or not for this actor.
    """
    statement = memberships_visible_to(actor).where(Membership.id == membership_id)
    if is_locked:
        db.session.execute(lock(statement))
    membership = db.session.scalar(
        statement.options(
            selectinload(Membership.person),
            selectinload(Membership.account),
            selectinload(Membership.unit),
            selectinload(Membership.roles),
        ).execution_options(populate_existing=True)
    )
    if membership is None:
        raise NotFoundError
    return membership


def find_manager_ids(account_id: int) -> Mapping[int, int | None]:
    """Return membership id -> id of its manager, for one account."""
    rows = db.session.execute(
        select(Membership.id, Membership.manager_id).where(Membership.account_id == account_id)
    )
    return dict(rows.all())


def find_possible_managers(account_id: int) -> list[tuple[int, str, str, str]]:
    """Return (membership id, name, e-mail, unit code) of an account's active members, by name."""
    rows = db.session.execute(
        select(Membership.id, Person.name, Person.email, Unit.code)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .where(
            Membership.account_id == account_id,
            Membership.status == "active",
            Person.status != "suspended",
        )
        .order_by(Person.name, Membership.id)
    ).all()
    return [(key, name, email, unit or "") for key, name, email, unit in rows]
