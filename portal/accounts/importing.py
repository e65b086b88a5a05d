"""What the files of this package share: accounts within reach, things known by code, the record."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from portal.accounts.cells import UnknownAccountError, UnknownUnitError
from portal.accounts.models import Account, Unit
from portal.accounts.queries import AccountNotFoundError
from portal.db import db, in_pages, lock
from portal.events.actions import record
from portal.files.importing import Batch, EmptyCellError, Row
from portal.policy import Actor, Permission
from portal.scope import within


def named_accounts(actor: Actor, permission: Permission, batch: Batch) -> dict[str, Account]:
    """Return the accounts that the rows name, locked; rows naming one out of reach are refused."""
    wanted = sorted({row["account_code"] for row in batch.rows})
    found: dict[str, Account] = {}
    for page in in_pages(wanted):
        statement = select(Account).where(Account.code.in_(page)).order_by(Account.id)
        found |= {account.code: account for account in db.session.scalars(lock(statement))}
    reach = actor.reach(permission)
    reached = {
        name: account
        for name, account in found.items()
        if reach.covers(account_id=account.id)
        and (not account.is_supplier or actor.can(Permission.STAFF_SAVE))
    }
    for row in batch.rows:
        if row["account_code"] not in reached:
            batch.refuse(row, "account_code", UnknownAccountError())
    return reached


def is_filled(batch: Batch, row: Row, names: Iterable[str], *, is_new: bool) -> bool:
    """Refuse a row that leaves out what a new thing needs, or empties what must stay filled."""
    empty = [name for name in names if (is_new or row.has(name)) and row[name] is None]
    for name in empty:
        batch.refuse(row, name, EmptyCellError())
    return not empty


def assign(target: object, values: Mapping[str, Any]) -> bool:
    """Set attributes, and say whether any of them changed."""
    changed = {name: value for name, value in values.items() if getattr(target, name) != value}
    for name, value in changed.items():
        setattr(target, name, value)
    return bool(changed)


def by_key(model: Any, accounts: Iterable[Account]) -> dict[tuple[int, str], Any]:  # noqa: ANN401
    """Return (account id, code) -> row of a table whose codes are the account's own."""
    ids = sorted(account.id for account in accounts)
    rows = db.session.scalars(select(model).where(model.account_id.in_(ids)))
    return {(row.account_id, row.code): row for row in rows}


def unit_id_of(
    batch: Batch, row: Row, account: Account, units: Mapping[tuple[int, str], Unit]
) -> int | None:
    """Return the id of the unit that a row names, ``None`` for none; an unknown one is refused."""
    if row["unit_code"] is None:
        return None
    unit = units.get((account.id, row["unit_code"]))
    if unit is None:
        batch.refuse(row, "unit_code", UnknownUnitError())
    return unit.id if unit else None


def note_import(actor: Actor, batch: Batch, accounts: Iterable[Account]) -> None:
    """Note in each account's record that a file changed it; nothing changed, nothing noted."""
    report = batch.report
    if report.refused or not (report.new or report.changed):
        return
    for account in accounts:
        record(
            actor,
            "accounts.imported",
            kind="account",
            object_id=account.id,
            number=account.code,
            account_id=account.id,
            now=batch.now,
            file=report.kind,
            new=report.new,
            changed=report.changed,
        )


def exported_accounts(actor: Actor, permission: Permission, account_code: str | None) -> list[int]:
    """Return the ids of the accounts whose rows an export may hold, by code.

    Raises:
        AccountNotFoundError: ``account_code`` is not one of them.
    """
    statement = select(Account.id).where(within(actor, permission, account=Account.id))
    if account_code is not None:
        statement = statement.where(Account.code == account_code)
    found = list(db.session.scalars(statement.order_by(Account.code)))
    if account_code is not None and not found:
        raise AccountNotFoundError(code=account_code)
    return found


def rows_of(statement: Select[*tuple[Any, ...]], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a statement under the names of a file's columns."""
    return [dict(zip(columns, row, strict=True)) for row in db.session.execute(statement).all()]


def unit_value(
    batch: Batch, row: Row, account: Account, units: Mapping[tuple[int, str], Unit]
) -> dict[str, Any]:
    """Return the unit that a row sets, nothing where the file has no such column."""
    if not row.has("unit_code"):
        return {}
    return {"unit_id": unit_id_of(batch, row, account, units)}


@dataclass(frozen=True, slots=True)
class Coded:
    """A table whose rows are known by a code within their account.

    ``differs`` says of a row whose thing exists whether something beside its own columns changes.
    """

    model: Any
    column: str
    needs: tuple[str, ...]
    values: Callable[[Row, Account], dict[str, Any]]
    differs: Callable[[Row, Any], bool] = lambda _row, _item: False


def apply_coded(
    actor: Actor, batch: Batch, accounts: Mapping[str, Account], coded: Coded
) -> list[tuple[Row, Any]]:
    """Make or change things known by their code; return each new or changed one with its row."""
    existing = by_key(coded.model, accounts.values())
    saved: list[tuple[Row, Any]] = []
    for row in batch.keyed("account_code", coded.column).values():
        account = accounts.get(row["account_code"])
        if account is None:
            continue
        item = existing.get((account.id, row[coded.column]))
        if not is_filled(batch, row, coded.needs, is_new=item is None):
            continue
        values = coded.values(row, account)
        if item is None:
            saved.append((row, _make(coded, row, account, values)))
            batch.count(is_new=True, is_changed=False)
            continue
        is_changed = assign(item, values) | coded.differs(row, item)
        batch.count(is_new=False, is_changed=is_changed)
        if is_changed:
            saved.append((row, item))
    if not batch.report.refused:
        db.session.flush()
    note_import(actor, batch, accounts.values())
    return saved


def _make(coded: Coded, row: Row, account: Account, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    item = coded.model(account_id=account.id, code=row[coded.column], **values)
    db.session.add(item)
    return item
