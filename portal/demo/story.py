"""The demo: the whole world with a story that is under way, or the small one for tests."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from portal.accounts.models import Account, Membership, MembershipRole, Person, Unit
from portal.catalog.models import Product
from portal.catalog.pricing.models import PriceEntry
from portal.db import Base, db
from portal.demo.articles import tell_articles, write_articles
from portal.demo.assets import tell_assets
from portal.demo.loading import keep_few, load_world
from portal.demo.orders_on_their_way import tell_orders_on_their_way
from portal.demo.prices import tell_prices
from portal.demo.repairs import tell_repairs
from portal.demo.reports import tell_reports
from portal.demo.scenes import tell
from portal.demo.service_desk import set_up_service_desk, tell_cases
from portal.demo.supplies import tell_past_orders, tell_stock
from portal.errors import N_, ConflictError
from portal.files.reading import Table

SET_UP_BEFORE: Final = timedelta(days=21)


class NotEmptyError(ConflictError):
    """The database already holds accounts, which the demo would mix with made-up ones."""

    message = N_("This database already holds accounts; the demo goes into an empty one.")


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
    products: int
    prices: int


def load_demo(now: datetime) -> DemoSummary:
    """Load the demo: all products and the story.

    Raises:
        NotEmptyError: The database already holds accounts.
    """
    _must_be_empty()
    load_world(now - SET_UP_BEFORE, _everything)
    write_articles(now - SET_UP_BEFORE)
    set_up_service_desk(now - SET_UP_BEFORE)
    tell_past_orders(now - SET_UP_BEFORE)
    tell_prices(now)
    tell_stock(now)
    tell(now)
    tell_orders_on_their_way(now)
    tell_assets(now)
    tell_articles(now)
    tell_cases(now)
    tell_reports(now)
    tell_repairs(now)
    return summarise()


def load_small(now: datetime) -> DemoSummary:
    """Load the same people, lists and policies with a few products and no story.

    Raises:
        NotEmptyError: The database already holds accounts.
    """
    _must_be_empty()
    load_world(now, keep_few)
    write_articles(now)
    set_up_service_desk(now)
    return summarise()


def _everything(table: Table) -> Table:
    return table


def _must_be_empty() -> None:
    if db.session.scalar(select(Account.id).where(Account.kind == "customer").limit(1)):
        raise NotEmptyError


def _count(table: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


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
        products=_count(Product),
        prices=_count(PriceEntry),
    )
