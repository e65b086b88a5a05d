"""Order lines for reports: the portal's own beside those of earlier systems, as one table.

What counts as ordered is decided here, and `ordered` says the same of whole orders: own orders from
being placed on, imported ones, neither cancelled nor declined, each line net of what was cancelled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from portal.accounts.models import Account, Membership, Unit
from portal.catalog.models import Product
from portal.db import ExactDecimal, db
from portal.money import CURRENCIES
from portal.orders.history.models import PastOrder, PastOrderLine
from portal.orders.history.queries import visible_to as past_visible_to
from portal.orders.models import Order, OrderLine
from portal.orders.queries import visible_to
from portal.orders.rules import SENT, OrderStatus
from portal.policy import Actor, Permission
from portal.reports.adding import AMOUNT
from portal.reports.asking import By, Wanted
from portal.reports.naming import (
    Categories,
    Name,
    load_categories,
    name_accounts,
    name_cost_centres,
    name_people,
    name_units,
    named,
    nothing,
)
from portal.reports.periods import Window, buckets_of
from portal.reports.results import NO_KEY

OWN: Final = "own"
PAST: Final = "past"
GIVEN_UP: Final = ("cancelled", "canceled", "declined", "rejected", "discarded", "draft")
"""Words of imported orders that are none: their lines do not count."""
_COLUMNS: Final = {
    By.UNIT: "unit_id",
    By.ACCOUNT: "account_id",
    By.PERSON: "person",
    By.STATUS: "status",
    By.COST_CENTRE: "cost_centre",
    By.PRODUCT: "sku",
}
_SHOWN: Final[Mapping[str, str]] = {state.value: state.label for state in OrderStatus}
_WITH: Final = {
    digits: sorted(code for code, own in CURRENCIES.items() if own == digits)
    for digits in (0, 3, 4)
}


def list_total(price: Any, quantity: Any, currency: Any) -> ColumnElement[Decimal]:  # noqa: ANN401
    """Return list price times quantity in SQL, half up to the currency's minor unit, exactly.

    Both are scaled integers (4 and 3 decimals). Whole units and the rest are multiplied apart, so
    that no product leaves 64 bits: SQLite would go on with floats.

    Args:
        price, quantity, currency: Columns of a line.
    """
    units = type_coerce(price, BigInteger)
    pieces = type_coerce(quantity, BigInteger)
    whole, rest = (units // 10_000) * pieces, (units % 10_000) * pieces
    amounts = {digits: _rounded(whole, rest, digits) for digits in (0, 2, 3, 4)}
    chosen = case(
        *((currency.in_(codes), amounts[digits]) for digits, codes in _WITH.items()),
        else_=amounts[2],
    )
    return type_coerce(chosen, AMOUNT)


def _rounded(whole: Any, rest: Any, digits: int) -> ColumnElement[int]:  # noqa: ANN401
    """Return (whole * 10^4 + rest) / 10^7 half up to some digits, scaled by 10^4 again."""
    if digits == 4:  # noqa: PLR2004 - nothing is cut but what the quantity adds
        found: ColumnElement[int] = whole * 10 + (rest + 500) // 1_000
        return found
    cut = 10 ** (3 - digits)
    half = 5 * 10 ** (6 - digits)
    kept = whole // cut + ((whole % cut) * 10_000 + rest + half) // (cut * 10_000)
    scaled: ColumnElement[int] = kept * 10 ** (4 - digits)
    return scaled


def of_own() -> list[ColumnElement[Any]]:
    """Return what reports ask of an own order, whether they read it as a whole or its lines."""
    return [
        literal(OWN).label("source"),
        Order.id.label("order_id"),
        Order.account_id.label("account_id"),
        Order.unit_id.label("unit_id"),
        cast(Membership.person_id, String(254)).label("person"),
        cast(Order.status, String(40)).label("status"),
        Order.placed_at.label("placed_at"),
        Order.currency.label("currency"),
    ]


def of_past() -> list[ColumnElement[Any]]:
    """Return the same of an imported order."""
    return [
        literal(PAST).label("source"),
        PastOrder.id.label("order_id"),
        PastOrder.account_id.label("account_id"),
        PastOrder.unit_id.label("unit_id"),
        func.coalesce(cast(Membership.person_id, String(254)), PastOrder.person_email).label(
            "person"
        ),
        PastOrder.status.label("status"),
        PastOrder.placed_at.label("placed_at"),
        PastOrder.currency.label("currency"),
    ]


def sales_lines(actor: Actor, permission: Permission) -> Subquery:
    """Return everything ordered that ``permission`` reaches, one row for each line."""
    return union_all(_own(actor, permission), _past(actor, permission)).subquery("sales")


def _own(actor: Actor, permission: Permission) -> Select[*tuple[Any, ...]]:
    valid = type_coerce(OrderLine.quantity - OrderLine.cancelled, ExactDecimal(3))
    price = OrderLine.list_price
    return (
        visible_to(actor, permission)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .outerjoin(Membership, Membership.id == Order.membership_id)  # read where it is asked for
        .outerjoin(Product, Product.id == OrderLine.product_id)
        .where(Order.status.in_(sorted(SENT)), OrderLine.quantity > OrderLine.cancelled)
        .with_only_columns(
            *of_own(),
            OrderLine.id.label("line_id"),
            Order.number.label("number"),
            Order.purchase_order_number.label("purchase_order_number"),
            Product.category_id.label("category_id"),
            OrderLine.sku.label("sku"),
            OrderLine.name.label("name"),
            OrderLine.cost_centre.label("cost_centre"),
            valid.label("quantity"),
            OrderLine.line_total.label("net"),
            case((price.is_not(None), list_total(price, valid, Order.currency))).label("list"),
        )
    )


def _past(actor: Actor, permission: Permission) -> Select[*tuple[Any, ...]]:
    return (
        past_visible_to(actor, permission)
        .join(PastOrderLine, PastOrderLine.past_order_id == PastOrder.id)
        .outerjoin(Membership, Membership.id == PastOrder.membership_id)
        .outerjoin(Product, Product.id == PastOrderLine.product_id)
        .where(func.lower(PastOrder.status).not_in(GIVEN_UP))
        .with_only_columns(
            *of_past(),
            PastOrderLine.id,
            PastOrder.number,
            PastOrder.purchase_order_number,
            Product.category_id,
            PastOrderLine.sku,
            PastOrderLine.name,
            literal(""),
            PastOrderLine.quantity,
            PastOrderLine.line_total,
            type_coerce(cast(null(), BigInteger), AMOUNT),
        )
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """By what expression lines are put together, and how what it gives is called."""

    expression: Any
    name_all: Any
    """Function: the raw keys that were found -> names by raw key."""


class Grouper:
    """Knows every way to put together order lines, or whole orders where that says the same."""

    def __init__(self, lines: Subquery) -> None:
        self.lines = lines

    @cached_property
    def categories(self) -> Categories:
        """The category tree, read where something is asked of it."""
        return load_categories()

    def keys(self, by: By, window: Window) -> Keys:
        """Return how lines are put together by something."""
        if by.step is not None:
            return self._times(by, window)
        if by is By.SUBCATEGORY:
            return self._subcategories()
        if by is By.CATEGORY:
            return self._categories()
        name_all: dict[By, Any] = {
            By.UNIT: lambda raws: name_units(_known(raws)),
            By.ACCOUNT: lambda raws: name_accounts(_known(raws)),
            By.PERSON: _name_persons,
            By.STATUS: _name_states,
            By.COST_CENTRE: self._name_cost_centres,
            By.PRODUCT: lambda raws: {raw: Name(raw, raw) for raw in raws},
        }
        return Keys(self.lines.c[_COLUMNS[by]], name_all[by])

    def _times(self, by: By, window: Window) -> Keys:
        step = by.step
        assert step is not None  # noqa: S101 - the caller asked for a step of time
        buckets = buckets_of(window, step)
        placed = self.lines.c.placed_at
        later = [
            (placed < after.start_at, literal(place)) for place, after in enumerate(buckets[1:])
        ]
        last = literal(len(buckets) - 1)
        expression = case(*later, else_=last) if later else last
        names = {place: Name(each.key, each.key) for place, each in enumerate(buckets)}
        return Keys(expression, lambda _raws: names)

    def _subcategories(self) -> Keys:
        """Put lines together by their category; each has a path of its own."""
        paths = self.categories.paths  # one that is newer than these has no name yet
        return Keys(
            self.lines.c.category_id,
            lambda raws: {raw: self.categories.name_of(paths.get(raw, "")) for raw in raws},
        )

    def _categories(self) -> Keys:
        """Put lines together by the root of their category, worked out in the statement."""
        roots = {key: self.categories.path_of(key, is_root=True) for key in self.categories.paths}
        order = sorted(set(roots.values()))
        places = {root: place for place, root in enumerate(order)}
        if not roots:
            return Keys(literal(-1), lambda _raws: {-1: self.categories.name_of("")})
        expression = case(
            {key: places[root] for key, root in roots.items()},
            value=self.lines.c.category_id,
            else_=-1,
        )
        names = {place: self.categories.name_of(root) for root, place in places.items()}
        names[-1] = self.categories.name_of("")
        return Keys(expression, lambda _raws: names)

    def _name_cost_centres(self, raws: Sequence[str]) -> Mapping[str, Name]:
        """Name cost centres by code; the same code in two accounts is one row of the supplier."""
        found = db.session.scalars(select(self.lines.c.account_id).distinct()).all()
        names: dict[str, str] = {}
        for (_account, code), name in name_cost_centres(found).items():
            names.setdefault(code, name)
        return {
            raw: Name(raw, f"{raw} – {names[raw]}" if raw in names else raw) for raw in raws if raw
        }

    def conditions(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        """Return what keeps the lines of the period that pass every filter."""
        column = self.lines.c
        found: list[ColumnElement[bool]] = [
            column.placed_at >= wanted.window.start_at,
            column.placed_at < wanted.window.end_at,
        ]
        for by, text in wanted.filters.items():
            found.append(self._filter(by, text))
        return found

    def _filter(self, by: By, text: str) -> ColumnElement[bool]:
        column = self.lines.c
        if by is By.CATEGORY:
            if text == NO_KEY:
                return column.category_id.is_(None)
            return column.category_id.in_(self.categories.ids_under(text))
        if by is By.UNIT:
            return column.unit_id.in_(_units_named(text))
        if by is By.ACCOUNT:
            owner = select(Account.id).where(Account.code == text)
            return column.account_id.in_(owner)
        plain = column[_COLUMNS[by]]
        empty = or_(plain.is_(None), plain == "")
        return empty if text == NO_KEY else plain == text


def _units_named(text: str) -> Select[Any]:
    account, _slash, code = text.rpartition("/")
    statement = select(Unit.id).where(Unit.code == code)
    if account:
        statement = statement.join(Account, Account.id == Unit.account_id).where(
            Account.code == account
        )
    return statement


def _known(raws: Sequence[Any]) -> list[int]:
    return [raw for raw in raws if raw is not None]


def _name_persons(raws: Sequence[str | None]) -> Mapping[Any, Name]:
    ids = {raw: int(raw) for raw in raws if raw and raw.isascii() and raw.isdigit()}
    people = name_people(ids.values())
    names = {raw: named(people, person_id) for raw, person_id in ids.items()}
    return {raw: Name(raw, raw) for raw in raws if raw} | names


def _name_states(raws: Sequence[str | None]) -> Mapping[Any, Name]:
    return {raw: Name(raw, _(_SHOWN[raw]) if raw in _SHOWN else raw) for raw in raws if raw}


def names_of(keys: Keys, raws: Sequence[Any]) -> Mapping[Any, Name]:
    """Return how raw keys are called; what has no name is called so."""
    names = keys.name_all(raws)
    return {raw: names.get(raw) or nothing() for raw in raws}


def find_key(
    lines: Subquery, conditions: Sequence[ColumnElement[bool]], keys: Keys, wanted: str
) -> ColumnElement[bool]:
    """Return what keeps the lines of the group that is called ``wanted``."""
    found = select(keys.expression.label("raw")).select_from(lines).where(*conditions).subquery()
    raws = db.session.scalars(select(found.c.raw).distinct()).all()
    named_so = [raw for raw, name in names_of(keys, raws).items() if name.key == wanted]
    known = [raw for raw in named_so if raw is not None]
    is_wanted = keys.expression.in_(known)
    return or_(is_wanted, keys.expression.is_(None)) if None in named_so else and_(is_wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesLine:
    """One order line as the list behind a figure shows it."""

    source: str
    number: str
    purchase_order_number: str
    placed_at: datetime
    account_id: int
    unit_id: int | None
    person: str | None
    status: str
    cost_centre: str
    sku: str
    name: str
    quantity: Decimal
    net: Decimal
    list: Decimal | None
    currency: str

    @property
    def saved(self) -> Decimal | None:
        """List value less net value, where there was a list price."""
        return None if self.list is None else self.list - self.net


_FIELDS: Final = tuple(field.name for field in fields(SalesLine))


def find_lines(
    lines: Subquery,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[SalesLine]:
    """Return the lines behind a figure, newest first."""
    statement = (
        select(*(lines.c[field] for field in _FIELDS))
        .where(*conditions)
        .order_by(lines.c.placed_at.desc(), lines.c.number.desc(), lines.c.line_id)
        .limit(limit)
        .offset(offset)
    )
    return [
        SalesLine(**dict(zip(_FIELDS, row, strict=True))) for row in db.session.execute(statement)
    ]


def count_lines(lines: Subquery, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Return how many lines a figure stands for."""
    statement = select(func.count()).select_from(lines).where(*conditions)
    return db.session.scalar(statement) or 0
