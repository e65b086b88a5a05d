"""Sentences about routes, in the reader's language, and the route's JSON for programs."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _

from portal.approvals.conditions import amount_text
from portal.approvals.rules import Cause, Comparison, Missing, Needs, Reason, Route
from portal.policy import ROLE_LABELS, Role
from portal.web.formats import money, percent


def role_name(role: str) -> str:
    """Return a role's name in the reader's language."""
    try:
        return _(ROLE_LABELS[Role(role)])
    except ValueError:
        return role


def comparison_sentence(item: Comparison, currency: str) -> str:
    """Say what was compared with what."""
    return _SENTENCES[item.condition](item.figure, item.bound, currency)


def _total_over(figure: str, bound: str, currency: str) -> str:
    return _(
        "The total %(figure)s is over %(bound)s.",
        figure=money(Decimal(figure), currency),
        bound=money(Decimal(bound), currency),
    )


def _total_up_to(figure: str, bound: str, currency: str) -> str:
    return _(
        "The total %(figure)s is at most %(bound)s.",
        figure=money(Decimal(figure), currency),
        bound=money(Decimal(bound), currency),
    )


def _category(figure: str, bound: str, _currency: str) -> str:
    return _("In the category %(category)s: %(skus)s.", category=bound, skus=figure)


def _off_contract(figure: str, _bound: str, _currency: str) -> str:
    return _("At list price, outside the agreement: %(skus)s.", skus=figure)


def _discount(figure: str, bound: str, _currency: str) -> str:
    return _(
        "A discount of %(figure)s is over %(bound)s.",
        figure=percent(Decimal(figure)),
        bound=percent(Decimal(bound)),
    )


def _cost_centres(figure: str, bound: str, _currency: str) -> str:
    return _(
        "Booked to cost centre %(figure)s; the rule names %(bound)s.", figure=figure, bound=bound
    )


def _roles(figure: str, bound: str, _currency: str) -> str:
    return _(
        "Requested by: %(figure)s; the rule names %(bound)s.",
        figure=_role_names(figure),
        bound=_role_names(bound),
    )


def _role_names(roles: str) -> str:
    return ", ".join(role_name(role) for role in roles.split(", ") if role)


def _countries(figure: str, bound: str, _currency: str) -> str:
    return _("Delivered to %(figure)s; the rule names %(bound)s.", figure=figure, bound=bound)


def _requester_total(figure: str, bound: str, currency: str) -> str:
    amount, _slash, days = bound.partition(" / ")
    return _(
        "The requester’s total of %(days)s days, this one included, is %(figure)s; "
        "the rule begins above %(bound)s.",
        days=days,
        figure=money(Decimal(figure), currency),
        bound=money(Decimal(amount), currency),
    )


_SENTENCES: Final[Mapping[str, Callable[[str, str, str], str]]] = {
    "total_over": _total_over,
    "total_up_to": _total_up_to,
    "category_under": _category,
    "off_contract": _off_contract,
    "discount_over_percent": _discount,
    "cost_centres": _cost_centres,
    "requester_roles": _roles,
    "ship_to_countries": _countries,
    "requester_total_over": _requester_total,
}


def reason_sentence(reason: Reason, total: Decimal, currency: str) -> str:
    """Say why a step is there."""
    if reason.cause is Cause.SIGNING_LIMIT:
        first = _(
            "The signing limit of %(person)s does not cover %(total)s.",
            person=reason.below,
            total=money(total, currency),
        )
    elif reason.cause is Cause.NO_POLICY:
        first = _("There is no approval policy, so a site administrator decides.")
    else:
        first = _rule_sentence(reason, currency)
    if not reason.replaced:
        return first
    instead = _(
        "%(people)s cannot approve their own request; the next in charge answers.",
        people=", ".join(reason.replaced),
    )
    return f"{first} {instead}"


def _rule_sentence(reason: Reason, currency: str) -> str:
    figures = " ".join(comparison_sentence(item, currency) for item in reason.comparisons)
    return _(
        "Rule %(number)s, %(name)s: %(figures)s",
        number=reason.rule_number,
        name=reason.rule_name,
        figures=figures or _("applies always."),
    )


def reasons_text(reasons: Iterable[Reason], total: Decimal, currency: str) -> str:
    """Say why a step is there, with all its rules."""
    return " ".join(reason_sentence(reason, total, currency) for reason in reasons)


def missing_sentence(gap: Missing, total: Decimal, currency: str) -> str:
    """Say what a dead end lacks."""
    rules = ", ".join(str(number) for number in gap.rule_numbers)
    if gap.needs is Needs.LIMIT:
        return _(
            "Level %(level)s: no signing limit reaches %(total)s.",
            level=gap.level,
            total=money(total, currency),
        )
    if gap.needs is Needs.NUMBER:
        return _(
            "Level %(level)s, rule %(rules)s: %(wanted)s different people are needed, "
            "%(found)s can approve.",
            level=gap.level,
            rules=rules,
            wanted=gap.wanted,
            found=gap.found,
        )
    if gap.needs is Needs.ROLE:
        return _(
            "Level %(level)s: nobody who may approve this holds the role “%(role)s” here or above.",
            level=gap.level,
            role=role_name(gap.role),
        )
    return _(
        "Level %(level)s, rule %(rules)s: nobody whom it names is active and may approve this.",
        level=gap.level,
        rules=rules,
    )


def threshold_sentence(route: Route) -> str | None:
    """Say how far the total is from the next rule."""
    if route.next_threshold is None:
        return None
    return _(
        "%(amount)s more and rule %(number)s applies as well.",
        amount=money(route.next_threshold.amount, route.currency),
        number=route.next_threshold.rule_number,
    )


def route_json(route: Route, *, number: str, revision: int) -> dict[str, Any]:
    """Return the shape of a route that other programs rely on."""
    threshold = route.next_threshold
    return {
        "quote": number,
        "revision": revision,
        "total": amount_text(route.total, route.currency),
        "currency": route.currency,
        "outcome": route.outcome.value,
        "steps": [
            {
                "level": step.level,
                "rule_numbers": list(step.rule_numbers),
                "approvers": sorted(member.email for member in step.approvers),
                "quorum": step.quorum,
                "why": reasons_text(step.reasons, route.total, route.currency),
            }
            for step in route.steps
        ],
        "missing": [
            {
                "level": gap.level,
                "rule_numbers": list(gap.rule_numbers),
                "needs": gap.needs.value,
                "why": missing_sentence(gap, route.total, route.currency),
            }
            for gap in route.missing
        ],
        "next_threshold": threshold
        and {
            "rule_number": threshold.rule_number,
            "amount": amount_text(threshold.amount, route.currency),
        },
    }
