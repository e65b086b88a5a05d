"""Tables of price lists and their versions, assignments, agreements, costs, tax and freight."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import ACCOUNT_SCOPED, Amount, Base, Code, Id, Quantity, Rate, UnitPrice, exempt

WALLED = "a supplier's table; what a buyer sees of it is walled by the resolution alone"
ENDS_AFTER_START = "valid_from is null or valid_to is null or valid_from < valid_to"


class PriceList(Base):
    """A list of prices in one currency; what it says stands in its versions."""

    __tablename__ = "price_list"
    __table_args__ = (
        CheckConstraint("kind in ('standard', 'list', 'agreement')", name="kind"),
        Index(
            "uq_price_list_standard",
            "currency",
            unique=True,
            sqlite_where=text("kind = 'standard'"),
            postgresql_where=text("kind = 'standard'"),
        ),
        exempt(WALLED),
    )

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3))
    kind: Mapped[str] = mapped_column(String(10))


class PriceListVersion(Base):
    """One publication of a list, or its draft (``number`` null); it owns its full set of entries.

    Of the versions with ``in_force_from`` not after an instant the latest one is in force at it.
    """

    __tablename__ = "price_list_version"
    __table_args__ = (
        UniqueConstraint("list_id", "number"),
        Index("ix_price_list_version_in_force", "list_id", "in_force_from", "number"),
        Index(
            "uq_price_list_version_draft",
            "list_id",
            unique=True,
            sqlite_where=text("number is null"),
            postgresql_where=text("number is null"),
        ),
        CheckConstraint("unit_price_decimals between 0 and 4", name="decimals"),
        CheckConstraint(
            "(number is null) = (in_force_from is null)"
            " and (number is null) = (published_at is null)",
            name="published",
        ),
        exempt(WALLED),
    )

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(ForeignKey("price_list.id"))
    number: Mapped[int | None]
    best_price: Mapped[bool] = mapped_column(default=False)
    unit_price_decimals: Mapped[int] = mapped_column(default=2)
    published_at: Mapped[datetime | None]
    in_force_from: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    returned_to: Mapped[int | None]

    @property
    def is_draft(self) -> bool:
        """Whether this version can still be edited."""
        return self.number is None


class PriceEntry(Base):
    """One price or reduction of a product or of a category, from a quantity upwards."""

    __tablename__ = "price_entry"
    __table_args__ = (
        Index("ix_price_entry_product", "version_id", "product_id"),
        Index("ix_price_entry_category", "version_id", "category_id"),
        CheckConstraint("(product_id is null) <> (category_id is null)", name="one_target"),
        CheckConstraint("kind in ('price', 'percent_off', 'amount_off')", name="kind"),
        CheckConstraint("value >= 0 and min_quantity >= 0", name="not_negative"),
        CheckConstraint(ENDS_AFTER_START, name="window"),
        exempt(WALLED),
    )

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(ForeignKey("price_list_version.id", ondelete="CASCADE"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    uom: Mapped[str] = mapped_column(String(16))
    min_quantity: Mapped[Quantity]
    kind: Mapped[str] = mapped_column(String(12))
    value: Mapped[Rate]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class PriceAssignment(Base):
    """For whom a list holds, and when: a unit, an account, a tier or a segment."""

    __tablename__ = "price_assignment"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        CheckConstraint(
            "(account_id is not null and tier is null and segment is null)"
            " or (account_id is null and unit_id is null and (tier is null) <> (segment is null))",
            name="one_target",
        ),
        CheckConstraint(ENDS_AFTER_START, name="window"),
        Index("ix_price_assignment_account", "account_id", "unit_id"),
        exempt("names accounts, tiers and segments alike; walled by the resolution alone"),
    )

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(ForeignKey("price_list.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    tier: Mapped[str | None] = mapped_column(String(64), index=True)
    segment: Mapped[str | None] = mapped_column(String(64), index=True)
    priority: Mapped[int | None]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class Agreement(Base):
    """The contract with one account: number, name and dates; its lists hold only within them."""

    __tablename__ = "agreement"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        CheckConstraint(ENDS_AFTER_START, name="window"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    number: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class AgreementList(Base):
    """That an agreement carries a list within ``[valid_from, valid_to)``, as known at a time.

    The row counts for instants in ``[known_from, known_to)``: a change ends it and starts another,
    so that an earlier instant keeps its answer.
    """

    __tablename__ = "agreement_list"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "agreement_id"],
            ["agreement.account_id", "agreement.id"],
            ondelete="CASCADE",
        ),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    agreement_id: Mapped[int] = mapped_column(index=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("price_list.id"), index=True)
    known_from: Mapped[datetime | None]
    known_to: Mapped[datetime | None]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class Cost(Base):
    """What a product costs the supplier, and the lowest price at which it may be sold."""

    __tablename__ = "cost"
    __table_args__ = (
        Index("ix_cost_product", "product_id", "currency", "uom"),
        CheckConstraint(ENDS_AFTER_START, name="window"),
        exempt("a supplier's table that no customer reads"),
    )

    id: Mapped[Id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    currency: Mapped[str] = mapped_column(String(3))
    uom: Mapped[str] = mapped_column(String(16))
    cost: Mapped[UnitPrice]
    floor_price: Mapped[UnitPrice | None]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class TaxRate(Base):
    """The tax rate in per cent of a category of goods in a country or region (UNTDID 5305)."""

    __tablename__ = "tax_rate"
    __table_args__ = (
        Index("ix_tax_rate_country", "country", "tax_category"),
        CheckConstraint(ENDS_AFTER_START, name="window"),
        exempt("the same for every account"),
    )

    id: Mapped[Id]
    country: Mapped[str] = mapped_column(String(2))
    region: Mapped[str | None] = mapped_column(String(100))
    tax_category: Mapped[str] = mapped_column(String(16))
    rate: Mapped[Rate]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class FreightRate(Base):
    """What freight costs to a country from a net value upwards."""

    __tablename__ = "freight_rate"
    __table_args__ = (
        UniqueConstraint("country", "currency", "net_from"),
        exempt("the same for every account"),
    )

    id: Mapped[Id]
    country: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    net_from: Mapped[Amount]
    charge: Mapped[Amount]
