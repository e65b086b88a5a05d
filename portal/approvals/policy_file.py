"""The policy as a file: JSON in and out, every mistake named by its path."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar

from portal.approvals.facts import Basis
from portal.approvals.policy_values import (
    CONDITIONS,
    UnusableError,
    boolean,
    choice,
    parse_quorum,
    parse_role,
    parse_text,
    whole,
    words,
)
from portal.approvals.rules import (
    Approvers,
    Ask,
    PlannedStep,
    Policy,
    RequesterTotal,
    Rule,
    When,
)
from portal.errors import N_, InvalidError

Value = TypeVar("Value")

MOST_RULES: Final = 200
MOST_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a policy file."""

    path: str
    value: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The reason in English; the edge translates ``message`` for pages."""
        return self.message.format(**self.details)


class PolicyFileError(InvalidError):
    """The file is no policy; ``problems`` says where and why."""

    message = N_("The policy can't be used: {summary}")

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        summary = "; ".join(f"{item.path}: {item.reason}" for item in problems)
        super().__init__(summary=summary)
        self.problems = problems


@dataclass
class _Reader:
    """Collects every problem instead of stopping at the first."""

    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: str, value: object, message: str, **details: str) -> None:
        shown = "" if value is None else _plain(value) if isinstance(value, str) else _shown(value)
        self.problems.append(Problem(path, shown, message, details))

    def take(
        self, source: Mapping[str, Any], path: str, key: str, parse: Callable[[Any], Value]
    ) -> Value | None:
        """Parse one value of an object; ``None`` where it is absent, null or refused."""
        value = source.get(key)
        if value is None:
            return None
        return self.parse(value, _join(path, key), parse)

    def parse(self, value: object, path: str, parse: Callable[[Any], Value]) -> Value | None:
        try:
            return parse(value)
        except UnusableError as error:
            self.refuse(path, value, error.message, **error.details)
            return None

    def known(self, source: Mapping[str, Any], path: str, keys: Mapping[str, object]) -> None:
        """Refuse keys that have no meaning here."""
        for key in source:
            if key not in keys:
                self.refuse(
                    _join(path, _plain(key)),
                    source[key],
                    N_("There is no such key; known are {keys}."),
                    keys=", ".join(keys),
                )

    def needed(self, source: Mapping[str, Any], path: str, *keys: str) -> None:
        for key in keys:
            if source.get(key) is None:
                self.refuse(_join(path, key), None, N_("This is missing."))


def _shown(value: object) -> str:
    return _written(value)[:80]


def _plain(text: str) -> str:
    """Return a text that every page can show: what can't be printed, as JSON writes it."""
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def load_policy(text: str | bytes) -> Policy:
    """Read a policy from its file.

    Raises:
        PolicyFileError: With every problem found, each by its path (``rules[0].when.total_over``).
    """
    try:
        source = json.loads(text, parse_float=Decimal, object_pairs_hook=_no_repeats)
        _written(source).encode()  # half a character, written as \ud800, has no place anywhere
    except (ValueError, RecursionError) as error:
        raise PolicyFileError(
            (Problem("", "", N_("This is no JSON: {error}"), {"error": str(error)}),)
        ) from None
    return read_policy(source)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key “{twice}” stands twice in one object"
        raise ValueError(message)
    return seen


def read_policy(source: object) -> Policy:
    """Read a policy from its parsed JSON; see `load_policy`."""
    reader = _Reader()
    policy = _policy(reader, source)
    if reader.problems or policy is None:
        raise PolicyFileError(tuple(reader.problems))
    return policy


_POLICY_KEYS: Final = dict.fromkeys(
    (
        "account_code",
        "unit_code",
        "total_basis",
        "signing_limits",
        "rules",
        "reminder_hours",
        "escalation_hours",
        "keep_unchanged_approvals",
    )
)


def _policy(reader: _Reader, source: object) -> Policy | None:
    if not isinstance(source, dict):
        reader.refuse("", source, N_("A policy is one JSON object."))
        return None
    reader.known(source, "", _POLICY_KEYS)
    reader.needed(source, "", "account_code", "rules")
    basis = reader.take(source, "", "total_basis", choice("net", "gross"))
    signing = reader.take(source, "", "signing_limits", choice("required", "off"))
    return Policy(
        account_code=reader.take(source, "", "account_code", parse_text) or "",
        unit_code=reader.take(source, "", "unit_code", parse_text),
        basis=Basis(basis or "net"),
        signing_required=signing != "off",
        rules=_rules(reader, source.get("rules")),
        reminder_hours=reader.take(source, "", "reminder_hours", whole(1)),
        escalation_hours=reader.take(source, "", "escalation_hours", whole(1)),
        keep_unchanged=reader.take(source, "", "keep_unchanged_approvals", boolean) or False,
    )


def _objects(
    reader: _Reader, source: object, path: str, most: int
) -> list[tuple[str, dict[str, Any]]]:
    """Return the objects of a list with their paths."""
    if source is None:
        return []
    if not isinstance(source, list) or len(source) > most:
        reader.refuse(path, source, N_("This is a list of at most {most}."), most=str(most))
        return []
    found = []
    for index, item in enumerate(source):
        if isinstance(item, dict):
            found.append((f"{path}[{index}]", item))
        else:
            reader.refuse(f"{path}[{index}]", item, N_("This is an object."))
    return found


def _rules(reader: _Reader, source: object) -> tuple[Rule, ...]:
    rules: dict[int, Rule] = {}
    for path, item in _objects(reader, source, "rules", MOST_RULES):
        rule = _rule(reader, item, path)
        if rule.number in rules:
            reader.refuse(
                _join(path, "number"), rule.number, N_("Another rule has this number already.")
            )
        rules[rule.number] = rule
    return tuple(sorted(rules.values(), key=lambda rule: rule.number))


_RULE_KEYS: Final = dict.fromkeys(("number", "name", "when", "steps", "distinct"))


def _rule(reader: _Reader, source: dict[str, Any], path: str) -> Rule:
    reader.known(source, path, _RULE_KEYS)
    reader.needed(source, path, "number", "name", "steps")
    steps = _objects(reader, source.get("steps"), _join(path, "steps"), MOST_STEPS)
    if source.get("steps") == []:
        reader.refuse(_join(path, "steps"), [], N_("A rule requires at least one step."))
    # A refused number still needs a place: negative ones are no rule's.
    number = reader.take(source, path, "number", whole(1)) or -len(reader.problems)
    return Rule(
        number=number,
        name=reader.take(source, path, "name", parse_text) or "",
        when=_when(reader, source.get("when") or {}, _join(path, "when")),
        steps=tuple(_step(reader, item, place) for place, item in steps),
        distinct=reader.take(source, path, "distinct", boolean) or False,
    )


_STEP_KEYS: Final = dict.fromkeys(("level", "approvers", "quorum"))


def _step(reader: _Reader, source: dict[str, Any], path: str) -> PlannedStep:
    reader.known(source, path, _STEP_KEYS)
    reader.needed(source, path, "level", "approvers")
    return PlannedStep(
        level=reader.take(source, path, "level", whole(1)) or 1,
        approvers=_approvers(reader, source.get("approvers"), _join(path, "approvers")),
        quorum=reader.take(source, path, "quorum", parse_quorum) or "any",
    )


def _approvers(reader: _Reader, source: object, path: str) -> Approvers:
    nobody = Approvers(Ask.MANAGER)
    if source is None:
        return nobody
    kinds = {ask.value: None for ask in Ask}
    if not isinstance(source, dict) or len(source) != 1:
        reader.refuse(path, source, N_("This names exactly one of {keys}."), keys=", ".join(kinds))
        return nobody
    reader.known(source, path, kinds)
    emails = reader.take(source, path, "persons", words(str.lower))
    role = reader.take(source, path, "role", parse_role)
    for key in ("cost_centre_owner", "manager"):
        if key in source and source[key] is not True:
            reader.refuse(_join(path, key), source[key], N_("This can only be true."))
    ask = next((Ask(key) for key in source if key in kinds), Ask.MANAGER)
    return Approvers(ask, emails or (), role or "")


BUDGETS_LATER: Final = N_(
    "This portal keeps no budgets yet, so a rule about them could never hold. Leave it out."
)


def _when(reader: _Reader, source: object, path: str) -> When:
    if not isinstance(source, dict):
        reader.refuse(path, source, N_("This is an object."))
        return When()
    if "budget_exceeded" in source:
        reader.refuse(_join(path, "budget_exceeded"), source["budget_exceeded"], BUDGETS_LATER)
    reader.known(source, path, dict.fromkeys((*CONDITIONS, "budget_exceeded")))
    values: dict[str, Any] = {}
    for key, parse in CONDITIONS.items():
        if key in source and source[key] is None:
            # Null must not mean absent here: a rule without its condition always holds.
            reader.refuse(_join(path, key), None, N_("A condition needs a value."))
        value = reader.take(source, path, key, parse)
        if value is not None:
            values[key] = value
    return When(**values)


def policy_json(policy: Policy) -> dict[str, Any]:
    """Return the file's shape of a policy; reading it again gives an equal policy."""
    return {
        "account_code": policy.account_code,
        "unit_code": policy.unit_code,
        "total_basis": policy.basis.value,
        "signing_limits": "required" if policy.signing_required else "off",
        "rules": [_rule_json(rule) for rule in policy.rules],
        "reminder_hours": policy.reminder_hours,
        "escalation_hours": policy.escalation_hours,
        "keep_unchanged_approvals": policy.keep_unchanged,
    }


def _rule_json(rule: Rule) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "number": rule.number,
        "name": rule.name,
        "when": _when_json(rule.when),
        "steps": [
            {
                "level": step.level,
                "approvers": _approvers_json(step.approvers),
                "quorum": step.quorum,
            }
            for step in rule.steps
        ],
    }
    return plain | ({"distinct": True} if rule.distinct else {})


def _when_json(when: When) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key in CONDITIONS:
        value = getattr(when, key)
        if value is None or value is False or value == ():
            continue
        if isinstance(value, RequesterTotal):
            plain[key] = {"amount": f"{value.amount:f}", "days": value.days}
        elif isinstance(value, Decimal):
            plain[key] = f"{value:f}"
        else:
            plain[key] = list(value) if isinstance(value, tuple) else value
    return plain


def _approvers_json(approvers: Approvers) -> dict[str, Any]:
    match approvers.ask:
        case Ask.PERSONS:
            return {"persons": list(approvers.emails)}
        case Ask.ROLE:
            return {"role": approvers.role}
        case Ask.COST_CENTRE_OWNER | Ask.MANAGER:
            return {approvers.ask.value: True}
