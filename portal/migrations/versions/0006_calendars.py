"""Business calendars, service targets and text messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.migrations.safety import wall

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "business_calendar",
        sa.Column("id", _INTEGER, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("subdivision", sa.String(length=10), nullable=True),
        sa.Column("week", _JSON, nullable=False),
        sa.Column("extra_holidays", _JSON, nullable=False),
        sa.Column("extra_workdays", _JSON, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("version", _INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_calendar")),
        sa.UniqueConstraint("code", name=op.f("uq_business_calendar_code")),
    )
    op.create_index(
        "uq_business_calendar_default",
        "business_calendar",
        ["is_default"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "service_target",
        sa.Column("id", _INTEGER, nullable=False),
        sa.Column("tier", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("first_answer_minutes", _INTEGER, nullable=True),
        sa.Column("resolution_minutes", _INTEGER, nullable=True),
        sa.Column("warn_minutes", _INTEGER, nullable=False),
        sa.Column("escalate_minutes", _INTEGER, nullable=False),
        sa.CheckConstraint(
            "(first_answer_minutes is null or first_answer_minutes > 0)"
            " and (resolution_minutes is null or resolution_minutes > 0)"
            " and warn_minutes > 0 and escalate_minutes >= warn_minutes",
            name=op.f("ck_service_target_minutes"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_target")),
        sa.UniqueConstraint("tier", "priority", name=op.f("uq_service_target_tier_priority")),
    )
    op.create_table(
        "text_message",
        sa.Column("id", _INTEGER, nullable=False),
        sa.Column("account_id", _INTEGER, nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("body", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_message")),
    )
    wall("text_message")


def downgrade() -> None:
    op.drop_table("text_message")
    op.drop_table("service_target")
    op.drop_index("uq_business_calendar_default", table_name="business_calendar")
    op.drop_table("business_calendar")
