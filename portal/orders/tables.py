"""Which columns the list of orders and its export show."""

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.orders.listing import OrderRow
from portal.orders.rules import SortBy
from portal.web.tables import Column

COLUMNS: tuple[Column[OrderRow], ...] = (
    Column(
        key="order_number",
        label=_l("Order"),
        value=lambda order: order.number,
        sort=SortBy.NUMBER,
        url=lambda order: url_for("orders.detail", number=order.number),
    ),
    Column(
        key="purchase_order_number",
        label=_l("Purchase order"),
        value=lambda order: order.purchase_order_number,
        sort=SortBy.PURCHASE_ORDER,
    ),
    Column(key="quote_number", label=_l("Quote"), value=lambda order: order.quote_number),
    Column(
        key="status",
        label=_l("Status"),
        value=lambda order: _(order.status.label),
        sort=SortBy.STATUS,
    ),
    Column(
        key="placed_at",
        label=_l("Placed"),
        value=lambda order: order.placed_at,
        kind="instant",
        sort=SortBy.PLACED,
    ),
    Column(
        key="promised_on",
        label=_l("Promised"),
        value=lambda order: order.due_on,
        kind="day",
    ),
    Column(
        key="net_total",
        label=_l("Net total"),
        value=lambda order: order.net_total,
        kind="money",
        currency=lambda order: order.currency,
        sort=SortBy.TOTAL,
    ),
)

SUPPLIER_COLUMNS: tuple[Column[OrderRow], ...] = (
    COLUMNS[0],
    Column(key="account", label=_l("Account"), value=lambda order: order.account_name),
    *COLUMNS[1:],
)
