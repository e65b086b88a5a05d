"""The permission matrix: every address and method, every kind of person, every place of an object.

What must happen is read from the permission table (`policy.GRANTS`) and from nothing else. The
walk covers whatever is registered, so that a new page joins by itself, or fails by having no row.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.db import Base, db, transaction
from portal.policy import Permission, Scope
from portal.web.access import access_of
from portal.web.identity import SESSION_COOKIE
from tests.proofs.people import ELSEWHERE, HOME, SIBLING, UNIT, Somebody, everybody
from tests.proofs.routes import Sample, address, arguments, is_known, sample_of
from tests.stage import PortalClient, snapshot, undone, writes

SKIPPED: Final = frozenset({"static"})
_OWN_WORDS: Final = re.compile(r"\b[0-9A-F]{8}\b|csrf_token[^>]*>")


class Place(StrEnum):
    """Whose an object is, seen from the person."""

    OWN = "own"
    UNIT = "their unit's"
    SIBLING = "a sibling unit's"
    ELSEWHERE = "another account's"
    MISSING = "missing"


class Result(StrEnum):
    """What an answer means for access."""

    OPEN = "open"
    SIGN_IN = "asked to sign in"
    CHOOSE = "asked to choose a membership"
    REFUSED = "403"
    ABSENT = "404"
    BROKEN = "broken"


LEADS: Final = {
    "accounts.sign_out": Result.SIGN_IN,
    "approvals.link": Result.ABSENT,
    "reports.index": Result.REFUSED,
}
"""Where an address that any signed-in person may use leads: out, or to what a secret names."""
_REFUSALS: Final = {Result.REFUSED, Result.ABSENT}
MAKES_ONES_OWN: Final = frozenset(
    {
        "quotes.copy",
        "reordering.own",
        "reordering.own_again",
        "reordering.past",
        "reordering.past_again",
    }
)
"""What may be read may be taken as the pattern for something new of one's own."""
REACHED: Final = {
    Scope.OWN: {Place.OWN},
    Scope.GROUP: {Place.OWN, Place.UNIT},
    Scope.UNIT: {Place.OWN, Place.UNIT},
    Scope.ACCOUNT: {Place.OWN, Place.UNIT, Place.SIBLING},
    Scope.ASSIGNED: {Place.OWN, Place.UNIT, Place.SIBLING},
    Scope.ALL: {Place.OWN, Place.UNIT, Place.SIBLING, Place.ELSEWHERE},
}
"""How far each scope goes; supplier staff are assigned to the home account."""


@dataclass(frozen=True)
class Cell:
    """One question to the matrix."""

    rule: Rule
    method: str
    somebody: Somebody
    sample: Sample | None
    place: Place | None

    def __str__(self) -> str:
        return (
            f"{self.method} {self.rule.rule} by {self.somebody.name}, {self.place or 'no object'}"
        )


def expected(app: Flask, cell: Cell) -> set[Result]:
    """Return what may happen, by the table of permissions alone."""
    needed = access_of(app, cell.rule.endpoint, cell.method)
    if needed == "public":
        return {Result.OPEN, Result.ABSENT}
    if cell.somebody.is_anonymous:
        return {Result.SIGN_IN}
    if cell.sample is not None and cell.sample.is_private:
        return {Result.ABSENT}
    if needed == "signed-in":
        return {Result.OPEN, LEADS.get(cell.rule.endpoint, Result.OPEN)}
    assert isinstance(needed, Permission), cell
    return _by_permission(cell, needed)


def _by_permission(cell: Cell, needed: Permission) -> set[Result]:
    if needed not in cell.somebody.grants:
        return {Result.REFUSED}
    if cell.sample is None:
        return set(Result) - {Result.BROKEN} if _is_not_theirs(cell) else {Result.OPEN}
    if not _reaches(cell, cell.sample.read):
        return {Result.ABSENT}
    if cell.rule.endpoint in MAKES_ONES_OWN:
        return {Result.OPEN}
    if not _reaches(cell, needed):
        return {Result.REFUSED}
    return _when_reached(cell)


def _when_reached(cell: Cell) -> set[Result]:
    return {Result.OPEN, Result.REFUSED} if _may_hold_less(cell) else {Result.OPEN}


def _may_hold_less(cell: Cell) -> bool:
    """Whether the other may hold rights that this person lacks: those they can't touch."""
    return cell.sample is not None and cell.sample.group is not None and cell.method == "POST"


def _is_not_theirs(cell: Cell) -> bool:
    """Whether a page is about one's own company, of which supplier staff administer none."""
    return cell.somebody.is_supplier and cell.rule.rule.startswith("/company/")


def _reaches(cell: Cell, permission: Permission) -> bool:
    scope = cell.somebody.grants.get(permission)
    if scope is None or cell.place is None or cell.place is Place.MISSING:
        return False
    assert cell.sample is not None
    named = cell.sample.is_named_by_runs and cell.place is Place.OWN
    return cell.sample.is_shared or named or cell.place in REACHED[scope]


def result_of(response: TestResponse) -> Result:
    """Return what an answer means for access; a form that complains was open."""
    target = response.headers.get("Location", "")
    if response.status_code in {302, 303} and "/sign-in" in target:
        return Result.SIGN_IN
    if response.status_code in {302, 303} and "/memberships" in target and "next=" in target:
        return Result.CHOOSE
    by_status = {403: Result.REFUSED, 404: Result.ABSENT}
    if response.status_code in by_status:
        return by_status[response.status_code]
    return Result.BROKEN if response.status_code >= 500 else Result.OPEN


def rules(app: Flask) -> list[Rule]:
    """Return everything that can be asked for."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in SKIPPED]


def cells(app: Flask, people: list[Somebody], places: tuple[Place, ...]) -> Iterator[Cell]:
    """Yield every question."""
    for rule in rules(app):
        sample = sample_of(rule)
        for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}):
            for somebody in people:
                for place in _places(sample, somebody, places):
                    yield Cell(rule, method, somebody, sample, place)


def _places(
    sample: Sample | None, somebody: Somebody, places: tuple[Place, ...]
) -> tuple[Place | None, ...]:
    if sample is None:
        return (None,)
    if sample.is_shared:
        return (Place.UNIT, Place.MISSING)
    can_own = not (somebody.is_supplier or somebody.is_anonymous or sample.is_private)
    return tuple(place for place in places if can_own or place is not Place.OWN)


class Walk:
    """Asks the questions, each on the same rows: what an answer changed is undone after it."""

    def __init__(self, app: Flask, sign_in: Callable[..., PortalClient]) -> None:
        self.app = app
        self.people = list(everybody())
        self.sessions = {
            somebody.name: sign_in(somebody.email).get_cookie(SESSION_COOKIE)
            for somebody in self.people
        }
        self.found: dict[tuple[str, str], tuple[int, str | int] | None] = {}
        self.counted: Counter[Result] = Counter()
        self.wrong: list[str] = []
        self.bodies: dict[tuple[str, str, str], str] = {}

    def ask(self, cell: Cell) -> None:
        """Ask one question and note whatever is wrong with the answer."""
        response, written = self._answer(cell)
        result, wanted = result_of(response), expected(self.app, cell)
        self.counted[result] += 1
        if result not in wanted:
            self.wrong.append(
                f"{cell}: {response.status_code}, expected {'/'.join(sorted(wanted))}"
            )
        elif result in _REFUSALS and written and self._changes(cell):
            self.wrong.append(f"{cell}: refused, and changed {', '.join(sorted(written))}")
        if cell.place in {Place.ELSEWHERE, Place.MISSING} and result is Result.ABSENT:
            self._compare(cell, response)

    def _answer(self, cell: Cell) -> tuple[TestResponse, set[str]]:
        with undone(), writes() as written:
            named = self._placed(cell)
            written.clear()
            return self._send(cell, named), set(written)

    def _changes(self, cell: Cell) -> bool:
        with undone():
            named = self._placed(cell)
            before = snapshot()
            self._send(cell, named)
            return snapshot() != before

    def _send(self, cell: Cell, named: str | int) -> TestResponse:
        session = self.sessions[cell.somebody.name]
        browser = self.app.test_client()  # a new one each time: answers leave cookies behind
        if session is not None:
            browser.set_cookie(SESSION_COOKIE, session.value)
        return browser.open(address(self.app, cell.rule, named), method=cell.method)

    def _placed(self, cell: Cell) -> str | int:
        """Make the sample object somebody's; return what the address says."""
        if cell.sample is None or cell.place is None:
            return ""
        if cell.place is Place.MISSING:
            return cell.sample.missing
        found = self._find(cell, ELSEWHERE if cell.place is Place.ELSEWHERE else HOME)
        assert found is not None, f"the demo has no {cell.sample.table}"
        if not cell.sample.is_shared and cell.place is not Place.ELSEWHERE:
            _make_it(cell.sample, found[0], cell.place, cell.somebody)
        return found[1]

    def _find(self, cell: Cell, account: str) -> tuple[int, str | int] | None:
        """Look for the sample once: whatever a question changes is undone before the next."""
        assert cell.sample is not None
        asked = (cell.rule.rule, account)
        if asked not in self.found:
            self.found[asked] = cell.sample.find(account)
        return self.found[asked]

    def _compare(self, cell: Cell, response: TestResponse) -> None:
        """What is somebody else's must look exactly like what does not exist."""
        assert cell.sample is not None
        found = self._find(cell, ELSEWHERE)
        words = response.get_data(as_text=True).replace(response.request.path, "…")
        words = _OWN_WORDS.sub("…", words)
        for name in (str(cell.sample.missing), str(found[1]) if found else ""):
            words = re.sub(rf"\b{re.escape(name)}\b", "…", words) if name else words
        key = (cell.rule.endpoint, cell.method, cell.somebody.name)
        first = self.bodies.setdefault(key, words)
        if first != words:
            lines = set(first.splitlines()) ^ set(words.splitlines())
            self.wrong.append(f"{cell}: differs from another account's: {sorted(lines)[:4]}")


def _make_it(sample: Sample, row_id: int, place: Place, somebody: Somebody) -> None:
    changes: dict[str, int | None] = {}
    if sample.owner and place is Place.OWN:
        changes[sample.owner] = somebody.membership_id
    if sample.unit:
        changes[sample.unit] = _unit(SIBLING if place is Place.SIBLING else UNIT)
    if sample.group:
        changes[sample.group] = _other_group() if place is Place.SIBLING else _group_of(somebody)
    with transaction() as session:
        if changes:
            session.execute(update(sample.rows).where(sample.rows.c.id == row_id).values(changes))
        if sample.is_named_by_runs and place is Place.OWN:
            _name(row_id, somebody)


def _unit(code: str) -> int:
    units, accounts = Base.metadata.tables["unit"], Base.metadata.tables["account"]
    found: int = db.session.execute(
        select(units.c.id)
        .join(accounts, accounts.c.id == units.c.account_id)
        .where(accounts.c.code == HOME, units.c.code == code)
    ).scalar_one()
    return found


def _groups() -> list[int]:
    groups, accounts = Base.metadata.tables["access_group"], Base.metadata.tables["account"]
    return list(
        db.session.scalars(
            select(groups.c.id)
            .join(accounts, accounts.c.id == groups.c.account_id)
            .where(accounts.c.code == HOME)
            .order_by(groups.c.id)
        )
    )


def _group_of(somebody: Somebody) -> int | None:
    return somebody.group_id if not somebody.is_supplier else _groups()[0]


def _other_group() -> int:
    return _groups()[-1]


def _name(run_id: int, somebody: Somebody) -> None:
    """Let the run name this person on its open step."""
    approvers = Base.metadata.tables["step_approver"]
    known = db.session.execute(select(approvers).where(approvers.c.run_id == run_id)).first()
    assert known is not None
    members = Base.metadata.tables["membership"]
    person = select(members.c.person_id).where(members.c.id == somebody.membership_id)
    row = {**known._asdict(), "membership_id": somebody.membership_id}
    row |= {"person_id": db.session.scalar(person)}
    del row["id"]
    db.session.execute(insert(approvers).values(row))


def test_every_address_has_a_row(app: Flask) -> None:
    unknown = sorted(f"{rule.rule}: {arguments(rule)}" for rule in rules(app) if not is_known(rule))

    assert unknown == []


@pytest.mark.proof(minutes=9)
@pytest.mark.timeout(2700)
@pytest.mark.usefixtures("still", "each_document_once", "plans_last")
def test_everybody_gets_exactly_what_the_table_grants(
    demo: Flask, sign_in: Callable[..., PortalClient]
) -> None:
    walk = Walk(demo, sign_in)

    for cell in cells(demo, walk.people, tuple(Place)):
        walk.ask(cell)

    print(f"matrix: {walk.counted.total()} cells, {dict(walk.counted)}")  # noqa: T201 - a proof says its counts
    assert not walk.wrong, "\n".join(walk.wrong)
    assert all(walk.counted[result] for result in (Result.OPEN, Result.REFUSED, Result.ABSENT))


@pytest.mark.any_database
@pytest.mark.usefixtures("still", "each_document_once")
def test_the_wall_stands_for_a_buyer_and_an_account_manager(
    demo: Flask, sign_in: Callable[..., PortalClient]
) -> None:
    """The same walk, short: what `make test` has time for; `make prove` walks on both databases."""
    walk = Walk(demo, sign_in)
    names = {"customer buyer", "supplier account-manager"}
    people = [somebody for somebody in walk.people if somebody.name in names]

    for cell in cells(demo, people, (Place.SIBLING, Place.ELSEWHERE, Place.MISSING)):
        walk.ask(cell)

    assert not walk.wrong, "\n".join(walk.wrong)


def test_a_page_that_forgot_the_wall_is_found(
    demo: Flask, sign_in: Callable[..., PortalClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: with the wall taken down the matrix complains."""
    walk = Walk(demo, sign_in)
    walls = [rule for rule in rules(demo) if rule.rule == "/quotes/<number>"]
    monkeypatch.setitem(demo.view_functions, walls[0].endpoint, _shows_everything(demo, walls[0]))
    buyers = [somebody for somebody in walk.people if somebody.name == "customer buyer"]

    for cell in cells(demo, buyers, (Place.ELSEWHERE,)):
        if cell.rule is walls[0] and cell.method == "GET":
            walk.ask(cell)

    assert len(walk.wrong) == 1


def _shows_everything(app: Flask, rule: Rule) -> Callable[..., str]:
    guarded = app.view_functions[rule.endpoint]

    def view(**_arguments: object) -> str:
        return "whatever was asked for"

    view.__dict__.update(guarded.__dict__)
    return view
