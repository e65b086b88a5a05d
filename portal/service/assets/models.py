"""Tables of assets: delivered units, their entitlements, and renewals that are under way."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account, Address, Membership, Unit
from portal.catalog.models import Product
from portal.catalog.rules import local_name
from portal.db import ACCOUNT_SCOPED, Base, Id
from portal.quotes.models import Quote
from portal.service.assets.rules import AssetStatus, Covered, EntitlementKind


class Asset(Base):
    """A delivered unit (UBL ItemInstance) known by its service tag.

    ``configuration`` is the product as it was delivered: sku, name, manufacturer, mpn, attributes.
    ``order_number`` is that of our own order (then ``order_id`` is set) or of another system's.
    """

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "tag_key"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ForeignKeyConstraint(["account_id", "address_id"], ["address.account_id", "address.id"]),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
        ),
        Index("ix_asset_unit", "account_id", "unit_id"),
        Index("ix_asset_tag_key", "tag_key"),
        Index("ix_asset_order", "account_id", "order_number"),
        CheckConstraint("version >= 1", name="version"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    membership_id: Mapped[int | None] = mapped_column(index=True)
    address_id: Mapped[int | None]
    place: Mapped[str] = mapped_column(String(200), default="")
    service_tag: Mapped[str] = mapped_column(String(64))
    tag_key: Mapped[str] = mapped_column(String(64))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    configuration: Mapped[dict[str, Any]] = mapped_column(default=dict)
    delivered_on: Mapped[date] = mapped_column(Date)
    order_id: Mapped[int | None] = mapped_column(index=True)
    order_line_id: Mapped[int | None]
    order_number: Mapped[str] = mapped_column(String(64), default="")
    status: Mapped[AssetStatus] = mapped_column(
        Enum(
            AssetStatus,
            native_enum=False,
            length=20,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=AssetStatus.IN_USE,
    )
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    account: Mapped[Account] = relationship(lazy="raise_on_sql", viewonly=True)
    product: Mapped[Product] = relationship(lazy="raise_on_sql", viewonly=True)
    unit: Mapped[Unit | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Asset.unit_id) == Unit.id"
    )
    address: Mapped[Address | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Asset.address_id) == Address.id"
    )
    membership: Mapped[Membership | None] = relationship(
        lazy="raise_on_sql",
        viewonly=True,
        primaryjoin="foreign(Asset.membership_id) == Membership.id",
    )
    entitlements: Mapped[list["Entitlement"]] = relationship(
        lazy="raise_on_sql",
        order_by="(Entitlement.valid_from, Entitlement.id)",
        cascade="all, delete-orphan",
        back_populates="asset",
        primaryjoin="Asset.id == foreign(Entitlement.asset_id)",
    )

    @property
    def sku(self) -> str:
        """The SKU under which the unit was delivered."""
        return str(self.configuration.get("sku", ""))

    @property
    def name(self) -> str:
        """What the unit was called when it was delivered."""
        return str(self.configuration.get("name", ""))

    @property
    def numbered_entitlements(self) -> dict[int, "Entitlement"]:
        """The entitlements by the place in which they were added, beginning with 1."""
        return dict(enumerate(sorted(self.entitlements, key=lambda held: held.id), start=1))

    def name_in(self, locale: str) -> str:
        """Return that name in a language (BCP 47), where the product had one."""
        return local_name(self.name, self.configuration.get("names"), locale)

    @property
    def attributes(self) -> dict[str, str]:
        """The product's attributes as they were at delivery."""
        known: dict[str, str] = self.configuration.get("attributes", {})
        return known


class Entitlement(Base):
    """What a unit is entitled to; both days are included, in the supplier's calendar.

    ``renewal_id`` names the renewal that brought it.
    """

    __tablename__ = "entitlement"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(
            ["account_id", "asset_id"], ["asset.account_id", "asset.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["account_id", "renewal_id"], ["asset_renewal.account_id", "asset_renewal.id"]
        ),
        UniqueConstraint("renewal_id"),
        Index("ix_entitlement_until", "account_id", "valid_until"),
        CheckConstraint("valid_from <= valid_until", name="days"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    asset_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[EntitlementKind] = mapped_column(
        Enum(
            EntitlementKind,
            native_enum=False,
            length=20,
            values_callable=lambda kinds: [kind.value for kind in kinds],
        )
    )
    covers: Mapped[list[Any]] = mapped_column(default=list)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(200), default="")
    renewal_id: Mapped[int | None]
    created_at: Mapped[datetime]

    asset: Mapped[Asset] = relationship(
        lazy="raise_on_sql",
        back_populates="entitlements",
        primaryjoin="Asset.id == foreign(Entitlement.asset_id)",
    )

    @property
    def covered(self) -> tuple[Covered, ...]:
        """What it pays for, in the order in which it is always told."""
        return tuple(item for item in Covered if item.value in self.covers)


class AssetRenewal(Base):
    """A renewal of one unit that stands on a quote; ``extended_at`` is set when it is delivered.

    ``key`` names the form that was sent, so that a repeated one is answered with the same quote.
    """

    __tablename__ = "asset_renewal"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "key", "asset_id"),
        ForeignKeyConstraint(
            ["account_id", "asset_id"], ["asset.account_id", "asset.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["account_id", "quote_id"], ["quote.account_id", "quote.id"]),
        ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
        ),
        CheckConstraint("months > 0", name="months"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    asset_id: Mapped[int] = mapped_column(index=True)
    quote_id: Mapped[int] = mapped_column(index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    months: Mapped[int]
    covers: Mapped[list[Any]] = mapped_column(default=list)
    key: Mapped[str] = mapped_column(String(64))
    order_line_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    extended_at: Mapped[datetime | None]

    asset: Mapped[Asset] = relationship(
        lazy="raise_on_sql",
        viewonly=True,
        primaryjoin="foreign(AssetRenewal.asset_id) == Asset.id",
    )
    quote: Mapped[Quote] = relationship(
        lazy="raise_on_sql",
        viewonly=True,
        primaryjoin="foreign(AssetRenewal.quote_id) == Quote.id",
    )
