"""Saving and writing out policies: a new dated version each time something changes."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Account, Unit
from portal.accounts.queries import AccountNotFoundError, get_account
from portal.approvals.checking import Gap, find_gaps
from portal.approvals.models import ApprovalPolicy
from portal.approvals.people import People
from portal.approvals.policy_file import PolicyFileError, Problem, load_policy, policy_json
from portal.approvals.population import find_policies, find_versions, load_people
from portal.approvals.rules import Ask, Policy
from portal.db import db, transaction
from portal.errors import N_, NotFoundError
from portal.events.actions import record
from portal.policy import Actor, Permission


class PolicyNotFoundError(NotFoundError):
    """There is no such policy."""

    message = N_("There is no approval policy here.")


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What an import of a policy did or would do, counted in rules.

    ``policy`` is what was read, ``gaps`` the dead ends it would have, ``unknown`` e-mail addresses
    and cost centres that the account does not have.
    """

    new: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    refused: tuple[Problem, ...] = ()
    policy: Policy | None = None
    gaps: tuple[Gap, ...] = ()
    unknown: tuple[str, ...] = ()
    version: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the shape that every import prints; a row is a rule's place, 0 the head."""
        return {
            "kind": "policy",
            "new": self.new,
            "changed": self.changed,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "refused": [
                {
                    "row": _row(item.path),
                    "column": item.path,
                    "value": item.value,
                    "reason": item.reason,
                }
                for item in self.refused
            ],
            "made": [],
        }


def _row(path: str) -> int:
    place = re.match(r"rules\[(\d+)\]", path)
    return int(place.group(1)) + 1 if place else 0


def import_policy_file(
    actor: Actor, text: str | bytes, now: datetime, *, dry_run: bool = False
) -> PolicyReport:
    """Read a policy file and save it as the next version; a dry run only says what would happen.

    Returns:
        A report; where ``refused`` is not empty nothing was written.

    Raises:
        NotAllowedError: The actor may not save policies.
    """
    actor.must(Permission.POLICY_SAVE)
    try:
        policy = load_policy(text)
    except PolicyFileError as error:
        return PolicyReport(refused=error.problems)
    return save_policy(actor, policy, now, dry_run=dry_run)


def save_policy(
    actor: Actor, policy: Policy, now: datetime, *, dry_run: bool = False
) -> PolicyReport:
    """Save a policy as the next version, unless it equals the one in force.

    Raises:
        NotAllowedError: The actor may not save policies, or not those of this account.
    """
    actor.must(Permission.POLICY_SAVE)
    with transaction():
        try:
            account = get_account(actor, policy.account_code, is_locked=not dry_run)
        except AccountNotFoundError as error:
            return _refused("account_code", policy.account_code, error.message, error.details)
        actor.must_reach(Permission.POLICY_SAVE, account_id=account.id)
        unit = _unit(account, policy.unit_code)
        if policy.unit_code is not None and unit is None:
            return _refused("unit_code", policy.unit_code, N_("The account has no such unit."), {})
        versions = find_versions(account.id, unit.id if unit else None)
        report = _report(account, unit, policy, versions[0] if versions else None)
        if dry_run or not (report.new or report.changed or report.removed):
            return report
        _write(actor, account, unit, policy, report.version or 1, now)
        return report


def _refused(path: str, value: str, message: str, details: dict[str, object]) -> PolicyReport:
    texts = {name: str(item) for name, item in details.items()}
    return PolicyReport(refused=(Problem(path, value, message, texts),))


def _unit(account: Account, code: str | None) -> Unit | None:
    if code is None:
        return None
    return db.session.scalar(select(Unit).where(Unit.account_id == account.id, Unit.code == code))


def _report(
    account: Account, unit: Unit | None, policy: Policy, latest: ApprovalPolicy | None
) -> PolicyReport:
    people = load_people(account.id)
    known = {rule.number: rule for rule in latest.policy.rules} if latest else {}
    wanted = {rule.number: rule for rule in policy.rules}
    same = {number for number in known.keys() & wanted.keys() if known[number] == wanted[number]}
    new = len(wanted.keys() - known.keys())
    changed = len(known.keys() & wanted.keys()) - len(same)
    if latest is None:
        new = max(new, 1)
    elif _head(latest.policy) != _head(policy):
        changed += 1
    return PolicyReport(
        new=new,
        changed=changed,
        removed=len(known.keys() - wanted.keys()),
        unchanged=len(same),
        policy=policy,
        gaps=find_gaps(
            policy, people, units_under(people, unit.id if unit else None), account.currency
        ),
        unknown=_unknown(policy, people),
        version=latest.version + 1 if latest else 1,
    )


def _head(policy: Policy) -> dict[str, Any]:
    return {key: value for key, value in policy_json(policy).items() if key != "rules"}


def units_under(people: People, unit_id: int | None) -> frozenset[int | None]:
    """Return a unit and everything below it; ``None`` is the account, above all units."""
    every: set[int | None] = {*people.parents, None}
    if unit_id is None:
        return frozenset(every)
    return frozenset(unit for unit in every if unit_id in people.units_upwards(unit))


def _unknown(policy: Policy, people: People) -> tuple[str, ...]:
    emails = {member.email.lower() for member in people.members}
    named = [
        email
        for rule in policy.rules
        for step in rule.steps
        if step.approvers.ask is Ask.PERSONS
        for email in step.approvers.emails
        if email not in emails
    ]
    centres = [
        code
        for rule in policy.rules
        for code in rule.when.cost_centres
        if code not in people.cost_centre_owners
    ]
    return tuple(dict.fromkeys([*named, *centres]))


def _write(
    actor: Actor, account: Account, unit: Unit | None, policy: Policy, version: int, now: datetime
) -> None:
    row = ApprovalPolicy(
        account_id=account.id,
        unit_id=unit.id if unit else None,
        unit_key=unit.id if unit else 0,
        version=version,
        valid_from=now,
        document=policy_json(policy),
        saved_by_person_id=actor.person_id,
    )
    db.session.add(row)
    db.session.flush()
    record(
        actor,
        "policy.saved",
        kind="policy",
        object_id=row.id,
        number=f"{account.code}/{unit.code}" if unit else account.code,
        account_id=account.id,
        now=now,
        version=version,
        rules=len(policy.rules),
    )


def export_policies(actor: Actor, account_code: str, now: datetime) -> list[dict[str, Any]]:
    """Return the policies in force of an account in the file's shape, the account's own first.

    Raises:
        AccountNotFoundError, NotAllowedError: Not within the actor's reach.
    """
    actor.must(Permission.POLICY_READ)
    account = get_account(actor, account_code)
    actor.must_reach(Permission.POLICY_READ, account_id=account.id)
    return [policy_json(row.policy) for row in find_policies(account.id, now)]


def export_policy(
    actor: Actor, account_code: str, unit_code: str | None, now: datetime
) -> dict[str, Any]:
    """Return one policy in the file's shape.

    Raises:
        PolicyNotFoundError: The account or unit has none of its own.
    """
    for document in export_policies(actor, account_code, now):
        if document["unit_code"] == unit_code:
            return document
    raise PolicyNotFoundError
