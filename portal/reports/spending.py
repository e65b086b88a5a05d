"""Reports of what was ordered: spending and savings for customers, revenue and discount for us."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeGuard

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.orders.rules import OrderStatus
from portal.policy import Actor, P, Permission
from portal.reports import figures as f
from portal.reports.adding import Total
from portal.reports.asking import Askable, By, Wanted
from portal.reports.converting import Converter
from portal.reports.naming import Name, name_accounts, name_people, name_units, named
from portal.reports.ordered import count_by_currency, first_placed_at, ordered
from portal.reports.periods import Period, Window, buckets_of
from portal.reports.results import LateRows, ResultRow
from portal.reports.sales import (
    OWN,
    Grouper,
    SalesLine,
    count_lines,
    find_key,
    find_lines,
    names_of,
    sales_lines,
)
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.web.tables import Column

BUYING: Final = (f.ORDERS, f.LINES, f.NET, f.LIST, f.SAVED, f.SAVED_SHARE)
SELLING: Final = (f.ORDERS, f.LINES, f.REVENUE, f.LIST, f.DISCOUNT, f.DISCOUNT_SHARE)
_STATES: Final = {state.value: state.label for state in OrderStatus}


@dataclass(slots=True)
class _Sum:
    """What a group comes to, in the report's currency."""

    label: str = ""
    orders: int = 0
    lines: int = 0
    net: Decimal = f.NONE
    list: Decimal = f.NONE
    listed: Decimal = f.NONE

    @property
    def has_list(self) -> bool:
        """Whether any of its lines has a list price."""
        return bool(self.list or self.listed)

    def values(self, saved: str) -> dict[str, Any]:
        """Return the figures by their key; ``saved`` is what the difference is called."""
        difference = self.list - self.listed
        return {
            "orders": self.orders,
            "lines": self.lines,
            "net": self.net,
            "list": self.list if self.has_list else None,
            saved: difference if self.has_list else None,
            f"{saved}_percent": f.share(difference, self.list),
        }


def narrowed(actor: Actor, wanted: Wanted, permission: Permission) -> Wanted:
    """Return the same with "all time" beginning where the first order was placed.

    Only pieces of time ask for it: everything else is the same whenever it begins.
    """
    if wanted.period is not Period.ALL or wanted.by.step is None:
        return wanted
    first = first_placed_at(actor, permission)
    if first is None:
        return wanted
    day = max(wanted.window.first, wanted.window.day_of(first))
    return replace(wanted, window=Window(day, wanted.window.after, wanted.window.zone))


def _work(actor: Actor, wanted: Wanted, permission: Permission, saved: str) -> Worked:
    wanted = narrowed(actor, wanted, permission)
    source = ordered(actor, permission, wanted)
    grouper = Grouper(source.rows)
    conditions, keys = grouper.conditions(wanted), grouper.keys(wanted.by, wanted.window)
    found = source.totals(conditions, keys.expression)
    names = names_of(keys, list(dict.fromkeys(each.raw for each in found)))
    converter = Converter(wanted)
    sums = _sums(found, names, converter, wanted)
    orders = count_by_currency(actor, permission, wanted, found)
    total = _Sum(orders=sum(many for each, many in orders.items() if converter.knows(each)))
    for each in sums.values():
        total.lines += each.lines
        total.net += each.net
        total.list += each.list
        total.listed += each.listed
    groups = list(sums.items())
    if wanted.by.step is None:
        groups.sort(key=lambda group: (-group[1].net, group[1].label))
    figures = BUYING if saved == "saved" else SELLING
    return Worked(
        figures=figures,
        rows=LateRows(
            groups, lambda group: ResultRow(group[0], group[1].label, group[1].values(saved))
        ),
        totals=total.values(saved),
        notes=[*_notes(source.count_past_lines(conditions)), *converter.notes],
        charted=[figures[2], figures[4]],
    )


def _sums(
    found: Sequence[Total], names: Mapping[Any, Name], converter: Converter, wanted: Wanted
) -> dict[str, _Sum]:
    """Return the sums by the key of their group, each currency converted once per group."""
    sums: dict[str, _Sum] = {}
    if wanted.by.step is not None and found:
        for bucket in buckets_of(wanted.window, wanted.by.step):
            sums[bucket.key] = _Sum(bucket.key)
    for total in found:
        net = converter.convert(total.net, total.currency)
        if net is None:
            continue
        name = names[total.raw]
        each = sums.get(name.key)
        if each is None:
            each = sums[name.key] = _Sum(name.label)
        each.orders += total.orders
        each.lines += total.lines
        each.net += net
        each.list += converter.convert(total.list, total.currency) or f.NONE
        each.listed += converter.convert(total.listed, total.currency) or f.NONE
    return sums


def _notes(imported: int) -> list[str]:
    """Say how much of it comes from another system, which knows no list prices."""
    if not imported:
        return []
    return [
        _(
            "%(lines)s lines come from an earlier system; they have no list price and so no part"
            " in what was saved.",
            lines=imported,
        )
    ]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """An order line with the names that its list shows."""

    line: SalesLine
    account: str
    unit: str
    person: str
    can_open: bool

    @property
    def url(self) -> str:
        """Where the order is; nothing for who may not read orders."""
        if not self.can_open:
            return ""
        if self.line.source == OWN:
            return url_for("orders.detail", number=self.line.number)
        return url_for("past_orders.detail", number=self.line.number, account=self.account)

    @property
    def status(self) -> str:
        """The state of the order, in the reader's language where it is one of ours."""
        known = _STATES.get(self.line.status)
        return _(known) if known else self.line.status


def _money(key: str, label: Any, read: Any) -> Column[ShownLine]:  # noqa: ANN401 - lazy texts
    return Column(
        key=key,
        label=label,
        value=lambda row: read(row.line),
        kind="money",
        currency=lambda row: row.line.currency,
    )


LINE_COLUMNS: Final[tuple[Column[ShownLine], ...]] = (
    Column(
        key="order", label=_l("Order"), value=lambda row: row.line.number, url=lambda row: row.url
    ),
    Column(
        key="purchase_order_number",
        label=_l("Purchase order"),
        value=lambda row: row.line.purchase_order_number,
    ),
    Column(
        key="placed_at", label=_l("Placed"), value=lambda row: row.line.placed_at, kind="instant"
    ),
    Column(key="account", label=_l("Account"), value=lambda row: row.account),
    Column(key="unit", label=_l("Unit"), value=lambda row: row.unit),
    Column(key="person", label=_l("Person"), value=lambda row: row.person),
    Column(key="cost_centre", label=_l("Cost centre"), value=lambda row: row.line.cost_centre),
    Column(key="status", label=_l("Status"), value=lambda row: row.status),
    Column(key="sku", label=_l("SKU"), value=lambda row: row.line.sku),
    Column(key="name", label=_l("Product"), value=lambda row: row.line.name),
    Column(
        key="quantity",
        label=_l("Quantity"),
        value=lambda row: row.line.quantity,
        kind="number",
    ),
    _money("net", _l("Net"), lambda line: line.net),
    _money("list", _l("List value"), lambda line: line.list),
    _money("saved", _l("Below list"), lambda line: line.saved),
)


def list_lines(actor: Actor, wanted: Wanted, permission: Permission) -> Listing:
    """Return the order lines behind a figure."""
    wanted = narrowed(actor, wanted, permission)
    lines = sales_lines(actor, permission)
    grouper = Grouper(lines)
    conditions = grouper.conditions(wanted)
    if wanted.key is not None:
        keys = grouper.keys(wanted.by, wanted.window)
        conditions.append(find_key(lines, conditions, keys, wanted.key))

    def fetch(limit: int | None, offset: int) -> list[ShownLine]:
        return _shown(actor, find_lines(lines, conditions, limit=limit, offset=offset))

    columns = [column for column in LINE_COLUMNS if actor.is_supplier or column.key != "account"]
    return Listing(count_lines(lines, conditions), columns, fetch)


def _shown(actor: Actor, found: Sequence[SalesLine]) -> list[ShownLine]:
    units = name_units({line.unit_id for line in found if line.unit_id is not None})
    accounts = name_accounts({line.account_id for line in found})
    people = name_people({int(line.person) for line in found if is_number(line.person)})
    return [
        ShownLine(
            line,
            account=named(accounts, line.account_id).key,
            unit=units[line.unit_id].key if line.unit_id else "",
            person=_person(people, line.person),
            can_open=actor.can(P.ORDER_READ),
        )
        for line in found
    ]


def is_number(person: str | None) -> TypeGuard[str]:
    """Whether the person of a line is one of the portal's, not an address of an earlier system."""
    return bool(person) and str(person).isascii() and str(person).isdigit()


def _person(people: Mapping[int, Name], person: str | None) -> str:
    return people[int(person)].label if is_number(person) else person or ""


_GROUPINGS: Final = (
    By.MONTH,
    By.QUARTER,
    By.YEAR,
    By.CATEGORY,
    By.SUBCATEGORY,
    By.PRODUCT,
    By.UNIT,
    By.COST_CENTRE,
    By.PERSON,
    By.STATUS,
)
_FILTERS: Final = (By.ACCOUNT, By.CATEGORY, By.UNIT, By.COST_CENTRE, By.PERSON, By.STATUS)

ORDERS: Final = Report(
    name="orders",
    title=_l("Orders and savings"),
    meaning=_l("What was ordered, and how far below list price; by the day it was placed."),
    section=Section.ORDERS,
    permission=P.ORDER_REPORT_READ,
    askable=Askable(groupings=(*_GROUPINGS, By.ACCOUNT), filters=(*_FILTERS, By.PRODUCT)),
    work=lambda actor, wanted: _work(actor, wanted, P.ORDER_REPORT_READ, "saved"),
    listing=lambda actor, wanted: list_lines(actor, wanted, P.ORDER_REPORT_READ),
    has_money=True,
)

REVENUE: Final = Report(
    name="revenue",
    title=_l("Revenue and discount"),
    meaning=_l("What accounts ordered, and how much below list price it was given."),
    section=Section.SALES,
    permission=P.SALES_REPORT_READ,
    askable=Askable(
        groupings=(By.ACCOUNT, By.CATEGORY, By.SUBCATEGORY, By.PRODUCT, *_GROUPINGS[:3]),
        filters=(By.ACCOUNT, By.CATEGORY, By.PRODUCT),
    ),
    work=lambda actor, wanted: _work(actor, wanted, P.SALES_REPORT_READ, "discount"),
    listing=lambda actor, wanted: list_lines(actor, wanted, P.SALES_REPORT_READ),
    is_supplier_only=True,
    has_money=True,
)
