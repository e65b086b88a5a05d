"""Prices for buyers: any number of questions in a constant number of statements."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from portal.catalog.models import Product
from portal.catalog.pricing.books import Book, ProductFacts, load_book
from portal.catalog.pricing.chains import Buyer, Lists, Period, load_lists, unit_path_of
from portal.catalog.pricing.ladder import SMALLEST_STEP, Break, price_ladder
from portal.catalog.pricing.rules import ListCandidate, Resolution, resolve
from portal.money import line_amount
from portal.policy import Actor

__all__ = [
    "Break",
    "Buyer",
    "PriceBook",
    "PriceQuestion",
    "Terms",
    "buyer_of",
    "open_book",
    "price_breaks",
    "resolve_document",
    "resolve_prices",
]


MOST_ANSWERS: Final = 8_192
"""Answers that a process keeps, of one to two KiB each; then it starts anew."""


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """One line to price; without ``uom`` in the product's own unit of measure."""

    product: Product | ProductFacts
    quantity: Decimal
    uom: str | None = None

    @property
    def unit(self) -> str:
        return self.uom or self.product.uom


class Terms:
    """The lists of a buyer in order, and the currency, as one object for equal ones.

    They are part of the key of each price that is kept, and would be compared with each product.
    """

    @staticmethod
    @lru_cache(maxsize=1_024)
    def of(_chain: tuple[ListCandidate, ...], _currency: str) -> "Terms":
        """Return the one object for some lists and a currency."""
        return Terms()


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Everything needed to price some products for one buyer at one instant, already read."""

    buyer: Buyer
    at: datetime
    chain: tuple[ListCandidate, ...]
    book: Book

    @property
    def terms(self) -> Terms:
        """What the answers for all products have in common."""
        return Terms.of(self.chain, self.buyer.currency)

    def resolve(
        self, product: Product | ProductFacts, quantity: Decimal, uom: str | None = None
    ) -> Resolution:
        """Answer one question by the price rule, without a statement."""
        facts = _facts(product)
        return resolve(
            self.book.request(facts, quantity, uom or facts.uom),
            self.chain,
            self.book.entries_of(facts),
            self.buyer.currency,
            self.at,
        )

    def said_of(self, product: ProductFacts) -> Hashable:
        """Return all that this book knows of a product: equal books answer alike.

        The instant is no part of it, for a book holds what is in force at its own instant alone.
        """
        return self.book.said_of(product)

    def ladder(
        self,
        product: Product | ProductFacts,
        uom: str | None = None,
        *,
        smallest: Decimal = Decimal(1),
        step: Decimal = SMALLEST_STEP,
        first: Resolution | None = None,
    ) -> tuple[Break, ...]:
        """Return the product's price breaks from its smallest quantity upwards.

        Args:
            first: The answer for the smallest quantity, where it is known already.
        """
        facts = _facts(product)
        return price_ladder(
            self.book.request(facts, smallest, uom or facts.uom),
            self.chain,
            self.book.entries_of(facts),
            self.buyer.currency,
            self.at,
            step=step,
            first=first,
        )


def buyer_of(actor: Actor) -> Buyer:
    """Return for whom an actor asks prices: the membership's account and unit."""
    return Buyer(actor.account_id, actor.unit_id, actor.currency, actor.unit_path)


def open_book(
    buyer: Buyer,
    products: Iterable[Product | ProductFacts],
    at: datetime,
    lists: Lists | None = None,
) -> PriceBook:
    """Read what pricing some products needs, in two statements however many they are.

    It is three where the buyer's place among the units has to be looked up, and one less where the
    ``lists`` of that instant are read already.
    """
    period = Period(at, at)
    unit_path = unit_path_of(buyer)
    lists = lists or load_lists(buyer.account_id, buyer.currency, unit_path, period)
    chain = lists.chain(unit_path, at)
    version_ids = {each.version_id for each in chain if each.version_id is not None}
    book = load_book([_facts(product) for product in products], version_ids, period)
    return PriceBook(buyer, at, chain, book)


def resolve_prices(
    buyer: Buyer, questions: Sequence[PriceQuestion], at: datetime
) -> list[Resolution]:
    """Answer each question by itself, in order; see `resolve_document` for a document's lines."""
    if not questions:
        return []
    book = open_book(buyer, [question.product for question in questions], at)
    return [book.resolve(q.product, q.quantity, q.unit) for q in questions]


def resolve_document(
    buyer: Buyer,
    questions: Sequence[PriceQuestion],
    at: datetime,
    lists: Lists | None = None,
) -> list[Resolution]:
    """Price the lines of one document, in order.

    The quantity that counts is the sum of the lines of the same product and unit of measure;
    each line total is that of its own quantity.

    The price rule is pure, so what it was asked before with the same lists, entries and quantity it
    is not asked again: a document is priced whenever it is looked at. ``lists`` are those of that
    instant, where they are read already.
    """
    if not questions:
        return []
    book = open_book(buyer, [question.product for question in questions], at, lists)
    terms, sums = book.terms, _sums(questions)
    answers: dict[tuple[int, str], Resolution] = {}
    lines = []
    for question in questions:
        key = (question.product.id, question.unit)
        if key not in answers:
            answers[key] = _answer(book, terms, _facts(question.product), sums[key], key[1])
        lines.append(_of_quantity(answers[key], question.quantity, sums[key]))
    return lines


def _answer(
    book: PriceBook, terms: Terms, product: ProductFacts, quantity: Decimal, uom: str
) -> Resolution:
    """Answer as the book does, from memory where all that the answer follows from is equal."""
    key = (terms, product.sku, quantity, uom, book.said_of(product))
    known = _ANSWERS.get(key)
    if known is None:
        known = book.resolve(product, quantity, uom)
        if len(_ANSWERS) >= MOST_ANSWERS:
            _ANSWERS.clear()
        _ANSWERS[key] = known
    return known


_ANSWERS: Final[dict[tuple[Any, ...], Resolution]] = {}


def price_breaks(
    buyer: Buyer,
    product: Product,
    at: datetime,
    uom: str | None = None,
    *,
    smallest: Decimal | None = None,
    step: Decimal | None = None,
) -> list[Break]:
    """Return the product's ladder for a buyer; by default from its minimum, in its multiples."""
    book = open_book(buyer, [product], at)
    return list(
        book.ladder(
            product,
            uom,
            smallest=smallest or product.min_quantity or Decimal(1),
            step=step or product.quantity_multiple or SMALLEST_STEP,
        )
    )


def _facts(product: Product | ProductFacts) -> ProductFacts:
    return product if isinstance(product, ProductFacts) else ProductFacts.of(product)


def _sums(questions: Iterable[PriceQuestion]) -> dict[tuple[int, str], Decimal]:
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for question in questions:
        sums[question.product.id, question.unit] += question.quantity
    return sums


def _of_quantity(answer: Resolution, quantity: Decimal, asked: Decimal) -> Resolution:
    """Return the answer for the sum ``asked`` with the line total of one line's own quantity."""
    if answer.unit_price is None or quantity == asked:
        return answer
    return replace(answer, line_total=line_amount(answer.unit_price, quantity, answer.currency))
