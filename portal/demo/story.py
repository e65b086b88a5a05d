"""The demo: the whole world with a story that is under way, or the small one for tests."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from portal.accounts.models import Account, Membership, MembershipRole, Person, Unit
from portal.db import db
from portal.demo.loading import keep_few, load_world
from portal.errors import N_, ConflictError
from portal.files.reading import Table


class NotEmptyError(ConflictError):
    """The database already holds accounts, which the demo would mix with made-up ones."""

    message = N_("This database already holds accounts; the demo is only loaded into an empty one.")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One membership of the demo, for the list of sign-ins."""

    account: str
    unit: str
    name: str
    email: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What the demo made."""

    accounts: tuple[str, ...]
    people: tuple[DemoPerson, ...]
    products: int = 0
    prices: int = 0


def load_demo(now: datetime) -> DemoSummary:
    """Load the demo: all products and the story.

    Raises:
        NotEmptyError: The database already holds accounts.
    """
    _must_be_empty()
    load_world(now, _everything)
    return summarise()


def load_small(now: datetime) -> DemoSummary:
    """Load the same people, lists and policies with a few products and no story.

    Raises:
        NotEmptyError: The database already holds accounts.
    """
    _must_be_empty()
    load_world(now, keep_few)
    return summarise()


def _everything(table: Table) -> Table:
    return table


def _must_be_empty() -> None:
    if db.session.scalar(select(func.count()).select_from(Account)):
        raise NotEmptyError


def summarise() -> DemoSummary:
    """Return what is there."""
    roles: dict[int, list[str]] = {}
    for held in db.session.scalars(select(MembershipRole).order_by(MembershipRole.role)):
        roles.setdefault(held.membership_id, []).append(held.role)
    rows = db.session.execute(
        select(Account.code, Unit.code, Person.name, Person.email, Membership.id)
        .join(Account, Account.id == Membership.account_id)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(Unit, Unit.id == Membership.unit_id)
        .order_by(Account.kind, Account.code, Membership.id)
    )
    return DemoSummary(
        accounts=tuple(db.session.scalars(select(Account.code).order_by(Account.code))),
        people=tuple(
            DemoPerson(account, unit or "", name, email, tuple(roles.get(key, ())))
            for account, unit, name, email, key in rows
        ),
    )
