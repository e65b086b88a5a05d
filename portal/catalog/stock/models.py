"""Tables of stock: levels per location, reservations, and the append-only ledger of moves."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    Enum,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.catalog.stock.rules import MoveKind, Store
from portal.db import Base, Id, Quantity, exempt

STOCK = exempt("the supplier's stock is one for all accounts; a subject is named by its id alone")


def _words(kind: type[Store] | type[MoveKind]) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        length=10,
        values_callable=lambda members: [member.value for member in members],
    )


class StockLevel(Base):
    """What lies at one location, and when more is expected; in the product's own unit."""

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("product_id", "location_code"),
        Index("ix_stock_level_location_code", "location_code"),
        CheckConstraint("on_hand >= 0", name="on_hand"),
        STOCK,
    )

    id: Mapped[Id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    location_code: Mapped[str] = mapped_column(String(64))
    store: Mapped[Store] = mapped_column(_words(Store))
    on_hand: Mapped[Quantity]
    expected_on: Mapped[date | None] = mapped_column(Date)
    reorder_level: Mapped[Quantity | None]

    @property
    def mark(self) -> str:
        """What tells a form whether anything changed since it was opened."""
        return f"{self.on_hand:f} {self.expected_on or '-'} {self.reorder_level or 0:f}"


class StockReservation(Base):
    """What is kept for one subject; together they may be more than lies there (back-order)."""

    __tablename__ = "stock_reservation"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id", "product_id", "store"),
        Index("ix_stock_reservation_product", "product_id", "store"),
        CheckConstraint("quantity > 0", name="quantity"),
        STOCK,
    )

    id: Mapped[Id]
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    store: Mapped[Store] = mapped_column(_words(Store))
    quantity: Mapped[Quantity]
    reserved_at: Mapped[datetime]


class StockMove(Base):
    """One line of the ledger: what it changed of what is on hand and of what is reserved.

    ``form_key`` names the form that was sent, so that a repeated one moves nothing.
    """

    __tablename__ = "stock_move"
    __table_args__ = (
        UniqueConstraint("form_key"),
        Index("ix_stock_move_product", "product_id", "id"),
        Index("ix_stock_move_subject", "subject_kind", "subject_id"),
        STOCK,
    )

    id: Mapped[Id]
    kind: Mapped[MoveKind] = mapped_column(_words(MoveKind))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    store: Mapped[Store] = mapped_column(_words(Store))
    location_code: Mapped[str | None] = mapped_column(String(64))
    on_hand_change: Mapped[Quantity]
    reserved_change: Mapped[Quantity]
    subject_kind: Mapped[str | None] = mapped_column(String(20))
    subject_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    person_id: Mapped[int | None]
    form_key: Mapped[str | None] = mapped_column(String(64))
    moved_at: Mapped[datetime]
