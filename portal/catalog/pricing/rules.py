"""The price rule: which list decides, what it says, and why. Pure and exact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from fractions import Fraction
from typing import TypeAlias

from portal.errors import N_
from portal.money import line_amount, round_half_up

_SAME_UNIT = Fraction(1)


@unique
class ListKind(StrEnum):
    """What a price list is for."""

    STANDARD = "standard"
    LIST = "list"
    AGREEMENT = "agreement"


@unique
class EntryKind(StrEnum):
    """What an entry says about the price."""

    PRICE = "price"
    PERCENT_OFF = "percent_off"
    AMOUNT_OFF = "amount_off"


@unique
class Level(StrEnum):
    """How a list reaches a buyer; the order of the members is the order of the lists."""

    AGREEMENT_UNIT = "agreement-unit"
    AGREEMENT_ACCOUNT = "agreement-account"
    LIST_UNIT = "list-unit"
    LIST_ACCOUNT = "list-account"
    LIST_GROUP = "list-group"
    STANDARD = "standard"


LEVEL_ORDER: Mapping[Level, int] = {level: place for place, level in enumerate(Level)}


@unique
class Outcome(StrEnum):
    """What became of one list of the chain."""

    WON = "won"
    LOST = "lost"
    SILENT = "silent"
    NO_PRICE = "no-price"


@unique
class Reason(StrEnum):
    """Why a list had its outcome; the text is for people (see `REASONS`)."""

    DECIDED = "decided"
    LOWEST = "lowest"
    ABOVE = "above"
    NOT_LOWEST = "not-lowest"
    NO_VERSION = "no-version"
    NO_ENTRY = "no-entry"
    BREAK_NOT_REACHED = "break-not-reached"
    NO_FACTOR = "no-factor"
    NO_LIST_PRICE = "no-list-price"
    BELOW_ZERO = "below-zero"


REASONS: Mapping[Reason, str] = {
    Reason.DECIDED: N_("the first list that prices the product"),
    Reason.LOWEST: N_("the lowest price of all lists (best price)"),
    Reason.ABOVE: N_("a list above decided"),
    Reason.NOT_LOWEST: N_("another list is lower or comes first (best price)"),
    Reason.NO_VERSION: N_("no version of the list is in force"),
    Reason.NO_ENTRY: N_("no entry for the product at this time"),
    Reason.BREAK_NOT_REACHED: N_("the smallest quantity of its entries is not reached"),
    Reason.NO_FACTOR: N_("its entries are in units of measure without a factor to this one"),
    Reason.NO_LIST_PRICE: N_("a reduction of the list price, and there is no list price"),
    Reason.BELOW_ZERO: N_("the amount off is greater than the list price"),
}


LABELS: Mapping[str, str] = {
    "price-list.drafted": N_("Draft of a price list changed"),
    "price-list.published": N_("Price list published"),
    "price-list.assigned": N_("Price list assigned"),
    "agreement.saved": N_("Agreement changed"),
    "cost.saved": N_("Costs changed"),
    "tax-rate.saved": N_("Tax rates changed"),
    "freight-rate.saved": N_("Freight rates changed"),
}
"""What the time line says of each verb."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open time window ``[start, end)``; None means unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def contains(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def overlaps(self, other: "Window") -> bool:
        """Tell whether both windows hold at some instant."""
        starts = [w.start for w in (self, other) if w.start is not None]
        ends = [w.end for w in (self, other) if w.end is not None]
        return not starts or not ends or max(starts) < min(ends)


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a price list: exactly one of ``sku`` and ``category_path`` is set."""

    kind: EntryKind
    value: Decimal
    uom: str
    min_quantity: Decimal
    sku: str | None = None
    category_path: str | None = None
    window: Window = ALWAYS

    @property
    def precedence(self) -> int:
        """The category's depth, or more than any depth for an entry of a SKU."""
        if self.category_path is None:
            return 1_000_000
        return self.category_path.count("/")


@dataclass(frozen=True, slots=True)
class ListCandidate:
    """A list that reaches the buyer at the instant asked for, at its best place.

    ``distance`` counts unit levels upwards from the buyer's unit (0 outside the unit levels);
    ``ends`` is the earliest end of the assignment and of the agreement that carries the list.
    """

    code: str
    kind: ListKind
    level: Level
    distance: int = 0
    priority: int | None = None
    ends: datetime | None = None
    version: int | None = None
    version_id: int | None = None
    best_price: bool = False
    decimals: int = 2

    @property
    def place(self) -> tuple[int, int, bool, int, str]:
        """The sort key of rule 2; a list without a priority comes after those with one."""
        return (
            LEVEL_ORDER[self.level],
            self.distance,
            self.priority is None,
            self.priority or 0,
            self.code,
        )


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """What is asked: a product, a quantity and its unit of measure.

    ``factors`` maps another unit of measure to its number per one ``uom``
    (1 BX = 10 EA: asked in BX, ``{"EA": 10}``; asked in EA, ``{"BX": 1/10}``).
    """

    sku: str
    category_path: str
    quantity: Decimal
    uom: str
    factors: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One list of the chain and what became of it."""

    list_code: str
    level: Level
    priority: int | None
    outcome: Outcome
    reason: Reason


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer of the price rule; without ``found`` there is no price (price on request)."""

    found: bool
    currency: str
    unit_price: Decimal | None = None
    line_total: Decimal | None = None
    list_code: str | None = None
    list_kind: ListKind | None = None
    list_version: int | None = None
    entry: Entry | None = None
    list_price: Decimal | None = None
    trace: tuple[TraceStep, ...] = ()
    valid_to: datetime | None = None
    off_contract: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """The entry that a list chose; ``factor`` is its unit of measure per unit asked for."""

    entry: Entry
    factor: Fraction


@dataclass(frozen=True, slots=True)
class _Voice:
    """What one list of the chain says about the product."""

    source: ListCandidate
    choice: _Choice | None
    unit_price: Decimal | None
    reason: Reason

    @property
    def speaks(self) -> bool:
        return self.choice is not None


Entries: TypeAlias = Mapping[int, Sequence[Entry]]


def order_lists(reached: Iterable[ListCandidate]) -> tuple[ListCandidate, ...]:
    """Return the chain of rule 2: every list once, at its best place."""
    chain: dict[str, ListCandidate] = {}
    for candidate in sorted(reached, key=lambda each: each.place):
        chain.setdefault(candidate.code, candidate)
    return tuple(chain.values())


def resolve(
    request: PriceRequest,
    chain: Sequence[ListCandidate],
    entries: Entries,
    currency: str,
    at: datetime,
) -> Resolution:
    """Resolve one price by rules 1 to 9.

    Args:
        request: Product, quantity and unit of measure.
        chain: The buyer's lists in order, as `order_lists` returns them.
        entries: Entries by version id; those of other products or instants do no harm.
        currency: The account's currency (ISO 4217).
        at: The instant for which the price is asked.
    """
    base = _list_price(request, chain, entries, at)
    voices = [
        base if source is base.source else _hear(source, request, entries, at, base.unit_price)
        for source in chain
    ]
    decider = next((voice for voice in voices if voice.speaks), None)
    winner = _winner(decider, voices)
    trace = tuple(_trace(voice, decider, winner) for voice in voices)
    if winner is None or winner.choice is None or winner.unit_price is None:
        return Resolution(found=False, currency=currency, trace=trace)
    return Resolution(
        found=True,
        currency=currency,
        unit_price=winner.unit_price,
        line_total=line_amount(winner.unit_price, request.quantity, currency),
        list_code=winner.source.code,
        list_kind=winner.source.kind,
        list_version=winner.source.version,
        entry=winner.choice.entry,
        list_price=base.unit_price,
        trace=trace,
        valid_to=_earliest_end(winner, base),
        off_contract=winner.source.kind is ListKind.STANDARD,
    )


def round_price(value: Fraction, decimals: int) -> Decimal:
    """Round an exact price that is not negative half up to ``decimals`` places."""
    scaled = value * 10**decimals
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(
        -decimals
    )


def price_entry(
    entry: Entry, factor: Fraction, list_price: Decimal | None, decimals: int
) -> Decimal | Reason:
    """Return the rounded unit price that an entry gives, or the reason why it gives none.

    Args:
        entry: The entry that a list chose.
        factor: The entry's unit of measure per one unit asked for; 1 where they are the same.
        list_price: The rounded list price of the same product, quantity, unit and instant.
        decimals: The decimals that the entry's list states.
    """
    if entry.kind is EntryKind.PRICE:
        if factor == 1:
            return round_half_up(entry.value, decimals)
        return round_price(Fraction(entry.value) * factor, decimals)
    if list_price is None:
        return Reason.NO_LIST_PRICE
    value = Fraction(entry.value)
    if entry.kind is EntryKind.PERCENT_OFF:
        exact = Fraction(list_price) * (100 - value) / 100
    else:
        exact = Fraction(list_price) - value * factor
    return Reason.BELOW_ZERO if exact < 0 else round_price(exact, decimals)


def covers(entry: Entry, request: PriceRequest) -> bool:
    """Tell whether the entry is about the product; a category covers its descendants."""
    if entry.category_path is None:
        return entry.sku == request.sku
    return f"{request.category_path}/".startswith(f"{entry.category_path}/")


def _choose(request: PriceRequest, entries: Sequence[Entry], at: datetime) -> _Choice | Reason:
    """Choose within one list by rules 1 and 3, or say why the list is silent."""
    about = [e for e in entries if covers(e, request) and e.window.contains(at)]
    if not about:
        return Reason.NO_ENTRY
    own = [e for e in about if e.uom == request.uom and e.min_quantity <= request.quantity]
    if own:
        return _Choice(max(own, key=lambda e: (e.precedence, e.min_quantity)), _SAME_UNIT)
    if not request.factors:
        return _unreached(request, about)
    convertible = [
        _Choice(e, request.factors[e.uom])
        for e in about
        if e.uom != request.uom and e.uom in request.factors
    ]
    quantity = Fraction(request.quantity)
    reached = [c for c in convertible if c.entry.min_quantity <= quantity * c.factor]
    if reached:
        return min(reached, key=_order_of_converted)
    return Reason.BREAK_NOT_REACHED if convertible else _unreached(request, about)


def _unreached(request: PriceRequest, about: Sequence[Entry]) -> Reason:
    """Return why entries are silent of which none can be converted."""
    is_known = any(e.uom == request.uom for e in about)
    return Reason.BREAK_NOT_REACHED if is_known else Reason.NO_FACTOR


def _order_of_converted(choice: _Choice) -> tuple[int, Fraction, str]:
    """SKU before category, deeper before shallower, larger converted break, then unit code."""
    entry = choice.entry
    return -entry.precedence, -Fraction(entry.min_quantity) / choice.factor, entry.uom


def _hear(
    source: ListCandidate,
    request: PriceRequest,
    entries: Entries,
    at: datetime,
    list_price: Decimal | None,
) -> _Voice:
    """Return what one list says, and its price by its own decimals."""
    if source.version_id is None:
        return _Voice(source, None, None, Reason.NO_VERSION)
    choice = _choose(request, entries.get(source.version_id, ()), at)
    if isinstance(choice, Reason):
        return _Voice(source, None, None, choice)
    price = price_entry(choice.entry, choice.factor, list_price, source.decimals)
    if isinstance(price, Reason):
        return _Voice(source, choice, None, price)
    return _Voice(source, choice, price, Reason.DECIDED)


def _list_price(
    request: PriceRequest, chain: Sequence[ListCandidate], entries: Entries, at: datetime
) -> _Voice:
    """Return what the standard list says: its rounded price is the list price."""
    for source in chain:
        if source.kind is ListKind.STANDARD:
            return _hear(source, request, entries, at, None)
    return _Voice(NO_STANDARD_LIST, None, None, Reason.NO_VERSION)


NO_STANDARD_LIST = ListCandidate(code="", kind=ListKind.STANDARD, level=Level.STANDARD)


def _winner(decider: _Voice | None, voices: Sequence[_Voice]) -> _Voice | None:
    """Return the list whose price counts: the first that speaks, or by rule 5 the lowest."""
    if decider is None or not decider.source.best_price:
        return decider
    priced = [(v.unit_price, place) for place, v in enumerate(voices) if v.unit_price is not None]
    return voices[min(priced)[1]] if priced else decider


def _trace(voice: _Voice, decider: _Voice | None, winner: _Voice | None) -> TraceStep:
    outcome, reason = _outcome(voice, decider, winner)
    source = voice.source
    return TraceStep(source.code, source.level, source.priority, outcome, reason)


def _outcome(
    voice: _Voice, decider: _Voice | None, winner: _Voice | None
) -> tuple[Outcome, Reason]:
    is_best_price = decider is not None and decider.source.best_price
    if not voice.speaks:
        return Outcome.SILENT, voice.reason
    if voice is not decider and not is_best_price:
        return Outcome.LOST, Reason.ABOVE
    if voice.unit_price is None:
        return Outcome.NO_PRICE, voice.reason
    if voice is winner:
        return Outcome.WON, Reason.LOWEST if is_best_price else Reason.DECIDED
    return Outcome.LOST, Reason.NOT_LOWEST


def _earliest_end(winner: _Voice, base: _Voice) -> datetime | None:
    """Return the instant from which the answer no longer holds, as far as it is known."""
    used = [winner]
    if winner.choice is not None and winner.choice.entry.kind is not EntryKind.PRICE:
        used.append(base)
    ends = [voice.source.ends for voice in used]
    ends += [voice.choice.entry.window.end for voice in used if voice.choice is not None]
    return min((end for end in ends if end is not None), default=None)
