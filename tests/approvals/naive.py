"""A second, plain reading of the route's rules, written from their text alone.

It shares only the data classes with the program: no function of it, no order of its steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from portal.approvals.facts import Facts
from portal.approvals.people import Member, People
from portal.approvals.rules import Answer

StepTuple = tuple[int, tuple[int, ...], tuple[str, ...], int]


@dataclass
class Answered:
    """What the naive reading says: steps as (level, rules, e-mails, people needed)."""

    outcome: str
    steps: list[StepTuple] = field(default_factory=list)
    missing: list[tuple[int, tuple[int, ...], str]] = field(default_factory=list)
    threshold: tuple[int, Decimal] | None = None


def limit_covers(member: Member, total: Decimal) -> bool:
    return member.unlimited or (member.signing_limit or Decimal(0)) >= total


def route(  # noqa: C901, PLR0912 - read from top to bottom, as the text is
    document: dict[str, Any] | None, facts: Facts, people: People
) -> Answered:
    """Return the route for a policy given as its file."""
    if document is None:
        return no_policy(facts, people)
    gross = document["total_basis"] == "gross" and facts.gross_total is not None
    total = facts.gross_total if gross else facts.net_total
    assert total is not None
    answered = Answered("auto-approved", threshold=threshold(document, facts, people, total))
    rules = [
        rule
        for rule in sorted(document["rules"], key=lambda rule: rule["number"])
        if all(holds(key, value, facts, people, total) for key, value in rule["when"].items())
    ]
    if not rules:
        return answered
    rows: list[tuple[int, int, list[Member], int]] = []
    for rule in rules:
        for step in rule["steps"]:
            found, replaced = named(step["approvers"], facts, people)
            quorum = step["quorum"]
            needed = 1 if quorum == "any" or replaced else quorum
            if needed == "all":
                needed = len(found) or 1
            if len(found) >= needed:
                rows.append((step["level"], rule["number"], found, needed))
            elif found:
                answered.missing.append((step["level"], (rule["number"],), "number"))
            else:
                needs = "role" if "role" in step["approvers"] else "person"
                answered.missing.append((step["level"], (rule["number"],), needs))
    answered.steps = merged(rows)
    if document["signing_limits"] == "required" and rows:
        sign(answered, rows, total, facts, people)
    answered.missing.sort()
    answered.outcome = "dead-end" if answered.missing else "steps"
    return answered


def no_policy(facts: Facts, people: People) -> Answered:
    administrators = [
        member
        for member in people.members
        if member.is_active and "site-administrator" in member.roles
    ]
    found, _replaced = without_requesters(administrators, facts, people)
    if not found:
        return Answered("dead-end", missing=[(1, (), "role")])
    return Answered("steps", [(1, (), emails(found), 1)])


def emails(members: Sequence[Member]) -> tuple[str, ...]:
    return tuple(sorted({member.email for member in members}))


def merged(rows: list[tuple[int, int, list[Member], int]]) -> list[StepTuple]:
    """Rule 5: same level, same people, same quorum."""

    def key(row: tuple[int, int, list[Member], int]) -> tuple[int, tuple[str, ...], int]:
        return row[0], emails(row[2]), row[3]

    steps = []
    for (level, who, needed), group in groupby(sorted(rows, key=key), key=key):
        numbers = tuple(sorted({row[1] for row in group}))
        steps.append((level, numbers, who, needed))
    return sorted(steps)


def sign(
    answered: Answered,
    rows: list[tuple[int, int, list[Member], int]],
    total: Decimal,
    facts: Facts,
    people: People,
) -> None:
    """Rule 6: levels are added until a limit covers."""
    highest = max(row[0] for row in rows)
    last = [member for row in rows if row[0] == highest for member in row[2]]
    if any(limit_covers(member, total) for member in last):
        return
    best = max(member.signing_limit or Decimal(0) for member in last)
    climber = min(
        (member for member in last if (member.signing_limit or Decimal(0)) == best),
        key=lambda member: member.email,
    )
    level, seen = highest, {climber.membership_id}
    while True:
        above = [item for item in people.members if item.membership_id == climber.manager_id]
        if not above or above[0].membership_id in seen:
            break
        climber = above[0]
        seen.add(climber.membership_id)
        if climber.is_active and climber.person_id not in facts.requester_person_ids:
            level += 1
            answered.steps.append((level, (), (climber.email,), 1))
            if limit_covers(climber, total):
                return
    able = [
        member
        for member in people.members
        if member.is_active
        and "site-administrator" in member.roles
        and member.person_id not in facts.requester_person_ids
        and limit_covers(member, total)
    ]
    if able:
        answered.steps.append((level + 1, (), emails(able), 1))
    else:
        answered.missing.append((level + 1, (), "limit"))


def named(approvers: dict[str, Any], facts: Facts, people: People) -> tuple[list[Member], bool]:
    """Rules 2 and 3: who is asked, and whether others answer for requesters."""
    active = [member for member in people.members if member.is_active]
    if "persons" in approvers:
        found = [member for member in active if member.email in approvers["persons"]]
    elif "manager" in approvers:
        submitter = [item for item in people.members if item.membership_id == facts.submitted_by]
        found = [
            item for item in active if submitter and item.membership_id == submitter[0].manager_id
        ]
    elif "cost_centre_owner" in approvers:
        used = {line.cost_centre for line in facts.lines}
        owners = {
            owner for code, owner in people.cost_centre_owners.items() if code in used and owner
        }
        found = [member for member in active if member.person_id in owners]
    else:
        found = []
        unit = facts.unit_id
        while not found:
            found = [
                item for item in active if approvers["role"] in item.roles and item.unit_id == unit
            ]
            if unit is None:
                break
            unit = people.parents.get(unit)
    return without_requesters(found, facts, people)


def without_requesters(
    found: list[Member], facts: Facts, people: People
) -> tuple[list[Member], bool]:
    requesters = facts.requester_person_ids
    rest = [member for member in found if member.person_id not in requesters]
    if rest or not found:
        return rest, False
    instead: list[Member] = []
    for member in found:
        climber, seen = member, {member.membership_id}
        while True:
            above = [item for item in people.members if item.membership_id == climber.manager_id]
            if not above or above[0].membership_id in seen:
                break
            climber = above[0]
            seen.add(climber.membership_id)
            if climber.is_active and climber.person_id not in requesters:
                instead.append(climber)
                break
    if not instead:
        instead = [
            member
            for member in people.members
            if member.is_active
            and "site-administrator" in member.roles
            and member.person_id not in requesters
        ]
    return [item for item in people.members if item in instead], True


def holds(key: str, value: Any, facts: Facts, people: People, total: Decimal) -> bool:  # noqa: ANN401, C901, PLR0911, PLR0912 - one answer per condition
    lines = facts.lines
    match key:
        case "total_over":
            return total > Decimal(value)
        case "total_up_to":
            return total <= Decimal(value)
        case "category_under":
            return any(value in line.category_paths for line in lines)
        case "off_contract":
            return any(line.off_contract for line in lines)
        case "cost_centres":
            return any(line.cost_centre in value for line in lines)
        case "ship_to_countries":
            return any(line.ship_to_country in value for line in lines)
        case "discount_over_percent":
            return any(
                line.list_price and (1 - line.unit_price / line.list_price) * 100 > Decimal(value)
                for line in lines
            )
        case "requester_total_over":
            basis: Any = "net"
            others = facts.requester_total(value["days"], basis)
            return total + others > Decimal(value["amount"])
        case _:
            assert key == "requester_roles"
            return any(
                set(value) & member.roles
                for member in people.members
                if member.membership_id == facts.submitted_by
                or (
                    member.person_id in facts.requester_person_ids
                    and member.person_id != person_of(facts.submitted_by, people)
                )
            )


def person_of(membership_id: int | None, people: People) -> int | None:
    return next(
        (item.person_id for item in people.members if item.membership_id == membership_id), None
    )


def threshold(
    document: dict[str, Any], facts: Facts, people: People, total: Decimal
) -> tuple[int, Decimal] | None:
    best: tuple[Decimal, int] | None = None
    for rule in document["rules"]:
        when = dict(rule["when"])
        over = when.pop("total_over", None)
        if over is None or total > Decimal(over):
            continue
        if all(holds(key, value, facts, people, total) for key, value in when.items()):
            candidate = (Decimal(over) - total, rule["number"])
            best = candidate if best is None else min(best, candidate)
    return None if best is None else (best[1], best[0])


@dataclass
class Seat:
    """One step of a running route, in the naive reading."""

    level: int
    people: set[int]
    needed: int
    signers: set[int]
    distinct: bool


def replay(
    seats: list[Seat], answers: list[tuple[int, Answer]], *, signing: bool
) -> tuple[str, set[int]]:
    """Let people answer one after the other; return how it stands and who can answer next.

    Somebody who can't answer at their turn is not heard.
    """
    given: list[set[int]] = [set() for _ in seats]
    for person, answer in answers:
        if person not in asked(seats, given, signing=signing):
            continue
        if answer is not Answer.APPROVE:
            return ("rejected" if answer is Answer.REJECT else "changes requested"), set()
        level = current(seats, given, signing=signing)
        assert level is not None
        home = next(
            index
            for index, seat in enumerate(seats)
            if seat.level == level and person in can_answer(seats, given, index, signing=signing)
        )
        given[home].add(person)
        for index, seat in enumerate(seats):
            if seat.level >= level and person in seat.people and not seat.distinct:
                given[index].add(person)
    if current(seats, given, signing=signing) is None:
        return "approved", set()
    return "open", asked(seats, given, signing=signing)


def unsigned(seats: list[Seat], given: list[set[int]], level: int, *, signing: bool) -> bool:
    if not signing or level != max(seat.level for seat in seats):
        return False
    return not any(
        seat.signers & given[index] for index, seat in enumerate(seats) if seat.level == level
    )


def current(seats: list[Seat], given: list[set[int]], *, signing: bool) -> int | None:
    """Return the lowest level that is not done."""
    for level in sorted({seat.level for seat in seats}):
        short = any(
            len(given[index]) < seat.needed
            for index, seat in enumerate(seats)
            if seat.level == level
        )
        if short or unsigned(seats, given, level, signing=signing):
            return level
    return None


def can_answer(seats: list[Seat], given: list[set[int]], index: int, *, signing: bool) -> set[int]:
    seat = seats[index]
    if len(given[index]) < seat.needed:
        return seat.people - given[index]
    if unsigned(seats, given, seat.level, signing=signing):
        return seat.signers - given[index]
    return set()


def asked(seats: list[Seat], given: list[set[int]], *, signing: bool) -> set[int]:
    level = current(seats, given, signing=signing)
    return {
        person
        for index, seat in enumerate(seats)
        if seat.level == level
        for person in can_answer(seats, given, index, signing=signing)
    }
