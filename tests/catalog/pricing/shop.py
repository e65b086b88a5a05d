"""A small shop loaded through the import kinds themselves, as an operator would."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from portal.accounts.models import Account, Membership, MembershipRole, Person, Unit
from portal.catalog.models import Category, Product, UomConversion
from portal.catalog.pricing.actions import publish_list
from portal.catalog.pricing.imports import KINDS
from portal.db import db, transaction
from portal.files.importing import ImportKind, ImportReport, Mode, run_import
from portal.files.reading import read_table
from portal.files.writing import write_csv
from portal.policy import Actor, Role, operator_actor

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("UTC")
KIND: Mapping[str, ImportKind] = {kind.name: kind for kind in KINDS}


class Shop:
    """The supplier's operator and what stands in the shop."""

    def __init__(self) -> None:
        with transaction():
            supplier = Account(
                code="SUP", kind="supplier", name="Supplier", country="DE", currency="EUR"
            )
            acme = Account(code="ACME", name="ACME", country="DE", currency="EUR", tier="gold")
            other = Account(code="OTHER", name="Other", country="KR", currency="KRW")
            db.session.add_all([supplier, acme, other])
            db.session.flush()
            head = Unit(account_id=acme.id, code="HQ", name="Head office")
            db.session.add(head)
            db.session.flush()
            lab = Unit(account_id=acme.id, code="LAB", name="Lab", parent_id=head.id)
            db.session.add(lab)
            self._products()
            db.session.flush()
        self.acme_id, self.lab_id, self.head_id = acme.id, lab.id, head.id
        self.actor: Actor = operator_actor(
            account_id=supplier.id, account_code="SUP", operator="tests", time_zone="UTC"
        )

    def _products(self) -> None:
        hardware = Category(path="Hardware", name="Hardware")
        db.session.add(hardware)
        db.session.flush()
        laptops = Category(path="Hardware/Laptops", name="Laptops", parent_id=hardware.id)
        db.session.add(laptops)
        db.session.flush()
        for number in range(1, 6):
            product = Product(sku=f"LT-{number}", name=f"Laptop {number}", category_id=laptops.id)
            db.session.add(product)
            db.session.flush()
        factor = UomConversion(product_id=product.id, from_uom="BX", to_uom="EA", factor=10)
        db.session.add(factor)

    def hire(self, name: str, role: Role) -> str:
        """Add a member of the supplier's staff and return the e-mail."""
        with transaction():
            person = Person(email=f"{name}@sup.example", name=name.title(), status="active")
            db.session.add(person)
            db.session.flush()
            member = Membership(person_id=person.id, account_id=self.actor.account_id)
            db.session.add(member)
            db.session.flush()
            db.session.add(
                MembershipRole(
                    membership_id=member.id, account_id=member.account_id, role=role.value
                )
            )
        return person.email

    def load(
        self,
        kind: str,
        rows: str | Iterable[Mapping[str, Any]],
        *,
        mode: Mode = Mode.REPLACE,
        now: datetime = T0,
        dry_run: bool = False,
    ) -> ImportReport:
        data = rows if isinstance(rows, str) else as_csv(rows)
        table = read_table(data.encode(), f"{kind}.csv")
        return run_import(
            KIND[kind], table, actor=self.actor, mode=mode, now=now, zone=ZONE, dry_run=dry_run
        )

    def export(self, kind: str) -> str:
        return as_csv(KIND[kind].export(self.actor, None))

    def publish(self, code: str, *, now: datetime = T0, at: datetime | None = None) -> int:
        return publish_list(self.actor, code, now=now, at=at).number

    def standard(self, prices: Mapping[str, str], *, now: datetime = T0) -> None:
        """Make and publish the standard list with prices from one piece."""
        self.load("price-lists", "list_code,name,currency,kind\nSTD,Standard,EUR,standard\n")
        rows = "".join(f"STD,{sku},EA,1,{price}\n" for sku, price in prices.items())
        self.load("price-entries", f"list_code,sku,uom,min_qty,price\n{rows}", now=now)
        self.publish("STD", now=now)


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    listed = list(rows)
    columns = list(listed[0]) if listed else []
    return write_csv(columns, [[row[name] for name in columns] for row in listed])


def read_csv(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content)))
