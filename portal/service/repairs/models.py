"""Tables of repairs and of the parts they need."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import ACCOUNT_SCOPED, Base, Id, Quantity
from portal.quotes.models import Quote
from portal.service.assets.models import Asset
from portal.service.cases.models import Case
from portal.service.repairs.rules import PartStatus, RepairStatus, Way


def _words(kind: type[RepairStatus] | type[Way] | type[PartStatus]) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        length=20,
        values_callable=lambda words: [word.value for word in words],
    )


class Repair(Base):
    """One unit's way through the workshop; it belongs to a case, whose scope is its own.

    ``place`` is where it is picked up, repaired or sent back to, frozen as plain address data.
    ``stepped_at`` is when it came to its state; ``version`` counts every change.
    """

    __tablename__ = "repair"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "form_key"),
        ForeignKeyConstraint(
            ["account_id", "case_id"], ["service_case.account_id", "service_case.id"]
        ),
        ForeignKeyConstraint(["account_id", "asset_id"], ["asset.account_id", "asset.id"]),
        Index("ix_repair_case", "case_id"),
        Index("ix_repair_asset", "account_id", "asset_id"),
        Index("ix_repair_status", "status", "id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    case_id: Mapped[int]
    asset_id: Mapped[int]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    status: Mapped[RepairStatus] = mapped_column(_words(RepairStatus), default=RepairStatus.AWAITED)
    way: Mapped[Way] = mapped_column(_words(Way), default=Way.SEND_IN)
    place: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fault: Mapped[str] = mapped_column(Text, default="")
    diagnosis: Mapped[str] = mapped_column(Text, default="")
    carrier: Mapped[str] = mapped_column(String(40), default="")
    tracking_number: Mapped[str] = mapped_column(String(80), default="")
    form_key: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    stepped_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]

    case: Mapped[Case] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Repair.case_id) == Case.id"
    )
    asset: Mapped[Asset] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Repair.asset_id) == Asset.id"
    )
    parts: Mapped[list["RepairPart"]] = relationship(
        lazy="raise_on_sql",
        order_by="RepairPart.id",
        cascade="all, delete-orphan",
        back_populates="repair",
    )
    steps: Mapped[list["RepairStep"]] = relationship(
        lazy="raise_on_sql", order_by="RepairStep.id", viewonly=True
    )


class RepairStep(Base):
    """A step that a repair took: to which state, who, when, and the words said with it.

    Words that are internal are read by the service alone.
    """

    __tablename__ = "repair_step"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "repair_id"], ["repair.account_id", "repair.id"]),
        Index("ix_repair_step_repair", "repair_id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    repair_id: Mapped[int]
    verb: Mapped[str] = mapped_column(String(40))
    status: Mapped[RepairStatus] = mapped_column(_words(RepairStatus))
    note: Mapped[str] = mapped_column(Text, default="")
    is_internal: Mapped[bool] = mapped_column(default=False)
    person_id: Mapped[int | None]
    taken_at: Mapped[datetime]


class RepairPart(Base):
    """A part that a repair needs; free where an entitlement covers it, else on ``quote``."""

    __tablename__ = "repair_part"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "repair_id"], ["repair.account_id", "repair.id"]),
        ForeignKeyConstraint(["account_id", "quote_id"], ["quote.account_id", "quote.id"]),
        UniqueConstraint("repair_id", "form_key"),
        Index("ix_repair_part_repair", "repair_id"),
        Index("ix_repair_part_quote", "account_id", "quote_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    repair_id: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(400))
    quantity: Mapped[Quantity]
    status: Mapped[PartStatus] = mapped_column(_words(PartStatus))
    uom: Mapped[str] = mapped_column(String(20))
    is_free: Mapped[bool] = mapped_column(default=False)
    quote_id: Mapped[int | None]
    form_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]

    repair: Mapped[Repair] = relationship(lazy="raise_on_sql", back_populates="parts")
    quote: Mapped[Quote | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(RepairPart.quote_id) == Quote.id"
    )
