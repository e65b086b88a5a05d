"""Property tests: the route and the run against a second implementation of their rules."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from portal.approvals.facts import FactLine, Facts
from portal.approvals.people import Member, People
from portal.approvals.policy_file import policy_json, read_policy
from portal.approvals.progress import StepPlan, Vote, progress
from portal.approvals.route import make_route
from portal.approvals.rules import Answer, Route, RouteOutcome
from tests.approvals import naive

UNITS = {1: None, 2: 1, 3: 2, 4: 1}
CENTRES = ("10", "20")
ROLES = ("approver", "buyer", "shopper", "site-administrator")
AMOUNTS = st.sampled_from(["0", "100", "999.99", "1000", "5000.50", "10000"])
MOST = 7
MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(MANY, max_examples=100)
"""A slow machine is no reason to fail: what is checked is the answer."""


@st.composite
def crowds(draw: st.DrawFn) -> People:
    """A few people, some inactive, some managing in circles, each in one unit or at the account."""
    size = draw(st.integers(1, MOST))
    members = [
        Member(
            membership_id=number,
            person_id=number,
            email=f"p{number}@acme.example",
            name=f"P{number}",
            unit_id=draw(st.sampled_from([None, *UNITS])),
            roles=draw(st.frozensets(st.sampled_from(ROLES), max_size=3)),
            signing_limit=draw(st.none() | AMOUNTS.map(Decimal)),
            unlimited=draw(st.sampled_from([False, False, False, True])),
            manager_id=draw(st.none() | st.integers(1, size)),
            is_active=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(1, size + 1)
    ]
    owners = {code: draw(st.none() | st.integers(1, size)) for code in CENTRES}
    return People(members, UNITS, owners)


LINES = st.builds(
    FactLine,
    sku=st.sampled_from(["A", "B"]),
    category_paths=st.sampled_from([("X",), ("X", "X/Y"), ()]),
    off_contract=st.booleans(),
    list_price=st.none() | AMOUNTS.map(Decimal),
    unit_price=AMOUNTS.map(Decimal),
    cost_centre=st.none() | st.sampled_from(CENTRES),
    ship_to_country=st.none() | st.sampled_from(["DE", "FR"]),
)


@st.composite
def facts_of(draw: st.DrawFn, size: int) -> Facts:
    by = draw(st.integers(1, size))
    others = draw(st.frozensets(st.integers(1, size), max_size=2))
    total = draw(AMOUNTS.map(Decimal))
    before = {days: draw(AMOUNTS.map(Decimal)) for days in (7, 30)}
    return Facts(
        currency="EUR",
        net_total=total,
        gross_total=draw(st.none() | st.just(total * Decimal("1.19"))),
        unit_id=draw(st.sampled_from([None, *UNITS])),
        submitted_by=by,
        requester_person_ids=others | {by},
        lines=tuple(draw(st.lists(LINES, max_size=3))),
        requester_total=lambda days, _basis: before[days],
    )


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "total_over": AMOUNTS,
        "total_up_to": AMOUNTS,
        "category_under": st.sampled_from(["X", "X/Y", "Z"]),
        "off_contract": st.just(True),
        "discount_over_percent": st.sampled_from(["0", "50", "90"]),
        "cost_centres": st.lists(st.sampled_from(CENTRES), min_size=1, unique=True),
        "requester_roles": st.lists(st.sampled_from(ROLES), min_size=1, unique=True),
        "ship_to_countries": st.just(["FR"]),
        "requester_total_over": st.fixed_dictionaries(
            {"amount": AMOUNTS, "days": st.sampled_from([7, 30])}
        ),
    },
)
FEW_CONDITIONS = CONDITIONS.map(lambda when: dict(list(when.items())[:2]))
APPROVERS = st.one_of(
    st.just({"manager": True}),
    st.just({"cost_centre_owner": True}),
    st.sampled_from(ROLES).map(lambda role: {"role": role}),
    st.lists(st.integers(1, MOST), min_size=1, max_size=3, unique=True).map(
        lambda numbers: {"persons": [f"p{number}@acme.example" for number in numbers]}
    ),
)
STEPS = st.fixed_dictionaries(
    {
        "level": st.integers(1, 3),
        "approvers": APPROVERS,
        "quorum": st.sampled_from(["any", "any", "all", 1, 2]),
    }
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(0, 4))
    return {
        "account_code": "ACME",
        "total_basis": draw(st.sampled_from(["net", "gross"])),
        "signing_limits": draw(st.sampled_from(["required", "off"])),
        "rules": [
            {
                "number": number * 10,
                "name": f"Rule {number}",
                "when": draw(FEW_CONDITIONS),
                "steps": draw(st.lists(STEPS, min_size=1, max_size=2)),
                "distinct": draw(st.booleans()),
            }
            for number in range(1, count + 1)
        ],
    }


def plain(route: Route) -> naive.Answered:
    threshold = route.next_threshold
    return naive.Answered(
        route.outcome.value,
        sorted(
            (
                step.level,
                step.rule_numbers,
                tuple(member.email for member in step.approvers),
                step.quorum,
            )
            for step in route.steps
        ),
        sorted((gap.level, gap.rule_numbers, gap.needs.value) for gap in route.missing),
        None if threshold is None else (threshold.rule_number, threshold.amount),
    )


@MANY
@given(st.data())
def test_a_route_is_what_the_naive_reading_says(data: st.DataObject) -> None:
    people = data.draw(crowds())
    facts = data.draw(facts_of(len(people.members)))
    document = data.draw(st.none() | documents())

    route = make_route(None if document is None else read_policy(document), facts, people)

    event(route.outcome.value)
    expected = naive.route(document, facts, people)
    expected.steps.sort()
    assert plain(route) == expected


@SOME
@given(st.data())
def test_no_route_ever_names_a_requester_or_somebody_inactive(data: st.DataObject) -> None:
    people = data.draw(crowds())
    facts = data.draw(facts_of(len(people.members)))
    document = data.draw(st.none() | documents())

    route = make_route(None if document is None else read_policy(document), facts, people)

    for step in route.steps:
        assert step.person_ids.isdisjoint(facts.requester_person_ids)
        assert all(member.is_active for member in step.approvers)
        assert 1 <= step.quorum <= len(step.approvers)
    if route.outcome is RouteOutcome.STEPS and route.signing_required:
        highest = max(step.level for step in route.steps)
        last = [item for step in route.steps if step.level == highest for item in step.approvers]
        assert any(member.covers(route.total) for member in last)


@SOME
@given(documents())
def test_a_policy_survives_being_written_and_read(document: dict[str, Any]) -> None:
    policy = read_policy(document)

    assert read_policy(policy_json(policy)) == policy


SEATS = st.builds(
    lambda level, people, needed, signers, distinct: naive.Seat(
        level, people, min(needed, len(people)), signers & people, distinct
    ),
    level=st.integers(1, 3),
    people=st.sets(st.integers(1, 4), min_size=1),
    needed=st.integers(1, 4),
    signers=st.sets(st.integers(1, 4)),
    distinct=st.booleans(),
)
ANSWERS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from([*[Answer.APPROVE] * 8, Answer.REJECT, Answer.REQUEST_CHANGES]),
    ),
    max_size=14,
)


@MANY
@given(st.lists(SEATS, min_size=1, max_size=4), ANSWERS, st.booleans())
def test_a_run_goes_where_the_naive_reading_says(
    seats: list[naive.Seat],
    answers: list[tuple[int, Answer]],
    signing: bool,  # noqa: FBT001 - drawn
) -> None:
    plans = [
        StepPlan(
            level=seat.level,
            people=frozenset(seat.people),
            quorum=seat.needed,
            signers=frozenset(seat.signers),
            distinct=seat.distinct,
        )
        for seat in seats
    ]
    votes: list[Vote] = []
    for person, answer in answers:
        at = progress(plans, votes, signing=signing).step_for(person)
        if at is not None:
            votes.append(Vote(at, person, answer))

    reached = progress(plans, votes, signing=signing)

    outcome, asked = naive.replay(seats, answers, signing=signing)
    event(outcome)
    assert (reached.outcome.value if reached.outcome else "open") == outcome
    assert {person for people in reached.waiting for person in people} == asked
    assert len({(vote.step, vote.person_id) for vote in votes}) == len(votes)
