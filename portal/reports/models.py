"""What reports keep: saved views, their schedules, and rates between currencies."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

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

from portal.accounts.models import Membership
from portal.db import ACCOUNT_SCOPED, Base, ExactDecimal, Id, exempt
from portal.reports.rhythm import Rhythm

RATE_DECIMALS = 10
ExchangeFactor = Annotated[Decimal, mapped_column(ExactDecimal(RATE_DECIMALS))]


class ExchangeRate(Base):
    """One unit of ``from_currency`` is ``rate`` units of ``to_currency``, until the next rate."""

    __tablename__ = "exchange_rate"
    __table_args__ = (
        UniqueConstraint("from_currency", "to_currency", "valid_from"),
        CheckConstraint("rate > 0", name="rate"),
        exempt("public figures, the same for every account"),
    )

    id: Mapped[Id]
    from_currency: Mapped[str] = mapped_column(String(3))
    to_currency: Mapped[str] = mapped_column(String(3))
    rate: Mapped[ExchangeFactor]
    valid_from: Mapped[datetime]


class SavedView(Base):
    """A report with its period and filters, under a name; its owner's, or the whole account's."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("membership_id", "report", "name"),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        Index("ix_saved_view_report", "account_id", "report"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    membership_id: Mapped[int]
    report: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str] = mapped_column(Text)
    is_shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    membership: Mapped[Membership] = relationship(lazy="raise_on_sql")


class ReportSchedule(Base):
    """A saved view that is mailed to one member again and again, with that member's rights.

    ``next_at`` is ``None`` once it has stopped; ``stopped_for`` says why it stopped by itself.
    """

    __tablename__ = "report_schedule"
    __table_args__ = (
        UniqueConstraint("saved_view_id", "membership_id"),
        ForeignKeyConstraint(
            ["account_id", "saved_view_id"],
            ["saved_view.account_id", "saved_view.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        Index("ix_report_schedule_next_at", "next_at"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    saved_view_id: Mapped[int]
    membership_id: Mapped[int]
    rhythm: Mapped[Rhythm] = mapped_column(
        Enum(
            Rhythm,
            native_enum=False,
            length=10,
            values_callable=lambda rhythms: [rhythm.value for rhythm in rhythms],
        )
    )
    next_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    stopped_for: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]

    view: Mapped[SavedView] = relationship(lazy="raise_on_sql", overlaps="membership")
    membership: Mapped[Membership] = relationship(lazy="raise_on_sql", overlaps="view")
