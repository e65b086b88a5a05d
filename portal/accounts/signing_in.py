"""What people do at the door: signing in and out, invitations, forgotten passwords, profiles.

Nobody has a membership yet when these begin, so each lifts the database's own row scope for its
own transaction; the token, the password or the person is the wall. None may run inside another
transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from portal.accounts import links, passwords, rates, sessions
from portal.accounts.models import Person
from portal.accounts.notices import teller
from portal.accounts.queries import (
    OwnMembership,
    find_person_by_email,
    load_actor,
    read_own_memberships,
)
from portal.accounts.rules import (
    LONGEST_PASSWORD,
    LinkKind,
    SignInRefusedError,
    SuspendedError,
    TooManyAttemptsError,
    WrongPasswordError,
    check_password,
)
from portal.db import EVERY_ROW, db, reaching, transaction
from portal.events.actions import record
from portal.policy import Actor
from portal.web.identity import SignedIn


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: the token for the cookie, and whether a membership is chosen."""

    token: str
    has_membership: bool


def sign_in(email: str, password: str, *, address: str, now: datetime) -> Opened:
    """Sign a person in; with one membership it is chosen at once.

    The hashing stands between two short transactions, so that it holds no lock.

    Args:
        address: Network address of the browser, for the rate limits.

    Raises:
        TooManyAttemptsError: For this e-mail, this address, or over all.
        SignInRefusedError: Unknown e-mail or wrong password; both cost the same work.
        SuspendedError: The password is right, but the person or every membership is suspended.
    """
    name = email.strip().lower()
    attempts = [(rates.SIGN_IN_PERSON, name), (rates.SIGN_IN_ADDRESS, address)]
    with reaching(EVERY_ROW):
        rates.take([*attempts, (rates.SIGN_IN_ALL, "")], now)
        person = find_person_by_email(name)
        key, stored = (person.id, person.password_hash) if person else (0, None)
        db.session.rollback()
        if not passwords.verify_password(stored, password[: LONGEST_PASSWORD + 1]):
            raise SignInRefusedError
        rates.give_back(attempts, now)
        renewed = _renewed(stored, password)
        with transaction():
            return _open(key, stored, renewed, now)


def _renewed(stored: str | None, password: str) -> str | None:
    if stored is not None and passwords.is_outdated(stored):
        return passwords.hash_password(password)
    return stored


def _open(person_id: int, verified: str | None, renewed: str | None, now: datetime) -> Opened:
    person = db.session.get_one(Person, person_id, populate_existing=True)
    if person.password_hash != verified:  # changed while we were hashing
        raise SignInRefusedError
    memberships = read_own_memberships(person_id) if person.status == "active" else []
    if not memberships:
        raise SuspendedError
    person.password_hash = renewed
    chosen = memberships[0].id if len(memberships) == 1 else None
    token = sessions.open_session(person_id, chosen, now)
    actor = load_actor(memberships[0].id)
    for account_id in sorted({item.account_id for item in memberships}):
        record(
            actor,
            "person.signed-in",
            kind="person",
            object_id=person_id,
            account_id=account_id,
            now=now,
        )
    if chosen is not None and actor is not None:
        _note_choice(actor, now)
    return Opened(token, chosen is not None)


def _note_choice(actor: Actor, now: datetime) -> None:
    record(
        actor,
        "membership.chosen",
        kind="membership",
        object_id=actor.membership_id,
        account_id=actor.account_id,
        now=now,
    )


def choose_membership(signed_in: SignedIn, membership_id: int, *, now: datetime) -> str:
    """Let the session act with another membership of its person; return its new token.

    Raises:
        NotFoundError: Not theirs, or suspended.
    """
    with reaching(EVERY_ROW), transaction():
        token = sessions.choose_membership(
            signed_in.session_id, signed_in.person_id, membership_id, now
        )
        actor = load_actor(membership_id)
        if actor is not None:
            _note_choice(actor, now)
    return token


def sign_out(signed_in: SignedIn, *, now: datetime) -> None:
    """End the session: its cookie is worth nothing from now on."""
    with reaching(EVERY_ROW), transaction():
        sessions.close_session(signed_in.session_id)
        _record_for_person(signed_in.person_id, "person.signed-out", now, signed_in.actor)


def _record_for_person(
    person_id: int, verb: str, now: datetime, actor: Actor | None = None
) -> None:
    """Note something about a person in the chain of the account they act for, or their first."""
    memberships = read_own_memberships(person_id)
    doer = actor or (load_actor(memberships[0].id) if memberships else None)
    account_id = doer.account_id if doer else _first_account(memberships)
    if account_id is not None:
        record(doer, verb, kind="person", object_id=person_id, account_id=account_id, now=now)


def _first_account(memberships: list[OwnMembership]) -> int | None:
    return memberships[0].account_id if memberships else None


def accept_invitation(token: str, password: str, *, now: datetime) -> str:
    """Set the first password of an invited person; return their e-mail.

    Raises:
        LinkGoneError: The link was used or has expired.
        WeakPasswordError: The password is too easy; the link still works.
    """
    return _set_by_link(LinkKind.INVITATION, token, password, now)


def reset_password(token: str, password: str, *, now: datetime) -> str:
    """Set a new password by a mailed link and end every session; return the e-mail.

    Raises:
        LinkGoneError: The link was used or has expired.
        WeakPasswordError: The password is too easy; the link still works.
    """
    return _set_by_link(LinkKind.RESET, token, password, now)


def _set_by_link(kind: LinkKind, token: str, password: str, now: datetime) -> str:
    with reaching(EVERY_ROW):
        link = links.get_link(kind, token, now)
        db.session.rollback()
        check_password(password, link.email)
        hashed = passwords.hash_password(password)
        with transaction():
            links.use_link(link, now)
            store_password(link.person_id, hashed, now)
            accepted = kind is LinkKind.INVITATION
            verb = "person.invitation-accepted" if accepted else "person.password-set"
            _record_for_person(link.person_id, verb, now)
    return link.email


def store_password(person_id: int, hashed: str, now: datetime, *, but: int | None = None) -> None:
    """Write a new password inside a transaction: sessions (``but`` one) and links end with it."""
    db.session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(password_hash=hashed)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Person)
        .where(Person.id == person_id, Person.status == "invited")
        .values(status="active")
        .execution_options(synchronize_session=False)
    )
    links.void_links(person_id, None, now)
    sessions.close_all_sessions(person_id, but=but)
    db.session.expire_all()


def request_reset(email: str, *, address: str, now: datetime) -> None:
    """Mail a reset link where the e-mail is somebody's who can sign in; else do nothing.

    The answer is the same either way, also where this e-mail was asked for too often.

    Raises:
        TooManyAttemptsError: For this address, or over all.
    """
    name = email.strip().lower()
    with reaching(EVERY_ROW):
        rates.take([(rates.RESET_ADDRESS, address), (rates.RESET_ALL, "")], now)
        if not _may_reset(name, now):
            return
        with transaction():
            person = find_person_by_email(name)
            if person is None or person.status != "active":
                return
            memberships = read_own_memberships(person.id)
            if not memberships:
                return
            token = links.make_link(LinkKind.RESET, person.id, now)
            _record_for_person(person.id, "person.reset-requested", now)
            teller()(
                "password_reset",
                account_id=memberships[0].account_id,
                subject={"hours": int(LinkKind.RESET.lasts.total_seconds() // 3600)},
                now=now,
                path=f"/password/{token}",
                person_ids=[person.id],
                is_secret=True,
            )


def _may_reset(name: str, now: datetime) -> bool:
    try:
        rates.take([(rates.RESET_PERSON, name)], now)
    except TooManyAttemptsError:
        return False
    return True


def change_password(signed_in: SignedIn, present: str, password: str, *, now: datetime) -> None:
    """Let a signed-in person change their password; their other sessions end.

    Raises:
        TooManyAttemptsError: The present password was guessed at too often.
        WrongPasswordError, WeakPasswordError: Nothing is changed.
    """
    attempts = [(rates.PASSWORD_PERSON, str(signed_in.person_id))]
    with reaching(EVERY_ROW):
        rates.take(attempts, now)
        stored = db.session.get_one(Person, signed_in.person_id).password_hash
        db.session.rollback()
        if not passwords.verify_password(stored, present[: LONGEST_PASSWORD + 1]):
            raise WrongPasswordError
        check_password(password, signed_in.email)
        hashed = passwords.hash_password(password)
        rates.give_back(attempts, now)
        with transaction():
            store_password(signed_in.person_id, hashed, now, but=signed_in.session_id)
            _record_for_person(signed_in.person_id, "person.password-set", now, signed_in.actor)


def save_profile(
    signed_in: SignedIn, *, name: str, locale: str | None, theme: str, now: datetime
) -> None:
    """Save what a person says about themselves; the e-mail is the identity and stays."""
    with reaching(EVERY_ROW), transaction():
        person = db.session.get_one(Person, signed_in.person_id, populate_existing=True)
        person.name, person.locale, person.theme = name, locale, theme
        _record_for_person(person.id, "person.profile-changed", now, signed_in.actor)
