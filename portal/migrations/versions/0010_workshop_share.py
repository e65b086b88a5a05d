"""How much of an order line the workshop takes off its own shelves, for a repair."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "purchase_order_line"
CHECK = "ck_purchase_order_line_workshop"
WHOLE = sa.BigInteger()


def upgrade() -> None:
    with op.batch_alter_table(TABLE) as batch:
        batch.add_column(sa.Column("workshop", WHOLE, nullable=False, server_default="0"))
    with op.batch_alter_table(TABLE) as batch:
        batch.alter_column("workshop", existing_type=WHOLE, server_default=None)
        batch.create_check_constraint(op.f(CHECK), "workshop >= 0 and workshop <= quantity")


def downgrade() -> None:
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_constraint(op.f(CHECK), type_="check")
        batch.drop_column("workshop")
