"""A mark that the database draws anew whenever something changes that the catalogue counts."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None

WATCHED = (
    "category", "product", "product_attribute", "assortment_rule", "access_group_assortment",
)  # fmt: skip
VERBS = ("insert", "update", "delete")
DRAW_ON_POSTGRESQL = """
create function draw_catalogue_mark() returns trigger language plpgsql as $$
declare
    fresh bigint := (random() * 9007199254740991)::bigint;
begin
    update catalogue_mark set drawn = fresh
        where id = (select id from catalogue_mark limit 1 for update skip locked);
    if not found then
        insert into catalogue_mark (drawn) values (fresh);
    end if;
    return null;
end $$
"""
"""Nobody waits: who finds each number in the hands of a transaction under way adds one."""


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "catalogue_mark",
        sa.Column("id", whole, nullable=False),
        sa.Column("drawn", whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_mark")),
    )
    op.execute("insert into catalogue_mark (drawn) values (0)")
    if op.get_bind().dialect.name == "postgresql":
        _watch_on_postgresql()
    else:
        _watch_on_sqlite()


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in WATCHED:
        if is_postgresql:
            op.execute(f"drop trigger {table}_draws_mark on {table}")
            continue
        for verb in VERBS:
            op.execute(f"drop trigger {table}_{verb}_draws_mark")
    if is_postgresql:
        op.execute("drop function draw_catalogue_mark()")
    op.drop_table("catalogue_mark")


def _watch_on_postgresql() -> None:
    op.execute(DRAW_ON_POSTGRESQL)
    for table in WATCHED:
        op.execute(
            f"create trigger {table}_draws_mark"
            f" after insert or update or delete or truncate on {table}"
            " for each statement execute function draw_catalogue_mark()"
        )


def _watch_on_sqlite() -> None:
    for table in WATCHED:
        for verb in VERBS:
            op.execute(
                f"create trigger {table}_{verb}_draws_mark after {verb} on {table} begin"  # noqa: S608 - our own names
                " update catalogue_mark set drawn = random(); end"
            )
