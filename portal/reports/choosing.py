"""What the filters of a report offer: only what lies within the reader's scope."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import Account, CostCentre, Membership, Person, Unit
from portal.db import db
from portal.orders.rules import SENT, OrderStatus
from portal.policy import Actor, Permission
from portal.reports.asking import By, Wanted
from portal.reports.models import ExchangeRate
from portal.reports.naming import load_categories
from portal.reports.shapes import Report
from portal.scope import within
from portal.service.assets.rules import EntitlementKind
from portal.service.cases.models import ServiceTeam
from portal.service.cases.rules import CaseKind, Cause, ComplaintCategory, Priority, Severity

MOST: Final = 500
"""Choices of one filter; a longer list is typed instead of chosen."""
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A filter: its name in the address, its words, what is set and what it offers."""

    name: str
    label: str
    value: str
    choices: Sequence[Choice]

    @property
    def is_typed(self) -> bool:
        """Whether it is typed, for lack of a list of choices."""
        return not self.choices


def fields_of(actor: Actor, report: Report, wanted: Wanted) -> list[Field]:
    """Return the filters of a report with what they offer to this actor."""
    return [
        Field(
            by.value,
            _(by.label),
            wanted.filters.get(by, ""),
            _with(_CHOICES.get(by, _none)(actor, report.permission), wanted.filters.get(by, "")),
        )
        for by in report.asked_by(actor).filters
    ]


def _with(choices: Sequence[Choice], value: str) -> Sequence[Choice]:
    """Return choices that hold what is set, even where nobody offers it."""
    if len(choices) > MOST:
        return ()
    if choices and value and value not in {key for key, _label in choices}:
        return [*choices, (value, value)]
    return choices


def _none(_actor: Actor, _permission: Permission) -> Sequence[Choice]:
    return ()


def _accounts(actor: Actor, permission: Permission) -> Sequence[Choice]:
    rows = db.session.execute(
        select(Account.code, Account.name)
        .where(within(actor, permission, account=Account.id), Account.kind == "customer")
        .order_by(Account.code)
        .limit(MOST + 1)
    )
    return [(code, f"{code} – {name}") for code, name in rows]


def _units(actor: Actor, permission: Permission) -> Sequence[Choice]:
    rows = db.session.execute(
        select(Account.code, Unit.code, Unit.name)
        .join(Account, Account.id == Unit.account_id)
        .where(
            within(actor, permission, account=Unit.account_id, unit=Unit.id),
            Account.kind == "customer",
        )
        .order_by(Account.code, Unit.code)
        .limit(MOST + 1)
    )
    return [(f"{account}/{code}", f"{account} {code} – {name}") for account, code, name in rows]


def _cost_centres(actor: Actor, permission: Permission) -> Sequence[Choice]:
    rows = db.session.execute(
        select(CostCentre.code, CostCentre.name)
        .where(within(actor, permission, account=CostCentre.account_id, unit=CostCentre.unit_id))
        .order_by(CostCentre.code)
        .limit(MOST + 1)
    )
    return list({code: (code, f"{code} – {name}") for code, name in rows}.values())


def _people(actor: Actor, permission: Permission) -> Sequence[Choice]:
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(Account, Account.id == Membership.account_id)
        .where(
            within(
                actor,
                permission,
                account=Membership.account_id,
                unit=Membership.unit_id,
                owner=Membership.id,
            ),
            Account.kind == "customer",
        )
        .distinct()
        .order_by(Person.name, Person.id)
        .limit(MOST + 1)
    )
    return [(str(person_id), name) for person_id, name in rows]


def _categories(_actor: Actor, _permission: Permission) -> Sequence[Choice]:
    found = load_categories()
    return [(path, found.name_of(path).label) for path in sorted(found.paths.values())]


def _teams(_actor: Actor, _permission: Permission) -> Sequence[Choice]:
    rows = db.session.execute(
        select(ServiceTeam.code, ServiceTeam.name).order_by(ServiceTeam.code).limit(MOST + 1)
    )
    return [(code, name) for code, name in rows]


def _words(words: type[StrEnum]) -> Callable[[Actor, Permission], Sequence[Choice]]:
    def choices(_actor: Actor, _permission: Permission) -> Sequence[Choice]:
        return [(word.value, _label(word)) for word in words]

    return choices


def _label(word: Any) -> str:  # noqa: ANN401 - any of our enums of words
    return _(word.label)


def _states(_actor: Actor, _permission: Permission) -> Sequence[Choice]:
    return [(state.value, _(state.label)) for state in OrderStatus if state in SENT]


_CHOICES: Final[Mapping[By, Callable[[Actor, Permission], Sequence[Choice]]]] = {
    By.ACCOUNT: _accounts,
    By.UNIT: _units,
    By.COST_CENTRE: _cost_centres,
    By.PERSON: _people,
    By.CATEGORY: _categories,
    By.TEAM: _teams,
    By.STATUS: _states,
    By.KIND: _words(CaseKind),
    By.PRIORITY: _words(Priority),
    By.COMPLAINT: _words(ComplaintCategory),
    By.CAUSE: _words(Cause),
    By.SEVERITY: _words(Severity),
    By.COVER: _words(EntitlementKind),
}


def find_currencies(actor: Actor, wanted: Wanted) -> list[str]:
    """Return the currencies to choose from: one's own, and those that rates lead to."""
    rated = select(ExchangeRate.to_currency).union(select(ExchangeRate.from_currency))
    own = {actor.currency, wanted.currency}
    if actor.is_supplier:
        own |= set(db.session.scalars(select(Account.currency).distinct()))
    return sorted(own | set(db.session.scalars(rated)))
