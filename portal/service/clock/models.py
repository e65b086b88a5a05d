"""The table of what is promised."""

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Id, exempt


class ServiceTarget(Base):
    """What is promised to a tier of accounts for a priority, in business minutes.

    An empty ``tier`` speaks for all accounts whose own tier says nothing.
    """

    __tablename__ = "service_target"
    __table_args__ = (
        UniqueConstraint("tier", "priority"),
        CheckConstraint(
            "(first_answer_minutes is null or first_answer_minutes > 0)"
            " and (resolution_minutes is null or resolution_minutes > 0)"
            " and warn_minutes > 0 and escalate_minutes >= warn_minutes",
            name="minutes",
        ),
        exempt("the supplier's own set-up: what is promised to tiers, no customer's data"),
    )

    id: Mapped[Id]
    tier: Mapped[str] = mapped_column(String(64), default="")
    priority: Mapped[str] = mapped_column(String(20))
    first_answer_minutes: Mapped[int | None]
    resolution_minutes: Mapped[int | None]
    warn_minutes: Mapped[int]
    escalate_minutes: Mapped[int]
