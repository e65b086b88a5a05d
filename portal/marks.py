"""The catalogue's mark: another one after each change, so that counts can be kept under it.

What was counted under the same mark still holds, whichever process counted it. Triggers of the
database draw it anew, in the transaction that changes something: they see every writer, the ones of
tomorrow and a person at a console as well.
"""

from typing import Any

from sqlalchemy import ScalarSelect, String, cast, func, select
from sqlalchemy.orm import Mapped

from portal.db import Base, Id, exempt


class CatalogueMark(Base):
    """Some numbers that make the mark together.

    Each is drawn at random: a database that was restored never returns to a mark with which it held
    something else. PostgreSQL has as many rows as there were writers at once, because none waits
    for another one here; SQLite has one.
    """

    __tablename__ = "catalogue_mark"
    __table_args__ = (exempt("random numbers that tell only that the catalogue changed"),)

    id: Mapped[Id]
    drawn: Mapped[int]


def catalogue_mark() -> ScalarSelect[Any]:
    """Return the mark as a column of a statement; what is counted must be read after it."""
    return select(cast(func.sum(CatalogueMark.drawn), String)).scalar_subquery()
