"""A revision as it is shown: the same lines and figures on pages, in PDFs and to approvers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.catalog.pricing.rules import Resolution
from portal.errors import DomainError
from portal.policy import Actor
from portal.quotes.comparison import ComparedLine
from portal.quotes.freezing import frozen_totals
from portal.quotes.lines import AnyLine, AnyProduct
from portal.quotes.models import Quote, QuoteRevision
from portal.quotes.places import Places, address_plain
from portal.quotes.pricing import PricedLineOf, PricedOf, Rates, price_draft, price_lines
from portal.quotes.showing import Shown
from portal.quotes.totals import Totals
from portal.quotes.traces import thaw


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One line with its figures: today's of a draft, the frozen ones of a submitted revision."""

    row: AnyLine
    product: AnyProduct
    resolution: Resolution
    cost_centre: str | None
    ship_to: str | None
    country: str
    problem: DomainError | None = None
    has_moved: bool = False

    @property
    def unit_price(self) -> Decimal | None:
        """Net price of one unit."""
        return self.resolution.unit_price

    @property
    def list_price(self) -> Decimal | None:
        """List price of one unit."""
        return self.resolution.list_price

    @property
    def line_total(self) -> Decimal | None:
        """Printed total of the line."""
        return self.resolution.line_total

    @property
    def compared(self) -> ComparedLine:
        """The line as comparisons look at it."""
        return ComparedLine(
            line_id=self.row.line_id,
            sku=self.row.sku,
            name=self.row.name,
            quantity=self.row.quantity,
            unit_price=self.unit_price,
            line_total=self.line_total,
            cost_centre=self.cost_centre,
            ship_to=self.ship_to,
            note=self.row.note,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A revision with its lines, totals and places; ``priced`` is there for a draft alone."""

    quote: Quote
    revision: QuoteRevision
    lines: tuple[SheetLine, ...]
    totals: Totals
    addresses: Mapping[str, Mapping[str, Any]]
    cost_centres: Mapping[str, str]
    priced: PricedOf[AnyLine] | None = None

    @property
    def problems(self) -> tuple[DomainError, ...]:
        """Why the draft can't be submitted as it is."""
        return self.priced.problems if self.priced else ()

    @property
    def moved(self) -> tuple[PricedLineOf[AnyLine], ...]:
        """Lines of a draft whose price moved since it was last seen."""
        return self.priced.moved if self.priced else ()

    @property
    def saving(self) -> Decimal | None:
        """What the prices save against the list prices, where every line has both."""
        saved = Decimal(0)
        for line in self.lines:
            if line.list_price is None or line.unit_price is None:
                return None
            saved += (line.list_price - line.unit_price) * line.row.quantity
        return saved


def sheet_of(actor: Actor, revision: QuoteRevision, places: Places, at: datetime) -> Sheet:
    """Return a revision as it is shown to ``actor``.

    Args:
        actor: Whose catalogue counts for a draft.
        revision: With its quote, lines and products loaded.
        places: Of the quote's account.
        at: The instant whose prices a draft shows.
    """
    if revision.is_draft:
        return draft_sheet(revision, price_draft(actor, revision, places, at), places)
    return _frozen_sheet(revision, revision.lines)


def sheet_shown(shown: Shown, at: datetime) -> Sheet:
    """Return what was read for a page as it is shown."""
    revision, around = shown.revision, shown.around
    if around is None:
        return _frozen_sheet(revision, shown.lines)
    rates = Rates(around.charges, around.lists)
    priced = price_lines(revision, shown.lines, around.places, at, shown.seen, rates)
    return draft_sheet(revision, priced, around.places)


def _frozen_sheet(revision: QuoteRevision, lines: Iterable[AnyLine]) -> Sheet:
    booked = revision.frozen.get("lines", {})
    return Sheet(
        quote=revision.quote,
        revision=revision,
        lines=tuple(
            _frozen_line(line, booked.get(str(line.line_id), {}), revision.currency)
            for line in lines
        ),
        totals=frozen_totals(revision),
        addresses=revision.frozen.get("addresses", {}),
        cost_centres=revision.frozen.get("cost_centres", {}),
    )


def draft_sheet(revision: QuoteRevision, priced: PricedOf[AnyLine], places: Places) -> Sheet:
    """Return a priced draft as it is shown."""
    lines = tuple(_draft_line(item, revision, places) for item in priced.lines)
    used = {line.ship_to for line in lines} | {_code(places.ship_to(revision))}
    booked = {line.cost_centre for line in lines} | {_code(places.cost_centre(revision))}
    return Sheet(
        quote=revision.quote,
        revision=revision,
        lines=lines,
        totals=priced.totals,
        addresses={
            address.code: address_plain(address)
            for address in places.addresses.values()
            if address.code in used
        },
        cost_centres={
            centre.code: centre.name
            for centre in places.cost_centres.values()
            if centre.code in booked
        },
        priced=priced,
    )


def _code(place: object) -> str | None:
    return getattr(place, "code", None)


def _draft_line(item: PricedLineOf[AnyLine], revision: QuoteRevision, places: Places) -> SheetLine:
    return SheetLine(
        row=item.line,
        product=item.line.product,
        resolution=item.resolution,
        cost_centre=_code(places.cost_centre(revision, item.line)),
        ship_to=_code(places.ship_to(revision, item.line)),
        country=item.tax.country,
        problem=item.problem,
        has_moved=item.has_moved,
    )


def _frozen_line(line: AnyLine, booked: Mapping[str, Any], currency: str) -> SheetLine:
    return SheetLine(
        row=line,
        product=line.product,
        resolution=thaw(
            line.trace,
            currency=currency,
            unit_price=line.unit_price,
            list_price=line.list_price,
            line_total=line.line_total,
        ),
        cost_centre=booked.get("cost_centre"),
        ship_to=booked.get("ship_to"),
        country=booked.get("tax_country", ""),
    )
