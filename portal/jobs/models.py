"""Tables of work to do, and of the people who asked for some of it."""

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
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import ACCOUNT_SCOPED, Base, Id, exempt
from portal.jobs.rules import JobState


class Job(Base):
    """One piece of work; the row with its lease survives a killed worker."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(
            "state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"
        ),
        Index("ix_job_due", "state", "run_at"),
        exempt("read by the worker and, through its walled request, by whoever asked for it"),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    unique_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    state: Mapped[JobState] = mapped_column(
        Enum(
            JobState,
            native_enum=False,
            create_constraint=False,
            length=10,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=JobState.WAITING,
    )
    run_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None]
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class JobRequest(Base):
    """A job that a person asked for: whose it is, what they call it, and the file it made.

    ``address`` is the page it came from. The file stands in the data folder under the hash of its
    content until ``expires_at``.
    """

    __tablename__ = "job_request"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        Index("ix_job_request_membership", "account_id", "membership_id"),
        Index("ix_job_request_expires_at", "expires_at"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    membership_id: Mapped[int]
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    file_hash: Mapped[str | None] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(120), default="")
    file_size: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]

    job: Mapped[Job] = relationship(lazy="raise_on_sql")
