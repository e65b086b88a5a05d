"""Every text of one account carries a token; nobody of the other ever meets it.

The people of one account open whatever they can reach by links and forms, starting from each page
without arguments, and ask for the other account's objects besides. New pages join by themselves.
"""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Final

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, String, Table, Text, case, func, select, update
from sqlalchemy.types import Enum

from portal.accounts.models import Account, Membership, Person
from portal.config import Settings
from portal.db import EVERY_ROW, Base, db, set_row_scope, transaction
from portal.jobs.actions import run_next
from tests.instants import NOW
from tests.proofs.reading import crawl, read, read_mail
from tests.proofs.routes import samples, starts
from tests.stage import PortalClient

pytestmark = pytest.mark.proof

TOKEN: Final = "KANARIA"
MOST_PAGES: Final = 400
WALLS: Final = [("ACME", "HANBIT"), ("HANBIT", "ACME")]
_CODED: Final = re.compile(
    r"(currency|locale|zone|country|status|kind|hash|pattern|digest|key|url)"
)


def _texts(table: Table) -> list[str]:
    """The columns of a table that hold words of people; codes and states are left alone."""
    fixed = {
        column.name
        for constraint in table.constraints
        for column in getattr(constraint, "columns", ())
    }
    return [
        column.name
        for column in table.columns
        if isinstance(column.type, String | Text)
        and not isinstance(column.type, Enum)
        and (column.type.length is None or column.type.length >= 64)
        and column.name not in fixed
        and not column.foreign_keys
        and not _CODED.search(column.name)
    ]


def mark(account_id: int) -> int:
    """Put the token into every text of an account; return how many cells carry it."""
    marked = 0
    with transaction() as session:
        for table in Base.metadata.sorted_tables:
            if table.info.get("scope") != "account" or table.name == "event":
                continue  # the record can't be changed, and names nobody
            owner = table.c[table.info.get("account_column", "account_id")]
            marks: dict[str, ColumnElement[str]] = {}
            counted: list[ColumnElement[int]] = []
            for name in _texts(table):
                column = table.c[name]
                words = func.substr(TOKEN + " " + column, 1, column.type.length or 4000)  # type: ignore[attr-defined]
                marks[name] = case((column != "", words), else_=column)
                counted.append(func.count(func.nullif(column, "")))
            if marks:
                here = owner == account_id
                marked += sum(session.execute(select(*counted).where(here)).one())
                session.execute(update(table).where(here).values(marks))
        people = select(Membership.person_id).where(Membership.account_id == account_id)
        session.execute(
            update(Person).where(Person.id.in_(people)).values(name=TOKEN + " " + Person.name)
        )
    return marked


def natural_tokens(account: Account) -> set[str]:
    """What is the account's alone by itself: its code, its documents' numbers, its addresses."""
    numbers: set[str] = {account.code}
    for table in Base.metadata.sorted_tables:
        if table.info.get("scope") == "account" and {"number", "account_id"} <= set(table.c.keys()):
            found = db.session.scalars(
                select(table.c.number).where(table.c.account_id == account.id)
            )
            numbers |= {str(number) for number in found if re.fullmatch(r"[QO]-\d+", str(number))}
    emails = db.session.scalars(
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.account_id == account.id)
    )
    return numbers | set(emails)


def met(text: str, tokens: set[str], asked: str = "") -> list[str]:
    """The tokens in a text, what somebody asked for by name aside."""
    return sorted(token for token in tokens if token in text and token not in asked)


@pytest.fixture
def accounts(demo: Flask) -> dict[str, Account]:  # noqa: ARG001 - the database they are in
    found = {account.code: account for account in db.session.scalars(select(Account))}
    db.session.rollback()
    return found


@pytest.fixture(
    params=WALLS, ids=lambda wall: f"{wall[0].lower()}-meets-nothing-of-{wall[1].lower()}"
)
def wall(request: pytest.FixtureRequest, accounts: dict[str, Account]) -> tuple[Account, set[str]]:
    """(the account whose people look, what they must never meet)."""
    inside, outside = (accounts[code] for code in request.param)
    assert mark(outside.id) > 20
    return inside, {TOKEN} | natural_tokens(outside)


def _people(account_id: int) -> list[str]:
    return list(
        db.session.scalars(
            select(Person.email)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.account_id == account_id, Membership.status == "active")
            .group_by(Person.email)
            .order_by(Person.email)
        )
    )


@pytest.mark.proof(minutes=2)
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("still", "each_document_once", "plans_last")
def test_nobody_meets_a_word_of_the_other_account(
    demo: Flask, wall: tuple[Account, set[str]], sign_in: Callable[..., PortalClient]
) -> None:
    account, tokens = wall
    pages, hits = 0, []
    for email in _people(account.id):
        client = sign_in(email)
        for answer in crawl(client, starts(demo), MOST_PAGES):
            pages += 1
            assert answer.status < 500, answer.path
            hits += [
                f"{email} {answer.path}: {token}" for token in met(answer.text, tokens, answer.path)
            ]

    assert hits == []
    assert pages > 20 * len(_people(account.id))


@pytest.mark.timeout(900)
def test_asking_for_the_other_accounts_objects_says_nothing(
    demo: Flask,
    accounts: dict[str, Account],
    wall: tuple[Account, set[str]],
    sign_in: Callable[..., PortalClient],
) -> None:
    account, tokens = wall
    other = next(a for a in accounts.values() if a.kind == "customer" and a.id != account.id)
    client = sign_in(_people(account.id)[0])
    hits, asked = [], 0
    for path in _addresses_of(demo, other):
        answer = read(path, client.get(path))
        asked += 1
        assert answer.status in {303, 403, 404, 405}, (path, answer.status)
        hits += [f"{path}: {token}" for token in met(answer.text, tokens, path)]

    assert hits == []
    assert asked > 0


def _addresses_of(app: Flask, account: Account) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if rule.arguments and "GET" in (rule.methods or ()) and rule.endpoint != "static":
            values = samples(rule, account.code)
            if values is not None:
                yield str(app.url_map.bind("localhost").build(rule.endpoint, values))


def test_no_mail_carries_a_word_of_the_other_account(
    demo: Flask, wall: tuple[Account, set[str]]
) -> None:
    account, tokens = wall
    settings: Settings = demo.config["SETTINGS"]
    for old in settings.mail_dir.glob("*.eml"):
        old.unlink()
    set_row_scope(EVERY_ROW)
    while run_next(NOW):
        pass
    own = set(_people(account.id))
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in settings.mail_dir.glob("*.eml")
    ]
    to_us = [mail for mail in mails if any(email in str(mail["To"]) for email in own)]

    assert [hit for mail in to_us for hit in met(read_mail(mail), tokens)] == []
    assert to_us, "the demo told nobody of this account anything"


def test_the_accounts_own_people_do_meet_the_token(
    demo: Flask,
    wall: tuple[Account, set[str]],
    accounts: dict[str, Account],
    sign_in: Callable[..., PortalClient],
) -> None:
    """The negative control: the crawler opens pages that carry it, and finds it there."""
    account, tokens = wall
    other = next(a for a in accounts.values() if a.kind == "customer" and a.id != account.id)
    client = sign_in(_people(other.id)[0])

    found = {
        token for answer in crawl(client, starts(demo), 60) for token in met(answer.text, tokens)
    }

    assert TOKEN in found
    assert other.code in found


def test_the_log_carries_no_word_of_any_account(
    demo: Flask,
    wall: tuple[Account, set[str]],
    sign_in: Callable[..., PortalClient],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Operators read it who are nobody's staff: numbers and references stand in it, no words."""
    account, tokens = wall
    caplog.set_level("INFO")
    other = db.session.scalars(
        select(Account.id).where(Account.kind == "customer", Account.id != account.id)
    ).one()
    client = sign_in(_people(other)[0])

    pages = [answer.status for answer in crawl(client, starts(demo), 60)]
    client.get("/search", query_string={"q": f"{TOKEN} is looked for"})
    client.post("/quotes", data={"title": TOKEN * 60})
    client.get(f"/quotes/{TOKEN}")
    set_row_scope(EVERY_ROW)
    while run_next(NOW):
        pass
    printed = capsys.readouterr()
    log = f"{caplog.text}\n{printed.out}\n{printed.err}"

    assert 200 in pages
    assert "answered 404 to GET" in log, "the log says nothing at all"
    # Which address was asked for stands there; the token came into some of them by the marking.
    lines = [re.sub(r"(GET|POST) .*, reference", "", line) for line in log.splitlines()]
    assert [line for line in lines if TOKEN in line] == []
    assert [line for line in lines if any("@" in token and token in line for token in tokens)] == []
