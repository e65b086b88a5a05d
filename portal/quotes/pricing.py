"""What a draft costs now: today's price of each line, its freight and its tax."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic

from sqlalchemy import select

from portal.accounts.rules import ancestors
from portal.catalog.models import Product
from portal.catalog.pricing.books import ProductFacts
from portal.catalog.pricing.chains import Lists
from portal.catalog.pricing.charges import Charges, Destination, TaxLine, load_charges, taxes
from portal.catalog.pricing.queries import Buyer, PriceQuestion, resolve_document
from portal.catalog.pricing.rules import Resolution
from portal.catalog.queries import visible_products
from portal.catalog.rules import check_quantity
from portal.db import db
from portal.errors import N_, DomainError, InvalidError
from portal.policy import Actor
from portal.quotes.lines import AnyLine, AnyProduct, Line, Line_co
from portal.quotes.models import Quote, QuoteLine, QuoteRevision
from portal.quotes.places import Places
from portal.quotes.totals import TaxRow, Totals, add, make_totals


class PriceOnRequestError(InvalidError):
    """No list prices the line."""

    message = N_("Line {position}, {sku}: the price is on request, so it can't be submitted.")


class EndedProductError(InvalidError):
    """The product is not sold any more."""

    message = N_("Line {position}, {sku}: this product ended. Remove it or choose another one.")


class SucceededProductError(InvalidError):
    """The product is not sold any more, another one is."""

    message = N_("Line {position}, {sku}: this product ended. Its successor is {successor}.")


class NotInAssortmentError(InvalidError):
    """The access group does not see the product any more."""

    message = N_("Line {position}, {sku}: this product is not in your catalogue any more.")


class LineQuantityError(InvalidError):
    """The line's quantity is not one that the product is sold in."""

    message = N_("Line {position}, {sku}: {reason}")


@dataclass(frozen=True, slots=True)
class Rates:
    """What holds at an instant for the lines of a draft, as far as it is read already."""

    charges: Charges
    lists: Lists | None = None


@dataclass(frozen=True, slots=True)
class LineTax:
    """How a line is taxed: its category, the rate that holds where it goes, and where that is."""

    category: str
    country: str
    region: str | None
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class PricedLineOf(Generic[Line_co]):
    """A draft's line with today's answer; ``problem`` is why it can't be submitted as it is."""

    line: Line_co
    resolution: Resolution
    tax: LineTax
    problem: DomainError | None = None

    @property
    def has_moved(self) -> bool:
        """Whether today's price is another one than its people saw last."""
        return self.line.seen_price != self.resolution.unit_price


@dataclass(frozen=True, slots=True)
class FreightCharge:
    """The freight to one country; it is taxed like those of its goods with the highest rate."""

    charge: Decimal
    tax: LineTax


@dataclass(frozen=True, slots=True)
class PricedOf(Generic[Line_co]):
    """A draft as it stands at an instant."""

    lines: tuple[PricedLineOf[Line_co], ...]
    freight: tuple[FreightCharge, ...]
    totals: Totals
    at: datetime

    @property
    def moved(self) -> tuple[PricedLineOf[Line_co], ...]:
        """The lines whose price moved since it was last seen."""
        return tuple(line for line in self.lines if line.has_moved)

    @property
    def problems(self) -> tuple[DomainError, ...]:
        """Why the draft can't be submitted as it is."""
        return tuple(line.problem for line in self.lines if line.problem is not None)

    @property
    def ends(self) -> tuple[datetime | None, ...]:
        """The instants until which the prices used hold."""
        return tuple(line.resolution.valid_to for line in self.lines)


Priced = PricedOf[QuoteLine]
PricedLine = PricedLineOf[QuoteLine]
"""Those of a step, which writes into its lines; a page prices rows."""


def buyer_of_quote(quote: Quote, places: Places) -> Buyer:
    """Return for whom a quote is priced: its own unit, whoever looks at it."""
    unit_path = ancestors(quote.unit_id, places.units)
    return Buyer(quote.account_id, quote.unit_id, quote.currency, unit_path)


def price_draft(actor: Actor, revision: QuoteRevision, places: Places, at: datetime) -> Priced:
    """Price a draft at an instant, in a constant number of statements.

    Args:
        actor: Whose catalogue counts for "not in your catalogue any more".
        revision: With its quote, lines and products loaded.
        places: Of the quote's account.
        at: The instant whose prices count.
    """
    seen = _seen_products(actor, {line.product_id for line in revision.lines})
    return price_lines(revision, revision.lines, places, at, seen)


def price_lines(
    revision: QuoteRevision,
    lines: Sequence[Line],
    places: Places,
    at: datetime,
    seen: Collection[int],
    rates: Rates | None = None,
) -> PricedOf[Line]:
    """Price the lines of a draft of which is known what the actor's catalogue holds.

    Args:
        revision: With its quote.
        lines: Of the revision, with their products.
        places: Of the quote's account.
        at: The instant whose prices count.
        seen: Products that the actor's catalogue holds.
        rates: Those of that instant, where they are read already.
    """
    quote = revision.quote
    where = [_destination(places, revision, line) for line in lines]
    rates = rates or Rates(load_charges(set(where), quote.currency, map(_category, lines), at))
    questions = [PriceQuestion(_facts(line.product), line.quantity, line.uom) for line in lines]
    answers = resolve_document(buyer_of_quote(quote, places), questions, at, rates.lists)
    priced = tuple(
        PricedLineOf(
            line,
            answer,
            LineTax(
                _category(line),
                place.country,
                place.region,
                rates.charges.tax_rate(place, _category(line)),
            ),
            _problem(line, answer, is_seen=line.product.id in seen),
        )
        for line, answer, place in zip(lines, answers, where, strict=True)
    )
    freight = _freight(rates.charges, priced)
    return PricedOf(priced, freight, _totals(quote, places, priced, freight), at)


def _facts(product: AnyProduct) -> ProductFacts:
    return ProductFacts(product.id, product.sku, product.category_id, product.uom)


def _seen_products(actor: Actor, product_ids: Collection[int]) -> frozenset[int]:
    wanted = sorted(product_ids)
    visible = visible_products(actor).with_only_columns(Product.id).subquery()
    statement = select(visible.c.id).where(visible.c.id.in_(wanted))
    return frozenset(db.session.scalars(statement)) if wanted else frozenset()


def _destination(places: Places, revision: QuoteRevision, line: AnyLine) -> Destination:
    """Return where a line goes; without an address the account's own country counts."""
    address = places.ship_to(revision, line)
    if address is None:
        return Destination(places.account.country, None)
    return Destination(address.country, address.region)


def _category(line: AnyLine) -> str:
    return line.product.tax_category or ""


def _problem(line: AnyLine, answer: Resolution, *, is_seen: bool) -> DomainError | None:
    product = line.product
    named = {"position": line.position, "sku": line.sku}
    if not product.is_active:
        if product.successor_sku:
            return SucceededProductError(successor=product.successor_sku, **named)
        return EndedProductError(**named)
    if not is_seen:
        return NotInAssortmentError(**named)
    if not answer.found:
        return PriceOnRequestError(**named)
    wrong = check_quantity(product, line.quantity)
    return LineQuantityError(reason=str(wrong), **named) if wrong else None


def _totals(
    quote: Quote,
    places: Places,
    lines: Sequence[PricedLineOf[AnyLine]],
    freight: Sequence[FreightCharge],
) -> Totals:
    """Add up a draft: freight per country of destination, tax per rate."""
    amounts = [(line.tax, line.resolution.line_total or Decimal(0)) for line in lines]
    amounts += [(item.tax, item.charge) for item in freight]
    keys = [str(number) for number in range(len(amounts))]
    status = places.account.tax_status
    summary = taxes(
        [TaxLine(key, amount) for key, (_, amount) in zip(keys, amounts, strict=True)],
        Decimal(0),
        status,
        {key: tax.rate for key, (tax, _) in zip(keys, amounts, strict=True)},
        quote.currency,
    )
    rows = None
    if summary.tax_total is not None:
        rows = [TaxRow(each.rate, each.base, each.tax) for each in summary.taxes]
    return make_totals(
        quote.currency,
        [line.resolution.line_total for line in lines],
        add(item.charge for item in freight),
        rows,
        status,
    )


def _freight(charges: Charges, lines: Sequence[PricedLineOf[AnyLine]]) -> tuple[FreightCharge, ...]:
    """Return the charge by country of destination; none where no rate fits."""
    goods: dict[str, list[PricedLineOf[AnyLine]]] = {}
    for line in lines:
        if line.resolution.line_total is not None:
            goods.setdefault(line.tax.country, []).append(line)
    found: list[FreightCharge] = []
    for country, items in goods.items():
        net = add(item.resolution.line_total or Decimal(0) for item in items)
        charge = charges.freight(country, net)
        if charge:
            highest = max((item.tax for item in items), key=_by_rate)
            found.append(FreightCharge(charge, highest))
    return tuple(found)


def _by_rate(tax: LineTax) -> tuple[Decimal, str, str]:
    rate = Decimal(-1) if tax.rate is None else tax.rate
    return rate, tax.region or "", tax.category
