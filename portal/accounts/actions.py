"""What operators and the supplier's staff do: accounts and people as a whole, passwords, set-up."""

from datetime import datetime

from sqlalchemy import select

from portal.accounts import links, passwords, sessions
from portal.accounts.models import Account, Membership, Person
from portal.accounts.queries import find_person_by_email, find_supplier, get_account
from portal.accounts.rules import (
    AlreadyActiveError,
    LinkKind,
    OwnRightsError,
    UnknownPersonError,
    WrongStateError,
    check_password,
)
from portal.accounts.signing_in import store_password
from portal.db import db, lock, transaction
from portal.errors import NotAllowedError, NotFoundError
from portal.events.actions import record
from portal.policy import Actor, Permission, Scope


def suspend_person(actor: Actor, person_id: int, *, now: datetime) -> None:
    """Keep a person out of every account; all their sessions end.

    Raises:
        NotAllowedError: The actor does not administer people of all accounts.
        OwnRightsError, NotFoundError, WrongStateError: Not this person, not now.
    """
    _set_person_status(actor, person_id, now, suspends=True)


def activate_person(actor: Actor, person_id: int, *, now: datetime) -> None:
    """Let a suspended person in again; refusals as in `suspend_person`."""
    _set_person_status(actor, person_id, now, suspends=False)


def _set_person_status(actor: Actor, person_id: int, now: datetime, *, suspends: bool) -> None:
    if actor.grants.get(Permission.PERSON_SAVE) is not Scope.ALL:
        raise NotAllowedError(permission=Permission.PERSON_SAVE.value)
    if person_id == actor.person_id:
        raise OwnRightsError
    with transaction():
        person = db.session.scalar(lock(select(Person).where(Person.id == person_id)))
        if person is None:
            raise NotFoundError
        if (person.status == "suspended") == suspends:
            raise WrongStateError(status=person.status)
        was_active = person.password_hash is not None
        person.status = "suspended" if suspends else ("active" if was_active else "invited")
        if suspends:
            sessions.close_all_sessions(person_id)
        accounts = db.session.scalars(
            select(Membership.account_id).where(Membership.person_id == person_id).distinct()
        ).all()
        for account_id in accounts:
            record(
                actor,
                "person.suspended" if suspends else "person.activated",
                kind="person",
                object_id=person_id,
                account_id=account_id,
                now=now,
            )


def suspend_account(actor: Actor, code: str, *, now: datetime) -> None:
    """Take an account out of use: nobody of it can act, what they ordered goes on.

    Raises:
        AccountNotFoundError, NotAllowedError: Out of reach, or the supplier's own.
        WrongStateError: It is suspended or closed already.
    """
    _set_account_status(actor, code, now, sources=("prospect", "active"), status="suspended")


def activate_account(actor: Actor, code: str, *, now: datetime) -> None:
    """Put a prospect or suspended account in use; refusals as in `suspend_account`."""
    _set_account_status(actor, code, now, sources=("prospect", "suspended"), status="active")


def _set_account_status(
    actor: Actor, code: str, now: datetime, *, sources: tuple[str, ...], status: str
) -> None:
    with transaction():
        account = get_account(actor, code, is_locked=True)
        actor.must_reach(Permission.ACCOUNT_SAVE, account_id=account.id)
        if account.is_supplier:
            raise NotAllowedError(permission=Permission.ACCOUNT_SAVE.value)
        if account.status not in sources:
            raise WrongStateError(status=account.status)
        account.status = status
        suspends = status == "suspended"
        if suspends:
            sessions.close_account_sessions(account.id)
        record(
            actor,
            "account.suspended" if suspends else "account.activated",
            kind="account",
            object_id=account.id,
            number=account.code,
            account_id=account.id,
            now=now,
        )


def ensure_supplier(
    code: str, name: str, *, currency: str, country: str, time_zone: str
) -> Account:
    """Return the supplier's own account, made where it is missing; the first act of all."""
    with transaction():
        account = find_supplier()
        if account is None:
            account = Account(
                code=code,
                kind="supplier",
                name=name,
                country=country,
                currency=currency,
                time_zone=time_zone,
                status="active",
            )
            db.session.add(account)
            db.session.flush()
    return account


def set_password(actor: Actor, email: str, password: str, *, now: datetime) -> None:
    """Set somebody's password, as an operator; all their sessions end.

    Raises:
        NotAllowedError: The actor does not administer people of all accounts.
        UnknownPersonError, WeakPasswordError: Nobody there, or too easy.
    """
    _must_operate(actor)
    name = email.strip().lower()
    check_password(password, name)
    hashed = passwords.hash_password(password)
    with transaction():
        person = _get_person(name)
        store_password(person.id, hashed, now)
        _record_for_operator(actor, person.id, "person.password-set", now)


def make_invitation_link(actor: Actor, email: str, *, now: datetime) -> str:
    """Return the path of a new invitation link, for an operator to hand over.

    Raises:
        NotAllowedError: The actor does not administer people of all accounts.
        UnknownPersonError, AlreadyActiveError: Nobody there, or with a password already.
    """
    _must_operate(actor)
    with transaction():
        person = _get_person(email)
        if person.status != "invited":
            raise AlreadyActiveError
        token = links.make_link(LinkKind.INVITATION, person.id, now)
        _record_for_operator(actor, person.id, "person.invited", now)
    return f"/invitation/{token}"


def _must_operate(actor: Actor) -> None:
    if actor.grants.get(Permission.STAFF_SAVE) is not Scope.ALL:
        raise NotAllowedError(permission=Permission.STAFF_SAVE.value)


def _get_person(email: str) -> Person:
    person = find_person_by_email(email)
    if person is None:
        raise UnknownPersonError(email=email)
    return person


def _record_for_operator(actor: Actor, person_id: int, verb: str, now: datetime) -> None:
    first = db.session.scalar(
        select(Membership.account_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.id)
        .limit(1)
    )
    record(
        actor,
        verb,
        kind="person",
        object_id=person_id,
        account_id=first or actor.account_id,
        now=now,
    )
