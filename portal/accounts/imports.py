"""The kinds of file of this package; here units, addresses, cost centres and access groups."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from portal.accounts.account_import import ACCOUNTS
from portal.accounts.cells import (
    LoopCellError,
    UnknownAssortmentError,
    UnknownMemberError,
    UnknownUnitError,
    country,
    email,
)
from portal.accounts.importing import (
    Coded,
    apply_coded,
    assign,
    by_key,
    exported_accounts,
    is_filled,
    named_accounts,
    note_import,
    rows_of,
    unit_value,
)
from portal.accounts.models import (
    AccessGroup,
    Account,
    Address,
    CostCentre,
    Membership,
    Person,
    Unit,
)
from portal.accounts.people_import import PEOPLE
from portal.accounts.rules import in_loop
from portal.db import db
from portal.errors import N_
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import choice, code, codes, text
from portal.policy import Actor, Permission


@dataclass(frozen=True, slots=True)
class AssortmentsHook:
    """What the catalogue knows of access groups, plugged in by the application.

    ``known``: account ids -> the assortment codes of each; ``held``: access group ids -> the codes
    that each shows, in order; ``assign``: makes the given codes those of each group.
    """

    known: Callable[[Collection[int]], Mapping[int, Collection[str]]]
    held: Callable[[Collection[int]], Mapping[int, tuple[str, ...]]]
    assign: Callable[[Mapping[int, tuple[str, ...]]], None]


_hook: list[AssortmentsHook] = []


def set_assortments_hook(hook: AssortmentsHook) -> None:
    """Say how access groups get their assortments; called once, by the application."""
    _hook[:] = [hook]


def get_assortments_hook() -> AssortmentsHook:
    """Return how access groups get their assortments; without a catalogue there are none."""
    if _hook:
        return _hook[0]
    return AssortmentsHook(
        known=lambda _ids: {}, held=lambda _ids: {}, assign=lambda _assigned: None
    )


# --- units --------------------------------------------------------------------------------------


def _apply_units(actor: Actor, batch: Batch) -> None:
    """Make or change units; the one above may stand in the same file, before or after."""
    accounts = named_accounts(actor, Permission.COMPANY_SAVE, batch)
    units: dict[tuple[int, str], Unit] = by_key(Unit, accounts.values())
    known = set(units)
    rows = [
        (row, accounts[row["account_code"]])
        for row in batch.keyed("account_code", "unit_code").values()
        if row["account_code"] in accounts
    ]
    changed = {row.number for row, account in rows if _save_unit(batch, row, account, units)}
    db.session.flush()
    for row, account in rows:
        unit = units.get((account.id, row["unit_code"]))
        if unit is not None and _save_parent(batch, row, unit, units):
            changed.add(row.number)
    _refuse_unit_loops(batch, rows, units)
    for row, account in rows:
        batch.count(
            is_new=(account.id, row["unit_code"]) not in known,
            is_changed=row.number in changed,
        )
    note_import(actor, batch, accounts.values())


def _save_unit(
    batch: Batch, row: Row, account: Account, units: dict[tuple[int, str], Unit]
) -> bool:
    key = (account.id, row["unit_code"])
    if not is_filled(batch, row, ("name",), is_new=key not in units):
        return False
    if key not in units:
        units[key] = Unit(account_id=account.id, code=row["unit_code"], name=row["name"])
        db.session.add(units[key])
    return assign(units[key], row.given("name"))


def _save_parent(batch: Batch, row: Row, unit: Unit, units: Mapping[tuple[int, str], Unit]) -> bool:
    if not row.has("parent_unit_code"):
        return False
    parent = None
    if row["parent_unit_code"] is not None:
        parent = units.get((unit.account_id, row["parent_unit_code"]))
        if parent is None:
            batch.refuse(row, "parent_unit_code", UnknownUnitError())
            return False
    return assign(unit, {"parent_id": parent.id if parent else None})


def _refuse_unit_loops(
    batch: Batch, rows: Iterable[tuple[Row, Account]], units: Mapping[tuple[int, str], Unit]
) -> None:
    looping = in_loop({unit.id: unit.parent_id for unit in units.values()})
    for row, account in rows:
        unit = units.get((account.id, row["unit_code"]))
        if unit is not None and unit.id in looping:
            batch.refuse(row, "parent_unit_code", LoopCellError())


def _export_units(actor: Actor, account_code: str | None) -> list[dict[str, Any]]:
    ids = exported_accounts(actor, Permission.COMPANY_SAVE, account_code)
    parent = select(Unit.id, Unit.code).subquery()
    return rows_of(
        select(Account.code, Unit.code, parent.c.code, Unit.name)
        .join(Account, Account.id == Unit.account_id)
        .outerjoin(parent, parent.c.id == Unit.parent_id)
        .where(Unit.account_id.in_(ids))
        .order_by(Account.code, Unit.code),
        ("account_code", "unit_code", "parent_unit_code", "name"),
    )


# --- addresses, cost centres, access groups -----------------------------------------------------

_ADDRESS_FIELDS: Final = (
    "kind",
    "name",
    "line1",
    "line2",
    "city",
    "region",
    "postcode",
    "country",
)
_ADDRESS_NEEDS: Final = ("kind", "name", "line1", "city", "country")


def _apply_addresses(actor: Actor, batch: Batch) -> None:
    def values(row: Row, account: Account) -> dict[str, Any]:
        return row.given(*_ADDRESS_FIELDS) | unit_value(batch, row, account, units)

    accounts = named_accounts(actor, Permission.COMPANY_SAVE, batch)
    units = by_key(Unit, accounts.values())
    apply_coded(actor, batch, accounts, Coded(Address, "address_code", _ADDRESS_NEEDS, values))


def _export_addresses(actor: Actor, account_code: str | None) -> list[dict[str, Any]]:
    ids = exported_accounts(actor, Permission.COMPANY_SAVE, account_code)
    return rows_of(
        select(
            Account.code,
            Unit.code,
            Address.code,
            *(getattr(Address, name) for name in _ADDRESS_FIELDS),
        )
        .join(Account, Account.id == Address.account_id)
        .outerjoin(Unit, Unit.id == Address.unit_id)
        .where(Address.account_id.in_(ids))
        .order_by(Account.code, Address.code),
        ("account_code", "unit_code", "address_code", *_ADDRESS_FIELDS),
    )


def _apply_cost_centres(actor: Actor, batch: Batch) -> None:
    def values(row: Row, account: Account) -> dict[str, Any]:
        given = row.given("name") | unit_value(batch, row, account, units)
        if row.has("owner_email"):
            owner = owners.get((account.id, row["owner_email"]))
            if owner is None and row["owner_email"] is not None:
                batch.refuse(row, "owner_email", UnknownMemberError())
            given["owner_person_id"] = owner
        return given

    accounts = named_accounts(actor, Permission.COMPANY_SAVE, batch)
    units = by_key(Unit, accounts.values())
    owners = _member_ids(accounts.values())
    apply_coded(actor, batch, accounts, Coded(CostCentre, "cost_centre_code", ("name",), values))


def _member_ids(accounts: Iterable[Account]) -> dict[tuple[int, str | None], int]:
    """Return (account id, e-mail) -> person id of everybody in some accounts."""
    ids = sorted(account.id for account in accounts)
    rows = db.session.execute(
        select(Membership.account_id, Person.email, Person.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.account_id.in_(ids))
    )
    return {(account_id, address): person_id for account_id, address, person_id in rows}


def _export_cost_centres(actor: Actor, account_code: str | None) -> list[dict[str, Any]]:
    ids = exported_accounts(actor, Permission.COMPANY_SAVE, account_code)
    return rows_of(
        select(Account.code, Unit.code, CostCentre.code, CostCentre.name, Person.email)
        .join(Account, Account.id == CostCentre.account_id)
        .outerjoin(Unit, Unit.id == CostCentre.unit_id)
        .outerjoin(Person, Person.id == CostCentre.owner_person_id)
        .where(CostCentre.account_id.in_(ids))
        .order_by(Account.code, CostCentre.code),
        ("account_code", "unit_code", "cost_centre_code", "name", "owner_email"),
    )


def _apply_access_groups(actor: Actor, batch: Batch) -> None:
    """Make or change access groups; a column ``assortments`` replaces what each one shows."""

    def differs(row: Row, group: AccessGroup) -> bool:
        return shows and set(held.get(group.id, ())) != set(row["assortments"] or ())

    shows = "assortments" in batch.columns
    accounts = named_accounts(actor, Permission.COMPANY_SAVE, batch)
    hook = get_assortments_hook()
    groups = by_key(AccessGroup, accounts.values()).values() if shows else ()
    held = hook.held([group.id for group in groups])
    _refuse_unknown_assortments(batch, accounts, hook)
    coded = Coded(
        AccessGroup,
        "access_group_code",
        ("name",),
        lambda row, _account: row.given("name"),
        differs,
    )
    saved = apply_coded(actor, batch, accounts, coded)
    if shows and not batch.report.refused:
        hook.assign({group.id: row["assortments"] or () for row, group in saved})


def _refuse_unknown_assortments(
    batch: Batch, accounts: Mapping[str, Account], hook: AssortmentsHook
) -> None:
    known = hook.known([account.id for account in accounts.values()])
    for row in batch.rows:
        account = accounts.get(row["account_code"])
        for name in row["assortments"] or ():
            if account is not None and name not in known.get(account.id, ()):
                batch.refuse(row, "assortments", UnknownAssortmentError(code=name))


def _export_access_groups(actor: Actor, account_code: str | None) -> list[dict[str, Any]]:
    ids = exported_accounts(actor, Permission.COMPANY_SAVE, account_code)
    rows = rows_of(
        select(Account.code, AccessGroup.code, AccessGroup.name, AccessGroup.id)
        .join(Account, Account.id == AccessGroup.account_id)
        .where(AccessGroup.account_id.in_(ids))
        .order_by(Account.code, AccessGroup.code),
        ("account_code", "access_group_code", "name", "assortments"),
    )
    held = get_assortments_hook().held([row["assortments"] for row in rows])
    return [row | {"assortments": ";".join(held.get(row["assortments"], ()))} for row in rows]


# --- the kinds ----------------------------------------------------------------------------------

_ACCOUNT_CODE: Final = Column("account_code", code(), required=True)
_UNIT_CODE: Final = Column("unit_code", code())

KINDS: Final[tuple[ImportKind, ...]] = (
    ACCOUNTS,
    ImportKind(
        name="units",
        label=N_("Units"),
        columns=(
            _ACCOUNT_CODE,
            Column("unit_code", code(), required=True),
            Column("parent_unit_code", code()),
            Column("name", text(200)),
        ),
        permission=Permission.COMPANY_SAVE,
        apply=_apply_units,
        export=_export_units,
    ),
    ImportKind(
        name="addresses",
        rows_stand_alone=True,
        label=N_("Addresses"),
        columns=(
            _ACCOUNT_CODE,
            _UNIT_CODE,
            Column("address_code", code(), required=True),
            Column("kind", choice(("ship", "bill"))),
            Column("name", text(200)),
            Column("line1", text(200)),
            Column("line2", text(200)),
            Column("city", text(100)),
            Column("region", text(100)),
            Column("postcode", text(20)),
            Column("country", country),
        ),
        permission=Permission.COMPANY_SAVE,
        apply=_apply_addresses,
        export=_export_addresses,
    ),
    ImportKind(
        name="cost-centres",
        rows_stand_alone=True,
        label=N_("Cost centres"),
        columns=(
            _ACCOUNT_CODE,
            _UNIT_CODE,
            Column("cost_centre_code", code(), required=True),
            Column("name", text(200)),
            Column("owner_email", email),
        ),
        permission=Permission.COMPANY_SAVE,
        apply=_apply_cost_centres,
        export=_export_cost_centres,
    ),
    ImportKind(
        name="access-groups",
        rows_stand_alone=True,
        label=N_("Access groups"),
        columns=(
            _ACCOUNT_CODE,
            Column("access_group_code", code(), required=True),
            Column("name", text(200)),
            Column("assortments", codes),
        ),
        permission=Permission.COMPANY_SAVE,
        apply=_apply_access_groups,
        export=_export_access_groups,
    ),
    PEOPLE,
)
"""The kinds of file of this package, in the order in which a new account needs them."""
