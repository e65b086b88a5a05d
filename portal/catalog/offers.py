"""Prices as the catalogue's pages show them: for whom, why, and from which quantity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from portal.accounts.models import Account
from portal.accounts.queries import AccountNotFoundError, get_account
from portal.catalog.pricing.books import ProductFacts
from portal.catalog.pricing.ladder import SMALLEST_STEP
from portal.catalog.pricing.lookups import supplier_zone
from portal.catalog.pricing.queries import Break, Buyer, PriceBook, Terms, buyer_of, open_book
from portal.catalog.pricing.rules import Resolution
from portal.catalog.pricing.words import TraceWords, explain, explain_trace
from portal.catalog.rules import smallest_quantity
from portal.policy import Actor, Permission
from portal.web.locale import language_in_force

MOST_OFFERS: Final = 8_192
"""Offers that a process keeps, of about a KiB each; then it starts anew."""


class Offered(Protocol):
    """What pricing and the rule of the smallest quantity need to know of a product."""

    @property
    def id(self) -> Any: ...  # noqa: ANN401 - a mapped column or a plain value
    @property
    def sku(self) -> Any: ...  # noqa: ANN401
    @property
    def category_id(self) -> Any: ...  # noqa: ANN401
    @property
    def uom(self) -> Any: ...  # noqa: ANN401
    @property
    def min_quantity(self) -> Any: ...  # noqa: ANN401
    @property
    def quantity_multiple(self) -> Any: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom prices are shown; ``account`` only where supplier staff chose one."""

    buyer: Buyer
    time_zone: str
    account: Account | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """A product's price at its smallest quantity, why, and its breaks.

    It equals itself alone: pages that are given the same offer again need not draw it again.
    """

    quantity: Decimal
    resolution: Resolution
    why: str
    breaks: Sequence[Break]

    @property
    def next_break(self) -> Break | None:
        """The first break above the smallest quantity."""
        return next((step for step in self.breaks if step.min_quantity > self.quantity), None)

    @property
    def trace(self) -> Sequence[TraceWords]:
        """Every list considered, in order; for supplier staff."""
        return explain_trace(self.resolution.trace)


def reader_of(actor: Actor, account_code: str = "") -> Reader | None:
    """Return for whom an actor sees prices; ``None`` where their role shows none.

    Supplier staff see the list prices of their own currency until they choose an account.

    Raises:
        AccountNotFoundError: The account is not one whose prices the actor may see.
    """
    if not actor.can(Permission.PRICE_READ):
        return None
    if not actor.is_supplier or not account_code:
        return Reader(buyer_of(actor), actor.time_zone)
    account = get_account(actor, account_code)
    if not actor.reach(Permission.PRICE_READ).covers(account_id=account.id):
        raise AccountNotFoundError(code=account_code)
    return Reader(Buyer(account.id, None, account.currency), account.time_zone, account)


def find_offers(reader: Reader, products: Iterable[Offered], at: datetime) -> dict[int, Offer]:
    """Return the price of each product by its id, in the statements of one price book.

    The price rule is pure, so what it was asked before with the same lists, entries and quantities
    it is not asked again.
    """
    wanted = list(products)
    if not wanted:
        return {}
    facts = [ProductFacts(each.id, each.sku, each.category_id, each.uom) for each in wanted]
    book = open_book(reader.buyer, facts, at)
    shared, zone = (book.terms, language_in_force()), supplier_zone()
    return {
        each.id: _offer(book, each, product, shared, zone)
        for each, product in zip(facts, wanted, strict=True)
    }


def _offer(
    book: PriceBook,
    facts: ProductFacts,
    product: Offered,
    shared: tuple[Terms, str],
    zone: ZoneInfo,
) -> Offer:
    quantity = smallest_quantity(product)
    step = product.quantity_multiple or SMALLEST_STEP
    key = (*shared, zone, facts.sku, quantity, step, book.said_of(facts))
    known = _OFFERS.get(key)
    if known is None:
        resolution = book.resolve(facts, quantity)
        steps = book.ladder(facts, smallest=quantity, step=step, first=resolution)
        known = Offer(quantity, resolution, explain(resolution, zone), steps)
        if len(_OFFERS) >= MOST_OFFERS:
            _OFFERS.clear()
        _OFFERS[key] = known
    return known


_OFFERS: Final[dict[tuple[Any, ...], Offer]] = {}
