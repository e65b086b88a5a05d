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


class OrderLine(Base):
    """One position of an order (UBL OrderLine); ``line_id`` is that of its quote."""

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "line_id"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        Index("ix_purchase_order_line_ledger", "quote_id", "line_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
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

    order: Mapped[Order] = relationship(lazy="raise_on_sql", back_populates="lines")
