"""Looking for a part of a text, said in SQL: what lists are searched by."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, collate

from portal.db import db


def contains(column: SQLColumnExpression[Any], text: str) -> ColumnElement[bool]:
    """Keep the rows whose ``column`` contains ``text``, without regard to case.

    PostgreSQL folds the case of all scripts letter by letter. Where only ASCII is looked for, only
    ASCII can be found, and its rules take a third of the time. SQLite folds no other letters.

    Args:
        column: A text; where it is null, nothing is found.
        text: What to find, as it was typed: no character of it has a meaning of its own.
    """
    if text.isascii() and db.session().get_bind().dialect.name == "postgresql":
        return collate(column, "C").icontains(text, autoescape=True)
    return column.icontains(text, autoescape=True)
