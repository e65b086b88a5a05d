"""Tables of cases: teams and what routes to them, cases, their messages and attachments."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Date,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account, Unit
from portal.catalog.models import Product
from portal.db import ACCOUNT_SCOPED, Base, Code, Id, exempt
from portal.orders.models import Order
from portal.service.assets.models import Asset
from portal.service.cases.rules import (
    CaseKind,
    CaseStatus,
    Cause,
    Channel,
    ComplaintCategory,
    Priority,
    Severity,
)

OURS: Final = exempt("the supplier's own set-up: teams, rules and phrases, no customer's data")


def _word(kind: type[StrEnum], length: int = 20) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        length=length,
        values_callable=lambda words: [word.value for word in words],
    )


class ServiceTeam(Base):
    """Agents who work on the same cases; alarms go to its address and phone, then its manager."""

    __tablename__ = "service_team"
    __table_args__ = (OURS,)

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(200))
    alarm_email: Mapped[str] = mapped_column(String(254), default="")
    alarm_phone: Mapped[str] = mapped_column(String(40), default="")
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id"))
    calendar_code: Mapped[str] = mapped_column(String(64), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    members: Mapped[list["ServiceTeamMember"]] = relationship(
        lazy="raise_on_sql",
        cascade="all, delete-orphan",
        order_by="ServiceTeamMember.membership_id",
    )


class ServiceTeamMember(Base):
    """A supplier's membership that belongs to a team."""

    __tablename__ = "service_team_member"
    __table_args__ = (OURS,)

    team_id: Mapped[int] = mapped_column(
        ForeignKey("service_team.id", ondelete="CASCADE"), primary_key=True
    )
    membership_id: Mapped[int] = mapped_column(
        ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ServiceRule(Base):
    """One line of the table that routes new cases; the first match by number decides."""

    __tablename__ = "service_rule"
    __table_args__ = (CheckConstraint("number > 0", name="number"), OURS)

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[CaseKind | None] = mapped_column(_word(CaseKind))
    category_path: Mapped[str] = mapped_column(String(500), default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    country: Mapped[str] = mapped_column(String(2), default="")
    team_id: Mapped[int] = mapped_column(ForeignKey("service_team.id"))
    priority: Mapped[Priority | None] = mapped_column(_word(Priority))
    version: Mapped[int] = mapped_column(default=1)

    team: Mapped[ServiceTeam] = relationship(lazy="raise_on_sql", viewonly=True)
    account: Mapped[Account | None] = relationship(lazy="raise_on_sql", viewonly=True)


class CannedAnswer(Base):
    """A phrase that agents insert; ``locale`` empty serves every language."""

    __tablename__ = "canned_answer"
    __table_args__ = (UniqueConstraint("name", "locale"), OURS)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(16), default="")
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)


class Case(Base):
    """A customer's request for service; ``membership_id`` is who asks, ``assignee_id`` who works.

    The clock is not here: it is worked out from the events. ``version`` counts every change, so
    that no form overwrites what its maker has not seen.
    """

    __tablename__ = "service_case"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "opening_key"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ForeignKeyConstraint(["account_id", "asset_id"], ["asset.account_id", "asset.id"]),
        ForeignKeyConstraint(
            ["account_id", "order_id"], ["purchase_order.account_id", "purchase_order.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "merged_into_id"], ["service_case.account_id", "service_case.id"]
        ),
        Index("ix_service_case_status", "status", "id"),
        Index("ix_service_case_account_status", "account_id", "status", "id"),
        Index("ix_service_case_asset", "account_id", "asset_id"),
        Index("ix_service_case_merged", "account_id", "merged_into_id"),
        CheckConstraint("stars is null or stars between 1 and 5", name="stars"),
        CheckConstraint(
            "(status = 'merged') = (merged_into_id is not null)", name="merged_somewhere"
        ),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    membership_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[CaseKind] = mapped_column(_word(CaseKind))
    subject: Mapped[str] = mapped_column(String(200))
    priority: Mapped[Priority] = mapped_column(_word(Priority), default=Priority.NORMAL)
    channel: Mapped[Channel] = mapped_column(_word(Channel), default=Channel.PORTAL)
    status: Mapped[CaseStatus] = mapped_column(_word(CaseStatus), default=CaseStatus.NEW)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("service_team.id"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(index=True)
    asset_id: Mapped[int | None]
    order_id: Mapped[int | None]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    order_number: Mapped[str] = mapped_column(String(64), default="")
    merged_into_id: Mapped[int | None]
    opening_key: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    complaint_category: Mapped[ComplaintCategory | None] = mapped_column(_word(ComplaintCategory))
    severity: Mapped[Severity | None] = mapped_column(_word(Severity))
    cause: Mapped[Cause | None] = mapped_column(_word(Cause))
    measure: Mapped[str] = mapped_column(Text, default="")
    follow_up_on: Mapped[date | None] = mapped_column(Date)
    followed_up_at: Mapped[datetime | None]
    stars: Mapped[int | None]
    rating_text: Mapped[str] = mapped_column(Text, default="")
    rated_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="raise_on_sql", viewonly=True)
    unit: Mapped[Unit | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Case.unit_id) == Unit.id"
    )
    team: Mapped[ServiceTeam | None] = relationship(lazy="raise_on_sql", viewonly=True)
    asset: Mapped[Asset | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Case.asset_id) == Asset.id"
    )
    order: Mapped[Order | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Case.order_id) == Order.id"
    )
    product: Mapped[Product | None] = relationship(lazy="raise_on_sql", viewonly=True)


class CaseMessage(Base):
    """What somebody said about a case, to the other side or, internal, among the service.

    ``person_id`` and ``membership_id`` name the author on either side; ``mail_id`` is the
    Message-ID of the mail it came by, so that no mail is taken twice.
    """

    __tablename__ = "case_message"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("mail_id"),
        UniqueConstraint("case_id", "form_key"),
        ForeignKeyConstraint(
            ["account_id", "case_id"], ["service_case.account_id", "service_case.id"]
        ),
        Index("ix_case_message_case", "case_id", "id"),
        CheckConstraint("side in ('customer', 'service')", name="side"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    case_id: Mapped[int]
    membership_id: Mapped[int | None]
    person_id: Mapped[int | None]
    side: Mapped[str] = mapped_column(String(10))
    is_internal: Mapped[bool] = mapped_column(default=False)
    channel: Mapped[Channel] = mapped_column(_word(Channel), default=Channel.PORTAL)
    body: Mapped[str] = mapped_column(Text)
    article_number: Mapped[str] = mapped_column(String(20), default="")
    mail_id: Mapped[str | None] = mapped_column(String(255))
    form_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]

    attachments: Mapped[list["CaseAttachment"]] = relationship(
        lazy="raise_on_sql",
        order_by="CaseAttachment.position",
        primaryjoin="CaseMessage.id == foreign(CaseAttachment.message_id)",
        viewonly=True,
    )


class CaseAttachment(Base):
    """A file of a message, kept under the hash of its content; ``position`` counts in its case."""

    __tablename__ = "case_attachment"
    __table_args__ = (
        UniqueConstraint("case_id", "position"),
        ForeignKeyConstraint(
            ["account_id", "case_id"], ["service_case.account_id", "service_case.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "message_id"], ["case_message.account_id", "case_message.id"]
        ),
        Index("ix_case_attachment_message", "message_id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    case_id: Mapped[int]
    message_id: Mapped[int]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(60))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
