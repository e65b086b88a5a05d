"""Columns of the tables posted to every form: what a form does not ask for, it does not take."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Boolean, Column, Date, DateTime, Engine, Integer, event

from portal.db import Base
from tests.hostile.pages import FoundForm
from tests.hostile.walk import SignIn, Visit, filled, forms, path_of, visits
from tests.instants import NOW
from tests.stage import NOT_BUSINESS, undone

pytestmark = [pytest.mark.proof, pytest.mark.any_database, pytest.mark.timeout(600)]
Written = list[tuple[str, tuple[Any, ...]]]

ASKED_FOR = {
    "/quotes": {"title"},
    "/quotes/lines": {"number", "uom"},
}
"""Address -> columns that its action takes although no field of the page is called so."""


def _hostile(column: Column[Any]) -> str:
    """Return what an attacker would like to stand in a column."""
    if isinstance(column.type, Boolean):
        return "on"
    if isinstance(column.type, DateTime | Date):
        return "2030-01-01"
    if isinstance(column.type, Integer) or "id" in column.name:
        return "1"
    return "approved" if column.name in {"status", "state"} else "system-administrator"


COLUMNS = {
    column.name: _hostile(column)
    for table in Base.metadata.sorted_tables
    if table.name not in NOT_BUSINESS
    for column in table.columns
}


@contextmanager
def _writing() -> Iterator[Written]:
    """Collect what is written to the business tables, with every value."""
    written: Written = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:  # noqa: ANN401
        words = statement.lower().replace('"', "").split()
        name = {"insert": 2, "update": 1, "delete": 2}.get(words[0])
        if name is not None and words[name] not in NOT_BUSINESS:
            written.append((statement, tuple(values)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield written
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _plausible(form: FoundForm) -> dict[str, str]:
    """Return a form filled in so that most actions accept it."""
    blank = {"textarea": "Because.", "text": "7", "date": "2026-12-01", "email": "new@acme.example"}
    sent = filled(form)
    return {name: text or blank.get(form.kinds[name], "") for name, text in sent.items()}


def _sent(visit: Visit, path: str, data: dict[str, str]) -> Written:
    with time_machine.travel(NOW, tick=False), undone():
        client = visit.client
        with _writing() as written:
            client.post(path, data=data)
    return written


def _differs(plain: Written, again: Written, more: Written) -> str:
    """Return what is written only because of the columns; values that chance makes are left out."""
    if [statement for statement, _ in plain] != [statement for statement, _ in more]:
        only = [statement for statement, _ in more if statement not in dict(plain)]
        return f"other statements: {only or len(more)}"
    for (statement, one), (_, two), (_, three) in zip(plain, again, more, strict=True):
        for before, chance, after in zip(one, two, three, strict=True):
            if before == chance and before != after:
                return f"{statement[:80]}: {before!r} became {after!r}"
    return ""


def test_no_form_takes_a_column_that_it_does_not_ask_for(demo: Flask, sign_in: SignIn) -> None:
    found, effective, seen = [], 0, set[object]()
    for visit in visits(demo, sign_in):
        for form in forms(visit, seen):
            path, data = path_of(form), _plausible(form)
            allowed = ASKED_FOR.get(urlsplit(path).path, set()) | set(form.kinds)
            columns = {name: text for name, text in COLUMNS.items() if name not in allowed}
            plain, again = _sent(visit, path, data), _sent(visit, path, data)
            differs = _differs(plain, again, _sent(visit, path, columns | data))
            effective += bool(plain)
            found += [f"{visit.who} {path}: {differs}"] * bool(differs)

    assert found == []
    assert effective > 20, "too few of these forms change anything by themselves"
