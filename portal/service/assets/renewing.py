"""Renewals: which services extend a unit's entitlement, their quote, and what its delivery does."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from portal.catalog.models import Product, ProductAttribute
from portal.catalog.queries import visible_products
from portal.db import db, lock, transaction
from portal.errors import N_, ConflictError, InvalidError, NotAllowedError
from portal.events.actions import record
from portal.orders.models import Order, OrderLine
from portal.policy import Actor, Permission
from portal.quotes.adding import add_lines, create_quote
from portal.quotes.models import Quote
from portal.quotes.queries import get_by_id as get_quote
from portal.quotes.rules import QuoteStatus
from portal.service.assets import queries
from portal.service.assets.making import entitle
from portal.service.assets.models import Asset, AssetRenewal
from portal.service.assets.rules import (
    KIND,
    RENEWAL_COVERS,
    RENEWAL_FOR,
    RENEWAL_MONTHS,
    WARRANTY_COVERS,
    AssetStatus,
    Covered,
    EntitlementKind,
    is_under,
    listed,
    months_in,
    renewed,
    tag_key,
)

MOST_AT_ONCE: Final = 500
MOST_NOTE: Final = 400
"""Characters that the note of a line of a quote holds."""
ENDED: Final = frozenset(
    {QuoteStatus.DISCARDED, QuoteStatus.EXPIRED, QuoteStatus.REJECTED, QuoteStatus.WITHDRAWN}
)
"""States in which a quote will not bring what stands on it, unless it is revised."""


class NothingToRenewError(InvalidError):
    """No unit was chosen."""

    message = N_("Choose at least one asset to renew.")


class TooManyError(InvalidError):
    """More than one quote should hold."""

    message = N_("Choose at most {most} assets at once.")


class NoRenewalError(InvalidError):
    """The catalogue has no such service for this unit."""

    message = N_("{tag}: your catalogue has no renewal of this kind for it.")


class RenewalOpenError(ConflictError):
    """Another quote renews the unit already."""

    message = N_("{tag}: a renewal stands on quote {quote} already.")


class RetiredError(ConflictError):
    """What is not in use needs no renewal."""

    message = N_("{tag} is {status}: it can't be renewed.")


@dataclass(frozen=True, slots=True)
class Renewal:
    """A service product that extends the entitlement of units."""

    product: Product
    months: int
    covers: tuple[Covered, ...]
    categories: tuple[str, ...]

    def depth_for(self, path: str) -> int:
        """Return how closely it fits a category: the deeper its own one the better."""
        fitting = [root for root in self.categories if is_under(path, (root,))]
        return max((root.count("/") + 1 for root in fitting), default=0)


def find_renewals(actor: Actor) -> Sequence[Renewal]:
    """Return the renewals in the actor's catalogue, by SKU."""
    statement = (
        visible_products(actor)
        .join(ProductAttribute, ProductAttribute.product_id == Product.id)
        .where(ProductAttribute.name == RENEWAL_MONTHS)
        .options(selectinload(Product.attributes))
        .order_by(Product.sku)
    )
    found = [_renewal(product) for product in db.session.scalars(statement)]
    return [item for item in found if item.months]


def _renewal(product: Product) -> Renewal:
    stated = {item.name: item.value for item in product.attributes}
    named = listed(stated.get(RENEWAL_COVERS, ""))
    return Renewal(
        product,
        months_in(stated, RENEWAL_MONTHS),
        tuple(item for item in Covered if item.value in named) or WARRANTY_COVERS,
        listed(stated.get(RENEWAL_FOR, "")),
    )


def offers_for(
    asset: Asset, renewals: Sequence[Renewal], paths: Mapping[int, str]
) -> list[Renewal]:
    """Return the renewals that are sold for a unit: the closest fit first, then the shortest.

    Args:
        paths: Category id -> path.
    """
    path = paths.get(asset.product.category_id or 0, "")
    fitting = [item for item in renewals if is_under(path, item.categories)]
    return sorted(fitting, key=lambda item: (-item.depth_for(path), item.months, item.product.sku))


def open_renewal(renewals: Sequence[AssetRenewal]) -> AssetRenewal | None:
    """Return the renewal of a unit that is still under way, if there is one."""
    return next(
        (item for item in renewals if item.extended_at is None and item.quote.status not in ENDED),
        None,
    )


def renew(actor: Actor, chosen: Mapping[str, str], *, key: str, title: str, now: datetime) -> Quote:
    """Make a draft quote of renewals for some units, and remember which are meant.

    Args:
        chosen: Service tag -> SKU of its renewal.
        key: Names the form; the same form sent again is answered with the quote that it made.
        title: What the quote is called.

    Raises:
        NotAllowedError: The actor can't save quotes.
        NothingToRenewError, TooManyError, NoRenewalError, RetiredError, RenewalOpenError:
            See each; then nothing is made.
    """
    actor.must(Permission.QUOTE_SAVE)
    if not chosen:
        raise NothingToRenewError
    if len(chosen) > MOST_AT_ONCE:
        raise TooManyError(most=MOST_AT_ONCE)
    with transaction():
        made = _made_with(actor.account_id, key)
        if made is not None:
            return made
        wanted = _wanted(actor, chosen)
        quantities = Counter(item.product.sku for _asset, item in wanted)
        quote = create_quote(actor, now, title=title)
        lines = [(sku, Decimal(count), None) for sku, count in sorted(quantities.items())]
        quote = add_lines(actor, quote.number, lines, now)
        _name_units(quote, wanted)
        for asset, item in wanted:
            db.session.add(
                AssetRenewal(
                    account_id=asset.account_id,
                    asset_id=asset.id,
                    quote_id=quote.id,
                    product_id=item.product.id,
                    months=item.months,
                    covers=[cover.value for cover in item.covers],
                    key=key,
                    created_at=now,
                )
            )
            _note(actor, asset, "asset.renewal-quoted", now, quote=quote.number)
    return quote


def _name_units(quote: Quote, wanted: Sequence[tuple[Asset, Renewal]]) -> None:
    """Note on each line which units it is for, so that approvers and the supplier read it."""
    for line in quote.current.lines:
        tags = [asset.service_tag for asset, item in wanted if item.product.sku == line.sku]
        text = ", ".join(tags)
        line.note = text if len(text) <= MOST_NOTE else text[: MOST_NOTE - 1] + "…"


def _made_with(account_id: int, key: str) -> Quote | None:
    statement = select(AssetRenewal.quote_id).where(
        AssetRenewal.account_id == account_id, AssetRenewal.key == key
    )
    quote_id = db.session.scalars(statement.limit(1)).first()
    return None if quote_id is None else get_quote(quote_id)


def _wanted(actor: Actor, chosen: Mapping[str, str]) -> list[tuple[Asset, Renewal]]:
    """Return each unit with its renewal, locked in the order of their ids, or refuse."""
    assets = _locked(actor, chosen)
    renewals = find_renewals(actor)
    paths = queries.find_category_paths({asset.product.category_id for asset in assets})
    under_way = queries.find_renewals([asset.id for asset in assets])
    skus = {tag_key(tag): sku for tag, sku in chosen.items()}
    wanted: list[tuple[Asset, Renewal]] = []
    for asset in assets:
        _check(actor, asset, under_way.get(asset.id, ()))
        offered = offers_for(asset, renewals, paths)
        sku = skus[asset.tag_key]
        item = next((item for item in offered if item.product.sku == sku), None)
        if item is None:
            raise NoRenewalError(tag=asset.service_tag)
        wanted.append((asset, item))
    return wanted


def _locked(actor: Actor, tags: Collection[str]) -> list[Asset]:
    found = queries.find_by_tags(actor, tags)
    known = {asset.tag_key for asset in found}
    for tag in tags:
        if tag_key(tag) not in known:
            raise queries.AssetNotFoundError(tag=tag)
    ids = sorted(asset.id for asset in found)
    db.session.execute(lock(select(Asset.id).where(Asset.id.in_(ids)).order_by(Asset.id)))
    return list(found)


def _check(actor: Actor, asset: Asset, renewals: Sequence[AssetRenewal]) -> None:
    if asset.account_id != actor.account_id:  # a quote belongs to the one who buys
        raise NotAllowedError(permission=Permission.QUOTE_SAVE.value)
    if asset.status in {AssetStatus.RETIRED, AssetStatus.RETURNED}:
        raise RetiredError(tag=asset.service_tag, status=asset.status)
    under_way = open_renewal(renewals)
    if under_way is not None:
        raise RenewalOpenError(tag=asset.service_tag, quote=under_way.quote.number)


class DeliveredService(Protocol):
    """What a delivery tells of one line of an order."""

    @property
    def order_line(self) -> OrderLine:
        """The line."""

    @property
    def delivered_on(self) -> date:
        """When it was delivered."""


def extend_delivered(
    actor: Actor, order: Order, delivered: Sequence[DeliveredService], now: datetime
) -> None:
    """Extend the entitlement of as many units as renewals for them were delivered, oldest first.

    Called in the transaction of the delivery.
    """
    for item in delivered:
        line = item.order_line
        statement = (
            select(AssetRenewal)
            .where(
                AssetRenewal.account_id == order.account_id,
                AssetRenewal.quote_id == order.quote_id,
                AssetRenewal.product_id == line.product_id,
                AssetRenewal.extended_at.is_(None),
            )
            .order_by(AssetRenewal.id)
            .limit(int(line.delivered) - _extended_by(line))
        )
        for renewal in db.session.scalars(lock(statement)).all():
            _extend(actor, renewal, item, now)


def _extended_by(line: OrderLine) -> int:
    """Return how many units earlier deliveries of a line have extended."""
    statement = (
        select(func.count())
        .select_from(AssetRenewal)
        .where(AssetRenewal.account_id == line.account_id, AssetRenewal.order_line_id == line.id)
    )
    return db.session.scalar(statement) or 0


def _extend(actor: Actor, renewal: AssetRenewal, item: DeliveredService, now: datetime) -> None:
    asset = queries.get_by_id(renewal.account_id, renewal.asset_id, for_update=True)
    days = renewed(asset.entitlements, item.delivered_on, renewal.months)
    added = entitle(asset, EntitlementKind.CONTRACT, days, now, covers=renewal.covers)
    added.renewal_id = renewal.id
    renewal.extended_at, renewal.order_line_id = now, item.order_line.id
    asset.version += 1
    asset.changed_at = now
    db.session.flush()
    _note(actor, asset, "asset.renewed", now, until=days[1].isoformat())


def _note(actor: Actor, asset: Asset, verb: str, now: datetime, **data: object) -> None:
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
