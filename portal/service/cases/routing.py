"""Which team a case belongs to: the first rule by number whose every condition holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.service.cases.rules import CaseKind, Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What a rule may ask of a case; ``category_path`` is that of its product."""

    kind: CaseKind
    account_id: int
    country: str
    category_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table; a condition that is not set holds always."""

    number: int
    team_id: int
    kind: CaseKind | None = None
    category_path: str = ""
    account_id: int | None = None
    country: str = ""
    priority: Priority | None = None

    def matches(self, facts: CaseFacts) -> bool:
        """Whether every condition holds; a category holds for everything below it."""
        return (
            self.kind in {None, facts.kind}
            and self.account_id in {None, facts.account_id}
            and self.country in {"", facts.country}
            and _is_under(facts.category_path, self.category_path)
        )


def route(rules: Iterable[Rule], facts: CaseFacts) -> Rule | None:
    """Return the first matching rule by number; ``None`` leaves the case to whoever takes it."""
    matching = (rule for rule in sorted(rules, key=lambda rule: rule.number) if rule.matches(facts))
    return next(matching, None)


def _is_under(path: str, wanted: str) -> bool:
    return not wanted or path == wanted or path.startswith(f"{wanted}/")
