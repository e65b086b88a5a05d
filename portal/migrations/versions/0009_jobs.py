"""Who a job is for, how far it is and its file; saved views, schedules and exchange rates."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from portal.migrations.safety import wall_all

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WALLED = ("job_request", "saved_view", "report_schedule")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "state in ('waiting', 'done', 'failed')"
AFTER = "state in ('waiting', 'running', 'done', 'failed', 'cancelled')"


def upgrade() -> None:
    _widen_jobs()
    _create_requests()
    _create_rates()
    _create_views()
    wall_all(WALLED)


def downgrade() -> None:
    for index, table in (
        ("ix_report_schedule_next_at", "report_schedule"),
        ("ix_saved_view_report", "saved_view"),
        ("ix_job_request_expires_at", "job_request"),
        ("ix_job_request_membership", "job_request"),
    ):
        op.drop_index(index, table_name=table)
    for table in ("report_schedule", "saved_view", "exchange_rate", "job_request"):
        op.drop_table(table)
    op.execute("update job set state = 'waiting', lease_until = null where state = 'running'")
    op.execute("update job set state = 'failed' where state = 'cancelled'")
    with op.batch_alter_table("job") as batch:
        _replace_check(batch, BEFORE)
        for column in ("cancel_asked", "progress_total", "progress_done"):
            batch.drop_column(column)


def _replace_check(batch: BatchOperations, condition: str) -> None:
    """Say which states there are; SQLite's copy of the table never takes the old check along."""
    if op.get_bind().dialect.name == "postgresql":
        batch.drop_constraint(op.f("ck_job_state"), type_="check")
    batch.create_check_constraint(op.f("ck_job_state"), condition)


def _widen_jobs() -> None:
    with op.batch_alter_table("job") as batch:
        _replace_check(batch, AFTER)
        batch.add_column(sa.Column("progress_done", WHOLE, nullable=False, server_default="0"))
        batch.add_column(sa.Column("progress_total", WHOLE, nullable=True))
        batch.add_column(
            sa.Column("cancel_asked", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("job") as batch:
        batch.alter_column("progress_done", existing_type=WHOLE, server_default=None)
        batch.alter_column("cancel_asked", existing_type=sa.Boolean(), server_default=None)


def _create_requests() -> None:
    op.create_table(
        "job_request",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("account_id", WHOLE, nullable=False),
        sa.Column("membership_id", WHOLE, nullable=False),
        sa.Column("job_id", WHOLE, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("file_size", WHOLE, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_job_request_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_job_request_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_request_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_request")),
        sa.UniqueConstraint("job_id", name=op.f("uq_job_request_job_id")),
    )
    op.create_index(
        "ix_job_request_membership", "job_request", ["account_id", "membership_id"], unique=False
    )
    op.create_index("ix_job_request_expires_at", "job_request", ["expires_at"], unique=False)


def _create_rates() -> None:
    op.create_table(
        "exchange_rate",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("from_currency", sa.String(length=3), nullable=False),
        sa.Column("to_currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
        sa.UniqueConstraint(
            "from_currency",
            "to_currency",
            "valid_from",
            name=op.f("uq_exchange_rate_from_currency_to_currency_valid_from"),
        ),
    )


def _create_views() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("account_id", WHOLE, nullable=False),
        sa.Column("membership_id", WHOLE, nullable=False),
        sa.Column("report", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_saved_view_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_saved_view_account_id_membership_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_saved_view_account_id_id")),
        sa.UniqueConstraint(
            "membership_id",
            "report",
            "name",
            name=op.f("uq_saved_view_membership_id_report_name"),
        ),
    )
    op.create_index("ix_saved_view_report", "saved_view", ["account_id", "report"], unique=False)
    op.create_table(
        "report_schedule",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("account_id", WHOLE, nullable=False),
        sa.Column("saved_view_id", WHOLE, nullable=False),
        sa.Column("membership_id", WHOLE, nullable=False),
        sa.Column(
            "rhythm",
            sa.Enum("weekly", "monthly", name="rhythm", native_enum=False, length=10),
            nullable=False,
        ),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_for", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_report_schedule_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "saved_view_id"],
            ["saved_view.account_id", "saved_view.id"],
            name=op.f("fk_report_schedule_account_id_saved_view_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_report_schedule_account_id_membership_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_schedule")),
        sa.UniqueConstraint(
            "saved_view_id",
            "membership_id",
            name=op.f("uq_report_schedule_saved_view_id_membership_id"),
        ),
    )
    op.create_index("ix_report_schedule_next_at", "report_schedule", ["next_at"], unique=False)
