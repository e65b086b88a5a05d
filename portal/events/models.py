"""Tables of the record: events and the head of each account's chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import ACCOUNT_SCOPED, Base, Id
from portal.events.rules import EventFacts


class Event(Base):
    """One thing that happened; the database refuses to change or delete it."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("account_id", "sequence"),
        Index("ix_event_object", "account_id", "kind", "object_id"),
        Index("ix_event_time", "account_id", "occurred_at"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    sequence: Mapped[int]
    occurred_at: Mapped[datetime]
    verb: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int | None]
    number: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int | None]
    membership_id: Mapped[int | None]
    operator: Mapped[str] = mapped_column(String(80), default="")
    data: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    @property
    def facts(self) -> EventFacts:
        """The event as it was hashed."""
        return EventFacts(
            account_id=self.account_id,
            occurred_at=self.occurred_at,
            verb=self.verb,
            kind=self.kind,
            object_id=self.object_id,
            number=self.number,
            person_id=self.person_id,
            membership_id=self.membership_id,
            operator=self.operator,
            data=self.data,
        )


class EventHead(Base):
    """The last sealed event of an account's chain; locked last, just before the commit.

    The database itself moves it with each event that is written, and nobody else writes it.
    """

    __tablename__ = "event_head"
    __table_args__ = (ACCOUNT_SCOPED,)

    account_id: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
