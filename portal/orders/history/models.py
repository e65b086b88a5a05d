"""Tables of imported orders: figures of another system, kept as they were there."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.db import ACCOUNT_SCOPED, Amount, Base, Id, Quantity, UnitPrice


class PastOrder(Base):
    """An order of another system, known by the number that it had there.

    ``membership_id`` is there where the person of the file is one of the account's people.
    ``net_total`` is the sum of the lines, so that lists need not add them up.
    """

    __tablename__ = "past_order"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "number"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        Index("ix_past_order_number", "number"),
        Index("ix_past_order_purchase_order", "purchase_order_number"),
        Index("ix_past_order_placed", "account_id", "placed_at", "id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    membership_id: Mapped[int | None] = mapped_column(index=True)
    person_email: Mapped[str] = mapped_column(String(254), default="")
    number: Mapped[str] = mapped_column(String(64))
    purchase_order_number: Mapped[str] = mapped_column(String(64), default="")
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(40), default="")
    net_total: Mapped[Amount]
    placed_at: Mapped[datetime]
    imported_at: Mapped[datetime]

    account: Mapped[Account] = relationship(lazy="raise_on_sql", viewonly=True)
    lines: Mapped[list["PastOrderLine"]] = relationship(
        lazy="raise_on_sql",
        order_by="PastOrderLine.position",
        viewonly=True,
        primaryjoin="PastOrder.id == foreign(PastOrderLine.past_order_id)",
    )


class PastOrderLine(Base):
    """One line of an imported order; ``product_id`` where its SKU is one of ours."""

    __tablename__ = "past_order_line"
    __table_args__ = (
        UniqueConstraint("past_order_id", "position"),
        ForeignKeyConstraint(
            ["account_id", "past_order_id"], ["past_order.account_id", "past_order.id"]
        ),
        Index("ix_past_order_line_sku", "account_id", "sku"),
        CheckConstraint("quantity > 0", name="quantity"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    past_order_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(400))
    quantity: Mapped[Quantity]
    uom: Mapped[str] = mapped_column(String(16))
    unit_price: Mapped[UnitPrice]
    line_total: Mapped[Amount]
