"""Every page and form, filled in with hostile values: never a failure, nothing typed is lost."""

import unicodedata
from collections.abc import Callable, Iterable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.databases import Kind
from tests.hostile import corpus
from tests.hostile.walk import (
    SENT,
    TYPED,
    SignIn,
    Visit,
    filled,
    forms,
    path_of,
    some,
    stands_in,
    visits,
)
from tests.stage import undone

SHORT = [value for value in corpus.ANYTHING if len(value) < 6000]
LONG = ("9" * 11, "9" * 40)
"""Numbers beyond what most columns hold, and beyond what decimals are rounded in."""
REFUSED_BY_DATABASES = frozenset((*corpus.NUMBERS, *corpus.DATES, *corpus.BROKEN))
"""What the two databases take differently; any other text is the same to both."""
pytestmark = pytest.mark.timeout(900)


def _failure(ask: Callable[[], TestResponse]) -> str:
    """Return how a request failed, or nothing."""
    try:
        with undone():
            answer = ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return f"{type(error).__name__}: {error}"[:200]
    return "" if answer.status_code < 500 else str(answer.status_code)


def _values(kind: Kind, place: str) -> list[str]:
    """Return what a place is tried with: on SQLite only what depends on the database."""
    values = some(SHORT, place, 1)
    if kind is Kind.POSTGRESQL:
        return values
    return [value for value in values if value in REFUSED_BY_DATABASES]


def _asked_oddly(visit: Visit, kind: Kind) -> list[str]:
    """Ask for a page with every argument it knows set to hostile values, one by one."""
    names = visit.offered.arguments | {"page", "size", "sort", "q", "next", "format"}
    found = []
    for name in sorted(names):
        for value in _values(kind, visit.address + name):
            query = {name: value}
            failed = _failure(lambda: visit.client.get(visit.address, query_string=query))  # noqa: B023
            found += [f"{visit.who} {visit.address} {name}={value[:60]!r}: {failed}"] * bool(failed)
    return found


@pytest.mark.any_database
@pytest.mark.usefixtures("still", "each_document_once")
def test_no_page_and_no_form_breaks_on_nonsense(demo: Flask, sign_in: SignIn) -> None:
    found, pages, sent, seen = [], 0, 0, set[object]()
    for visit in visits(demo, sign_in):
        pages += 1
        names = sorted(visit.offered.arguments | {"page", "size", "sort", "q"})
        query = _odd(visit.address, names)
        failed = _failure(lambda: visit.client.get(visit.address, query_string=query))  # noqa: B023
        found += [f"{visit.who} {visit.address} {query}: {failed}"] * bool(failed)
        for form in forms(visit, seen):
            sent += 1
            path = path_of(form)
            names = [name for name, kind in form.kinds.items() if kind in TYPED]
            for odd in (_odd(path, names), *(dict.fromkeys(names, long) for long in LONG)):
                data = filled(form) | odd
                failed = _failure(lambda: visit.client.post(path, data=data))  # noqa: B023
                found += [f"{visit.who} {path} {odd}: {failed}"] * bool(failed)

    assert found == []
    assert pages > 60
    assert sent > 50


def _odd(place: str, names: Iterable[str]) -> dict[str, str]:
    return {name: some(SHORT, place + name, 1)[0] for name in names}


@pytest.mark.proof(minutes=3)
@pytest.mark.usefixtures("still", "each_document_once")
def test_no_page_breaks_on_any_one_thing_that_its_address_asks_for(
    demo: Flask, database_kind: Kind, sign_in: SignIn
) -> None:
    found = []
    for visit in visits(demo, sign_in):
        found += _asked_oddly(visit, database_kind)

    assert found == []


@pytest.mark.proof(minutes=1)
@pytest.mark.usefixtures("still", "each_document_once")
def test_no_form_breaks_on_any_one_field_and_what_was_typed_stands_there_again(
    demo: Flask, database_kind: Kind, sign_in: SignIn
) -> None:
    found, lost, seen = [], [], set[object]()
    for visit in visits(demo, sign_in):
        for form in forms(visit, seen):
            path = path_of(form)
            for name, kind in form.kinds.items():
                if kind not in SENT or name == "csrf_token":
                    continue
                for value in _values(database_kind, path + name):
                    place = f"{visit.who} {path} {name}={value[:60]!r}"
                    answer, failed = _answer(visit, path, filled(form) | {name: value})
                    found += [f"{place}: {failed}"] * bool(failed)
                    if answer is not None and answer.status_code == 422 and kind in TYPED:
                        lost += [place] * (not _is_kept(value, answer))

    assert found == []
    assert lost == []


def _answer(visit: Visit, path: str, data: dict[str, str]) -> tuple[TestResponse | None, str]:
    answers: list[TestResponse] = []

    def ask() -> TestResponse:
        answers.append(visit.client.post(path, data=data))
        return answers[0]

    failed = _failure(ask)
    return (answers[0] if answers else None), failed


def _is_kept(typed: str, page: TestResponse) -> bool:
    if not typed.isprintable() or not typed.strip():
        return True  # what can't be seen is not missed
    return stands_in(typed, page) or stands_in(unicodedata.normalize("NFKC", typed), page)
