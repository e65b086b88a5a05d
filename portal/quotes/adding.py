"""Making quotes and adding to them: new drafts, lines from the catalogue or from another quote."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from portal.catalog.models import Product, UomConversion
from portal.catalog.queries import find_products_by_sku
from portal.db import db, next_number, transaction
from portal.errors import N_, InvalidError, NotAllowedError
from portal.policy import Actor, Permission
from portal.quotes import queries
from portal.quotes.guarding import (
    bump,
    check_line_quantity,
    must_reach,
    note_opening,
    note_prices,
    note_requester,
    record_quote,
)
from portal.quotes.models import Quote, QuoteLine, QuoteRevision
from portal.quotes.moves import Move
from portal.quotes.places import Places, load_places
from portal.quotes.rules import LONGEST_TITLE, MOST_LINES, MOST_QUANTITY, QUANTITY_DECIMALS
from portal.web.numbers import decimals_of


class NoSuchProductError(InvalidError):
    """Nothing that this person can see has that SKU or own number."""

    message = N_("There is no product {sku} in your catalogue.")
    field = "sku"


class ProductEndedError(InvalidError):
    """The product is not sold any more."""

    message = N_("{sku} ended and can't be added.")
    field = "sku"


class ProductSucceededError(InvalidError):
    """The product is not sold any more, another one is."""

    message = N_("{sku} ended and can't be added. Its successor is {successor}.")
    field = "sku"


class UnknownUomError(InvalidError):
    """The product is not sold in that unit of measure."""

    message = N_("{sku} is not sold in {uom}: use {uoms}.")
    field = "uom"


class BadQuantityError(InvalidError):
    """Nothing, far too much, or with more decimals than are kept."""

    message = N_("{sku}: enter a quantity above 0 with at most 3 decimals.")
    field = "quantity"


class TooMuchError(InvalidError):
    """Together with what the line has already it is more than can be kept."""

    message = N_("{sku}: a line has at most {most}.")
    field = "quantity"


class TooManyLinesError(InvalidError):
    """A quote has a limit."""

    message = N_("A quote has at most {most} lines.")


@dataclass(frozen=True, slots=True)
class Added:
    """A draft and the SKUs of a source that could not be added to it."""

    quote: Quote
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product with quantity and unit of measure, checked."""

    product: Product
    quantity: Decimal
    uom: str
    cost_centre_id: int | None = None
    ship_to_address_id: int | None = None


class TitleTooLongError(InvalidError):
    """The title is longer than a line."""

    message = N_("A title has at most {most} characters.")
    field = "title"


def create_quote(actor: Actor, now: datetime, *, title: str = "") -> Quote:
    """Make an empty draft for the actor's own unit; ``title`` is what its people call it.

    Raises:
        NotAllowedError: The actor can't save quotes.
        TitleTooLongError: The title is longer than a line.
    """
    actor.must(Permission.QUOTE_SAVE)
    if len(title) > LONGEST_TITLE:
        raise TitleTooLongError(most=LONGEST_TITLE)
    with transaction():
        quote = _new_quote(actor, now, title, None)
        record_quote(actor, "quote.created", quote, now)
        note_opening(actor, quote, now)
    return quote


def take_over(owner: Actor, reference: str, wanted: Sequence[Wanted], now: datetime) -> Quote:
    """Make a draft of another system's quote, line by line as it was there, at today's prices.

    Args:
        owner: Whose quote it becomes; the operator who takes it over is named in the event.
        reference: What the other system calls it, unique in the account.
        wanted: Its lines, checked.
        now: Instant of taking over.
    """
    with transaction():
        quote = _new_quote(owner, now, reference, reference)
        revision = quote.current
        for line_id, item in enumerate(wanted, start=1):
            _new_line(revision, item, line_id)
        priced = note_prices(owner, quote, now, seen=range(1, len(wanted) + 1))
        bump(quote, now, last_line_id=len(wanted), net_total=priced.totals.net_total)
        record_quote(owner, "quote.imported", quote, now, lines=len(wanted))
    return quote


def _new_quote(actor: Actor, now: datetime, title: str, reference: str | None) -> Quote:
    if actor.membership_id is None:  # the command line owns no quotes
        raise NotAllowedError(permission=Permission.QUOTE_SAVE.value)
    places = load_places(actor.account_id)
    quote = Quote(
        account_id=actor.account_id,
        unit_id=actor.unit_id,
        membership_id=actor.membership_id,
        number=next_number("quote", "Q"),
        reference=reference,
        title=title,
        currency=places.account.currency,
        created_at=now,
        changed_at=now,
    )
    db.session.add(quote)
    db.session.flush()
    revision = QuoteRevision(
        account_id=quote.account_id,
        quote_id=quote.id,
        number=1,
        title=title,
        currency=quote.currency,
        ship_to_address_id=_own_address(places, actor.unit_id),
        cost_centre_id=_own_cost_centre(places, actor.unit_id),
        created_at=now,
        lines=[],
        requesters=[],
    )
    note_requester(revision, actor)
    db.session.add(revision)
    db.session.flush()
    return queries.get_by_id(quote.id)


def _own_address(places: Places, unit_id: int | None) -> int | None:
    """Return the first address of the unit, else the first of the account."""
    own = [key for key, address in places.addresses.items() if address.unit_id == unit_id]
    return next(iter([*own, *places.addresses]), None)


def _own_cost_centre(places: Places, unit_id: int | None) -> int | None:
    """Return the unit's cost centre where it has exactly one."""
    own = [key for key, centre in places.cost_centres.items() if centre.unit_id == unit_id]
    return own[0] if len(own) == 1 else None


def add_lines(
    actor: Actor,
    number: str | None,
    items: Sequence[tuple[str, Decimal, str | None]],
    now: datetime,
) -> Quote:
    """Add products to a draft; a line of the same product and unit of measure grows instead.

    Args:
        number: The draft, or ``None`` for the one opened last or else a new one.
        items: SKU or own part number, quantity, unit of measure or ``None`` for the product's.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
        NotAllowedError, IllegalMoveError: See `Move`.
        NoSuchProductError, ProductEndedError, UnknownUomError, TooManyLinesError, InvalidError:
            Something can't be added; then nothing is.
    """
    actor.must(Permission.QUOTE_SAVE)
    with transaction():
        wanted = _wanted(actor, items)
        quote = _draft_for(actor, number, now)
        _append(actor, quote, wanted, now)
    return quote


def put_on_draft(
    owner: Actor,
    number: str | None,
    items: Sequence[tuple[str, Decimal, str | None]],
    now: datetime,
    *,
    by: Actor,
    title: str = "",
) -> Quote:
    """Add products to a draft of somebody else, as they see and pay them; refuses as `add_lines`.

    The supplier prepares what a customer then submits: the event names who did it, but who asks
    for the approval, and so can't give it, is the owner. It does not become the draft to which
    the owner's catalogue adds.

    Args:
        owner: Whose rights and prices hold.
        number: Their draft, or ``None`` for a new one.
        by: Who prepares it.
        title: What a new one is called.
    """
    owner.must(Permission.QUOTE_SAVE)
    with transaction():
        wanted = _wanted(owner, items)
        if number is None:
            quote = _new_quote(owner, now, title[:LONGEST_TITLE], None)
            record_quote(by, "quote.created", quote, now)
        else:
            quote = _draft_for(owner, number, now)
        _append(owner, quote, wanted, now, by=by)
    return quote


def take_off_draft(
    owner: Actor, number: str, sku: str, quantity: Decimal, now: datetime, *, by: Actor
) -> Quote:
    """Take a quantity of a product off a draft of somebody else; what is not there stays so.

    Raises:
        QuoteNotFoundError, NotAllowedError, IllegalMoveError: See `add_lines`.
    """
    with transaction():
        quote = _draft_for(owner, number, now)
        revision = quote.current
        line = next((line for line in revision.lines if line.sku == sku), None)
        if line is None:
            return quote
        if line.quantity > quantity:
            line.quantity -= quantity
        else:
            revision.lines.remove(line)
        for position, left in enumerate(revision.lines, start=1):
            left.position = position
        priced = note_prices(owner, quote, now, seen={line.line_id})
        bump(quote, now, net_total=priced.totals.net_total)
        record_quote(
            by, "quote.saved", quote, now, lines=1, removed=int(line not in revision.lines)
        )
    return quote


def _draft_for(actor: Actor, number: str | None, now: datetime) -> Quote:
    """Return the draft that something is added to, locked; a new one where none is open."""
    if number is None:
        known = queries.current_draft(actor)
        number = known.number if known else None
    if number is None:
        quote = _new_quote(actor, now, "", None)
        record_quote(actor, "quote.created", quote, now)
        return quote
    quote = queries.get_quote(actor, number, lock=True)
    must_reach(actor, Permission.QUOTE_SAVE, quote)
    Move.SAVE.apply(quote.status, actor, quote.number)
    return quote


def _append(
    actor: Actor,
    quote: Quote,
    wanted: Sequence[Wanted],
    now: datetime,
    *,
    by: Actor | None = None,
) -> None:
    """Add checked products to a locked draft; ``by`` is who does it for the actor."""
    revision = quote.current
    here = {(line.product_id, line.uom): line for line in revision.lines}
    last = quote.last_line_id
    touched: set[int] = set()
    for item in wanted:
        line = here.get((item.product.id, item.uom))
        if line is None:
            last += 1
            line = _new_line(revision, item, last)
            here[item.product.id, item.uom] = line
        else:
            line.quantity += item.quantity
        touched.add(line.line_id)
    if len(revision.lines) > MOST_LINES:
        raise TooManyLinesError(most=MOST_LINES)
    for line in revision.lines:
        if line.line_id in touched:
            if line.quantity > MOST_QUANTITY:
                raise TooMuchError(sku=line.sku, most=MOST_QUANTITY)
            check_line_quantity(line)
    note_requester(revision, actor)
    if by is None:
        note_opening(actor, quote, now)
    priced = note_prices(actor, quote, now, seen=touched)
    bump(quote, now, last_line_id=last, net_total=priced.totals.net_total)
    record_quote(by or actor, "quote.lines-added", quote, now, lines=len(wanted))


def _new_line(revision: QuoteRevision, item: Wanted, line_id: int) -> QuoteLine:
    line = QuoteLine(
        account_id=revision.account_id,
        line_id=line_id,
        position=len(revision.lines) + 1,
        product_id=item.product.id,
        product=item.product,
        sku=item.product.sku,
        name=item.product.name,
        quantity=item.quantity,
        uom=item.uom,
        off_contract=False,
        trace={},
        cost_centre_id=item.cost_centre_id,
        ship_to_address_id=item.ship_to_address_id,
        note="",
    )
    revision.lines.append(line)
    return line


def _wanted(actor: Actor, items: Iterable[tuple[str, Decimal, str | None]]) -> list[Wanted]:
    """Check what is to be added: known, sold, in a unit of measure that it is sold in."""
    asked = list(items)
    known = find_products_by_sku(actor, [sku for sku, _quantity, _uom in asked])
    uoms = find_uoms({product.id: product.uom for product in known.values()})
    return [check_product(known.get(sku), sku, quantity, uom, uoms) for sku, quantity, uom in asked]


def check_product(
    product: Product | None,
    sku: str,
    quantity: Decimal,
    uom: str | None,
    uoms: Mapping[int, Collection[str]],
) -> Wanted:
    """Return what is wanted, if it is known, sold, and sold in that unit of measure.

    Args:
        product: What ``sku`` means, if anything.
        sku: As typed.
        quantity: Above zero.
        uom: ``None`` for the product's own.
        uoms: Product id -> units of measure that it is sold in.

    Raises:
        NoSuchProductError, BadQuantityError, ProductEndedError, ProductSucceededError,
        UnknownUomError: It is not.
    """
    if product is None:
        raise NoSuchProductError(sku=sku)
    if not (0 < quantity <= MOST_QUANTITY and decimals_of(quantity) <= QUANTITY_DECIMALS):
        raise BadQuantityError(sku=product.sku)
    if not product.is_active:
        if product.successor_sku:
            raise ProductSucceededError(sku=product.sku, successor=product.successor_sku)
        raise ProductEndedError(sku=product.sku)
    unit = uom or product.uom
    sold_in = uoms[product.id]
    if unit not in sold_in:
        raise UnknownUomError(sku=product.sku, uom=unit, uoms=", ".join(sorted(sold_in)))
    return Wanted(product, quantity, unit)


def find_uoms(own: Mapping[int, str]) -> dict[int, frozenset[str]]:
    """Return the units of measure that products are sold in: their own and the convertible ones.

    Args:
        own: Product id -> the product's own unit of measure.
    """
    found = {product_id: {uom} for product_id, uom in own.items()}
    statement = select(UomConversion).where(UomConversion.product_id.in_(sorted(own)))
    for row in db.session.scalars(statement) if own else ():
        found[row.product_id] |= {row.from_uom, row.to_uom}
    return {product_id: frozenset(uoms) for product_id, uoms in found.items()}


def add_from_quote(actor: Actor, source: str, number: str | None, now: datetime) -> Added:
    """Add the lines of another quote to a draft (default: a new one) at today's prices.

    What ended or left the catalogue is left out and named.

    Raises:
        QuoteNotFoundError: One of the quotes is not within the actor's reach.
        NotAllowedError, IllegalMoveError: See `Move`.
    """
    actor.must(Permission.QUOTE_SAVE)
    with transaction():
        lines = queries.get_revision(actor, source).lines
        known = find_products_by_sku(actor, [line.sku for line in lines])
        usable = [line for line in lines if line.sku in known and known[line.sku].is_active]
        if number is None:
            quote = _new_quote(actor, now, "", None)
            record_quote(actor, "quote.created", quote, now, source=source)
        else:
            quote = _draft_for(actor, number, now)
        wanted = [Wanted(known[line.sku], line.quantity, line.uom) for line in usable]
        _append(actor, quote, wanted, now)
    skipped = tuple(line.sku for line in lines if line not in usable)
    return Added(quote, skipped)
