"""What a case is about: one box for a serial number, an order or a product."""

from dataclasses import dataclass
from typing import Any

from portal.catalog.models import Product
from portal.catalog.queries import find_products_by_sku
from portal.errors import N_, InvalidError
from portal.orders.models import Order
from portal.policy import Actor
from portal.service.assets.models import Asset
from portal.service.assets.queries import find_by_tags
from portal.service.cases.queries import find_order


class UnknownReferenceError(InvalidError):
    """Nothing within reach has this serial number, order number or SKU."""

    message = N_("“{text}” is no serial number, order or product that you can see.")
    field = "about"


@dataclass(frozen=True, slots=True)
class Reference:
    """What was found; an asset brings its product and order with it."""

    asset: Asset | None = None
    order: Order | None = None
    product: Product | None = None

    @property
    def product_id(self) -> int | None:
        """The product, that of the asset first."""
        if self.asset is not None:
            return self.asset.product_id
        return self.product.id if self.product else None

    @property
    def order_id(self) -> int | None:
        """The order, the asset's own where none was named."""
        if self.order is not None:
            return self.order.id
        return self.asset.order_id if self.asset else None

    @property
    def order_number(self) -> str:
        """The order's number, also that of another system."""
        if self.order is not None:
            return self.order.number
        return self.asset.order_number if self.asset else ""

    @property
    def values(self) -> dict[str, Any]:
        """The columns of a case that say so."""
        return {
            "asset_id": self.asset.id if self.asset else None,
            "order_id": self.order_id,
            "order_number": self.order_number,
            "product_id": self.product_id,
        }


def find_reference(actor: Actor, account_id: int, text: str) -> Reference:
    """Return what a text names, among what the actor sees of one account: asset, order, product.

    Raises:
        UnknownReferenceError: Nothing is named so.
    """
    wanted = text.strip()
    if not wanted:
        return Reference()
    asset = find_asset(actor, account_id, wanted)
    if asset is not None:
        return Reference(asset=asset)
    order = find_order(actor, account_id, wanted)
    if order is not None:
        return Reference(order=order)
    product = find_products_by_sku(actor, [wanted]).get(wanted)
    if product is not None:
        return Reference(product=product)
    raise UnknownReferenceError(text=wanted[:80])


def find_named(
    actor: Actor, account_id: int, *, asset_tag: str = "", order_number: str = "", sku: str = ""
) -> Reference:
    """Return what is named part by part; each part that is given must be found.

    Raises:
        UnknownReferenceError: One of them is not.
    """
    asset = find_asset(actor, account_id, asset_tag) if asset_tag else None
    order = find_order(actor, account_id, order_number) if order_number else None
    product = find_products_by_sku(actor, [sku]).get(sku) if sku else None
    for text, found in ((asset_tag, asset), (order_number, order), (sku, product)):
        if text and found is None:
            raise UnknownReferenceError(text=text[:80])
    return Reference(asset, order, product)


def find_asset(actor: Actor, account_id: int, tag: str) -> Asset | None:
    """Return an account's asset by its tag, with its entitlements, if the actor sees it."""
    found = [asset for asset in find_by_tags(actor, [tag]) if asset.account_id == account_id]
    return found[0] if found else None
