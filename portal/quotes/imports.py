"""Files of quotes: one draft per new reference, for taking over from another system."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import func, select

from portal.accounts.cells import UnknownMemberError, email
from portal.accounts.importing import by_key, exported_accounts, named_accounts, unit_id_of
from portal.accounts.models import (
    Account,
    Address,
    CostCentre,
    Membership,
    Person,
    Unit,
)
from portal.catalog.models import Product
from portal.catalog.queries import find_products_by_sku
from portal.db import db, in_pages
from portal.errors import N_, DomainError
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import CellError, code, decimal, text
from portal.policy import Actor, Permission, Scope
from portal.quotes.adding import Wanted, check_product, find_uoms, take_over
from portal.quotes.models import Quote, QuoteLine, QuoteRevision
from portal.quotes.queries import find_by_reference
from portal.quotes.rules import MOST_LINES

_COLUMNS: Final = (
    Column("reference", text(64), required=True),
    Column("account_code", code(), required=True),
    Column("unit_code", code()),
    Column("person_email", email, required=True),
    Column("cost_centre_code", code()),
    Column("ship_to_address_code", code()),
    Column("sku", code(), required=True),
    Column(
        "quantity", decimal(3, least=Decimal("0.001"), most=Decimal(999_999_999)), required=True
    ),
    Column("uom", code(16)),
)


class UnknownCostCentreError(CellError):
    """The account has no such cost centre."""

    message = N_("The account has no cost centre with this code.")


class UnknownAddressError(CellError):
    """The account has no such ship-to address."""

    message = N_("The account has no ship-to address with this code.")


class OtherOwnerError(CellError):
    """One quote belongs to one person in one unit."""

    message = N_("An earlier row gives this reference another unit or person.")


class TooManyRowsError(CellError):
    """A quote has a limit."""

    message = N_("A quote has at most {most} lines.")


class ProductCellError(CellError):
    """The product can't be added; the words are those of adding it."""

    message = N_("{reason}")


@dataclass(frozen=True, slots=True)
class _Codes:
    """What the files' codes mean in the accounts that they name."""

    accounts: Mapping[str, Account]
    units: Mapping[tuple[int, str], Unit]
    centres: Mapping[tuple[int, str], CostCentre]
    addresses: Mapping[tuple[int, str], Address]


def _apply(actor: Actor, batch: Batch) -> None:
    """Make one draft for each reference that is not known yet."""
    accounts = named_accounts(actor, Permission.ACCOUNT_SAVE, batch)
    codes = _Codes(
        accounts,
        by_key(Unit, accounts.values()),
        by_key(CostCentre, accounts.values()),
        by_key(Address, accounts.values()),
    )
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in batch.rows:
        groups.setdefault((row["account_code"], row["reference"]), []).append(row)
    known = {
        account_code: find_by_reference(
            account.id, [reference for code_, reference in groups if code_ == account_code]
        )
        for account_code, account in accounts.items()
    }
    for (account_code, reference), rows in groups.items():
        if account_code not in accounts:
            continue
        if reference in known[account_code]:
            batch.count(is_new=False, is_changed=False)
            continue
        _make(actor, batch, codes, reference, rows)


def _make(actor: Actor, batch: Batch, codes: _Codes, reference: str, rows: Sequence[Row]) -> None:
    """Make the draft of one reference, or refuse the rows that it can't be made of."""
    account = codes.accounts[rows[0]["account_code"]]
    owner = _owner(actor, batch, codes, account, rows)
    if owner is None:
        return
    if len(rows) > MOST_LINES:
        batch.refuse(rows[MOST_LINES], "reference", TooManyRowsError(most=MOST_LINES))
        return
    wanted = _lines(batch, codes, account, owner, rows)
    if batch.report.refused:
        return
    quote = take_over(owner, reference, wanted, batch.now)
    batch.count(is_new=True, is_changed=False)
    batch.report.made.append((reference, quote.number))


def _owner(
    actor: Actor, batch: Batch, codes: _Codes, account: Account, rows: Sequence[Row]
) -> Actor | None:
    """Return the person that all rows name as the actor whose draft it becomes."""
    first = rows[0]
    for row in rows[1:]:
        if (row["unit_code"], row["person_email"]) != (first["unit_code"], first["person_email"]):
            batch.refuse(row, "person_email", OtherOwnerError())
            return None
    before = len(batch.report.refused)
    unit_id = unit_id_of(batch, first, account, codes.units)
    if len(batch.report.refused) > before:
        return None
    statement = (
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.account_id == account.id,
            Membership.unit_id == unit_id if unit_id is not None else Membership.unit_id.is_(None),
            Person.email == first["person_email"],
            Membership.status == "active",
        )
    )
    found = db.session.execute(statement).first()
    if found is None:
        batch.refuse(first, "person_email", UnknownMemberError())
        return None
    return _as_owner(actor, account, *found)


def _as_owner(actor: Actor, account: Account, membership: Membership, person: Person) -> Actor:
    """Return a member as owner of drafts, invited people too; the event names the operator."""
    return Actor(
        person_id=person.id,
        membership_id=membership.id,
        account_id=account.id,
        account_code=account.code,
        is_supplier=False,
        currency=account.currency,
        locale=account.locale,
        time_zone=account.time_zone,
        unit_id=membership.unit_id,
        access_group_id=membership.access_group_id,
        grants=MappingProxyType(
            {
                Permission.CATALOG_READ: Scope.ACCOUNT,
                Permission.PRICE_READ: Scope.ACCOUNT,
                Permission.QUOTE_READ: Scope.OWN,
                Permission.QUOTE_SAVE: Scope.OWN,
            }
        ),
        operator=actor.operator or actor.email,
    )


def _lines(
    batch: Batch, codes: _Codes, account: Account, owner: Actor, rows: Sequence[Row]
) -> list[Wanted]:
    products: dict[str, Product] = {}
    for page in in_pages(sorted({row["sku"] for row in rows})):
        products |= find_products_by_sku(owner, page)
    uoms = find_uoms({product.id: product.uom for product in products.values()})
    wanted: list[Wanted] = []
    for row in rows:
        centre = _place(batch, row, "cost_centre_code", account, codes.centres)
        address = _place(batch, row, "ship_to_address_code", account, codes.addresses)
        try:
            item = check_product(
                products.get(row["sku"]), row["sku"], row["quantity"], row["uom"], uoms
            )
        except DomainError as error:
            column = "uom" if error.field == "uom" else "sku"
            batch.refuse(row, column, ProductCellError(reason=str(error)))
            continue
        wanted.append(replace(item, cost_centre_id=centre, ship_to_address_id=address))
    return wanted


def _place(
    batch: Batch,
    row: Row,
    column: str,
    account: Account,
    places: Mapping[tuple[int, str], CostCentre] | Mapping[tuple[int, str], Address],
) -> int | None:
    if row[column] is None:
        return None
    found = places.get((account.id, row[column]))
    is_wrong_kind = isinstance(found, Address) and found.kind != "ship"
    if found is None or is_wrong_kind:
        is_centre = column == "cost_centre_code"
        batch.refuse(row, column, UnknownCostCentreError() if is_centre else UnknownAddressError())
        return None
    return found.id


def _export(actor: Actor, account_code: str | None) -> Iterable[Mapping[str, Any]]:
    """Return the lines of the quotes that carry a reference, in a stable order."""
    ids = exported_accounts(actor, Permission.ACCOUNT_SAVE, account_code)
    statement = (
        select(
            Quote.reference,
            Account.code,
            Unit.code,
            Person.email,
            func.coalesce(CostCentre.code, ""),
            func.coalesce(Address.code, ""),
            QuoteLine.sku,
            QuoteLine.quantity,
            QuoteLine.uom,
        )
        .join(Account, Account.id == Quote.account_id)
        .outerjoin(Unit, Unit.id == Quote.unit_id)
        .join(Membership, Membership.id == Quote.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .join(
            QuoteRevision,
            (QuoteRevision.quote_id == Quote.id) & (QuoteRevision.number == Quote.revision),
        )
        .join(QuoteLine, QuoteLine.revision_id == QuoteRevision.id)
        .outerjoin(CostCentre, CostCentre.id == QuoteLine.cost_centre_id)
        .outerjoin(Address, Address.id == QuoteLine.ship_to_address_id)
        .where(Quote.reference.is_not(None), Quote.account_id.in_(ids))
        .order_by(Account.code, Quote.id, QuoteLine.position)
    )
    names = [column.name for column in _COLUMNS]
    for row in db.session.execute(statement).all():
        yield dict(zip(names, row, strict=True)) | {"quantity": _short(row[7])}


def _short(quantity: Decimal) -> Decimal:
    """Return a quantity without trailing zeros, and never with an exponent."""
    whole = quantity.to_integral_value()
    return whole if whole == quantity else quantity.normalize()


QUOTES: Final = ImportKind(
    name="quotes",
    label=N_("Quotes"),
    columns=_COLUMNS,
    permission=Permission.ACCOUNT_SAVE,
    apply=_apply,
    export=_export,
)
KINDS: Final = (QUOTES,)
