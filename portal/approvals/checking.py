"""What would be a dead end under a policy, and for whom: the real route, asked ahead."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from portal.approvals.facts import FactLine, Facts
from portal.approvals.people import Member, People
from portal.approvals.route import make_route
from portal.approvals.rules import Missing, Policy, Rule, When

SUBMITTING_ROLES: Final = frozenset({"shopper", "buyer", "site-buyer"})
MOST_REQUESTERS: Final = 300
CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something missing, at which total, and whose requests it would stop."""

    rule: Rule
    missing: Missing
    total: Decimal
    requesters: tuple[Member, ...]


def find_gaps(
    policy: Policy, people: People, units: frozenset[int | None], currency: str
) -> tuple[Gap, ...]:
    """Return the dead ends of each rule, were it the only one to hold.

    Args:
        units: The units for which this policy is the nearest.
    """
    found: dict[tuple[int, Missing], list[Member]] = {}
    totals: dict[int, Decimal] = {}
    for rule in policy.rules:
        alone = replace(policy, rules=(replace(rule, when=When()),))
        totals[rule.number] = _total(rule)
        for member in _requesters(people, policy, units):
            facts = _facts(member, people, totals[rule.number], currency)
            for missing in make_route(alone, facts, people).missing:
                found.setdefault((rule.number, missing), []).append(member)
    rules = {rule.number: rule for rule in policy.rules}
    return tuple(
        Gap(rules[number], missing, totals[number], tuple(members))
        for (number, missing), members in found.items()
    )


def _total(rule: Rule) -> Decimal:
    """Return the least total at which the rule could hold."""
    return Decimal(0) if rule.when.total_over is None else rule.when.total_over + CENT


def _requesters(people: People, policy: Policy, units: frozenset[int | None]) -> Iterator[Member]:
    """Yield the people who can submit; of those who are alike to the policy only one."""
    named = {email for rule in policy.rules for email in _emails(rule)}
    seen: set[object] = set()
    for member in people.members:
        if not (member.is_active and member.unit_id in units and member.roles & SUBMITTING_ROLES):
            continue
        alike = (
            member.unit_id,
            member.manager_id,
            member.roles,
            member.email if member.email in named else "",
            member.person_id if member.person_id in people.cost_centre_owners.values() else 0,
        )
        if alike not in seen and len(seen) < MOST_REQUESTERS:
            seen.add(alike)
            yield member


def _emails(rule: Rule) -> Iterable[str]:
    return (email for step in rule.steps for email in step.approvers.emails)


def _facts(member: Member, people: People, total: Decimal, currency: str) -> Facts:
    return Facts(
        currency=currency,
        net_total=total,
        unit_id=member.unit_id,
        submitted_by=member.membership_id,
        requester_person_ids=frozenset({member.person_id}),
        lines=tuple(
            FactLine(sku="", cost_centre=code) for code in sorted(people.cost_centre_owners)
        ),
    )
