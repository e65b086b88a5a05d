"""The record as a list: what happened within reach, with the names that it never holds itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Account, Membership, Person
from portal.containing import contains
from portal.db import db
from portal.events.models import Event
from portal.policy import Actor, Permission
from portal.scope import within
from portal.web.paging import Page, offset_of

READ_AT_ONCE = 1_000
"""How many rows of an export are in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """What narrows the list; nothing set, nothing narrowed."""

    start: datetime | None = None
    end: datetime | None = None
    kind: str = ""
    account: str = ""
    number: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One event with the names of today; ``who`` is empty where a person was erased.

    ``subject`` is whom an event about a person or a membership is about.
    """

    id: int
    sequence: int
    occurred_at: datetime
    verb: str
    kind: str
    object_id: int | None
    number: str
    subject: str
    account_code: str
    person_id: int | None
    who: str
    email: str
    operator: str
    hash: str
    data: Mapping[str, Any]


_MEMBER = aliased(Person)
_SUBJECT = aliased(Person)


def find_record(actor: Actor, wanted: RecordFilter, *, number: int, size: int) -> Page[RecordRow]:
    """Return a page of the events within reach, the newest first."""
    conditions = _conditions(actor, wanted)
    total = db.session.scalar(_joined(select(func.count(Event.id))).where(*conditions)) or 0
    statement = _rows(conditions).offset(offset_of(number, size)).limit(size)
    return Page(
        [RecordRow(**row._asdict()) for row in db.session.execute(statement)], total, number, size
    )


def read_record(actor: Actor, wanted: RecordFilter) -> Iterator[RecordRow]:
    """Yield all events of the list, as an export needs them."""
    statement = _rows(_conditions(actor, wanted)).execution_options(yield_per=READ_AT_ONCE)
    for row in db.session.execute(statement):
        yield RecordRow(**row._asdict())


def find_kinds(actor: Actor) -> Sequence[str]:
    """Return the kinds of object that the record within reach knows, by name."""
    return db.session.scalars(
        select(Event.kind).where(_reached(actor)).distinct().order_by(Event.kind)
    ).all()


def _reached(actor: Actor) -> ColumnElement[bool]:
    return within(actor, Permission.EVENT_READ, account=Event.account_id)


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(Event)
        .join(Account, Account.id == Event.account_id)
        .outerjoin(Person, Person.id == Event.person_id)
    )


def _rows(conditions: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    statement = select(
        Event.id,
        Event.sequence,
        Event.occurred_at,
        Event.verb,
        Event.kind,
        Event.object_id,
        Event.number,
        func.coalesce(_MEMBER.name, _SUBJECT.name, "").label("subject"),
        Account.code.label("account_code"),
        Event.person_id,
        func.coalesce(Person.name, "").label("who"),
        func.coalesce(Person.email, "").label("email"),
        Event.operator,
        Event.hash,
        Event.data,
    )
    return (
        _joined(statement)
        .outerjoin(Membership, and_(Event.kind == "membership", Membership.id == Event.object_id))
        .outerjoin(_MEMBER, _MEMBER.id == Membership.person_id)
        .outerjoin(_SUBJECT, and_(Event.kind == "person", _SUBJECT.id == Event.object_id))
        .where(*conditions)
        .order_by(Event.occurred_at.desc(), Event.id.desc())
    )


def _conditions(actor: Actor, wanted: RecordFilter) -> list[ColumnElement[bool]]:
    conditions = [_reached(actor)]
    if wanted.start is not None:
        conditions.append(Event.occurred_at >= wanted.start)
    if wanted.end is not None:
        conditions.append(Event.occurred_at < wanted.end)
    if wanted.kind:
        conditions.append(Event.kind == wanted.kind)
    if wanted.account:
        conditions.append(Account.code == wanted.account)
    if wanted.number:
        conditions.append(Event.number == wanted.number)
    if wanted.person:
        conditions.append(
            or_(
                contains(Person.name, wanted.person),
                contains(Person.email, wanted.person),
            )
        )
    return conditions
