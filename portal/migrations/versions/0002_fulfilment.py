"""Confirmation per line, proposals, cancellations, shipments, serial numbers."""

import sqlalchemy as sa
from alembic import op

from portal.migrations.safety import wall_all

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WALLED = (
    "order_proposal",
    "order_proposal_line",
    "order_cancellation",
    "order_cancellation_line",
    "shipment",
    "shipment_package",
    "shipment_line",
    "shipment_serial",
)
COUNTED = ("cancelled", "reopened", "backordered", "shipped", "delivered")
DAYS = (
    "first_promised_on",
    "promised_on",
    "backorder_on",
    "shipped_on",
    "delivered_on",
    "late_told_for",
)
CHECKS = {
    "reopened": "reopened >= 0 and reopened <= cancelled",
    "shipped": "shipped >= 0 and shipped + cancelled <= quantity",
    "delivered": "delivered >= 0 and delivered <= shipped",
    "backordered": "backordered >= 0",
}
INSTANTS = ("confirmed_at", "shipped_at", "delivered_at")


def upgrade() -> None:
    for name in INSTANTS:
        op.add_column("purchase_order", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _count_lines()
    op.create_table(
        "order_cancellation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'agreed', 'refused')", name=op.f("ck_order_cancellation_state")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_id"],
            ["purchase_order.account_id", "purchase_order.id"],
            name=op.f("fk_order_cancellation_account_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_cancellation")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_order_cancellation_account_id_id")),
        info={"scope": "account"},
    )
    with op.batch_alter_table("order_cancellation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_cancellation_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index(
            "uq_order_cancellation_open",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "order_proposal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'refused', 'withdrawn')",
            name=op.f("ck_order_proposal_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_id"],
            ["purchase_order.account_id", "purchase_order.id"],
            name=op.f("fk_order_proposal_account_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_proposal")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_order_proposal_account_id_id")),
        info={"scope": "account"},
    )
    with op.batch_alter_table("order_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_proposal_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "uq_order_proposal_open",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "shipment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("tracking_number", sa.String(length=64), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "order_id"],
            ["purchase_order.account_id", "purchase_order.id"],
            name=op.f("fk_shipment_account_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_shipment_account_id_id")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_shipment_account_id_key")),
        sa.UniqueConstraint("number", name=op.f("uq_shipment_number")),
        info={"scope": "account"},
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "ix_shipment_tracking", ["account_id", "tracking_number"], unique=False
        )

    op.create_table(
        "order_cancellation_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "cancellation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "agreed >= 0 and agreed <= wanted", name=op.f("ck_order_cancellation_line_agreed")
        ),
        sa.CheckConstraint("wanted > 0", name=op.f("ck_order_cancellation_line_wanted")),
        sa.ForeignKeyConstraint(
            ["account_id", "cancellation_id"],
            ["order_cancellation.account_id", "order_cancellation.id"],
            name=op.f("fk_order_cancellation_line_account_id_cancellation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
            name=op.f("fk_order_cancellation_line_account_id_order_line_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_cancellation_line")),
        sa.UniqueConstraint(
            "cancellation_id",
            "order_line_id",
            name=op.f("uq_order_cancellation_line_cancellation_id_order_line_id"),
        ),
        info={"scope": "account"},
    )
    op.create_table(
        "order_proposal_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "proposal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("backordered", sa.BigInteger(), nullable=False),
        sa.Column("backorder_on", sa.Date(), nullable=True),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "backordered >= 0 and backordered <= quantity",
            name=op.f("ck_order_proposal_line_backordered"),
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_order_proposal_line_quantity")),
        sa.ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
            name=op.f("fk_order_proposal_line_account_id_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "proposal_id"],
            ["order_proposal.account_id", "order_proposal.id"],
            name=op.f("fk_order_proposal_line_account_id_proposal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_order_proposal_line_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_proposal_line")),
        sa.UniqueConstraint(
            "proposal_id",
            "order_line_id",
            name=op.f("uq_order_proposal_line_proposal_id_order_line_id"),
        ),
        info={"scope": "account"},
    )
    op.create_table(
        "shipment_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_line_quantity")),
        sa.ForeignKeyConstraint(
            ["account_id", "order_line_id"],
            ["purchase_order_line.account_id", "purchase_order_line.id"],
            name=op.f("fk_shipment_line_account_id_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "shipment_id"],
            ["shipment.account_id", "shipment.id"],
            name=op.f("fk_shipment_line_account_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_line")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_shipment_line_account_id_id")),
        sa.UniqueConstraint(
            "shipment_id", "order_line_id", name=op.f("uq_shipment_line_shipment_id_order_line_id")
        ),
        info={"scope": "account"},
    )
    with op.batch_alter_table("shipment_line", schema=None) as batch_op:
        batch_op.create_index("ix_shipment_line_order_line", ["order_line_id"], unique=False)

    op.create_table(
        "shipment_package",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weight_kg", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "weight_kg is null or weight_kg > 0", name=op.f("ck_shipment_package_weight")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "shipment_id"],
            ["shipment.account_id", "shipment.id"],
            name=op.f("fk_shipment_package_account_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_package")),
        sa.UniqueConstraint(
            "shipment_id", "number", name=op.f("uq_shipment_package_shipment_id_number")
        ),
        info={"scope": "account"},
    )
    op.create_table(
        "shipment_serial",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "shipment_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("serial_number", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "shipment_line_id"],
            ["shipment_line.account_id", "shipment_line.id"],
            name=op.f("fk_shipment_serial_account_id_shipment_line_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_serial")),
        sa.UniqueConstraint(
            "account_id", "serial_number", name=op.f("uq_shipment_serial_account_id_serial_number")
        ),
        info={"scope": "account"},
    )
    with op.batch_alter_table("shipment_serial", schema=None) as batch_op:
        batch_op.create_index("ix_shipment_serial_line", ["shipment_line_id"], unique=False)
    wall_all(WALLED)


def _count_lines() -> None:
    """Give lines their counts; what was given up before is open on the quote again, as it was."""
    for name in COUNTED:
        op.add_column(
            "purchase_order_line",
            sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"),
        )
    for name in DAYS:
        op.add_column("purchase_order_line", sa.Column(name, sa.Date(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("select set_config('app.all', '1', true)")  # the wall holds for the owner, too
    op.execute(
        "update purchase_order_line set cancelled = quantity, reopened = quantity"
        " where order_id in (select id from purchase_order"
        " where status in ('discarded', 'declined', 'cancelled'))"
    )
    with op.batch_alter_table("purchase_order_line") as lines:
        for name in COUNTED:
            lines.alter_column(name, server_default=None)
        for name, condition in CHECKS.items():
            lines.create_check_constraint(op.f(f"ck_purchase_order_line_{name}"), condition)
    op.create_index("ix_purchase_order_line_due", "purchase_order_line", ["promised_on"])


def downgrade() -> None:
    for table in reversed(WALLED):
        op.drop_table(table)
    op.drop_index("ix_purchase_order_line_due", table_name="purchase_order_line")
    with op.batch_alter_table("purchase_order_line") as lines:
        for name in CHECKS:
            lines.drop_constraint(op.f(f"ck_purchase_order_line_{name}"), type_="check")
        for name in (*COUNTED, *DAYS):
            lines.drop_column(name)
    for name in INSTANTS:
        # Not as a batch: other tables refer to this one, so that it can't be made anew.
        op.execute(f"alter table purchase_order drop column {name}")
