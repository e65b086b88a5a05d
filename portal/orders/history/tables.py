"""Which columns the list of imported orders and its export show."""

from flask import url_for
from flask_babel import lazy_gettext as _l

from portal.orders.history.models import PastOrder
from portal.orders.history.rules import SortBy
from portal.web.tables import Column

COLUMNS: tuple[Column[PastOrder], ...] = (
    Column(
        key="order_number",
        label=_l("Order"),
        value=lambda order: order.number,
        sort=SortBy.NUMBER,
        url=lambda order: url_for("past_orders.detail", number=order.number),
    ),
    Column(
        key="purchase_order_number",
        label=_l("Purchase order"),
        value=lambda order: order.purchase_order_number,
        sort=SortBy.PURCHASE_ORDER,
    ),
    Column(
        key="status",
        label=_l("Status"),
        value=lambda order: order.status,
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
        key="person",
        label=_l("Ordered by"),
        value=lambda order: order.person_email,
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

SUPPLIER_COLUMNS: tuple[Column[PastOrder], ...] = (
    Column(
        key="order_number",
        label=_l("Order"),
        value=lambda order: order.number,
        sort=SortBy.NUMBER,
        url=lambda order: url_for(
            "past_orders.detail", number=order.number, account=order.account.code
        ),
    ),
    Column(key="account", label=_l("Account"), value=lambda order: order.account.name),
    *COLUMNS[1:],
)
