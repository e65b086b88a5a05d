"""The price ladder: the price at each quantity from which it is another one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from portal.catalog.pricing.rules import (
    Entries,
    ListCandidate,
    PriceRequest,
    Resolution,
    covers,
    resolve,
)

SMALLEST_STEP = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Break:
    """A quantity from which a unit price holds; breaks are whole-line."""

    min_quantity: Decimal
    unit_price: Decimal
    list_price: Decimal | None


def price_ladder(  # noqa: PLR0913 - the rule's own arguments, and what the ladder adds
    request: PriceRequest,
    chain: Sequence[ListCandidate],
    entries: Entries,
    currency: str,
    at: datetime,
    *,
    step: Decimal = SMALLEST_STEP,
    first: Resolution | None = None,
) -> tuple[Break, ...]:
    """Return the ladder from the request's quantity upwards, by resolving at each break.

    The rungs come from the rule itself, so that a ladder never promises what a line does not get.

    Args:
        request: ``quantity`` is the smallest that can be ordered.
        chain: As for `resolve`.
        entries: As for `resolve`.
        currency: As for `resolve`.
        at: As for `resolve`.
        step: Quantities are multiples of this; a converted break is rounded up to it.
        first: The answer to the request itself, where it is known already.
    """
    rungs: list[Break] = []
    for quantity in _thresholds(request, chain, entries, at, step):
        if first is not None and quantity == request.quantity:
            answer = first
        else:
            answer = resolve(replace(request, quantity=quantity), chain, entries, currency, at)
        if answer.unit_price is None:
            continue
        if not rungs or rungs[-1].unit_price != answer.unit_price:
            rungs.append(Break(quantity, answer.unit_price, answer.list_price))
    return tuple(rungs)


def _thresholds(
    request: PriceRequest,
    chain: Sequence[ListCandidate],
    entries: Entries,
    at: datetime,
    step: Decimal,
) -> list[Decimal]:
    """Return each quantity at which the answer may change, ascending, from the smallest."""
    factors = {**request.factors, request.uom: Fraction(1)}
    found = {request.quantity}
    for source in chain:
        for entry in entries.get(source.version_id or 0, ()):
            if entry.uom == request.uom and entry.min_quantity <= request.quantity:
                continue
            if entry.uom in factors and covers(entry, request) and entry.window.contains(at):
                exact = Fraction(entry.min_quantity) / factors[entry.uom]
                found.add(max(request.quantity, _round_up(exact, step)))
    return sorted(found)


def _round_up(value: Fraction, step: Decimal) -> Decimal:
    steps = -((-value) // Fraction(step))
    return step * steps
