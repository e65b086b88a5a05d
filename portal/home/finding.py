"""The exact way of the search box: a number, serial or tag that only one thing carries."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import url_for
from sqlalchemy import ColumnElement, or_, select

from portal.accounts.models import Account
from portal.catalog.queries import find_products_by_sku
from portal.db import db
from portal.orders.fulfilment import Shipment, ShipmentLine, ShipmentSerial
from portal.orders.history.models import PastOrder
from portal.orders.history.queries import visible_to as visible_past
from portal.orders.models import Order
from portal.orders.queries import visible_to as visible_orders
from portal.policy import Actor, P
from portal.quotes.models import Quote
from portal.quotes.queries import visible_to as visible_quotes
from portal.service.assets.models import Asset
from portal.service.assets.queries import visible_to as visible_assets
from portal.service.assets.rules import tag_key
from portal.service.cases.models import Case
from portal.service.cases.queries import visible_to as visible_cases
from portal.service.knowledge.models import Article
from portal.service.knowledge.queries import visible_to as visible_articles
from portal.service.repairs.models import Repair
from portal.service.repairs.queries import visible_to as visible_repairs

_NUMBER: Final = re.compile(r"([QOCSRK])-?(\d{1,9})")


def find_exact(actor: Actor, text: str) -> str | None:
    """Return the address of the one thing that carries exactly this number, if it is visible.

    Documents of this portal go first, then products, then purchase orders and orders of an earlier
    system, then service tags, serial and tracking numbers.
    """
    for step in _STEPS:
        found = step(actor, text)
        if found:
            return found
    return None


def _document(actor: Actor, text: str) -> str | None:
    match = _NUMBER.fullmatch(text.upper())
    if match is None:
        return None
    number = f"{match[1]}-{int(match[2]):06d}"
    return _DOCUMENTS[match[1]](actor, number)


def _quote(actor: Actor, number: str) -> str | None:
    if not actor.can(P.QUOTE_READ):
        return None
    statement = visible_quotes(actor).where(Quote.number == number)
    found = db.session.scalar(statement.with_only_columns(Quote.number))
    return url_for("quotes.detail", number=found) if found else None


def _order(actor: Actor, number: str) -> str | None:
    return _one_order(actor, Order.number == number)


def _case(actor: Actor, number: str) -> str | None:
    if not actor.can(P.CASE_READ):
        return None
    statement = visible_cases(actor).where(Case.number == number)
    found = db.session.scalar(statement.with_only_columns(Case.number))
    return url_for("cases.detail", number=found) if found else None


def _repair(actor: Actor, number: str) -> str | None:
    """Return the case whose page shows this repair."""
    if not actor.can(P.CASE_READ):
        return None
    statement = visible_repairs(actor).where(Repair.number == number)
    found = db.session.scalar(statement.with_only_columns(Case.number))
    return url_for("cases.detail", number=found, _anchor="repair") if found else None


def _article(actor: Actor, number: str) -> str | None:
    statement = visible_articles(actor).where(Article.number == number)
    found = db.session.scalar(statement.with_only_columns(Article.number))
    return url_for("articles.detail", number=found) if found else None


def _shipment(actor: Actor, number: str) -> str | None:
    return _one_order(
        actor, Order.id.in_(select(Shipment.order_id).where(Shipment.number == number))
    )


def _product(actor: Actor, text: str) -> str | None:
    if not actor.can(P.CATALOG_READ):
        return None
    product = find_products_by_sku(actor, [text]).get(text)
    return url_for("catalog.detail", sku=product.sku) if product else None


def _purchase_order(actor: Actor, text: str) -> str | None:
    """Return the one order, of this portal or an earlier one, with this purchase order number."""
    if not actor.can(P.ORDER_READ):
        return None
    past = _past_orders(
        actor, or_(PastOrder.purchase_order_number == text, PastOrder.number == text)
    )
    own = _orders(actor, Order.purchase_order_number == text)
    found = [*own, *past]
    return found[0] if len(found) == 1 else None


def _asset(actor: Actor, text: str) -> str | None:
    if not actor.can(P.ASSET_READ):
        return None
    statement = visible_assets(actor).where(Asset.tag_key == tag_key(text))
    rows = db.session.execute(
        statement.join(Account, Account.id == Asset.account_id)
        .with_only_columns(Asset.service_tag, Account.code)
        .limit(2)
    ).all()
    if len(rows) != 1:
        return None
    tag, account = rows[0]
    return url_for("assets.detail", tag=tag, account=account if actor.is_supplier else None)


def _shipped(actor: Actor, text: str) -> str | None:
    """Return the one order of which a piece with this serial or tracking number was shipped."""
    serials = (
        select(Shipment.order_id)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(ShipmentSerial, ShipmentSerial.shipment_line_id == ShipmentLine.id)
        .where(ShipmentSerial.serial_number.in_([text, text.upper()]))
    )
    tracked = select(Shipment.order_id).where(Shipment.tracking_number.in_([text, text.upper()]))
    return _one_order(actor, or_(Order.id.in_(serials), Order.id.in_(tracked)))


def _one_order(actor: Actor, condition: ColumnElement[bool]) -> str | None:
    if not actor.can(P.ORDER_READ):
        return None
    found = _orders(actor, condition)
    return found[0] if len(found) == 1 else None


def _orders(actor: Actor, condition: ColumnElement[bool]) -> list[str]:
    statement = visible_orders(actor).where(condition).with_only_columns(Order.number).limit(2)
    return [url_for("orders.detail", number=number) for number in db.session.scalars(statement)]


def _past_orders(actor: Actor, condition: ColumnElement[bool]) -> list[str]:
    statement = (
        visible_past(actor)
        .where(condition)
        .join(Account, Account.id == PastOrder.account_id)
        .with_only_columns(PastOrder.number, Account.code)
        .limit(2)
    )
    return [
        url_for("past_orders.detail", number=number, account=account if actor.is_supplier else None)
        for number, account in db.session.execute(statement)
    ]


_DOCUMENTS: Final[Mapping[str, Callable[[Actor, str], str | None]]] = {
    "Q": _quote,
    "O": _order,
    "C": _case,
    "S": _shipment,
    "R": _repair,
    "K": _article,
}
"""With what a number begins -> who finds it."""
_STEPS: Final[Sequence[Callable[[Actor, str], str | None]]] = (
    _document,
    _product,
    _purchase_order,
    _asset,
    _shipped,
)
