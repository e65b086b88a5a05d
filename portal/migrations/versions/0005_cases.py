"""Cases, messages, teams and what routes to them."""

import sqlalchemy as sa
from alembic import op

from portal.migrations.safety import wall_all

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WALLED = ("service_case", "case_message", "case_attachment")


def upgrade() -> None:
    _make_set_up()
    _make_cases()
    _make_messages()
    wall_all(WALLED)


def _make_set_up() -> None:
    op.create_table(
        "canned_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_answer")),
        sa.UniqueConstraint("name", "locale", name=op.f("uq_canned_answer_name_locale")),
    )
    op.create_table(
        "service_team",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("alarm_email", sa.String(length=254), nullable=False),
        sa.Column("alarm_phone", sa.String(length=40), nullable=False),
        sa.Column(
            "manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("calendar_code", sa.String(length=64), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["membership.id"], name=op.f("fk_service_team_manager_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_team")),
        sa.UniqueConstraint("code", name=op.f("uq_service_team_code")),
    )
    op.create_table(
        "service_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "question",
                "complaint",
                "repair",
                "return",
                name="casekind",
                native_enum=False,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("category_path", sa.String(length=500), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "low", "normal", "high", "urgent", name="priority", native_enum=False, length=20
            ),
            nullable=True,
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_service_rule_number")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_service_rule_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["service_team.id"], name=op.f("fk_service_rule_team_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_rule")),
        sa.UniqueConstraint("number", name=op.f("uq_service_rule_number")),
    )
    op.create_table(
        "service_team_member",
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_service_team_member_membership_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["service_team.id"],
            name=op.f("fk_service_team_member_team_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "membership_id", name=op.f("pk_service_team_member")),
    )
    with op.batch_alter_table("service_team_member", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_team_member_membership_id"), ["membership_id"], unique=False
        )


def _make_cases() -> None:
    op.create_table(
        "service_case",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "question",
                "complaint",
                "repair",
                "return",
                name="casekind",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "low", "normal", "high", "urgent", name="priority", native_enum=False, length=20
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum("portal", "e-mail", "call", name="channel", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "open",
                "waiting for customer",
                "resolved",
                "closed",
                "merged",
                name="casestatus",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("order_number", sa.String(length=64), nullable=False),
        sa.Column(
            "merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("opening_key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "complaint_category",
            sa.Enum(
                "delivery",
                "product",
                "invoice",
                "service",
                "documents",
                "other",
                name="complaintcategory",
                native_enum=False,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column(
            "severity",
            sa.Enum("minor", "major", "critical", name="severity", native_enum=False, length=20),
            nullable=True,
        ),
        sa.Column(
            "cause",
            sa.Enum(
                "unknown",
                "ours",
                "carrier",
                "manufacturer",
                "information",
                "customer",
                name="cause",
                native_enum=False,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        sa.Column("followed_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stars", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rating_text", sa.Text(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'merged') = (merged_into_id is not null)",
            name=op.f("ck_service_case_merged_somewhere"),
        ),
        sa.CheckConstraint(
            "stars is null or stars between 1 and 5", name=op.f("ck_service_case_stars")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "asset_id"],
            ["asset.account_id", "asset.id"],
            name=op.f("fk_service_case_account_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_service_case_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "merged_into_id"],
            ["service_case.account_id", "service_case.id"],
            name=op.f("fk_service_case_account_id_merged_into_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_id"],
            ["purchase_order.account_id", "purchase_order.id"],
            name=op.f("fk_service_case_account_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_service_case_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_service_case_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_service_case_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["service_team.id"], name=op.f("fk_service_case_team_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_case")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_service_case_account_id_id")),
        sa.UniqueConstraint(
            "account_id", "opening_key", name=op.f("uq_service_case_account_id_opening_key")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_service_case_number")),
    )
    with op.batch_alter_table("service_case", schema=None) as batch_op:
        batch_op.create_index(
            "ix_service_case_account_status", ["account_id", "status", "id"], unique=False
        )
        batch_op.create_index("ix_service_case_asset", ["account_id", "asset_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_service_case_assignee_id"), ["assignee_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_case_membership_id"), ["membership_id"], unique=False
        )
        batch_op.create_index(
            "ix_service_case_merged", ["account_id", "merged_into_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_case_product_id"), ["product_id"], unique=False
        )
        batch_op.create_index("ix_service_case_status", ["status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_case_team_id"), ["team_id"], unique=False)


def _make_messages() -> None:
    op.create_table(
        "case_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("portal", "e-mail", "call", name="channel", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("article_number", sa.String(length=20), nullable=False),
        sa.Column("mail_id", sa.String(length=255), nullable=True),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side in ('customer', 'service')", name=op.f("ck_case_message_side")),
        sa.ForeignKeyConstraint(
            ["account_id", "case_id"],
            ["service_case.account_id", "service_case.id"],
            name=op.f("fk_case_message_account_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_message")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_case_message_account_id_id")),
        sa.UniqueConstraint("case_id", "form_key", name=op.f("uq_case_message_case_id_form_key")),
        sa.UniqueConstraint("mail_id", name=op.f("uq_case_message_mail_id")),
    )
    with op.batch_alter_table("case_message", schema=None) as batch_op:
        batch_op.create_index("ix_case_message_case", ["case_id", "id"], unique=False)

    op.create_table(
        "case_attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "case_id"],
            ["service_case.account_id", "service_case.id"],
            name=op.f("fk_case_attachment_account_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"],
            ["case_message.account_id", "case_message.id"],
            name=op.f("fk_case_attachment_account_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_attachment")),
        sa.UniqueConstraint(
            "case_id", "position", name=op.f("uq_case_attachment_case_id_position")
        ),
    )
    with op.batch_alter_table("case_attachment", schema=None) as batch_op:
        batch_op.create_index("ix_case_attachment_message", ["message_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("case_attachment", schema=None) as batch_op:
        batch_op.drop_index("ix_case_attachment_message")

    op.drop_table("case_attachment")
    with op.batch_alter_table("case_message", schema=None) as batch_op:
        batch_op.drop_index("ix_case_message_case")

    op.drop_table("case_message")
    with op.batch_alter_table("service_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_case_team_id"))
        batch_op.drop_index("ix_service_case_status")
        batch_op.drop_index(batch_op.f("ix_service_case_product_id"))
        batch_op.drop_index("ix_service_case_merged")
        batch_op.drop_index(batch_op.f("ix_service_case_membership_id"))
        batch_op.drop_index(batch_op.f("ix_service_case_assignee_id"))
        batch_op.drop_index("ix_service_case_asset")
        batch_op.drop_index("ix_service_case_account_status")

    op.drop_table("service_case")
    with op.batch_alter_table("service_team_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_team_member_membership_id"))

    op.drop_table("service_team_member")
    op.drop_table("service_rule")
    op.drop_table("service_team")
    op.drop_table("canned_answer")
