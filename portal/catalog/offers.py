"""Prices as the catalogue's pages show them: for whom, why, and from which quantity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from portal.accounts.models import Account
from portal.accounts.queries import AccountNotFoundError, get_account
from portal.catalog.models import Product
from portal.catalog.pricing.ladder import SMALLEST_STEP
from portal.catalog.pricing.lookups import supplier_zone
from portal.catalog.pricing.queries import Break, Buyer, PriceBook, buyer_of, open_book
from portal.catalog.pricing.rules import Resolution
from portal.catalog.pricing.words import TraceWords, explain, explain_trace
from portal.catalog.rules import smallest_quantity
from portal.policy import Actor, Permission


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom prices are shown; ``account`` only where supplier staff chose one."""

    buyer: Buyer
    time_zone: str
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A product's price at its smallest quantity, why, and its breaks."""

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


def find_offers(reader: Reader, products: Iterable[Product], at: datetime) -> dict[int, Offer]:
    """Return the price of each product by its id, in the statements of one price book."""
    wanted = list(products)
    if not wanted:
        return {}
    book = open_book(reader.buyer, wanted, at)
    zone = supplier_zone()
    return {product.id: _offer(book, product, zone) for product in wanted}


def _offer(book: PriceBook, product: Product, zone: ZoneInfo) -> Offer:
    quantity = smallest_quantity(product)
    resolution = book.resolve(product, quantity)
    step = product.quantity_multiple or SMALLEST_STEP
    steps = book.ladder(product, smallest=quantity, step=step, first=resolution)
    return Offer(quantity, resolution, explain(resolution, zone), steps)
