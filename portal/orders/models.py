"""Tables of orders and their lines."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.catalog.pricing.tax_rules import TaxStatus
from portal.db import ACCOUNT_SCOPED, Amount, Base, Id, Quantity, Rate, UnitPrice
from portal.orders.progress import Counts, last_due
from portal.orders.rules import OrderStatus
from portal.quotes.models import Quote


class Order(Base):
    """A purchase order with the supplier (UBL Order): made from one approved revision.

    ``content_hash`` and ``run_id`` are the proof: the approval and exactly the content it was for.
    Each key names the form that was sent, each digest what it said: a repeated form is answered
    with the order it made, the same key with other content is refused.
    """

    __tablename__ = "purchase_order"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "conversion_key"),
        UniqueConstraint("account_id", "placing_key"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ForeignKeyConstraint(["account_id", "quote_id"], ["quote.account_id", "quote.id"]),
        ForeignKeyConstraint(
            ["account_id", "revision_id"], ["quote_revision.account_id", "quote_revision.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "run_id"], ["approval_run.account_id", "approval_run.id"]
        ),
        Index("ix_purchase_order_status", "account_id", "status", "id"),
        Index("ix_purchase_order_number", "account_id", "purchase_order_number"),
        Index("ix_purchase_order_quote", "quote_id"),
        Index(
            "ix_purchase_order_list",
            "account_id",
            "number",
            "id",
            "status",
            "unit_id",
            "membership_id",
            "purchase_order_number",
            "quote_id",
        ),  # all that the list counts, looks into and pages by: an order's row is large
        Index(
            "ix_purchase_order_sums",
            "account_id",
            "placed_at",
            "status",
            "unit_id",
            "membership_id",
            "currency",
            "valid_lines",
            "lines_total",
            "list_total",
            "listed_total",
        ),  # all that reports ask of whole orders, so that they read no rows
        CheckConstraint(
            "(status = 'draft') or (placed_at is not null) or status = 'discarded'", name="placed"
        ),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    membership_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    quote_id: Mapped[int]
    revision_id: Mapped[int]
    run_id: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[OrderStatus] = mapped_column(
        Enum(
            OrderStatus,
            native_enum=False,
            length=20,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=OrderStatus.DRAFT,
    )
    currency: Mapped[str] = mapped_column(String(3))
    purchase_order_number: Mapped[str] = mapped_column(String(64), default="")
    contact: Mapped[str] = mapped_column(String(200), default="")
    requested_on: Mapped[date | None] = mapped_column(Date)
    delivery_notes: Mapped[str] = mapped_column(Text, default="")
    lines_total: Mapped[Amount]
    valid_lines: Mapped[int] = mapped_column(default=0)
    """How many lines are not wholly cancelled."""
    list_total: Mapped[Amount] = mapped_column(default=Decimal(0))
    """What those of them that have a list price come to at it."""
    listed_total: Mapped[Amount] = mapped_column(default=Decimal(0))
    """What the same lines come to at their own prices."""
    freight: Mapped[Amount]
    net_total: Mapped[Amount]
    tax: Mapped[list[Any]] = mapped_column(default=list)
    tax_total: Mapped[Amount | None]
    gross_total: Mapped[Amount | None]
    places: Mapped[dict[str, Any]] = mapped_column(default=dict)
    conversion_key: Mapped[str] = mapped_column(String(64))
    conversion_digest: Mapped[str] = mapped_column(String(64))
    placing_key: Mapped[str | None] = mapped_column(String(64))
    placing_digest: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    """When the last of its goods left."""
    delivered_at: Mapped[datetime | None]
    """When the last of its goods was noted as delivered."""
    ended_at: Mapped[datetime | None]

    @property
    def tax_status(self) -> TaxStatus:
        """How the account was taxed at submission: normal, exempt or reverse charge."""
        return TaxStatus(self.places["tax_status"])

    @property
    def tax_rows(self) -> list[dict[str, Decimal]]:
        """The tax per rate: ``rate`` in per cent, ``base`` and ``amount``."""
        return [{name: Decimal(text) for name, text in row.items()} for row in self.tax]

    @property
    def addresses(self) -> list[tuple[str, dict[str, Any]]]:
        """The approved addresses that lines of this order go to, by code."""
        used = {line.ship_to for line in self.lines}
        known: dict[str, dict[str, Any]] = self.places.get("addresses", {})
        return [(code, known[code]) for code in sorted(known) if code in used]

    account: Mapped[Account] = relationship(lazy="raise_on_sql", viewonly=True)
    quote: Mapped[Quote] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Order.quote_id) == Quote.id"
    )
    lines: Mapped[list["OrderLine"]] = relationship(
        lazy="raise_on_sql",
        order_by="OrderLine.position",
        cascade="all, delete-orphan",
        back_populates="order",
    )

    @property
    def counts(self) -> list[Counts]:
        """What became of each line, for the rules."""
        return [line.counts for line in self.lines]

    @property
    def due_on(self) -> date | None:
        """The last day that was promised for what has not left yet."""
        return last_due(self.counts)


class OrderLine(Base):
    """One position of an order (UBL OrderLine); ``line_id`` is that of its quote.

    ``quantity`` is what was ordered and never changes. ``cancelled`` is how much of it is given up,
    ``reopened`` how much of that the quote has open again (only what was cancelled before the
    supplier confirmed). ``backordered`` is how much of the rest comes later than ``promised_on``.
    ``workshop`` is how much of it a repair takes off the workshop's own shelves; it lessens where
    the repair gives parts back.
    ``line_total`` is that of what is not cancelled.
    """

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "line_id"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        Index("ix_purchase_order_line_ledger", "quote_id", "line_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("reopened >= 0 and reopened <= cancelled", name="reopened"),
        CheckConstraint("shipped >= 0 and shipped + cancelled <= quantity", name="shipped"),
        CheckConstraint("delivered >= 0 and delivered <= shipped", name="delivered"),
        CheckConstraint("backordered >= 0", name="backordered"),
        CheckConstraint("workshop >= 0 and workshop <= quantity", name="workshop"),
        Index("ix_purchase_order_line_due", "promised_on"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    order_id: Mapped[int]
    quote_id: Mapped[int]
    line_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(400))
    quantity: Mapped[Quantity]
    uom: Mapped[str] = mapped_column(String(16))
    list_price: Mapped[UnitPrice | None]
    unit_price: Mapped[UnitPrice]
    line_total: Mapped[Amount]
    tax_category: Mapped[str] = mapped_column(String(20))
    tax_rate: Mapped[Rate | None]
    tax_country: Mapped[str] = mapped_column(String(2))
    tax_region: Mapped[str | None] = mapped_column(String(100))
    ship_to: Mapped[str] = mapped_column(String(64), default="")
    cost_centre: Mapped[str] = mapped_column(String(64), default="")
    note: Mapped[str] = mapped_column(String(400), default="")
    cancelled: Mapped[Quantity] = mapped_column(default=Decimal(0))
    reopened: Mapped[Quantity] = mapped_column(default=Decimal(0))
    backordered: Mapped[Quantity] = mapped_column(default=Decimal(0))
    shipped: Mapped[Quantity] = mapped_column(default=Decimal(0))
    delivered: Mapped[Quantity] = mapped_column(default=Decimal(0))
    workshop: Mapped[Quantity] = mapped_column(default=Decimal(0))
    first_promised_on: Mapped[date | None] = mapped_column(Date)
    """The day of the first promise for the whole of the line; it never moves."""
    promised_on: Mapped[date | None] = mapped_column(Date)
    backorder_on: Mapped[date | None] = mapped_column(Date)
    shipped_on: Mapped[date | None] = mapped_column(Date)
    """The day the last of it left, in the account's time zone."""
    delivered_on: Mapped[date | None] = mapped_column(Date)
    """The day the last of it arrived."""
    late_told_for: Mapped[date | None] = mapped_column(Date)
    """The promised day for which the buyer was told that it has passed."""

    order: Mapped[Order] = relationship(lazy="raise_on_sql", back_populates="lines")

    @property
    def counts(self) -> Counts:
        """What became of the line, for the rules."""
        return Counts(
            ordered=self.quantity,
            cancelled=self.cancelled,
            backordered=self.backordered,
            shipped=self.shipped,
            delivered=self.delivered,
            workshop=self.workshop,
            promised_on=self.promised_on,
            backorder_on=self.backorder_on,
        )

    @property
    def valid(self) -> Decimal:
        """What is ordered and not cancelled."""
        return self.quantity - self.cancelled

    @property
    def to_ship(self) -> Decimal:
        """What has still to leave."""
        return self.valid - self.shipped
