"""The seven rules that turn a policy, facts and people into a route."""

from decimal import Decimal

import pytest

from portal.approvals.facts import Basis, FactLine, Facts
from portal.approvals.people import Member
from portal.approvals.route import make_route
from portal.approvals.rules import Needs, NextThreshold, Route, RouteOutcome
from tests.approvals.world import HQ, IT, LAB, facts, member, people, policy, rule, step

ANY = step({"role": "approver"})


def shape(route: Route) -> list[tuple[int, tuple[int, ...], list[str], int]]:
    """Say of each step: level, rules, people (the digits of their e-mail), people needed."""
    return [
        (item.level, item.rule_numbers, [who.email[1:3] for who in item.approvers], item.quorum)
        for item in route.steps
    ]


# Rule 1: which rules apply


def test_a_policy_of_which_no_rule_holds_approves_by_itself() -> None:
    route = make_route(policy(rule(1, {"total_over": "6000.00"}, ANY)), facts(), people(member(1)))

    assert route.outcome is RouteOutcome.AUTO_APPROVED
    assert route.steps == ()


def test_without_any_policy_one_site_administrator_approves() -> None:
    world = people(
        member(1), member(7, "site-administrator"), member(8, "site-administrator", unit=HQ)
    )

    route = make_route(None, facts(), world)

    assert shape(route) == [(1, (), ["07", "08"], 1)]
    assert not route.signing_required


def test_without_a_policy_and_without_site_administrators_nothing_can_be_submitted() -> None:
    route = make_route(None, facts(), people(member(1)))

    assert route.outcome is RouteOutcome.DEAD_END
    assert [gap.needs for gap in route.missing] == [Needs.ROLE]


LINES = (
    FactLine(
        sku="SRV-1",
        category_paths=("Hardware", "Hardware/Servers"),
        off_contract=True,
        list_price=Decimal(100),
        unit_price=Decimal("87.50"),
        cost_centre="4410",
        ship_to_country="FR",
    ),
    FactLine(sku="PEN", category_paths=("Office",), unit_price=Decimal(1), cost_centre="1000"),
)


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ({}, True),
        ({"total_over": "5999.99"}, True),
        ({"total_over": "6000.00"}, False),
        ({"total_up_to": "6000.00"}, True),
        ({"total_up_to": "5999.99"}, False),
        ({"category_under": "Hardware"}, True),
        ({"category_under": "Hardware/Servers"}, True),
        ({"category_under": "Hard"}, False),
        ({"off_contract": True}, True),
        ({"discount_over_percent": "12.49"}, True),
        ({"discount_over_percent": "12.5"}, False),
        ({"cost_centres": ["9", "1000"]}, True),
        ({"cost_centres": ["9"]}, False),
        ({"requester_roles": ["buyer"]}, True),
        ({"requester_roles": ["shopper"]}, False),
        ({"ship_to_countries": ["fr"]}, True),
        ({"ship_to_countries": ["DE"]}, False),
        ({"requester_total_over": {"amount": "6999.99", "days": 30}}, True),
        ({"requester_total_over": {"amount": "7000", "days": 30}}, False),
        ({"requester_total_over": {"amount": "6000", "days": 7}}, False),
        ({"total_over": "1", "category_under": "Food"}, False),
    ],
)
def test_a_rule_applies_when_all_its_conditions_hold(
    when: dict[str, object], *, applies: bool
) -> None:
    others = {30: Decimal(1000), 7: Decimal(0)}
    stated = Facts(
        currency="EUR",
        net_total=Decimal("6000.00"),
        unit_id=IT,
        submitted_by=1,
        requester_person_ids=frozenset({1}),
        lines=LINES,
        requester_total=lambda days, _basis: others[days],
    )

    route = make_route(
        policy(rule(1, when, ANY)), stated, people(member(1, "buyer"), member(2, "approver"))
    )

    assert (route.outcome is RouteOutcome.STEPS) == applies
    assert len(route.comparisons[0][1]) == len(when)


def test_the_figures_compared_are_part_of_the_answer() -> None:
    route = make_route(
        policy(rule(1, {"total_over": "5000", "discount_over_percent": "10"}, ANY)),
        facts("6000.00", *LINES),
        people(member(1), member(2, "approver")),
    )

    compared = route.steps[0].reasons[0].comparisons
    assert [(item.condition, item.figure, item.bound) for item in compared] == [
        ("total_over", "6000.00", "5000.00"),
        ("discount_over_percent", "12.50", "10"),
    ]


def test_a_policy_on_gross_judges_the_gross_total_and_net_where_there_is_none() -> None:
    over = policy(rule(1, {"total_over": "6500"}, ANY), basis="gross")
    world = people(member(1), member(2, "approver"))

    assert make_route(over, facts("6000", gross="7140"), world).outcome is RouteOutcome.STEPS
    assert make_route(over, facts("6000"), world).outcome is RouteOutcome.AUTO_APPROVED
    assert facts("6000", gross="7140").total(Basis.GROSS) == Decimal(7140)


# Rule 2: approvers become people


def test_a_role_is_looked_for_in_the_requesters_unit_first_and_then_upwards() -> None:
    at_lab = policy(rule(1, {}, ANY))
    above = [member(4, "approver", unit=HQ), member(5, "approver", unit=None)]

    assert shape(make_route(at_lab, facts(unit=LAB), people(member(1), *above))) == [
        (1, (1,), ["04"], 1)
    ]
    assert shape(make_route(at_lab, facts(unit=LAB), people(member(1), above[1]))) == [
        (1, (1,), ["05"], 1)
    ]


def test_role_holders_beside_or_below_the_requesters_unit_are_not_asked() -> None:
    route = make_route(
        policy(rule(1, {}, ANY)), facts(unit=IT), people(member(1), member(2, "approver", unit=LAB))
    )

    assert route.outcome is RouteOutcome.DEAD_END
    assert route.missing[0].needs is Needs.ROLE


def test_an_inactive_holder_does_not_count_so_the_unit_above_is_asked() -> None:
    world = people(member(1), member(2, "approver", active=False), member(3, "approver", unit=HQ))

    assert shape(make_route(policy(rule(1, {}, ANY)), facts(), world)) == [(1, (1,), ["03"], 1)]


def test_every_cost_centre_owner_concerned_is_asked() -> None:
    world = people(
        member(1), member(2), member(3), member(4), owners={"4410": 3, "1000": 2, "7": 4}
    )
    owners = policy(rule(1, {}, step({"cost_centre_owner": True}, quorum="all")))

    assert shape(make_route(owners, facts("1", *LINES), world)) == [(1, (1,), ["02", "03"], 2)]


def test_the_manager_is_that_of_the_one_who_submits() -> None:
    world = people(member(1, manager=8), member(2, manager=9), member(8), member(9))
    managers = policy(rule(1, {}, step({"manager": True})))

    route = make_route(managers, facts(by=2, requesters=(1, 2)), world)

    assert shape(route) == [(1, (1,), ["09"], 1)]


def test_an_inactive_manager_is_a_dead_end() -> None:
    world = people(member(1, manager=8), member(8, active=False))

    route = make_route(policy(rule(1, {}, step({"manager": True}))), facts(), world)

    assert [gap.needs for gap in route.missing] == [Needs.PERSON]


# Rule 3: nobody approves their own request


def test_the_sole_holder_who_asks_is_replaced_by_the_manager() -> None:
    world = people(member(1, "approver", manager=2), member(2))

    route = make_route(
        policy(rule(1, {}, step({"role": "approver"}, quorum="all"))), facts(), world
    )

    assert shape(route) == [(1, (1,), ["02"], 1)]
    assert route.steps[0].reasons[0].replaced == ("p01@acme.example",)


def test_replacement_goes_past_inactive_people_and_other_requesters() -> None:
    world = people(
        member(1, "approver", manager=2),
        member(2, active=False, manager=3),
        member(3, manager=4),
        member(4),
    )

    route = make_route(policy(rule(1, {}, ANY)), facts(requesters=(1, 3)), world)

    assert shape(route) == [(1, (1,), ["04"], 1)]


def test_where_no_manager_is_left_the_site_administrators_answer() -> None:
    world = people(
        member(1, "approver", manager=2),
        member(2, manager=1),
        member(7, "site-administrator"),
        member(8, "site-administrator"),
    )

    route = make_route(policy(rule(1, {}, ANY)), facts(requesters=(1, 2, 8)), world)

    assert shape(route) == [(1, (1,), ["07"], 1)]


def test_a_requester_among_others_is_only_taken_out() -> None:
    world = people(member(1, "approver", manager=9), member(2, "approver"), member(9))

    assert shape(make_route(policy(rule(1, {}, ANY)), facts(), world)) == [(1, (1,), ["02"], 1)]


def test_a_second_membership_does_not_let_a_person_approve_their_own_request() -> None:
    world = people(member(1), member(20, "approver", person=1), member(3, "site-administrator"))

    route = make_route(policy(rule(1, {}, ANY)), facts(), world)

    assert shape(route) == [(1, (1,), ["03"], 1)]


# Rule 4: quorum


@pytest.mark.parametrize(("quorum", "needed"), [("any", 1), ("all", 3), (2, 2), (3, 3)])
def test_a_quorum_is_a_number_of_different_people(quorum: object, needed: int) -> None:
    world = people(*(member(n, "approver") for n in (2, 3, 4)), member(1))

    route = make_route(
        policy(rule(1, {}, step({"role": "approver"}, quorum=quorum))), facts(), world
    )

    assert route.steps[0].quorum == needed


def test_fewer_people_than_needed_is_a_dead_end_that_says_the_number() -> None:
    world = people(member(1), member(2, "approver"))

    route = make_route(policy(rule(1, {}, step({"role": "approver"}, quorum=2))), facts(), world)

    assert route.outcome is RouteOutcome.DEAD_END
    assert [(gap.needs, gap.wanted, gap.found) for gap in route.missing] == [(Needs.NUMBER, 2, 1)]


# Rule 5: merging


def test_equal_steps_of_a_level_become_one_that_names_all_rules() -> None:
    world = people(member(1), member(2, "approver"), member(3))
    both = policy(
        rule(20, {}, step({"persons": ["P02@acme.example"]}, quorum="all")),
        rule(10, {}, ANY),
        rule(30, {}, step({"role": "approver"}, level=2)),
        rule(40, {}, step({"persons": ["p03@acme.example"]}, level=1)),
    )

    assert shape(make_route(both, facts(), world)) == [
        (1, (10, 20), ["02"], 1),
        (1, (40,), ["03"], 1),
        (2, (30,), ["02"], 1),
    ]


# Rule 6: signing limits


def limited(*members: Member) -> Route:
    required = policy(rule(1, {}, ANY), limits="required")
    return make_route(required, facts("6000.00"), people(member(1), *members))


def test_a_limit_that_covers_exactly_adds_nothing() -> None:
    assert shape(limited(member(2, "approver", limit="6000"))) == [(1, (1,), ["02"], 1)]


def test_managers_are_added_level_by_level_until_a_limit_covers() -> None:
    route = limited(
        member(2, "approver", limit="100", manager=4),
        member(3, "approver", limit="500", manager=5),
        member(4, limit="unlimited"),
        member(5, limit="5999.99", manager=6),
        member(6, limit="unlimited"),
    )

    assert shape(route) == [
        (1, (1,), ["02", "03"], 1),
        (2, (), ["05"], 1),
        (3, (), ["06"], 1),
    ]


def test_on_a_draw_of_limits_the_first_by_email_leads_upwards() -> None:
    route = limited(
        member(3, "approver", manager=5),
        member(2, "approver", manager=4),
        member(4, limit="unlimited"),
        member(5, limit="unlimited"),
    )

    assert shape(route)[1] == (2, (), ["04"], 1)


def test_the_chain_passes_over_inactive_managers_and_requesters() -> None:
    route = limited(
        member(2, "approver", manager=4),
        member(4, limit="unlimited", active=False, manager=10),
        member(10, limit="unlimited", person=1, manager=6),
        member(6, limit="9000"),
    )

    assert shape(route)[1:] == [(2, (), ["06"], 1)]


def test_then_the_site_administrators_whose_limit_covers_sign() -> None:
    route = limited(
        member(2, "approver", manager=4),
        member(4, limit="10", manager=2),
        member(7, "site-administrator", limit="5"),
        member(8, "site-administrator", limit="6000"),
        member(9, "site-administrator", limit="unlimited"),
    )

    assert shape(route)[1:] == [(2, (), ["04"], 1), (3, (), ["08", "09"], 1)]


def test_where_no_limit_covers_the_dead_end_says_limit() -> None:
    route = limited(member(2, "approver"), member(7, "site-administrator"))

    assert route.outcome is RouteOutcome.DEAD_END
    assert [(gap.level, gap.needs) for gap in route.missing] == [(2, Needs.LIMIT)]


# Distance to the next threshold


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule(1, {"total_over": "6312"}, ANY)], NextThreshold(1, Decimal("312.00"))),
        ([rule(1, {"total_over": "6000"}, ANY)], NextThreshold(1, Decimal("0.00"))),
        ([rule(1, {"total_over": "5000"}, ANY)], None),
        ([rule(1, {"total_over": "7000", "off_contract": True}, ANY)], None),
        (
            [rule(2, {"total_over": "7000"}, ANY), rule(1, {"total_over": "6500"}, ANY)],
            NextThreshold(1, Decimal("500.00")),
        ),
        ([rule(1, {"total_over": "7000", "total_up_to": "5000"}, ANY)], None),
    ],
)
def test_the_next_threshold_is_of_rules_whose_other_conditions_hold(
    rules: list[dict[str, object]], expected: NextThreshold | None
) -> None:
    route = make_route(policy(*rules), facts("6000.00"), people(member(1), member(2, "approver")))

    assert route.next_threshold == expected
