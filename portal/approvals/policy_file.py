"""The policy as a file: JSON in and out, every mistake named by its path."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from portal.approvals.facts import Basis
from portal.approvals.rules import (
    Approvers,
    Ask,
    PlannedStep,
    Policy,
    Quorum,
    RequesterTotal,
    Rule,
    When,
)
from portal.errors import N_, InvalidError
from portal.policy import Role

Value = TypeVar("Value")

MOST_RULES: Final = 200
MOST_STEPS: Final = 20
LARGEST: Final = Decimal(10) ** 13


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


class _UnusableError(Exception):
    """A value that its place does not take."""

    def __init__(self, message: str, **details: str) -> None:
        super().__init__(message)
        self.message, self.details = message, details


@dataclass
class _Reader:
    """Collects every problem instead of stopping at the first."""

    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: str, value: object, message: str, **details: str) -> None:
        shown = "" if value is None else value if isinstance(value, str) else _shown(value)
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
        except _UnusableError as error:
            self.refuse(path, value, error.message, **error.details)
            return None

    def known(self, source: Mapping[str, Any], path: str, keys: Mapping[str, object]) -> None:
        """Refuse keys that have no meaning here."""
        for key in source:
            if key not in keys:
                self.refuse(
                    _join(path, key),
                    source[key],
                    N_("There is no such key; known are {keys}."),
                    keys=", ".join(keys),
                )

    def needed(self, source: Mapping[str, Any], path: str, *keys: str) -> None:
        for key in keys:
            if source.get(key) is None:
                self.refuse(_join(path, key), None, N_("This is missing."))


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def load_policy(text: str | bytes) -> Policy:
    """Read a policy from its file.

    Raises:
        PolicyFileError: With every problem found, each by its path (``rules[0].when.total_over``).
    """
    try:
        source = json.loads(text, parse_float=Decimal, object_pairs_hook=_no_repeats)
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
    basis = reader.take(source, "", "total_basis", _choice("net", "gross"))
    signing = reader.take(source, "", "signing_limits", _choice("required", "off"))
    return Policy(
        account_code=reader.take(source, "", "account_code", _text) or "",
        unit_code=reader.take(source, "", "unit_code", _text),
        basis=Basis(basis or "net"),
        signing_required=signing != "off",
        rules=_rules(reader, source.get("rules")),
        reminder_hours=reader.take(source, "", "reminder_hours", _whole(1)),
        escalation_hours=reader.take(source, "", "escalation_hours", _whole(1)),
        keep_unchanged=reader.take(source, "", "keep_unchanged_approvals", _boolean) or False,
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
    number = reader.take(source, path, "number", _whole(1)) or -len(reader.problems)
    return Rule(
        number=number,
        name=reader.take(source, path, "name", _text) or "",
        when=_when(reader, source.get("when") or {}, _join(path, "when")),
        steps=tuple(_step(reader, item, place) for place, item in steps),
        distinct=reader.take(source, path, "distinct", _boolean) or False,
    )


_STEP_KEYS: Final = dict.fromkeys(("level", "approvers", "quorum"))


def _step(reader: _Reader, source: dict[str, Any], path: str) -> PlannedStep:
    reader.known(source, path, _STEP_KEYS)
    reader.needed(source, path, "level", "approvers")
    return PlannedStep(
        level=reader.take(source, path, "level", _whole(1)) or 1,
        approvers=_approvers(reader, source.get("approvers"), _join(path, "approvers")),
        quorum=reader.take(source, path, "quorum", _quorum) or "any",
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
    emails = reader.take(source, path, "persons", _words(str.lower))
    role = reader.take(source, path, "role", _role)
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
    reader.known(source, path, dict.fromkeys((*_CONDITIONS, "budget_exceeded")))
    values: dict[str, Any] = {}
    for key, parse in _CONDITIONS.items():
        if key in source and source[key] is None:
            # Null must not mean absent here: a rule without its condition always holds.
            reader.refuse(_join(path, key), None, N_("A condition needs a value."))
        value = reader.take(source, path, key, parse)
        if value is not None:
            values[key] = value
    return When(**values)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:  # noqa: PLR2004
        raise _UnusableError(N_("This is a text of 1 to 200 characters."))
    return value.strip()


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _UnusableError(N_("This is true or false."))
    return value


def _only_true(value: object) -> bool:
    if value is not True:
        raise _UnusableError(N_("This can only be true."))
    return True


def _whole(least: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 10**6:
            raise _UnusableError(N_("This is a whole number from {least}."), least=str(least))
        return value

    return parse


def _choice(*options: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in options or not isinstance(value, str):
            raise _UnusableError(N_("This is one of {options}."), options=", ".join(options))
        return value

    return parse


def _quorum(value: object) -> Quorum:
    if value == "any":
        return "any"
    if value == "all":
        return "all"
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 1000:  # noqa: PLR2004
        raise _UnusableError(N_("This is “any”, “all” or a whole number from 1."))
    return value


def _amount(value: object) -> Decimal:
    problem = N_("This is an amount from 0, with a point and at most 4 decimals.")
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise _UnusableError(problem)
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise _UnusableError(problem) from None
    if not amount.is_finite() or not 0 <= amount < LARGEST or amount != round(amount, 4):
        raise _UnusableError(problem)
    return amount


def _percent(value: object) -> Decimal:
    percent = _amount(value)
    if percent > 100:  # noqa: PLR2004
        raise _UnusableError(N_("This is a percentage from 0 to 100."))
    return percent


def _words(change: Callable[[str], str] = str) -> Callable[[object], tuple[str, ...]]:
    def parse(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= 500:  # noqa: PLR2004
            raise _UnusableError(N_("This is a list of 1 to 500 texts."))
        return tuple(dict.fromkeys(change(_text(item)) for item in value))

    return parse


def _role(value: object) -> str:
    return _choice(*(role.value for role in Role))(value)


def _roles(value: object) -> tuple[str, ...]:
    return tuple(_role(item) for item in _words()(value))


def _countries(value: object) -> tuple[str, ...]:
    codes = _words(str.upper)(value)
    if any(len(code) != 2 or not code.isalpha() or not code.isascii() for code in codes):  # noqa: PLR2004
        raise _UnusableError(N_("These are ISO 3166 codes of two letters."))
    return codes


def _category(value: object) -> str:
    path = _text(value)
    return "/".join(part.strip() for part in path.strip("/").split("/"))


def _requester_total(value: object) -> RequesterTotal:
    if not isinstance(value, dict) or set(value) != {"amount", "days"}:
        raise _UnusableError(N_("This is an object with an amount and days."))
    return RequesterTotal(_amount(value["amount"]), _whole(1)(value["days"]))


_CONDITIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "total_over": _amount,
    "total_up_to": _amount,
    "category_under": _category,
    "off_contract": _only_true,
    "discount_over_percent": _percent,
    "cost_centres": _words(),
    "requester_roles": _roles,
    "ship_to_countries": _countries,
    "requester_total_over": _requester_total,
}


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
    for key in _CONDITIONS:
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
