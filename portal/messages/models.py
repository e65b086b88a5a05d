"""Tables of messages and of who has received them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import ACCOUNT_SCOPED, Base, Id


class Message(Base):
    """One thing to tell: to a membership, to a person, or to everybody with a supplier role."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        CheckConstraint(
            "(membership_id is not null) or (person_id is not null) or (supplier_role is not null)",
            name="audience",
        ),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(60))
    membership_id: Mapped[int | None]
    person_id: Mapped[int | None]
    supplier_role: Mapped[str | None] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(String(400))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Delivery(Base):
    """A message that one person has been sent."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "person_id"),
        ForeignKeyConstraint(["account_id", "message_id"], ["message.account_id", "message.id"]),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    message_id: Mapped[int]
    person_id: Mapped[int]
    sent_at: Mapped[datetime]
