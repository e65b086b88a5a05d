"""Which products somebody sees, and how they are found by SKU or by the account's own number."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import joinedload, selectinload

from portal.catalog.assortments import seen_by
from portal.catalog.models import Assortment, Category, PartNumber, Product, sku_key
from portal.catalog.rules import ACTIVE
from portal.db import db, in_pages
from portal.errors import N_, NotFoundError
from portal.policy import Actor

PAGE: Final = 2_000
MOST_UNKNOWN: Final = 100
"""Unknown SKUs of one request for which similar ones are looked for."""
_NEAR: Final = 3
"""Characters at either end that a mistyped SKU is expected to share with the right one."""


class ProductNotFoundError(NotFoundError):
    """No such product, or not in what this person's access group is shown."""

    message = N_("There is no product {sku} that you can see.")


def visible_products(actor: Actor, *, with_ended: bool = False) -> Select[Product]:
    """Return the products that an actor sees: active, and in their access group's assortments.

    Args:
        with_ended: Products at the end of their life are included.
    """
    return select(Product).where(seen_by(actor) if with_ended else is_visible(actor))


def is_visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `Product` that an actor sees it and it is active."""
    return and_(Product.status == ACTIVE, seen_by(actor))


def get_product(actor: Actor, sku: str) -> Product:
    """Return one product with its category and attributes, also at the end of its life.

    Raises:
        ProductNotFoundError: No such product among those that the actor sees.
    """
    statement = (
        visible_products(actor, with_ended=True)
        .where(Product.sku_key == sku_key(sku))
        .options(joinedload(Product.category), selectinload(Product.attributes))
        .order_by(Product.id)
    )
    found = db.session.scalars(statement).all()
    if not found:
        raise ProductNotFoundError(sku=sku)
    return next((product for product in found if product.sku == sku), found[0])


def find_products_by_sku(actor: Actor, skus: Iterable[str]) -> dict[str, Product]:
    """Return products by SKU as typed, or by the own part numbers of the actor's account.

    Products at the end of their life are included (see ``Product.is_active``); what the actor does
    not see is left out. A supplier's SKU goes before an own number, the exact spelling before one
    that differs in case. A constant number of statements per 2,000 SKUs.
    """
    asked = {sku: sku_key(sku) for sku in skus}
    by_sku: dict[str, Product] = {}
    by_key: dict[str, Product] = {}
    for page in in_pages(sorted({key for key in asked.values() if key}), PAGE):
        statement = visible_products(actor, with_ended=True).where(Product.sku_key.in_(page))
        for product in db.session.scalars(statement.order_by(Product.id)):
            by_sku[product.sku] = product
            by_key.setdefault(product.sku_key, product)
        for key, product in _by_own_number(actor, page):
            by_key.setdefault(key, product)
    found = {sku: by_sku.get(sku.strip()) or by_key.get(key) for sku, key in asked.items()}
    return {sku: product for sku, product in found.items() if product is not None}


def _by_own_number(actor: Actor, keys: Sequence[str]) -> list[tuple[str, Product]]:
    if actor.is_supplier:
        return []
    statement = (
        visible_products(actor, with_ended=True)
        .join(PartNumber, PartNumber.product_id == Product.id)
        .where(PartNumber.account_id == actor.account_id, PartNumber.buyer_sku_key.in_(keys))
        .order_by(Product.status, Product.id)
        .with_only_columns(PartNumber.buyer_sku_key, Product)
    )
    return [(key, product) for key, product in db.session.execute(statement)]


def find_part_numbers(account_id: int, product_ids: Collection[int]) -> dict[int, PartNumber]:
    """Return an account's own numbers and names of some products, by product id."""
    statement = select(PartNumber).where(
        PartNumber.account_id == account_id, PartNumber.product_id.in_(sorted(product_ids))
    )
    return {item.product_id: item for item in db.session.scalars(statement)}


def suggest_similar(actor: Actor, sku: str, most: int = 3) -> list[str]:
    """Return the SKUs most like a mistyped one, best first: did you mean?"""
    return find_similar(actor, [sku], most)[sku]


def find_similar(actor: Actor, skus: Iterable[str], most: int = 3) -> dict[str, list[str]]:
    """Return for each mistyped SKU those most like it, in one statement for all of them."""
    asked = list(dict.fromkeys(skus))
    keys = {sku: sku_key(sku) for sku in asked[:MOST_UNKNOWN] if sku_key(sku)}
    candidates = _candidates(actor, set(keys.values()))
    return {
        sku: [
            candidates[near]
            for near in get_close_matches(keys.get(sku, ""), candidates, most, cutoff=0.7)
        ]
        for sku in asked
    }


def _candidates(actor: Actor, keys: Collection[str]) -> Mapping[str, str]:
    if not keys:
        return {}
    ends = [
        condition
        for key in sorted(keys)
        for condition in (
            Product.sku_key.startswith(key[:_NEAR], autoescape=True),
            Product.sku_key.endswith(key[-_NEAR:], autoescape=True),
        )
    ]
    statement = visible_products(actor).where(or_(*ends)).order_by(Product.sku).limit(PAGE)
    rows = db.session.execute(statement.with_only_columns(Product.sku_key, Product.sku))
    return {key: sku for key, sku in rows}  # noqa: C416 - a row is no pair to the type checker


def find_categories() -> list[Category]:
    """Return all categories, each after the one above it."""
    found = db.session.scalars(select(Category)).all()
    return sorted(found, key=lambda item: item.path.split("/"))


def find_assortments(account_ids: Collection[int]) -> list[Assortment]:
    """Return the assortments that some accounts can show: their own and the shared ones."""
    statement = select(Assortment).where(
        or_(Assortment.account_id.in_(sorted(account_ids)), Assortment.account_id.is_(None))
    )
    return list(db.session.scalars(statement.order_by(Assortment.code, Assortment.id)))
