"""One currency for the money of a report, and what the page has to say about it."""

from collections import defaultdict
from decimal import Decimal

from flask_babel import gettext as _

from portal.reports.asking import Wanted
from portal.reports.conversion import ConversionTable
from portal.reports.rates import convert_table
from portal.web.formats import day, decimal, money


class Converter:
    """Converts amounts into the currency asked for and keeps what could not be converted."""

    def __init__(self, wanted: Wanted) -> None:
        self.currency = wanted.currency
        self.on = min(wanted.window.last, wanted.today)
        self._table: ConversionTable | None = None
        self._wanted = wanted
        self._converted: set[str] = set()
        self._left_out: dict[str, Decimal] = defaultdict(Decimal)

    def convert(self, amount: Decimal, currency: str) -> Decimal | None:
        """Return an amount in the report's currency; ``None`` and kept in mind where no rate is."""
        if currency == self.currency:
            return amount
        if self._table is None:
            self._table = convert_table(self.currency, self.on)
        found = self._table.convert(amount, currency)
        if found is None:
            self._left_out[currency] += amount
        else:
            self._converted.add(currency)
        return found

    def knows(self, currency: str) -> bool:
        """Whether amounts in a currency can be converted."""
        if currency == self.currency:
            return True
        if self._table is None:
            self._table = convert_table(self.currency, self.on)
        return self._table.knows(currency)

    def leave_out(self, amount: Decimal, currency: str) -> None:
        """Keep in mind what is not in the figures for lack of a rate."""
        self._left_out[currency] += amount

    @property
    def notes(self) -> list[str]:
        """What the page says: the rates that were used, and what is missing."""
        notes: list[str] = []
        if self._table is not None and self._converted:
            rates = "; ".join(
                f"1 {rate.source} = {decimal(rate.factor, 0, 10)} {rate.target}"
                for rate in self._table.rates_for(self._converted)
            )
            notes.append(
                _(
                    "Converted into %(currency)s with the rates of %(day)s: %(rates)s.",
                    currency=self.currency,
                    day=day(self.on),
                    rates=rates,
                )
            )
        notes.extend(
            _(
                "%(amount)s is not in these figures: there is no exchange rate to %(currency)s.",
                amount=money(amount, currency),
                currency=self.currency,
            )
            for currency, amount in sorted(self._left_out.items())
        )
        return notes
