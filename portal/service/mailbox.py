"""The folder that the mail server fills: each mail becomes a case or goes into its thread.

A mail is taken in one transaction under its Message-ID and moved afterwards, so that a kill at any
point neither loses nor doubles it. What is not taken goes to ``rejected`` with the reason. Only a
person who is known and active is told of it, once a day at most and after the mail was put away, so
that no two programs ever go on answering each other; machines and strangers are never answered.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from portal.accounts.models import Membership
from portal.accounts.queries import find_person_by_email, load_actor
from portal.config import Settings
from portal.db import EVERY_ROW, db, reaching, transaction
from portal.errors import N_, ConflictError, DomainError, InvalidError, NotFoundError
from portal.files.storing import NotStoredError
from portal.messages.actions import tell
from portal.messages.models import Message
from portal.policy import Actor, P
from portal.service.cases.actions import Attachment, NewCase, open_case, reply
from portal.service.cases.attaching import MOST_FILES, MOST_TOGETHER, check_attachments
from portal.service.cases.models import Case, CaseMessage
from portal.service.cases.queries import get_case
from portal.service.cases.rules import CaseKind, Channel
from portal.service.letters import MOST_BYTES, Letter, read_letter
from portal.web.formats import refusal

DONE: Final = "done"
REJECTED: Final = "rejected"
MOST_AT_ONCE: Final = 50
NOT_TAKEN: Final = "mail_not_taken"
SETTLED_SECONDS: Final = 2
"""A younger file may still be written."""
LONGEST_TEXT: Final = 20_000
_NUMBER: Final = re.compile(r"C-\d{6,12}")
_MARK: Final = re.compile(r"\[(C-\d{6,12})\]")

_log = structlog.get_logger(__name__)


class UnknownSenderError(InvalidError):
    """Nobody of this address, or nobody who may open cases."""

    message = N_("Nobody with the address {sender} may open cases.")


class StaffMailError(InvalidError):
    """Staff answer cases by mail; they open them on the page, for whom they choose."""

    message = N_("The mail of {sender} answers no case that they see.")


class MailTooBigError(InvalidError):
    """A mail larger than what is taken."""

    message = N_("The mail is larger than {most} MiB.")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail: the number of its case, or why it was not taken."""

    number: str = ""
    reason: str = ""
    letter: Letter | None = None
    refusal: DomainError | None = None


def fetch_mail(now: datetime) -> int:
    """Take the mails that lie in the folder; return how many were taken or rejected."""
    settings: Settings = current_app.config["SETTINGS"]
    folder = settings.mailbox_dir
    for name in (DONE, REJECTED):
        (folder / name).mkdir(parents=True, exist_ok=True)
    count = 0
    for path in list(_waiting(folder, now))[:MOST_AT_ONCE]:
        taken = _take_file(path, settings, now)
        if taken is not None:
            _put_away(path, folder, taken)
            if taken.letter is not None and taken.refusal is not None:
                _tell_sender(taken.letter, taken.refusal, now)
            count += 1
    return count


def _waiting(folder: Path, now: datetime) -> Iterator[Path]:
    """Yield the files to read, the oldest first: ``*.eml``, and ``new`` of a Maildir."""
    found = [*folder.glob("*.eml"), *(folder / "new").glob("*")]
    files = [path for path in found if path.is_file() and not path.is_symlink()]
    for path in sorted(files, key=lambda path: (path.stat().st_mtime, path.name)):
        if not 0 <= now.timestamp() - path.stat().st_mtime < SETTLED_SECONDS:
            yield path


def _take_file(path: Path, settings: Settings, now: datetime) -> Taken | None:
    """Take one file; None where it has to wait for another round."""
    letter = None
    try:
        letter = read_letter(_content_of(path), own_address=settings.mail_from)
        with reaching(EVERY_ROW):
            return Taken(number=take_letter(letter, settings, now))
    except NotStoredError as error:
        raise OSError(str(error)) from error  # the disk is full: no fault of the mail, see below
    except DomainError as error:
        return Taken(reason=str(error), letter=letter, refusal=error)
    except IntegrityError:
        _log.info("mail is being taken by another worker", file=path.name)
        return None
    except FileNotFoundError:
        return None  # another worker was faster
    except (SQLAlchemyError, OSError):
        raise  # the database or the disk is away: the mail waits where it is
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told beside the mail
        # One mail that trips the program must not keep the others waiting behind it.
        _log.exception("mail could not be taken", file=path.name)
        return Taken(reason=f"{type(error).__name__}: {error}")


def _content_of(path: Path) -> bytes:
    """Return the file; refuse what is too large before reading it.

    Raises:
        MailTooBigError: It is.
    """
    if path.stat().st_size > MOST_BYTES:
        raise MailTooBigError(most=MOST_BYTES // 1024**2)
    return path.read_bytes()


def _put_away(path: Path, folder: Path, taken: Taken) -> None:
    """Move a file to where it belongs, under a name of its own, with the reason beside it."""
    target = folder / (REJECTED if taken.reason else DONE)
    place = target / path.name
    with suppress(FileNotFoundError):  # another worker read it too, and moved it first
        if place.exists():
            digest = sha256(path.read_bytes()).hexdigest()[:12]
            place = target / f"{path.stem}.{digest}{path.suffix}"
        path.replace(place)
        if taken.reason:
            reason = place.with_name(f"{place.name}.reason.txt")
            reason.write_text(f"{taken.reason}\n", encoding="utf-8")
    _log.info("mail taken", file=place.name, case=taken.number, rejected=taken.reason)


def _tell_sender(letter: Letter, error: DomainError, now: datetime) -> None:
    """Tell a known person that their mail was not taken, and why."""
    with reaching(EVERY_ROW), transaction():
        person = find_person_by_email(letter.sender)
        if person is None or person.status != "active" or _was_told(person.id, now):
            return
        account_id = db.session.scalar(
            select(Membership.account_id)
            .where(Membership.person_id == person.id, Membership.status == "active")
            .order_by(Membership.id)
            .limit(1)
        )
        if account_id is None:
            return
        tell(
            NOT_TAKEN,
            account_id=account_id,
            subject={
                "subject": letter.subject,
                "reason": error.message,
                "details": {name: str(value) for name, value in error.details.items()},
            },
            now=now,
            path="/service/cases",
            person_ids=[person.id],
        )


def _was_told(person_id: int, now: datetime) -> bool:
    told = select(Message.id).where(
        Message.kind == NOT_TAKEN,
        Message.person_id == person_id,
        Message.created_at > now - timedelta(days=1),
    )
    return db.session.scalar(told.limit(1)) is not None


def take_letter(letter: Letter, settings: Settings, now: datetime) -> str:
    """Open a case with a mail, or say it in the case that it answers; return the case's number.

    Raises:
        UnknownSenderError, StaffMailError: The sender may not.
        DomainError: Any other refusal of the case itself.
    """
    actors = _actors_of(letter.sender)
    mail_id = _own_id(letter, actors[0])
    known = _case_of_mail(mail_id)
    if known is not None:
        return known
    text, files = _fitting(letter, actors[0])
    for actor, number in _answered(letter, actors, settings):
        try:
            return reply(actor, number, text, files, now=now, message_id=mail_id).number
        except (ConflictError, NotFoundError):
            continue  # a case that takes no more words: what is said begins a new one
    customers = [actor for actor in actors if not actor.is_supplier]
    if not customers:
        raise StaffMailError(sender=letter.sender)
    new = NewCase(
        kind=CaseKind.QUESTION,
        subject=_MARK.sub("", letter.subject).strip() or _first_line(text),
        text=text,
        channel=Channel.EMAIL,
    )
    return open_case(customers[0], new, files, now=now, message_id=mail_id).number


def _actors_of(sender: str) -> list[Actor]:
    """Return as what the sender may act for cases, the oldest membership first.

    Raises:
        UnknownSenderError: As nothing.
    """
    person = find_person_by_email(sender)
    keys: Sequence[int] = ()
    if person is not None:
        keys = db.session.scalars(
            select(Membership.id).where(Membership.person_id == person.id).order_by(Membership.id)
        ).all()
    found = [actor for key in keys if (actor := load_actor(key)) is not None]
    able = [actor for actor in found if actor.can(P.CASE_SAVE)]
    if not able:
        raise UnknownSenderError(sender=sender)
    return able


def _own_id(letter: Letter, actor: Actor) -> str:
    """Return under which id the mail is kept: its own, unless somebody else's mail has that.

    Message-IDs are made up by whoever sends; nobody can keep another's mail out by using its id.
    """
    other = db.session.scalar(
        select(CaseMessage.id).where(
            CaseMessage.mail_id == letter.message_id,
            CaseMessage.person_id.is_distinct_from(actor.person_id),
        )
    )
    if other is None:
        return letter.message_id
    return f"<{sha256(f'{actor.person_id} {letter.message_id}'.encode()).hexdigest()}>"


def _case_of_mail(mail_id: str) -> str | None:
    statement = select(Case.number).join(CaseMessage, CaseMessage.case_id == Case.id)
    return db.session.scalar(statement.where(CaseMessage.mail_id == mail_id))


def _answered(
    letter: Letter, actors: Sequence[Actor], settings: Settings
) -> Iterator[tuple[Actor, str]]:
    """Yield the cases that a mail may answer and as whom, as far as the sender reaches them."""
    for number in dict.fromkeys(_named(letter, settings)):
        for actor in actors:
            try:
                get_case(actor, number, permission=P.CASE_SAVE)
            except NotFoundError:
                continue
            yield actor, number


def _named(letter: Letter, settings: Settings) -> Iterator[str]:
    """Yield the case numbers that a mail names: by what it answers, then by its subject."""
    for reference in letter.references:
        thread, _at, host = reference.strip("<>").rpartition("@")
        if host.lower() == settings.mail_host.lower() and _NUMBER.fullmatch(thread.upper()):
            yield thread.upper()
        elif (number := _case_of_mail(reference)) is not None:
            yield number
    yield from _MARK.findall(letter.subject.upper())


def _fitting(letter: Letter, actor: Actor) -> tuple[str, list[Attachment]]:
    """Return text and files within the limits of cases; what is left out is named in the text."""
    kept: list[Attachment] = []
    refused: list[str] = []
    with force_locale(actor.locale.replace("-", "_")):
        for file in letter.files:
            try:
                check_attachments([file])
                check_attachments([*kept, file])
            except InvalidError as error:
                refused.append(refusal(error))
            else:
                kept.append(file)
        text = letter.text or _("See the attached files.")
        if len(text) > LONGEST_TEXT:
            whole = Attachment("mail.txt", text.encode())
            if len(kept) < MOST_FILES and _size(kept) + len(whole.content) <= MOST_TOGETHER:
                kept.append(whole)
            text = text[:LONGEST_TEXT].rstrip() + " …"
        if refused:
            text += "\n\n" + "\n".join([_("Not taken over from the mail:"), *refused])
    return text, kept


def _size(files: Sequence[Attachment]) -> int:
    return sum(len(file.content) for file in files)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:80]
