"""What every change of a quote does: check the reach, guard the row, note who changed what."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, false, or_, update
from sqlalchemy.orm.attributes import set_committed_value

from portal.catalog.rules import check_quantity
from portal.db import KEPT, db, table_of
from portal.errors import N_, ConflictError
from portal.events.actions import record
from portal.policy import Actor, Permission
from portal.quotes.models import Quote, QuoteLine, QuoteOpening, QuoteRequester, QuoteRevision
from portal.quotes.places import load_places
from portal.quotes.pricing import Priced, price_draft
from portal.quotes.rules import KIND

Watcher = Callable[[Actor | None, str, Quote, datetime], None]
Waits = Callable[[ColumnElement[int], ColumnElement[int]], ColumnElement[bool]]
_watchers: dict[Watcher, Waits] = {}


def watch_quotes(watcher: Watcher, waits: Waits) -> None:
    """Name what hears of each event of a quote, in its transaction: (actor, verb, quote, now).

    The way upwards for what waits for a quote to be approved, refused or given up.

    Args:
        waits: Says of a quote's account and id, as part of a statement, whether anything waits.
    """
    _watchers[watcher] = waits


def is_watched() -> ColumnElement[bool]:
    """Return, as part of a statement about quotes, whether anything waits for one."""
    of_quote = Quote.account_id.expression, Quote.id.expression
    return or_(false(), *(waits(*of_quote) for waits in _watchers.values()))


class ChangedMeanwhileError(ConflictError):
    """Somebody else changed the quote between reading and writing."""

    message = N_("Quote {number} changed meanwhile. Open it again.")


def must_reach(actor: Actor, permission: Permission, quote: Quote) -> None:
    """Raise `NotAllowedError` unless the actor may do this to a quote that they can read."""
    actor.must_reach(
        permission,
        account_id=quote.account_id,
        unit_id=quote.unit_id,
        owner_id=quote.membership_id,
    )


def bump(quote: Quote, now: datetime, **values: Any) -> None:  # noqa: ANN401 - columns of the row
    """Change a quote's row and count its version, only if it still is as it was read.

    Raises:
        ChangedMeanwhileError: It is not.
    """
    db.session.flush()
    wanted = {"version": quote.version + 1, "changed_at": now, **values}
    seen = {"seen_id": quote.id, "seen_version": quote.version, "seen_status": quote.status}
    changed = db.session.execute(_change(tuple(wanted)), seen | wanted)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result counts its rows
        raise ChangedMeanwhileError(number=quote.number)
    for name, value in wanted.items():
        set_committed_value(quote, name, value)


@cache
def _change(names: tuple[str, ...]) -> Update:
    """Change some columns of a quote that still is as it was read; each name is a parameter."""
    table = table_of(Quote)
    return (
        update(table)
        .where(
            table.c.id == bindparam("seen_id"),
            table.c.version == bindparam("seen_version"),
            table.c.status == bindparam("seen_status"),
        )
        .values({name: bindparam(name) for name in names})
        .prefix_with(KEPT, dialect="postgresql")
    )


def note_requester(revision: QuoteRevision, actor: Actor) -> None:
    """Note that somebody created, changed or submitted a revision; they never approve it."""
    if actor.membership_id is None or actor.person_id is None:
        return
    if any(item.membership_id == actor.membership_id for item in revision.requesters):
        return
    revision.requesters.append(
        QuoteRequester(
            account_id=revision.account_id,
            membership_id=actor.membership_id,
            person_id=actor.person_id,
        )
    )


def note_opening(actor: Actor, quote: Quote, now: datetime) -> None:
    """Note the draft that a membership works on: what it adds next goes there."""
    if actor.membership_id is None or actor.account_id != quote.account_id:
        return
    opened = {"quote_id": quote.id, "opened_at": now}
    known = db.session.execute(
        update(QuoteOpening)
        .where(QuoteOpening.membership_id == actor.membership_id)
        .values(**opened)
        .execution_options(synchronize_session=False)
    )
    if not known.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result counts its rows
        db.session.add(
            QuoteOpening(membership_id=actor.membership_id, account_id=actor.account_id, **opened)
        )


def record_quote(
    actor: Actor | None,
    verb: str,
    quote: Quote,
    now: datetime,
    *,
    has_watchers: bool = True,
    **data: object,
) -> None:
    """Write an event of a quote, and tell those who wait for it.

    Args:
        has_watchers: Whether any may do; it is known where `is_watched` was asked under the lock.
    """
    record(
        actor,
        verb,
        kind=KIND,
        object_id=quote.id,
        number=quote.number,
        account_id=quote.account_id,
        now=now,
        revision=quote.revision,
        **data,
    )
    for watcher in _watchers if has_watchers else ():
        watcher(actor, verb, quote, now)


def check_line_quantity(line: QuoteLine) -> None:
    """Refuse a quantity that the product is not sold in; other units have no pack of their own."""
    if line.uom != line.product.uom:
        return
    wrong = check_quantity(line.product, line.quantity)
    if wrong is not None:
        raise wrong


def note_prices(actor: Actor, quote: Quote, now: datetime, *, seen: Collection[int]) -> Priced:
    """Price a draft and note the prices of the lines that its person has just changed."""
    db.session.flush()
    priced = price_draft(actor, quote.current, load_places(quote.account_id), now)
    changed = {
        (item.line.product_id, item.line.uom) for item in priced.lines if item.line.line_id in seen
    }
    for item in priced.lines:
        if (item.line.product_id, item.line.uom) in changed:
            item.line.seen_price = item.resolution.unit_price
    return priced
