"""One search box over products, quotes and orders; an exact number leads straight there."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import url_for
from sqlalchemy import ColumnElement, func, select

from portal.catalog.models import Product
from portal.catalog.queries import find_products_by_sku, visible_products
from portal.catalog.search_index import found_by
from portal.db import db
from portal.orders.models import Order
from portal.orders.queries import OrderFilter, count_by_tab, find_orders
from portal.orders.queries import visible_to as visible_orders
from portal.orders.rules import Tab as OrderTab
from portal.policy import Actor, P
from portal.quotes.models import Quote
from portal.quotes.queries import Filters, QuoteRow, count_tabs, find_quotes
from portal.quotes.queries import visible_to as visible_quotes
from portal.quotes.rules import Tab as QuoteTab

SHOWN: Final = 10
LONGEST: Final = 200
_NUMBER: Final = re.compile(r"([QO])-?(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The first hits of each kind, and how many there are in all."""

    products: Sequence[Product] = ()
    products_total: int = 0
    quotes: Sequence[QuoteRow] = ()
    quotes_total: int = 0
    orders: Sequence[Order] = ()
    orders_total: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any kind was found."""
        return not (self.products_total or self.quotes_total or self.orders_total)


def clean(text: str) -> str:
    """Return what was typed, trimmed, with full-width characters made plain, and not too long."""
    return unicodedata.normalize("NFKC", text).strip()[:LONGEST]


def find_exact(actor: Actor, text: str) -> str | None:
    """Return the address of the one thing that carries exactly this number, if it is visible."""
    return _document(actor, text) or _product(actor, text) or _purchase_order(actor, text)


def _document(actor: Actor, text: str) -> str | None:
    match = _NUMBER.fullmatch(text.upper())
    if match is None:
        return None
    number = f"{match[1]}-{int(match[2]):06d}"
    if match[1] == "Q" and actor.can(P.QUOTE_READ):
        statement = visible_quotes(actor).where(Quote.number == number)
        found = db.session.scalar(statement.with_only_columns(Quote.number))
        return url_for("quotes.detail", number=found) if found else None
    return _order(actor, Order.number == number)


def _product(actor: Actor, text: str) -> str | None:
    if not actor.can(P.CATALOG_READ):
        return None
    product = find_products_by_sku(actor, [text]).get(text)
    return url_for("catalog.detail", sku=product.sku) if product else None


def _purchase_order(actor: Actor, text: str) -> str | None:
    return _order(actor, Order.purchase_order_number == text) if text else None


def _order(actor: Actor, condition: ColumnElement[bool]) -> str | None:
    if not actor.can(P.ORDER_READ):
        return None
    statement = visible_orders(actor).where(condition).with_only_columns(Order.number).limit(2)
    numbers = db.session.scalars(statement).all()
    return url_for("orders.detail", number=numbers[0]) if len(numbers) == 1 else None


def search(actor: Actor, text: str) -> Found:
    """Return what contains ``text``, of every kind that the actor may read."""
    products, products_total = _products(actor, text)
    quotes, quotes_total = _quotes(actor, text)
    orders, orders_total = _orders(actor, text)
    return Found(
        products=products,
        products_total=products_total,
        quotes=quotes,
        quotes_total=quotes_total,
        orders=orders,
        orders_total=orders_total,
    )


def _products(actor: Actor, text: str) -> tuple[Sequence[Product], int]:
    if not actor.can(P.CATALOG_READ):
        return (), 0
    statement = visible_products(actor).where(found_by(text))
    total = db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    first = statement.order_by(Product.sku).limit(SHOWN)
    return db.session.scalars(first).all() if total else (), total


def _quotes(actor: Actor, text: str) -> tuple[Sequence[QuoteRow], int]:
    if not actor.can(P.QUOTE_READ):
        return (), 0
    total = count_tabs(actor, text)[QuoteTab.ALL]
    return find_quotes(actor, Filters(text=text), limit=SHOWN) if total else (), total


def _orders(actor: Actor, text: str) -> tuple[Sequence[Order], int]:
    if not actor.can(P.ORDER_READ):
        return (), 0
    total = count_by_tab(actor, text)[OrderTab.ALL]
    return find_orders(actor, OrderFilter(text=text), limit=SHOWN) if total else (), total
