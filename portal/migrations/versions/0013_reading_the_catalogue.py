"""Indexes from which a page of the catalogue is counted, and read in order of its names."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = "product"
COUNTED = {
    "ix_product_count_category": ["status", "category_id", "id"],
    "ix_product_count_manufacturer": ["status", "manufacturer", "category_id", "id"],
}
NAMED = {
    "ix_product_by_name_en": "en",
    "ix_product_by_name_zh_hans": "zh-Hans",
    "ix_product_by_name_zh_hant": "zh-Hant",
    "ix_product_by_name_ko": "ko",
}


def upgrade() -> None:
    for name, columns in COUNTED.items():
        op.create_index(name, TABLE, columns)
    if op.get_bind().dialect.name == "postgresql":
        for name, language in NAMED.items():
            op.execute(
                f"create index {name} on product"
                f" (lower(coalesce(nullif(names ->> '{language}', ''), name)), id)"
                " where status = 'active'"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in NAMED:
            op.execute(f"drop index {name}")
    for name in COUNTED:
        op.drop_index(name, table_name=TABLE)
