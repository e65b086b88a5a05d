"""Mailed single-use links: hashed secrets that work once, until they expire."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from portal.accounts.models import Person, SingleUseLink
from portal.accounts.rules import LinkGoneError, LinkKind
from portal.accounts.sessions import hash_token, new_token
from portal.db import db, transaction


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that still works, and whose it is."""

    id: int
    person_id: int
    email: str
    name: str


def make_link(kind: LinkKind, person_id: int, now: datetime) -> str:
    """Return the token of a new link; earlier ones of the kind stop working."""
    token = new_token()
    with transaction():
        void_links(person_id, kind, now)
        db.session.add(
            SingleUseLink(
                token_hash=hash_token(token),
                kind=kind.value,
                person_id=person_id,
                expires_at=now + kind.lasts,
            )
        )
    return token


def void_links(person_id: int, kind: LinkKind | None, now: datetime) -> None:
    """Stop every open link of a person (of one kind) from working."""
    statement = update(SingleUseLink).where(
        SingleUseLink.person_id == person_id, SingleUseLink.used_at.is_(None)
    )
    if kind is not None:
        statement = statement.where(SingleUseLink.kind == kind.value)
    db.session.execute(statement.values(used_at=now))


def get_link(kind: LinkKind, token: str, now: datetime) -> OpenLink:
    """Return what an open link is for; looking never uses it up.

    Raises:
        LinkGoneError: Unknown, used, expired, or its person is suspended.
    """
    found = db.session.execute(
        select(SingleUseLink.id, Person.id, Person.email, Person.name)
        .join(Person, Person.id == SingleUseLink.person_id)
        .where(
            SingleUseLink.token_hash == hash_token(token),
            SingleUseLink.kind == kind.value,
            SingleUseLink.used_at.is_(None),
            SingleUseLink.expires_at > now,
            Person.status != "suspended",
        )
    ).one_or_none()
    if found is None:
        raise LinkGoneError
    return OpenLink(*found)


def use_link(link: OpenLink, now: datetime) -> None:
    """Use a link up, inside the transaction of what it is for.

    Raises:
        LinkGoneError: Somebody was faster.
    """
    changed = db.session.execute(
        update(SingleUseLink)
        .where(
            SingleUseLink.id == link.id,
            SingleUseLink.used_at.is_(None),
            SingleUseLink.expires_at > now,
        )
        .values(used_at=now)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result counts its rows
        raise LinkGoneError
