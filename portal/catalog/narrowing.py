"""Which products of the catalogue a list holds: its filters as conditions, for page and counts."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Executable, Select, and_, false, or_, select

from portal.catalog.models import Category, PartNumber, Product, ProductAttribute, sku_key
from portal.catalog.queries import visible_products
from portal.catalog.search_index import found_by
from portal.policy import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is narrowed to; values of one name are alternatives, names hold together."""

    text: str = ""
    category_path: str = ""
    manufacturers: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def is_set(self) -> bool:
        return bool(self.text or self.category_path or self.manufacturers or self.attributes)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What each filter asks of a product; a facet counts without its own."""

    text: ColumnElement[bool]
    category: ColumnElement[bool]
    manufacturers: ColumnElement[bool]
    attributes: Mapping[str, ColumnElement[bool]]

    def all(self) -> ColumnElement[bool]:
        return and_(self.text, self.category, self.manufacturers, *self.attributes.values())


_ANY: Final = Product.id.is_not(None)

Statement = TypeVar("Statement", bound=Executable)


def built(
    build: Callable[..., Statement], actor: Actor, filters: Filters, *more: Hashable
) -> Statement:
    """Return a statement of some arguments; building it can take longer than what it asks.

    What people type is seldom typed again, so only a statement without a text is kept.
    """
    return build(actor, filters, *more) if filters.text else _once(build, actor, filters, *more)


@lru_cache(maxsize=512)
def _once(build: Callable[..., Statement], *asked: Hashable) -> Statement:
    return build(*asked)


Below = frozenset[int] | None
"""Ids of a category and all below it; ``None`` where no category is chosen."""


def conditions_of(actor: Actor, filters: Filters, below: Below = None) -> Conditions:
    """Return the conditions of all filters."""
    return Conditions(
        text=matching(actor, filters.text) if filters.text else _ANY,
        category=_ANY if below is None else _within(below),
        manufacturers=(
            Product.manufacturer.in_(filters.manufacturers) if filters.manufacturers else _ANY
        ),
        attributes={
            name: Product.id.in_(
                select(ProductAttribute.product_id).where(
                    ProductAttribute.name == name, ProductAttribute.value.in_(values)
                )
            )
            for name, values in filters.attributes.items()
        },
    )


def matching(actor: Actor, text: str) -> ColumnElement[bool]:
    """Return the condition for a typed query: the index, or the account's own numbers and names."""
    if actor.is_supplier:
        return found_by(text)
    own = select(PartNumber.product_id).where(
        PartNumber.account_id == actor.account_id,
        or_(
            PartNumber.buyer_sku_key.contains(sku_key(text), autoescape=True),
            PartNumber.name.icontains(text.strip(), autoescape=True),
        ),
    )
    return found_by(text, own)


def below_of(path: str, categories: Iterable[Category]) -> frozenset[int]:
    """Return the ids of a category with its descendants; an unknown one has none."""
    return frozenset(item.id for item in categories if f"{item.path}/".startswith(f"{path}/"))


def _within(category_ids: Collection[int]) -> ColumnElement[bool]:
    return Product.category_id.in_(sorted(category_ids)) if category_ids else false()


def found_with(actor: Actor, filters: Filters, below: Below) -> Select[Product]:
    """Return the products that an actor sees and every filter keeps."""
    return visible_products(actor).where(conditions_of(actor, filters, below).all())
