"""The people of the demo by name, as the database knows them now; the tests act as them."""

from typing import Final

from sqlalchemy import select

from portal.accounts.models import Account, Membership, Person, Unit
from portal.accounts.queries import load_actor
from portal.db import db
from portal.policy import Actor

PASSWORD: Final = "portal-demo-2026"  # noqa: S105 - printed by `portal demo load`, for made-up people


class Member:
    """A membership by e-mail and unit; reading it loads the actor with today's rights."""

    def __init__(self, email: str, unit: str) -> None:
        self.email, self.unit = email, unit

    def __get__(self, company: object, _owner: type) -> Actor:
        statement = (
            select(Membership.id)
            .join(Person, Person.id == Membership.person_id)
            .join(Unit, Unit.id == Membership.unit_id)
            .where(Person.email == self.email, Unit.code == self.unit)
        )
        actor = load_actor(db.session.execute(statement).scalar_one())
        if actor is None:
            message = f"{self.email} can't act at {self.unit}"
            raise LookupError(message)
        return actor


class Company:
    """One account of the demo."""

    code: str

    @property
    def account_id(self) -> int:
        """Internal id of the account."""
        return db.session.execute(select(Account.id).where(Account.code == self.code)).scalar_one()


class Acme(Company):
    """ACME Industrie GmbH: euros, Germany, English; units HQ over IT, FIN, VIE and RND over LAB."""

    code = "ACME"
    cfo = Member("cfo@acme.example", "HQ")
    cio = Member("cio@acme.example", "HQ")
    admin = Member("admin@acme.example", "HQ")
    site_buyer = Member("purchasing@acme.example", "HQ")
    auditor = Member("revision@acme.example", "HQ")
    approver = Member("approver@acme.example", "IT")
    buyer = Member("buyer@acme.example", "IT")
    buyer_at_research = Member("buyer@acme.example", "RND")
    shopper = Member("shopper@acme.example", "IT")
    viewer = Member("viewer@acme.example", "IT")
    user_admin = Member("people@acme.example", "IT")
    service_contact = Member("service@acme.example", "IT")
    research_head = Member("research.head@acme.example", "RND")
    research_buyer = Member("research.buyer@acme.example", "RND")
    lab_shopper = Member("li.wei@acme.example", "LAB")


class Hanbit(Company):
    """Hanbit Electronics: won, Korea, Korean; units SEOUL over IT, FAB and RND."""

    code = "HANBIT"
    cfo = Member("cfo@hanbit.example", "SEOUL")
    admin = Member("admin@hanbit.example", "SEOUL")
    site_buyer = Member("purchasing@hanbit.example", "SEOUL")
    auditor = Member("audit@hanbit.example", "SEOUL")
    approver = Member("approver@hanbit.example", "IT")
    buyer = Member("buyer@hanbit.example", "IT")
    shopper = Member("shopper@hanbit.example", "IT")
    viewer = Member("viewer@hanbit.example", "IT")
    user_admin = Member("people@hanbit.example", "IT")
    service_contact = Member("service@hanbit.example", "IT")
    fab_head = Member("fab.head@hanbit.example", "FAB")
    fab_buyer = Member("fab.buyer@hanbit.example", "FAB")
    research_buyer = Member("lin.hant@hanbit.example", "RND")


class Supplier(Company):
    """Northwind Systems, who runs the portal; each account manager looks after one customer."""

    code = "SUPPLIER"
    account_manager = Member("manager@northwind.example", "NORTHWIND")
    account_manager_asia = Member("manager.asia@northwind.example", "NORTHWIND")
    pricing_manager = Member("pricing@northwind.example", "NORTHWIND")
    order_desk = Member("desk@northwind.example", "NORTHWIND")
    service_agent = Member("service@northwind.example", "NORTHWIND")
    auditor = Member("auditor@northwind.example", "NORTHWIND")
    system_admin = Member("system@northwind.example", "NORTHWIND")


class Cast:
    """Everybody: ``cast.acme.buyer``, ``cast.hanbit.cfo``, ``cast.supplier.order_desk``."""

    acme = Acme()
    hanbit = Hanbit()
    supplier = Supplier()
