"""Small worlds of people and facts for the tests of approvals."""

from collections.abc import Iterable
from decimal import Decimal

from portal.approvals.facts import FactLine, Facts
from portal.approvals.people import Member, People
from portal.approvals.policy_file import read_policy
from portal.approvals.rules import Policy

HQ, IT, LAB = 1, 2, 3
TREE = {HQ: None, IT: HQ, LAB: IT}


def member(
    number: int,
    *roles: str,
    unit: int | None = IT,
    limit: str | None = None,
    manager: int | None = None,
    active: bool = True,
    person: int | None = None,
) -> Member:
    """Return member ``number``; their person carries the same number unless told otherwise."""
    who = person or number
    return Member(
        membership_id=number,
        person_id=who,
        email=f"p{who:02d}@acme.example",
        name=f"Person {who}",
        unit_id=unit,
        roles=frozenset(roles),
        signing_limit=None if limit in {None, "unlimited"} else Decimal(limit or 0),
        unlimited=limit == "unlimited",
        manager_id=manager,
        is_active=active,
    )


def people(*members: Member, owners: dict[str, int | None] | None = None) -> People:
    return People(members, TREE, owners or {})


def facts(
    net: str = "6000.00",
    *lines: FactLine,
    by: int = 1,
    requesters: Iterable[int] = (1,),
    unit: int | None = IT,
    gross: str | None = None,
) -> Facts:
    return Facts(
        currency="EUR",
        net_total=Decimal(net),
        gross_total=None if gross is None else Decimal(gross),
        unit_id=unit,
        submitted_by=by,
        requester_person_ids=frozenset(requesters),
        lines=lines,
    )


def step(approvers: dict[str, object], level: int = 1, quorum: object = "any") -> dict[str, object]:
    return {"level": level, "approvers": approvers, "quorum": quorum}


def rule(
    number: int, when: dict[str, object], *steps: dict[str, object], distinct: bool = False
) -> dict[str, object]:
    return {
        "number": number,
        "name": f"Rule {number}",
        "when": when,
        "steps": list(steps),
        "distinct": distinct,
    }


def policy(*rules: dict[str, object], limits: str = "off", basis: str = "net") -> Policy:
    return read_policy(
        {
            "account_code": "ACME",
            "total_basis": basis,
            "signing_limits": limits,
            "rules": list(rules),
        }
    )
