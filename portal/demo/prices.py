"""What the demo's pricing manager and account managers have on their desks."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import current_app

from portal.config import Settings
from portal.demo.cast import Acme, Cast
from portal.demo.loading import KINDS
from portal.files.importing import Mode, run_import
from portal.files.reading import Table
from portal.policy import Actor

DRAFTED: Final = (("ACME-RND", "15"), ("TIER-GOLD", "4"))
"""Lists with a draft, and what they are to give off monitors from ten on."""
ENDING: Final = "SEG-ELEC"


def tell_prices(now: datetime) -> None:
    """Leave lists with a draft to publish, a list that ends soon and an agreement, too."""
    pricing = Cast.supplier.pricing_manager
    today = now.astimezone(ZoneInfo(pricing.time_zone)).date()
    for code, percent in DRAFTED:
        _change(
            "price-entries", pricing, now,
            {"list_code": code, "category_path": "Peripherals/Monitors", "uom": "EA",
             "min_qty": "10", "percent_off": percent},
        )  # fmt: skip
    _change(
        "price-assignments", pricing, now,
        {"list_code": ENDING, "segment": "electronics", "priority": "1",
         "valid_from": "2026-01-01", "valid_to": (today + timedelta(days=45)).isoformat()},
    )  # fmt: skip
    _change(
        "agreements", pricing, now,
        {"agreement_number": "2026-030", "account_code": Acme.code,
         "name": "Loan pool for trade fairs", "valid_from": "2026-02-01",
         "valid_to": (today + timedelta(days=40)).isoformat()},
    )  # fmt: skip


def _change(kind: str, actor: Actor, now: datetime, row: dict[str, str]) -> None:
    settings: Settings = current_app.config["SETTINGS"]
    table = Table(tuple(row), (tuple(row.values()),), (2,))
    report = run_import(
        KINDS[kind], table, actor=actor, mode=Mode.UPDATE, now=now, zone=settings.zone
    )
    if report.refused:
        first = report.refused[0]
        message = f"{kind}: {first.column} {first.value!r}: {first.reason}"
        raise ValueError(message)
