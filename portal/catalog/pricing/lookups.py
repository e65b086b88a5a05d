"""Codes of files to ids, whole files at a time; and the refusals when a code is unknown."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pycountry
from flask import current_app
from sqlalchemy import select

from portal.accounts.models import Account, Unit
from portal.catalog.models import Category, Product
from portal.catalog.pricing.models import PriceList
from portal.config import Settings
from portal.db import db, in_pages
from portal.errors import N_
from portal.files.importing import Batch, Column, Row
from portal.files.parsing import CellError, ending_instant, instant
from portal.money import CURRENCIES

PAGE = 5_000
VALIDITY = (Column("valid_from", instant), Column("valid_to", ending_instant))
"""The two columns of every row with a validity."""


class UnknownListError(CellError):
    """No list has this code."""

    message = N_("There is no price list “{code}”.")


class UnknownProductError(CellError):
    """No product has this SKU."""

    message = N_("There is no product “{code}”.")


class UnknownCategoryError(CellError):
    """No category has this path."""

    message = N_("There is no category “{code}”.")


class UnknownAccountError(CellError):
    """No customer account has this code."""

    message = N_("There is no account “{code}”.")


class OtherCurrencyError(CellError):
    """A list in another currency than the account's never applies; said as a warning alone."""

    message = N_("{code} is in {currency}, the account pays in {own}: the list never applies.")


class UnknownUnitError(CellError):
    """The account has no such unit."""

    message = N_("The account has no unit “{code}”.")


class EndsBeforeItStartsError(CellError):
    """The window holds no instant."""

    message = N_("The end must be after the start.")


class NotACurrencyError(CellError):
    """The cell is not a currency code."""

    message = N_("Use a currency code like EUR (ISO 4217).")


class NotACountryError(CellError):
    """The cell is not a country code."""

    message = N_("Use a country code like DE (ISO 3166).")


def currency(raw: str, _zone: ZoneInfo) -> str:
    """Parse an ISO 4217 code."""
    if raw not in CURRENCIES:
        raise NotACurrencyError
    return raw


def country(raw: str, _zone: ZoneInfo) -> str:
    """Parse an ISO 3166 alpha-2 code."""
    if pycountry.countries.get(alpha_2=raw) is None:
        raise NotACountryError
    return raw


def supplier_zone() -> ZoneInfo:
    """Return the supplier's time zone, in which the bare dates of files are meant."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.zone


def plain(value: Decimal | None) -> str:
    """Return a decimal without trailing zeros or exponent; nothing for None."""
    if value is None:
        return ""
    return f"{value.normalize():f}" if value else "0"


def check_window(batch: Batch, row: Row) -> bool:
    """Refuse a row whose validity ends before it starts."""
    start, end = row["valid_from"], row["valid_to"]
    if start is None or end is None or start < end:
        return True
    batch.refuse(row, "valid_to", EndsBeforeItStartsError())
    return False


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """A product as files name it."""

    id: int
    uom: str


def find_products(skus: Iterable[str | None]) -> dict[str, FoundProduct]:
    """Return the products of some SKUs."""
    found: dict[str, FoundProduct] = {}
    for page in in_pages(sorted({sku for sku in skus if sku}), PAGE):
        rows = db.session.execute(
            select(Product.sku, Product.id, Product.uom).where(Product.sku.in_(page))
        )
        found.update({row.sku: FoundProduct(row.id, row.uom) for row in rows})
    return found


def find_category_ids() -> dict[str, int]:
    """Return the id of every category by its path."""
    rows = db.session.execute(select(Category.path, Category.id))
    return {row.path: row.id for row in rows}


def find_lists_by_code(codes: Iterable[str]) -> dict[str, PriceList]:
    """Return the lists of some codes."""
    found: dict[str, PriceList] = {}
    for page in in_pages(sorted(set(codes)), PAGE):
        rows = db.session.scalars(select(PriceList).where(PriceList.code.in_(page)))
        found.update({row.code: row for row in rows})
    return found


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """A customer account as files name it."""

    id: int
    currency: str


def find_accounts(codes: Iterable[str | None]) -> dict[str, FoundAccount]:
    """Return the customer accounts of some codes."""
    found: dict[str, FoundAccount] = {}
    for page in in_pages(sorted({code for code in codes if code}), PAGE):
        rows = db.session.execute(
            select(Account.code, Account.id, Account.currency).where(
                Account.code.in_(page), Account.kind == "customer"
            )
        )
        found.update({row.code: FoundAccount(row.id, row.currency) for row in rows})
    return found


def warn_of_currency(
    batch: Batch, row: Row, column: str, price_list: PriceList, account: FoundAccount
) -> None:
    """Warn where a list can never apply to an account, for its currency is another one."""
    if price_list.currency != account.currency:
        batch.warn(
            row,
            column,
            OtherCurrencyError(
                code=price_list.code, currency=price_list.currency, own=account.currency
            ),
        )


def find_unit_ids(account_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """Return the id of each unit of some accounts by account and code."""
    found: dict[tuple[int, str], int] = {}
    for page in in_pages(sorted(set(account_ids)), PAGE):
        rows = db.session.execute(
            select(Unit.account_id, Unit.code, Unit.id).where(Unit.account_id.in_(page))
        )
        found.update({(row.account_id, row.code): row.id for row in rows})
    return found


def by_list(batch: Batch, known: Mapping[str, PriceList]) -> dict[str, list[Row]]:
    """Group the rows of known lists by list code, refusing those of unknown ones."""
    grouped: dict[str, list[Row]] = {}
    for row in batch.rows:
        code = row["list_code"]
        if code in known:
            grouped.setdefault(code, []).append(row)
        else:
            batch.refuse(row, "list_code", UnknownListError(code=code))
    return grouped


def assign(target: object, values: Mapping[str, Any]) -> bool:
    """Set the attributes that differ and say whether any did."""
    changed = {name: value for name, value in values.items() if getattr(target, name) != value}
    for name, value in changed.items():
        setattr(target, name, value)
    return bool(changed)


def must_be_one(row: Row, *columns: str) -> bool:
    """Tell whether exactly one of some columns is filled in."""
    return sum(row[name] is not None for name in columns) == 1
