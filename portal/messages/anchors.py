"""The last hash of each day, mailed to the auditors: what they keep, nobody can change later."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import select

from portal.accounts.models import Account, Membership, MembershipRole
from portal.config import Settings
from portal.db import EVERY_ROW, db, reaching, transaction
from portal.events.queries import last_hashes
from portal.jobs.actions import schedule
from portal.messages.actions import tell
from portal.policy import Role

MAIL: Final = "record.anchors"
KIND: Final = "record_anchors"


def plan_anchors(now: datetime) -> None:
    """Ask for the mail about the day that is over for the supplier; asked again, nothing happens.

    For days on which no worker ran no mail is made up: each hash holds for all rows before it.
    """
    day = _midnight(now).date() - timedelta(days=1)
    with reaching(EVERY_ROW), transaction():
        schedule(MAIL, {"day": day.isoformat()}, now=now, unique_key=f"{MAIL}:{day}")


def mail_anchors(payload: Mapping[str, Any], now: datetime) -> None:
    """Mail the last hash of each chain to the supplier's auditors, and their own to others."""
    day = date.fromisoformat(payload["day"])
    with reaching(EVERY_ROW), transaction():
        hashes = last_hashes(_end_of(day))
        accounts = db.session.scalars(
            select(Account)
            .where(Account.id.in_(sorted(hashes)))
            .order_by(Account.kind, Account.code)
        ).all()
        auditors = _find_auditors()
        rows = [{"account": account.code, "hash": hashes[account.id]} for account in accounts]
        for account, row in zip(accounts, rows, strict=True):
            if account.kind == "supplier":
                _tell(account, day, rows, now, supplier_roles=[Role.AUDITOR])
            elif account.id in auditors:
                _tell(account, day, [row], now, membership_ids=auditors[account.id])


def _tell(
    account: Account,
    day: date,
    rows: Sequence[Mapping[str, str]],
    now: datetime,
    **receivers: Any,  # noqa: ANN401 - of `tell`
) -> None:
    path = "/desk/events" if account.kind == "supplier" else "/company/events"
    subject = {"day": day.isoformat(), "chains": list(rows)}
    tell(KIND, account_id=account.id, subject=subject, now=now, path=path, **receivers)


def _find_auditors() -> dict[int, list[int]]:
    """Return the memberships of customers' own auditors, by account."""
    statement = (
        select(Membership.account_id, Membership.id)
        .join(MembershipRole, MembershipRole.membership_id == Membership.id)
        .where(MembershipRole.role == Role.AUDITOR.value, Membership.status == "active")
    )
    found: dict[int, list[int]] = {}
    for account_id, membership_id in db.session.execute(statement):
        found.setdefault(account_id, []).append(membership_id)
    return found


def _midnight(now: datetime) -> datetime:
    settings: Settings = current_app.config["SETTINGS"]
    return datetime.combine(now.astimezone(settings.zone).date(), time(), settings.zone)


def _end_of(day: date) -> datetime:
    settings: Settings = current_app.config["SETTINGS"]
    return datetime.combine(day + timedelta(days=1), time(), settings.zone)
