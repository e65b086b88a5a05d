"""Stock with its reservations, and orders from another system."""

import sqlalchemy as sa
from alembic import op

from portal.migrations.safety import wall_all

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WALLED = ("past_order", "past_order_line")


def upgrade() -> None:
    _create_stock()
    _create_past_orders()
    _freeze_ledger()
    wall_all(WALLED)


def downgrade() -> None:
    _thaw_ledger()
    op.drop_index("ix_past_order_line_sku", table_name="past_order_line")
    op.drop_index(op.f("ix_past_order_line_product_id"), table_name="past_order_line")
    op.drop_table("past_order_line")
    op.drop_index("ix_past_order_purchase_order", table_name="past_order")
    op.drop_index("ix_past_order_placed", table_name="past_order")
    op.drop_index("ix_past_order_number", table_name="past_order")
    op.drop_index(op.f("ix_past_order_membership_id"), table_name="past_order")
    op.drop_table("past_order")
    op.drop_index("ix_stock_reservation_product", table_name="stock_reservation")
    op.drop_table("stock_reservation")
    op.drop_index("ix_stock_move_subject", table_name="stock_move")
    op.drop_index("ix_stock_move_product", table_name="stock_move")
    op.drop_table("stock_move")
    op.drop_index("ix_stock_level_location_code", table_name="stock_level")
    op.drop_table("stock_level")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _freeze_ledger() -> None:
    """Refuse every change and removal of moves, by the function that keeps the record too."""
    if _is_postgresql():
        op.execute(
            "create trigger stock_move_is_append_only before update or delete on stock_move"
            " for each row execute function refuse_change()"
        )
        op.execute(
            "create trigger stock_move_is_kept before truncate on stock_move"
            " for each statement execute function refuse_change()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"create trigger stock_move_no_{verb} before {verb} on stock_move begin"
            " select raise(abort, 'the ledger is append-only'); end"
        )


def _thaw_ledger() -> None:
    if _is_postgresql():
        op.execute("drop trigger stock_move_is_kept on stock_move")
        op.execute("drop trigger stock_move_is_append_only on stock_move")
        return
    for verb in ("update", "delete"):
        op.execute(f"drop trigger stock_move_no_{verb}")


def _create_stock() -> None:
    op.create_table(
        "stock_level",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("location_code", sa.String(length=64), nullable=False),
        sa.Column(
            "store",
            sa.Enum("sale", "repair", name="store", native_enum=False, length=10),
            nullable=False,
        ),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("reorder_level", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_level_on_hand")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_stock_level_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_level")),
        sa.UniqueConstraint(
            "product_id", "location_code", name=op.f("uq_stock_level_product_id_location_code")
        ),
    )
    op.create_index("ix_stock_level_location_code", "stock_level", ["location_code"], unique=False)
    op.create_table(
        "stock_move",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "counted",
                "received",
                "reserved",
                "released",
                "issued",
                name="movekind",
                native_enum=False,
                length=10,
            ),
            nullable=False,
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "store",
            sa.Enum("sale", "repair", name="store", native_enum=False, length=10),
            nullable=False,
        ),
        sa.Column("location_code", sa.String(length=64), nullable=True),
        sa.Column("on_hand_change", sa.BigInteger(), nullable=False),
        sa.Column("reserved_change", sa.BigInteger(), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=True),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_stock_move_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
        sa.UniqueConstraint("form_key", name=op.f("uq_stock_move_form_key")),
    )
    op.create_index("ix_stock_move_product", "stock_move", ["product_id", "id"], unique=False)
    op.create_index(
        "ix_stock_move_subject", "stock_move", ["subject_kind", "subject_id"], unique=False
    )
    op.create_table(
        "stock_reservation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "store",
            sa.Enum("sale", "repair", name="store", native_enum=False, length=10),
            nullable=False,
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_reservation_quantity")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_stock_reservation_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_reservation")),
        sa.UniqueConstraint(
            "subject_kind",
            "subject_id",
            "product_id",
            "store",
            name=op.f("uq_stock_reservation_subject_kind_subject_id_product_id_store"),
        ),
    )
    op.create_index(
        "ix_stock_reservation_product", "stock_reservation", ["product_id", "store"], unique=False
    )


def _create_past_orders() -> None:
    op.create_table(
        "past_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("person_email", sa.String(length=254), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("purchase_order_number", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("net_total", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "membership_id"],
            ["membership.account_id", "membership.id"],
            name=op.f("fk_past_order_account_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "unit_id"],
            ["unit.account_id", "unit.id"],
            name=op.f("fk_past_order_account_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_past_order_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_order")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_past_order_account_id_id")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_past_order_account_id_number")),
    )
    op.create_index(
        op.f("ix_past_order_membership_id"), "past_order", ["membership_id"], unique=False
    )
    op.create_index("ix_past_order_number", "past_order", ["number"], unique=False)
    op.create_index(
        "ix_past_order_placed", "past_order", ["account_id", "placed_at", "id"], unique=False
    )
    op.create_index(
        "ix_past_order_purchase_order", "past_order", ["purchase_order_number"], unique=False
    )
    op.create_table(
        "past_order_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "past_order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("uom", sa.String(length=16), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("line_total", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_past_order_line_quantity")),
        sa.ForeignKeyConstraint(
            ["account_id", "past_order_id"],
            ["past_order.account_id", "past_order.id"],
            name=op.f("fk_past_order_line_account_id_past_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_past_order_line_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_order_line")),
        sa.UniqueConstraint(
            "past_order_id", "position", name=op.f("uq_past_order_line_past_order_id_position")
        ),
    )
    op.create_index(
        op.f("ix_past_order_line_product_id"), "past_order_line", ["product_id"], unique=False
    )
    op.create_index(
        "ix_past_order_line_sku", "past_order_line", ["account_id", "sku"], unique=False
    )
