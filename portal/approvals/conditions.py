"""Which rules hold for some facts, and with which figures: pure comparisons."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from portal.approvals.facts import Basis, FactLine, Facts
from portal.approvals.rules import Comparison, Policy, Rule, When
from portal.money import EXACT, minor_units, round_half_up

HUNDRED = Decimal(100)


def amount_text(amount: Decimal, currency: str) -> str:
    """Write an amount with the currency's decimals, with more where it has more."""
    rounded = round_half_up(amount, minor_units(currency))
    return f"{rounded if rounded == amount else amount.normalize():f}"


def compare(
    policy: Policy, rule: Rule, facts: Facts, roles: frozenset[str]
) -> tuple[Comparison, ...]:
    """Compare every condition of a rule with the facts.

    Args:
        roles: What the requesters hold.
    """
    return tuple(_comparisons(rule.when, policy.basis, facts, roles))


def _comparisons(
    when: When, basis: Basis, facts: Facts, roles: frozenset[str]
) -> Iterator[Comparison]:
    yield from _of_the_total(when, facts.total(basis), facts.currency)
    yield from _of_the_lines(when, facts)
    if when.requester_roles:
        held = sorted(roles.intersection(when.requester_roles))
        yield Comparison(
            "requester_roles",
            ", ".join(held or sorted(roles)),
            ", ".join(when.requester_roles),
            bool(held),
        )
    if when.requester_total_over is not None:
        limit = when.requester_total_over
        total = EXACT.add(facts.total(basis), facts.requester_total(limit.days, basis))
        yield Comparison(
            "requester_total_over",
            amount_text(total, facts.currency),
            f"{amount_text(limit.amount, facts.currency)} / {limit.days}",
            total > limit.amount,
        )


def _of_the_total(when: When, total: Decimal, currency: str) -> Iterator[Comparison]:
    figure = amount_text(total, currency)
    if when.total_over is not None:
        bound = amount_text(when.total_over, currency)
        yield Comparison("total_over", figure, bound, total > when.total_over)
    if when.total_up_to is not None:
        bound = amount_text(when.total_up_to, currency)
        yield Comparison("total_up_to", figure, bound, total <= when.total_up_to)


def _of_the_lines(when: When, facts: Facts) -> Iterator[Comparison]:
    if when.category_under is not None:
        path = when.category_under
        yield _some_line(facts, "category_under", path, lambda line: path in line.category_paths)
    if when.off_contract:
        yield _some_line(facts, "off_contract", "", lambda line: line.off_contract)
    if when.discount_over_percent is not None:
        yield _discount(facts, when.discount_over_percent)
    if when.cost_centres:
        used = sorted(set(facts.cost_centres).intersection(when.cost_centres))
        figure = ", ".join(used or facts.cost_centres)
        yield Comparison("cost_centres", figure, ", ".join(when.cost_centres), bool(used))
    if when.ship_to_countries:
        countries = {line.ship_to_country for line in facts.lines if line.ship_to_country}
        hit = sorted(countries.intersection(when.ship_to_countries))
        figure = ", ".join(hit or sorted(countries))
        yield Comparison("ship_to_countries", figure, ", ".join(when.ship_to_countries), bool(hit))


def _some_line(
    facts: Facts, condition: str, bound: str, holds: Callable[[FactLine], bool]
) -> Comparison:
    hit = tuple(dict.fromkeys(line.sku for line in facts.lines if holds(line)))
    return Comparison(condition, ", ".join(hit), bound, bool(hit))


def _discount(facts: Facts, bound: Decimal) -> Comparison:
    """Compare the greatest discount against list; exact, though the figure shown is rounded."""
    percents = [
        (line.list_price - line.unit_price, line.list_price)
        for line in facts.lines
        if line.list_price is not None and line.list_price > 0
    ]
    holds = any(
        EXACT.multiply(off, HUNDRED) > EXACT.multiply(bound, price) for off, price in percents
    )
    most = max((EXACT.divide(off * HUNDRED, price) for off, price in percents), default=Decimal(0))
    figure = f"{round_half_up(max(most, Decimal(0)), 2):f}"
    return Comparison("discount_over_percent", figure, f"{bound:f}", holds)


def holds(comparisons: tuple[Comparison, ...]) -> bool:
    """Whether a rule applies: all its conditions hold."""
    return all(item.holds for item in comparisons)


def waits_for_total(comparisons: tuple[Comparison, ...]) -> bool:
    """Whether only ``total_over`` keeps a rule away."""
    failed = [item.condition for item in comparisons if not item.holds]
    return failed == ["total_over"]
