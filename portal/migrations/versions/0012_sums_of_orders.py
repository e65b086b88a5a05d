"""Orders carry what reports ask of them as wholes: their valid lines and their list value."""

import sqlalchemy as sa
from alembic import op

from portal.money import CURRENCIES

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "purchase_order"
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUMS = {"valid_lines": COUNT, "list_total": sa.BigInteger(), "listed_total": sa.BigInteger()}
INDEX = "ix_purchase_order_sums"
INDEXED = (
    "account_id", "placed_at", "status", "unit_id", "membership_id", "currency", "valid_lines",
    "lines_total", "list_total", "listed_total",
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table(TABLE) as orders:
        for name, kind in SUMS.items():
            orders.add_column(sa.Column(name, kind, nullable=False, server_default="0"))
    _sum_up()
    with op.batch_alter_table(TABLE) as orders:
        for name, kind in SUMS.items():
            orders.alter_column(name, existing_type=kind, server_default=None)
    op.create_index(INDEX, TABLE, list(INDEXED))


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    with op.batch_alter_table(TABLE) as orders:
        for name in reversed(SUMS):
            orders.drop_column(name)


def _sum_up() -> None:
    """Give the orders that are there the sums of their lines; unlisted lines have no list price."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("select set_config('app.all', '1', true)")  # the wall holds for the owner, too
    op.execute(
        f"""
        update purchase_order set valid_lines = s.many, list_total = s.list,
            listed_total = s.listed
        from (
            select l.order_id, count(*) as many,
                coalesce(sum(case when l.list_price is not null then {_list_value()} end), 0)
                    as list,
                coalesce(sum(case when l.list_price is not null then l.line_total end), 0)
                    as listed
            from purchase_order_line l join purchase_order o on o.id = l.order_id
            where l.quantity > l.cancelled group by l.order_id
        ) s
        where s.order_id = purchase_order.id
        """  # noqa: S608 - numbers and codes of our own
    )


def _list_value() -> str:
    """Return list price times what is left, half up to the minor unit, all of it scaled integers.

    Whole units and the rest are multiplied apart, so that no product leaves 64 bits.
    """
    left = "(l.quantity - l.cancelled)"
    whole, rest = f"(l.list_price / 10000 * {left})", f"(l.list_price % 10000 * {left})"
    cases = []
    for digits in (0, 2, 3, 4):
        cut, half = 10 ** max(3 - digits, 0), 5 * 10 ** (6 - digits)
        kept = f"{whole} / {cut} + ({whole} % {cut} * 10000 + {rest} + {half}) / {cut * 10_000}"
        if digits == 4:  # noqa: PLR2004 - nothing is cut but what the quantity adds
            kept = f"{whole} * 10 + ({rest} + 500) / 1000"
        codes = ", ".join(f"'{code}'" for code, own in sorted(CURRENCIES.items()) if own == digits)
        if codes:
            cases.append(f"when o.currency in ({codes}) then ({kept}) * {10 ** (4 - digits)}")
    return f"(case {' '.join(cases)} end)"
