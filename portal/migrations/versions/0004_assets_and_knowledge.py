"""Assets with their entitlements, and the knowledge base."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.migrations.safety import wall_all
from portal.service.knowledge.search_index import create_search_index, drop_search_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MADE = (
    "article",
    "article_account",
    "article_product",
    "article_version",
    "article_answer",
    "article_text",
    "asset",
    "asset_renewal",
    "entitlement",
)
WALLED = ("article_account", "article_answer", "asset", "asset_renewal", "entitlement")


def upgrade() -> None:
    _make_articles()
    _make_assets()
    create_search_index(op.get_bind())
    wall_all(WALLED)


def _make_articles() -> None:
    op.create_table(
        "article",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft", "published", "retired", name="articlestatus", native_enum=False, length=20
            ),
            nullable=False,
        ),
        sa.Column(
            "audience",
            sa.Enum(
                "everybody", "accounts", "internal", name="audience", native_enum=False, length=20
            ),
            nullable=False,
        ),
        sa.Column(
            "category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "last_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "published_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("helped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "not_helped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status <> 'published') or (published_version is not null)",
            name=op.f("ck_article_live"),
        ),
        sa.CheckConstraint("helped >= 0 and not_helped >= 0", name=op.f("ck_article_counts")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_article_category_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("number", name=op.f("uq_article_number")),
    )
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_category_id"), ["category_id"], unique=False)
        batch_op.create_index("ix_article_status", ["status", "id"], unique=False)

    op.create_table(
        "article_account",
        sa.Column(
            "article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_article_account_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_article_account_article_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", "account_id", name=op.f("pk_article_account")),
    )
    with op.batch_alter_table("article_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_article_account_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "article_product",
        sa.Column(
            "article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_article_product_article_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_article_product_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", "product_id", name=op.f("pk_article_product")),
    )
    with op.batch_alter_table("article_product", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_article_product_product_id"), ["product_id"], unique=False
        )

    op.create_table(
        "article_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_article_version_article_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_article_version_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_version")),
        sa.UniqueConstraint(
            "article_id", "number", name=op.f("uq_article_version_article_id_number")
        ),
    )
    op.create_table(
        "article_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("helped", sa.Boolean(), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_article_answer_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_article_answer_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_article_answer_article_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_article_answer_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_answer")),
        sa.UniqueConstraint(
            "article_id", "person_id", name=op.f("uq_article_answer_article_id_person_id")
        ),
    )
    with op.batch_alter_table("article_answer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_article_answer_person_id"), ["person_id"], unique=False
        )

    op.create_table(
        "article_text",
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["article_version.id"],
            name=op.f("fk_article_text_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "locale", name=op.f("pk_article_text")),
    )


def _make_assets() -> None:
    op.create_table(
        "asset",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "address_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("service_tag", sa.String(length=64), nullable=False),
        sa.Column("tag_key", sa.String(length=64), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "configuration",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("order_number", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "in use",
                "in repair",
                "returned",
                "retired",
                name="assetstatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_asset_version")),
        sa.ForeignKeyConstraint(
            ["account_id", "address_id"],
            ["address.account_id", "address.id"],
            name=op.f("fk_asset_account_id_address_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_asset_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_id"],
            ["purchase_order.account_id", "purchase_order.id"],
            name=op.f("fk_asset_account_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
            name=op.f("fk_asset_account_id_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_asset_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_asset_account_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_asset_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_asset_account_id_id")),
        sa.UniqueConstraint("account_id", "tag_key", name=op.f("uq_asset_account_id_tag_key")),
    )
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_membership_id"), ["membership_id"], unique=False)
        batch_op.create_index("ix_asset_order", ["account_id", "order_number"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_product_id"), ["product_id"], unique=False)
        batch_op.create_index("ix_asset_tag_key", ["tag_key"], unique=False)
        batch_op.create_index("ix_asset_unit", ["account_id", "unit_id"], unique=False)

    op.create_table(
        "asset_renewal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("months", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "covers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("months > 0", name=op.f("ck_asset_renewal_months")),
        sa.ForeignKeyConstraint(
            ["account_id", "asset_id"],
            ["asset.account_id", "asset.id"],
            name=op.f("fk_asset_renewal_account_id_asset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
            name=op.f("fk_asset_renewal_account_id_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "quote_id"],
            ["quote.account_id", "quote.id"],
            name=op.f("fk_asset_renewal_account_id_quote_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_asset_renewal_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_asset_renewal_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_renewal")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_asset_renewal_account_id_id")),
        sa.UniqueConstraint(
            "account_id", "key", "asset_id", name=op.f("uq_asset_renewal_account_id_key_asset_id")
        ),
    )
    with op.batch_alter_table("asset_renewal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_renewal_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_asset_renewal_order_line_id"), ["order_line_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_asset_renewal_product_id"), ["product_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_asset_renewal_quote_id"), ["quote_id"], unique=False)

    op.create_table(
        "entitlement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("warranty", "contract", name="entitlementkind", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column(
            "covers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column(
            "renewal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_entitlement_days")),
        sa.ForeignKeyConstraint(
            ["account_id", "asset_id"],
            ["asset.account_id", "asset.id"],
            name=op.f("fk_entitlement_account_id_asset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "renewal_id"],
            ["asset_renewal.account_id", "asset_renewal.id"],
            name=op.f("fk_entitlement_account_id_renewal_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_entitlement_account_id_id")),
        sa.UniqueConstraint("renewal_id", name=op.f("uq_entitlement_renewal_id")),
    )
    with op.batch_alter_table("entitlement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entitlement_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index("ix_entitlement_until", ["account_id", "valid_until"], unique=False)


def downgrade() -> None:
    drop_search_index(op.get_bind())
    for table in MADE[::-1]:
        op.drop_table(table)
