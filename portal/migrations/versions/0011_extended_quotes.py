"""Until when the account manager holds the prices of a revision beyond its own end."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "quote_revision", sa.Column("extended_until", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    with op.batch_alter_table("quote_revision") as batch:
        batch.drop_column("extended_until")
