"""Tax on a document: per rate, rounded half up once per rate. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique

from portal.money import EXACT, minor_units, round_half_up


@unique
class TaxStatus(StrEnum):
    """How an account is taxed."""

    NORMAL = "normal"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse-charge"


@dataclass(frozen=True, slots=True)
class TaxLine:
    """A line's printed net total and its tax category (UNTDID 5305)."""

    tax_category: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """The tax of all amounts with the same rate (EN 16931 BG-23); the rate is in per cent."""

    rate: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class TaxSummary:
    """Net, tax per rate and gross; without a rate for some line there is neither tax nor gross."""

    lines_total: Decimal
    freight: Decimal
    net_total: Decimal
    taxes: tuple[TaxAmount, ...]
    tax_total: Decimal | None
    gross_total: Decimal | None
    status: TaxStatus


def taxes(
    lines: Sequence[TaxLine],
    freight: Decimal,
    tax_status: TaxStatus | str,
    rates: Mapping[str, Decimal | None],
    currency: str,
) -> TaxSummary:
    """Sum a document up.

    Freight follows the goods: it is taxed with the highest rate among the lines.

    Args:
        lines: Printed line totals.
        freight: Freight charged, 0 for none.
        tax_status: The account's; exempt and reverse charge bear no tax.
        rates: Per cent by tax category; None or missing where there is no rate.
        currency: ISO 4217; its minor unit is what tax is rounded to.
    """
    status = TaxStatus(tax_status)
    lines_total = sum((line.amount for line in lines), Decimal(0))
    net_total = lines_total + freight
    by_rate = _bases(lines, freight, rates) if status is TaxStatus.NORMAL else {}
    if by_rate is None:
        return TaxSummary(lines_total, freight, net_total, (), None, None, status)
    amounts = tuple(
        TaxAmount(
            rate,
            base,
            round_half_up(EXACT.multiply(base, rate).scaleb(-2, EXACT), minor_units(currency)),
        )
        for rate, base in sorted(by_rate.items())
    )
    tax_total = sum((each.tax for each in amounts), Decimal(0))
    return TaxSummary(
        lines_total, freight, net_total, amounts, tax_total, net_total + tax_total, status
    )


def _bases(
    lines: Sequence[TaxLine], freight: Decimal, rates: Mapping[str, Decimal | None]
) -> dict[Decimal, Decimal] | None:
    """Return the net amount by rate, or None where a rate is missing."""
    bases: dict[Decimal, Decimal] = {}
    for line in lines:
        rate = rates.get(line.tax_category)
        if rate is None:
            return None
        bases[rate] = bases.get(rate, Decimal(0)) + line.amount
    if freight:
        if not bases:
            return None
        bases[max(bases)] += freight
    return bases
