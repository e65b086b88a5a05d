"""Telling people: `tell` inside an action's transaction, `deliver` in the worker."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from smtplib import SMTPException
from typing import Any, Final

from flask import current_app
from sqlalchemy import ColumnElement, insert, select, update

from portal.accounts.models import Account, AccountAssignment, Membership, MembershipRole, Person
from portal.config import Settings
from portal.db import EVERY_ROW, db, reaching, table_of, transaction
from portal.files.storing import FileGoneError, load
from portal.jobs.actions import progress, schedule_each
from portal.mail.rendering import Enclosure, Envelope, render
from portal.mail.sending import send
from portal.messages.models import Delivery, Message
from portal.policy import Role, Scope, grants_of

DELIVER: Final = "messages.deliver"
THREAD: Final = "thread"
"""Key of a message's data under which its thread stands."""
ENCLOSED: Final = "enclosed"
"""Key of a message's data under which its files stand: name, media type, hash of the content."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A person as a mail needs them."""

    person_id: int
    name: str
    email: str
    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What one membership is told: the data of its templates, and where its own link leads."""

    membership_id: int
    subject: Mapping[str, Any]
    path: str


def tell(  # noqa: PLR0913 - a message has this many parts, all named at the call
    kind: str,
    *,
    account_id: int,
    subject: Mapping[str, Any],
    now: datetime,
    path: str,
    membership_ids: Iterable[int] = (),
    person_ids: Iterable[int] = (),
    supplier_roles: Iterable[Role] = (),
    is_secret: bool = False,
    thread: str = "",
    enclosed: Sequence[Mapping[str, str]] = (),
) -> None:
    """Write a message to each receiver in the transaction under way; the worker delivers it.

    Args:
        kind: Names the templates ``mail/<kind>.txt`` and ``.html``.
        account_id: The account that the matter belongs to.
        subject: Plain data for the templates (text, numbers as text, lists and mappings of them).
        path: Where the link in the message leads, for example ``/quotes/Q-000042``.
        membership_ids, person_ids: Receivers; each is told once.
        supplier_roles: Supplier staff who hold the role (account managers: of this account only).
        is_secret: Whether ``path`` opens something by itself; it is forgotten once delivered.
        thread: What the message belongs to, for example ``C-000042``: mail programs show all
            messages of one thread together, and an answer names it.
        enclosed: Files of the folder of exports, each with ``name``, ``media_type`` and ``hash``.
    """
    data = dict(subject)
    if thread:
        data[THREAD] = thread
    if enclosed:
        data[ENCLOSED] = [dict(file) for file in enclosed]
    common = {
        "kind": kind,
        "account_id": account_id,
        "data": data,
        "path": path,
        "created_at": now,
    }
    rows = [
        *(_row(common, membership_id=key) for key in sorted(set(membership_ids))),
        *(_row(common, person_id=key) for key in sorted(set(person_ids))),
        *(_row(common, supplier_role=role.value) for role in sorted(set(supplier_roles))),
    ]
    _write(rows, now, is_secret=is_secret)


def tell_each(
    kind: str, letters: Iterable[Letter], *, account_id: int, now: datetime, is_secret: bool
) -> None:
    """Write to each membership a message of its own, as `tell` does, all of them at once."""
    common = {"kind": kind, "account_id": account_id, "created_at": now}
    rows = [
        _row(
            common,
            membership_id=letter.membership_id,
            data=dict(letter.subject),
            path=letter.path,
        )
        for letter in letters
    ]
    _write(rows, now, is_secret=is_secret)


def _row(common: Mapping[str, Any], **values: object) -> dict[str, Any]:
    """Return the columns of a message; rows written together name the same ones."""
    return {"membership_id": None, "person_id": None, "supplier_role": None, **common, **values}


def _write(rows: Sequence[Mapping[str, Any]], now: datetime, *, is_secret: bool) -> None:
    """Write messages and the jobs that deliver them, in two statements on either database."""
    if not rows:
        return
    statement = insert(table_of(Message)).returning(Message.id)
    keys = sorted(db.session.scalars(statement, rows))
    payloads = ({"message_id": key, "is_secret": is_secret} for key in keys)
    schedule_each(DELIVER, payloads, now=now)


def deliver(payload: Mapping[str, Any], now: datetime) -> None:
    """Send one message to each of its receivers who has not been sent it yet.

    Only then is a secret link forgotten, so that a kill on the way still leaves it to be sent.

    Raises:
        AwayError: The mail server is away.
        SMTPException: It does not take this message for somebody; all others were sent theirs.
    """
    settings: Settings = current_app.config["SETTINGS"]
    with reaching(EVERY_ROW):
        message = db.session.get_one(Message, payload["message_id"])
        receivers = _receivers(message)
        done = set(
            db.session.scalars(select(Delivery.person_id).where(Delivery.message_id == message.id))
        )
        kind, path, data = message.kind, message.path, dict(message.data)
        key, account_id = message.id, message.account_id
        enclosures = tuple(_enclosures(data.get(ENCLOSED, ()), settings.exports_dir))
        db.session.rollback()  # while a slow server listens, no snapshot is held
        refused: list[Exception] = []
        for number, receiver in enumerate(receivers, start=1):
            if receiver.person_id in done:
                continue
            envelope = Envelope(
                name=receiver.name,
                email=receiver.email,
                locale=receiver.locale.replace("-", "_"),
                sender=settings.mail_from,
                message_id=f"<{kind}.{key}.{receiver.person_id}@{_host(settings)}>",
                sent_at=now,
                thread_id=thread_id(str(data[THREAD]), settings) if THREAD in data else "",
                enclosures=enclosures,
            )
            context = data | {
                "receiver": receiver,
                "link": settings.base_url.rstrip("/") + path,
                "time_zone": receiver.time_zone,
            }
            mail = render(kind, envelope, context)
            try:
                send(mail, smtp_url=settings.smtp_url, folder=settings.mail_dir)
            except SMTPException as error:
                refused.append(error)  # nobody else waits for an address that is not taken
                continue
            with transaction():
                db.session.add(
                    Delivery(
                        account_id=account_id,
                        message_id=key,
                        person_id=receiver.person_id,
                        sent_at=now,
                    )
                )
            if number < len(receivers):
                progress(number, len(receivers))  # keeps the lease
        if refused:
            raise refused[0]
        if payload.get("is_secret"):
            with transaction():
                db.session.execute(update(Message).where(Message.id == key).values(path=""))


def _enclosures(files: Iterable[Mapping[str, str]], folder: Path) -> Iterator[Enclosure]:
    """Yield the files of a message; one whose time is over is left out, the link says so."""
    for file in files:
        with suppress(FileGoneError):
            yield Enclosure(file["name"], file["media_type"], load(file["hash"], folder))


def thread_id(thread: str, settings: Settings) -> str:
    """Return the Message-ID that every mail of a thread refers to."""
    return f"<{thread}@{_host(settings)}>"


def _host(settings: Settings) -> str:
    return settings.mail_from.rpartition("@")[2] or "localhost"


def _receivers(message: Message) -> list[Receiver]:
    """Return the active people a message is for, each once, in the language they read."""
    if message.supplier_role is not None:
        return _staff(message.supplier_role, message.account_id)
    if message.person_id is not None:
        return _people(
            Membership.person_id == message.person_id, message.account_id, any_status=True
        )
    return _people(Membership.id == message.membership_id, message.account_id)


def _people(
    condition: ColumnElement[bool], account_id: int, *, any_status: bool = False
) -> list[Receiver]:
    statement = (
        select(Person, Account)
        .join(Membership, Membership.person_id == Person.id)
        .join(Account, Account.id == Membership.account_id)
        .where(condition)
        .order_by((Account.id != account_id), Membership.id)
    )
    if not any_status:
        statement = statement.where(Person.status != "suspended", Membership.status == "active")
    return _once(db.session.execute(statement).all())


def _staff(role: str, account_id: int) -> list[Receiver]:
    statement = (
        select(Person, Account)
        .join(Membership, Membership.person_id == Person.id)
        .join(MembershipRole, MembershipRole.membership_id == Membership.id)
        .join(Account, Account.id == Membership.account_id)
        .where(
            Account.kind == "supplier",
            MembershipRole.role == role,
            Person.status != "suspended",
            Membership.status == "active",
        )
        .order_by(Membership.id)
    )
    if Scope.ASSIGNED in grants_of([Role(role)], is_supplier=True).values():
        statement = statement.join(
            AccountAssignment, AccountAssignment.membership_id == Membership.id
        ).where(AccountAssignment.account_id == account_id)
    return _once(db.session.execute(statement).all())


def _once(rows: Sequence[tuple[Person, Account]]) -> list[Receiver]:
    found: dict[int, Receiver] = {}
    for person, account in rows:
        receiver = Receiver(
            person_id=person.id,
            name=person.name,
            email=person.email,
            locale=person.locale or account.locale,
            time_zone=account.time_zone,
        )
        found.setdefault(person.id, receiver)
    return list(found.values())
