"""Signing limits: the levels that are added until somebody may sign for the total (rule 6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from portal.approvals.people import Member, People
from portal.approvals.rules import Cause, Missing, Needs, Reason, Step


@dataclass(frozen=True, slots=True)
class Signing:
    """The steps that a signing limit adds, or what is missing for them."""

    steps: tuple[Step, ...] = ()
    missing: tuple[Missing, ...] = ()


def sign(
    steps: Sequence[Step], total: Decimal, people: People, requesters: frozenset[int]
) -> Signing:
    """Return the levels added above ``steps`` so that the last one can sign for ``total``.

    The chain goes from the highest level's approver with the highest limit (on a draw the first by
    e-mail) to their manager and on upwards; inactive people and requesters are passed over.
    """
    level = max(step.level for step in steps)
    named = [member for step in steps if step.level == level for member in step.approvers]
    if not named or any(member.covers(total) for member in named):
        return Signing()
    return _upwards(level, named, total, people, requesters)


def sign_again(
    level: int,
    named: Sequence[Member],
    total: Decimal,
    people: People,
    requesters: frozenset[int],
) -> tuple[Step, ...]:
    """Return the levels added to a run that nobody may sign although all of ``level`` answered.

    Whoever answered while their limit was too low and may sign now is asked once more.
    """
    able = tuple(member for member in named if member.is_active and member.covers(total))
    if able:
        again = _step(level + 1, able, min(named, key=lambda member: member.limit).email)
        return (replace(again, distinct=True),)
    signing = _upwards(level, named, total, people, requesters) if named else Signing()
    return () if signing.missing else signing.steps


def _upwards(
    level: int,
    named: Sequence[Member],
    total: Decimal,
    people: People,
    requesters: frozenset[int],
) -> Signing:
    """Return the levels from the one with the highest limit to whoever may sign."""
    below = min(named, key=lambda member: (-member.limit, member.email))
    added: list[Step] = []
    for manager in people.managers_upwards(below):
        if not manager.is_active or manager.person_id in requesters:
            continue
        level += 1
        added.append(_step(level, (manager,), below.email))
        if manager.covers(total):
            return Signing(tuple(added))
        below = manager
    able = tuple(
        member
        for member in people.administrators()
        if member.person_id not in requesters and member.covers(total)
    )
    if able:
        return Signing((*added, _step(level + 1, able, below.email)))
    gap = Missing(level=level + 1, rule_numbers=(), needs=Needs.LIMIT)
    return Signing(tuple(added), (gap,))


def _step(level: int, approvers: tuple[Member, ...], below: str) -> Step:
    reason = Reason(cause=Cause.SIGNING_LIMIT, below=below)
    return Step(level=level, rule_numbers=(), approvers=approvers, quorum=1, reasons=(reason,))
