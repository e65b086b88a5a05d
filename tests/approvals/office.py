"""A small account in the database, its people and subjects, for the tests of approvals."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from portal.accounts.models import Account, Membership, MembershipRole, Person, Unit
from portal.accounts.queries import load_actor
from portal.approvals.facts import FactLine, Facts
from portal.approvals.policy_import import import_policy_file
from portal.approvals.rules import Outcome, Subject, SubjectLine
from portal.db import db, transaction
from portal.policy import Actor, operator_actor
from tests.approvals.world import rule

OPERATOR: Final = "tester"


@dataclass(frozen=True)
class Office:
    """One account; people are named by the part of their e-mail before the at sign."""

    account_id: int
    code: str
    unit_id: int

    def email(self, name: str) -> str:
        return f"{name}@{self.code.lower()}.example"

    def actor(self, name: str) -> Actor:
        """Load the rights that somebody has at this moment."""
        actor = load_actor(self.membership(name).id)
        assert actor is not None
        return actor

    def membership(self, name: str) -> Membership:
        return db.session.scalars(
            select(Membership)
            .join(Person, Person.id == Membership.person_id)
            .where(Person.email == self.email(name), Membership.account_id == self.account_id)
            .order_by(Membership.id)
            .limit(1)
        ).one()

    def hire(
        self, name: str, *roles: str, limit: str | None = "unlimited", manager: str | None = None
    ) -> Actor:
        """Add an active person with roles."""
        with transaction():
            person = Person(email=self.email(name), name=name.title(), status="active")
            db.session.add(person)
            db.session.flush()
            member = Membership(
                person_id=person.id,
                account_id=self.account_id,
                unit_id=self.unit_id,
                signing_limit=Decimal(limit) if limit and limit != "unlimited" else None,
                signs_unlimited=limit == "unlimited",
                manager_id=self.membership(manager).id if manager else None,
            )
            db.session.add(member)
            db.session.flush()
            db.session.add_all(
                MembershipRole(membership_id=member.id, account_id=self.account_id, role=role)
                for role in roles
            )
        return self.actor(name)

    def operator(self) -> Actor:
        return operator_actor(
            account_id=self.account_id,
            account_code=self.code,
            operator=OPERATOR,
            time_zone="UTC",
        )

    def set_policy(self, now: datetime, *rules: dict[str, object], **head: object) -> None:
        document = {"account_code": self.code, "rules": list(rules), "signing_limits": "off"}
        report = import_policy_file(self.operator(), json.dumps(document | head), now)
        assert report.refused == ()

    def subject(  # noqa: PLR0913 - what the tests vary
        self,
        requester: str = "mina",
        *,
        key: int = 1,
        revision: int = 1,
        total: str = "6000.00",
        expires_at: datetime | None = None,
        changes: tuple[str, ...] = (),
        kind: str = "quote",
    ) -> Subject:
        """Return a summary as a quote would hand it over."""
        asks = self.actor(requester)
        amount = Decimal(total)
        who = frozenset({asks.person_id or 0})
        return Subject(
            kind=kind,
            id=key,
            number="Q-000001",
            revision=revision,
            account_id=self.account_id,
            unit_id=asks.unit_id,
            submitted_by=asks.membership_id or 0,
            requester_person_ids=who,
            requester_name=asks.name,
            title="Laptop refresh",
            currency="EUR",
            net_total=amount,
            gross_total=None,
            facts=Facts(
                currency="EUR",
                net_total=amount,
                unit_id=asks.unit_id,
                submitted_by=asks.membership_id,
                requester_person_ids=who,
                lines=(FactLine(sku="LT-1", unit_price=amount),),
            ),
            content_hash=f"{key:064d}",
            lines=(SubjectLine(name="14-inch laptop", sku="LT-1", quantity="8 EA", amount=amount),),
            valid_until="2026-12-14",
            expires_at=expires_at,
            changes=changes,
            href="/quotes/Q-000001",
            pdf_href="/quotes/Q-000001/revisions/1.pdf",
        )


def open_office(code: str = "ACME") -> Office:
    """Make an account with one unit."""
    with transaction():
        account = Account(
            code=code, name=f"{code} Ltd", country="DE", currency="EUR", time_zone="Europe/Berlin"
        )
        db.session.add(account)
        db.session.flush()
        unit = Unit(account_id=account.id, code="HQ", name="Headquarters")
        db.session.add(unit)
        db.session.flush()
        return Office(account.id, code, unit.id)


@dataclass
class Told:
    """Remembers what the engine told its subject."""

    outcomes: list[tuple[int, Outcome]]

    def settle(self, subject_id: int, outcome: Outcome, _now: datetime, _actor: Actor) -> None:
        self.outcomes.append((subject_id, outcome))


def by(name: str, level: int = 1, quorum: object = "all") -> dict[str, object]:
    """Return a step of one or more named people, separated by spaces."""
    emails = [f"{item}@acme.example" for item in name.split()]
    return {"level": level, "approvers": {"persons": emails}, "quorum": quorum}


def always(number: int, *steps: dict[str, object], distinct: bool = False) -> dict[str, object]:
    return rule(number, {}, *steps, distinct=distinct)
