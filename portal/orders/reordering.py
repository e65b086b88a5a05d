"""Ordering again: an earlier order's lines at today's prices, with what changed and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from portal.accounts.models import Account
from portal.catalog.models import Product
from portal.catalog.pricing.queries import PriceQuestion, buyer_of, resolve_document
from portal.catalog.pricing.rules import Resolution
from portal.catalog.queries import find_products_by_sku
from portal.catalog.rules import check_quantity
from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import Availability
from portal.db import db, lock, transaction
from portal.errors import N_, ConflictError, DomainError, InvalidError
from portal.events.actions import record
from portal.policy import Actor, Permission
from portal.quotes import queries as quotes
from portal.quotes.actions import add_lines, create_quote
from portal.quotes.adding import check_product, find_uoms
from portal.quotes.models import Quote

PAST: Final = "past-order"


class NothingToReorderError(InvalidError):
    """No line was chosen."""

    message = N_("Choose at least one line that is sold today.")


class DraftChangedError(ConflictError):
    """The draft is not the one that the page showed: the form may have been sent before."""

    message = N_(
        "{number} changed since this page was opened. Look at it, then add what is missing."
    )


@dataclass(frozen=True, slots=True)
class OldLine:
    """A line as it was ordered; prices in the order's currency."""

    position: int
    sku: str
    name: str
    quantity: Decimal
    uom: str
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Source:
    """An earlier order of this portal, or of another system."""

    kind: str
    id: int
    number: str
    account_id: int
    currency: str
    lines: tuple[OldLine, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A line today: what it would cost, and what became of the product.

    ``product`` is the one that is sold now: the old one, or its successor (``replaces`` is then
    the old SKU). ``problem`` is why it can't be ordered in this quantity.
    """

    old: OldLine
    quantity: Decimal
    is_chosen: bool
    product: Product | None = None
    uom: str = ""
    resolution: Resolution | None = None
    availability: Availability | None = None
    replaces: str = ""
    problem: DomainError | None = None

    @property
    def unit_price(self) -> Decimal | None:
        """Today's price of one unit, where there is one."""
        return self.resolution.unit_price if self.resolution else None

    @property
    def can_compare(self) -> bool:
        """Whether the two prices are of the same thing."""
        return self.unit_price is not None and not self.replaces and self.uom == self.old.uom

    @property
    def change(self) -> Decimal | None:
        """By how much a unit costs more than it did; below zero is less."""
        if self.unit_price is None or not self.can_compare:
            return None
        return self.unit_price - self.old.unit_price

    @property
    def can_order(self) -> bool:
        """Whether the line can go into a quote."""
        return self.product is not None and self.problem is None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is typed for one line."""

    quantity: Decimal
    is_chosen: bool = True


def offer_again(
    actor: Actor, source: Source, at: datetime, wishes: Mapping[int, Wish] | None = None
) -> list[Offer]:
    """Return each line of an order as it stands today, in a constant number of statements.

    Args:
        wishes: Position -> quantity, by default what was ordered of everything still sold.
    """
    products = _today(actor, (line.sku for line in source.lines))
    uoms = find_uoms({product.id: product.uom for product, _old in products.values()})
    drafts: list[tuple[OldLine, Wish, Product | None, str]] = []
    for line in source.lines:
        product, replaces = products.get(line.sku, (None, ""))
        wish = (wishes or {}).get(line.position)
        if wish is None:
            is_plain = product is not None and product.is_active and not replaces
            wish = Wish(line.quantity, is_plain if wishes is None else False)
        drafts.append((line, wish, product, replaces))
    return _priced(actor, at, drafts, uoms)


def _today(actor: Actor, skus: Iterable[str]) -> dict[str, tuple[Product, str]]:
    """Return by old SKU the product that is sold now, and the SKU that it replaces."""
    wanted = list(skus)
    found = find_products_by_sku(actor, wanted)
    heirs = {
        product.successor_sku
        for product in found.values()
        if not product.is_active and product.successor_sku
    }
    successors = find_products_by_sku(actor, heirs) if heirs else {}
    answer: dict[str, tuple[Product, str]] = {}
    for sku, product in found.items():
        heir = successors.get(product.successor_sku or "") if not product.is_active else None
        is_sold = heir is not None and heir.is_active
        answer[sku] = (heir, sku) if heir is not None and is_sold else (product, "")
    return answer


def _priced(
    actor: Actor,
    at: datetime,
    drafts: Sequence[tuple[OldLine, Wish, Product | None, str]],
    uoms: Mapping[int, frozenset[str]],
) -> list[Offer]:
    units = {
        line.position: line.uom if line.uom in uoms[product.id] else product.uom
        for line, _wish, product, _replaces in drafts
        if product is not None
    }
    questions = {
        line.position: PriceQuestion(product, wish.quantity, units[line.position])
        for line, wish, product, _replaces in drafts
        if product is not None and product.is_active and wish.quantity > 0
    }
    resolutions = dict(
        zip(
            questions,
            resolve_document(buyer_of(actor), list(questions.values()), at),
            strict=True,
        )
    )
    stock = find_availability({question.product.id for question in questions.values()})
    return [
        Offer(
            old=line,
            quantity=wish.quantity,
            is_chosen=wish.is_chosen and product is not None and product.is_active,
            product=product,
            uom=units.get(line.position, line.uom),
            resolution=resolutions.get(line.position),
            availability=stock.get(product.id) if product else None,
            replaces=replaces,
            problem=_problem(line, wish, product, units.get(line.position, line.uom), uoms),
        )
        for line, wish, product, replaces in drafts
    ]


def _problem(
    line: OldLine,
    wish: Wish,
    product: Product | None,
    uom: str,
    uoms: Mapping[int, frozenset[str]],
) -> DomainError | None:
    try:
        check_product(product, line.sku, wish.quantity, uom, uoms)
    except InvalidError as refusal:
        return refusal
    own_unit = product is not None and uom == product.uom
    return check_quantity(product, wish.quantity) if product is not None and own_unit else None


def reorder(  # noqa: PLR0913 - what the form says, all named at the call
    actor: Actor,
    source: Source,
    items: Sequence[tuple[str, Decimal, str | None]],
    *,
    draft: tuple[str, int] | None,
    title: str,
    key: str,
    now: datetime,
) -> Quote:
    """Put lines of an earlier order into a draft quote at today's prices.

    Args:
        items: SKU, quantity and unit of measure of the chosen lines.
        draft: Number and version of the draft as the page showed it; ``None`` makes a new one.
        title: Of a new draft.
        key: One per form; a new draft is made once for it.

    Raises:
        NotAllowedError: The actor can't save quotes.
        NothingToReorderError: Nothing was chosen.
        DraftChangedError: The draft is not the one that was shown.
        QuoteNotFoundError, IllegalMoveError, InvalidError: See `portal.quotes.actions.add_lines`.
    """
    actor.must(Permission.QUOTE_SAVE)
    if not items:
        raise NothingToReorderError
    with transaction():
        db.session.execute(lock(select(Account.id).where(Account.id == actor.account_id)))
        reference = f"{source.number} {key[:12]}"[-64:]
        if draft is None:
            known = quotes.find_by_reference(actor.account_id, [reference]).get(reference)
            if known is not None:
                return quotes.get_quote(actor, known)
            quote = create_quote(actor, now, title=title)
            quote.reference = reference
        else:
            quote = quotes.get_quote(actor, draft[0], lock=True)
            if quote.version != draft[1]:
                raise DraftChangedError(number=quote.number)
        quote = add_lines(actor, quote.number, items, now)
        record(
            actor,
            "order.reordered",
            kind=source.kind,
            object_id=source.id,
            number=source.number,
            account_id=source.account_id,
            now=now,
            quote=quote.number,
            lines=len(items),
        )
    return quote
