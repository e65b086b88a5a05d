"""What follows every step of a case: its event, and who is told."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from portal.db import db
from portal.events.actions import record
from portal.messages.actions import tell
from portal.policy import Actor, Role
from portal.service.cases.models import Case, ServiceTeamMember
from portal.service.cases.rules import KIND

LONGEST_QUOTE = 4_000


def note_step(actor: Actor | None, case: Case, verb: str, now: datetime, **data: object) -> None:
    """Write the event of a step and count the change.

    Args:
        data: Ids and figures; the state and priority after the step are added.
    """
    case.changed_at, case.version = now, case.version + 1
    db.session.flush()
    record(
        actor,
        verb,
        kind=KIND,
        object_id=case.id,
        number=case.number,
        account_id=case.account_id,
        now=now,
        status=case.status.value,
        priority=case.priority.value,
        **data,
    )


def tell_customer(case: Case, kind: str, now: datetime, *, text: str = "", who: str = "") -> None:
    """Tell the requester how their case goes on."""
    _tell(case, kind, now, membership_ids=[case.membership_id], text=text, who=who)


def tell_service(case: Case, kind: str, now: datetime, *, text: str = "", who: str = "") -> None:
    """Tell who works on the case: its agent, else its team, else every agent."""
    receivers = [case.assignee_id] if case.assignee_id else find_member_ids(case.team_id)
    roles = () if receivers else (Role.SERVICE_AGENT,)
    _tell(case, kind, now, membership_ids=receivers, supplier_roles=roles, text=text, who=who)


def find_member_ids(team_id: int | None) -> list[int]:
    """Return the memberships of a team."""
    statement = select(ServiceTeamMember.membership_id).where(ServiceTeamMember.team_id == team_id)
    return list(db.session.scalars(statement.order_by(ServiceTeamMember.membership_id)))


def _tell(  # noqa: PLR0913 - what a message needs, all named at the call
    case: Case,
    kind: str,
    now: datetime,
    *,
    membership_ids: Iterable[int],
    supplier_roles: Iterable[Role] = (),
    text: str = "",
    who: str = "",
) -> None:
    tell(
        kind,
        account_id=case.account_id,
        path=f"/service/cases/{case.number}",
        now=now,
        membership_ids=membership_ids,
        supplier_roles=supplier_roles,
        thread=case.number,
        subject={
            "number": case.number,
            "subject": case.subject,
            "case_kind": case.kind.value,
            "priority": case.priority.value,
            "account": case.account.name,
            "text": text[:LONGEST_QUOTE],
            "who": who,
        },
    )
