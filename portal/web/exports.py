"""Files too large for a page: where the line is, and how a page says that it is crossed."""

from typing import Final

from flask import g, has_request_context

LARGE: Final = 5_000
"""Rows of a table that a page writes while somebody waits; more is a job."""


class TooLargeError(Exception):
    """The file is too large to be written while somebody waits."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


def must_fit(rows: int) -> None:
    """Hand a file of so many rows to a job; a list that can count calls it before it reads.

    Raises:
        TooLargeError: Within a request of somebody who waits; the page that offers the job follows.
    """
    if rows > LARGE and has_request_context() and not g.get("is_job"):
        raise TooLargeError(rows)
