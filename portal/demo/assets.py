"""The assets of the demo: what both customers were delivered in the last years."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

from flask import current_app

from portal.accounts.queries import load_operator
from portal.config import Settings
from portal.demo.cast import Acme, Cast, Hanbit
from portal.files.importing import Mode, run_import
from portal.files.reading import Table
from portal.service.assets.actions import Transfer, move_by_tag, transfer
from portal.service.assets.imports import ASSETS
from portal.service.assets.queries import get_asset
from portal.service.assets.renewing import renew
from portal.service.assets.rules import Move, last_day_of

COLUMNS: Final = (
    "account_code", "service_tag", "sku", "delivered_on", "entitlement_until", "order_number",
    "unit_code", "person_email", "place",
)  # fmt: skip
LETTERS: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
"""Without vowels, so that no tag spells a word."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Units of one product that came together: how long ago, and for how many months covered."""

    account: str
    sku: str
    count: int
    days_ago: int
    months: int
    unit: str
    people: tuple[str, ...] = ()
    place: str = ""


FLEETS: Final = (
    Fleet(Acme.code, "LT-0001", 6, 715, 24, "IT", ("buyer", "shopper", "approver"), "Building 2"),
    Fleet(Acme.code, "LT-0002", 4, 1120, 36, "IT", ("viewer", "service"), "Building 2"),
    Fleet(Acme.code, "LT-0003", 3, 400, 24, "RND", ("research.head", "research.buyer"), "Lab 4"),
    Fleet(Acme.code, "DT-0001", 4, 690, 24, "FIN", (), "Reception"),
    Fleet(Acme.code, "WS-0002", 2, 210, 36, "RND", ("research.buyer",), "Simulation"),
    Fleet(Acme.code, "MN-0001", 8, 330, 24, "IT", ("buyer", "shopper"), "Second floor"),
    Fleet(Acme.code, "MN-0004", 3, 655, 24, "LAB", ("li.wei",), "Bench 1"),
    Fleet(Acme.code, "UP-0002", 2, 1300, 24, "VIE", (), "Server room"),
    Fleet(Acme.code, "NW-0002", 3, 95, 24, "IT", (), "Server room"),
    Fleet(Hanbit.code, "LT-0001", 5, 640, 24, "IT", ("buyer", "shopper"), "3층"),
    Fleet(Hanbit.code, "LT-0002", 3, 120, 24, "RND", ("lin.hant",), "5층"),
    Fleet(Hanbit.code, "MN-0004", 8, 505, 24, "FAB", ("fab.buyer",), "라인 2"),
    Fleet(Hanbit.code, "WS-0001", 2, 1190, 36, "RND", (), "5층"),
)  # fmt: skip


def tag_of(account: str, sku: str, place: int) -> str:
    """Return a made-up service tag of seven characters, always the same for the same unit."""
    number = int.from_bytes(sha256(f"{account} {sku} {place}".encode()).digest()[:8])
    letters = []
    for _place in range(7):
        number, letter = divmod(number, len(LETTERS))
        letters.append(LETTERS[letter])
    return "".join(letters)


def tell_assets(now: datetime) -> None:
    """Take over the fleets, then let people transfer, retire and renew some units."""
    settings: Settings = current_app.config["SETTINGS"]
    operator = load_operator("demo", settings.time_zone)
    rows = tuple(row for fleet in FLEETS for row in _rows(fleet, now.date()))
    report = run_import(
        ASSETS,
        Table(COLUMNS, rows, tuple(range(2, len(rows) + 2))),
        actor=operator,
        mode=Mode.REPLACE,
        now=now - timedelta(days=20),
        zone=settings.zone,
    )
    if report.refused:
        first = report.refused[0]
        message = f"assets, row {first.row}, {first.column} {first.value!r}: {first.reason}"
        raise ValueError(message)
    _use(now)


def _rows(fleet: Fleet, today: date) -> Iterator[tuple[str, ...]]:
    delivered = today - timedelta(days=fleet.days_ago)
    until = last_day_of(delivered, fleet.months)
    for place in range(fleet.count):
        person = fleet.people[place % len(fleet.people)] if fleet.people else ""
        yield (
            fleet.account,
            tag_of(fleet.account, fleet.sku, place),
            fleet.sku,
            delivered.isoformat(),
            until.isoformat(),
            f"{fleet.account[0]}{delivered:%y%m}-{fleet.sku[-2:]}",
            fleet.unit,
            f"{person}@{fleet.account.lower()}.example" if person else "",
            fleet.place,
        )


def _use(now: datetime) -> None:
    acme = Cast.acme
    moved = tag_of(Acme.code, "LT-0001", 3)
    contact = acme.service_contact
    transfer(
        contact,
        moved,
        Transfer(unit="IT", email="viewer@acme.example", place="Building 3"),
        version=get_asset(contact, moved).version,
        now=now - timedelta(days=6),
    )
    old = tag_of(Acme.code, "UP-0002", 1)
    move_by_tag(acme.admin, old, Move.RETIRE, now=now - timedelta(days=4))
    chosen = {tag_of(Acme.code, "DT-0001", place): "SV-0003" for place in range(2)}
    renew(
        acme.site_buyer,
        chosen,
        key="demo-renewal",
        title="Desktops at the reception, one more year",
        now=now - timedelta(days=2),
    )
