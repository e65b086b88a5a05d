"""The record by time: the list of events is sorted and filtered by it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_event_time", "event", ["account_id", "occurred_at"])


def downgrade() -> None:
    op.drop_index("ix_event_time", table_name="event")
