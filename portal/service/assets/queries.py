"""Reading assets: which an actor may see, one whole, lists with exact counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account, Membership, Person, Unit
from portal.catalog.models import Category, Product, sku_key
from portal.config import Settings
from portal.containing import contains
from portal.db import db, lock
from portal.errors import N_, ConflictError, NotFoundError
from portal.policy import Actor, Permission
from portal.scope import within
from portal.service.assets.models import Asset, AssetRenewal, Entitlement
from portal.service.assets.rules import (
    SOON_DAYS,
    AssetStatus,
    SortBy,
    Tab,
    cover_of,
    tag_key,
)

__all__ = ["cover_of"]


class AssetNotFoundError(NotFoundError):
    """No such unit within the actor's scope."""

    message = N_("There is no asset {tag} that you can see.")


class SameTagError(ConflictError):
    """Two accounts have a unit with this tag, and nothing says which is meant."""

    message = N_("Several accounts have an asset {tag}: say which account is meant.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """What a list shows; what is empty does not narrow it."""

    tab: Tab = Tab.ALL
    text: str = ""
    unit: str = ""
    sku: str = ""
    status: str = ""
    account: str = ""
    days: int = SOON_DAYS

    @property
    def is_set(self) -> bool:
        """Whether anything but the view narrows the list."""
        return bool(self.text or self.unit or self.sku or self.status or self.account)


def today(now: datetime) -> date:
    """Return the day in the supplier's calendar, by which entitlements are counted."""
    settings: Settings = current_app.config["SETTINGS"]
    return now.astimezone(settings.zone).date()


def visible_to(actor: Actor, permission: Permission = Permission.ASSET_READ) -> Select[Asset]:
    """Select the units that ``permission`` reaches."""
    condition = within(
        actor,
        permission,
        account=Asset.account_id,
        unit=Asset.unit_id,
        owner=Asset.membership_id,
    )
    return select(Asset).where(condition)


def get_asset(
    actor: Actor,
    tag: str,
    *,
    account: str | None = None,
    permission: Permission = Permission.ASSET_READ,
    for_update: bool = False,
) -> Asset:
    """Return one unit with its account, product, unit, person and entitlements.

    Args:
        tag: Service tag, without regard to case.
        account: Code of its account, for whoever sees several.
        permission: What the unit must be within reach of.
        for_update: Lock the row and read it anew.

    Raises:
        AssetNotFoundError: No such unit within the actor's scope.
        SameTagError: Several accounts have one.
    """
    statement = visible_to(actor, permission).where(Asset.tag_key == tag_key(tag))
    if account:
        statement = statement.where(Asset.account.has(Account.code == account))
    if for_update:
        statement = lock(statement)
    found = db.session.scalars(_whole(statement).limit(2)).all()
    if not found:
        raise AssetNotFoundError(tag=tag)
    if len(found) > 1:
        raise SameTagError(tag=tag)
    return found[0]


def get_by_id(account_id: int, asset_id: int, *, for_update: bool = False) -> Asset:
    """Return one unit whole; the caller has made sure that the actor may see it.

    Raises:
        AssetNotFoundError: No such unit.
    """
    statement = select(Asset).where(Asset.account_id == account_id, Asset.id == asset_id)
    found = db.session.scalar(_whole(lock(statement) if for_update else statement))
    if found is None:
        raise AssetNotFoundError(tag="")
    return found


def get_entitlement(asset: Asset, position: int) -> Entitlement:
    """Return one of a unit's entitlements, the one that was added first being 1.

    Raises:
        AssetNotFoundError: The unit has no such entitlement.
    """
    found = asset.numbered_entitlements.get(position)
    if found is None:
        raise AssetNotFoundError(tag=asset.service_tag)
    return found


def _whole(statement: Select[Asset]) -> Select[Asset]:
    """Load everything that a page of a unit shows, in a few statements."""
    return statement.options(
        selectinload(Asset.account),
        selectinload(Asset.unit),
        selectinload(Asset.address),
        selectinload(Asset.product).selectinload(Product.category),
        selectinload(Asset.membership).selectinload(Membership.person),
        selectinload(Asset.entitlements),
    )


def find_assets(  # noqa: PLR0913 - a list has this many sides, all named at the call
    actor: Actor,
    wanted: AssetFilter,
    *,
    on: date,
    sort: SortBy = SortBy.TAG,
    descending: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[Asset]:
    """Return units with account, unit, person and entitlements, in the asked order.

    Args:
        on: The day by which cover is counted.
    """
    columns: dict[SortBy, ColumnElement[Any]] = {
        SortBy.TAG: Asset.tag_key.expression,
        SortBy.PRODUCT: Product.name.expression,
        SortBy.STATUS: Asset.status.expression,
        SortBy.DELIVERED: Asset.delivered_on.expression,
        SortBy.UNTIL: func.coalesce(_until(), date.min),
    }
    column = columns[sort]
    statement = (
        visible_to(actor)
        .join(Product, Product.id == Asset.product_id)
        .where(_matches(wanted), _in_tab(wanted, on))
        .options(
            joinedload(Asset.account),
            joinedload(Asset.unit),
            joinedload(Asset.membership).joinedload(Membership.person),
            selectinload(Asset.entitlements),
        )
        .order_by(column.desc() if descending else column.asc(), Asset.id)
        .offset(offset)
    )
    if limit is not None:
        statement = statement.limit(limit)
    return db.session.scalars(statement).all()


def count_by_tab(actor: Actor, wanted: AssetFilter, *, on: date) -> dict[Tab, int]:
    """Return how many units each view holds, exactly, in one statement."""
    rows = (
        visible_to(actor)
        .join(Product, Product.id == Asset.product_id)
        .where(_matches(wanted))
        .with_only_columns(
            *(
                func.count().filter(_in_tab(_tabbed(wanted, tab), on)).label(tab.value)
                for tab in Tab
            )
        )
    )
    found = db.session.execute(rows).one()
    return {tab: int(found[place]) for place, tab in enumerate(Tab)}


def _tabbed(wanted: AssetFilter, tab: Tab) -> AssetFilter:
    return AssetFilter(tab=tab, days=wanted.days)


def _until() -> ColumnElement[date]:
    """Return the last day of any entitlement of a unit."""
    return (
        select(func.max(Entitlement.valid_until))
        .where(Entitlement.asset_id == Asset.id, Entitlement.account_id == Asset.account_id)
        .correlate(Asset)
        .scalar_subquery()
    )


def is_covered(on: date) -> ColumnElement[bool]:
    """Return the condition that keeps the units which something covers on a day."""
    return exists().where(
        Entitlement.asset_id == Asset.id,
        Entitlement.account_id == Asset.account_id,
        Entitlement.valid_from <= on,
        Entitlement.valid_until >= on,
    )


def is_expiring(on: date, days: int) -> ColumnElement[bool]:
    """Return the condition that keeps covered units whose last entitlement ends in some days."""
    return and_(is_covered(on), _until() <= on + timedelta(days=days))


def _in_tab(wanted: AssetFilter, on: date) -> ColumnElement[bool]:
    in_use = Asset.status != AssetStatus.RETIRED
    return {
        Tab.ALL: true(),
        Tab.COVERED: is_covered(on),
        Tab.EXPIRING: and_(in_use, is_expiring(on, wanted.days)),
        Tab.EXPIRED: and_(in_use, ~is_covered(on)),
    }[wanted.tab]


def _matches(wanted: AssetFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(_holds(wanted.text))
    if wanted.unit:
        conditions.append(Asset.unit.has(Unit.code == wanted.unit))
    if wanted.sku:
        conditions.append(Product.sku_key == sku_key(wanted.sku))
    if wanted.status:
        conditions.append(
            Asset.status == AssetStatus(wanted.status)
            if wanted.status in set(AssetStatus)
            else false()
        )
    if wanted.account:
        conditions.append(Asset.account.has(Account.code == wanted.account))
    return and_(true(), *conditions)


def _holds(text: str) -> ColumnElement[bool]:
    """Keep the units that a text names: tag, product, order, place or person."""
    return or_(
        contains(Asset.service_tag, text),
        contains(Asset.order_number, text),
        contains(Asset.place, text),
        contains(Product.sku, text),
        contains(Product.name, text),
        Asset.membership.has(Membership.person.has(contains(Person.name, text))),
    )


def find_by_tags(actor: Actor, tags: Collection[str], account: str = "") -> Sequence[Asset]:
    """Return the units with some tags within reach, whole, by tag."""
    statement = visible_to(actor).where(Asset.tag_key.in_(sorted({tag_key(tag) for tag in tags})))
    if account:
        statement = statement.where(Asset.account.has(Account.code == account))
    return db.session.scalars(_whole(statement).order_by(Asset.tag_key, Asset.id)).all()


def find_of_order(actor: Actor, order_id: int) -> Sequence[Asset]:
    """Return the units that an order brought, as far as the actor sees them, by tag."""
    statement = visible_to(actor).where(Asset.order_id == order_id)
    return db.session.scalars(_whole(statement).order_by(Asset.tag_key)).all()


def find_existing(account_id: int, tags: Collection[str]) -> dict[str, Asset]:
    """Return the units of an account by the key of their tag, with their entitlements."""
    keys = sorted({tag_key(tag) for tag in tags})
    statement = (
        select(Asset)
        .where(Asset.account_id == account_id, Asset.tag_key.in_(keys))
        .options(selectinload(Asset.entitlements))
    )
    return {asset.tag_key: asset for asset in db.session.scalars(statement)}


def find_units(actor: Actor, permission: Permission = Permission.ASSET_READ) -> Sequence[Unit]:
    """Return the units of customers that ``permission`` reaches, by account and name."""
    statement = (
        select(Unit)
        .join(Account, Account.id == Unit.account_id)
        .where(
            within(actor, permission, account=Unit.account_id, unit=Unit.id),
            Account.kind == "customer",
        )
        .order_by(Account.code, Unit.name)
    )
    return db.session.scalars(statement).all()


def find_renewals(asset_ids: Collection[int]) -> Mapping[int, Sequence[AssetRenewal]]:
    """Return the renewals of some units with their quotes, newest first, by unit."""
    statement = (
        select(AssetRenewal)
        .where(AssetRenewal.asset_id.in_(sorted(asset_ids)))
        .options(joinedload(AssetRenewal.quote))
        .order_by(AssetRenewal.id.desc())
    )
    found: dict[int, list[AssetRenewal]] = {}
    for renewal in db.session.scalars(statement):
        found.setdefault(renewal.asset_id, []).append(renewal)
    return found


def find_names(person_ids: Collection[int]) -> Mapping[int, str]:
    """Return names for a time line."""
    statement = select(Person.id, Person.name).where(Person.id.in_(sorted(person_ids)))
    return dict(db.session.execute(statement).all())


def find_category_paths(category_ids: Collection[int | None]) -> Mapping[int, str]:
    """Return id -> path of some categories."""
    known = sorted({key for key in category_ids if key is not None})
    rows = db.session.execute(select(Category.id, Category.path).where(Category.id.in_(known)))
    return dict(rows.all())
