"""Money: decimal amounts with a currency, rounded half up at named places only."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, Self

from portal.errors import N_, InvalidError

# Wide enough that a product of two stored values is exact before the one rounding.
EXACT: Final = Context(prec=60)

_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD "
    "BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP "
    "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
    "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR "
    "RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

CURRENCIES: Final[Mapping[str, int]] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    "CLF": 4,
    "UYW": 4,
}
"""ISO 4217 code -> minor unit (decimals), by the standard's list one, not CLDR's digits."""


class UnknownCurrencyError(InvalidError):
    """The code is not an ISO 4217 currency."""

    message = N_("“{currency}” is not an ISO 4217 currency code.")


class CurrencyMismatchError(InvalidError):
    """Two amounts of different currencies meet."""

    message = N_("Amounts in {left} and {right} can't be combined.")


def minor_units(currency: str) -> int:
    """Return the number of decimals of a currency's minor unit (ISO 4217)."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise UnknownCurrencyError(currency=currency) from None


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """Round half away from zero to ``decimals`` places, the rounding of every printed figure."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=EXACT)


def exact_product(left: Decimal, right: Decimal) -> Decimal:
    """Multiply without the default context's 28-digit rounding."""
    return EXACT.multiply(left, right)


def line_amount(unit_price: Decimal, quantity: Decimal, currency: str) -> Decimal:
    """Return a line's net amount (EN 16931 BT-131), half up to the currency's minor unit."""
    return round_half_up(exact_product(unit_price, quantity), minor_units(currency))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and its ISO 4217 currency; arithmetic is exact and never mixes currencies."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        minor_units(self.currency)

    def __add__(self, other: Self) -> "Money":
        return Money(EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Self) -> "Money":
        return Money(EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __mul__(self, factor: Decimal) -> "Money":
        return Money(exact_product(self.amount, factor), self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.amount < self._same(other)

    def __str__(self) -> str:
        return f"{self.amount:,f} {self.currency}"

    def rounded(self, decimals: int | None = None) -> "Money":
        """Round half up to ``decimals``, by default to the currency's minor unit."""
        places = minor_units(self.currency) if decimals is None else decimals
        return Money(round_half_up(self.amount, places), self.currency)

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatchError(left=self.currency, right=other.currency)
        return other.amount
