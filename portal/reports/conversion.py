"""Amounts in one currency: which dated rate holds, and the one rounding of what it gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from portal.money import EXACT, minor_units, round_half_up

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of ``source`` is ``factor`` units of ``target``, from ``valid_from`` on."""

    source: str
    target: str
    factor: Decimal
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Factor:
    """What an amount is multiplied with and then divided by, and the rates that say so."""

    times: Decimal
    by: Decimal
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class ConversionTable:
    """How amounts become ``currency`` with the rates that hold at ``at``."""

    currency: str
    at: datetime
    factors: Mapping[str, Factor]

    def knows(self, currency: str) -> bool:
        """Whether amounts in ``currency`` can be converted."""
        return currency == self.currency or currency in self.factors

    def convert(self, amount: Decimal, currency: str) -> Decimal | None:
        """Return ``amount`` in the table's currency, rounded half up once to its minor unit.

        ``None``: no rate leads there. An amount in the table's own currency stays as it is.
        """
        if currency == self.currency:
            return amount
        factor = self.factors.get(currency)
        if factor is None:
            return None
        exact = EXACT.divide(EXACT.multiply(amount, factor.times), factor.by)
        return round_half_up(exact, minor_units(self.currency))

    def rates_for(self, currencies: Iterable[str]) -> list[Rate]:
        """Return the rates behind amounts in ``currencies``, each once, for the page to state."""
        found = {
            rate: None
            for currency in sorted(set(currencies))
            if currency in self.factors
            for rate in self.factors[currency].rates
        }
        return list(found)


@dataclass(frozen=True, slots=True)
class RateBook:
    """Every rate there is, so that one read serves any number of currencies and days."""

    rates: tuple[Rate, ...]

    def table(self, currency: str, at: datetime) -> ConversionTable:
        """Return how amounts become ``currency`` at an instant.

        A stated rate comes first, then the inverse of one, then two steps over a third currency
        (of several the first by its code).
        """
        held = _held(self.rates, at)
        edges = _edges(held)
        direct = {source: found for (source, target), found in edges.items() if target == currency}
        factors = dict(direct)
        for middle in sorted(direct):
            for (source, target), first in edges.items():
                if target == middle and source not in {currency, *factors}:
                    second = direct[middle]
                    factors[source] = Factor(
                        EXACT.multiply(first.times, second.times),
                        EXACT.multiply(first.by, second.by),
                        (*first.rates, *second.rates),
                    )
        factors.pop(currency, None)
        return ConversionTable(currency, at, MappingProxyType(factors))


def _held(rates: Iterable[Rate], at: datetime) -> list[Rate]:
    """Return the newest rate of each pair that holds at an instant."""
    newest: dict[tuple[str, str], Rate] = {}
    for rate in sorted(rates, key=lambda rate: rate.valid_from):
        if rate.valid_from <= at:
            newest[rate.source, rate.target] = rate
    return [newest[pair] for pair in sorted(newest)]


def _edges(rates: Iterable[Rate]) -> dict[tuple[str, str], Factor]:
    """Return the single steps between currencies; a stated rate beats the inverse of another."""
    stated = {(rate.source, rate.target): Factor(rate.factor, ONE, (rate,)) for rate in rates}
    inverse = {
        (target, source): Factor(ONE, found.times, found.rates)
        for (source, target), found in stated.items()
    }
    return {**inverse, **stated}
