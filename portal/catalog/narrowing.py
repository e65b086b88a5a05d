"""Which products of the catalogue a list holds: its filters as conditions, for page and counts."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    SQLColumnExpression,
    func,
    or_,
    select,
    true,
)

from portal.catalog.models import Category, PartNumber, Product, ProductAttribute, sku_key
from portal.catalog.queries import visible_products
from portal.catalog.search_index import found_by
from portal.catalog.word_index import one_of
from portal.containing import contains
from portal.db import db
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
class Columns:
    """What filters ask of a product: of the table itself, or of what was found in it."""

    id: SQLColumnExpression[Any]
    category_id: SQLColumnExpression[Any]
    manufacturer: SQLColumnExpression[Any]


PRODUCT: Final = Columns(Product.id, Product.category_id, Product.manufacturer)
_ANY: Final = true()

Statement = TypeVar("Statement", bound=Executable)


def once(build: Callable[..., Statement], *asked: Hashable) -> Statement:
    """Return a statement of some arguments; building it can take longer than what it asks.

    Not for a text: what people type is seldom typed again.
    """
    statement: Statement = _once(db.engine.dialect.name, build, *asked)
    return statement


@lru_cache(maxsize=512)
def _once(_dialect: str, build: Callable[..., Executable], *asked: Hashable) -> Any:  # noqa: ANN401 - what it builds
    return build(*asked)


Below = frozenset[int] | None
"""Ids of a category and all below it; ``None`` where no category is chosen."""


def made_by(filters: Filters, of: Columns) -> ColumnElement[bool]:
    """Return the condition of the chosen manufacturers."""
    return of.manufacturer.in_(filters.manufacturers) if filters.manufacturers else _ANY


def having(filters: Filters, of: Columns) -> Mapping[str, ColumnElement[bool]]:
    """Return the condition of each attribute of which values are chosen."""
    return {
        name: of.id.in_(
            select(ProductAttribute.product_id).where(
                ProductAttribute.name == name, ProductAttribute.value.in_(values)
            )
        )
        for name, values in filters.attributes.items()
    }


def lies_within(path: str, of: Columns) -> ColumnElement[bool]:
    """Return the condition of the chosen category, with all below it; an unknown one has none."""
    if not path:
        return _ANY
    beginning = func.substr(Category.path + "/", 1, len(path) + 1) == f"{path}/"
    return one_of(of.category_id, select(Category.id).where(beginning))


def matching(actor: Actor, text: str) -> ColumnElement[bool]:
    """Return the condition for a typed query: the index, or the account's own numbers and names."""
    if actor.is_supplier:
        return found_by(text)
    own = select(PartNumber.product_id).where(
        PartNumber.account_id == actor.account_id,
        or_(
            PartNumber.buyer_sku_key.contains(sku_key(text), autoescape=True),
            contains(PartNumber.name, text.strip()),
        ),
    )
    return found_by(text, own)


def found_with(actor: Actor, filters: Filters, below: Below) -> Select[Product]:
    """Return the products that an actor sees and every filter keeps."""
    return visible_products(actor).where(
        matching(actor, filters.text) if filters.text else _ANY,
        _ANY if below is None else Product.category_id.in_(sorted(below)),
        made_by(filters, PRODUCT),
        *having(filters, PRODUCT).values(),
    )
