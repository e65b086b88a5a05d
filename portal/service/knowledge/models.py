"""Tables of the knowledge base: articles, their versions and texts, audience, and what helped."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.catalog.models import Category, Product
from portal.db import ACCOUNT_SCOPED, Base, Id, exempt
from portal.service.knowledge.rules import ArticleStatus, Audience

SHARED = exempt("the supplier's own articles are one base for all; the query asks for whom each is")


class Article(Base):
    """A question with its answer; readers see ``published_version``, editors ``last_version``.

    ``version`` counts every change, so that a stale save is refused; ``helped`` and
    ``not_helped`` count what readers said.
    """

    __tablename__ = "article"
    __table_args__ = (
        CheckConstraint("(status <> 'published') or (published_version is not null)", name="live"),
        CheckConstraint("helped >= 0 and not_helped >= 0", name="counts"),
        Index("ix_article_status", "status", "id"),
        SHARED,
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    status: Mapped[ArticleStatus] = mapped_column(
        Enum(
            ArticleStatus,
            native_enum=False,
            length=20,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=ArticleStatus.DRAFT,
    )
    audience: Mapped[Audience] = mapped_column(
        Enum(
            Audience,
            native_enum=False,
            length=20,
            values_callable=lambda kinds: [kind.value for kind in kinds],
        ),
        default=Audience.EVERYBODY,
    )
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
    last_version: Mapped[int] = mapped_column(default=1)
    published_version: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    helped: Mapped[int] = mapped_column(default=0)
    not_helped: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    category: Mapped[Category | None] = relationship(lazy="raise_on_sql")
    products: Mapped[list[Product]] = relationship(
        secondary="article_product", lazy="raise_on_sql", order_by=Product.sku
    )
    accounts: Mapped[list["ArticleAccount"]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="ArticleAccount.account_id"
    )
    versions: Mapped[list["ArticleVersion"]] = relationship(
        lazy="raise_on_sql", order_by="ArticleVersion.number", back_populates="article"
    )


class ArticleVersion(Base):
    """What an article said from one publication to the next; a published one never changes."""

    __tablename__ = "article_version"
    __table_args__ = (UniqueConstraint("article_id", "number"), SHARED)

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    number: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    article: Mapped[Article] = relationship(lazy="raise_on_sql", back_populates="versions")
    texts: Mapped[list["ArticleText"]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", order_by="ArticleText.locale"
    )


class ArticleText(Base):
    """A version in one language (BCP 47); the body is Markdown."""

    __tablename__ = "article_text"
    __table_args__ = (SHARED,)

    version_id: Mapped[int] = mapped_column(
        ForeignKey("article_version.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)


class ArticleProduct(Base):
    """A product that an article is about."""

    __tablename__ = "article_product"
    __table_args__ = (SHARED,)

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ArticleAccount(Base):
    """An account that an article is for."""

    __tablename__ = "article_account"
    __table_args__ = (ACCOUNT_SCOPED,)

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)


class ArticleAnswer(Base):
    """Whether an article helped a person: one answer each, the last one counts.

    ``case_id`` is the case that it helped with, where there was one.
    """

    __tablename__ = "article_answer"
    __table_args__ = (
        UniqueConstraint("article_id", "person_id"),
        ForeignKeyConstraint(
            ["account_id", "membership_id"], ["membership.account_id", "membership.id"]
        ),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    membership_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    helped: Mapped[bool]
    case_id: Mapped[int | None]
    said_at: Mapped[datetime]
