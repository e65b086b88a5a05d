"""What waits for a person: read through the queries of the packages, so within their scope."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select

from portal.accounts.models import Membership, Person
from portal.approvals.queries import Box, InboxRow, find_inbox
from portal.catalog.pricing.ending import EndingAgreement, find_ending_agreements
from portal.db import db, in_pages
from portal.home.work import Group, Tile, find_tiles, find_work
from portal.jobs.queries import JobRow
from portal.orders.listing import OrderFilter, find_orders
from portal.orders.models import Order
from portal.orders.rules import Tab as OrderTab
from portal.policy import Actor, P
from portal.quotes.models import Quote
from portal.quotes.queries import (
    Filters,
    OpenDraft,
    QuoteRow,
    current_draft,
    find_quotes,
)
from portal.quotes.rules import SortBy
from portal.quotes.rules import Tab as QuoteTab
from portal.quotes.waiting import Counts, count_for_home, find_expiring

SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the start page shows; a part that the person's rights do not include is empty."""

    approvals: Sequence[InboxRow] = ()
    approvals_total: int = 0
    quotes: Counts | None = None
    draft: OpenDraft | None = None
    expiring: Sequence[QuoteRow] = ()
    recent: Sequence[QuoteRow] = ()
    orders: Sequence[Order] = ()
    tiles: Sequence[Tile] = ()
    work: Sequence[Group] = ()
    agreements: Sequence[EndingAgreement] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to go on with."""
        return not (
            self.approvals
            or self.recent
            or self.orders
            or self.draft
            or self.work
            or self.agreements
        )


def find_waiting(actor: Actor, now: datetime) -> Waiting:
    """Return what waits for ``actor``, in a constant number of statements."""
    approvals, total = _approvals(actor)
    reads_quotes, reads_orders = actor.can(P.QUOTE_READ), actor.can(P.ORDER_READ)
    return Waiting(
        approvals=approvals,
        approvals_total=total,
        quotes=count_for_home(actor, now) if reads_quotes else None,
        draft=current_draft(actor) if actor.can(P.QUOTE_SAVE) else None,
        expiring=find_expiring(actor, now, limit=SHOWN) if reads_quotes else (),
        recent=_recent_quotes(actor) if reads_quotes else (),
        orders=_orders(actor) if reads_orders else (),
        tiles=() if actor.is_supplier else find_tiles(actor, now),
        work=find_work(actor, now) if actor.is_supplier else (),
        agreements=_agreements(actor, now),
    )


def _approvals(actor: Actor) -> tuple[Sequence[InboxRow], int]:
    if not actor.can(P.APPROVAL_READ):
        return (), 0
    return find_inbox(actor, Box.WAITING, size=SHOWN)


def _agreements(actor: Actor, now: datetime) -> Sequence[EndingAgreement]:
    """Return what those who make prices should renew in time."""
    if not (actor.is_supplier and actor.can(P.PRICE_LIST_DRAFT)):
        return ()
    return find_ending_agreements(actor, now, limit=SHOWN)


def _recent_quotes(actor: Actor) -> Sequence[QuoteRow]:
    return find_quotes(
        actor, Filters(tab=QuoteTab.ACTIVE), sort=SortBy.CHANGED, descending=True, limit=SHOWN
    )


def _orders(actor: Actor) -> Sequence[Order]:
    """Return the orders to look at: those to confirm for the desk, the newest for everybody."""
    tab = OrderTab.PLACED if actor.can(P.ORDER_CONFIRM) else OrderTab.ALL
    return find_orders(actor, OrderFilter(tab=tab), limit=SHOWN)


def name_documents(rows: Sequence[JobRow]) -> list[JobRow]:
    """Return jobs with the number of the quote that each is about, in one statement."""
    ids = {row.job.payload["quote_id"] for row in rows if "quote_id" in row.job.payload}
    numbers: dict[int, str] = {}
    for page in in_pages(sorted(ids)):
        found = db.session.execute(select(Quote.id, Quote.number).where(Quote.id.in_(page)))
        numbers |= dict(found.all())
    return [replace(row, about=numbers.get(row.job.payload.get("quote_id", 0), "")) for row in rows]


def find_member_name(membership_id: int | None) -> str:
    """Return whose membership this is, as name and e-mail; nothing for the portal's own work."""
    if membership_id is None:
        return ""
    found = db.session.execute(
        select(Person.name, Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.id == membership_id)
    ).one_or_none()
    return f"{found[0]} ({found[1]})" if found else ""
