"""Files of people: one row is one membership, known by e-mail, account and unit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.cells import (
    ManagerLoopCellError,
    OtherNameError,
    UnknownAccountError,
    UnknownGroupError,
    UnknownMemberError,
    email,
    locale,
)
from portal.accounts.importing import (
    assign,
    by_key,
    is_filled,
    named_accounts,
    note_import,
    unit_id_of,
)
from portal.accounts.memberships import figures, rights_of, set_roles
from portal.accounts.models import (
    AccessGroup,
    Account,
    AccountAssignment,
    Membership,
    Person,
    Unit,
)
from portal.accounts.people_export import export_people
from portal.accounts.rules import (
    NotGrantableError,
    OwnRightsError,
    ancestors,
    check_roles,
    grantable_roles,
    in_loop,
    roles_of_side,
)
from portal.db import db, in_pages
from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import UNLIMITED, NotAChoiceError, code, codes, decimal, text
from portal.policy import Actor, Permission, Role

_LIMIT: Final = decimal(4)
Key = tuple[int, int, int | None]
"""Person, account, unit: what a membership is known by."""


def signing_limit(raw: str, zone: ZoneInfo) -> Decimal | str:
    """Parse an amount, or the word for no limit."""
    return UNLIMITED if raw == UNLIMITED else Decimal(_LIMIT(raw, zone))


@dataclass(slots=True)
class _Line:
    """One row on its way: what it names, and the membership that it becomes."""

    row: Row
    account: Account
    membership: Membership
    is_new: bool
    is_changed: bool = False


@dataclass(slots=True)
class _World:
    """Everything that the rows refer to, read in a constant number of statements."""

    accounts: dict[str, Account]
    units: dict[tuple[int, str], Unit]
    groups: dict[tuple[int, str], AccessGroup]
    people: dict[str, Person]
    memberships: dict[Key, Membership]
    assigned: dict[int, set[int]]
    customers: dict[str, int]
    elsewhere: frozenset[int]
    """People who belong to accounts beyond the importer's reach: their names are kept there."""
    by_email: dict[tuple[int, str], list[Membership]] = field(default_factory=dict)
    named: dict[str, Row] = field(default_factory=dict)
    """The first row that names each person."""

    def members_of(self, account_id: int, address: str) -> list[Membership]:
        """Return somebody's memberships in one account, oldest first."""
        return self.by_email.get((account_id, address), [])


def _apply(actor: Actor, batch: Batch) -> None:
    """Make or change people and memberships; managers may stand in the same file."""
    accounts = named_accounts(actor, Permission.PERSON_SAVE, batch)
    world = _read(actor, batch, accounts)
    lines = [
        line
        for row in batch.keyed("email", "account_code", "unit_code").values()
        if (line := _save(actor, batch, row, world)) is not None
    ]
    if batch.report.refused:
        return
    db.session.flush()
    _index(world, lines)
    for line in lines:
        _save_manager(batch, line, world)
        _save_assigned(batch, line, world)
    _refuse_loops(batch, lines, world)
    if batch.report.refused:
        return
    db.session.flush()
    _refuse_own(actor, batch, lines)
    for line in lines:
        batch.count(is_new=line.is_new, is_changed=line.is_changed)
        if line.is_new or line.is_changed:
            _note(actor, batch, line)
    note_import(actor, batch, accounts.values())


def _read(actor: Actor, batch: Batch, accounts: dict[str, Account]) -> _World:
    ids = sorted(account.id for account in accounts.values())
    memberships = db.session.scalars(
        select(Membership)
        .where(Membership.account_id.in_(ids))
        .options(joinedload(Membership.person), selectinload(Membership.roles))
        .order_by(Membership.id)
    ).all()
    world = _World(
        accounts=accounts,
        units=by_key(Unit, accounts.values()),
        groups=by_key(AccessGroup, accounts.values()),
        people=_people(batch),
        memberships={(item.person_id, item.account_id, item.unit_id): item for item in memberships},
        assigned=_assigned(ids),
        customers=_customers(batch),
        elsewhere=frozenset(),
    )
    world.elsewhere = _elsewhere(actor, world.people.values())
    for item in memberships:
        world.by_email.setdefault((item.account_id, item.person.email), []).append(item)
    return world


def _people(batch: Batch) -> dict[str, Person]:
    found: dict[str, Person] = {}
    for page in in_pages(sorted({row["email"] for row in batch.rows})):
        people = db.session.scalars(select(Person).where(Person.email.in_(page)))
        found |= {person.email: person for person in people}
    return found


def _customers(batch: Batch) -> dict[str, int]:
    wanted = sorted({name for row in batch.rows for name in row["assigned_accounts"] or ()})
    rows = db.session.execute(
        select(Account.code, Account.id).where(Account.code.in_(wanted), Account.kind == "customer")
    )
    return dict(rows.all())


def _assigned(account_ids: list[int]) -> dict[int, set[int]]:
    rows = db.session.execute(
        select(AccountAssignment.membership_id, AccountAssignment.account_id)
        .join(Membership, Membership.id == AccountAssignment.membership_id)
        .where(Membership.account_id.in_(account_ids))
    )
    found: dict[int, set[int]] = {}
    for membership_id, account_id in rows:
        found.setdefault(membership_id, set()).add(account_id)
    return found


def _elsewhere(actor: Actor, people: Iterable[Person]) -> frozenset[int]:
    reach = actor.reach(Permission.PERSON_SAVE)
    if reach.account_ids is None:
        return frozenset()
    found: set[int] = set()
    for page in in_pages(sorted(person.id for person in people)):
        found.update(
            db.session.scalars(
                select(Membership.person_id).where(
                    Membership.person_id.in_(page),
                    Membership.account_id.not_in(sorted(reach.account_ids)),
                )
            )
        )
    return frozenset(found)


def _save(actor: Actor, batch: Batch, row: Row, world: _World) -> _Line | None:
    """Make or change the membership of one row, its manager aside; refuse what can't be."""
    account = world.accounts.get(row["account_code"])
    if account is None:
        return None
    person = world.people.get(row["email"])
    if not is_filled(batch, row, ("name",), is_new=person is None):
        return None
    _refuse_other_name(batch, row, world)
    unit_id = unit_id_of(batch, row, account, world.units)
    membership = None
    if person is not None:
        membership = world.memberships.get((person.id, account.id, unit_id))
    if not _may_hold(actor, batch, row, account, membership):
        return None
    values = _values(batch, row, account, world)
    renamed = False
    if person is None:
        person = world.people[row["email"]] = Person(email=row["email"], name=row["name"])
        db.session.add(person)
        assign(person, row.given("locale"))
    elif person.id not in world.elsewhere:
        renamed = assign(person, row.given("name", "locale"))
    line = _Line(
        row, account, membership or _new(account, person, unit_id), is_new=membership is None
    )
    line.is_changed = assign(line.membership, values) or renamed
    if row.has("roles"):
        wanted = frozenset(row["roles"] or ())
        line.is_changed |= wanted != {item.role for item in line.membership.roles}
        set_roles(line.membership, wanted)
    return line


def _refuse_other_name(batch: Batch, row: Row, world: _World) -> None:
    first = world.named.setdefault(row["email"], row)
    if first.given("name", "locale") != row.given("name", "locale"):
        batch.refuse(row, "name", OtherNameError(other=first.number))


def _new(account: Account, person: Person, unit_id: int | None) -> Membership:
    membership = Membership(account_id=account.id, unit_id=unit_id, person=person, roles=[])
    membership.status = "active"
    membership.signs_unlimited = False
    db.session.add(membership)
    return membership


def _may_hold(
    actor: Actor, batch: Batch, row: Row, account: Account, membership: Membership | None
) -> bool:
    if not row.has("roles"):
        return True
    roles = row["roles"] or ()
    side = roles_of_side(is_supplier=account.is_supplier)
    if not set(roles) <= {role.value for role in side}:
        choices = ", ".join(role.value for role in Role if role in side)
        batch.refuse(row, "roles", NotAChoiceError(choices=choices))
        return False
    old = {item.role for item in membership.roles} if membership else set()
    try:
        check_roles(old, roles, grantable_roles(actor, is_supplier=account.is_supplier))
    except NotGrantableError as refusal:
        batch.refuse(row, "roles", refusal)
        return False
    return True


def _values(batch: Batch, row: Row, account: Account, world: _World) -> dict[str, Any]:
    """Return what the row sets on the membership itself."""
    values: dict[str, Any] = {}
    if row.has("access_group_code"):
        name = row["access_group_code"]
        group = world.groups.get((account.id, name)) if name is not None else None
        if group is None and name is not None:
            batch.refuse(row, "access_group_code", UnknownGroupError())
        values["access_group_id"] = group.id if group else None
    if row.has("signing_limit"):
        limit = row["signing_limit"]
        values["signs_unlimited"] = limit == UNLIMITED
        values["signing_limit"] = None if limit == UNLIMITED else limit
    return values


def _index(world: _World, lines: Iterable[_Line]) -> None:
    for line in lines:
        if line.is_new:
            item = line.membership
            world.by_email.setdefault((line.account.id, line.row["email"]), []).append(item)
            world.memberships[item.person_id, item.account_id, item.unit_id] = item


def _save_manager(batch: Batch, line: _Line, world: _World) -> None:
    if not line.row.has("manager_email"):
        return
    manager = None
    if line.row["manager_email"] is not None:
        candidates = world.members_of(line.account.id, line.row["manager_email"])
        if not candidates:
            batch.refuse(line.row, "manager_email", UnknownMemberError())
            return
        manager = _nearest(candidates, line.membership, world)
    line.is_changed |= assign(line.membership, {"manager_id": manager.id if manager else None})


def _nearest(candidates: list[Membership], member: Membership, world: _World) -> Membership:
    """Return the manager's membership: the present one, or that of the nearest unit upwards."""
    parents = {unit.id: unit.parent_id for unit in world.units.values()}
    way = ancestors(member.unit_id, parents)

    def distance(item: Membership) -> tuple[bool, int, int]:
        is_above = item.unit_id in way
        steps = way.index(item.unit_id) if is_above and item.unit_id is not None else len(way)
        return item.id != member.manager_id, steps, item.id

    return min(candidates, key=distance)


def _save_assigned(batch: Batch, line: _Line, world: _World) -> None:
    if not line.row.has("assigned_accounts"):
        return
    names = line.row["assigned_accounts"] or ()
    unknown = [name for name in names if name not in world.customers]
    if unknown or (names and not line.account.is_supplier):
        batch.refuse(line.row, "assigned_accounts", UnknownAccountError())
        return
    key = line.membership.id
    wanted = {world.customers[name] for name in names}
    held = world.assigned.get(key, set())
    if wanted == held:
        return
    line.is_changed = True
    if held - wanted:
        db.session.execute(
            delete(AccountAssignment).where(
                AccountAssignment.membership_id == key,
                AccountAssignment.account_id.in_(sorted(held - wanted)),
            )
        )
    db.session.add_all(
        AccountAssignment(membership_id=key, account_id=item) for item in sorted(wanted - held)
    )


def _refuse_loops(batch: Batch, lines: Iterable[_Line], world: _World) -> None:
    looping = in_loop({item.id: item.manager_id for item in world.memberships.values()})
    for line in lines:
        if line.membership.id in looping:
            batch.refuse(line.row, "manager_email", ManagerLoopCellError())


def _refuse_own(actor: Actor, batch: Batch, lines: Iterable[_Line]) -> None:
    for line in lines:
        is_own = line.membership.person_id == actor.person_id
        if is_own and (line.is_new or line.is_changed):
            batch.refuse(line.row, "email", OwnRightsError())


def _note(actor: Actor, batch: Batch, line: _Line) -> None:
    record(
        actor,
        "membership.imported",
        kind="membership",
        object_id=line.membership.id,
        account_id=line.account.id,
        now=batch.now,
        person=line.membership.person_id,
        rights=figures(rights_of(line.membership)),
    )


_COLUMNS: Final = (
    Column("email", email, required=True),
    Column("name", text(200)),
    Column("account_code", code(), required=True),
    Column("unit_code", code()),
    Column("roles", codes),
    Column("access_group_code", code()),
    Column("signing_limit", signing_limit),
    Column("manager_email", email),
    Column("locale", locale),
    Column("assigned_accounts", codes),
)


PEOPLE: Final = ImportKind(
    name="people",
    label=N_("People"),
    columns=_COLUMNS,
    permission=Permission.PERSON_SAVE,
    apply=_apply,
    export=export_people,
)
