"""Reports by mail: planned by the worker, worked out with their owner's rights of that moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.accounts.queries import load_actor
from portal.db import EVERY_ROW, db, lock, reaching, transaction
from portal.errors import N_, ConflictError, NotAllowedError, NotFoundError
from portal.events.actions import record
from portal.jobs import queries as jobs
from portal.jobs.actions import GiveUpError, running_job
from portal.jobs.requests import ask_for, keep_result
from portal.messages.actions import tell
from portal.policy import Actor
from portal.reports import saving
from portal.reports.exporting import file_of
from portal.reports.models import ReportSchedule, SavedView
from portal.reports.rhythm import Rhythm, next_instant
from portal.reports.tabling import MailTable, table_of

MAIL: Final = "reports.mail"
MOST_ATTEMPTS: Final = 5
MOST_SCHEDULES: Final = 20
PLANNED_AT_ONCE: Final = 500
RIGHTS: Final = "rights"
KIND: Final = "report-schedule"


class TooManySchedulesError(ConflictError):
    """The member gets as many reports by mail as anybody can read."""

    message = N_("You already get {count} reports by mail. End one of them first.")


def set_schedule(actor: Actor, view_id: int, rhythm: Rhythm, now: datetime) -> ReportSchedule:
    """Mail a view to the actor from now on; set again, it starts anew where it had stopped.

    Raises:
        ViewNotFoundError: Not a view that the actor sees.
        NoReportError: The actor may not read the report.
        TooManySchedulesError: The actor gets enough of them.
    """
    with transaction():
        view = saving.get_view(actor, view_id, is_locked=True)
        saving.must_read(actor, view.report)
        found = _own(actor, view)
        if found is not None and found.rhythm is rhythm and found.next_at is not None:
            return found
        if found is None:
            found = _new(actor, view, now)
        found.rhythm = rhythm
        found.next_at = next_instant(rhythm, now, ZoneInfo(actor.time_zone))
        found.stopped_for = None
        db.session.add(found)
        db.session.flush()
        _note(actor, "report-schedule.set", found, view.report, now, rhythm=rhythm.value)
    return found


def _own(actor: Actor, view: SavedView) -> ReportSchedule | None:
    return db.session.scalar(
        select(ReportSchedule).where(
            ReportSchedule.account_id == actor.account_id,
            ReportSchedule.saved_view_id == view.id,
            ReportSchedule.membership_id == actor.membership_id,
        )
    )


def _new(actor: Actor, view: SavedView, now: datetime) -> ReportSchedule:
    if actor.membership_id is None:
        raise NotAllowedError(permission=KIND)
    held = db.session.scalar(
        select(func.count())
        .select_from(ReportSchedule)
        .where(
            ReportSchedule.account_id == actor.account_id,
            ReportSchedule.membership_id == actor.membership_id,
        )
    )
    if (held or 0) >= MOST_SCHEDULES:
        raise TooManySchedulesError(count=MOST_SCHEDULES)
    return ReportSchedule(
        account_id=actor.account_id,
        saved_view_id=view.id,
        membership_id=actor.membership_id,
        created_at=now,
    )


def remove_schedule(actor: Actor, view_id: int, now: datetime) -> None:
    """Mail a view to the actor no more; where it is not mailed, nothing changes.

    Raises:
        ViewNotFoundError: Not a view that the actor sees.
    """
    with transaction():
        view = saving.get_view(actor, view_id, is_locked=True)
        found = _own(actor, view)
        if found is not None:
            _note(actor, "report-schedule.removed", found, view.report, now)
            db.session.delete(found)


def plan_reports(now: datetime) -> int:
    """Ask for every report whose time has come, each once; return how many.

    However long no worker ran, one mail follows and not one for each time that was missed.
    """
    with reaching(EVERY_ROW):
        due = db.session.scalars(
            select(ReportSchedule.id)
            .where(ReportSchedule.next_at <= now)
            .order_by(ReportSchedule.id)
            .limit(PLANNED_AT_ONCE)
        ).all()
        return sum(_plan(schedule_id, now) for schedule_id in due)


def _plan(schedule_id: int, now: datetime) -> bool:
    with transaction():
        schedule = db.session.scalar(
            lock(
                select(ReportSchedule).where(
                    ReportSchedule.id == schedule_id, ReportSchedule.next_at <= now
                )
            )
        )
        if schedule is None or schedule.next_at is None:
            return False  # another worker was quicker, or it was ended
        view = _view_of(schedule)
        actor = load_actor(schedule.membership_id)
        if actor is None:
            _stop(schedule, view, now)
            return False
        ask_for(
            actor,
            MAIL,
            {"schedule_id": schedule.id},
            title=view.name,
            address=saving.address_of(view.report, view.query),
            now=now,
            key=f"{schedule.id}:{schedule.next_at.isoformat()}",
            is_planned=True,
        )
        schedule.last_at = schedule.next_at
        schedule.next_at = next_instant(schedule.rhythm, now, ZoneInfo(actor.time_zone))
    return True


def _view_of(schedule: ReportSchedule) -> SavedView:
    return db.session.scalars(
        select(SavedView).where(
            SavedView.account_id == schedule.account_id, SavedView.id == schedule.saved_view_id
        )
    ).one()


def send_report(payload: Mapping[str, Any], now: datetime) -> None:
    """Work out the report of the job under way, keep its file, and mail both to its owner.

    Whoever may not read the report any more, or does not see the view, gets no mail of it again.
    """
    with reaching(EVERY_ROW):
        request = jobs.get_request(running_job() or 0)
        if request.file_hash is not None:
            return  # done before, but for the last line of the worker
        schedule = db.session.scalar(
            select(ReportSchedule)
            .options(joinedload(ReportSchedule.view))
            .where(ReportSchedule.id == payload["schedule_id"])
        )
        if schedule is None:
            return  # ended meanwhile
        schedule_id, view = schedule.id, schedule.view
        actor = load_actor(schedule.membership_id)
        is_seen = view.is_shared or view.membership_id == schedule.membership_id
        report, name, query = view.report, view.name, view.query
    try:
        if actor is None or not is_seen:
            raise NotAllowedError(permission=KIND)  # noqa: TRY301 - told as any other lost right
        saving.must_read(actor, report)
        table = table_of(actor, report, query)
        file = file_of(actor, saving.address_of(report, query, format="csv"))
    except (NotAllowedError, NotFoundError, saving.NoReportError, GiveUpError) as refusal:
        stop(schedule_id, now)
        raise GiveUpError(
            N_("The rights to this report are gone; it is mailed no more.")
        ) from refusal
    with reaching(EVERY_ROW), transaction():
        kept = keep_result(file, now)
        tell(
            "report_scheduled",
            account_id=kept.account_id,
            subject={"name": name, **_plain(table)},
            now=now,
            path=kept.address,
            membership_ids=[kept.membership_id],
            enclosed=[{"name": file.name, "media_type": file.media_type, "hash": file.digest}],
        )


def _plain(table: MailTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "header": list(table.header),
        "rows": [list(row) for row in table.rows],
        "totals": list(table.totals),
        "more_rows": table.more_rows,
        "notes": list(table.notes),
    }


def stop(schedule_id: int, now: datetime) -> None:
    """Mail a report no more because its owner may not read it; they are told, if they are there."""
    with reaching(EVERY_ROW), transaction():
        schedule = db.session.scalar(
            lock(select(ReportSchedule).where(ReportSchedule.id == schedule_id))
        )
        if schedule is not None and schedule.next_at is not None:
            _stop(schedule, _view_of(schedule), now)


def _stop(schedule: ReportSchedule, view: SavedView, now: datetime) -> None:
    schedule.next_at, schedule.stopped_for = None, RIGHTS
    _note(None, "report-schedule.stopped", schedule, view.report, now)
    tell(
        "report_stopped",
        account_id=schedule.account_id,
        subject={"name": view.name},
        now=now,
        path="/reports/views",
        membership_ids=[schedule.membership_id],
    )


def _note(
    actor: Actor | None,
    verb: str,
    schedule: ReportSchedule,
    report: str,
    now: datetime,
    **data: object,
) -> None:
    record(
        actor,
        verb,
        kind=KIND,
        object_id=schedule.id,
        number=report,
        account_id=schedule.account_id,
        now=now,
        view_id=schedule.saved_view_id,
        **data,
    )
