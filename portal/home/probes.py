"""Whether the process and what it stands on are fit to serve."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db

_MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"


@lru_cache(maxsize=1)
def head_revision() -> str | None:
    """Return the newest migration that this program ships."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def check() -> dict[str, str]:
    """Return what is ready: each part with "ok" or what is wrong with it."""
    try:
        found = db.session.scalar(text("select version_num from alembic_version"))
    except SQLAlchemyError:
        return {"database": "not reachable or empty", "migrations": "unknown"}
    return {"database": "ok", "migrations": "ok" if found == head_revision() else "not current"}
