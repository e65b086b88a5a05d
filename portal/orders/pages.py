"""What the pages of orders show, as plain data for their templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.orders import queries
from portal.orders.drafting import freight_left, least_of, preview_order
from portal.orders.forms import TermsForm
from portal.orders.history.queries import PastFilter, count_past_orders
from portal.orders.listing import OrderFilter
from portal.orders.models import Order
from portal.orders.rules import TAB_STATES, UNSENT, LedgerLine, Move, Tab
from portal.orders.settling import ledger_of
from portal.policy import Actor
from portal.quotes.models import Quote, QuoteLine
from portal.quotes.rules import MOST_QUANTITY, QUANTITY_DECIMALS
from portal.web.addresses import url_with
from portal.web.numbers import NotANumberError, decimals_of, parse_number

MOST_TEXT = 64


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed as quantities: texts to show again, values, and errors by line id."""

    texts: Mapping[int, str] = field(default_factory=dict)
    quantities: dict[int, Decimal] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConversionLine:
    """One line of the check page; ``text`` is what stands in its quantity field."""

    line: QuoteLine
    ledger: LedgerLine
    text: str
    least: Decimal
    error: str = ""


@dataclass(frozen=True, slots=True)
class ConversionPage:
    """The check page between an approved quote and its order; ``freight`` is that of the order.

    ``order`` is what the quantities of the page come to, where they come to anything.
    """

    quote: Quote
    lines: list[ConversionLine]
    freight: Decimal
    needs_number: bool
    order: Order | None


def filter_of(args: Mapping[str, str], now: datetime) -> OrderFilter:
    """Read a list's filter from the address; nonsense is the default."""
    asked = args.get("view", "")
    tab = Tab(asked) if asked in set(Tab) else Tab.ALL
    return OrderFilter(tab, args.get("q", "").strip()[:MOST_TEXT], now)


def views_of(
    actor: Actor, wanted: OrderFilter, counts: Mapping[Tab, int]
) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the list: label, address, whether it is shown, exact count.

    Where orders of an earlier system match, the last tab leads to them.
    """
    tabs = [
        (_(tab.label), url_with(view=tab.value, page=None), tab is wanted.tab, counts[tab])
        for tab in Tab
        if not (actor.is_supplier and TAB_STATES[tab] <= UNSENT)
    ]
    imported = count_past_orders(actor, PastFilter(wanted.text))
    if imported:
        url = url_for("past_orders.index", q=wanted.text or None)
        tabs.append((_("Imported"), url, False, imported))
    return tabs


def status_of(form: TermsForm) -> int:
    """Return 200 for a form without errors, 422 for one with."""
    return 422 if form.errors or form.form_errors else 200


def show_conversion(actor: Actor, quote: Quote, typed: Typed | None = None) -> ConversionPage:
    """Return the check page of a quote, with everything open filled in where nothing was typed."""
    actor.must_reach(
        Move.PLACE.permission,
        account_id=quote.account_id,
        unit_id=quote.unit_id,
        owner_id=quote.membership_id,
    )
    ledger = ledger_of(quote)
    lines = [_line(line, ledger[line.line_id], typed) for line in quote.current.lines]
    wishes = {key: item.open for key, item in ledger.items()}
    if typed is not None:
        wishes = dict(typed.quantities)
    return ConversionPage(
        quote=quote,
        lines=lines,
        freight=freight_left(quote, quote.current),
        needs_number=queries.needs_purchase_order_number(quote.account_id),
        order=preview_order(quote, wishes),
    )


def _line(line: QuoteLine, ledger: LedgerLine, typed: Typed | None) -> ConversionLine:
    text = f"{ledger.open.normalize():f}"
    if typed is not None:
        text = typed.texts.get(line.line_id, text)
    error = typed.errors.get(line.line_id, "") if typed else ""
    return ConversionLine(line, ledger, text, least_of(line), error)


def read_quantities(form: Mapping[str, Any]) -> Typed:
    """Read the quantity fields (``quantity-LINE``) of the check page; empty means none."""
    texts: dict[int, str] = {}
    quantities: dict[int, Decimal] = {}
    errors: dict[int, str] = {}
    for name, value in form.items():
        key = name.removeprefix("quantity-")
        if key == name or not (key.isascii() and key.isdigit()) or len(key) > 9:  # noqa: PLR2004
            continue
        line_id, text = int(key), str(value).strip()
        texts[line_id] = text
        if not text:
            continue
        try:
            quantity = parse_number(text)
        except NotANumberError:
            errors[line_id] = _("“%(text)s” is not a number.", text=text[:40])
            continue
        if quantity > MOST_QUANTITY:
            errors[line_id] = _("This quantity is too large.")
        elif quantity < 0 or decimals_of(quantity) > QUANTITY_DECIMALS:
            errors[line_id] = _("Enter a quantity of zero or more with at most three decimals.")
        elif quantity:
            quantities[line_id] = quantity
    return Typed(texts, quantities, errors)
