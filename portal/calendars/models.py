"""The table of business calendars."""

from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Code, Id, exempt


class BusinessCalendar(Base):
    """When a team works: hours of a week in a time zone, public holidays, days that differ.

    ``week`` holds spans of text by weekday ("0" is Monday: ``[["09:00", "18:00"]]``),
    ``extra_holidays`` days that are closed besides the public holidays of ``country`` and
    ``subdivision`` (ISO 3166-1 and -2), ``extra_workdays`` spans by day, which win over both.
    """

    __tablename__ = "business_calendar"
    __table_args__ = (
        Index(
            "uq_business_calendar_default",
            "is_default",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
        exempt("the supplier's own set-up: opening hours, no customer's data"),
    )

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))
    subdivision: Mapped[str | None] = mapped_column(String(10))
    week: Mapped[dict[str, Any]]
    extra_holidays: Mapped[list[Any]]
    extra_workdays: Mapped[dict[str, Any]]
    is_default: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
