"""The table of text messages."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import ACCOUNT_SCOPED, Base, Id


class TextMessage(Base):
    """One text message to one phone (E.164), written with what it is about."""

    __tablename__ = "text_message"
    __table_args__ = (ACCOUNT_SCOPED,)

    id: Mapped[Id]
    account_id: Mapped[int]
    phone: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
