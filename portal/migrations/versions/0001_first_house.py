# ruff: noqa: E501, PLR0915 - one statement for each table, as Alembic writes them
"""The house as it was first built."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.catalog.search_index import create_search_index, drop_search_index
from portal.migrations.safety import (
    freeze_record,
    thaw_record,
    unwall_people,
    wall,
    wall_all,
    wall_people,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WALLED = (
    "access_group",
    "access_group_assortment",
    "address",
    "agreement",
    "agreement_list",
    "approval_policy",
    "approval_run",
    "approval_step",
    "cost_centre",
    "decision",
    "delivery",
    "event",
    "event_head",
    "message",
    "part_number",
    "purchase_order",
    "purchase_order_line",
    "quick_entry",
    "quote",
    "quote_document",
    "quote_line",
    "quote_opening",
    "quote_requester",
    "quote_revision",
    "step_approver",
)
SHARED = ("assortment", "assortment_rule")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("tax_id", sa.String(length=64), nullable=True),
        sa.Column("tax_status", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=64), nullable=True),
        sa.Column("segment", sa.String(length=64), nullable=True),
        sa.Column(
            "payment_terms_days",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("credit_limit", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column(
            "quote_valid_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("partial_orders", sa.String(length=10), nullable=False),
        sa.Column("purchase_order_number", sa.String(length=10), nullable=False),
        sa.Column("purchase_order_pattern", sa.String(length=200), nullable=True),
        sa.Column("purchase_order_duplicates", sa.String(length=10), nullable=False),
        sa.CheckConstraint("kind in ('customer', 'supplier')", name=op.f("ck_account_kind")),
        sa.CheckConstraint(
            "partial_orders in ('free', 'from_break', 'whole')",
            name=op.f("ck_account_partial_orders"),
        ),
        sa.CheckConstraint(
            "status in ('prospect', 'active', 'suspended', 'closed')",
            name=op.f("ck_account_status"),
        ),
        sa.CheckConstraint(
            "tax_status in ('normal', 'exempt', 'reverse-charge')",
            name=op.f("ck_account_tax_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("code", name=op.f("uq_account_code")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(
            "uq_account_supplier",
            ["kind"],
            unique=True,
            sqlite_where=sa.text("kind = 'supplier'"),
            postgresql_where=sa.text("kind = 'supplier'"),
        )

    op.create_table(
        "category",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name=op.f("fk_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("path", name=op.f("uq_category_path")),
    )
    with op.batch_alter_table("category", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_category_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("operator", sa.String(length=80), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("account_id", "sequence", name=op.f("uq_event_account_id_sequence")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_object", ["account_id", "kind", "object_id"], unique=False)

    op.create_table(
        "event_head",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_event_head")),
    )
    op.create_table(
        "freight_rate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_from", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freight_rate")),
        sa.UniqueConstraint(
            "country",
            "currency",
            "net_from",
            name=op.f("uq_freight_rate_country_currency_net_from"),
        ),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column(
            "payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("unique_key", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'done', 'failed')", name=op.f("ck_job_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_job_unique_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_due", ["state", "run_at"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("supplier_role", sa.String(length=40), nullable=True),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(membership_id is not null) or (person_id is not null) or (supplier_role is not null)",
            name=op.f("ck_message_audience"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_message_account_id_id")),
    )
    op.create_table(
        "number_counter",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_number_counter")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=True),
        sa.Column("theme", sa.String(length=5), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "status in ('invited', 'active', 'suspended')", name=op.f("ck_person_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "price_list",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "kind in ('standard', 'list', 'agreement')", name=op.f("ck_price_list_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("code", name=op.f("uq_price_list_code")),
    )
    with op.batch_alter_table("price_list", schema=None) as batch_op:
        batch_op.create_index(
            "uq_price_list_standard",
            ["currency"],
            unique=True,
            sqlite_where=sa.text("kind = 'standard'"),
            postgresql_where=sa.text("kind = 'standard'"),
        )

    op.create_table(
        "rate_window",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("key", "window_start", name=op.f("pk_rate_window")),
    )
    op.create_table(
        "tax_rate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=True),
        sa.Column("tax_category", sa.String(length=16), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_from is null or valid_to is null or valid_from < valid_to",
            name=op.f("ck_tax_rate_window"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
    )
    with op.batch_alter_table("tax_rate", schema=None) as batch_op:
        batch_op.create_index("ix_tax_rate_country", ["country", "tax_category"], unique=False)

    op.create_table(
        "access_group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_access_group_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_group")),
        sa.UniqueConstraint("account_id", "code", name=op.f("uq_access_group_account_id_code")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_access_group_account_id_id")),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_from is null or valid_to is null or valid_from < valid_to",
            name=op.f("ck_agreement_window"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_agreement_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_agreement_account_id_id")),
        sa.UniqueConstraint("number", name=op.f("uq_agreement_number")),
    )
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreement_account_id"), ["account_id"], unique=False)

    op.create_table(
        "assortment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_assortment_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assortment")),
        sa.UniqueConstraint("account_id", "code", name=op.f("uq_assortment_account_id_code")),
    )
    with op.batch_alter_table("assortment", schema=None) as batch_op:
        batch_op.create_index(
            "uq_assortment_shared",
            ["code"],
            unique=True,
            sqlite_where=sa.text("account_id is null"),
            postgresql_where=sa.text("account_id is null"),
        )

    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"],
            ["message.account_id", "message.id"],
            name=op.f("fk_delivery_account_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "message_id", "person_id", name=op.f("uq_delivery_message_id_person_id")
        ),
    )
    op.create_table(
        "price_list_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("best_price", sa.Boolean(), nullable=False),
        sa.Column(
            "unit_price_decimals",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "published_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "returned_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint(
            "(number is null) = (in_force_from is null) and (number is null) = (published_at is null)",
            name=op.f("ck_price_list_version_published"),
        ),
        sa.CheckConstraint(
            "unit_price_decimals between 0 and 4", name=op.f("ck_price_list_version_decimals")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["price_list.id"], name=op.f("fk_price_list_version_list_id")
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["person.id"], name=op.f("fk_price_list_version_published_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list_version")),
        sa.UniqueConstraint("list_id", "number", name=op.f("uq_price_list_version_list_id_number")),
    )
    with op.batch_alter_table("price_list_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_price_list_version_in_force", ["list_id", "in_force_from", "number"], unique=False
        )
        batch_op.create_index(
            "uq_price_list_version_draft",
            ["list_id"],
            unique=True,
            sqlite_where=sa.text("number is null"),
            postgresql_where=sa.text("number is null"),
        )

    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("sku_key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column(
            "names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("successor_sku", sa.String(length=64), nullable=True),
        sa.Column(
            "lead_time_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("min_quantity", sa.BigInteger(), nullable=True),
        sa.Column("quantity_multiple", sa.BigInteger(), nullable=True),
        sa.Column("manufacturer", sa.String(length=200), nullable=True),
        sa.Column("mpn", sa.String(length=100), nullable=True),
        sa.Column("unspsc", sa.String(length=16), nullable=True),
        sa.Column("tax_category", sa.String(length=40), nullable=True),
        sa.CheckConstraint("status in ('active', 'eol')", name=op.f("ck_product_status")),
        sa.CheckConstraint(
            "min_quantity is null or min_quantity > 0", name=op.f("ck_product_min_quantity")
        ),
        sa.CheckConstraint(
            "quantity_multiple is null or quantity_multiple > 0", name=op.f("ck_product_multiple")
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_product_category_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("sku", name=op.f("uq_product_sku")),
    )
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_index(
            "ix_product_category_id_status", ["category_id", "status"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_product_manufacturer"), ["manufacturer"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_sku_key"), ["sku_key"], unique=False)
        batch_op.create_index("ix_product_status_name", ["status", "name", "id"], unique=False)

    op.create_table(
        "single_use_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('invitation', 'reset')", name=op.f("ck_single_use_link_kind")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_single_use_link_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_single_use_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_single_use_link_token_hash")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "parent_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_unit_account_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_unit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("account_id", "code", name=op.f("uq_unit_account_id_code")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_unit_account_id_id")),
    )
    op.create_table(
        "access_group_assortment",
        sa.Column(
            "access_group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "assortment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "access_group_id"],
            ["access_group.account_id", "access_group.id"],
            name=op.f("fk_access_group_assortment_account_id_access_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["assortment_id"],
            ["assortment.id"],
            name=op.f("fk_access_group_assortment_assortment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "access_group_id", "assortment_id", name=op.f("pk_access_group_assortment")
        ),
    )
    op.create_table(
        "address",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("line1", sa.String(length=200), nullable=False),
        sa.Column("line2", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=True),
        sa.Column("postcode", sa.String(length=20), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.CheckConstraint("kind in ('ship', 'bill')", name=op.f("ck_address_kind")),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_address_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_address_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
        sa.UniqueConstraint("account_id", "code", name=op.f("uq_address_account_id_code")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_address_account_id_id")),
    )
    op.create_table(
        "agreement_list",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "agreement_id"],
            ["agreement.account_id", "agreement.id"],
            name=op.f("fk_agreement_list_account_id_agreement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_agreement_list_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["price_list.id"], name=op.f("fk_agreement_list_list_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_list")),
    )
    with op.batch_alter_table("agreement_list", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agreement_list_agreement_id"), ["agreement_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_agreement_list_list_id"), ["list_id"], unique=False)

    op.create_table(
        "approval_policy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "saved_by_person_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.CheckConstraint(
            "unit_key = coalesce(unit_id, 0)", name=op.f("ck_approval_policy_unit_key")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_approval_policy_account_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_policy")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_approval_policy_account_id_id")),
        sa.UniqueConstraint(
            "account_id",
            "unit_key",
            "version",
            name=op.f("uq_approval_policy_account_id_unit_key_version"),
        ),
    )
    op.create_table(
        "assortment_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "assortment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("rule", sa.String(length=5), nullable=False),
        sa.Column(
            "category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint("rule in ('allow', 'deny')", name=op.f("ck_assortment_rule_rule")),
        sa.CheckConstraint(
            "(category_id is null) <> (product_id is null)",
            name=op.f("ck_assortment_rule_one_target"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_assortment_rule_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["assortment_id"],
            ["assortment.id"],
            name=op.f("fk_assortment_rule_assortment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_assortment_rule_category_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_assortment_rule_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assortment_rule")),
        sa.UniqueConstraint(
            "assortment_id",
            "rule",
            "category_id",
            "product_id",
            name=op.f("uq_assortment_rule_assortment_id_rule_category_id_product_id"),
        ),
    )
    with op.batch_alter_table("assortment_rule", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_assortment_rule_assortment_id"), ["assortment_id"], unique=False
        )

    op.create_table(
        "cost",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("floor_price", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_from is null or valid_to is null or valid_from < valid_to",
            name=op.f("ck_cost_window"),
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_cost_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost")),
    )
    with op.batch_alter_table("cost", schema=None) as batch_op:
        batch_op.create_index("ix_cost_product", ["product_id", "currency", "uom"], unique=False)

    op.create_table(
        "cost_centre",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "owner_person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_cost_centre_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_cost_centre_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_person_id"], ["person.id"], name=op.f("fk_cost_centre_owner_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_centre")),
        sa.UniqueConstraint("account_id", "code", name=op.f("uq_cost_centre_account_id_code")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_cost_centre_account_id_id")),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "access_group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("signing_limit", sa.BigInteger(), nullable=True),
        sa.Column("signs_unlimited", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "status in ('active', 'suspended', 'ended')", name=op.f("ck_membership_status")
        ),
        sa.CheckConstraint(
            "signing_limit is null or signing_limit >= 0", name=op.f("ck_membership_limit")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "access_group_id"],
            ["access_group.account_id", "access_group.id"],
            name=op.f("fk_membership_account_id_access_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "manager_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_membership_account_id_manager_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_membership_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_membership_account_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_membership_account_id_id")),
        sa.UniqueConstraint(
            "person_id",
            "account_id",
            "unit_id",
            name=op.f("uq_membership_person_id_account_id_unit_id"),
        ),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "part_number",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("buyer_sku", sa.String(length=64), nullable=False),
        sa.Column("buyer_sku_key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_part_number_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_part_number_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_number")),
        sa.UniqueConstraint(
            "account_id", "product_id", name=op.f("uq_part_number_account_id_product_id")
        ),
    )
    with op.batch_alter_table("part_number", schema=None) as batch_op:
        batch_op.create_index(
            "ix_part_number_account_id_buyer_sku_key", ["account_id", "buyer_sku_key"], unique=False
        )

    op.create_table(
        "price_assignment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tier", sa.String(length=64), nullable=True),
        sa.Column("segment", sa.String(length=64), nullable=True),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(account_id is not null and tier is null and segment is null) or (account_id is null and unit_id is null and (tier is null) <> (segment is null))",
            name=op.f("ck_price_assignment_one_target"),
        ),
        sa.CheckConstraint(
            "valid_from is null or valid_to is null or valid_from < valid_to",
            name=op.f("ck_price_assignment_window"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_price_assignment_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_price_assignment_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["price_list.id"], name=op.f("fk_price_assignment_list_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_assignment")),
    )
    with op.batch_alter_table("price_assignment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_price_assignment_account", ["account_id", "unit_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_price_assignment_list_id"), ["list_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_assignment_segment"), ["segment"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_assignment_tier"), ["tier"], unique=False)

    op.create_table(
        "price_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("min_quantity", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('price', 'percent_off', 'amount_off')", name=op.f("ck_price_entry_kind")
        ),
        sa.CheckConstraint(
            "(product_id is null) <> (category_id is null)", name=op.f("ck_price_entry_one_target")
        ),
        sa.CheckConstraint(
            "valid_from is null or valid_to is null or valid_from < valid_to",
            name=op.f("ck_price_entry_window"),
        ),
        sa.CheckConstraint(
            "value >= 0 and min_quantity >= 0", name=op.f("ck_price_entry_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_price_entry_category_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_price_entry_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["price_list_version.id"],
            name=op.f("fk_price_entry_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_entry")),
    )
    with op.batch_alter_table("price_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_price_entry_category", ["version_id", "category_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_price_entry_category_id"), ["category_id"], unique=False
        )
        batch_op.create_index("ix_price_entry_product", ["version_id", "product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_entry_product_id"), ["product_id"], unique=False)

    op.create_table(
        "product_attribute",
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_attribute_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", "name", name=op.f("pk_product_attribute")),
    )
    with op.batch_alter_table("product_attribute", schema=None) as batch_op:
        batch_op.create_index("ix_product_attribute_name_value", ["name", "value"], unique=False)

    op.create_table(
        "uom_conversion",
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("from_uom", sa.String(length=16), nullable=False),
        sa.Column("to_uom", sa.String(length=16), nullable=False),
        sa.Column("factor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("factor > 0", name=op.f("ck_uom_conversion_factor")),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_uom_conversion_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", "from_uom", "to_uom", name=op.f("pk_uom_conversion")),
    )
    op.create_table(
        "account_assignment",
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_account_assignment_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_account_assignment_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("membership_id", "account_id", name=op.f("pk_account_assignment")),
    )
    with op.batch_alter_table("account_assignment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_assignment_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "approval_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "requester_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "requester_person_ids",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("signing_required", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "route", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "summary", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "state in ('open', 'approved', 'rejected', 'changes requested', 'withdrawn', 'expired')",
            name=op.f("ck_approval_run_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "policy_id"],
            ["approval_policy.account_id", "approval_policy.id"],
            name=op.f("fk_approval_run_account_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requester_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_approval_run_account_id_requester_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_approval_run_account_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_run")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_approval_run_account_id_id")),
        sa.UniqueConstraint("kind", "subject_id", name=op.f("uq_approval_run_kind_subject_id")),
    )
    with op.batch_alter_table("approval_run", schema=None) as batch_op:
        batch_op.create_index(
            "ix_approval_run_number", ["account_id", "kind", "number"], unique=False
        )

    op.create_table(
        "membership_role",
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_membership_role_account_id_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("membership_id", "role", name=op.f("pk_membership_role")),
    )
    op.create_table(
        "quick_entry",
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_quick_entry_account_id_membership_id"),
        ),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_quick_entry")),
    )
    op.create_table(
        "quote",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "in approval",
                "approved",
                "partly ordered",
                "ordered",
                "expired",
                "discarded",
                "withdrawn",
                "rejected",
                "changes requested",
                "superseded",
                name="quotestatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "last_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("net_total", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_quote_revision")),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_quote_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_quote_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_quote_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_quote_account_id_id")),
        sa.UniqueConstraint("account_id", "reference", name=op.f("uq_quote_account_id_reference")),
        sa.UniqueConstraint("number", name=op.f("uq_quote_number")),
    )
    with op.batch_alter_table("quote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quote_membership_id"), ["membership_id"], unique=False)
        batch_op.create_index(
            "ix_quote_status", ["account_id", "status", "changed_at"], unique=False
        )

    op.create_table(
        "upload",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_upload_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_upload_membership_id"), ["membership_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_upload_uploaded_at"), ["uploaded_at"], unique=False)

    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_user_session_membership_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_user_session_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "approval_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["approval_run.id"],
            name=op.f("fk_approval_link_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_approval_link_token_hash")),
    )
    op.create_table(
        "approval_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quorum", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_distinct", sa.Boolean(), nullable=False),
        sa.Column(
            "rule_numbers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "reasons", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quorum > 0", name=op.f("ck_approval_step_quorum_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "run_id"],
            ["approval_run.account_id", "approval_run.id"],
            name=op.f("fk_approval_step_account_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_step")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_approval_step_account_id_id")),
        sa.UniqueConstraint("run_id", "position", name=op.f("uq_approval_step_run_id_position")),
    )
    op.create_table(
        "quote_opening",
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_quote_opening_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "quote_id"],
            ["quote.account_id", "quote.id"],
            name=op.f("fk_quote_opening_account_id_quote_id"),
        ),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_quote_opening")),
    )
    op.create_table(
        "quote_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "in approval",
                "approved",
                "partly ordered",
                "ordered",
                "expired",
                "discarded",
                "withdrawn",
                "rejected",
                "changes requested",
                "superseded",
                name="quotestatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "ship_to_address_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "cost_centre_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "submitted_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lines_total", sa.BigInteger(), nullable=True),
        sa.Column("freight", sa.BigInteger(), nullable=True),
        sa.Column("net_total", sa.BigInteger(), nullable=True),
        sa.Column("tax", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=True),
        sa.Column("gross_total", sa.BigInteger(), nullable=True),
        sa.Column(
            "frozen", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "cost_centre_id"],
            ["cost_centre.account_id", "cost_centre.id"],
            name=op.f("fk_quote_revision_account_id_cost_centre_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "quote_id"],
            ["quote.account_id", "quote.id"],
            name=op.f("fk_quote_revision_account_id_quote_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "ship_to_address_id"],
            ["address.account_id", "address.id"],
            name=op.f("fk_quote_revision_account_id_ship_to_address_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "submitted_by_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_quote_revision_account_id_submitted_by_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_revision")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_quote_revision_account_id_id")),
        sa.UniqueConstraint("quote_id", "number", name=op.f("uq_quote_revision_quote_id_number")),
    )
    with op.batch_alter_table("quote_revision", schema=None) as batch_op:
        batch_op.create_index("ix_quote_revision_expiry", ["status", "valid_until"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_revision_quote_id"), ["quote_id"], unique=False)

    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("signs", sa.Boolean(), nullable=False),
        sa.Column(
            "kept_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "answer in ('approve', 'reject', 'request-changes')", name=op.f("ck_decision_answer")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_decision_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "run_id"],
            ["approval_run.account_id", "approval_run.id"],
            name=op.f("fk_decision_account_id_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "step_id"],
            ["approval_step.account_id", "approval_step.id"],
            name=op.f("fk_decision_account_id_step_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("step_id", "person_id", name=op.f("uq_decision_step_id_person_id")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index("ix_decision_membership", ["membership_id"], unique=False)
        batch_op.create_index("ix_decision_run", ["run_id"], unique=False)

    op.create_table(
        "purchase_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "placed",
                "confirmed",
                "declined",
                "cancelled",
                "discarded",
                name="orderstatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("purchase_order_number", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("delivery_notes", sa.Text(), nullable=False),
        sa.Column("lines_total", sa.BigInteger(), nullable=False),
        sa.Column("freight", sa.BigInteger(), nullable=False),
        sa.Column("net_total", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=True),
        sa.Column("gross_total", sa.BigInteger(), nullable=True),
        sa.Column(
            "places", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("conversion_key", sa.String(length=64), nullable=False),
        sa.Column("conversion_digest", sa.String(length=64), nullable=False),
        sa.Column("placing_key", sa.String(length=64), nullable=True),
        sa.Column("placing_digest", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'draft') or (placed_at is not null) or status = 'discarded'",
            name=op.f("ck_purchase_order_placed"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_purchase_order_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "quote_id"],
            ["quote.account_id", "quote.id"],
            name=op.f("fk_purchase_order_account_id_quote_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "revision_id"],
            ["quote_revision.account_id", "quote_revision.id"],
            name=op.f("fk_purchase_order_account_id_revision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "run_id"],
            ["approval_run.account_id", "approval_run.id"],
            name=op.f("fk_purchase_order_account_id_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_purchase_order_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_purchase_order_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint(
            "account_id", "conversion_key", name=op.f("uq_purchase_order_account_id_conversion_key")
        ),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_purchase_order_account_id_id")),
        sa.UniqueConstraint(
            "account_id", "placing_key", name=op.f("uq_purchase_order_account_id_placing_key")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_order_number")),
    )
    with op.batch_alter_table("purchase_order", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_purchase_order_membership_id"), ["membership_id"], unique=False
        )
        batch_op.create_index(
            "ix_purchase_order_number", ["account_id", "purchase_order_number"], unique=False
        )
        batch_op.create_index("ix_purchase_order_quote", ["quote_id"], unique=False)
        batch_op.create_index(
            "ix_purchase_order_status", ["account_id", "status", "id"], unique=False
        )

    op.create_table(
        "quote_document",
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "revision_id"],
            ["quote_revision.account_id", "quote_revision.id"],
            name=op.f("fk_quote_document_account_id_revision_id"),
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_quote_document")),
    )
    op.create_table(
        "quote_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("line_total", sa.BigInteger(), nullable=True),
        sa.Column("off_contract", sa.Boolean(), nullable=False),
        sa.Column(
            "trace", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("seen_price", sa.BigInteger(), nullable=True),
        sa.Column(
            "cost_centre_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "ship_to_address_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_quote_line_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "cost_centre_id"],
            ["cost_centre.account_id", "cost_centre.id"],
            name=op.f("fk_quote_line_account_id_cost_centre_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "revision_id"],
            ["quote_revision.account_id", "quote_revision.id"],
            name=op.f("fk_quote_line_account_id_revision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "ship_to_address_id"],
            ["address.account_id", "address.id"],
            name=op.f("fk_quote_line_account_id_ship_to_address_id"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_quote_line_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_line")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_quote_line_account_id_id")),
        sa.UniqueConstraint(
            "revision_id", "line_id", name=op.f("uq_quote_line_revision_id_line_id")
        ),
    )
    with op.batch_alter_table("quote_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quote_line_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_quote_line_revision_id"), ["revision_id"], unique=False
        )

    op.create_table(
        "quote_requester",
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_quote_requester_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "revision_id"],
            ["quote_revision.account_id", "quote_revision.id"],
            name=op.f("fk_quote_requester_account_id_revision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_quote_requester_person_id")
        ),
        sa.PrimaryKeyConstraint("revision_id", "membership_id", name=op.f("pk_quote_requester")),
    )
    with op.batch_alter_table("quote_requester", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_quote_requester_person_id"), ["person_id"], unique=False
        )

    op.create_table(
        "step_approver",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("signs", sa.Boolean(), nullable=False),
        sa.Column("is_waiting", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_step_approver_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "run_id"],
            ["approval_run.account_id", "approval_run.id"],
            name=op.f("fk_step_approver_account_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "step_id"],
            ["approval_step.account_id", "approval_step.id"],
            name=op.f("fk_step_approver_account_id_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_approver")),
        sa.UniqueConstraint(
            "step_id", "person_id", name=op.f("uq_step_approver_step_id_person_id")
        ),
    )
    with op.batch_alter_table("step_approver", schema=None) as batch_op:
        batch_op.create_index(
            "ix_step_approver_inbox", ["membership_id", "is_waiting"], unique=False
        )
        batch_op.create_index("ix_step_approver_run", ["run_id"], unique=False)

    op.create_table(
        "purchase_order_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("line_total", sa.BigInteger(), nullable=False),
        sa.Column("tax_category", sa.String(length=20), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=True),
        sa.Column("tax_country", sa.String(length=2), nullable=False),
        sa.Column("tax_region", sa.String(length=100), nullable=True),
        sa.Column("ship_to", sa.String(length=64), nullable=False),
        sa.Column("cost_centre", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_order_line_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "order_id"],
            ["purchase_order.account_id", "purchase_order.id"],
            name=op.f("fk_purchase_order_line_account_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_purchase_order_line_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_line")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_purchase_order_line_account_id_id")),
        sa.UniqueConstraint(
            "order_id", "line_id", name=op.f("uq_purchase_order_line_order_id_line_id")
        ),
    )
    with op.batch_alter_table("purchase_order_line", schema=None) as batch_op:
        batch_op.create_index(
            "ix_purchase_order_line_ledger", ["quote_id", "line_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_purchase_order_line_product_id"), ["product_id"], unique=False
        )

    create_search_index(op.get_bind())
    freeze_record()
    wall_people()
    wall_all(WALLED)
    for table in SHARED:
        wall(table, shared_when_null=True)


def downgrade() -> None:
    unwall_people()
    thaw_record()
    drop_search_index(op.get_bind())
    with op.batch_alter_table("purchase_order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchase_order_line_product_id"))
        batch_op.drop_index("ix_purchase_order_line_ledger")

    op.drop_table("purchase_order_line")
    with op.batch_alter_table("step_approver", schema=None) as batch_op:
        batch_op.drop_index("ix_step_approver_run")
        batch_op.drop_index("ix_step_approver_inbox")

    op.drop_table("step_approver")
    with op.batch_alter_table("quote_requester", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quote_requester_person_id"))

    op.drop_table("quote_requester")
    with op.batch_alter_table("quote_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quote_line_revision_id"))
        batch_op.drop_index(batch_op.f("ix_quote_line_product_id"))

    op.drop_table("quote_line")
    op.drop_table("quote_document")
    with op.batch_alter_table("purchase_order", schema=None) as batch_op:
        batch_op.drop_index("ix_purchase_order_status")
        batch_op.drop_index("ix_purchase_order_quote")
        batch_op.drop_index("ix_purchase_order_number")
        batch_op.drop_index(batch_op.f("ix_purchase_order_membership_id"))

    op.drop_table("purchase_order")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index("ix_decision_run")
        batch_op.drop_index("ix_decision_membership")

    op.drop_table("decision")
    with op.batch_alter_table("quote_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quote_revision_quote_id"))
        batch_op.drop_index("ix_quote_revision_expiry")

    op.drop_table("quote_revision")
    op.drop_table("quote_opening")
    op.drop_table("approval_step")
    op.drop_table("approval_link")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_session_person_id"))

    op.drop_table("user_session")
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_upload_uploaded_at"))
        batch_op.drop_index(batch_op.f("ix_upload_membership_id"))

    op.drop_table("upload")
    with op.batch_alter_table("quote", schema=None) as batch_op:
        batch_op.drop_index("ix_quote_status")
        batch_op.drop_index(batch_op.f("ix_quote_membership_id"))

    op.drop_table("quote")
    op.drop_table("quick_entry")
    op.drop_table("membership_role")
    with op.batch_alter_table("approval_run", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_run_number")

    op.drop_table("approval_run")
    with op.batch_alter_table("account_assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_assignment_account_id"))

    op.drop_table("account_assignment")
    op.drop_table("uom_conversion")
    with op.batch_alter_table("product_attribute", schema=None) as batch_op:
        batch_op.drop_index("ix_product_attribute_name_value")

    op.drop_table("product_attribute")
    with op.batch_alter_table("price_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_price_entry_product_id"))
        batch_op.drop_index("ix_price_entry_product")
        batch_op.drop_index(batch_op.f("ix_price_entry_category_id"))
        batch_op.drop_index("ix_price_entry_category")

    op.drop_table("price_entry")
    with op.batch_alter_table("price_assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_price_assignment_tier"))
        batch_op.drop_index(batch_op.f("ix_price_assignment_segment"))
        batch_op.drop_index(batch_op.f("ix_price_assignment_list_id"))
        batch_op.drop_index("ix_price_assignment_account")

    op.drop_table("price_assignment")
    with op.batch_alter_table("part_number", schema=None) as batch_op:
        batch_op.drop_index("ix_part_number_account_id_buyer_sku_key")

    op.drop_table("part_number")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))

    op.drop_table("membership")
    op.drop_table("cost_centre")
    with op.batch_alter_table("cost", schema=None) as batch_op:
        batch_op.drop_index("ix_cost_product")

    op.drop_table("cost")
    with op.batch_alter_table("assortment_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assortment_rule_assortment_id"))

    op.drop_table("assortment_rule")
    op.drop_table("approval_policy")
    with op.batch_alter_table("agreement_list", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreement_list_list_id"))
        batch_op.drop_index(batch_op.f("ix_agreement_list_agreement_id"))

    op.drop_table("agreement_list")
    op.drop_table("address")
    op.drop_table("access_group_assortment")
    op.drop_table("unit")
    op.drop_table("single_use_link")
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_index("ix_product_status_name")
        batch_op.drop_index(batch_op.f("ix_product_sku_key"))
        batch_op.drop_index(batch_op.f("ix_product_manufacturer"))
        batch_op.drop_index("ix_product_category_id_status")

    op.drop_table("product")
    with op.batch_alter_table("price_list_version", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_price_list_version_draft",
            sqlite_where=sa.text("number is null"),
            postgresql_where=sa.text("number is null"),
        )
        batch_op.drop_index("ix_price_list_version_in_force")

    op.drop_table("price_list_version")
    op.drop_table("delivery")
    with op.batch_alter_table("assortment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_assortment_shared",
            sqlite_where=sa.text("account_id is null"),
            postgresql_where=sa.text("account_id is null"),
        )

    op.drop_table("assortment")
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreement_account_id"))

    op.drop_table("agreement")
    op.drop_table("access_group")
    with op.batch_alter_table("tax_rate", schema=None) as batch_op:
        batch_op.drop_index("ix_tax_rate_country")

    op.drop_table("tax_rate")
    op.drop_table("rate_window")
    with op.batch_alter_table("price_list", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_price_list_standard",
            sqlite_where=sa.text("kind = 'standard'"),
            postgresql_where=sa.text("kind = 'standard'"),
        )

    op.drop_table("price_list")
    op.drop_table("person")
    op.drop_table("number_counter")
    op.drop_table("message")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_due")

    op.drop_table("job")
    op.drop_table("freight_rate")
    op.drop_table("event_head")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_object")

    op.drop_table("event")
    with op.batch_alter_table("category", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_category_parent_id"))

    op.drop_table("category")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_account_supplier",
            sqlite_where=sa.text("kind = 'supplier'"),
            postgresql_where=sa.text("kind = 'supplier'"),
        )

    op.drop_table("account")
