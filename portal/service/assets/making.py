"""Making assets: what a product was like when it was delivered, and its first warranty."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from portal.catalog.models import Product, ProductAttribute
from portal.db import db, in_pages
from portal.service.assets.models import Asset, Entitlement
from portal.service.assets.rules import (
    DEFAULT_WARRANTY_MONTHS,
    WARRANTY_COVERS,
    WARRANTY_MONTHS,
    EntitlementKind,
    last_day_of,
    months_in,
    normal_tag,
    tag_key,
)


@dataclass(frozen=True, slots=True)
class Goods:
    """A product with its attributes of this moment."""

    product: Product
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def configuration(self) -> dict[str, Any]:
        """What is frozen with a unit of it: plain data that a later change leaves alone."""
        product = self.product
        return {
            "sku": product.sku,
            "name": product.name,
            "names": dict(product.names or {}),
            "manufacturer": product.manufacturer or "",
            "mpn": product.mpn or "",
            "attributes": {
                name: value
                for name, value in sorted(self.attributes.items())
                if name != WARRANTY_MONTHS
            },
        }

    @property
    def warranty_months(self) -> int:
        """For how long a delivered unit is under warranty; 0 where it is not at all."""
        return months_in(self.attributes, WARRANTY_MONTHS, DEFAULT_WARRANTY_MONTHS)


def find_goods(product_ids: Collection[int]) -> Mapping[int, Goods]:
    """Return products with their attributes by id, in two statements per 500."""
    found: dict[int, Goods] = {}
    for page in in_pages(sorted(set(product_ids))):
        for product in db.session.scalars(select(Product).where(Product.id.in_(page))):
            found[product.id] = Goods(product)
        for item in db.session.scalars(
            select(ProductAttribute).where(ProductAttribute.product_id.in_(page))
        ):
            found[item.product_id].attributes[item.name] = item.value
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongs:
    """Whose a unit is within its account, and where it came from."""

    unit_id: int | None = None
    membership_id: int | None = None
    address_id: int | None = None
    order_id: int | None = None
    order_line_id: int | None = None
    order_number: str = ""
    place: str = ""


def make_asset(
    account_id: int,
    serial: str,
    goods: Goods,
    *,
    delivered_on: date,
    belongs: Belongs,
    now: datetime,
) -> Asset:
    """Add a unit, without any entitlement yet."""
    tag = normal_tag(serial)
    asset = Asset(
        account_id=account_id,
        service_tag=tag,
        tag_key=tag_key(tag),
        product_id=goods.product.id,
        configuration=goods.configuration,
        delivered_on=delivered_on,
        unit_id=belongs.unit_id,
        membership_id=belongs.membership_id,
        address_id=belongs.address_id,
        place=belongs.place,
        order_id=belongs.order_id,
        order_line_id=belongs.order_line_id,
        order_number=belongs.order_number,
        created_at=now,
        changed_at=now,
        entitlements=[],
    )
    db.session.add(asset)
    return asset


def add_warranty(asset: Asset, goods: Goods, now: datetime) -> Entitlement | None:
    """Entitle a unit to the warranty of its product from its delivery on; ``None`` without any."""
    months = goods.warranty_months
    if not months:
        return None
    until = last_day_of(asset.delivered_on, months)
    return entitle(asset, EntitlementKind.WARRANTY, (asset.delivered_on, until), now)


def entitle(
    asset: Asset,
    kind: EntitlementKind,
    days: tuple[date, date],
    now: datetime,
    *,
    covers: Collection[str] = WARRANTY_COVERS,
) -> Entitlement:
    """Add an entitlement whose first and last day are ``days``."""
    added = Entitlement(
        account_id=asset.account_id,
        kind=kind,
        covers=[str(item) for item in covers],
        valid_from=days[0],
        valid_until=days[1],
        note="",
        created_at=now,
    )
    asset.entitlements.append(added)
    return added
