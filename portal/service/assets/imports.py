"""Files of assets: units that another system knows, with the end of their entitlement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.accounts.cells import UnknownMemberError, email
from portal.accounts.importing import (
    assign,
    by_key,
    exported_accounts,
    named_accounts,
    note_import,
    unit_id_of,
)
from portal.accounts.models import Account, Membership, Person, Unit
from portal.catalog.models import Product
from portal.catalog.pricing.lookups import UnknownProductError, find_products
from portal.db import db, in_pages
from portal.errors import N_
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, RepeatedRowError, Row
from portal.files.parsing import CellError, code, day, ending_instant, text
from portal.orders.history.models import PastOrder
from portal.orders.models import Order
from portal.policy import Actor, Permission
from portal.service.assets.making import (
    Belongs,
    Goods,
    add_warranty,
    entitle,
    find_goods,
    make_asset,
)
from portal.service.assets.models import Asset, Entitlement
from portal.service.assets.queries import find_existing
from portal.service.assets.rules import EntitlementKind, normal_tag, tag_key


class BadTagError(CellError):
    """A tag that an address can't carry."""

    message = N_("A service tag has letters, digits, dots, hyphens and underscores.")


class EndsBeforeDeliveryError(CellError):
    """An entitlement that ends before it begins."""

    message = N_("The entitlement can't end before it begins.")


class NeedsAnEndError(CellError):
    """The unit is entitled; a file changes the day on which that ends and doesn't take it away."""

    message = N_("The unit has an entitlement: give the day on which it ends.")


def service_tag(raw: str, _zone: ZoneInfo) -> str:
    """Parse a service tag."""
    if not raw or normal_tag(raw) != raw.strip():
        raise BadTagError
    return raw.strip()


def last_day(raw: str, zone: ZoneInfo) -> date:
    """Parse the last day included; of an exclusive instant the day in which it lies."""
    end = ending_instant(raw, zone)
    return (end.astimezone(zone) - timedelta(microseconds=1)).date()


_COLUMNS: Final = (
    Column("account_code", code(), required=True),
    Column("service_tag", service_tag, required=True),
    Column("sku", code()),
    Column("delivered_on", day),
    Column("entitlement_until", last_day),
    Column("order_number", text(64)),
    Column("unit_code", code()),
    Column("person_email", email),
    Column("place", text(200)),
)
_NEEDED: Final = ("sku", "delivered_on")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the file's words mean, and what is there already."""

    accounts: Mapping[str, Account]
    units: Mapping[tuple[int, str], Unit]
    assets: Mapping[tuple[int, str], Asset]
    goods: Mapping[str, Goods]
    members: Mapping[tuple[int, str], Membership]
    orders: Mapping[tuple[int, str], Belongs] = field(default_factory=dict)


def _apply(actor: Actor, batch: Batch) -> None:
    """Make units that are new, change those that are known; what is not in the file stays."""
    accounts = named_accounts(actor, Permission.ENTITLEMENT_SAVE, batch)
    rows = _by_tag(batch)
    known = _look_up(batch, accounts, rows)
    for row in rows:
        account = accounts.get(row["account_code"])
        if account is None:
            continue
        asset = known.assets.get((account.id, tag_key(row["service_tag"])))
        if not _can_be_read(batch, row, known, is_new=asset is None):
            continue
        belongs = _belongs(batch, row, account, known)
        if asset is None:
            _make(batch, row, account, known, belongs)
        else:
            _change(batch, row, asset, known, belongs)
    if not batch.report.refused:
        db.session.flush()
    note_import(actor, batch, accounts.values())


def _by_tag(batch: Batch) -> list[Row]:
    """Return the rows, refusing each that repeats an earlier tag, in whatever case."""
    first: dict[tuple[str, str], Row] = {}
    for row in batch.rows:
        key = (row["account_code"], tag_key(row["service_tag"]))
        if key in first:
            batch.refuse(row, "service_tag", RepeatedRowError(other=first[key].number))
        else:
            first[key] = row
    return list(first.values())


def _look_up(batch: Batch, accounts: Mapping[str, Account], rows: Iterable[Row]) -> _Known:
    ids = {name: account.id for name, account in accounts.items()}
    assets: dict[tuple[int, str], Asset] = {}
    for name, account_id in ids.items():
        tags = [row["service_tag"] for row in rows if row["account_code"] == name]
        for page in in_pages(tags):
            found = find_existing(account_id, page)
            assets |= {(account_id, key): asset for key, asset in found.items()}
    products = find_products(row["sku"] for row in batch.rows)
    goods = find_goods([item.id for item in products.values()])
    return _Known(
        accounts=accounts,
        units=by_key(Unit, accounts.values()),
        assets=assets,
        goods={sku: goods[item.id] for sku, item in products.items()},
        members=_find_members(ids.values(), batch),
        orders=_find_orders(ids.values(), {row["order_number"] for row in batch.rows}),
    )


def _find_members(account_ids: Iterable[int], batch: Batch) -> dict[tuple[int, str], Membership]:
    emails = sorted({row["person_email"] for row in batch.rows if row["person_email"]})
    found: dict[tuple[int, str], Membership] = {}
    for page in in_pages(emails):
        statement = (
            select(Person.email, Membership)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.account_id.in_(sorted(account_ids)), Person.email.in_(page))
            .order_by(Membership.status != "active", Membership.id)
        )
        for address, membership in db.session.execute(statement):
            found.setdefault((membership.account_id, address), membership)
    return found


def _find_orders(
    account_ids: Iterable[int], numbers: Iterable[str | None]
) -> dict[tuple[int, str], Belongs]:
    """Return whose each named order is: ours first, then those of another system."""
    ids = sorted(account_ids)
    found: dict[tuple[int, str], Belongs] = {}
    for page in in_pages(sorted(number for number in set(numbers) if number)):
        for past in db.session.scalars(
            select(PastOrder).where(PastOrder.account_id.in_(ids), PastOrder.number.in_(page))
        ):
            found[past.account_id, past.number] = Belongs(
                unit_id=past.unit_id, membership_id=past.membership_id, order_number=past.number
            )
        for own in db.session.scalars(
            select(Order).where(Order.account_id.in_(ids), Order.number.in_(page))
        ):
            found[own.account_id, own.number] = Belongs(
                unit_id=own.unit_id,
                membership_id=own.membership_id,
                order_id=own.id,
                order_number=own.number,
            )
    return found


def _can_be_read(batch: Batch, row: Row, known: _Known, *, is_new: bool) -> bool:
    """Refuse a row that leaves out what it needs, or names a product that there is not."""
    before = len(batch.report.refused)
    for name in _NEEDED:
        if (is_new or row.has(name)) and row[name] is None:
            batch.refuse(row, name, EmptyCellError())
    if row["sku"] is not None and row["sku"] not in known.goods:
        batch.refuse(row, "sku", UnknownProductError(code=row["sku"]))
    return len(batch.report.refused) == before


def _belongs(batch: Batch, row: Row, account: Account, known: _Known) -> Belongs:
    """Return whose the row says that the unit is; what it leaves open follows its order."""
    number = row["order_number"] or ""
    order = known.orders.get((account.id, number), Belongs(order_number=number))
    unit_id = unit_id_of(batch, row, account, known.units) if row["unit_code"] else order.unit_id
    membership_id = order.membership_id if not row.has("person_email") else None
    if row["person_email"]:
        member = known.members.get((account.id, row["person_email"]))
        if member is None:
            batch.refuse(row, "person_email", UnknownMemberError())
        membership_id = member.id if member else None
    return Belongs(
        unit_id=unit_id,
        membership_id=membership_id,
        order_id=order.order_id,
        order_number=number,
        place=row["place"] or "",
    )


def _make(batch: Batch, row: Row, account: Account, known: _Known, belongs: Belongs) -> None:
    until: date | None = row["entitlement_until"]
    if until is not None and until < row["delivered_on"]:
        batch.refuse(row, "entitlement_until", EndsBeforeDeliveryError())
        return
    goods = known.goods[row["sku"]]
    asset = make_asset(
        account.id,
        row["service_tag"],
        goods,
        delivered_on=row["delivered_on"],
        belongs=belongs,
        now=batch.now,
    )
    if until is not None:
        entitle(asset, EntitlementKind.WARRANTY, (asset.delivered_on, until), batch.now)
    elif not row.has("entitlement_until"):
        add_warranty(asset, goods, batch.now)
    batch.count(is_new=True, is_changed=False)


def _change(batch: Batch, row: Row, asset: Asset, known: _Known, belongs: Belongs) -> None:
    values = {
        "order_number": (belongs.order_number, "order_number"),
        "order_id": (belongs.order_id, "order_number"),
        "unit_id": (belongs.unit_id, "unit_code"),
        "membership_id": (belongs.membership_id, "person_email"),
        "place": (belongs.place, "place"),
    }
    given = {name: value for name, (value, column) in values.items() if row.has(column)}
    is_changed = _move_delivery(asset, row) | assign(asset, given) | _make_of(asset, row, known)
    is_changed |= _end_on(batch, row, asset)
    if is_changed:
        asset.version += 1
        asset.changed_at = batch.now
    batch.count(is_new=False, is_changed=is_changed)


def _make_of(asset: Asset, row: Row, known: _Known) -> bool:
    """Correct which product the unit is; what it was like at delivery goes with that."""
    if row["sku"] is None or row["sku"] == asset.sku:
        return False
    goods = known.goods[row["sku"]]
    return assign(asset, {"product_id": goods.product.id, "configuration": goods.configuration})


def _move_delivery(asset: Asset, row: Row) -> bool:
    """Correct the day of delivery; a warranty that began with it begins with it still."""
    before, after = asset.delivered_on, row["delivered_on"]
    if after is None or after == before:
        return False
    for held in asset.entitlements:
        if held.valid_from == before and after <= held.valid_until:
            held.valid_from = after
    asset.delivered_on = after
    return True


def _end_on(batch: Batch, row: Row, asset: Asset) -> bool:
    """Let the last entitlement end on the row's day, or add one where there is none."""
    if not row.has("entitlement_until"):
        return False
    until: date | None = row["entitlement_until"]
    last = max(asset.entitlements, key=lambda held: held.valid_until, default=None)
    if until is None:
        if last is not None:
            batch.refuse(row, "entitlement_until", NeedsAnEndError())
        return False
    if until < (last.valid_from if last else asset.delivered_on):
        batch.refuse(row, "entitlement_until", EndsBeforeDeliveryError())
        return False
    if last is None:
        entitle(asset, EntitlementKind.WARRANTY, (asset.delivered_on, until), batch.now)
        return True
    return assign(last, {"valid_until": until})


def _export(actor: Actor, account_code: str | None) -> Iterable[Mapping[str, Any]]:
    """Return the units with the last day of any entitlement, by account and tag."""
    ids = exported_accounts(actor, Permission.ENTITLEMENT_SAVE, account_code)
    until = (
        select(Entitlement.asset_id, func.max(Entitlement.valid_until).label("until"))
        .where(Entitlement.account_id.in_(ids))
        .group_by(Entitlement.asset_id)
        .subquery()
    )
    statement = (
        select(
            Account.code,
            Asset.service_tag,
            Product.sku,
            Asset.delivered_on,
            until.c.until,
            Asset.order_number,
            Unit.code,
            Person.email,
            Asset.place,
        )
        .join(Account, Account.id == Asset.account_id)
        .join(Product, Product.id == Asset.product_id)
        .outerjoin(until, until.c.asset_id == Asset.id)
        .outerjoin(Unit, Unit.id == Asset.unit_id)
        .outerjoin(Membership, Membership.id == Asset.membership_id)
        .outerjoin(Person, Person.id == Membership.person_id)
        .where(Asset.account_id.in_(ids))
        .order_by(Account.code, Asset.tag_key)
    )
    names = [column.name for column in _COLUMNS]
    for row in db.session.execute(statement).all():
        yield dict(zip(names, row, strict=True))


ASSETS: Final = ImportKind(
    name="assets",
    label=N_("Assets"),
    columns=_COLUMNS,
    permission=Permission.ENTITLEMENT_SAVE,
    apply=_apply,
    export=_export,
    rows_stand_alone=True,
)
KINDS: Final = (ASSETS,)
