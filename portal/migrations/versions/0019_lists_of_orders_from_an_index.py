"""The list of orders, and numbers of quotes, are read from an index of their own."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ORDERS = "ix_purchase_order_list"
QUOTES = "ix_quote_list"


def upgrade() -> None:
    op.create_index(
        ORDERS,
        "purchase_order",
        [
            "account_id",
            "number",
            "id",
            "status",
            "unit_id",
            "membership_id",
            "purchase_order_number",
            "quote_id",
        ],
    )
    op.create_index(QUOTES, "quote", ["account_id", "number", "id"])


def downgrade() -> None:
    op.drop_index(QUOTES, "quote")
    op.drop_index(ORDERS, "purchase_order")
