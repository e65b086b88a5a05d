"""Writing figures into a revision at submission, and the hash that is recomputed from them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.quotes.hashing import FrozenContent, FrozenLine, content_hash, number_text
from portal.quotes.models import QuoteLine, QuoteRevision
from portal.quotes.places import Places, address_plain
from portal.quotes.pricing import LineTax, Priced, PricedLine
from portal.quotes.totals import TaxRow, Totals
from portal.quotes.traces import freeze


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
    for line in priced.lines:
        _freeze_line(line, revision, places)
    revision.frozen = _frozen(revision, priced, places)
    revision.content_hash = hash_of(revision)


def _freeze_line(priced: PricedLine, revision: QuoteRevision, places: Places) -> None:
    line, answer = priced.line, priced.resolution
    line.unit_price = answer.unit_price
    line.list_price = answer.list_price
    line.line_total = answer.line_total
    line.off_contract = answer.off_contract
    line.trace = freeze(answer)
    line.seen_price = answer.unit_price
    centre, address = places.cost_centre(revision, line), places.ship_to(revision, line)
    line.cost_centre_id = centre.id if centre else None
    line.ship_to_address_id = address.id if address else None


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
