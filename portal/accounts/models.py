"""Tables of accounts, their organisation, people, memberships, sessions and single-use links."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import ACCOUNT_SCOPED, Amount, Base, Code, Id, exempt


class Account(Base):
    """A corporate customer or the supplier (UBL BuyerCustomerParty, SellerSupplierParty)."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind in ('customer', 'supplier')", name="kind"),
        CheckConstraint("status in ('prospect', 'active', 'suspended', 'closed')", name="status"),
        CheckConstraint("tax_status in ('normal', 'exempt', 'reverse-charge')", name="tax_status"),
        CheckConstraint("partial_orders in ('free', 'from_break', 'whole')", name="partial_orders"),
        Index(
            "uq_account_supplier",
            "kind",
            unique=True,
            sqlite_where=text("kind = 'supplier'"),
            postgresql_where=text("kind = 'supplier'"),
        ),
        {"info": {"scope": "account", "account_column": "id"}},
    )

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(10), default="customer")
    name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    locale: Mapped[str] = mapped_column(String(16), default="en")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    tax_id: Mapped[str | None] = mapped_column(String(64))
    tax_status: Mapped[str] = mapped_column(String(20), default="normal")
    tier: Mapped[str | None] = mapped_column(String(64))
    segment: Mapped[str | None] = mapped_column(String(64))
    payment_terms_days: Mapped[int] = mapped_column(default=30)
    credit_limit: Mapped[Amount | None]
    status: Mapped[str] = mapped_column(String(10), default="active")
    quote_valid_days: Mapped[int] = mapped_column(default=30)
    partial_orders: Mapped[str] = mapped_column(String(10), default="free")
    purchase_order_number: Mapped[str] = mapped_column(String(10), default="required")
    purchase_order_pattern: Mapped[str | None] = mapped_column(String(200))
    purchase_order_duplicates: Mapped[str] = mapped_column(String(10), default="warn")

    @property
    def is_supplier(self) -> bool:
        """Whether this row is the operator of the installation."""
        return self.kind == "supplier"


class Unit(Base):
    """A node of an account's organisation tree: division, department or site."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("account_id", "code"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(["account_id", "parent_id"], ["unit.account_id", "unit.id"]),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    code: Mapped[Code]
    name: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None]


class Address(Base):
    """A place to ship to or to bill (ISO 3166-1 country)."""

    __tablename__ = "address"
    __table_args__ = (
        UniqueConstraint("account_id", "code"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        CheckConstraint("kind in ('ship', 'bill')", name="kind"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    code: Mapped[Code]
    kind: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(String(200))
    line1: Mapped[str] = mapped_column(String(200))
    line2: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))
    region: Mapped[str | None] = mapped_column(String(100))
    postcode: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(2))


class AccessGroup(Base):
    """What its members see; which assortments, the catalogue knows."""

    __tablename__ = "access_group"
    __table_args__ = (
        UniqueConstraint("account_id", "code"),
        UniqueConstraint("account_id", "id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    code: Mapped[Code]
    name: Mapped[str] = mapped_column(String(200))


class Person(Base):
    """Somebody who signs in; the e-mail (lower case) is the identity."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("status in ('invited', 'active', 'suspended')", name="status"),
        exempt("a person may belong to several accounts; rights hang on the membership"),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    locale: Mapped[str | None] = mapped_column(String(16))
    theme: Mapped[str] = mapped_column(String(5), default="auto")
    status: Mapped[str] = mapped_column(String(10), default="invited")


class Membership(Base):
    """A person in an account and unit, with the rights and limits that hold there."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("person_id", "account_id", "unit_id"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "access_group_id"], ["access_group.account_id", "access_group.id"]
        ),
        ForeignKeyConstraint(
            ["account_id", "manager_id"], ["membership.account_id", "membership.id"]
        ),
        CheckConstraint("status in ('active', 'suspended', 'ended')", name="status"),
        CheckConstraint("signing_limit is null or signing_limit >= 0", name="limit"),
        {"info": {"scope": "account", "person_column": "person_id"}},
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    access_group_id: Mapped[int | None]
    manager_id: Mapped[int | None]
    signing_limit: Mapped[Amount | None]
    signs_unlimited: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(10), default="active")

    person: Mapped[Person] = relationship(lazy="raise_on_sql")
    account: Mapped[Account] = relationship(
        lazy="raise_on_sql", foreign_keys=[account_id], viewonly=True
    )
    unit: Mapped[Unit | None] = relationship(
        lazy="raise_on_sql", viewonly=True, primaryjoin="foreign(Membership.unit_id) == Unit.id"
    )
    roles: Mapped[list["MembershipRole"]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="MembershipRole.role"
    )

    @property
    def limit(self) -> Decimal | None:
        """Amount that this person may sign for; ``None`` is no limit, an empty one is 0."""
        if self.signs_unlimited:
            return None
        return self.signing_limit or Decimal(0)


class MembershipRole(Base):
    """One role that a membership holds."""

    __tablename__ = "membership_role"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            ondelete="CASCADE",
        ),
        {"info": {"scope": "account", "person_through": "membership"}},
    )

    membership_id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    account_id: Mapped[int]


class AccountAssignment(Base):
    """A customer account that a supplier's membership looks after."""

    __tablename__ = "account_assignment"
    __table_args__ = (exempt("joins supplier staff with customer accounts; read with the actor"),)

    membership_id: Mapped[int] = mapped_column(
        ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)


class CostCentre(Base):
    """What spending is booked to; owned by a person of the account."""

    __tablename__ = "cost_centre"
    __table_args__ = (
        UniqueConstraint("account_id", "code"),
        UniqueConstraint("account_id", "id"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    unit_id: Mapped[int | None]
    code: Mapped[Code]
    name: Mapped[str] = mapped_column(String(200))
    owner_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class UserSession(Base):
    """A signed-in browser: the token is stored hashed, the row ends with the sign-in."""

    __tablename__ = "user_session"
    __table_args__ = (exempt("found by the hash of a secret token, before any account is known"),)

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    membership_id: Mapped[int | None] = mapped_column(
        ForeignKey("membership.id", ondelete="CASCADE")
    )
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SingleUseLink(Base):
    """An invitation or password reset: a hashed secret that works once, until it expires."""

    __tablename__ = "single_use_link"
    __table_args__ = (
        CheckConstraint("kind in ('invitation', 'reset')", name="kind"),
        exempt("found by the hash of a secret token, before any account is known"),
    )

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RateWindow(Base):
    """How often something was tried in a fixed window, by a hashed key (address, e-mail, all)."""

    __tablename__ = "rate_window"
    __table_args__ = (exempt("counts attempts by hashed key, no business data"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
