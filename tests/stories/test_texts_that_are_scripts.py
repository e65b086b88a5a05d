"""Scripts typed into every text there is: the pages show them as words, and nothing runs."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from flask import Flask
from sqlalchemy import (
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    update,
)

from portal.db import Base, db
from portal.permissions import Permission
from portal.web.access import access_of
from tests.proofs.routes import address, is_known, sample_of
from tests.stage import held_by, opened
from tests.stories.browsing import Server, Visitor

pytestmark = [pytest.mark.story, pytest.mark.any_database, pytest.mark.timeout(300)]

HOSTILE: Final = (
    """'"></textarea><i id=evil><script>alert(1)</script><img src=/e onerror=alert(2)>"""
)
WORDS: Final = frozenset(
    {
        *("name", "title", "note", "subject", "text", "comment", "body", "fault", "diagnosis"),
        *("reason", "answer", "contact", "delivery_notes", "received_by", "measure"),
        *("rating_text", "description", "reference", "message"),
    }
)
"""Columns that hold what people wrote."""
KEPT: Final = frozenset({"event", "stock_move", "user_session", "alembic_version", "job", "upload"})
"""Tables that are never changed, and those of the machine."""
PEOPLE: Final = (
    "buyer@acme.example",
    "approver@acme.example",
    "admin@acme.example",
    "service@northwind.example",
    "desk@northwind.example",
    "manager@northwind.example",
    "pricing@northwind.example",
)
LISTS: Final = frozenset(
    {"/", "/quotes", "/orders", "/approvals", "/service/cases", "/company/people", "/desk/accounts"}
)


def _write_everywhere() -> int:
    """Put the script into every text of every table; return in how many columns it stands."""
    written = 0
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            is_text = isinstance(column.type, String | Text) and column.name in WORDS
            if (
                table.name in KEPT
                or not is_text
                or (getattr(column.type, "length", None) or 999) < len(HOSTILE)
            ):
                continue
            if any(column.name in unique.columns for unique in _uniques(table)):
                continue
            db.session.execute(update(table).where(column != "").values({column.name: HOSTILE}))
            there = select(func.count()).select_from(table).where(column == HOSTILE)
            written += bool(db.session.scalar(there))
    db.session.commit()
    return written


def _uniques(table: Table) -> list[UniqueConstraint | PrimaryKeyConstraint]:
    kinds = (UniqueConstraint, PrimaryKeyConstraint)
    return [one for one in table.constraints if isinstance(one, kinds)]


def _pages(app: Flask) -> Iterator[tuple[str, Permission | str | None]]:
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not is_known(rule) or rule.endpoint == "static":
            continue
        sample = sample_of(rule)
        if rule.rule in LISTS:
            yield rule.rule, access_of(app, rule.endpoint, "GET")
        elif sample is not None:
            found = sample.find("ACME")
            if found is not None:
                yield address(app, rule, found[1]), access_of(app, rule.endpoint, "GET")


def test_a_script_in_any_text_is_shown_and_never_runs(
    portal: Server, browse_as: Callable[..., Visitor]
) -> None:
    with opened(portal.database) as app:
        columns = _write_everywhere()
        held = {who: held_by(who) for who in PEOPLE}
        pages = list(_pages(app))
    assert columns > 20
    shown = 0
    for who in PEOPLE:
        mine = [page for page in pages if page[1] in held[who] or page[1] == "signed-in"]
        pages = [page for page in pages if page not in mine]
        visitor = browse_as(who, "ACME - IT" if who.startswith("buyer") else None)
        for path, _needed in mine:
            if not _is_page(visitor, path):
                continue
            visitor.open(path)
            assert visitor.page.locator("#evil").count() == 0, f"{path} took a text for its own"
            shown += "alert(2)" in visitor.page.inner_text("body")
        assert visitor.faults == []

    assert shown > 25, "the script hardly stood anywhere"


def _is_page(visitor: Visitor, path: str) -> bool:
    """Whether an address shows a page to this person; others answer files or lead elsewhere."""
    answer = visitor.page.request.get(visitor.home + path, max_redirects=0)
    return answer.status == 200 and "text/html" in answer.headers.get("content-type", "")
