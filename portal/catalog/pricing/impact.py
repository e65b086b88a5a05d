"""What publishing a draft would mean: whom it reaches, what moves, what breaks a bound."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select

from portal.catalog.models import Product
from portal.catalog.pricing.books import PAGE, ProductFacts, load_book
from portal.catalog.pricing.chains import Period, holds_within
from portal.catalog.pricing.lists import find_account_codes, find_in_force
from portal.catalog.pricing.models import Cost, PriceList, PriceListVersion
from portal.catalog.pricing.publication_rules import Diff, Mover, biggest_movers
from portal.catalog.pricing.rules import (
    Entries,
    Entry,
    Level,
    ListCandidate,
    ListKind,
    PriceRequest,
    price_entry,
    resolve,
)
from portal.db import db, in_pages

CountQuotes = Callable[[Collection[str]], int]


@dataclass(frozen=True, slots=True)
class Breach:
    """A price of the draft beyond a bound: the list price above it, or the floor below it."""

    entry: Entry
    sku: str
    unit_price: Decimal
    bound: Decimal


@dataclass(frozen=True, slots=True)
class Impact:
    """What a reviewer looks at before publishing."""

    account_codes: tuple[str, ...]
    open_quotes: int
    movers: tuple[Mover, ...]
    above_list: tuple[Breach, ...]
    below_floor: tuple[Breach, ...]


def _none_open(_codes: Collection[str]) -> int:
    return 0


_count_open_quotes: CountQuotes = _none_open


def count_open_quotes_with(function: CountQuotes) -> None:
    """Plug in, from above, how to count the open quotes of accounts by their codes."""
    global _count_open_quotes  # noqa: PLW0603 - plugged once, when the application is put together
    _count_open_quotes = function


def find_impact(
    price_list: PriceList,
    version: PriceListVersion,
    entries: Sequence[Entry],
    diff: Diff,
    at: datetime,
) -> Impact:
    """Return the impact of putting ``version`` with ``entries`` in force at ``at``."""
    codes = find_account_codes(price_list, at)
    above, below = _breaches(price_list, version, entries, at)
    return Impact(
        account_codes=tuple(codes),
        open_quotes=_count_open_quotes(codes),
        movers=biggest_movers(diff),
        above_list=tuple(above),
        below_floor=tuple(below),
    )


def _breaches(
    price_list: PriceList, version: PriceListVersion, entries: Sequence[Entry], at: datetime
) -> tuple[list[Breach], list[Breach]]:
    """Price every SKU entry at its own break and compare it with the list price and the floor."""
    by_sku = {e.sku: e for e in entries if e.sku is not None}
    above: list[Breach] = []
    below: list[Breach] = []
    standard = _standard_list(price_list, version, at)
    for page in in_pages(sorted(by_sku), PAGE):
        products = _load_products(page)
        floors = _load_floors(products, price_list.currency, at)
        book = load_book(
            list(products.values()),
            [standard.version_id] if standard and standard.version_id else [],
            Period(at, at),
        )
        wanted = set(page)
        for entry in (e for e in entries if e.sku in wanted):
            product = products[entry.sku or ""]
            request = book.request(product, entry.min_quantity or Decimal(1), entry.uom)
            bound = _list_price(request, standard, book.entries_of(product), at)
            price = price_entry(entry, Fraction(1), bound, version.unit_price_decimals)
            if not isinstance(price, Decimal):
                continue
            if bound is not None and price > bound:
                above.append(Breach(entry, product.sku, price, bound))
            floor = floors.get((product.id, entry.uom))
            if floor is not None and price < floor:
                below.append(Breach(entry, product.sku, price, floor))
    return above, below


def _standard_list(
    price_list: PriceList, version: PriceListVersion, at: datetime
) -> ListCandidate | None:
    """Return the standard list of the currency; none where the draft is itself that list."""
    if price_list.kind == ListKind.STANDARD.value:
        return None
    found = db.session.scalar(
        select(PriceList).where(
            PriceList.currency == price_list.currency,
            PriceList.kind == ListKind.STANDARD.value,
        )
    )
    current = find_in_force(found.id, at) if found else None
    if found is None or current is None or current.id == version.id:
        return None
    return ListCandidate(
        code=found.code,
        kind=ListKind.STANDARD,
        level=Level.STANDARD,
        version=current.number,
        version_id=current.id,
        decimals=current.unit_price_decimals,
    )


def _list_price(
    request: PriceRequest, standard: ListCandidate | None, entries: Entries, at: datetime
) -> Decimal | None:
    if standard is None:
        return None
    return resolve(request, [standard], entries, "EUR", at).unit_price


def _load_products(skus: Sequence[str]) -> dict[str, ProductFacts]:
    rows = db.session.execute(
        select(Product.id, Product.sku, Product.category_id, Product.uom).where(
            Product.sku.in_(skus)
        )
    )
    return {row.sku: ProductFacts(row.id, row.sku, row.category_id, row.uom) for row in rows}


def _load_floors(
    products: dict[str, ProductFacts], currency: str, at: datetime
) -> dict[tuple[int, str], Decimal]:
    rows = db.session.execute(
        select(Cost.product_id, Cost.uom, Cost.floor_price)
        .where(
            Cost.product_id.in_([each.id for each in products.values()]),
            Cost.currency == currency,
            holds_within(Cost.valid_from, Cost.valid_to, Period(at, at)),
        )
        .order_by(Cost.valid_from, Cost.id)
    )
    return {
        (row.product_id, row.uom): row.floor_price for row in rows if row.floor_price is not None
    }
