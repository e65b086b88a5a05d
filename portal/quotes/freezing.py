"""Writing figures into a revision at submission, and the hash that is recomputed from them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.orm.attributes import set_committed_value

from portal.quotes.hashing import FrozenContent, FrozenLine, content_hash, number_text
from portal.quotes.models import QuoteLine, QuoteRevision
from portal.quotes.places import Places, address_plain
from portal.quotes.pricing import LineTax, Priced, PricedLine
from portal.quotes.totals import TaxRow, Totals
from portal.quotes.traces import freeze
from portal.rows import change_rows

FIGURES: Final = (
    "unit_price",
    "list_price",
    "line_total",
    "off_contract",
    "trace",
    "seen_price",
    "cost_centre_id",
    "ship_to_address_id",
)
"""The columns of a line that submission writes."""


def freeze_revision(
    revision: QuoteRevision, priced: Priced, places: Places, valid_until: datetime
) -> None:
    """Write today's figures and places into a revision, and the hash of all of it."""
    totals = priced.totals
    revision.valid_until = valid_until
    revision.lines_total = totals.lines_total
    revision.freight = totals.freight
    revision.net_total = totals.net_total
    revision.tax = [
        {
            "rate": number_text(row.rate),
            "base": number_text(row.base),
            "amount": number_text(row.amount),
        }
        for row in totals.taxes
    ]
    revision.tax_total = totals.tax_total
    revision.gross_total = totals.gross_total
    figures = [_freeze_line(line, revision, places) for line in priced.lines]
    revision.frozen = _frozen(revision, priced, places)
    revision.content_hash = hash_of(revision)
    change_rows(QuoteLine, FIGURES, figures)


def _freeze_line(priced: PricedLine, revision: QuoteRevision, places: Places) -> dict[str, Any]:
    """Freeze a loaded line, and return its id and columns as they are still to be written."""
    line, answer = priced.line, priced.resolution
    centre, address = places.cost_centre(revision, line), places.ship_to(revision, line)
    values = (
        answer.unit_price,
        answer.list_price,
        answer.line_total,
        answer.off_contract,
        freeze(answer),
        answer.unit_price,
        centre.id if centre else None,
        address.id if address else None,
    )
    figures = dict(zip(FIGURES, values, strict=True))
    for name, value in figures.items():
        set_committed_value(line, name, value)  # all lines are written together, not one by one
    return {"id": line.id, **figures}


def _frozen(revision: QuoteRevision, priced: Priced, places: Places) -> dict[str, Any]:
    """Return the places as they are now, how lines are booked, shipped and taxed, and freight."""
    addresses: dict[str, Any] = {}
    centres: dict[str, str] = {}
    lines: dict[str, Any] = {}
    for item in priced.lines:
        centre = places.cost_centre(revision, item.line)
        address = places.ship_to(revision, item.line)
        if address is not None:
            addresses[address.code] = address_plain(address)
        if centre is not None:
            centres[centre.code] = centre.name
        lines[str(item.line.line_id)] = {
            "ship_to": address.code if address else None,
            "cost_centre": centre.code if centre else None,
            **_tax_plain(item.tax),
        }
    return {
        "addresses": addresses,
        "cost_centres": centres,
        "lines": lines,
        "freight": [
            {"charge": number_text(item.charge), **_tax_plain(item.tax)} for item in priced.freight
        ],
        "tax_status": priced.totals.tax_status,
    }


def _tax_plain(tax: LineTax) -> dict[str, str | None]:
    return {
        "tax_category": tax.category,
        "tax_rate": None if tax.rate is None else number_text(tax.rate),
        "tax_country": tax.country,
        "tax_region": tax.region,
    }


def hash_of(revision: QuoteRevision) -> str:
    """Return the content hash of a submitted revision, computed anew from its rows.

    Args:
        revision: With its quote and lines loaded.
    """
    if revision.valid_until is None or revision.net_total is None:
        message = "a draft has no content hash"
        raise ValueError(message)
    return content_hash(
        FrozenContent(
            number=revision.quote.number,
            revision=revision.number,
            title=revision.title,
            note=revision.note,
            currency=revision.currency,
            valid_until=revision.valid_until,
            lines_total=revision.lines_total or Decimal(0),
            freight=revision.freight or Decimal(0),
            net_total=revision.net_total,
            tax=revision.tax,
            tax_total=revision.tax_total,
            gross_total=revision.gross_total,
            places=revision.frozen,
            lines=[_frozen_line(line, revision) for line in revision.lines],
        )
    )


def _frozen_line(line: QuoteLine, revision: QuoteRevision) -> FrozenLine:
    booked = revision.frozen["lines"][str(line.line_id)]
    return FrozenLine(
        line_id=line.line_id,
        position=line.position,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        uom=line.uom,
        list_price=line.list_price,
        unit_price=line.unit_price,
        line_total=line.line_total,
        off_contract=line.off_contract,
        trace=line.trace,
        cost_centre=booked["cost_centre"],
        ship_to=booked["ship_to"],
        note=line.note,
    )


def frozen_totals(revision: QuoteRevision) -> Totals:
    """Return the figures of a submitted revision as they were frozen."""
    return Totals(
        currency=revision.currency,
        lines_total=revision.lines_total or Decimal(0),
        freight=revision.freight or Decimal(0),
        net_total=revision.net_total or Decimal(0),
        taxes=tuple(
            TaxRow(Decimal(row["rate"]), Decimal(row["base"]), Decimal(row["amount"]))
            for row in revision.tax
        ),
        tax_total=revision.tax_total,
        gross_total=revision.gross_total,
        tax_status=revision.frozen.get("tax_status", "normal"),
    )
