"""Files on their way in: checked, and kept until they are imported."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Id, exempt


class Upload(Base):
    """A file that somebody checked; the import takes exactly this one."""

    __tablename__ = "upload"
    __table_args__ = (exempt("found only by the membership that sent it; gone within a day"),)

    id: Mapped[Id]
    membership_id: Mapped[int] = mapped_column(
        ForeignKey("membership.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(40))
    mode: Mapped[str] = mapped_column(String(10))
    filename: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_at: Mapped[datetime] = mapped_column(index=True)
