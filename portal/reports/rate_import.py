"""Import and export of exchange rates."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import insert, select

from portal.catalog.pricing.lookups import currency, plain
from portal.db import db, in_pages
from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import Batch, Column, ImportKind, Row
from portal.files.parsing import CellError, decimal, format_instant, instant
from portal.policy import Actor, Permission
from portal.reports.models import RATE_DECIMALS, ExchangeRate

KEY: Final = ("from_currency", "to_currency", "valid_from")
LEAST: Final = Decimal(1).scaleb(-RATE_DECIMALS)
MOST: Final = Decimal(10) ** 8


class SameCurrencyError(CellError):
    """A currency has no rate to itself."""

    message = N_("A rate leads from one currency to another one.")


def apply_rates(actor: Actor, batch: Batch) -> None:
    """Set exchange rates; rows that the file does not name stay."""
    rows = batch.keyed(*KEY)
    for row in rows.values():
        if row["from_currency"] == row["to_currency"]:
            batch.refuse(row, "to_currency", SameCurrencyError())
    if batch.report.refused:
        return
    known = {
        (each.from_currency, each.to_currency, each.valid_from): each
        for each in db.session.scalars(select(ExchangeRate))
    }
    made = [
        {**dict(zip(KEY, key, strict=True)), "rate": row["rate"]}
        for key, row in rows.items()
        if _is_new(batch, row, known.get(key))
    ]
    for page in in_pages(made):
        db.session.execute(insert(ExchangeRate), page)
    if batch.report.new or batch.report.changed:
        record(
            actor,
            "exchange-rate.saved",
            kind="exchange-rate",
            object_id=None,
            account_id=actor.account_id,
            now=batch.now,
            new=batch.report.new,
            changed=batch.report.changed,
        )


def _is_new(batch: Batch, row: Row, found: ExchangeRate | None) -> bool:
    """Change a rate that is known; return whether there is none yet."""
    is_changed = found is not None and found.rate != row["rate"]
    batch.count(is_new=found is None, is_changed=is_changed)
    if found is not None and is_changed:
        found.rate = row["rate"]
    return found is None


def export_rates(_actor: Actor, _account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return all exchange rates; they are no secret."""
    zone: ZoneInfo = current_app.config["SETTINGS"].zone
    rows = db.session.scalars(
        select(ExchangeRate).order_by(
            ExchangeRate.from_currency, ExchangeRate.to_currency, ExchangeRate.valid_from
        )
    )
    for each in rows:
        yield {
            "from_currency": each.from_currency,
            "to_currency": each.to_currency,
            "rate": plain(each.rate),
            "valid_from": format_instant(each.valid_from, zone),
        }


EXCHANGE_RATES = ImportKind(
    name="exchange-rates",
    rows_stand_alone=True,
    label=N_("Exchange rates"),
    permission=Permission.EXCHANGE_RATE_SAVE,
    columns=(
        Column("from_currency", currency, required=True),
        Column("to_currency", currency, required=True),
        Column("rate", decimal(RATE_DECIMALS, least=LEAST, most=MOST), required=True),
        Column("valid_from", instant, required=True),
    ),
    apply=apply_rates,
    export=export_rates,
)

KINDS: Final = (EXCHANGE_RATES,)
