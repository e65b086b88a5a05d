"""The reference of approvals: who is asked, whose answer counts, and when it is over."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.proofs.machine.model import Model, Thing, units_upwards
from tests.proofs.machine.world import POLICIES


def covers(person: Thing, total: Decimal) -> bool:
    return person["limit"] is None or person["limit"] >= total


def route(model: Model, quote: Thing, submitter: str, requesters: set[str]) -> list[Thing] | None:
    """Return the steps of a submission, none where nobody is needed, ``None`` at a dead end."""
    if quote["account"] != "ACME":  # without a policy the site administrators decide
        found, is_replaced = _without(administrators(model, quote), requesters, model)
        why = "replaced" if is_replaced else "role:site-administrator"
        return [_step(1, found, 1, [why])] if found else None
    policy = POLICIES[model.policy]
    total = model.totals(quote)["net"]
    steps = []
    for rule in policy["rules"]:
        if total <= Decimal(rule["when"]["total_over"]):
            continue
        for planned in rule["steps"]:
            step = _planned(model, quote, planned, submitter, requesters)
            if step is None:
                return None
            steps.append(step)
    if policy["signing_limits"] == "required" and steps:
        return _signed(model, quote, steps, total, requesters)
    return steps


def _step(level: int, people: Iterable[Thing], quorum: int, why: list[str]) -> Thing:
    return {
        "level": level, "people": {each["name"] for each in people}, "quorum": quorum, "why": why
    }  # fmt: skip


def _planned(
    model: Model, quote: Thing, planned: dict[str, Any], submitter: str, requesters: set[str]
) -> Thing | None:
    approvers, why = planned["approvers"], "person"
    active = list(model.members(quote["account"]))
    found: list[Thing] = []
    if "role" in approvers:
        why = f"role:{approvers['role']}"
        for unit in units_upwards(quote["account"], quote["unit"]):
            found = [
                each
                for each in active
                if approvers["role"] in each["roles"] and each["unit"] == unit
            ]
            if found:
                break
    elif "manager" in approvers:
        above = model.people[submitter]["manager"]
        found = [each for each in active if each["name"] == above]
    else:
        named = {email.partition("@")[0] for email in approvers["persons"]}
        found = [each for each in active if each["name"] in named]
    found, is_replaced = _without(found, requesters, model)
    quorum = planned["quorum"]
    needed = 1 if quorum == "any" or is_replaced else max(len(found), 1)
    if isinstance(quorum, int) and not is_replaced:
        needed = quorum
    if len(found) < needed:
        return None
    return _step(planned["level"], found, needed, ["replaced" if is_replaced else why])


def administrators(model: Model, quote: Thing) -> list[Thing]:
    return [
        each for each in model.members(quote["account"]) if "site-administrator" in each["roles"]
    ]


def _without(found: list[Thing], requesters: set[str], model: Model) -> tuple[list[Thing], bool]:
    """Take those who ask out; where nobody is left their superiors answer."""
    left = [each for each in found if each["name"] not in requesters]
    if left or not found:
        return left, False
    instead = {}
    for person in found:
        for above in _upwards(model, person):
            if model.can_act(above["name"]) and above["name"] not in requesters:
                instead[above["name"]] = above
                break
    if not instead:
        quote = {"account": found[0]["account"]}
        instead = {
            each["name"]: each
            for each in administrators(model, quote)
            if each["name"] not in requesters
        }
    return list(instead.values()), True


def _upwards(model: Model, person: Thing) -> list[Thing]:
    above, name = [], person["manager"]
    while name is not None:
        above.append(model.people[name])
        name = model.people[name]["manager"]
    return above


def _signed(
    model: Model, quote: Thing, steps: list[Thing], total: Decimal, requesters: set[str]
) -> list[Thing] | None:
    """Add the levels that end with somebody whose limit covers the total."""
    level = max(step["level"] for step in steps)
    last = [
        model.people[name] for step in steps if step["level"] == level for name in step["people"]
    ]
    if any(covers(person, total) for person in last):
        return steps
    below = min(last, key=lambda person: (-person["limit"], person["name"]))
    for above in _upwards(model, below):
        if not model.can_act(above["name"]) or above["name"] in requesters:
            continue
        level += 1
        steps = [*steps, _step(level, [above], 1, ["limit"])]
        if covers(above, total):
            return steps
    able = [
        each
        for each in administrators(model, quote)
        if each["name"] not in requesters and covers(each, total)
    ]
    return [*steps, _step(level + 1, able, 1, ["limit"])] if able else None


def approved_in(run: Thing, place: int) -> set[str]:
    """Return whose approval counts in a step: given in it or in one of an earlier level."""
    step = run["steps"][place]
    return {
        name
        for where, name, answer in run["votes"]
        if answer == "approve"
        and name in step["people"]
        and run["steps"][where]["level"] <= step["level"]
    }


def waiting(model: Model, run: Thing) -> dict[int, set[str]]:
    """Return who may answer now, by step; nothing where all have answered."""
    levels = sorted({step["level"] for step in run["steps"]})
    for level in levels:
        places = [place for place, step in enumerate(run["steps"]) if step["level"] == level]
        able = {
            name
            for place in places
            for name in run["steps"][place]["people"]
            if covers(model.people[name], run["total"])
        }
        given = set().union(*(approved_in(run, place) for place in places))
        unsigned = run["signing"] and level == levels[-1] and not able & given
        asked = {}
        for place in places:
            step, counted = run["steps"][place], approved_in(run, place)
            if len(counted) < step["quorum"]:
                asked[place] = step["people"] - counted
            elif unsigned and (able & step["people"]) - counted:
                asked[place] = (able & step["people"]) - counted
        if asked:
            return asked
    return {}


def step_for(model: Model, run: Thing, name: str) -> int | None:
    found = waiting(model, run)
    return next((place for place in sorted(found) if name in found[place]), None)


def has_lost_role(model: Model, step: Thing, name: str) -> bool:
    """Whether somebody was named for a role that they do not hold any more."""
    roles = {why.partition(":")[2] for why in step["why"] if why.startswith("role:")}
    others = [why for why in step["why"] if not why.startswith("role:")]
    return bool(roles) and not others and not roles & model.people[name]["roles"]
