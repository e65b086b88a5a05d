"""Tables of what happens to a placed order: proposals, cancellations, shipments, serial numbers."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import ACCOUNT_SCOPED, Base, Id, Quantity, UnitPrice
from portal.orders.carriers import name_of, tracking_url
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Promise, Proposed


class OrderProposal(Base):
    """A change that the order desk proposes to the buyer (UBL OrderResponse with changes)."""

    __tablename__ = "order_proposal"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        Index(
            "uq_order_proposal_open",
            "order_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("state in ('open', 'accepted', 'refused', 'withdrawn')", name="state"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    order_id: Mapped[int] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    reason: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    proposed_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    lines: Mapped[list["ProposalLine"]] = relationship(
        lazy="raise_on_sql", order_by="ProposalLine.id", cascade="all, delete-orphan"
    )


class ProposalLine(Base):
    """What is proposed for one line: another day, quantity or product, a part later."""

    __tablename__ = "order_proposal_line"
    __table_args__ = (
        UniqueConstraint("proposal_id", "order_line_id"),
        ForeignKeyConstraint(
            ["account_id", "proposal_id"], ["order_proposal.account_id", "order_proposal.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
        ),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("backordered >= 0 and backordered <= quantity", name="backordered"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    proposal_id: Mapped[int]
    order_line_id: Mapped[int]
    quantity: Mapped[Quantity]
    promised_on: Mapped[date | None] = mapped_column(Date)
    backordered: Mapped[Quantity] = mapped_column(default=Decimal(0))
    backorder_on: Mapped[date | None] = mapped_column(Date)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    """The product proposed in place of the one ordered."""
    sku: Mapped[str] = mapped_column(String(64), default="")
    name: Mapped[str] = mapped_column(String(400), default="")
    unit_price: Mapped[UnitPrice | None]
    """What the substitute cost this buyer on the day of the proposal."""

    order_line: Mapped[OrderLine] = relationship(lazy="raise_on_sql", viewonly=True)

    @property
    def proposed(self) -> Proposed:
        """The same as a plain value, for the rules."""
        return Proposed(
            line=self.order_line_id,
            ordered=self.order_line.quantity,
            quantity=self.quantity,
            promise=Promise(self.promised_on, self.backordered, self.backorder_on),
            sku=self.sku,
        )


class OrderCancellation(Base):
    """A buyer's request to cancel what the supplier has confirmed and not shipped."""

    __tablename__ = "order_cancellation"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        Index(
            "uq_order_cancellation_open",
            "order_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("state in ('open', 'agreed', 'refused')", name="state"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    order_id: Mapped[int] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    reason: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    requested_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    lines: Mapped[list["CancellationLine"]] = relationship(
        lazy="raise_on_sql", order_by="CancellationLine.id", cascade="all, delete-orphan"
    )


class CancellationLine(Base):
    """How much of one line a buyer wants to cancel, and how much the supplier agreed to."""

    __tablename__ = "order_cancellation_line"
    __table_args__ = (
        UniqueConstraint("cancellation_id", "order_line_id"),
        ForeignKeyConstraint(
            ["account_id", "cancellation_id"],
            ["order_cancellation.account_id", "order_cancellation.id"],
        ),
        ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
        ),
        CheckConstraint("wanted > 0", name="wanted"),
        CheckConstraint("agreed >= 0 and agreed <= wanted", name="agreed"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    cancellation_id: Mapped[int]
    order_line_id: Mapped[int]
    wanted: Mapped[Quantity]
    agreed: Mapped[Quantity] = mapped_column(default=Decimal(0))

    order_line: Mapped[OrderLine] = relationship(lazy="raise_on_sql", viewonly=True)


class Shipment(Base):
    """Goods of one order on their way to one address (UBL DespatchAdvice)."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "key"),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        Index("ix_shipment_tracking", "account_id", "tracking_number"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    order_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    carrier: Mapped[str] = mapped_column(String(20), default="")
    tracking_number: Mapped[str] = mapped_column(String(64), default="")
    shipped_at: Mapped[datetime]
    expected_on: Mapped[date | None] = mapped_column(Date)
    delivered_on: Mapped[date | None] = mapped_column(Date)
    delivered_at: Mapped[datetime | None]
    """When the delivery was noted."""
    received_by: Mapped[str] = mapped_column(String(200), default="")
    key: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))

    order: Mapped[Order] = relationship(lazy="raise_on_sql", viewonly=True)
    packages: Mapped[list["ShipmentPackage"]] = relationship(
        lazy="raise_on_sql", order_by="ShipmentPackage.number", cascade="all, delete-orphan"
    )
    lines: Mapped[list["ShipmentLine"]] = relationship(
        lazy="raise_on_sql", order_by="ShipmentLine.id", cascade="all, delete-orphan"
    )

    @property
    def carrier_name(self) -> str:
        """Who brings it."""
        return name_of(self.carrier)

    @property
    def tracking_url(self) -> str:
        """Where the carrier tells how far it is; nothing where nobody knows."""
        return tracking_url(self.carrier, self.tracking_number)


class ShipmentPackage(Base):
    """One parcel or pallet of a shipment."""

    __tablename__ = "shipment_package"
    __table_args__ = (
        UniqueConstraint("shipment_id", "number"),
        ForeignKeyConstraint(["account_id", "shipment_id"], ["shipment.account_id", "shipment.id"]),
        CheckConstraint("weight_kg is null or weight_kg > 0", name="weight"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    shipment_id: Mapped[int]
    number: Mapped[int]
    weight_kg: Mapped[Quantity | None]


class ShipmentLine(Base):
    """How much of an order's line a shipment carries."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("shipment_id", "order_line_id"),
        ForeignKeyConstraint(["account_id", "shipment_id"], ["shipment.account_id", "shipment.id"]),
        ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
        ),
        Index("ix_shipment_line_order_line", "order_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    shipment_id: Mapped[int]
    order_line_id: Mapped[int]
    quantity: Mapped[Quantity]

    order_line: Mapped[OrderLine] = relationship(lazy="raise_on_sql", viewonly=True)
    serials: Mapped[list["ShipmentSerial"]] = relationship(
        lazy="raise_on_sql", order_by="ShipmentSerial.id", cascade="all, delete-orphan"
    )

    @property
    def serial_numbers(self) -> tuple[str, ...]:
        """The serial numbers in the order in which they were written down."""
        return tuple(item.serial_number for item in self.serials)


class ShipmentSerial(Base):
    """The serial number (service tag) of one shipped piece."""

    __tablename__ = "shipment_serial"
    __table_args__ = (
        UniqueConstraint("account_id", "serial_number"),
        ForeignKeyConstraint(
            ["account_id", "shipment_line_id"], ["shipment_line.account_id", "shipment_line.id"]
        ),
        Index("ix_shipment_serial_line", "shipment_line_id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    shipment_line_id: Mapped[int]
    serial_number: Mapped[str] = mapped_column(String(64))
