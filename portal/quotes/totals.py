"""Figures of a document: line totals, freight, net, tax per rate, gross; sums of what is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.money import EXACT


@dataclass(frozen=True, slots=True)
class TaxRow:
    """The tax of one rate (percent), rounded once; ``base`` is what it is levied on."""

    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """What a document adds up to.

    ``tax_total`` and ``gross_total`` are ``None`` where a rate is missing: "tax as invoiced".
    ``is_complete`` tells whether every line has a price; without one the sums leave it out.
    """

    currency: str
    lines_total: Decimal
    freight: Decimal
    net_total: Decimal
    taxes: tuple[TaxRow, ...]
    tax_total: Decimal | None
    gross_total: Decimal | None
    tax_status: str = "normal"
    is_complete: bool = True


def add(amounts: Iterable[Decimal]) -> Decimal:
    """Return an exact sum."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def make_totals(
    currency: str,
    line_totals: Sequence[Decimal | None],
    freight: Decimal,
    taxes: Sequence[TaxRow] | None,
    tax_status: str = "normal",
) -> Totals:
    """Add up a document.

    Args:
        currency: ISO 4217 code of every amount.
        line_totals: Printed line totals; ``None`` where a price is on request.
        freight: Rounded charge.
        taxes: One row per rate, or ``None`` where a rate is missing.
        tax_status: The account's: normal, exempt or reverse-charge.
    """
    lines_total = add(amount for amount in line_totals if amount is not None)
    net = EXACT.add(lines_total, freight)
    tax_total = None if taxes is None else add(row.amount for row in taxes)
    return Totals(
        currency=currency,
        lines_total=lines_total,
        freight=freight,
        net_total=net,
        taxes=tuple(taxes or ()),
        tax_total=tax_total,
        gross_total=None if tax_total is None else EXACT.add(net, tax_total),
        tax_status=tax_status,
        is_complete=None not in line_totals,
    )
