"""How Alembic runs a migration: on the connection that `running` hands it."""

from typing import Literal

from alembic import context
from sqlalchemy.schema import SchemaItem

from portal.db import Base, ExactDecimal, UtcDateTime
from portal.migrations import everything  # noqa: F401 - its imports fill the metadata

SEARCH_INDEXES = ("product_search", "article_search")
NAME_INDEXES = "ix_product_by_name_"


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    if kind == "type" and isinstance(item, ExactDecimal):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _include(item: SchemaItem, name: str | None, kind: str, *_more: object) -> bool:
    """Leave alone what is written by hand for each database: search, and the order of names."""
    if kind == "table" and (name or "").startswith(SEARCH_INDEXES):
        return False
    if kind == "index" and (name or "").startswith(NAME_INDEXES):
        return False
    owner = getattr(item, "table", None)
    return not (kind == "index" and str(getattr(owner, "name", "")).startswith(SEARCH_INDEXES))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_render,
    include_object=_include,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
