"""Opening a case and talking about it: what customers and agents say to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

from flask import current_app
from sqlalchemy import select

from portal.accounts.models import Account
from portal.catalog.models import Category, Product
from portal.config import Settings
from portal.db import db, lock, next_number, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.files.storing import load, store
from portal.policy import Actor, Permission
from portal.service.cases import queries
from portal.service.cases.attaching import Attachment, check_attachments, safe_name
from portal.service.cases.models import Case, CaseAttachment, CaseMessage, ServiceRule
from portal.service.cases.people import Requester, find_requesters
from portal.service.cases.recording import note_step, tell_customer, tell_service
from portal.service.cases.references import Reference, find_named, find_reference
from portal.service.cases.routing import CaseFacts, Rule, route
from portal.service.cases.rules import (
    CaseKind,
    CaseStatus,
    Channel,
    Move,
    Priority,
    check_text,
)

FOLDER: Final = "attachments"
LONGEST_SUBJECT: Final = 200

__all__ = ["Attachment", "NewCase", "Then", "add_note", "open_case", "read_attachment", "reply"]


class NoSubjectError(InvalidError):
    """A case needs a few words by which people know it."""

    message = N_("Say in a few words what it is about.")
    field = "subject"


class NoRequesterError(InvalidError):
    """A case is always somebody's of a customer."""

    message = N_("Choose the person for whom this case is opened.")
    field = "requester"


class KeyReusedError(ConflictError):
    """The same form was sent twice by different people."""

    message = N_("This form was already used for case {number}. Open a new one.")


@unique
class Then(StrEnum):
    """What an agent's answer does besides being said."""

    STAY = "stay"
    ASK = "ask"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What is said when a case is opened.

    ``about`` is one box for serial number, order or product; the three named fields say the same
    more exactly. ``requester_id`` is the membership for which somebody else opens it.
    """

    kind: CaseKind
    subject: str
    text: str
    about: str = ""
    asset_tag: str = ""
    order_number: str = ""
    sku: str = ""
    priority: Priority = Priority.NORMAL
    channel: Channel = Channel.PORTAL
    requester_id: int | None = None


def open_case(
    actor: Actor,
    new: NewCase,
    attachments: Sequence[Attachment] = (),
    *,
    now: datetime,
    key: str | None = None,
    message_id: str | None = None,
) -> Case:
    """Open a case, route it to its team, and tell both sides.

    Args:
        attachments: Checked by content and size before anything is written.
        key: One per form; the same form sent again returns the case it opened.
        message_id: The mail's own, for cases that come by mail; the same mail opens one case.

    Raises:
        NotAllowedError: The actor may not open cases for this person.
        NoRequesterError, NoSubjectError, NothingSaidError, UnknownReferenceError: What was typed.
        TooManyFilesError, TooBigError, TooBigTogetherError, EmptyFileError, UnsafeFileError.
    """
    text, subject = check_text(new.text), _check_subject(new.subject)
    check_attachments(attachments)
    with transaction():
        requester = _requester(actor, new.requester_id)
        actor.must_reach(
            Permission.CASE_SAVE,
            account_id=requester.account_id,
            unit_id=requester.unit_id,
            owner_id=requester.membership_id,
        )
        db.session.execute(lock(select(Account.id).where(Account.id == requester.account_id)))
        known = _known(requester, key, message_id)
        if known is not None:
            return known
        reference = _reference(actor, requester.account_id, new)
        rule = _rule(new.kind, requester, reference)
        case = Case(
            account_id=requester.account_id,
            unit_id=requester.unit_id,
            membership_id=requester.membership_id,
            number=next_number("case", "C"),
            kind=new.kind,
            subject=subject,
            priority=(rule.priority if rule else None) or new.priority,
            channel=new.channel,
            status=CaseStatus.NEW,
            team_id=rule.team_id if rule else None,
            opening_key=key,
            version=0,
            created_at=now,
            changed_at=now,
            **reference.values,
        )
        db.session.add(case)
        db.session.flush()
        message = CaseMessage(
            membership_id=requester.membership_id,
            person_id=requester.person_id,
            side="customer",
            channel=new.channel,
            body=text,
            mail_id=message_id,
            created_at=now,
        )
        _say(case, message, attachments)
        case = queries.get_by_id(case.id)
        note_step(
            actor,
            case,
            "case.opened",
            now,
            case_kind=case.kind.value,
            channel=case.channel.value,
            asset_id=case.asset_id,
            order_id=case.order_id,
            files=len(attachments),
        )
        if rule is not None:
            note_step(None, case, "case.routed", now, team_id=case.team_id, rule=rule.number)
        tell_customer(case, "case_opened", now, text=text, who=requester.name)
        tell_service(case, "case_new", now, text=text, who=requester.name)
    return case


def _check_subject(subject: str) -> str:
    said = " ".join(subject.split())[:LONGEST_SUBJECT]
    if not said:
        raise NoSubjectError
    return said


def _requester(actor: Actor, membership_id: int | None) -> Requester:
    """Return for whom the case is: a customer's member, the actor where nobody is named."""
    actor.must(Permission.CASE_SAVE)
    wanted = membership_id or actor.membership_id
    found = find_requesters(actor, membership_id=wanted) if wanted else []
    if not found:
        raise NoRequesterError
    return found[0]


def _known(requester: Requester, key: str | None, message_id: str | None) -> Case | None:
    """Return what this very form or mail opened before."""
    if message_id is not None:
        return queries.find_by_mail(requester.account_id, message_id)
    known = queries.find_by_key(requester.account_id, key) if key else None
    if known is not None and known.membership_id != requester.membership_id:
        raise KeyReusedError(number=known.number)
    return known


def _reference(actor: Actor, account_id: int, new: NewCase) -> Reference:
    if new.about:
        return find_reference(actor, account_id, new.about)
    return find_named(
        actor,
        account_id,
        asset_tag=new.asset_tag,
        order_number=new.order_number,
        sku=new.sku,
    )


def _rule(kind: CaseKind, requester: Requester, reference: Reference) -> Rule | None:
    facts = CaseFacts(
        kind=kind,
        account_id=requester.account_id,
        country=requester.country,
        category_path=_category_path(reference.product_id),
    )
    rules = [
        Rule(
            number=row.number,
            team_id=row.team_id,
            kind=row.kind,
            category_path=row.category_path,
            account_id=row.account_id,
            country=row.country,
            priority=row.priority,
        )
        for row in db.session.scalars(select(ServiceRule))
    ]
    return route(rules, facts)


def _category_path(product_id: int | None) -> str:
    statement = (
        select(Category.path)
        .join(Product, Product.category_id == Category.id)
        .where(Product.id == product_id)
    )
    return db.session.scalar(statement) or ""


def reply(  # noqa: PLR0913 - what an answer may bring with it is optional and named at the call
    actor: Actor,
    number: str,
    text: str,
    attachments: Sequence[Attachment] = (),
    *,
    now: datetime,
    then: Then = Then.STAY,
    key: str | None = None,
    message_id: str | None = None,
    article_number: str = "",
) -> Case:
    """Say something to the other side: an agent answers, whoever else writes for the customer.

    A customer's word lets the clock run again, and opens again what was resolved or closed. A mail
    about a merged case goes to the case that it was merged into.

    Args:
        then: What an agent's answer does besides: nothing, ask back, or resolve.
        key: One per form; the same form sent again says nothing twice.
        message_id: The mail's own, where it came by mail; the same mail says nothing twice.
        article_number: The article that the answer was taken from.

    Raises:
        CaseNotFoundError, NotAllowedError, IllegalMoveError: By the case.
        NothingSaidError and the refusals of attachments: What was typed.
    """
    said = check_text(text)
    check_attachments(attachments)
    with transaction():
        case = _locked(actor, number, follows=message_id is not None)
        if _was_said(case, key, message_id):
            return case
        is_agent = actor.can(Permission.CASE_WORK)
        message = CaseMessage(
            membership_id=actor.membership_id,
            person_id=actor.person_id,
            side="service" if is_agent else "customer",
            channel=Channel.EMAIL if message_id else Channel.PORTAL,
            body=said,
            article_number=article_number if is_agent else "",
            mail_id=message_id,
            form_key=key,
            created_at=now,
        )
        if is_agent:
            _answer(actor, case, then, now)
        else:
            _come_back(actor, case, now)
        _say(case, message, attachments)
        if is_agent:
            kind = {Then.STAY: "case_answered", Then.ASK: "case_asked"}.get(then, "case_resolved")
            tell_customer(case, kind, now, text=said, who=actor.name)
        else:
            tell_service(case, "case_replied", now, text=said, who=actor.name)
    return case


def _answer(actor: Actor, case: Case, then: Then, now: datetime) -> None:
    """Move a case as an agent's answer does; whoever answers what nobody has taken, takes it.

    Asking back is the answer, so it is noted once.
    """
    must_work(actor, case, Move.ANSWER)
    case.status = Move.ANSWER.apply(case.status, actor, case.number)
    if case.assignee_id is None:
        case.assignee_id = actor.membership_id
    if then is Then.ASK and case.status is not CaseStatus.WAITING:
        case.status = Move.ASK.apply(case.status, actor, case.number)
        note_step(actor, case, Move.ASK.verb, now)
    else:
        note_step(actor, case, Move.ANSWER.verb, now)
    if then is Then.RESOLVE:
        case.status = Move.RESOLVE.apply(case.status, actor, case.number)
        case.resolved_at = now
        note_step(actor, case, Move.RESOLVE.verb, now)


def _come_back(actor: Actor, case: Case, now: datetime) -> None:
    """Move a case as a customer's word does."""
    must_work(actor, case, Move.REPLY)
    if case.status in Move.REOPEN.sources:
        reopen(actor, case, now)
    move = Move.RESUME if case.status in Move.RESUME.sources else Move.REPLY
    case.status = move.apply(case.status, actor, case.number)
    note_step(actor, case, move.verb, now)


def reopen(actor: Actor, case: Case, now: datetime) -> None:
    """Open a locked case again, in the transaction under way."""
    case.status = Move.REOPEN.apply(case.status, actor, case.number)
    case.resolved_at = case.closed_at = None
    note_step(actor, case, Move.REOPEN.verb, now)


def add_note(
    actor: Actor,
    number: str,
    text: str,
    attachments: Sequence[Attachment] = (),
    *,
    now: datetime,
    key: str | None = None,
) -> Case:
    """Write an internal note, which no customer ever reads.

    Raises:
        CaseNotFoundError, NotAllowedError: By the case.
        NothingSaidError and the refusals of attachments: What was typed.
    """
    said = check_text(text)
    check_attachments(attachments)
    with transaction():
        case = _locked(actor, number)
        if _was_said(case, key, None):
            return case
        must_work(actor, case, Move.NOTE)
        case.status = Move.NOTE.apply(case.status, actor, case.number)
        message = CaseMessage(
            membership_id=actor.membership_id,
            person_id=actor.person_id,
            side="service",
            is_internal=True,
            body=said,
            form_key=key,
            created_at=now,
        )
        _say(case, message, attachments)
        note_step(actor, case, Move.NOTE.verb, now)
    return case


def read_attachment(sha256: str) -> bytes:
    """Return the content of a stored file.

    Raises:
        FileGoneError: It is not in the data folder.
    """
    settings: Settings = current_app.config["SETTINGS"]
    return load(sha256, settings.data_dir / FOLDER)


def must_work(actor: Actor, case: Case, move: Move) -> None:
    """Raise `NotAllowedError` unless the actor may take this step with this case."""
    actor.must_reach(
        move.permission,
        account_id=case.account_id,
        unit_id=case.unit_id,
        owner_id=case.membership_id,
    )


def _locked(actor: Actor, number: str, *, follows: bool = False) -> Case:
    """Lock a case; with ``follows`` the one that it was merged into, as far as the actor sees."""
    case = queries.get_case(actor, number, for_update=True)
    while follows and case.merged_into_id is not None:
        target = queries.get_by_id(case.merged_into_id)
        case = queries.get_case(actor, target.number, for_update=True)
    return case


def _was_said(case: Case, key: str | None, message_id: str | None) -> bool:
    if message_id is not None:
        return queries.find_by_mail(case.account_id, message_id) is not None
    return key is not None and queries.has_message(case.id, key)


def _say(case: Case, message: CaseMessage, attachments: Sequence[Attachment]) -> None:
    """Add a message with its files; they are on the disk before the rows are committed."""
    settings: Settings = current_app.config["SETTINGS"]
    message.account_id, message.case_id = case.account_id, case.id
    db.session.add(message)
    db.session.flush()
    media_types = check_attachments(attachments)
    first = queries.count_attachments(case.id) + 1 if attachments else 1
    for position, (file, media_type) in enumerate(
        zip(attachments, media_types, strict=True), first
    ):
        db.session.add(
            CaseAttachment(
                account_id=case.account_id,
                case_id=case.id,
                message_id=message.id,
                position=position,
                name=safe_name(file.name, media_type),
                media_type=media_type,
                size=len(file.content),
                sha256=store(file.content, settings.data_dir / FOLDER),
            )
        )
    db.session.flush()
