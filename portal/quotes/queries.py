"""Reading quotes: who sees which, the list with exact counts, one quote with its lines."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Account, Membership, Person, Unit
from portal.approvals.queries import named_subject_ids
from portal.catalog.models import Product
from portal.containing import contains
from portal.db import db
from portal.db import lock as locked
from portal.errors import N_, ConflictError, NotFoundError
from portal.policy import Actor, Permission
from portal.quotes.models import QuickEntry, Quote, QuoteLine, QuoteOpening, QuoteRevision
from portal.quotes.rules import (
    KIND,
    ORDERABLE,
    TAB_STATES,
    QuoteStatus,
    SortBy,
    Tab,
    last_day_of,
)
from portal.scope import within

MOST_EXPORTED: Final = 100_000


class QuoteNotFoundError(NotFoundError):
    """No such quote, or not for this person: both are answered alike."""

    message = N_("There is no quote {number} that you can see.")


class NotOrderableError(ConflictError):
    """The quote's current revision is not approved, or nothing of it is open."""

    message = N_("Quote {number} is {status}: nothing can be ordered from it now.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list of quotes is narrowed to."""

    tab: Tab = Tab.ALL
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRow:
    """One quote in a list."""

    number: str
    title: str
    reference: str
    status: QuoteStatus
    revision: int
    owner: str
    unit: str
    currency: str
    net_total: Decimal | None
    valid_until: datetime | None
    changed_at: datetime
    account: str
    time_zone: str

    @property
    def last_day(self) -> date | None:
        """The day until which it is valid, in the account's own time zone."""
        if self.valid_until is None:
            return None
        return last_day_of(self.valid_until, ZoneInfo(self.time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDraft:
    """The draft that "Add to quote" adds to."""

    number: str
    title: str
    line_count: int


def reached_by(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """Return the condition that keeps the quotes which ``permission`` reaches."""
    return within(
        actor,
        permission,
        account=Quote.account_id,
        unit=Quote.unit_id,
        owner=Quote.membership_id,
    )


def visible_to(actor: Actor, permission: Permission = Permission.QUOTE_READ) -> Select[Quote]:
    """Return the quotes that ``permission`` reaches; to read, also those of runs that name one."""
    reached = reached_by(actor, permission)
    if permission is Permission.QUOTE_READ and actor.membership_id is not None:
        named = select(QuoteRevision.quote_id).where(
            QuoteRevision.account_id == actor.account_id,
            QuoteRevision.id.in_(named_subject_ids(actor, KIND)),
        )
        reached = or_(reached, and_(Quote.account_id == actor.account_id, Quote.id.in_(named)))
    return select(Quote).where(reached)


_LINES = (
    selectinload(QuoteRevision.lines)
    .joinedload(QuoteLine.product, innerjoin=True)
    .joinedload(Product.category)
)
_REQUESTERS = selectinload(QuoteRevision.requesters)
WITH_REQUESTERS = joinedload(QuoteRevision.requesters)
"""The few requesters with their revision, in one statement."""
_CURRENT = joinedload(Quote.current, innerjoin=True).options(_LINES, _REQUESTERS)
_CURRENT_AFTER_LOCK = selectinload(Quote.current).options(_LINES, WITH_REQUESTERS)
"""The revision is read after the lock: whoever held it may have begun another one."""


def get_quote(actor: Actor, number: str, *, lock: bool = False) -> Quote:
    """Return a quote with its current revision, that one's lines and their products.

    Args:
        actor: Whoever reads or acts.
        number: As printed, for example ``Q-000042``.
        lock: Whether the quote's row is locked until the end of the transaction.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
    """
    statement = visible_to(actor).where(Quote.number == number)
    return _load(statement, number, lock=lock)


def get_row(actor: Actor, number: str) -> Quote:
    """Return a quote without its revisions, for asking whether something may be done to it.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
    """
    quote = db.session.scalar(visible_to(actor).where(Quote.number == number))
    if quote is None:
        raise QuoteNotFoundError(number=number)
    return quote


def find_freight(revision_id: int) -> Decimal:
    """Return the freight of a submitted revision, for the portal itself."""
    statement = select(QuoteRevision.freight).where(QuoteRevision.id == revision_id)
    return db.session.scalar(statement) or Decimal(0)


def get_by_id(quote_id: int, *, lock: bool = False) -> Quote:
    """Return a quote for the portal itself: callers have made sure of the right to it."""
    statement = select(Quote).where(Quote.id == quote_id)
    return _load(statement, str(quote_id), lock=lock)


def _load(statement: Select[Quote], number: str, *, lock: bool) -> Quote:
    current = _CURRENT_AFTER_LOCK if lock else _CURRENT
    statement = locked(statement) if lock else statement
    quote = db.session.scalar(statement.options(current).execution_options(populate_existing=True))
    if quote is None:
        raise QuoteNotFoundError(number=number)
    set_committed_value(quote.current, "quote", quote)
    return quote


def get_revision(actor: Actor, number: str, revision: int | None = None) -> QuoteRevision:
    """Return one revision (default: the current one) with its quote, lines and products.

    Raises:
        QuoteNotFoundError: No such quote or revision within the actor's reach.
    """
    visible = visible_to(actor).where(Quote.number == number).subquery()
    wanted = visible.c.revision if revision is None else revision
    statement = (
        select(QuoteRevision)
        .join(visible, visible.c.id == QuoteRevision.quote_id)
        .where(QuoteRevision.number == wanted)
        .options(joinedload(QuoteRevision.quote, innerjoin=True), _LINES, _REQUESTERS)
    )
    found = db.session.scalar(statement)
    if found is None:
        raise QuoteNotFoundError(number=number)
    return found


def get_revision_by_id(revision_id: int) -> QuoteRevision:
    """Return a revision for the portal itself: callers have made sure of the right to it."""
    statement = (
        select(QuoteRevision)
        .where(QuoteRevision.id == revision_id)
        .options(joinedload(QuoteRevision.quote, innerjoin=True), _LINES, _REQUESTERS)
    )
    return db.session.scalars(statement).one()


def is_submitted(actor: Actor, number: str, version: int) -> bool:
    """Whether the actor has submitted the draft that they saw in this version, or a later one."""
    visible = visible_to(actor).where(Quote.number == number).subquery()
    statement = select(QuoteRevision.submitted_version, QuoteRevision.submitted_by_id).join(
        visible,
        and_(visible.c.id == QuoteRevision.quote_id, visible.c.revision == QuoteRevision.number),
    )
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise QuoteNotFoundError(number=number)
    submitted_version, submitted_by_id = found
    return (
        submitted_version is not None
        and submitted_by_id == actor.membership_id
        and 0 < version <= submitted_version
    )


def get_orderable(actor: Actor, number: str, *, lock: bool = False) -> Quote:
    """Return a quote whose current revision may be ordered; validity is the caller's to check.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        NotOrderableError: It is not approved, or everything is ordered.
    """
    quote = get_quote(actor, number, lock=lock)
    if quote.status not in ORDERABLE:
        raise NotOrderableError(number=number, status=quote.status)
    return quote


# --- lists ---------------------------------------------------------------------------------------


_ORDER: Final[Mapping[SortBy, ColumnElement[Any]]] = {
    SortBy.NUMBER: Quote.number.expression,
    SortBy.TITLE: func.lower(Quote.title),
    SortBy.STATUS: Quote.status.expression,
    SortBy.CHANGED: Quote.changed_at.expression,
    SortBy.VALID_UNTIL: func.coalesce(Quote.valid_until, Quote.changed_at),
    SortBy.TOTAL: func.coalesce(Quote.net_total, 0),
}


def find_quotes(
    actor: Actor,
    filters: Filters,
    *,
    sort: SortBy = SortBy.CHANGED,
    descending: bool = True,
    offset: int = 0,
    limit: int = MOST_EXPORTED,
) -> list[QuoteRow]:
    """Return some rows of the list, in a total order."""
    order = _ORDER[sort]
    statement = (
        visible_rows(actor)
        .where(*_conditions(actor, filters))
        .order_by(order.desc() if descending else order.asc(), Quote.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [row_of(*found) for found in db.session.execute(statement).all()]


def visible_rows(actor: Actor) -> Select[Quote, str, str | None, str, str]:
    """Select the quotes within reach with owner, unit, account and its time zone."""
    return (
        visible_to(actor)
        .add_columns(Person.name, Unit.code, Account.name, Account.time_zone)
        .join(Account, Account.id == Quote.account_id)
        .join(Membership, Membership.id == Quote.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(Unit, Unit.id == Quote.unit_id)
    )


def row_of(quote: Quote, owner: str, unit: str | None, account: str, time_zone: str) -> QuoteRow:
    """Return a row of a list from what `visible_rows` selects."""
    return QuoteRow(
        number=quote.number,
        title=quote.title,
        reference=quote.reference or "",
        status=quote.status,
        revision=quote.revision,
        owner=owner,
        unit=unit or "",
        currency=quote.currency,
        net_total=quote.net_total,
        valid_until=quote.valid_until,
        changed_at=quote.changed_at,
        account=account,
        time_zone=time_zone,
    )


def count_tabs(actor: Actor, text: str = "") -> dict[Tab, int]:
    """Return how many quotes each tab holds under a search."""
    visible = visible_to(actor).where(*_conditions(actor, Filters(text=text))).subquery()
    by_status: dict[QuoteStatus, int] = dict(
        db.session.execute(select(visible.c.status, func.count()).group_by(visible.c.status)).all()
    )
    return {
        tab: sum(by_status.get(status, 0) for status in states)
        for tab, states in TAB_STATES.items()
    }


def _conditions(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.tab is not Tab.ALL:
        conditions.append(Quote.status.in_(sorted(TAB_STATES[filters.tab])))
    if filters.text:
        conditions.append(_says(actor, filters.text))
    return conditions


def _says(actor: Actor, text: str) -> ColumnElement[bool]:
    """Keep the quotes that a text names; staff find them by their account as well."""
    named = [
        contains(Quote.number, text),
        contains(Quote.title, text),
        contains(Quote.reference, text),
    ]
    if actor.is_supplier:
        accounts = select(Account.id).where(
            or_(
                contains(Account.name, text),
                contains(Account.code, text),
            )
        )
        named.append(Quote.account_id.in_(accounts))
    return or_(*named)


# --- what somebody works on ----------------------------------------------------------------------


def current_draft(actor: Actor) -> OpenDraft | None:
    """Return the draft that this membership opened last, if it still may change it."""
    found = db.session.execute(opened_draft(actor)).one_or_none()
    if found is None:
        return None
    number, title, count = found
    return OpenDraft(number=number, title=title, line_count=count)


def opened_draft(actor: Actor) -> Select[str, str, int]:
    """Select number, title and count of lines of `current_draft`."""
    # Limited, or PostgreSQL counts the lines of every draft before it finds the opened one.
    opened = (
        select(Quote.id, Quote.number, Quote.title, Quote.revision)
        .join(QuoteOpening, QuoteOpening.quote_id == Quote.id)
        .where(
            QuoteOpening.membership_id == actor.membership_id,
            QuoteOpening.account_id == actor.account_id,
            Quote.status == QuoteStatus.DRAFT,
            reached_by(actor, Permission.QUOTE_SAVE),
        )
        .limit(1)
        .subquery()
    )
    lines = (
        select(func.count(QuoteLine.id))
        .join(QuoteRevision, QuoteRevision.id == QuoteLine.revision_id)
        .where(QuoteRevision.quote_id == opened.c.id, QuoteRevision.number == opened.c.revision)
        .scalar_subquery()
    )
    return select(opened.c.number, opened.c.title, lines.label("lines"))


def find_entry(actor: Actor) -> QuickEntry | None:
    """Return what this membership typed into quick entry and has not added yet."""
    return db.session.scalar(
        select(QuickEntry).where(
            QuickEntry.membership_id == actor.membership_id,
            QuickEntry.account_id == actor.account_id,
        )
    )


def find_by_reference(account_id: int, references: Iterable[str]) -> dict[str, str]:
    """Return reference -> number of the quotes of an account that carry one of ``references``."""
    rows = db.session.execute(
        select(Quote.reference, Quote.number).where(
            Quote.account_id == account_id, Quote.reference.in_(sorted(set(references)))
        )
    ).all()
    return {reference: number for reference, number in rows if reference is not None}


def find_due(now: datetime, states: Collection[QuoteStatus]) -> Sequence[int]:
    """Return the ids of quotes whose time is over, for the portal's own job."""
    return db.session.scalars(
        select(Quote.id)
        .where(Quote.status.in_(sorted(states)), Quote.valid_until <= now)
        .order_by(Quote.id)
    ).all()
