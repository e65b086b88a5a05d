"""The route: one pure function from policy, facts and people to the steps of an approval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from portal.approvals.conditions import compare, holds, waits_for_total
from portal.approvals.facts import Facts
from portal.approvals.people import ADMINISTRATOR, Member, People, by_email
from portal.approvals.rules import (
    Approvers,
    Ask,
    Cause,
    Comparison,
    Missing,
    Needs,
    NextThreshold,
    PlannedStep,
    Policy,
    Quorum,
    Reason,
    Route,
    RouteOutcome,
    Rule,
    Step,
)
from portal.approvals.signing import sign

Compared = tuple[tuple[Rule, tuple[Comparison, ...]], ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The people of one step; ``replaced`` are the requesters for whom others answer."""

    members: tuple[Member, ...]
    replaced: tuple[Member, ...] = ()


def make_route(policy: Policy | None, facts: Facts, people: People) -> Route:
    """Return the route of a subject.

    Args:
        policy: That of the requester's unit or the nearest above; ``None`` where there is none at
            all: the site administrators approve then, and no signing limit is asked for.
        facts: What the subject states.
        people: Everybody of the account.
    """
    if policy is None:
        return _without_policy(facts, people)
    roles = requester_roles(facts, people)
    compared = tuple((rule, compare(policy, rule, facts, roles)) for rule in policy.rules)
    route = Route(
        outcome=RouteOutcome.AUTO_APPROVED,
        total=facts.total(policy.basis),
        currency=facts.currency,
        signing_required=policy.signing_required,
        next_threshold=_next_threshold(policy, facts, compared),
        comparisons=tuple((rule.number, comparisons) for rule, comparisons in compared),
    )
    applying = tuple((rule, comparisons) for rule, comparisons in compared if holds(comparisons))
    if not applying:
        return route
    return _finish(route, *_steps(applying, facts, people), facts, people)


def requester_roles(facts: Facts, people: People) -> frozenset[str]:
    """Return the roles of everybody who created, changed or submitted.

    Of the one who submits the roles of that membership count, of the others those they have in
    this account.
    """
    submitter = people.get(facts.submitted_by)
    others = facts.requester_person_ids - {submitter.person_id if submitter else None}
    members = [item for item in people.members if item.person_id in others]
    return frozenset().union(*(item.roles for item in [*members, *filter(None, [submitter])]))


def _without_policy(facts: Facts, people: People) -> Route:
    planned = PlannedStep(1, Approvers(Ask.ROLE, role=ADMINISTRATOR))
    named = _replace_requesters(people.administrators(), facts, people)
    steps = [
        Step(
            level=1,
            rule_numbers=(),
            approvers=named.members,
            quorum=1,
            reasons=(Reason(cause=Cause.NO_POLICY, replaced=_emails(named.replaced)),),
        )
    ]
    gap = _missing(planned, (), named.members, 1)
    return Route(
        outcome=RouteOutcome.DEAD_END if gap else RouteOutcome.STEPS,
        total=facts.net_total,
        currency=facts.currency,
        signing_required=False,
        steps=() if gap else tuple(steps),
        missing=gap,
    )


def _finish(
    route: Route, steps: list[Step], missing: list[Missing], facts: Facts, people: People
) -> Route:
    """Merge equal steps, add the levels that signing limits ask for, and judge the whole."""
    merged = _merge(steps)
    if route.signing_required and merged:
        signing = sign(merged, route.total, people, facts.requester_person_ids)
        merged += signing.steps
        missing = [*missing, *signing.missing]
    return replace(
        route,
        outcome=RouteOutcome.DEAD_END if missing else RouteOutcome.STEPS,
        steps=merged,
        missing=tuple(sorted(missing, key=lambda gap: (gap.level, gap.rule_numbers))),
    )


def _steps(applying: Compared, facts: Facts, people: People) -> tuple[list[Step], list[Missing]]:
    """Name the people of every step of the rules that hold."""
    steps: list[Step] = []
    missing: list[Missing] = []
    for rule, comparisons in applying:
        for planned in rule.steps:
            named = _replace_requesters(_named(planned.approvers, facts, people), facts, people)
            quorum = 1 if named.replaced else _needed(planned.quorum, len(named.members))
            gap = _missing(planned, (rule.number,), named.members, quorum)
            missing.extend(gap)
            if not gap:
                reason = _reason(rule, planned, comparisons, named)
                steps.append(
                    Step(
                        level=planned.level,
                        rule_numbers=(rule.number,),
                        approvers=named.members,
                        quorum=quorum,
                        reasons=(reason,),
                        distinct=rule.distinct,
                    )
                )
    return steps, missing


def _reason(
    rule: Rule, planned: PlannedStep, comparisons: tuple[Comparison, ...], named: Named
) -> Reason:
    return Reason(
        cause=Cause.RULE,
        rule_number=rule.number,
        rule_name=rule.name,
        comparisons=comparisons,
        ask=planned.approvers.ask,
        role=planned.approvers.role,
        replaced=_emails(named.replaced),
    )


def _named(approvers: Approvers, facts: Facts, people: People) -> tuple[Member, ...]:
    """Return the active people whom a step asks (rule 2)."""
    match approvers.ask:
        case Ask.PERSONS:
            return people.persons(approvers.emails, facts.unit_id)
        case Ask.ROLE:
            return people.holders(approvers.role, facts.unit_id)
        case Ask.COST_CENTRE_OWNER:
            return people.owners(facts.cost_centres, facts.unit_id)
        case Ask.MANAGER:
            manager = people.manager(people.get(facts.submitted_by))
            return (manager,) if manager is not None and manager.is_active else ()


def _replace_requesters(named: Sequence[Member], facts: Facts, people: People) -> Named:
    """Take the requesters out; where nobody is left their superiors answer (rule 3)."""
    requesters = facts.requester_person_ids
    taken = tuple(member for member in named if member.person_id in requesters)
    left = tuple(member for member in named if member.person_id not in requesters)
    if left or not taken:
        return Named(left)
    return Named(superiors_of(taken, people, requesters), taken)


def superiors_of(
    taken: Sequence[Member], people: People, requesters: frozenset[int]
) -> tuple[Member, ...]:
    """Return who answers instead of people: their managers upwards, else site administrators."""
    above = (_superior(member, people, requesters) for member in taken)
    superiors = by_email(member for member in above if member is not None)
    if superiors:
        return superiors
    return tuple(member for member in people.administrators() if member.person_id not in requesters)


def _superior(member: Member, people: People, requesters: frozenset[int]) -> Member | None:
    for manager in people.managers_upwards(member):
        if manager.is_active and manager.person_id not in requesters:
            return manager
    return None


def _needed(quorum: Quorum, found: int) -> int:
    """Return how many different people a step needs (rule 4); at least one."""
    if quorum == "any":
        return 1
    return max(found, 1) if quorum == "all" else quorum


def _missing(
    planned: PlannedStep, rule_numbers: tuple[int, ...], found: Sequence[Member], quorum: int
) -> tuple[Missing, ...]:
    if len(found) >= quorum:
        return ()
    if found:
        needs = Needs.NUMBER
    else:
        needs = Needs.ROLE if planned.approvers.ask is Ask.ROLE else Needs.PERSON
    return (
        Missing(
            level=planned.level,
            rule_numbers=rule_numbers,
            needs=needs,
            role=planned.approvers.role,
            wanted=quorum,
            found=len(found),
        ),
    )


def _merge(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Make one step of those with the same level, people and quorum (rule 5)."""
    merged: dict[tuple[int, frozenset[int], int], Step] = {}
    for step in steps:
        key = (step.level, step.person_ids, step.quorum)
        known = merged.get(key)
        if known is not None:
            step = replace(  # noqa: PLW2901 - the step that goes on is the joined one
                known,
                rule_numbers=tuple(sorted({*known.rule_numbers, *step.rule_numbers})),
                reasons=(*known.reasons, *step.reasons),
                distinct=known.distinct or step.distinct,
            )
        merged[key] = step
    return tuple(
        sorted(
            merged.values(),
            key=lambda step: (step.level, step.rule_numbers, _emails(step.approvers)),
        )
    )


def _next_threshold(policy: Policy, facts: Facts, compared: Compared) -> NextThreshold | None:
    total = facts.total(policy.basis)
    ahead = [
        (rule.when.total_over - total, rule.number)
        for rule, comparisons in compared
        if rule.when.total_over is not None and waits_for_total(comparisons)
    ]
    if not ahead:
        return None
    amount, number = min(ahead)
    return NextThreshold(number, amount)


def _emails(members: Iterable[Member]) -> tuple[str, ...]:
    return tuple(sorted(member.email for member in members))
