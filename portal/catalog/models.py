"""Tables of what is sold: categories, products, units of measure; and what an account sees."""

from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.catalog.rules import paths_to
from portal.db import ACCOUNT_SCOPED, Base, ExactDecimal, Id, Quantity, exempt

CATALOGUE = exempt("the supplier's own catalogue is one for all accounts and holds no price")
SHARED_OR_OWN: dict[str, Any] = {"info": {"scope": "account", "shared_when_null": True}}
"""Rows of one account, or of all of them where ``account_id`` is null."""

Factor = Annotated[Decimal, mapped_column(ExactDecimal(9))]
Uom = Annotated[str, mapped_column(String(16))]
Sku = Annotated[str, mapped_column(String(64))]


def sku_key(sku: str) -> str:
    """Return the form in which an SKU that somebody typed is looked up: no blanks, no case."""
    return sku.strip().casefold()


def _key_of_sku(context: DefaultExecutionContext) -> str:
    return sku_key(_inserted(context)["sku"])


def _key_of_buyer_sku(context: DefaultExecutionContext) -> str:
    return sku_key(_inserted(context)["buyer_sku"])


def _inserted(context: DefaultExecutionContext) -> dict[str, Any]:
    values: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return values


class Category(Base):
    """A node of the category tree; its path names its ancestors (``Hardware/Laptops``)."""

    __tablename__ = "category"
    __table_args__ = (CATALOGUE,)

    id: Mapped[Id]
    path: Mapped[str] = mapped_column(String(500), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)

    @property
    def ancestor_paths(self) -> tuple[str, ...]:
        """The paths from the root down to this category, itself included."""
        return paths_to(self.path)

    @property
    def depth(self) -> int:
        """1 for a root, one more for each level below it."""
        return self.path.count("/") + 1


class Product(Base):
    """Something with an SKU (UBL: Item, SellersItemIdentification)."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("status in ('active', 'eol')", name="status"),
        CheckConstraint("min_quantity is null or min_quantity > 0", name="min_quantity"),
        CheckConstraint("quantity_multiple is null or quantity_multiple > 0", name="multiple"),
        Index("ix_product_category_id_status", "category_id", "status"),
        Index("ix_product_status_name", "status", "name", "id"),
        Index("ix_product_count_category", "status", "category_id", "id"),
        Index("ix_product_count_manufacturer", "status", "manufacturer", "category_id", "id"),
        # On PostgreSQL migration 0013 adds one per language, in the order of the catalogue's names.
        CATALOGUE,
    )

    id: Mapped[Id]
    sku: Mapped[Sku] = mapped_column(unique=True)
    sku_key: Mapped[str] = mapped_column(String(64), index=True, default=_key_of_sku)
    name: Mapped[str] = mapped_column(String(300))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    description: Mapped[str | None] = mapped_column(Text)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    uom: Mapped[Uom] = mapped_column(default="EA")
    status: Mapped[str] = mapped_column(String(10), default="active")
    successor_sku: Mapped[str | None] = mapped_column(String(64))
    lead_time_days: Mapped[int | None]
    min_quantity: Mapped[Quantity | None]
    quantity_multiple: Mapped[Quantity | None]
    manufacturer: Mapped[str | None] = mapped_column(String(200), index=True)
    mpn: Mapped[str | None] = mapped_column(String(100))
    unspsc: Mapped[str | None] = mapped_column(String(16))
    tax_category: Mapped[str | None] = mapped_column(String(40))

    category: Mapped[Category | None] = relationship(lazy="raise_on_sql")
    attributes: Mapped[list["ProductAttribute"]] = relationship(
        lazy="raise_on_sql", order_by="ProductAttribute.name", viewonly=True
    )

    @property
    def is_active(self) -> bool:
        """Whether the product is still sold."""
        return self.status == "active"


class ProductAttribute(Base):
    """One named property of a product, for example ``Memory``: ``16 GB``."""

    __tablename__ = "product_attribute"
    __table_args__ = (Index("ix_product_attribute_name_value", "name", "value"), CATALOGUE)

    product_id: Mapped[int] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(String(300))


class UomConversion(Base):
    """How many of one unit of measure another one holds: 1 ``from_uom`` = ``factor`` ``to_uom``."""

    __tablename__ = "uom_conversion"
    __table_args__ = (CheckConstraint("factor > 0", name="factor"), CATALOGUE)

    product_id: Mapped[int] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    from_uom: Mapped[Uom] = mapped_column(primary_key=True)
    to_uom: Mapped[Uom] = mapped_column(primary_key=True)
    factor: Mapped[Factor]


class Assortment(Base):
    """A set of products, of one account or shared by all; it never affects a price."""

    __tablename__ = "assortment"
    __table_args__ = (
        UniqueConstraint("account_id", "code"),
        Index(
            "uq_assortment_shared",
            "code",
            unique=True,
            sqlite_where=text("account_id is null"),
            postgresql_where=text("account_id is null"),
        ),
        SHARED_OR_OWN,
    )

    id: Mapped[Id]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))


class AssortmentRule(Base):
    """What an assortment allows or denies: one category with its descendants, or one product."""

    __tablename__ = "assortment_rule"
    __table_args__ = (
        CheckConstraint("rule in ('allow', 'deny')", name="rule"),
        CheckConstraint("(category_id is null) <> (product_id is null)", name="one_target"),
        UniqueConstraint("assortment_id", "rule", "category_id", "product_id"),
        SHARED_OR_OWN,
    )

    id: Mapped[Id]
    assortment_id: Mapped[int] = mapped_column(
        ForeignKey("assortment.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    rule: Mapped[str] = mapped_column(String(5))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))


class AccessGroupAssortment(Base):
    """An assortment that the members of an access group see."""

    __tablename__ = "access_group_assortment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "access_group_id"],
            ["access_group.account_id", "access_group.id"],
            ondelete="CASCADE",
        ),
        ACCOUNT_SCOPED,
    )

    access_group_id: Mapped[int] = mapped_column(primary_key=True)
    assortment_id: Mapped[int] = mapped_column(
        ForeignKey("assortment.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int]


class PartNumber(Base):
    """The customer's own number and name for a product (UBL: BuyersItemIdentification)."""

    __tablename__ = "part_number"
    __table_args__ = (
        UniqueConstraint("account_id", "product_id"),
        Index("ix_part_number_account_id_buyer_sku_key", "account_id", "buyer_sku_key"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"))
    buyer_sku: Mapped[Sku]
    buyer_sku_key: Mapped[str] = mapped_column(String(64), default=_key_of_buyer_sku)
    name: Mapped[str | None] = mapped_column(String(300))
