"""The catalogue in the order of the buyer's own prices.

A price is made by the price rule and by nothing else, so the database can't order by it: every
product found is priced, in the two statements of one price book, and then one page of them is read.
The rule is pure: what it answered to the same lists and entries it is not asked again.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select

from portal.catalog.models import Product
from portal.catalog.pricing.books import ProductFacts
from portal.catalog.pricing.queries import Buyer, PriceBook, open_book
from portal.catalog.pricing.rules import ListCandidate
from portal.catalog.rules import smallest_quantity
from portal.db import db

MOST_PRICED: Final = 5_000
"""More than these are not put in order by price: that would be work for whole seconds."""
MOST_KEPT: Final = 16_384
"""Prices that a process keeps, of half a KiB each; then it starts anew."""


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom and when a list is put in order by price."""

    buyer: Buyer
    at: datetime


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What of a product decides its place; `Sellable` for the rule of the smallest quantity."""

    facts: ProductFacts
    sku_key: str
    min_quantity: Decimal | None
    quantity_multiple: Decimal | None


def ids_by_price(asking: Asking, found: Select[Product], *, descending: bool) -> list[int]:
    """Return the ids of what a statement finds, by the price at the smallest quantity.

    Products without a price come last in either direction; equal prices are ordered by SKU.
    """
    candidates = _candidates(found)
    book = open_book(asking.buyer, [each.facts for each in candidates], asking.at)
    opened = _Opened(book, _Chain.of((tuple(book.chain), book.buyer.currency)))
    priced: list[tuple[Decimal, str, int]] = []
    unpriced: list[tuple[str, int]] = []
    for each in candidates:
        price = _price(opened, each)
        if price is None:
            unpriced.append((each.sku_key, each.facts.id))
        else:
            priced.append((-price if descending else price, each.sku_key, each.facts.id))
    return [*(item[2] for item in sorted(priced)), *(item[1] for item in sorted(unpriced))]


def _candidates(found: Select[Product]) -> list[_Candidate]:
    rows = db.session.execute(
        found.with_only_columns(
            Product.id,
            Product.sku,
            Product.category_id,
            Product.uom,
            Product.sku_key,
            Product.min_quantity,
            Product.quantity_multiple,
        )
    )
    return [
        _Candidate(ProductFacts(product_id, sku, category_id, uom), key, least, pack)
        for product_id, sku, category_id, uom, key, least, pack in rows
    ]


class _Chain:
    """The lists of a buyer as one object for equal ones: it is part of thousands of keys."""

    @staticmethod
    @lru_cache(maxsize=1_024)
    def of(_parts: tuple[tuple[ListCandidate, ...], str]) -> "_Chain":
        """Return the one object for some lists and a currency."""
        return _Chain()


class _Opened(NamedTuple):
    """A book, and what of it is the same for every product."""

    book: PriceBook
    chain: _Chain


def _price(opened: _Opened, candidate: _Candidate) -> Decimal | None:
    book, facts = opened.book, candidate.facts
    quantity = smallest_quantity(candidate)
    key = (opened.chain, facts.sku, quantity, book.said_of(facts))
    known = _PRICES.get(key)
    if known is None:
        known = (book.resolve(facts, quantity).unit_price,)
        if len(_PRICES) >= MOST_KEPT:
            _PRICES.clear()
        _PRICES[key] = known
    return known[0]


_PRICES: Final[dict[tuple[Any, ...], tuple[Decimal | None]]] = {}
