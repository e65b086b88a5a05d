"""Reading a policy file: what is accepted, and every mistake named by its path."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import portal.demo
from portal.approvals.facts import Basis
from portal.approvals.policy_file import PolicyFileError, load_policy, policy_json, read_policy
from portal.approvals.rules import Ask
from tests.approvals.world import rule, step


def document(**changes: object) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "account_code": "ACME",
        "rules": [rule(10, {"total_over": "5000.00"}, step({"role": "approver"}))],
    }
    return whole | changes


def problems(source: object) -> dict[str, str]:
    with pytest.raises(PolicyFileError) as refusal:
        read_policy(source)
    return {problem.path: problem.reason for problem in refusal.value.problems}


def test_what_is_not_said_has_the_documented_meaning() -> None:
    policy = read_policy(document())

    assert policy.basis is Basis.NET
    assert policy.signing_required
    assert policy.unit_code is None
    assert policy.rules[0].when.total_over == Decimal("5000.00")
    assert policy.rules[0].steps[0].approvers.ask is Ask.ROLE
    assert not policy.rules[0].distinct


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ({"total_above": "1"}, "rules[0].when.total_above"),
        ({"total_over": "1e400"}, "rules[0].when.total_over"),
        ({"total_over": "NaN"}, "rules[0].when.total_over"),
        ({"total_over": "-1"}, "rules[0].when.total_over"),
        ({"total_over": True}, "rules[0].when.total_over"),
        ({"total_over": None}, "rules[0].when.total_over"),
        ({"total_up_to": "0.00001"}, "rules[0].when.total_up_to"),
        ({"off_contract": False}, "rules[0].when.off_contract"),
        ({"discount_over_percent": "101"}, "rules[0].when.discount_over_percent"),
        ({"cost_centres": []}, "rules[0].when.cost_centres"),
        ({"requester_roles": ["king"]}, "rules[0].when.requester_roles"),
        ({"ship_to_countries": ["Germany"]}, "rules[0].when.ship_to_countries"),
        ({"requester_total_over": {"amount": "1"}}, "rules[0].when.requester_total_over"),
        ({"category_under": 7}, "rules[0].when.category_under"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_at_its_path(
    when: dict[str, object], path: str
) -> None:
    found = problems(document(rules=[rule(10, when, step({"manager": True}))]))

    assert list(found) == [path]


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (step({}), "rules[0].steps[0].approvers"),
        (step({"role": "approver", "manager": True}), "rules[0].steps[0].approvers"),
        (step({"role": "boss"}), "rules[0].steps[0].approvers.role"),
        (step({"manager": False}), "rules[0].steps[0].approvers.manager"),
        (step({"persons": []}), "rules[0].steps[0].approvers.persons"),
        (step({"somebody": True}), "rules[0].steps[0].approvers.somebody"),
        (step({"manager": True}, quorum="most"), "rules[0].steps[0].quorum"),
        (step({"manager": True}, quorum=0), "rules[0].steps[0].quorum"),
        (step({"manager": True}, quorum=True), "rules[0].steps[0].quorum"),
        (step({"manager": True}, level=0), "rules[0].steps[0].level"),
        (step({"manager": True}) | {"who": 1}, "rules[0].steps[0].who"),
    ],
)
def test_a_broken_step_is_refused_at_its_path(broken: dict[str, object], path: str) -> None:
    assert list(problems(document(rules=[rule(10, {}, broken)]))) == [path]


def test_budgets_are_refused_with_the_reason_that_there_are_none_yet() -> None:
    source = document(rules=[rule(10, {"budget_exceeded": True}, step({"manager": True}))])

    found = problems(source)

    assert list(found) == ["rules[0].when.budget_exceeded"]
    assert "keeps no budgets yet" in found["rules[0].when.budget_exceeded"]


def test_every_mistake_is_named_at_once() -> None:
    source = document(
        unit=1, total_basis="all", rules=[rule(0, {}), rule(5, {}, step({"manager": True}))] * 2
    )

    found = problems(source)

    assert set(found) == {
        "unit",
        "total_basis",
        "rules[0].number",
        "rules[0].steps",
        "rules[2].number",
        "rules[2].steps",
        "rules[3].number",
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"account_code": "A", "account_code": "B", "rules": []}', "[" * 90_000]
)
def test_a_file_that_is_no_policy_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(PolicyFileError, match="can't be used"):
        load_policy(text)


def test_an_export_read_again_is_the_same_policy() -> None:
    folder = Path(portal.demo.__file__).parent / "data"
    files = sorted(folder.glob("policy-*.json"))
    assert files

    for file in files:
        policy = load_policy(file.read_bytes())
        assert load_policy(json.dumps(policy_json(policy))) == policy
