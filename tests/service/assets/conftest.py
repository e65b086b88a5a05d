"""Units that are there: some from a file, some from an order that was really delivered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import current_app
from sqlalchemy import select

from portal.accounts.models import Address, CostCentre
from portal.accounts.queries import load_operator
from portal.db import db
from portal.demo.cast import Cast
from portal.files.importing import ImportReport, Mode, run_import
from portal.files.reading import Table
from portal.orders.actions import Terms, order_quote
from portal.orders.answering import confirm_order
from portal.orders.delivering import mark_delivered
from portal.orders.models import Order
from portal.orders.progress import Packed
from portal.orders.queries import get_order
from portal.orders.shipping import Parcel, ship_order
from portal.policy import Actor
from portal.quotes import actions as quotes
from portal.quotes.edits import DraftEdits
from portal.quotes.queries import get_quote
from portal.service.assets.imports import ASSETS

TakeIn = Callable[..., ImportReport]
Deliver = Callable[..., Order]


@dataclass(frozen=True, slots=True)
class Owned:
    """A row of a file of assets, as short as a test likes it."""

    tag: str
    account: str = "ACME"
    sku: str = "LT-0001"
    delivered_on: str = "2025-01-15"
    until: str | None = "2027-01-14"
    unit: str = "IT"
    person: str = ""
    order: str = ""

    def cells(self) -> dict[str, str]:
        """Return what stands in the file."""
        return {
            "account_code": self.account,
            "service_tag": self.tag,
            "sku": self.sku,
            "delivered_on": self.delivered_on,
            "order_number": self.order,
            "unit_code": self.unit,
            "person_email": self.person,
        } | ({} if self.until is None else {"entitlement_until": self.until})


@pytest.fixture
def take_in(cast: Cast, now: datetime) -> TakeIn:  # noqa: ARG001 - the accounts are there
    """Return a function that imports rows, given as `Owned` or as plain cells."""

    def run(
        *rows: Owned | Mapping[str, str], actor: Actor | None = None, dry_run: bool = False
    ) -> ImportReport:
        cells = [row.cells() if isinstance(row, Owned) else dict(row) for row in rows]
        columns = tuple(cells[0])
        settings = current_app.config["SETTINGS"]
        return run_import(
            ASSETS,
            Table(
                columns,
                tuple(tuple(row[name] for name in columns) for row in cells),
                tuple(range(2, len(cells) + 2)),
            ),
            actor=actor or load_operator("test", settings.time_zone),
            mode=Mode.REPLACE,
            now=now,
            zone=settings.zone,
            dry_run=dry_run,
        )

    return run


@pytest.fixture
def fleet(take_in: TakeIn) -> Sequence[str]:
    """Return the tags of five units: three of ACME's IT, one of its laboratory, one of HANBIT's."""
    report = take_in(
        Owned("IT-SHOP", person="shopper@acme.example"),
        Owned("IT-BUY", person="buyer@acme.example", until="2026-12-20"),
        Owned("IT-OLD", sku="MN-0001", delivered_on="2023-05-02", until="2025-05-01"),
        Owned("LAB-1", sku="MN-0004", unit="LAB", person="li.wei@acme.example"),
        Owned("SEOUL-1", account="HANBIT", person="shopper@hanbit.example"),
    )
    assert report.refused == []
    return ("IT-SHOP", "IT-BUY", "IT-OLD", "LAB-1", "SEOUL-1")


def places(actor: Actor) -> DraftEdits:
    """Return an address and a cost centre of the actor's account."""
    ship_to = db.session.scalar(
        select(Address.id).where(Address.account_id == actor.account_id, Address.kind == "ship")
    )
    centre = db.session.scalar(
        select(CostCentre.id).where(CostCentre.account_id == actor.account_id)
    )
    return DraftEdits(ship_to_address_id=ship_to, cost_centre_id=centre)


@pytest.fixture
def order(cast: Cast, now: datetime) -> Deliver:
    """Return a function that submits a draft quote, orders all of it and confirms the order."""

    def place(number: str, *, buyer: Actor | None = None) -> Order:
        actor = buyer or cast.acme.buyer
        quote = get_quote(actor, number)
        quote = quotes.save_draft(actor, number, quote.version, places(actor), now)
        quotes.submit_quote(actor, number, quote.version, {}, now)
        lines = get_quote(actor, number).current.lines
        made = order_quote(
            actor,
            number,
            {line.line_id: line.quantity for line in lines},
            Terms(purchase_order_number=f"4500{number[-6:]}", contact=actor.name),
            key=f"test-{number}",
            now=now,
        )
        return confirm_order(cast.supplier.order_desk, made.number, now=now)

    return place


@pytest.fixture
def deliver(cast: Cast, now: datetime) -> Deliver:
    """Return a function that ships so many pieces of an order's only line, and delivers them."""

    def arrive(
        number: str, quantity: int, serials: Sequence[str] = (), *, part: str = "1"
    ) -> Order:
        desk = cast.supplier.order_desk
        line = get_order(desk, number).lines[0]
        packed = {line.id: Packed(Decimal(quantity), tuple(serials))}
        shipped_at = now + timedelta(days=1)
        shipment = ship_order(
            desk, number, packed, Parcel(), key=f"ship-{number}-{part}", now=shipped_at
        )
        return mark_delivered(
            desk, number, shipment.number, now=shipped_at + timedelta(days=1, hours=int(part))
        )

    return arrive
