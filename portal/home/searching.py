"""One search box over products, quotes, orders, assets and cases; an exact number leads there."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from portal.catalog.models import Product
from portal.catalog.queries import visible_products
from portal.catalog.search_index import found_by
from portal.db import db
from portal.home.finding import find_exact
from portal.orders.history.models import PastOrder
from portal.orders.history.queries import PastFilter, count_past_orders, find_past_orders
from portal.orders.listing import search_orders
from portal.orders.models import Order
from portal.policy import Actor, P
from portal.quotes.queries import Filters, QuoteRow, count_tabs, find_quotes
from portal.quotes.rules import Tab as QuoteTab
from portal.service.assets.models import Asset
from portal.service.assets.queries import AssetFilter, find_assets, today
from portal.service.assets.queries import count_by_tab as count_assets
from portal.service.assets.rules import Tab as AssetTab
from portal.service.cases.models import Case
from portal.service.cases.queries import CaseFilter, find_cases
from portal.service.cases.queries import count_by_tab as count_cases
from portal.service.cases.rules import Tab as CaseTab

__all__ = ["Found", "clean", "find_exact", "search"]

SHOWN: Final = 10
LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The first hits of each kind, and how many there are in all."""

    products: Sequence[Product] = ()
    products_total: int = 0
    quotes: Sequence[QuoteRow] = ()
    quotes_total: int = 0
    orders: Sequence[Order] = ()
    orders_total: int = 0
    past_orders: Sequence[PastOrder] = ()
    past_orders_total: int = 0
    assets: Sequence[Asset] = ()
    assets_total: int = 0
    cases: Sequence[Case] = ()
    cases_total: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any kind was found."""
        return not (
            self.products_total
            or self.quotes_total
            or self.orders_total
            or self.past_orders_total
            or self.assets_total
            or self.cases_total
        )


def clean(text: str) -> str:
    """Return what was typed, trimmed, with full-width characters made plain, and not too long."""
    return unicodedata.normalize("NFKC", text).strip()[:LONGEST]


def search(actor: Actor, text: str, now: datetime) -> Found:
    """Return what contains ``text``, of every kind that the actor may read."""
    products, products_total = _products(actor, text)
    quotes, quotes_total = _quotes(actor, text)
    orders, orders_total = _orders(actor, text)
    past_orders, past_orders_total = _past_orders(actor, text)
    assets, assets_total = _assets(actor, text, now)
    cases, cases_total = _cases(actor, text)
    return Found(
        products=products,
        products_total=products_total,
        quotes=quotes,
        quotes_total=quotes_total,
        orders=orders,
        orders_total=orders_total,
        past_orders=past_orders,
        past_orders_total=past_orders_total,
        assets=assets,
        assets_total=assets_total,
        cases=cases,
        cases_total=cases_total,
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
    return search_orders(actor, text, limit=SHOWN)


def _past_orders(actor: Actor, text: str) -> tuple[Sequence[PastOrder], int]:
    if not actor.can(P.ORDER_READ):
        return (), 0
    wanted = PastFilter(text=text)
    total = count_past_orders(actor, wanted)
    return find_past_orders(actor, wanted, limit=SHOWN) if total else (), total


def _assets(actor: Actor, text: str, now: datetime) -> tuple[Sequence[Asset], int]:
    if not actor.can(P.ASSET_READ):
        return (), 0
    wanted, day = AssetFilter(text=text), today(now)
    total = count_assets(actor, wanted, on=day)[AssetTab.ALL]
    return find_assets(actor, wanted, on=day, limit=SHOWN) if total else (), total


def _cases(actor: Actor, text: str) -> tuple[Sequence[Case], int]:
    if not actor.can(P.CASE_READ):
        return (), 0
    wanted = CaseFilter(tab=CaseTab.ALL, text=text)
    total = count_cases(actor, wanted)[CaseTab.ALL]
    return find_cases(actor, wanted, limit=SHOWN) if total else (), total
