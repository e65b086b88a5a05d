"""Files of accounts: one row is one customer."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from portal.accounts.cells import (
    SupplierRowError,
    UnknownAccountError,
    country,
    currency,
    locale,
    pattern,
    plain_amount,
    time_zone,
)
from portal.accounts.importing import (
    assign,
    exported_accounts,
    is_filled,
    note_import,
    rows_of,
)
from portal.accounts.models import Account, AccountAssignment
from portal.accounts.rules import AccountStatus
from portal.db import db, in_pages, lock
from portal.errors import N_
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import choice, code, decimal, integer, text
from portal.policy import Actor, Permission

MOST_DAYS: Final = 3650

_ACCOUNT_NEEDS: Final = ("name", "country", "currency")
_ACCOUNT_DEFAULTS: Final[Mapping[str, Any]] = {
    "locale": "en",
    "time_zone": "UTC",
    "tax_status": "normal",
    "payment_terms_days": 30,
    "quote_valid_days": 30,
    "partial_orders": "free",
    "purchase_order_number": "required",
}
"""What an empty cell means where the table has no empty value."""

ACCOUNT_COLUMNS: Final = (
    Column("account_code", code(), required=True),
    Column("name", text(200)),
    Column("country", country),
    Column("currency", currency),
    Column("locale", locale),
    Column("time_zone", time_zone),
    Column("tax_id", text(64)),
    Column("tax_status", choice(("normal", "exempt", "reverse-charge"))),
    Column("tier", text(64)),
    Column("segment", text(64)),
    Column("payment_terms_days", integer(most=MOST_DAYS)),
    Column("credit_limit", decimal(4)),
    Column("status", choice(status.value for status in AccountStatus)),
    Column("quote_valid_days", integer(least=1, most=MOST_DAYS)),
    Column("partial_orders", choice(("free", "from_break", "whole"))),
    Column("purchase_order_number", choice(("required", "optional"))),
    Column("purchase_order_pattern", pattern),
)
_ACCOUNT_FIELDS: Final = tuple(column.name for column in ACCOUNT_COLUMNS[1:])


def _apply_accounts(actor: Actor, batch: Batch) -> None:
    """Make or change accounts; a new one is assigned to the account manager who makes it."""
    rows = {key[0]: row for key, row in batch.keyed("account_code").items()}
    found: dict[str, Account] = {}
    for page in in_pages(sorted(rows)):
        statement = select(Account).where(Account.code.in_(page)).order_by(Account.id)
        found |= {account.code: account for account in db.session.scalars(lock(statement))}
    reach = actor.reach(Permission.ACCOUNT_SAVE)
    touched: list[Account] = []
    for name, row in rows.items():
        account = found.get(name)
        if account is not None and not reach.covers(account_id=account.id):
            batch.refuse(row, "account_code", UnknownAccountError())
        elif account is not None and account.is_supplier:
            batch.refuse(row, "account_code", SupplierRowError())
        elif is_filled(batch, row, _ACCOUNT_NEEDS, is_new=account is None):
            touched += _save_account(batch, row, account)
    db.session.flush()
    _take_charge(actor, [account for account in touched if account.code not in found])
    note_import(actor, batch, touched)


def _save_account(batch: Batch, row: Row, account: Account | None) -> list[Account]:
    values = row.given(*_ACCOUNT_FIELDS)
    for name, default in _ACCOUNT_DEFAULTS.items():
        if name in values and values[name] is None:
            values[name] = default
    if values.get("status", "") is None:  # an empty state never activates what is suspended
        del values["status"]
    is_new = account is None
    if account is None:
        account = Account(code=row["account_code"])
        db.session.add(account)
    is_changed = assign(account, values)
    batch.count(is_new=is_new, is_changed=is_changed)
    return [account] if is_new or is_changed else []


def _take_charge(actor: Actor, made: Iterable[Account]) -> None:
    if actor.membership_id is None or actor.reach(Permission.ACCOUNT_SAVE).account_ids is None:
        return
    db.session.add_all(
        AccountAssignment(membership_id=actor.membership_id, account_id=account.id)
        for account in made
    )
    db.session.flush()


def _export_accounts(actor: Actor, account_code: str | None) -> list[dict[str, Any]]:
    ids = exported_accounts(actor, Permission.ACCOUNT_SAVE, account_code)
    fields = [getattr(Account, name) for name in _ACCOUNT_FIELDS]
    rows = rows_of(
        select(Account.code, *fields)
        .where(Account.id.in_(ids), Account.kind == "customer")
        .order_by(Account.code),
        [column.name for column in ACCOUNT_COLUMNS],
    )
    return [row | {"credit_limit": plain_amount(row["credit_limit"])} for row in rows]


ACCOUNTS: Final = ImportKind(
    name="accounts",
    label=N_("Accounts"),
    columns=ACCOUNT_COLUMNS,
    permission=Permission.ACCOUNT_SAVE,
    apply=_apply_accounts,
    export=_export_accounts,
)
