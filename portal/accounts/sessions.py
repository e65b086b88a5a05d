"""Signed-in browsers: rows found by the hash of a random token, which is new at each step up."""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, delete, select, update
from sqlalchemy.exc import OperationalError

from portal.accounts.models import Account, Membership, Person, Unit, UserSession
from portal.accounts.queries import (
    acting_membership_count,
    actor_columns,
    join_acting,
    load_actor,
    make_actor,
)
from portal.accounts.rules import ACTING_ACCOUNTS, SESSION_IDLES, SESSION_LASTS
from portal.db import KEPT, db, transaction
from portal.errors import NotFoundError
from portal.marks import catalogue_mark
from portal.web.identity import SignedIn

TOUCHED_AFTER: Final = timedelta(minutes=1)
"""How fresh ``seen_at`` is kept: a write on every page would cost more than the minute matters."""


def hash_token(token: str) -> str:
    """Return the form in which a secret token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """Return a random secret of 256 bits for a cookie or link."""
    return secrets.token_urlsafe(32)


def load_session(token: str, now: datetime) -> SignedIn | None:
    """Return who is signed in with this token, with their rights of this moment.

    ``None`` for an unknown or closed token, 12 hours after signing in, after 60 idle minutes, and
    for a suspended person.
    """
    found = db.session.execute(_session_statement(), {"token": hash_token(token)}).one_or_none()
    if found is None:
        return None
    session, count, mark, person, membership, account, *rest = found
    if session.expires_at <= now or session.seen_at + SESSION_IDLES <= now:
        return None
    acts = membership is not None and account is not None
    signed_in = SignedIn(
        session_id=session.id,
        person_id=person.id,
        email=person.email,
        name=person.name,
        locale=person.locale,
        theme=person.theme,
        actor=make_actor(person, membership, account, *rest) if acts else None,
        membership_count=count,
        catalogue_mark=mark,
    )
    if now - session.seen_at >= TOUCHED_AFTER:
        _touch(session.id, now)
    return signed_in


@cache
def _session_statement() -> Select[Any]:
    """Return the statement of every request, which is built once."""
    return (
        select(
            UserSession,
            acting_membership_count(Person.id),
            catalogue_mark(),
            Person,
            *actor_columns(),
        )
        .prefix_with(KEPT, dialect="postgresql")
        .join(Person, Person.id == UserSession.person_id)
        .outerjoin(Membership, join_acting())
        .outerjoin(
            Account,
            and_(Account.id == Membership.account_id, Account.status.in_(ACTING_ACCOUNTS)),
        )
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .where(UserSession.token_hash == bindparam("token"), Person.status == "active")
    )


def _touch(session_id: int, now: datetime) -> None:
    # A page can be read while nothing can be written (disk full, a long lock): it just idles on.
    with suppress(OperationalError), transaction():
        db.session.execute(
            update(UserSession)
            .where(UserSession.id == session_id, UserSession.seen_at < now)
            .values(seen_at=now)
        )


def open_session(person_id: int, membership_id: int | None, now: datetime) -> str:
    """Start a session and return its token; sessions of the person that ended are cleared away."""
    token = new_token()
    with transaction():
        db.session.execute(
            delete(UserSession).where(
                UserSession.person_id == person_id,
                (UserSession.expires_at <= now) | (UserSession.seen_at <= now - SESSION_IDLES),
            )
        )
        db.session.add(
            UserSession(
                token_hash=hash_token(token),
                person_id=person_id,
                membership_id=membership_id,
                created_at=now,
                seen_at=now,
                expires_at=now + SESSION_LASTS,
            )
        )
    return token


def choose_membership(session_id: int, person_id: int, membership_id: int, now: datetime) -> str:
    """Let a session act with another membership of its person; return the session's new token.

    Raises:
        NotFoundError: Not a membership with which this person can act, or the session has ended.
    """
    token = new_token()
    with transaction():
        actor = load_actor(membership_id)
        if actor is None or actor.person_id != person_id:
            raise NotFoundError
        changed = db.session.execute(
            update(UserSession)
            .where(
                UserSession.id == session_id,
                UserSession.person_id == person_id,
                UserSession.expires_at > now,
            )
            .values(token_hash=hash_token(token), membership_id=membership_id, seen_at=now)
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result counts its rows
            raise NotFoundError
    return token


def close_session(session_id: int) -> None:
    """End one session; its token is worth nothing from now on."""
    with transaction():
        db.session.execute(delete(UserSession).where(UserSession.id == session_id))


def close_all_sessions(person_id: int, *, but: int | None = None) -> None:
    """End every session of a person, ``but`` one (the browser in which they changed something)."""
    with transaction():
        db.session.execute(
            delete(UserSession).where(
                UserSession.person_id == person_id, UserSession.id != (but or 0)
            )
        )


def close_membership_sessions(membership_id: int) -> None:
    """End every session that acts with a membership."""
    with transaction():
        db.session.execute(delete(UserSession).where(UserSession.membership_id == membership_id))


def close_account_sessions(account_id: int) -> None:
    """End every session that acts for an account."""
    members = select(Membership.id).where(Membership.account_id == account_id)
    with transaction():
        db.session.execute(delete(UserSession).where(UserSession.membership_id.in_(members)))
