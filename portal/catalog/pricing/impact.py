"""What publishing a draft would mean: whom it reaches, what moves, what breaks a bound."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.catalog.models import Category, Product
from portal.catalog.pricing.books import PAGE, Book, ProductFacts, load_book
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
from portal.catalog.rules import ACTIVE
from portal.db import db, in_pages
from portal.money import EXACT, round_half_up

FLOOR_DECIMALS: Final = 4
CountQuotes = Callable[[Collection[str]], int]


@dataclass(frozen=True, slots=True)
class Breach:
    """What an entry gives one product, beyond a bound: above the list price or below the floor."""

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
    """Compare what each entry gives each product it decides with the list price and the floor."""
    above: list[Breach] = []
    below: list[Breach] = []
    about = _by_target(each for each in entries if not (each.window.end and each.window.end <= at))
    standard = _standard_list(price_list, version, at)
    for page in in_pages(_covered_products(about), PAGE):
        floors = _load_floors(page, price_list.currency, at)
        book = load_book(
            page,
            [standard.version_id] if standard and standard.version_id else [],
            Period(at, at),
        )
        for product in page:
            stated = book.entries_of(product)
            for entry in _decisive(about, product, book, at):
                request = book.request(product, entry.min_quantity or Decimal(1), entry.uom)
                bound = _list_price(request, standard, stated, at)
                price = price_entry(entry, Fraction(1), bound, version.unit_price_decimals)
                if not isinstance(price, Decimal):
                    continue
                if bound is not None and price > bound:
                    above.append(Breach(entry, product.sku, price, bound))
                floor = _floor(request, floors.get(product.id, {}))
                if floor is not None and price < floor:
                    below.append(Breach(entry, product.sku, price, floor))
    return sorted(above, key=_weight), sorted(below, key=_weight)


def _weight(breach: Breach) -> tuple[Decimal, str, Decimal]:
    """Order breaches by how far they are from their bound, in proportion, the farthest first."""
    share = abs(breach.unit_price - breach.bound) / breach.bound if breach.bound else Decimal(1)
    return -share, breach.sku, breach.entry.min_quantity


Target: TypeAlias = tuple[str | None, str | None]
"""What an entry is about: an SKU, or the path of a category."""


def _by_target(entries: Iterable[Entry]) -> dict[Target, list[Entry]]:
    found: dict[Target, list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.sku, entry.category_path), []).append(entry)
    return found


def _covered_products(about: Iterable[Target]) -> list[ProductFacts]:
    """Return the products that are named, and the active ones of the categories, by SKU."""
    targets = list(about)
    paths = {path for _sku, path in targets if path is not None}
    category_ids = [
        row.id
        for row in db.session.execute(select(Category.id, Category.path))
        if not paths.isdisjoint(_path_and_above(row.path))
    ]
    found = _load_products(Product.sku, sorted({sku for sku, _path in targets if sku}))
    found |= _load_products(Product.category_id, category_ids, Product.status == ACTIVE)
    return [found[sku] for sku in sorted(found)]


def _path_and_above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)] if path else []


def _decisive(
    about: Mapping[Target, Sequence[Entry]], product: ProductFacts, book: Book, at: datetime
) -> list[Entry]:
    """Return the entries that decide the product's price at their own break (rule 3).

    Each is looked at when it begins, or at ``at`` where it holds already.
    """
    path = book.paths.get(product.category_id or 0, "")
    targets: list[Target] = [(product.sku, None)]
    targets += [(None, above) for above in _path_and_above(path)]
    mine = [entry for target in targets for entry in about.get(target, ())]
    return [entry for entry in mine if not _is_beaten(entry, mine, at)]


def _is_beaten(entry: Entry, others: Iterable[Entry], at: datetime) -> bool:
    start = entry.window.start
    begins = start if start is not None and start > at else at
    quantity = entry.min_quantity or Decimal(1)
    return any(
        other.precedence > entry.precedence
        and other.uom == entry.uom
        and other.min_quantity <= quantity
        and other.window.contains(begins)
        for other in others
    )


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


def _load_products(
    column: InstrumentedAttribute[Any], values: Sequence[Any], *conditions: ColumnElement[bool]
) -> dict[str, ProductFacts]:
    """Return products by SKU whose ``column`` has one of the values."""
    found: dict[str, ProductFacts] = {}
    for page in in_pages(values, PAGE):
        rows = db.session.execute(
            select(Product.id, Product.sku, Product.category_id, Product.uom).where(
                column.in_(page), *conditions
            )
        )
        found |= {row.sku: ProductFacts(row.id, row.sku, row.category_id, row.uom) for row in rows}
    return found


def _floor(request: PriceRequest, floors: Mapping[str, Decimal]) -> Decimal | None:
    """Return the floor in the unit that is asked about: its own, else the highest converted one."""
    if request.uom in floors:
        return floors[request.uom]
    converted = [
        Fraction(floor) * request.factors[uom]
        for uom, floor in floors.items()
        if uom in request.factors
    ]
    if not converted:
        return None
    highest = max(converted)
    return round_half_up(EXACT.divide(highest.numerator, highest.denominator), FLOOR_DECIMALS)


def _load_floors(
    products: Sequence[ProductFacts], currency: str, at: datetime
) -> dict[int, dict[str, Decimal]]:
    rows = db.session.execute(
        select(Cost.product_id, Cost.uom, Cost.floor_price)
        .where(
            Cost.product_id.in_([each.id for each in products]),
            Cost.currency == currency,
            holds_within(Cost.valid_from, Cost.valid_to, Period(at, at)),
        )
        .order_by(Cost.valid_from, Cost.id)
    )
    floors: dict[int, dict[str, Decimal]] = {}
    for row in rows:
        if row.floor_price is not None:
            floors.setdefault(row.product_id, {})[row.uom] = row.floor_price
    return floors
