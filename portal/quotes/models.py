"""Tables of quotes: the number for life, its revisions and lines, and what people were typing."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.catalog.models import Product
from portal.db import ACCOUNT_SCOPED, Amount, Base, Id, Quantity, UnitPrice
from portal.quotes.rules import QuoteStatus


def _status_type() -> Enum:
    """Return the column type that keeps a state as the very word of the page."""
    return Enum(
        QuoteStatus,
        native_enum=False,
        length=20,
        values_callable=lambda states: [state.value for state in states],
    )


class Quote(Base):
    """What a buyer saves, revises, submits and orders from: one number for life (UBL Quotation).

    ``revision`` is the number of the current revision and ``status`` its state, repeated here for
    lists; ``version`` counts every change, so that a stale save is refused.
    """

    __tablename__ = "quote"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "reference"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        Index("ix_quote_status", "account_id", "status", "changed_at"),
        Index("ix_quote_list", "account_id", "number", "id"),
        CheckConstraint("revision >= 1", name="revision"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    membership_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    reference: Mapped[str | None] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200), default="")
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[QuoteStatus] = mapped_column(_status_type(), default=QuoteStatus.DRAFT)
    revision: Mapped[int] = mapped_column(default=1)
    last_line_id: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    net_total: Mapped[Amount | None]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    revisions: Mapped[list["QuoteRevision"]] = relationship(
        lazy="raise_on_sql", back_populates="quote", order_by="QuoteRevision.number"
    )
    current: Mapped["QuoteRevision"] = relationship(
        lazy="raise_on_sql",
        viewonly=True,
        primaryjoin="and_(Quote.id == foreign(QuoteRevision.quote_id),"
        " Quote.revision == foreign(QuoteRevision.number))",
    )


class QuoteRevision(Base):
    """One state of a quote's content; from its submission on it never changes.

    Figures and ``valid_until`` are set at submission. ``frozen`` then holds the cost centres and
    addresses as they were, ``tax`` one row per rate, and ``content_hash`` ties all of it together.
    """

    __tablename__ = "quote_revision"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("quote_id", "number"),
        ForeignKeyConstraint(["account_id", "quote_id"], ["quote.account_id", "quote.id"]),
        ForeignKeyConstraint(
            ["account_id", "ship_to_address_id"], ["address.account_id", "address.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "cost_centre_id"], ["cost_centre.account_id", "cost_centre.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "submitted_by_id"], ["membership.account_id", "membership.id"]
        ),
        Index("ix_quote_revision_expiry", "status", "valid_until"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    quote_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[int]
    status: Mapped[QuoteStatus] = mapped_column(_status_type(), default=QuoteStatus.DRAFT)
    title: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    currency: Mapped[str] = mapped_column(String(3))
    ship_to_address_id: Mapped[int | None]
    cost_centre_id: Mapped[int | None]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None]
    submitted_version: Mapped[int | None]
    """The quote's version that was submitted: the same submission again is answered alike."""
    closed_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    extended_until: Mapped[datetime | None]
    """A later end that the account manager gave; no part of the approved content."""
    lines_total: Mapped[Amount | None]
    freight: Mapped[Amount | None]
    net_total: Mapped[Amount | None]
    tax: Mapped[list[Any]] = mapped_column(default=list)
    tax_total: Mapped[Amount | None]
    gross_total: Mapped[Amount | None]
    frozen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    content_hash: Mapped[str | None] = mapped_column(String(64))

    quote: Mapped[Quote] = relationship(lazy="raise_on_sql", back_populates="revisions")
    lines: Mapped[list["QuoteLine"]] = relationship(
        lazy="raise_on_sql",
        back_populates="revision",
        order_by="QuoteLine.position",
        cascade="all, delete-orphan",
    )
    requesters: Mapped[list["QuoteRequester"]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="QuoteRequester.membership_id"
    )

    @property
    def holds_until(self) -> datetime | None:
        """The exclusive instant until which the prices hold, extended or not."""
        return self.extended_until or self.valid_until

    @property
    def is_draft(self) -> bool:
        """Whether the content may still change."""
        return self.status is QuoteStatus.DRAFT


class QuoteLine(Base):
    """One position of a revision (UBL QuotationLine); ``line_id`` is the same in all revisions.

    A draft's line has no prices of its own: today's are resolved whenever it is shown, and
    ``seen_price`` is the one that its people saw last.
    """

    __tablename__ = "quote_line"
    __table_args__ = (
        UniqueConstraint("revision_id", "line_id"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(
            ["account_id", "revision_id"],
            ["quote_revision.account_id", "quote_revision.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["account_id", "ship_to_address_id"], ["address.account_id", "address.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "cost_centre_id"], ["cost_centre.account_id", "cost_centre.id"]
        ),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    revision_id: Mapped[int] = mapped_column(index=True)
    line_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(400))
    quantity: Mapped[Quantity]
    uom: Mapped[str] = mapped_column(String(16))
    list_price: Mapped[UnitPrice | None]
    unit_price: Mapped[UnitPrice | None]
    line_total: Mapped[Amount | None]
    off_contract: Mapped[bool] = mapped_column(default=False)
    trace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seen_price: Mapped[UnitPrice | None]
    cost_centre_id: Mapped[int | None]
    ship_to_address_id: Mapped[int | None]
    note: Mapped[str] = mapped_column(String(400), default="")

    revision: Mapped[QuoteRevision] = relationship(lazy="raise_on_sql", back_populates="lines")
    product: Mapped[Product] = relationship(lazy="raise_on_sql")


class QuoteRequester(Base):
    """Somebody who created, changed or submitted a revision, and so never approves it."""

    __tablename__ = "quote_requester"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "revision_id"],
            ["quote_revision.account_id", "quote_revision.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ACCOUNT_SCOPED,
    )

    revision_id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class QuoteOpening(Base):
    """The draft that a membership opened last: where "Add to quote" adds."""

    __tablename__ = "quote_opening"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ForeignKeyConstraint(["account_id", "quote_id"], ["quote.account_id", "quote.id"]),
        ACCOUNT_SCOPED,
    )

    membership_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    quote_id: Mapped[int]
    opened_at: Mapped[datetime]


class QuickEntry(Base):
    """What a membership typed into quick entry and has not added yet; nothing typed is lost."""

    __tablename__ = "quick_entry"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ACCOUNT_SCOPED,
    )

    membership_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class QuoteDocument(Base):
    """The PDF of a submitted revision; ``fingerprint`` is that of the page it was made from."""

    __tablename__ = "quote_document"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "revision_id"], ["quote_revision.account_id", "quote_revision.id"]
        ),
        ACCOUNT_SCOPED,
    )

    revision_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
