"""Saving what is promised."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.events.actions import record
from portal.policy import Actor, P
from portal.service.clock.models import ServiceTarget
from portal.service.clock.queries import as_targets
from portal.service.clock.rules import Targets
from portal.service.clock.targets import PRIORITIES, TargetOrderError

LONGEST_TIER = 64


class TargetsChangedError(ConflictError):
    """Somebody else saved the promises meanwhile."""

    message = N_("Somebody else saved these targets meanwhile. Compare them with what you entered.")


class TierNameError(InvalidError):
    """A tier's name is too long or missing."""

    message = N_("Name the tier as in the account, with at most {most} characters.")
    field = "tier"


def save_targets(
    actor: Actor,
    tier: str,
    promised: Mapping[str, Targets],
    *,
    seen: str,
    now: datetime,
) -> None:
    """Replace what is promised to a tier (empty: to all accounts) for each priority.

    Clocks follow at once, also those of cases under way.

    Args:
        seen: Fingerprint of what the form showed (`fingerprint`).

    Raises:
        TargetsChangedError: Somebody else saved meanwhile.
        TargetOrderError: The manager would be told before the team.
        NotAllowedError, TierNameError: See there.
    """
    actor.must(P.SERVICE_SETUP)
    _check(tier, promised)
    with transaction():
        rows = _rows_of(tier)
        if fingerprint(rows) != seen:
            raise TargetsChangedError
        for priority in PRIORITIES:
            row = rows.get(priority)
            if row is None:
                row = ServiceTarget(tier=tier, priority=priority)
                db.session.add(row)
            _fill(row, promised[priority])
        db.session.flush()
        _record(actor, "service-targets.saved", tier, now, promised=_plain(promised))


def forget_targets(actor: Actor, tier: str, *, now: datetime) -> None:
    """Take back the promises of a tier: those to all accounts hold again, or the defaults."""
    actor.must(P.SERVICE_SETUP)
    with transaction():
        if _rows_of(tier):
            db.session.execute(delete(ServiceTarget).where(ServiceTarget.tier == tier))
            _record(actor, "service-targets.removed", tier, now)


def fingerprint(rows: Mapping[str, ServiceTarget]) -> str:
    """Return what a form remembers of what it showed."""
    return repr(sorted((key, _plain({key: as_targets(row)})[key]) for key, row in rows.items()))


def find_rows(tier: str) -> Mapping[str, ServiceTarget]:
    """Return the saved promises of one tier by priority."""
    return _rows_of(tier)


def _rows_of(tier: str) -> dict[str, ServiceTarget]:
    statement = select(ServiceTarget).where(ServiceTarget.tier == tier)
    return {row.priority: row for row in db.session.scalars(statement)}


def _check(tier: str, promised: Mapping[str, Targets]) -> None:
    if len(tier) > LONGEST_TIER:
        raise TierNameError(most=LONGEST_TIER)
    for targets in promised.values():
        if targets.escalate_after < targets.warn_after:
            raise TargetOrderError(warn=f"{targets.warn_after / timedelta(hours=1):g}")


def _fill(row: ServiceTarget, targets: Targets) -> None:
    row.first_answer_minutes = _minutes(targets.first_answer)
    row.resolution_minutes = _minutes(targets.resolution)
    row.warn_minutes = _minutes(targets.warn_after) or 1
    row.escalate_minutes = _minutes(targets.escalate_after) or 1


def _minutes(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration / timedelta(minutes=1))


def _plain(promised: Mapping[str, Targets]) -> dict[str, list[int | None]]:
    return {
        priority: [
            _minutes(item.first_answer),
            _minutes(item.resolution),
            _minutes(item.warn_after),
            _minutes(item.escalate_after),
        ]
        for priority, item in promised.items()
    }


def _record(actor: Actor, verb: str, tier: str, now: datetime, **data: object) -> None:
    record(
        actor,
        verb,
        kind="service-targets",
        object_id=None,
        number=tier,
        account_id=actor.account_id,
        now=now,
        **data,
    )
