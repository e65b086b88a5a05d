"""Reports of what is to come: open and late lines, delivery on time, and the desk's backlog."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select

from portal.accounts.models import Account, Membership
from portal.catalog.models import Product
from portal.db import db
from portal.money import line_amount
from portal.orders.models import Order, OrderLine
from portal.orders.progress import due_of, is_late
from portal.orders.queries import visible_to
from portal.orders.rules import SENT, TO_SHIP, UNANSWERED, OrderStatus
from portal.policy import Actor, P, Permission
from portal.reports import figures as f
from portal.reports.asking import Askable, By, Wanted
from portal.reports.converting import Converter
from portal.reports.facts import Fact, group, in_group, passing, window_around
from portal.reports.marking import OF_ORDERS, Belongs, Marker
from portal.reports.naming import Name
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.web.tables import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A line of which something has still to leave."""

    order: str
    account: str
    purchase_order_number: str
    placed_at: datetime
    status: OrderStatus
    sku: str
    name: str
    quantity: Decimal
    value: Decimal
    converted: Decimal | None
    currency: str
    due_on: date | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredLine:
    """A line that arrived whole and had been promised."""

    order: str
    account: str
    purchase_order_number: str
    sku: str
    name: str
    quantity: Decimal
    promised_on: date
    delivered_on: date

    @property
    def is_on_time(self) -> bool:
        """Whether the last of it came by the day promised first."""
        return self.delivered_on <= self.promised_on

    @property
    def days_late(self) -> int:
        """Days after the promised day; 0 for a line on time."""
        return max((self.delivered_on - self.promised_on).days, 0)


def _lines(
    actor: Actor, permission: Permission
) -> Select[Order, OrderLine, str, str, int, Product]:
    return (
        visible_to(actor, permission)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Account, Account.id == Order.account_id)
        .join(Membership, Membership.id == Order.membership_id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.quantity > OrderLine.cancelled)
        .with_only_columns(
            Order, OrderLine, Account.code, Account.time_zone, Membership.person_id, Product
        )
        .order_by(Order.id, OrderLine.position)
    )


def _belongs(order: Order, line: OrderLine, person_id: int, product: Product) -> Belongs:
    return Belongs(
        account_id=order.account_id,
        unit_id=order.unit_id,
        person_id=person_id,
        category_id=product.category_id,
        sku=line.sku,
        further={
            By.STATUS: Name(order.status.value, _(order.status.label)),
            By.COST_CENTRE: Name(line.cost_centre, line.cost_centre)
            if line.cost_centre
            else Name("-", _("(none)")),
        },
    )


def _at(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone)


def find_open(
    actor: Actor, wanted: Wanted, permission: Permission, converter: Converter
) -> list[Fact[OpenLine]]:
    """Return the lines of which something has still to leave, as they stand today."""
    states = TO_SHIP if permission is P.ORDER_REPORT_READ else TO_SHIP | UNANSWERED
    statement = _lines(actor, permission).where(
        Order.status.in_(sorted(states)),
        OrderLine.quantity - OrderLine.cancelled > OrderLine.shipped,
    )
    found = db.session.execute(statement).all()
    belongs = [_belongs(order, line, who, product) for order, line, _c, _z, who, product in found]
    marker = Marker(belongs)
    facts = []
    for row, own in zip(found, belongs, strict=True):
        order, line, account, zone, _who, _product = row
        due = due_of(line.counts)
        value = line_amount(line.unit_price, line.to_ship, order.currency)
        what = OpenLine(
            order=order.number,
            account=account,
            purchase_order_number=order.purchase_order_number,
            placed_at=order.placed_at or wanted.now,
            status=order.status,
            sku=line.sku,
            name=line.name,
            quantity=line.to_ship,
            value=value,
            converted=converter.convert(value, order.currency),
            currency=order.currency,
            due_on=due,
            is_late=order.status in TO_SHIP
            and is_late(line.counts, wanted.now.astimezone(ZoneInfo(zone)).date()),
        )
        facts.append(Fact(_at(due, wanted.window.zone), marker.marks(own), what))
    return passing(facts, wanted)


def find_delivered(
    actor: Actor, wanted: Wanted, permission: Permission
) -> list[Fact[DeliveredLine]]:
    """Return the promised lines whose last piece arrived in the period."""
    statement = _lines(actor, permission).where(
        Order.status.in_(sorted(SENT)),
        OrderLine.delivered == OrderLine.quantity - OrderLine.cancelled,
        OrderLine.delivered_on >= wanted.window.first,
        OrderLine.delivered_on < wanted.window.after,
        OrderLine.first_promised_on.is_not(None),
    )
    found = db.session.execute(statement).all()
    belongs = [_belongs(order, line, who, product) for order, line, _c, _z, who, product in found]
    marker = Marker(belongs)
    facts = [
        Fact(
            _at(line.delivered_on, wanted.window.zone),
            marker.marks(own),
            DeliveredLine(
                order=order.number,
                account=account,
                purchase_order_number=order.purchase_order_number,
                sku=line.sku,
                name=line.name,
                quantity=line.delivered,
                promised_on=line.first_promised_on or date.max,
                delivered_on=line.delivered_on or date.min,
            ),
        )
        for (order, line, account, _zone, _who, _product), own in zip(found, belongs, strict=True)
    ]
    return passing(facts, wanted)


def measure_open(lines: Sequence[OpenLine]) -> dict[str, Any]:
    """Return the figures of open lines."""
    late = [line for line in lines if line.is_late]
    return {
        f.OPEN_LINES.key: len(lines),
        f.LATE_LINES.key: len(late),
        f.OPEN_VALUE.key: _value(lines),
        f.LATE_VALUE.key: _value(late),
    }


def _value(lines: Sequence[OpenLine]) -> Decimal:
    return sum((line.converted for line in lines if line.converted is not None), f.NONE)


def measure_backlog(today: date, zone: ZoneInfo) -> Callable[[Sequence[OpenLine]], dict[str, Any]]:
    """Return what works out the figures of the backlog on a day."""

    def measure(lines: Sequence[OpenLine]) -> dict[str, Any]:
        ages = [(today - line.placed_at.astimezone(zone).date()).days for line in lines]
        return {
            f.WAITING_ORDERS.key: len({line.order for line in lines}),
            f.OPEN_LINES.key: len(lines),
            f.OPEN_VALUE.key: _value(lines),
            f.LATE_LINES.key: sum(line.is_late for line in lines),
            f.OLDEST.key: max(ages, default=None),
        }

    return measure


def measure_delivered(lines: Sequence[DeliveredLine]) -> dict[str, Any]:
    """Return the figures of delivered lines."""
    on_time = sum(line.is_on_time for line in lines)
    late = [Decimal(line.days_late) for line in lines if not line.is_on_time]
    return {
        f.DELIVERED.key: len(lines),
        f.ON_TIME.key: on_time,
        f.ON_TIME_SHARE.key: f.share(on_time, len(lines)),
        f.DAYS_LATE.key: f.average(late),
    }


def _work_open(actor: Actor, wanted: Wanted) -> Worked:
    converter = Converter(wanted)
    facts = find_open(actor, wanted, P.ORDER_REPORT_READ, converter)
    rows = group(facts, wanted, window_around(facts, wanted.window), measure_open)
    if wanted.by.step is None:
        rows.sort(key=lambda row: (-row.values["late_lines"], -row.values["open_value"], row.label))
    return Worked(
        figures=(f.OPEN_LINES, f.LATE_LINES, f.OPEN_VALUE, f.LATE_VALUE),
        rows=rows,
        totals=measure_open([fact.what for fact in facts]),
        notes=converter.notes,
        charted=(f.OPEN_VALUE, f.LATE_VALUE),
    )


def _work_backlog(actor: Actor, wanted: Wanted) -> Worked:
    converter = Converter(wanted)
    facts = find_open(actor, wanted, P.SALES_REPORT_READ, converter)
    measure = measure_backlog(wanted.today, wanted.window.zone)
    rows = group(facts, wanted, window_around(facts, wanted.window), measure)
    rows.sort(key=lambda row: (-row.values["open_value"], row.label))
    return Worked(
        figures=(f.WAITING_ORDERS, f.OPEN_LINES, f.OPEN_VALUE, f.LATE_LINES, f.OLDEST),
        rows=rows,
        totals=measure([fact.what for fact in facts]),
        notes=converter.notes,
        charted=(f.OPEN_VALUE,),
    )


def _work_delivered(actor: Actor, wanted: Wanted) -> Worked:
    facts = find_delivered(actor, wanted, P.ORDER_REPORT_READ)
    rows = group(facts, wanted, wanted.window, measure_delivered)
    if wanted.by.step is None:
        rows.sort(key=lambda row: (-row.values["delivered"], row.label))
    return Worked(
        figures=(f.DELIVERED, f.ON_TIME, f.ON_TIME_SHARE, f.DAYS_LATE),
        rows=rows,
        totals=measure_delivered([fact.what for fact in facts]),
        charted=(f.DELIVERED, f.ON_TIME),
    )


def _order_columns(actor: Actor) -> list[Column[Any]]:
    can_open = actor.can(P.ORDER_READ)
    columns: list[Column[Any]] = [
        Column(
            key="order",
            label=_l("Order"),
            value=lambda row: row.order,
            url=lambda row: url_for("orders.detail", number=row.order) if can_open else "",
        ),
        Column(key="account", label=_l("Account"), value=lambda row: row.account),
        Column(
            key="purchase_order_number",
            label=_l("Purchase order"),
            value=lambda row: row.purchase_order_number,
        ),
        Column(key="sku", label=_l("SKU"), value=lambda row: row.sku),
        Column(key="name", label=_l("Product"), value=lambda row: row.name),
        Column(key="quantity", label=_l("Quantity"), value=lambda row: row.quantity, kind="number"),
    ]
    return [column for column in columns if actor.is_supplier or column.key != "account"]


def _open_columns(actor: Actor) -> list[Column[Any]]:
    return [
        *_order_columns(actor),
        Column(
            key="value",
            label=_l("Open value"),
            value=lambda row: row.value,
            kind="money",
            currency=lambda row: row.currency,
        ),
        Column(key="status", label=_l("Status"), value=lambda row: _(row.status.label)),
        Column(
            key="placed_at", label=_l("Placed"), value=lambda row: row.placed_at, kind="instant"
        ),
        Column(key="due_on", label=_l("Promised"), value=lambda row: row.due_on, kind="day"),
        Column(key="late", label=_l("Late"), value=lambda row: _("late") if row.is_late else ""),
    ]


def _delivered_columns(actor: Actor) -> list[Column[Any]]:
    return [
        *_order_columns(actor),
        Column(
            key="promised_on", label=_l("Promised"), value=lambda row: row.promised_on, kind="day"
        ),
        Column(
            key="delivered_on",
            label=_l("Delivered"),
            value=lambda row: row.delivered_on,
            kind="day",
        ),
        Column(
            key="days_late", label=_l("Days late"), value=lambda row: row.days_late, kind="number"
        ),
    ]


def list_facts(facts: Sequence[Fact[Any]], columns: Sequence[Column[Any]]) -> Listing:
    """Return the rows behind a figure that was made of facts."""
    rows = [fact.what for fact in facts]

    def fetch(limit: int | None, offset: int) -> Sequence[Any]:
        return rows[offset : None if limit is None else offset + limit]

    return Listing(len(rows), columns, fetch)


def _list_open(actor: Actor, wanted: Wanted, permission: Permission) -> Listing:
    facts = find_open(actor, wanted, permission, Converter(wanted))
    chosen = in_group(facts, wanted, window_around(facts, wanted.window))
    chosen.sort(key=lambda fact: (fact.at or datetime.max.replace(tzinfo=UTC), fact.what.order))
    return list_facts(chosen, _open_columns(actor))


def _list_delivered(actor: Actor, wanted: Wanted) -> Listing:
    facts = in_group(find_delivered(actor, wanted, P.ORDER_REPORT_READ), wanted, wanted.window)
    return list_facts(facts, _delivered_columns(actor))


_BY: Final = (By.CATEGORY, By.SUBCATEGORY, By.PRODUCT, By.UNIT, By.PERSON, By.COST_CENTRE)

DELIVERIES: Final = Report(
    name="deliveries",
    title=_l("Open and late deliveries"),
    meaning=_l("Confirmed lines that have still to leave, by the day they are promised for."),
    section=Section.ORDERS,
    permission=P.ORDER_REPORT_READ,
    askable=Askable(groupings=(By.MONTH, By.ACCOUNT, *_BY), filters=OF_ORDERS, has_period=False),
    work=_work_open,
    listing=lambda actor, wanted: _list_open(actor, wanted, P.ORDER_REPORT_READ),
    has_money=True,
)

ON_TIME: Final = Report(
    name="on-time",
    title=_l("Delivery on time"),
    meaning=_l("Lines that arrived whole, against the day that was promised first."),
    section=Section.ORDERS,
    permission=P.ORDER_REPORT_READ,
    askable=Askable(groupings=(By.MONTH, By.QUARTER, By.YEAR, By.ACCOUNT, *_BY), filters=OF_ORDERS),
    work=_work_delivered,
    listing=_list_delivered,
)

BACKLOG: Final = Report(
    name="backlog",
    title=_l("Backlog"),
    meaning=_l("Placed orders with something that has not left, as they stand now."),
    section=Section.SALES,
    permission=P.SALES_REPORT_READ,
    askable=Askable(
        groupings=(By.STATUS, By.ACCOUNT, By.CATEGORY, By.SUBCATEGORY, By.PRODUCT),
        filters=(By.ACCOUNT, By.CATEGORY),
        has_period=False,
    ),
    work=_work_backlog,
    listing=lambda actor, wanted: _list_open(actor, wanted, P.SALES_REPORT_READ),
    is_supplier_only=True,
    has_money=True,
)
