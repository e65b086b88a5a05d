"""Pages of ordering again: old price, new price and why, then a draft quote."""
# ruff: noqa: D103 - a view is said by its address

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.catalog.pricing.lookups import supplier_zone
from portal.catalog.pricing.words import explain
from portal.errors import ConflictError, InvalidError
from portal.orders import queries
from portal.orders.history.models import PastOrder
from portal.orders.history.queries import get_past_order
from portal.orders.models import Order
from portal.orders.reordering import PAST, Offer, OldLine, Source, Wish, offer_again, reorder
from portal.orders.rules import KIND
from portal.policy import P
from portal.quotes import queries as quotes
from portal.quotes.rules import MOST_QUANTITY, QUANTITY_DECIMALS
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.formats import refusal
from portal.web.numbers import NotANumberError, decimals_of, parse_number

bp = Blueprint("reordering", __name__)


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form says: quantities and marks by position, texts to show again, errors."""

    wishes: dict[int, Wish]
    texts: Mapping[int, str] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)


@bp.get("/orders/<number>/reorder")
@requires(P.QUOTE_SAVE)
def own(number: str) -> ResponseReturnValue:
    order = queries.get_order(current_actor(), number)
    return _show(_of_order(order), url_for("orders.detail", number=order.number))


@bp.post("/orders/<number>/reorder")
@requires(P.QUOTE_SAVE)
def own_again(number: str) -> ResponseReturnValue:
    order = queries.get_order(current_actor(), number)
    return _take(_of_order(order), url_for("orders.detail", number=order.number))


@bp.get("/orders/past/<path:number>/reorder")
@requires(P.QUOTE_SAVE)
def past(number: str) -> ResponseReturnValue:
    order = get_past_order(current_actor(), number)
    return _show(_of_past(order), url_for("past_orders.detail", number=order.number))


@bp.post("/orders/past/<path:number>/reorder")
@requires(P.QUOTE_SAVE)
def past_again(number: str) -> ResponseReturnValue:
    order = get_past_order(current_actor(), number)
    return _take(_of_past(order), url_for("past_orders.detail", number=order.number))


def _of_order(order: Order) -> Source:
    lines = tuple(
        OldLine(line.position, line.sku, line.name, line.quantity, line.uom, line.unit_price)
        for line in order.lines
    )
    return Source(KIND, order.id, order.number, order.account_id, order.currency, lines)


def _of_past(order: PastOrder) -> Source:
    lines = tuple(
        OldLine(line.position, line.sku, line.name, line.quantity, line.uom, line.unit_price)
        for line in order.lines
    )
    return Source(PAST, order.id, order.number, order.account_id, order.currency, lines)


def _show(
    source: Source,
    back: str,
    typed: Typed | None = None,
    errors: list[str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """Show an order's lines as they stand today, and what was typed for them."""
    actor = current_actor()
    offers = offer_again(actor, source, now(), typed.wishes if typed else None)
    draft = quotes.current_draft(actor)
    zone = supplier_zone()
    return (
        render_template(
            "orders/reorder.html",
            source=source,
            back=back,
            offers=offers,
            typed=typed,
            errors=errors or [],
            whys={o.old.position: explain(o.resolution, zone) for o in offers if o.resolution},
            currency=actor.currency,
            total=_total(offers),
            draft=quotes.get_quote(actor, draft.number) if draft else None,
            chosen_draft=request.form.get("draft"),
            key=request.form.get("key") or secrets.token_urlsafe(24),
        ),
        status,
    )


def _total(offers: list[Offer]) -> Decimal:
    totals = (
        offer.resolution.line_total
        for offer in offers
        if offer.is_chosen and offer.resolution is not None
    )
    return sum((total for total in totals if total is not None), Decimal(0))


def _take(source: Source, back: str) -> ResponseReturnValue:
    """Check the typed quantities again, or put the chosen lines into a draft."""
    typed, actor = _read(source, request.form), current_actor()
    if typed.errors or request.form.get("do") != "add":
        return _show(source, back, typed, status=422 if typed.errors else 200)
    chosen = [offer for offer in offer_again(actor, source, now(), typed.wishes) if offer.is_chosen]
    wrong = [offer.problem for offer in chosen if offer.problem is not None]
    if wrong:
        return _show(source, back, typed, [refusal(problem) for problem in wrong], 422)
    items = [(o.product.sku, o.quantity, o.uom) for o in chosen if o.product is not None]
    try:
        quote = reorder(
            actor,
            source,
            items,
            draft=_draft(request.form.get("draft", "")),
            title=_("Reorder of %(number)s", number=source.number)[:200],
            key=request.form.get("key", ""),
            now=now(),
        )
    except (InvalidError, ConflictError) as refused:
        return _show(source, back, typed, [refusal(refused)], 422)
    flash(_("The lines are in %(number)s at today's prices.", number=quote.number), "success")
    return redirect(url_for("quotes.detail", number=quote.number), code=303)


def _draft(text: str) -> tuple[str, int] | None:
    """Read the draft that was chosen: its number and the version that was shown."""
    number, _colon, version = text.partition(":")
    if not (version.isascii() and version.isdigit() and len(version) < 10):  # noqa: PLR2004 - a version's digits
        return None
    return number, int(version)


def _read(source: Source, form: Mapping[str, Any]) -> Typed:
    """Read quantity and mark of each line of the order; other fields are of no interest."""
    wishes: dict[int, Wish] = {}
    texts: dict[int, str] = {}
    errors: dict[int, str] = {}
    for line in source.lines:
        text = str(form.get(f"quantity-{line.position}", "")).strip()
        is_chosen = form.get(f"take-{line.position}") == "1"
        texts[line.position] = text
        quantity = _number(text)
        if quantity is None and (is_chosen or text):
            errors[line.position] = _("“%(text)s” is not a number.", text=text[:40])
        elif is_chosen and not quantity:
            errors[line.position] = _("Enter a quantity above 0.")
        wishes[line.position] = Wish(quantity or line.quantity, is_chosen)
    return Typed(wishes, texts, errors)


def _number(text: str) -> Decimal | None:
    try:
        value = parse_number(text)
    except NotANumberError:
        return None
    is_fit = 0 <= value <= MOST_QUANTITY and decimals_of(value) <= QUANTITY_DECIMALS
    return value if is_fit else None
