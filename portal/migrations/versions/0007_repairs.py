"""Repairs, their steps and parts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.migrations.safety import wall_all

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WALLED = ("repair", "repair_part", "repair_step")


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "awaited",
                "received",
                "diagnosed",
                "waiting for parts",
                "in repair",
                "tested",
                "not repaired",
                "returned",
                "cancelled",
                name="repairstatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "way",
            sa.Enum("send-in", "pick-up", "on-site", name="way", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column(
            "place",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("diagnosis", sa.Text(), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("tracking_number", sa.String(length=80), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "asset_id"],
            ["asset.account_id", "asset.id"],
            name=op.f("fk_repair_account_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "case_id"],
            ["service_case.account_id", "service_case.id"],
            name=op.f("fk_repair_account_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_repair_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair")),
        sa.UniqueConstraint("account_id", "form_key", name=op.f("uq_repair_account_id_form_key")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_repair_account_id_id")),
        sa.UniqueConstraint("number", name=op.f("uq_repair_number")),
        info={"scope": "account"},
    )
    with op.batch_alter_table("repair", schema=None) as batch_op:
        batch_op.create_index("ix_repair_asset", ["account_id", "asset_id"], unique=False)
        batch_op.create_index("ix_repair_case", ["case_id"], unique=False)
        batch_op.create_index("ix_repair_status", ["status", "id"], unique=False)

    op.create_table(
        "repair_part",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "repair_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "quoted",
                "reserved",
                "used",
                "given back",
                "refused",
                name="partstatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("uom", sa.String(length=20), nullable=False),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_repair_part_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["account_id", "repair_id"],
            ["repair.account_id", "repair.id"],
            name=op.f("fk_repair_part_account_id_repair_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "quote_id"],
            ["quote.account_id", "quote.id"],
            name=op.f("fk_repair_part_account_id_quote_id"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_repair_part_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair_part")),
        sa.UniqueConstraint(
            "repair_id", "form_key", name=op.f("uq_repair_part_repair_id_form_key")
        ),
        info={"scope": "account"},
    )
    with op.batch_alter_table("repair_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repair_part_product_id"), ["product_id"], unique=False)
        batch_op.create_index("ix_repair_part_repair", ["repair_id"], unique=False)
        batch_op.create_index("ix_repair_part_quote", ["account_id", "quote_id"], unique=False)

    op.create_table(
        "repair_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "repair_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "awaited",
                "received",
                "diagnosed",
                "waiting for parts",
                "in repair",
                "tested",
                "not repaired",
                "returned",
                "cancelled",
                name="repairstatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "repair_id"],
            ["repair.account_id", "repair.id"],
            name=op.f("fk_repair_step_account_id_repair_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair_step")),
        info={"scope": "account"},
    )
    with op.batch_alter_table("repair_step", schema=None) as batch_op:
        batch_op.create_index("ix_repair_step_repair", ["repair_id"], unique=False)
    wall_all(WALLED)


def downgrade() -> None:
    with op.batch_alter_table("repair_step", schema=None) as batch_op:
        batch_op.drop_index("ix_repair_step_repair")

    op.drop_table("repair_step")
    with op.batch_alter_table("repair_part", schema=None) as batch_op:
        batch_op.drop_index("ix_repair_part_quote")
        batch_op.drop_index("ix_repair_part_repair")
        batch_op.drop_index(batch_op.f("ix_repair_part_product_id"))

    op.drop_table("repair_part")
    with op.batch_alter_table("repair", schema=None) as batch_op:
        batch_op.drop_index("ix_repair_status")
        batch_op.drop_index("ix_repair_case")
        batch_op.drop_index("ix_repair_asset")

    op.drop_table("repair")
