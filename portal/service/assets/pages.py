"""What the pages of assets show, as plain data for their templates."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from flask import url_for
from flask_babel import gettext as _

from portal.accounts.models import Address
from portal.accounts.queries import find_addresses
from portal.catalog.models import Product
from portal.catalog.pricing.queries import PriceBook, buyer_of, open_book
from portal.catalog.queries import visible_products
from portal.catalog.rules import local_name, smallest_quantity
from portal.db import db
from portal.orders import queries as order_queries
from portal.orders.history import queries as past_queries
from portal.orders.history.models import PastOrder
from portal.orders.models import Order
from portal.policy import Actor, Permission
from portal.service.assets import queries
from portal.service.assets.forms import EntitlementForm, TransferForm
from portal.service.assets.models import Asset, AssetRenewal
from portal.service.assets.queries import AssetFilter
from portal.service.assets.renewing import (
    Renewal,
    find_renewals,
    offers_for,
    open_renewal,
)
from portal.service.assets.rules import (
    MOST_DAYS,
    SOON_DAYS,
    AssetStatus,
    Cover,
    Move,
    Tab,
    cover_of,
    renewed,
)
from portal.service.assets.telling import Linked, tell
from portal.web.addresses import url_with
from portal.web.formats import day, unit_price
from portal.web.locale import current_language
from portal.web.timeline import TimelineEntry

MOST_TEXT: Final = 64
SOON_CHOICES: Final = (30, 60, 90, 180, 365)


Source = Callable[[Actor, Asset], Sequence[Linked]]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Name a function that tells what belongs to a unit, as far as the actor sees it."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True, slots=True)
class AssetPage:
    """One unit as its page shows it; a reason that is empty says that the step can be taken."""

    asset: Asset
    cover: Cover
    days_left: int | None
    order_url: str | None
    product_url: str | None
    timeline: list[TimelineEntry]
    linked: Sequence[Linked]
    renewals: Sequence[AssetRenewal]
    under_way: AssetRenewal | None
    can_save: bool
    can_entitle: bool
    moves: Mapping[str, Move]
    renew_reason: str
    transfer: TransferForm
    entitlement: EntitlementForm


def filter_of(args: Mapping[str, str]) -> AssetFilter:
    """Read a list's filter from the address; nonsense is the default."""
    asked = args.get("view", "")
    days = args.get("days", "")
    is_number = days.isascii() and days.isdigit() and 0 < len(days) < 5  # noqa: PLR2004
    status = args.get("status", "")
    return AssetFilter(
        tab=Tab(asked) if asked in set(Tab) else Tab.ALL,
        text=args.get("q", "").strip()[:MOST_TEXT],
        unit=args.get("unit", "").strip()[:MOST_TEXT],
        sku=args.get("sku", "").strip()[:MOST_TEXT],
        status=status if status in set(AssetStatus) else "",
        account=args.get("account", "").strip()[:MOST_TEXT],
        days=min(int(days), MOST_DAYS) if is_number else SOON_DAYS,
    )


def views_of(wanted: AssetFilter, counts: Mapping[Tab, int]) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the list: label, address, whether it is shown, exact count."""
    return [
        (_tab(tab, wanted.days), url_with(view=tab.value, page=None), tab is wanted.tab, count)
        for tab, count in counts.items()
    ]


def _tab(tab: Tab, days: int) -> str:
    if tab is Tab.EXPIRING:
        return _("Ends within %(days)s days", days=days)
    return _(tab.label)


def chips_of(wanted: AssetFilter) -> list[tuple[str, str]]:
    """Return the filters that are on, each with the address that takes it off."""
    return [
        (value, url_with(**{name: None}, page=None))
        for name, value in (
            ("q", wanted.text and f"“{wanted.text}”"),
            ("account", wanted.account),
            ("unit", wanted.unit),
            ("sku", wanted.sku),
            ("status", wanted.status and _(AssetStatus(wanted.status).label)),
        )
        if value
    ]


def transfer_form(actor: Actor, asset: Asset, form: TransferForm | None = None) -> TransferForm:
    """Return the form of a transfer with its choices; without one as typed, as the unit is."""
    form = form or TransferForm(
        formdata=None,
        unit=asset.unit.code if asset.unit else "",
        email=asset.membership.person.email if asset.membership else "",
        address=asset.address.code if asset.address else "",
        place=asset.place,
        version=str(asset.version),
    )
    units = queries.find_units(actor, Permission.ASSET_SAVE)
    named = {unit.code: unit.name for unit in units if unit.account_id == asset.account_id}
    if asset.unit:
        named.setdefault(asset.unit.code, asset.unit.name)
    form.unit.choices = [("", "–"), *named.items()]
    form.address.choices = [("", "–"), *_addresses(asset)]
    return form


def _addresses(asset: Asset) -> list[tuple[str, str]]:
    found: Sequence[Address] = find_addresses(asset.account_id, kind="ship")
    return [(item.code, f"{item.code} – {item.name}") for item in found]


def show_asset(
    actor: Actor,
    asset: Asset,
    *,
    now: datetime,
    transfer: TransferForm | None = None,
    entitlement: EntitlementForm | None = None,
) -> AssetPage:
    """Return a unit's page: what covers it, whose it is, what happened, what may be done."""
    on = queries.today(now)
    cover = cover_of(asset, on)
    linked = sorted(
        (item for source in _sources for item in source(actor, asset)),
        key=lambda item: item.at,
        reverse=True,
    )
    renewals = queries.find_renewals([asset.id]).get(asset.id, ())
    order = _visible_order(actor, asset)
    under_way = open_renewal(renewals)
    return AssetPage(
        asset=asset,
        cover=cover,
        days_left=cover.days_left(on),
        order_url=order,
        product_url=_product_url(actor, asset),
        timeline=tell(asset, linked, with_order=order is not None),
        linked=linked,
        renewals=renewals,
        under_way=under_way,
        can_save=_may(actor, asset, Permission.ASSET_SAVE),
        can_entitle=_may(actor, asset, Permission.ENTITLEMENT_SAVE),
        moves=_moves(actor, asset),
        renew_reason=_why_not_renew(actor, asset, under_way),
        transfer=transfer_form(actor, asset, transfer),
        entitlement=entitlement or EntitlementForm(formdata=None, valid_from=on),
    )


def _may(actor: Actor, asset: Asset, permission: Permission) -> bool:
    return actor.reach(permission).covers(
        account_id=asset.account_id, unit_id=asset.unit_id, owner_id=asset.membership_id
    )


def _moves(actor: Actor, asset: Asset) -> dict[str, Move]:
    """Return the steps that this person can take on the page of the unit."""
    return {
        move.name.lower(): move
        for move in (Move.RETIRE, Move.REVIVE)
        if asset.status in move.sources and _may(actor, asset, Permission.ASSET_SAVE)
    }


def _why_not_renew(actor: Actor, asset: Asset, under_way: AssetRenewal | None) -> str:
    """Return why this unit can't be renewed by this person now, or nothing."""
    if asset.status in {AssetStatus.RETIRED, AssetStatus.RETURNED}:
        return _("What is out of use is not renewed.")
    if actor.account_id != asset.account_id:
        return _("The customer's own people put renewals on a quote.")
    if not actor.can(Permission.QUOTE_SAVE):
        return _("Making a quote needs the role Shopper or Buyer.")
    if under_way is not None:
        return _("A renewal stands on quote %(number)s already.", number=under_way.quote.number)
    return ""


def _visible_order(actor: Actor, asset: Asset) -> str | None:
    """Return the address of the order that brought the unit, where the actor sees it."""
    if not asset.order_number or not actor.can(Permission.ORDER_READ):
        return None
    if asset.order_id is None:
        return _visible_past_order(actor, asset)
    statement = order_queries.visible_to(actor).where(Order.id == asset.order_id)
    found = db.session.scalar(statement.with_only_columns(Order.number))
    return None if found is None else url_for("orders.detail", number=found)


def _visible_past_order(actor: Actor, asset: Asset) -> str | None:
    """Return the address of an order of another system, where the actor sees it."""
    statement = past_queries.visible_to(actor).where(
        PastOrder.account_id == asset.account_id, PastOrder.number == asset.order_number
    )
    found = db.session.scalar(statement.with_only_columns(PastOrder.number))
    if found is None:
        return None
    account = asset.account.code if actor.is_supplier else None
    return url_for("past_orders.detail", number=found, account=account)


def _product_url(actor: Actor, asset: Asset) -> str | None:
    """Return the address of the product, where the actor's access group shows it."""
    if not actor.can(Permission.CATALOG_READ):
        return None
    statement = visible_products(actor, with_ended=True).where(Product.id == asset.product_id)
    found = db.session.scalar(statement.with_only_columns(Product.sku))
    return None if found is None else url_for("catalog.detail", sku=found)


@dataclass(frozen=True, slots=True)
class RenewalRow:
    """One unit on the page of renewals: what is offered, or why nothing can be."""

    asset: Asset
    cover: Cover
    choices: Sequence[tuple[str, str]]
    chosen: str
    reason: str


@dataclass(frozen=True, slots=True)
class RenewalPage:
    """The check page before renewals become a quote."""

    rows: Sequence[RenewalRow]
    key: str

    @property
    def usable(self) -> int:
        """How many units can be renewed."""
        return sum(bool(row.choices) and not row.reason for row in self.rows)


def show_renewals(
    actor: Actor, tags: Collection[str], chosen: Mapping[str, str], *, key: str, now: datetime
) -> RenewalPage:
    """Return what can be renewed, for how long, until when and at which price.

    Args:
        chosen: Service tag -> SKU, as it was chosen before.
    """
    assets = queries.find_by_tags(actor, tags)
    renewals = find_renewals(actor)
    products = [item.product for item in renewals]
    book = open_book(buyer_of(actor), products, now) if products else None
    paths = queries.find_category_paths({asset.product.category_id for asset in assets})
    under_way = queries.find_renewals([asset.id for asset in assets])
    on = queries.today(now)
    rows = []
    for asset in assets:
        offers = offers_for(asset, renewals, paths)
        reason = _why_not_renew(actor, asset, open_renewal(under_way.get(asset.id, ())))
        if not offers and not reason:
            reason = _("Your catalogue has no renewal for this product.")
        choices = [(item.product.sku, _words(asset, item, book, on)) for item in offers]
        wanted = chosen.get(asset.service_tag, "")
        rows.append(RenewalRow(asset, cover_of(asset, on), choices, wanted, reason))
    return RenewalPage(rows, key)


def _words(asset: Asset, item: Renewal, book: PriceBook | None, on: date) -> str:
    """Return one renewal in words: for how long, until when, at which price."""
    price = book.resolve(item.product, smallest_quantity(item.product)) if book else None
    until = renewed(asset.entitlements, on, item.months)[1]
    amount = (
        unit_price(price.unit_price, price.currency)
        if price is not None and price.unit_price is not None
        else _("price on request")
    )
    return _(
        "%(name)s, until %(day)s: %(price)s",
        name=local_name(item.product.name, item.product.names, current_language().tag),
        day=day(until),
        price=amount,
    )


__all__ = ["AssetPage", "Linked", "add_source", "show_asset", "show_renewals"]
