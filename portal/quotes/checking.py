"""Checking quick entry: every row matched and priced, or with its error and what was meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask_babel import gettext as _

from portal.catalog.models import Product
from portal.catalog.pricing.queries import PriceQuestion, buyer_of, resolve_document
from portal.catalog.pricing.rules import Resolution
from portal.catalog.queries import find_products_by_sku, find_similar
from portal.catalog.rules import check_quantity
from portal.db import in_pages
from portal.errors import DomainError
from portal.policy import Actor
from portal.quotes.adding import check_product, find_uoms
from portal.quotes.entry import ERRORS, EntryRow
from portal.quotes.hashing import number_text
from portal.quotes.totals import add
from portal.web.formats import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRow:
    """A row with its product and price, or with the words that say what is wrong."""

    entry: EntryRow
    product: Product | None = None
    resolution: Resolution | None = None
    error: str = ""
    suggestions: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the row can be added as it is."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Checked:
    """All rows of a quick entry."""

    rows: tuple[CheckedRow, ...]
    currency: str
    dropped: int = 0

    @property
    def good(self) -> tuple[CheckedRow, ...]:
        """The rows that can be added."""
        return tuple(row for row in self.rows if row.is_good)

    @property
    def bad(self) -> tuple[CheckedRow, ...]:
        """The rows that need to be fixed."""
        return tuple(row for row in self.rows if not row.is_good)

    @property
    def merged(self) -> int:
        """How many rows were added to an earlier one of the same SKU."""
        return sum(row.entry.merged for row in self.rows)

    @property
    def total(self) -> Decimal:
        """Sum of the priced rows."""
        totals = (row.resolution.line_total for row in self.good if row.resolution)
        return add(total for total in totals if total is not None)

    @property
    def items(self) -> list[tuple[str, Decimal, str | None]]:
        """The good rows as they are added."""
        return [
            (row.entry.sku, row.entry.quantity, row.entry.uom or None)
            for row in self.good
            if row.entry.quantity is not None
        ]

    def text(self, *, bad_only: bool = False) -> str:
        """Return the rows as lines of SKU and quantity, as the text area shows them."""
        rows = self.bad if bad_only else self.rows
        return "\n".join(_line(row.entry) for row in rows)


def _line(entry: EntryRow) -> str:
    quantity = entry.quantity_text if entry.quantity is None else number_text(entry.quantity)
    return "\t".join(part for part in (entry.sku, quantity, entry.uom) if part)


def check_rows(
    actor: Actor, rows: Sequence[EntryRow], at: datetime, *, dropped: int = 0
) -> Checked:
    """Match and price rows; nothing is written.

    Args:
        actor: Whose catalogue and prices count.
        rows: As read from text, table or file.
        at: The instant whose prices are shown.
        dropped: How many rows beyond the limit were left out.
    """
    readable = [row for row in rows if row.error is None]
    products: dict[str, Product] = {}
    for page in in_pages(list(dict.fromkeys(row.sku for row in readable))):
        products |= find_products_by_sku(actor, page)
    uoms = find_uoms({product.id: product.uom for product in products.values()})
    checked = [_match(row, products, uoms) for row in rows]
    priced = _price(actor, checked, at)
    hints = find_similar(actor, [row.entry.sku for row in checked if _is_unknown(row)])
    return Checked(
        tuple(
            CheckedRow(
                entry=row.entry,
                product=row.product,
                resolution=priced.get(place),
                error=row.error,
                suggestions=row.suggestions or tuple(hints.get(row.entry.sku, ())),
            )
            for place, row in enumerate(checked)
        ),
        actor.currency,
        dropped,
    )


def _is_unknown(row: CheckedRow) -> bool:
    return row.entry.error is None and row.product is None


def _match(
    row: EntryRow, products: Mapping[str, Product], uoms: Mapping[int, frozenset[str]]
) -> CheckedRow:
    if row.error is not None or row.quantity is None:
        return CheckedRow(entry=row, error=_(ERRORS[row.error]) if row.error else "")
    product = products.get(row.sku)
    try:
        wanted = check_product(product, row.sku, row.quantity, row.uom or None, uoms)
        wrong = None
        if wanted.uom == wanted.product.uom:
            wrong = check_quantity(wanted.product, row.quantity)
    except DomainError as error:
        successor = product.successor_sku if product else None
        hints = (successor,) if successor else ()
        return CheckedRow(entry=row, product=product, error=refusal(error), suggestions=hints)
    if wrong is not None:
        return CheckedRow(entry=row, product=product, error=refusal(wrong))
    return CheckedRow(entry=row, product=product)


def _price(actor: Actor, rows: Sequence[CheckedRow], at: datetime) -> dict[int, Resolution]:
    """Return place -> today's price of the good rows."""
    places = [place for place, row in enumerate(rows) if row.is_good]
    questions = [
        PriceQuestion(row.product, row.entry.quantity, row.entry.uom or None)
        for row in (rows[place] for place in places)
        if row.product is not None and row.entry.quantity is not None
    ]
    return dict(zip(places, resolve_document(buyer_of(actor), questions, at), strict=True))
