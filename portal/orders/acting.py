"""What every step of an order does: lock in the fixed order, check the reach, record, tell."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Account
from portal.db import KEPT, db, lock
from portal.errors import N_, InvalidError
from portal.events.actions import record
from portal.messages.actions import tell
from portal.orders import queries
from portal.orders.models import Order, OrderLine
from portal.orders.rules import KIND, Move
from portal.policy import Actor, Role
from portal.quotes.locking import locking
from portal.quotes.models import Quote

FIRST_LINES: Final = 5
"""So many lines stand in a message; the rest is counted."""
MOST_ACTORS: Final = 512
"""For so many actors statements are kept: the same rights are the same statement."""


class ReasonNeededError(InvalidError):
    """The other side is told why."""

    message = N_("Say why, so that the other side knows what to do.")
    field = "reason"


class UnknownOrderLineError(InvalidError):
    """A form names a line of another order."""

    message = N_("The order has no such line. Open it again.")


def locked(actor: Actor, number: str) -> Order:
    """Lock account, quote and order in this fixed order, so that no two actions wait in a ring.

    Each row is read once, when it is locked; the lines are read after that.

    Raises:
        OrderNotFoundError: No such order within the actor's scope.
    """
    asked = {"number": number}
    its_account, its_quote, itself = _rows_of(actor)
    account = db.session.scalar(its_account, asked)
    quote = db.session.scalar(its_quote, asked)
    order = db.session.scalar(itself, asked)
    if account is None or quote is None or order is None:
        raise queries.OrderNotFoundError(number=number)
    set_committed_value(order, "account", account)
    set_committed_value(order, "quote", quote)
    return order


@lru_cache(maxsize=MOST_ACTORS)
def _rows_of(actor: Actor) -> tuple[Select[Account], Select[Quote], Select[Order]]:
    """Lock account, quote and order by the order's number, each as far as the actor sees it."""
    wanted = queries.visible_to(actor).where(Order.number == bindparam("number"))
    return (
        locking_account(wanted.with_only_columns(Order.account_id)),
        locking(wanted.with_only_columns(Order.quote_id)),
        lock(wanted.options(selectinload(Order.lines)).prefix_with(KEPT, dialect="postgresql")),
    )


def lock_account(account_id: int) -> None:
    """Lock an account, always before its quotes and orders."""
    db.session.execute(lock(select(Account.id).where(Account.id == account_id)))


def locking_account(account: Select[int]) -> Select[Account]:
    """Lock the account whose id is selected, as `lock_account` does, and read it."""
    wanted = select(Account).where(Account.id.in_(account))
    return lock(wanted.prefix_with(KEPT, dialect="postgresql"))


def must_own(actor: Actor, order: Order, move: Move) -> None:
    """Raise `NotAllowedError` unless the actor may take this step with this order."""
    actor.must_reach(
        move.permission,
        account_id=order.account_id,
        unit_id=order.unit_id,
        owner_id=order.membership_id,
    )


def taken_up(actor: Actor, number: str, move: Move) -> Order:
    """Return an order, locked, with which the actor may take this step now.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
    """
    order = locked(actor, number)
    must_own(actor, order, move)
    move.check(order.status, actor, order.number)
    return order


def lines_by_id(order: Order, keys: Iterable[int]) -> dict[int, OrderLine]:
    """Return the lines of an order by id, and refuse keys of other orders."""
    lines = {line.id: line for line in order.lines}
    if not set(keys) <= set(lines):
        raise UnknownOrderLineError
    return lines


def zone_of(order: Order) -> tzinfo:
    """Return the time zone in which the buyer counts days."""
    return ZoneInfo(order.account.time_zone)


def today_of(order: Order, now: datetime) -> date:
    """Return the day that it is for the buyer."""
    return now.astimezone(zone_of(order)).date()


def digest_of(content: Mapping[str, object]) -> str:
    """Return what tells one form's content from another's."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def record_order(
    actor: Actor | None, order: Order, verb: str, now: datetime, **data: object
) -> None:
    """Write an event of an order; days are written as ISO 8601."""
    record(
        actor,
        verb,
        kind=KIND,
        object_id=order.id,
        number=order.number,
        account_id=order.account_id,
        now=now,
        quote_id=order.quote_id,
        status=order.status.value,
        net_total=order.net_total,
        **data,
    )


def tell_order(
    order: Order, kind: str, now: datetime, *, supplier: bool = False, **more: object
) -> None:
    """Tell the requester the outcome, or the supplier what is to be done.

    Args:
        kind: Names the templates.
        supplier: Whether the order desk and the account manager are told instead.
        more: Further plain data for the templates; ``lines`` replaces the order's first lines.
    """
    shown = [line for line in order.lines if line.valid] or order.lines
    subject: dict[str, Any] = {
        "number": order.number,
        "account": order.account.name,
        "purchase_order_number": order.purchase_order_number,
        "total": f"{order.net_total:f}",
        "currency": order.currency,
        "reason": order.reason,
        "lines": [
            {
                "name": line.name,
                "quantity": f"{line.valid or line.quantity:f}",
                "total": f"{line.line_total:f}",
                "promised_on": None if line.promised_on is None else line.promised_on.isoformat(),
                "backordered": f"{line.backordered:f}" if line.backordered else "",
                "backorder_on": (
                    None if line.backorder_on is None else line.backorder_on.isoformat()
                ),
            }
            for line in shown[:FIRST_LINES]
        ],
        "more_lines": max(len(shown) - FIRST_LINES, 0),
    }
    tell(
        kind,
        account_id=order.account_id,
        path=f"/orders/{order.number}",
        now=now,
        membership_ids=() if supplier else (order.membership_id,),
        supplier_roles=(Role.ORDER_DESK, Role.ACCOUNT_MANAGER) if supplier else (),
        subject=subject | more,
    )


def plain_day(day: date | None) -> str | None:
    """Return a day as an event or a message holds it."""
    return None if day is None else day.isoformat()


def plain(quantity: Decimal) -> str:
    """Return a quantity as an event or a message holds it."""
    return f"{quantity.normalize():f}"
