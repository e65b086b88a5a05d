"""What supplier staff do to single products; whole files are in `imports`."""

from datetime import datetime

from sqlalchemy import select

from portal.catalog.models import Product
from portal.catalog.queries import ProductNotFoundError
from portal.catalog.rules import STATUSES, SuccessorError
from portal.db import db, lock, transaction
from portal.errors import N_, InvalidError
from portal.events.actions import record
from portal.policy import Actor, Permission


class UnknownSuccessorError(InvalidError):
    """No product has the successor's SKU."""

    message = N_("There is no product {sku}.")
    field = "successor_sku"


class UnknownStatusError(InvalidError):
    """Neither active nor at the end of its life."""

    message = N_("Choose one of the states that are offered.")
    field = "status"


def change_product(
    actor: Actor, sku: str, *, status: str, successor_sku: str | None, now: datetime
) -> Product:
    """Set whether a product is sold and which one follows on it.

    Raises:
        NotAllowedError: The actor may not change products.
        ProductNotFoundError: No product has this SKU.
        UnknownStatusError, SuccessorError, UnknownSuccessorError: What was typed can't be used.
    """
    actor.must(Permission.PRODUCT_SAVE)
    with transaction():
        product = db.session.scalar(lock(select(Product).where(Product.sku == sku)))
        if product is None:
            raise ProductNotFoundError(sku=sku)
        _check(product, status, successor_sku)
        if (product.status, product.successor_sku) != (status, successor_sku):
            product.status, product.successor_sku = status, successor_sku
            record(
                actor,
                "product.changed",
                kind="product",
                object_id=product.id,
                number=product.sku,
                account_id=actor.account_id,
                now=now,
                status=status,
                successor=successor_sku,
            )
    return product


def _check(product: Product, status: str, successor_sku: str | None) -> None:
    if status not in STATUSES:
        raise UnknownStatusError
    if successor_sku == product.sku:
        raise SuccessorError
    known = select(Product.id).where(Product.sku == successor_sku)
    if successor_sku is not None and db.session.scalar(known) is None:
        raise UnknownSuccessorError(sku=successor_sku)
