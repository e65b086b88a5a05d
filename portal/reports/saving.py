"""Saved views of reports: a name for a report with its period and filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Membership
from portal.db import db, lock, transaction
from portal.errors import N_, ConflictError, InvalidError, NotAllowedError, NotFoundError
from portal.events.actions import record
from portal.policy import Actor
from portal.reports.models import ReportSchedule, SavedView
from portal.reports.running import REPORTS, get_report

KIND: Final = "saved-view"
ROOT: Final = "/reports/"
LONGEST_NAME: Final = 80
LONGEST_QUERY: Final = 2_000
MOST_VIEWS: Final = 100
IGNORED: Final = frozenset({"format", "page"})
"""Arguments of an address that say how a report is shown, not what it holds."""


class ViewNotFoundError(NotFoundError):
    """No such view of this member, nor one that is shared with them."""

    message = N_("There is no saved view {number} that you can see.")


class NoReportError(InvalidError):
    """The address names no report that this member may read."""

    message = N_("There is no such report that you may read.")


class NameTakenError(ConflictError):
    """The member has a view of this name on this report."""

    message = N_("You already have a view “{name}” of this report.")


class NoNameError(InvalidError):
    """A view needs a name."""

    message = N_("Give the view a name of at most {most} characters.")


class TooManyViewsError(ConflictError):
    """The member has as many views as can be kept apart."""

    message = N_("You have {count} saved views. Remove one first.")


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A saved view as a list shows it: whose it is, and the reader's own schedule."""

    view: SavedView
    owner: str
    is_own: bool
    schedule: ReportSchedule | None

    @property
    def address(self) -> str:
        """The page of the report with the view's period and filters."""
        return address_of(self.view.report, self.view.query)


def address_of(report: str, query: str, **further: str) -> str:
    """Return the address of a report with a query and further arguments."""
    arguments = [*parse_qsl(query, keep_blank_values=True), *further.items()]
    return f"{ROOT}{report}?{urlencode(arguments)}" if arguments else f"{ROOT}{report}"


def clean_query(raw: str) -> str:
    """Return what of a query string belongs to a view.

    Raises:
        NoReportError: It is longer than any filter makes it.
    """
    pairs = parse_qsl(raw.lstrip("?")[: LONGEST_QUERY * 2], keep_blank_values=False)
    query = urlencode([pair for pair in pairs if pair[0] not in IGNORED])
    if len(query) > LONGEST_QUERY:
        raise NoReportError
    return query


def must_read(actor: Actor, report: str) -> None:
    """Refuse a report that the actor may not read, or that does not exist, in the same words.

    Raises:
        NoReportError: Either.
    """
    try:
        get_report(actor, report)
    except (NotAllowedError, NotFoundError):
        raise NoReportError from None


def title_of(report: str) -> str:
    """Return what a report is called, in the reader's language."""
    return str(REPORTS[report].title) if report in REPORTS else report


def visible_to(actor: Actor) -> Select[SavedView]:
    """Return the actor's own views and those shared in their account."""
    return select(SavedView).where(
        SavedView.account_id == actor.account_id,
        or_(SavedView.membership_id == actor.membership_id, SavedView.is_shared.is_(True)),
    )


def find_views(actor: Actor, report: str | None = None) -> Sequence[ViewRow]:
    """Return the views that the actor sees, own ones first, by name; of one report or of all."""
    statement = (
        visible_to(actor)
        .add_columns(ReportSchedule)
        .outerjoin(
            ReportSchedule,
            (ReportSchedule.saved_view_id == SavedView.id)
            & (ReportSchedule.membership_id == actor.membership_id),
        )
        .options(joinedload(SavedView.membership).joinedload(Membership.person))
        .order_by(SavedView.report, SavedView.name, SavedView.id)
    )
    if report is not None:
        statement = statement.where(SavedView.report == report)
    rows = [
        ViewRow(
            view=view,
            owner=view.membership.person.name,
            is_own=view.membership_id == actor.membership_id,
            schedule=schedule,
        )
        for view, schedule in db.session.execute(statement)
    ]
    return sorted(rows, key=lambda row: not row.is_own)


def get_row(actor: Actor, view_id: int) -> ViewRow:
    """Return a view that the actor sees as a list shows it.

    Raises:
        ViewNotFoundError: There is none.
    """
    found = next((row for row in find_views(actor) if row.view.id == view_id), None)
    if found is None:
        raise ViewNotFoundError(number=view_id)
    return found


def get_view(
    actor: Actor, view_id: int, *, is_own: bool = False, is_locked: bool = False
) -> SavedView:
    """Return a view that the actor sees; with ``is_own`` only one of their own.

    Raises:
        ViewNotFoundError: There is none.
    """
    statement = visible_to(actor).where(SavedView.id == view_id)
    if is_own:
        statement = statement.where(SavedView.membership_id == actor.membership_id)
    view = db.session.scalar(lock(statement) if is_locked else statement)
    if view is None:
        raise ViewNotFoundError(number=view_id)
    return view


def save_view(
    actor: Actor, report: str, query: str, name: str, *, is_shared: bool, now: datetime
) -> SavedView:
    """Save a report with its period and filters under a name; the same again changes nothing.

    Raises:
        NoReportError: Not a report that the actor may read.
        NoNameError: The name is empty or too long.
        NameTakenError: Another view of the actor on this report has the name.
        TooManyViewsError: The actor has enough of them.
    """
    must_read(actor, report)
    kept, called = clean_query(query), _clean_name(name)
    membership_id = _member(actor)
    with transaction():
        own = db.session.scalars(
            select(SavedView).where(
                SavedView.account_id == actor.account_id,
                SavedView.membership_id == membership_id,
            )
        ).all()
        same = next((v for v in own if (v.report, v.name) == (report, called)), None)
        if same is not None:
            if (same.query, same.is_shared) != (kept, is_shared):
                raise NameTakenError(name=called)
            return same
        if len(own) >= MOST_VIEWS:
            raise TooManyViewsError(count=MOST_VIEWS)
        view = SavedView(
            account_id=actor.account_id,
            membership_id=membership_id,
            report=report,
            name=called,
            query=kept,
            is_shared=is_shared,
            created_at=now,
        )
        db.session.add(view)
        db.session.flush()
        note(actor, "saved-view.made", view, now, is_shared=is_shared)
    return view


def change_view(
    actor: Actor, view_id: int, *, name: str, is_shared: bool, now: datetime
) -> SavedView:
    """Rename one of the actor's views, share it or take it back.

    Taken back, it is mailed to nobody but its owner any more.

    Raises:
        ViewNotFoundError: Not the actor's.
        NoNameError, NameTakenError: What was typed.
    """
    called = _clean_name(name)
    with transaction():
        view = get_view(actor, view_id, is_own=True, is_locked=True)
        if (view.name, view.is_shared) == (called, is_shared):
            return view
        if called != view.name and _is_taken(view, called):
            raise NameTakenError(name=called)
        view.name, view.is_shared = called, is_shared
        if not is_shared:
            _forget_schedules(view, but=view.membership_id)
        note(actor, "saved-view.changed", view, now, is_shared=is_shared)
    return view


def remove_view(actor: Actor, view_id: int, now: datetime) -> str:
    """Remove one of the actor's views with every schedule of it; return its report.

    Raises:
        ViewNotFoundError: Not the actor's.
    """
    with transaction():
        view = get_view(actor, view_id, is_own=True, is_locked=True)
        report = view.report
        note(actor, "saved-view.removed", view, now, is_shared=view.is_shared)
        _forget_schedules(view, but=None)
        db.session.flush()
        db.session.delete(view)
    return report


def _forget_schedules(view: SavedView, *, but: int | None) -> None:
    schedules = db.session.scalars(
        select(ReportSchedule).where(
            ReportSchedule.account_id == view.account_id, ReportSchedule.saved_view_id == view.id
        )
    )
    for schedule in schedules:
        if schedule.membership_id != but:
            db.session.delete(schedule)


def _is_taken(view: SavedView, name: str) -> bool:
    return (
        db.session.scalar(
            select(SavedView.id).where(
                SavedView.account_id == view.account_id,
                SavedView.membership_id == view.membership_id,
                SavedView.report == view.report,
                SavedView.name == name,
            )
        )
        is not None
    )


def _clean_name(name: str) -> str:
    called = " ".join(name.split())
    if not called or len(called) > LONGEST_NAME or not called.isprintable():
        raise NoNameError(most=LONGEST_NAME)
    return called


def _member(actor: Actor) -> int:
    if actor.membership_id is None:
        raise NotAllowedError(permission=KIND)
    return actor.membership_id


def note(actor: Actor | None, verb: str, view: SavedView, now: datetime, **data: object) -> None:
    """Note what was done with a view, by the report's name and the view's id."""
    record(
        actor,
        verb,
        kind=KIND,
        object_id=view.id,
        number=view.report,
        account_id=view.account_id,
        now=now,
        **data,
    )
