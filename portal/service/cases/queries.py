"""Reading cases: which an actor may see, one whole, lists with exact counts, threads, stamps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account
from portal.catalog.models import Product
from portal.containing import contains
from portal.db import db, in_pages, lock
from portal.errors import N_, NotFoundError
from portal.events.models import Event
from portal.orders.models import Order
from portal.policy import Actor, Permission
from portal.scope import within
from portal.service.assets.models import Asset
from portal.service.cases.models import (
    Case,
    CaseAttachment,
    CaseMessage,
    ServiceTeam,
    ServiceTeamMember,
)
from portal.service.cases.rules import (
    KIND,
    SIGNALS,
    TAB_STATES,
    UNSOLVED,
    CaseKind,
    CaseStatus,
    Priority,
    SortBy,
    Tab,
)
from portal.service.clock.rules import Stamp


class CaseNotFoundError(NotFoundError):
    """No such case within the actor's scope."""

    message = N_("There is no case {number} that you can see.")


class AttachmentNotFoundError(NotFoundError):
    """No such file of a case that the actor sees."""

    message = N_("There is no such file that you can see.")


def visible_to(actor: Actor, permission: Permission = Permission.CASE_READ) -> Select[Case]:
    """Select the cases that ``permission`` reaches."""
    condition = within(
        actor,
        permission,
        account=Case.account_id,
        unit=Case.unit_id,
        owner=Case.membership_id,
    )
    return select(Case).where(condition)


def get_case(
    actor: Actor,
    number: str,
    *,
    permission: Permission = Permission.CASE_READ,
    for_update: bool = False,
) -> Case:
    """Return one case with its account, unit, team, asset, order and product.

    Args:
        permission: What the case must be within reach of.
        for_update: Lock the row and read it anew.

    Raises:
        CaseNotFoundError: No such case within the actor's scope.
    """
    statement = visible_to(actor, permission).where(Case.number == number)
    found = db.session.scalar(_whole(lock(statement) if for_update else statement))
    if found is None:
        raise CaseNotFoundError(number=number)
    return found


def get_by_id(case_id: int, *, for_update: bool = False) -> Case:
    """Return one case whole; the caller has made sure that the actor may see it."""
    statement = select(Case).where(Case.id == case_id)
    return db.session.scalars(_whole(lock(statement) if for_update else statement)).one()


def _whole(statement: Select[Case]) -> Select[Case]:
    return statement.options(
        selectinload(Case.account),
        selectinload(Case.unit),
        selectinload(Case.team),
        selectinload(Case.asset).selectinload(Asset.entitlements),
        selectinload(Case.asset).selectinload(Asset.product),
        selectinload(Case.order),
        selectinload(Case.product).selectinload(Product.category),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a list shows; what is empty does not narrow it.

    ``today`` is the day by which follow-ups are due, ``overdue`` the ids of cases whose clock has
    run out (worked out from events, so a statement can't ask for them).
    """

    tab: Tab = Tab.OPEN
    text: str = ""
    kind: str = ""
    priority: str = ""
    team: str = ""
    account: str = ""
    today: date = date.min
    overdue: frozenset[int] = frozenset()

    @property
    def is_set(self) -> bool:
        """Whether anything but the view narrows the list."""
        return bool(self.text or self.kind or self.priority or self.team or self.account)


def find_cases(
    actor: Actor,
    wanted: CaseFilter,
    *,
    sort: SortBy = SortBy.NUMBER,
    descending: bool = True,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[Case]:
    """Return cases with account, team, asset and product, in the asked order.

    The order of the clock is none that a statement knows: it is left to the caller, oldest first.
    """
    column: ColumnElement[Any] = {
        SortBy.CLOCK: Case.id.expression,
        SortBy.NUMBER: Case.id.expression,
        SortBy.PRIORITY: _rank_of_priority(),
        SortBy.STATUS: Case.status.expression,
        SortBy.OPENED: Case.created_at.expression,
        SortBy.CHANGED: Case.changed_at.expression,
    }[sort]
    statement = (
        visible_to(actor)
        .where(_matches(wanted), _in_tab(actor, wanted.tab, wanted))
        .options(
            joinedload(Case.account),
            joinedload(Case.team),
            joinedload(Case.asset),
            joinedload(Case.product),
            joinedload(Case.order),
        )
        .order_by(column.desc() if descending else column.asc(), Case.id.desc())
        .offset(offset)
    )
    if limit is not None:
        statement = statement.limit(limit)
    return db.session.scalars(statement).all()


def find_unsolved(actor: Actor, wanted: CaseFilter) -> Sequence[Case]:
    """Return everything whose clock may have something to say, for working out what is overdue."""
    statement = (
        visible_to(actor)
        .where(_matches(wanted), Case.status.in_(sorted(UNSOLVED)))
        .options(joinedload(Case.account), joinedload(Case.team))
        .order_by(Case.id)
    )
    return db.session.scalars(statement).all()


def count_by_tab(actor: Actor, wanted: CaseFilter) -> dict[Tab, int]:
    """Return how many cases each view holds, exactly, in one statement."""
    rows = (
        visible_to(actor)
        .where(_matches(wanted))
        .with_only_columns(
            *(func.count().filter(_in_tab(actor, tab, wanted)).label(tab.name) for tab in Tab)
        )
    )
    found = db.session.execute(rows).one()
    return {tab: int(found[place]) for place, tab in enumerate(Tab)}


def waiting_count(actor: Actor) -> Select[int] | None:
    """Select how many cases wait: new ones for agents, asked-back ones for owners.

    The menu shows it; nothing for those for whom no case waits.
    """
    if actor.can(Permission.CASE_WORK):
        rows = visible_to(actor, Permission.CASE_WORK).where(Case.status == CaseStatus.NEW)
    elif actor.can(Permission.CASE_SAVE):
        rows = visible_to(actor).where(
            Case.membership_id == actor.membership_id, Case.status == CaseStatus.WAITING
        )
    else:
        return None
    return rows.with_only_columns(func.count(Case.id)).order_by(None)


def _rank_of_priority() -> ColumnElement[Any]:
    return case({priority: priority.rank for priority in Priority}, value=Case.priority)


def _matches(wanted: CaseFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if wanted.text:
        conditions.append(_says(wanted.text))
    if wanted.kind:
        conditions.append(Case.kind == CaseKind(wanted.kind))
    if wanted.priority:
        conditions.append(Case.priority == Priority(wanted.priority))
    if wanted.team:
        conditions.append(Case.team.has(ServiceTeam.code == wanted.team))
    if wanted.account:
        conditions.append(Case.account.has(Account.code == wanted.account))
    return and_(*conditions)


def _says(text: str) -> ColumnElement[bool]:
    """Keep the cases that a text names: number, subject, asset, order or product."""
    return or_(
        contains(Case.number, text),
        contains(Case.subject, text),
        contains(Case.order_number, text),
        Case.asset.has(contains(Asset.service_tag, text)),
        Case.product.has(contains(Product.sku, text)),
    )


def _in_tab(actor: Actor, tab: Tab, wanted: CaseFilter) -> ColumnElement[bool]:
    in_state = Case.status.in_(sorted(TAB_STATES[tab]))
    further: dict[Tab, ColumnElement[bool]] = {
        Tab.MINE: Case.assignee_id == actor.membership_id,
        Tab.TEAM: Case.team_id.in_(
            select(ServiceTeamMember.team_id).where(
                ServiceTeamMember.membership_id == actor.membership_id
            )
        ),
        Tab.UNASSIGNED: Case.assignee_id.is_(None),
        Tab.OVERDUE: Case.id.in_(sorted(wanted.overdue)) if wanted.overdue else false(),
        Tab.FOLLOW_UP: and_(Case.follow_up_on <= wanted.today, Case.followed_up_at.is_(None)),
    }
    return and_(in_state, further.get(tab, true()))


def find_of_asset(actor: Actor, asset_id: int) -> Sequence[Case]:
    """Return the cases about an asset, as far as the actor sees them, newest first."""
    statement = visible_to(actor).where(Case.asset_id == asset_id).order_by(Case.id.desc())
    return db.session.scalars(statement).all()


def find_by_key(account_id: int, key: str) -> Case | None:
    """Return the case that a form with this key has opened."""
    statement = select(Case).where(Case.account_id == account_id, Case.opening_key == key)
    return db.session.scalar(_whole(statement))


def find_by_mail(account_id: int, mail_id: str) -> Case | None:
    """Return the case into which a mail with this Message-ID went."""
    found = select(CaseMessage.case_id).where(
        CaseMessage.account_id == account_id, CaseMessage.mail_id == mail_id
    )
    return db.session.scalar(_whole(select(Case).where(Case.id == found.scalar_subquery())))


def has_message(case_id: int, form_key: str) -> bool:
    """Whether a form with this key has written to the case already."""
    statement = select(CaseMessage.id).where(
        CaseMessage.case_id == case_id, CaseMessage.form_key == form_key
    )
    return db.session.scalar(statement) is not None


def find_merged_into(actor: Actor, case: Case) -> Sequence[Case]:
    """Return the cases that were merged into this one, as far as the actor sees them."""
    statement = visible_to(actor).where(
        Case.account_id == case.account_id, Case.merged_into_id == case.id
    )
    return db.session.scalars(statement.order_by(Case.id)).all()


def find_messages(actor: Actor, cases: Collection[Case]) -> Sequence[CaseMessage]:
    """Return what was said about some cases that the actor sees, with files, oldest first.

    Notes are the service's own: no customer reads them.
    """
    statement = (
        select(CaseMessage)
        .where(CaseMessage.case_id.in_(sorted(case.id for case in cases)))
        .options(selectinload(CaseMessage.attachments))
        .order_by(CaseMessage.created_at, CaseMessage.id)
    )
    if not actor.is_supplier:
        statement = statement.where(CaseMessage.is_internal.is_(False))
    return db.session.scalars(statement).all()


def get_attachment(actor: Actor, number: str, position: int) -> CaseAttachment:
    """Return one file of a case; files of notes are the service's own.

    Raises:
        CaseNotFoundError, AttachmentNotFoundError: Not within the actor's scope.
    """
    found = get_case(actor, number)
    statement = (
        select(CaseAttachment)
        .join(CaseMessage, CaseMessage.id == CaseAttachment.message_id)
        .where(CaseAttachment.case_id == found.id, CaseAttachment.position == position)
    )
    if not actor.is_supplier:
        statement = statement.where(CaseMessage.is_internal.is_(False))
    attachment = db.session.scalar(statement)
    if attachment is None:
        raise AttachmentNotFoundError
    return attachment


def count_attachments(case_id: int) -> int:
    """Return the position of a case's last file."""
    statement = select(func.max(CaseAttachment.position)).where(CaseAttachment.case_id == case_id)
    return db.session.scalar(statement) or 0


def stamps_of(cases: Iterable[Case]) -> Mapping[int, tuple[Stamp, ...]]:
    """Return what moved the clock of each case, oldest first, from the events of all of them."""
    asked = list(cases)
    found: dict[int, list[Stamp]] = {case.id: [] for case in asked}
    for page in in_pages(sorted(found), 5_000):
        rows = db.session.execute(
            select(Event.object_id, Event.occurred_at, Event.verb)
            .where(
                Event.account_id.in_(sorted({case.account_id for case in asked})),
                Event.kind == KIND,
                Event.object_id.in_(page),
                Event.verb.in_(sorted(SIGNALS)),
            )
            .order_by(Event.occurred_at, Event.sequence)
        )
        for object_id, at, verb in rows:
            found[object_id or 0].append(Stamp(at, SIGNALS[verb]))
    return {case_id: tuple(stamps) for case_id, stamps in found.items()}


def find_accounts(actor: Actor) -> Sequence[tuple[str, str]]:
    """Return code and name of the accounts that have a case within reach, by code."""
    reached = visible_to(actor).with_only_columns(Case.account_id)
    statement = (
        select(Account.code, Account.name).where(Account.id.in_(reached)).order_by(Account.code)
    )
    return [(code, name) for code, name in db.session.execute(statement)]


def find_due_to_close(before: datetime) -> Sequence[int]:
    """Return the ids of the cases that have been resolved for longer than that."""
    statement = (
        select(Case.id)
        .where(Case.status == CaseStatus.RESOLVED, Case.resolved_at < before)
        .order_by(Case.id)
    )
    return db.session.scalars(statement).all()


def find_order(actor: Actor, account_id: int, text: str) -> Order | None:
    """Return an account's one order with this number or purchase order number, if any."""
    condition = within(
        actor,
        Permission.ORDER_READ,
        account=Order.account_id,
        unit=Order.unit_id,
        owner=Order.membership_id,
    )
    statement = select(Order).where(
        condition,
        Order.account_id == account_id,
        or_(Order.number == text.upper(), Order.purchase_order_number == text),
    )
    found = db.session.scalars(statement.limit(2)).all()
    return found[0] if len(found) == 1 else None
