"""A policy in sentences: what each rule asks for, whom that means today, and its dead ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.approvals.checking import Gap, find_gaps
from portal.approvals.models import ApprovalPolicy
from portal.approvals.people import Member, People
from portal.approvals.policy_import import units_under
from portal.approvals.rules import Ask, PlannedStep, Policy, Rule, When
from portal.approvals.words import missing_sentence, role_name
from portal.web.formats import money, percent


@dataclass(frozen=True, slots=True)
class StepSentence:
    """One step in words, and who that is today, with units where they differ."""

    level: int
    text: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSentence:
    """One rule in words."""

    number: int
    name: str
    when: str
    steps: tuple[StepSentence, ...]
    is_distinct: bool


@dataclass(frozen=True, slots=True)
class PolicySentences:
    """A whole policy in words, with a warning for each dead end."""

    rules: tuple[RuleSentence, ...]
    head: tuple[str, ...]
    warnings: tuple[str, ...]


def describe(row: ApprovalPolicy, people: People, currency: str) -> PolicySentences:
    """Return a saved policy in words."""
    gaps = find_gaps(row.policy, people, units_under(people, row.unit_id), currency)
    return describe_policy(row.policy, people, gaps, currency)


def describe_policy(
    policy: Policy, people: People, gaps: tuple[Gap, ...], currency: str
) -> PolicySentences:
    """Return a policy in words, saved or not."""
    return PolicySentences(
        rules=tuple(_rule(rule, people, currency) for rule in policy.rules),
        head=tuple(_head(policy)),
        warnings=tuple(gap_sentence(gap, currency) for gap in gaps),
    )


def gap_sentence(gap: Gap, currency: str) -> str:
    """Say what is missing and whose requests it would stop."""
    others = len(gap.requesters) - 1
    first = gap.requesters[0].name
    whose = (
        ngettext(
            "Requests by %(name)s and %(num)s more could not be submitted.",
            "Requests by %(name)s and %(num)s more could not be submitted.",
            others,
            name=first,
        )
        if others
        else _("Requests by %(name)s could not be submitted.", name=first)
    )
    missing = missing_sentence(gap.missing, gap.total, currency)
    return _(
        "Rule %(number)s, %(name)s: %(missing)s %(whose)s",
        number=gap.rule.number,
        name=gap.rule.name,
        missing=missing,
        whose=whose,
    )


def _head(policy: Policy) -> Iterator[str]:
    if policy.basis == "gross":
        yield _("Totals are judged with tax.")
    else:
        yield _("Totals are judged without tax, with freight.")
    if policy.signing_required:
        yield _("Somebody whose signing limit covers the total has to approve last.")
    else:
        yield _("Signing limits are not asked for.")
    if policy.keep_unchanged:
        yield _("A new revision keeps the approvals of steps that did not change.")
    else:
        yield _("Every new revision is approved anew.")
    if policy.reminder_hours is not None:
        yield _("Reminder after %(hours)s business hours.", hours=policy.reminder_hours)
    if policy.escalation_hours is not None:
        yield _("Escalation after %(hours)s business hours.", hours=policy.escalation_hours)


def _rule(rule: Rule, people: People, currency: str) -> RuleSentence:
    conditions = list(_conditions(rule.when, currency))
    return RuleSentence(
        number=rule.number,
        name=rule.name,
        when=" ".join(conditions) if conditions else _("Applies always."),
        steps=tuple(_step(step, people) for step in rule.steps),
        is_distinct=rule.distinct,
    )


def _conditions(when: When, currency: str) -> Iterator[str]:
    if when.total_over is not None:
        yield _("The total is over %(amount)s.", amount=money(when.total_over, currency))
    if when.total_up_to is not None:
        yield _("The total is at most %(amount)s.", amount=money(when.total_up_to, currency))
    yield from _line_conditions(when)
    if when.requester_roles:
        roles = ", ".join(role_name(role) for role in when.requester_roles)
        yield _("The requester is: %(roles)s.", roles=roles)
    if when.requester_total_over is not None:
        yield _(
            "The requester’s total of %(days)s days is over %(amount)s.",
            days=when.requester_total_over.days,
            amount=money(when.requester_total_over.amount, currency),
        )


def _line_conditions(when: When) -> Iterator[str]:
    if when.category_under is not None:
        yield _("Some line is in the category %(category)s.", category=when.category_under)
    if when.off_contract:
        yield _("Some line is at list price, outside the agreement.")
    if when.discount_over_percent is not None:
        discount = percent(Decimal(when.discount_over_percent))
        yield _("Some line has a discount of over %(percent)s.", percent=discount)
    if when.cost_centres:
        yield _("Some line is booked to %(centres)s.", centres=", ".join(when.cost_centres))
    if when.ship_to_countries:
        countries = ", ".join(when.ship_to_countries)
        yield _("Some line is delivered to %(countries)s.", countries=countries)


def _step(step: PlannedStep, people: People) -> StepSentence:
    match step.approvers.ask:
        case Ask.PERSONS:
            whom = ", ".join(step.approvers.emails)
            members: tuple[Member, ...] = people.persons(step.approvers.emails, None)
        case Ask.ROLE:
            role = role_name(step.approvers.role)
            whom = _("the holders of the role “%(role)s” nearest to the requester", role=role)
            members = tuple(
                member
                for member in people.members
                if member.is_active and step.approvers.role in member.roles
            )
        case Ask.COST_CENTRE_OWNER:
            whom = _("the owners of the cost centres concerned")
            members = people.owners(people.cost_centre_owners, None)
        case Ask.MANAGER:
            whom = _("the manager of the one who submits")
            members = ()
    names = tuple(dict.fromkeys(member.name for member in members))
    return StepSentence(step.level, _quorum(step, whom), names)


def _quorum(step: PlannedStep, whom: str) -> str:
    if step.quorum == "any":
        return _("One of: %(whom)s.", whom=whom)
    if step.quorum == "all":
        return _("All of: %(whom)s.", whom=whom)
    return _("%(number)s different people of: %(whom)s.", number=step.quorum, whom=whom)
