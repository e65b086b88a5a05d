"""What follows every step of a repair: its row, its event, and who is told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from portal.db import db
from portal.events.actions import record
from portal.messages.actions import tell
from portal.policy import Actor, Role
from portal.service.cases.models import Case
from portal.service.cases.recording import find_member_ids
from portal.service.repairs.models import Repair, RepairStep
from portal.service.repairs.rules import KIND

LONGEST_QUOTE: Final = 4_000


def note_step(
    actor: Actor | None,
    repair: Repair,
    verb: str,
    now: datetime,
    *,
    note: str = "",
    is_internal: bool = False,
) -> None:
    """Keep a step with its words, write its event and count the change."""
    repair.stepped_at = now
    db.session.add(
        RepairStep(
            account_id=repair.account_id,
            repair_id=repair.id,
            verb=verb,
            status=repair.status,
            note=note,
            is_internal=is_internal,
            person_id=actor.person_id if actor else None,
            taken_at=now,
        )
    )
    note_change(actor, repair, verb, now)


def note_change(
    actor: Actor | None, repair: Repair, verb: str, now: datetime, **data: object
) -> None:
    """Write an event of a repair and count the change; words stay out of the record."""
    repair.version += 1
    db.session.flush()
    record(
        actor,
        verb,
        kind=KIND,
        object_id=repair.id,
        number=repair.number,
        account_id=repair.account_id,
        now=now,
        status=repair.status.value,
        case_id=repair.case_id,
        **data,
    )


def tell_customer(
    kind: str,
    case: Case,
    repair: Repair,
    now: datetime,
    *,
    membership_ids: Iterable[int] | None = None,
    path: str = "",
    **more: Any,  # noqa: ANN401 - plain data of the mail
) -> None:
    """Tell the requester how the repair goes on, or whoever else of the account is named."""
    tell(
        kind,
        account_id=case.account_id,
        path=path or f"/service/cases/{case.number}",
        now=now,
        membership_ids=[case.membership_id] if membership_ids is None else membership_ids,
        thread=case.number,
        subject=_subject(case, repair, more),
    )


def tell_service(kind: str, case: Case, repair: Repair, now: datetime, **more: Any) -> None:  # noqa: ANN401
    """Tell who works on the case: its agent, else its team, else every agent."""
    receivers = [case.assignee_id] if case.assignee_id else find_member_ids(case.team_id)
    tell(
        kind,
        account_id=case.account_id,
        path=f"/service/cases/{case.number}",
        now=now,
        membership_ids=receivers,
        supplier_roles=() if receivers else (Role.SERVICE_AGENT,),
        thread=case.number,
        subject=_subject(case, repair, more),
    )


def _subject(case: Case, repair: Repair, more: dict[str, Any]) -> dict[str, Any]:
    text = str(more.pop("text", ""))[:LONGEST_QUOTE]
    return {
        "number": case.number,
        "subject": case.subject,
        "account": case.account.name,
        "repair": repair.number,
        "tag": repair.asset.service_tag,
        "way": repair.way.value,
        "text": text,
        **more,
    }
