"""The people of cases: for whom one may be opened, and how they are called."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account, Membership, Person
from portal.containing import contains
from portal.db import db
from portal.policy import Actor, Permission
from portal.scope import within


@dataclass(frozen=True, slots=True)
class Requester:
    """A membership for which a case can be opened."""

    membership_id: int
    account_id: int
    account_code: str
    account_name: str
    country: str
    unit_id: int | None
    unit_code: str
    person_id: int
    name: str
    email: str

    @property
    def label(self) -> str:
        """Name, mail and place, to choose from."""
        place = f"{self.account_code} - {self.unit_code}" if self.unit_code else self.account_code
        return f"{self.name} <{self.email}>, {place}"


def find_requesters(
    actor: Actor, *, text: str = "", membership_id: int | None = None, most: int = 20
) -> list[Requester]:
    """Return the members of customers for whom the actor may open a case, by name.

    Args:
        text: Part of a name or e-mail, or an account's code.
        membership_id: This one alone.
    """
    statement = (
        select(Membership, Person, Account)
        .join(Person, Person.id == Membership.person_id)
        .join(Account, Account.id == Membership.account_id)
        .where(
            within(
                actor,
                Permission.CASE_SAVE,
                account=Membership.account_id,
                unit=Membership.unit_id,
                owner=Membership.id,
            ),
            Account.kind == "customer",
            Membership.status == "active",
            Person.status != "suspended",
        )
        .options(joinedload(Membership.unit))
        .order_by(Person.name, Account.code, Membership.id)
        .limit(most)
    )
    if membership_id is not None:
        statement = statement.where(Membership.id == membership_id)
    if text:
        statement = statement.where(
            or_(
                contains(Person.name, text),
                contains(Person.email, text),
                func.lower(Account.code) == text.lower(),
            )
        )
    return [
        Requester(
            membership_id=member.id,
            account_id=account.id,
            account_code=account.code,
            account_name=account.name,
            country=account.country,
            unit_id=member.unit_id,
            unit_code=member.unit.code if member.unit else "",
            person_id=person.id,
            name=person.name,
            email=person.email,
        )
        for member, person, account in db.session.execute(statement).all()
    ]


def find_member_names(membership_ids: Collection[int | None]) -> Mapping[int, str]:
    """Return membership id -> name, for pages that already may name them."""
    known = sorted({key for key in membership_ids if key is not None})
    rows = db.session.execute(
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id.in_(known))
    )
    return dict(rows.all())
