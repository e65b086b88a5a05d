"""What people do with assets: take in what was delivered, transfer, entitle, take out of use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import select

from portal.accounts.models import Address, Membership, Person, Unit
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError, NotAllowedError
from portal.events.actions import record
from portal.orders.models import Order, OrderLine
from portal.policy import Actor, Permission
from portal.service.assets import queries
from portal.service.assets.making import (
    Belongs,
    Goods,
    add_warranty,
    entitle,
    find_goods,
    make_asset,
)
from portal.service.assets.models import Asset, Entitlement
from portal.service.assets.renewing import extend_delivered
from portal.service.assets.rules import (
    KIND,
    VERBS,
    AssetStatus,
    Covered,
    EntitlementKind,
    Move,
    tag_key,
)


class AssetChangedError(ConflictError):
    """Somebody else saved first."""

    message = N_("{tag} was changed by somebody else meanwhile. Look at it again and repeat.")


class UnknownUnitError(InvalidError):
    """Not a unit of the account that this person looks after."""

    message = N_("Choose one of the units that you look after.")
    field = "unit"


class UnknownPersonError(InvalidError):
    """Nobody active of the account has this e-mail."""

    message = N_("Nobody of this account has this e-mail.")
    field = "email"


class UnknownAddressError(InvalidError):
    """Not an address of the account."""

    message = N_("Choose one of the list.")
    field = "address"


class BackwardsError(InvalidError):
    """The last day lies before the first."""

    message = N_("The last day can't be before the first one, {first}.")
    field = "valid_until"


class NothingCoveredError(InvalidError):
    """An entitlement to nothing."""

    message = N_("Choose what is covered.")
    field = "covers"


class DeliveredLine(Protocol):
    """What a delivery tells of one line of an order."""

    @property
    def order_line(self) -> OrderLine:
        """The line."""

    @property
    def serial_numbers(self) -> tuple[str, ...]:
        """The units that came, as far as they are known by number."""

    @property
    def delivered_on(self) -> date:
        """When they came."""


def take_in_delivered(
    actor: Actor, order: Order, delivered: Sequence[DeliveredLine], now: datetime
) -> None:
    """Make assets of delivered serial numbers, and extend what delivered renewals are for.

    Called in the transaction of the delivery. A unit that the account has already is not made
    again: one that had been returned is in use once more.
    """
    goods = find_goods([item.order_line.product_id for item in delivered])
    known = queries.find_existing(
        order.account_id, [tag for item in delivered for tag in item.serial_numbers]
    )
    for item in delivered:
        for serial in item.serial_numbers:
            if not tag_key(serial):
                continue
            asset = known.get(tag_key(serial))
            if asset is None:
                asset = _take_in(order, item, serial, goods[item.order_line.product_id], now)
                known[asset.tag_key] = asset
                db.session.flush()
                note(actor, asset, "asset.taken-in", now, order=order.number)
            elif asset.order_line_id != item.order_line.id:
                _deliver_again(actor, asset, order, now)
    extend_delivered(actor, order, delivered, now)


def _take_in(order: Order, item: DeliveredLine, serial: str, goods: Goods, now: datetime) -> Asset:
    line = item.order_line
    asset = make_asset(
        order.account_id,
        serial,
        goods,
        delivered_on=item.delivered_on,
        belongs=Belongs(
            unit_id=order.unit_id,
            membership_id=order.membership_id,
            address_id=_address_id(order.account_id, line.ship_to),
            order_id=order.id,
            order_line_id=line.id,
            order_number=order.number,
        ),
        now=now,
    )
    add_warranty(asset, goods, now)
    return asset


def _deliver_again(actor: Actor, asset: Asset, order: Order, now: datetime) -> None:
    if asset.status in {AssetStatus.RETURNED, AssetStatus.RETIRED}:
        asset.status = AssetStatus.IN_USE
    touch(asset, now)
    note(actor, asset, "asset.delivered-again", now, order=order.number)


def _address_id(account_id: int, code: str) -> int | None:
    if not code:
        return None
    statement = select(Address.id).where(Address.account_id == account_id, Address.code == code)
    return db.session.scalar(statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Where a unit goes; what is empty is nobody's."""

    unit: str = ""
    email: str = ""
    address: str = ""
    place: str = ""


def transfer(
    actor: Actor,
    tag: str,
    to: Transfer,
    *,
    version: int,
    now: datetime,
    account: str | None = None,
) -> Asset:
    """Give a unit to another unit of the organisation, person or place.

    Args:
        version: Of the unit as it was seen.
        account: Code of its account, for whoever sees several.

    Raises:
        AssetNotFoundError: No such unit within the actor's scope.
        NotAllowedError: The actor may not change it.
        AssetChangedError: Somebody else saved meanwhile.
        UnknownUnitError, UnknownPersonError, UnknownAddressError: A value can't be used.
    """
    with transaction():
        asset = _own(actor, tag, account, Permission.ASSET_SAVE)
        if asset.version != version:
            raise AssetChangedError(tag=asset.service_tag)
        before, place = _whose(asset), asset.place
        asset.unit_id = _unit_id(actor, asset, to.unit)
        asset.membership_id = _membership_id(asset, to.email)
        asset.address_id = _chosen_address(asset, to.address)
        asset.place = to.place.strip()
        if (_whose(asset), asset.place) != (before, place):
            touch(asset, now)
            note(actor, asset, "asset.transferred", now, before=before, after=_whose(asset))
    return asset


def _whose(asset: Asset) -> dict[str, int | None]:
    """Return whose a unit is, by ids: what was typed as its place may name somebody."""
    return {
        "unit_id": asset.unit_id,
        "membership_id": asset.membership_id,
        "address_id": asset.address_id,
    }


def _unit_id(actor: Actor, asset: Asset, code: str) -> int | None:
    if not code:
        if actor.reach(Permission.ASSET_SAVE).unit_ids is not None and asset.unit_id is not None:
            raise UnknownUnitError  # they would not see it any more
        return None
    statement = select(Unit.id).where(Unit.account_id == asset.account_id, Unit.code == code)
    unit_id = db.session.scalar(statement)
    reach = actor.reach(Permission.ASSET_SAVE)
    if unit_id is None or not (
        unit_id == asset.unit_id or reach.covers(account_id=asset.account_id, unit_id=unit_id)
    ):
        raise UnknownUnitError
    return unit_id


def _membership_id(asset: Asset, email: str) -> int | None:
    if not email.strip():
        return None
    statement = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.account_id == asset.account_id,
            Membership.status == "active",
            Person.email == email.strip().casefold(),
        )
        .order_by(Membership.unit_id != asset.unit_id, Membership.id)
    )
    found = db.session.scalars(statement.limit(1)).first()
    if found is None:
        raise UnknownPersonError
    return found


def _chosen_address(asset: Asset, code: str) -> int | None:
    found = _address_id(asset.account_id, code)
    if code and found is None:
        raise UnknownAddressError
    return found


def move_by_tag(
    actor: Actor, tag: str, move: Move, *, now: datetime, account: str | None = None
) -> Asset:
    """Take one of the steps of `Move` with a unit that somebody names.

    Raises:
        AssetNotFoundError: No such unit within the actor's scope.
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    with transaction():
        asset = _own(actor, tag, account, move.permission or Permission.ASSET_SAVE)
        _move(actor, asset, move, now)
    return asset


def move_asset(actor: Actor, account_id: int, asset_id: int, move: Move, now: datetime) -> Asset:
    """Take one of the steps of `Move` as part of another action, which has checked its rights.

    Raises:
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    with transaction():
        asset = queries.get_by_id(account_id, asset_id, for_update=True)
        _move(actor, asset, move, now)
    return asset


def _move(actor: Actor, asset: Asset, move: Move, now: datetime) -> None:
    asset.status = move.apply(asset.status, actor, asset.service_tag)
    touch(asset, now)
    note(actor, asset, VERBS[move], now, status=asset.status.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntitlement:
    """An entitlement as the supplier grants it; both days are included."""

    kind: EntitlementKind
    covers: tuple[Covered, ...]
    valid_from: date
    valid_until: date
    note: str = ""


def add_entitlement(
    actor: Actor, tag: str, wanted: NewEntitlement, *, now: datetime, account: str | None = None
) -> Entitlement:
    """Entitle a unit to something more.

    Raises:
        AssetNotFoundError, NotAllowedError: Not this unit, not this person.
        BackwardsError, NothingCoveredError: A value can't be used.
    """
    with transaction():
        asset = _own(actor, tag, account, Permission.ENTITLEMENT_SAVE)
        if wanted.valid_until < wanted.valid_from:
            raise BackwardsError(first=wanted.valid_from)
        if not wanted.covers:
            raise NothingCoveredError
        same = next((item for item in asset.entitlements if _says_the_same(item, wanted)), None)
        if same is not None:
            return same  # the form was sent twice
        days = (wanted.valid_from, wanted.valid_until)
        added = entitle(asset, wanted.kind, days, now, covers=wanted.covers)
        added.note = wanted.note.strip()
        touch(asset, now)
        db.session.flush()
        note(
            actor,
            asset,
            "asset.entitled",
            now,
            entitlement_id=added.id,
            until=wanted.valid_until.isoformat(),
        )
    return added


def _says_the_same(held: Entitlement, wanted: NewEntitlement) -> bool:
    return (held.kind, held.valid_from, held.valid_until, held.note) == (
        wanted.kind,
        wanted.valid_from,
        wanted.valid_until,
        wanted.note.strip(),
    ) and set(held.covers) == {item.value for item in wanted.covers}


def change_entitlement(  # noqa: PLR0913 - which one, how, and what was seen, named at the call
    actor: Actor,
    tag: str,
    position: int,
    *,
    valid_until: date,
    version: int,
    now: datetime,
    account: str | None = None,
) -> Entitlement:
    """Let an entitlement end on another day; ``position`` 1 is the one that was added first.

    Raises:
        AssetNotFoundError, NotAllowedError: Not this unit, not this person.
        AssetChangedError: Somebody else saved meanwhile.
        BackwardsError: The day lies before the first one.
    """
    with transaction():
        asset = _own(actor, tag, account, Permission.ENTITLEMENT_SAVE)
        held = queries.get_entitlement(asset, position)
        if asset.version != version:
            raise AssetChangedError(tag=asset.service_tag)
        if valid_until < held.valid_from:
            raise BackwardsError(first=held.valid_from)
        before = held.valid_until
        if before != valid_until:
            held.valid_until = valid_until
            touch(asset, now)
            note(
                actor,
                asset,
                "asset.entitlement-changed",
                now,
                entitlement_id=held.id,
                before=before.isoformat(),
                until=valid_until.isoformat(),
            )
    return held


def _own(actor: Actor, tag: str, account: str | None, permission: Permission) -> Asset:
    """Lock a unit that the actor sees and may change."""
    asset = queries.get_asset(actor, tag, account=account, for_update=True)
    reach = actor.reach(permission)
    if not reach.covers(
        account_id=asset.account_id, unit_id=asset.unit_id, owner_id=asset.membership_id
    ):
        raise NotAllowedError(permission=permission.value)
    return asset


def touch(asset: Asset, now: datetime) -> None:
    """Count a change of a unit."""
    asset.version += 1
    asset.changed_at = now


def note(actor: Actor, asset: Asset, verb: str, now: datetime, **data: object) -> None:
    """Write what happened to a unit into the record."""
    record(
        actor,
        verb,
        kind=KIND,
        object_id=asset.id,
        number=asset.service_tag,
        account_id=asset.account_id,
        now=now,
        **data,
    )
