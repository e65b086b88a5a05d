"""What the requesters of a quote submitted otherwise: rules may look at some days together."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import BigInteger, BindParameter, Select, bindparam, func, select

from portal.db import db
from portal.money import EXACT
from portal.quotes.models import Quote, QuoteRequester, QuoteRevision
from portal.quotes.rules import UNCOUNTED


@dataclass(frozen=True, slots=True)
class Submitted:
    """One other submission of a requester."""

    submitted_at: datetime
    net_total: Decimal
    gross_total: Decimal | None


def find_submitted(
    account_id: int, person_ids: Collection[int], *, except_quote: int, since: datetime
) -> list[Submitted]:
    """Return the last submission of each other quote of some requesters since an instant.

    Those rejected, withdrawn or expired are left out.
    """
    asked = {
        "account": account_id,
        "people": sorted(person_ids),
        "quote": except_quote,
        "since": since,
    }
    return [
        Submitted(at, net, gross)
        for at, net, gross in db.session.execute(_submitted(), asked).all()
        if at is not None and net is not None
    ]


@cache
def _submitted() -> Select[datetime | None, Decimal | None, Decimal | None]:
    account: BindParameter[int] = bindparam("account")
    people: BindParameter[int] = bindparam("people", type_=BigInteger, expanding=True)
    last = (
        select(func.max(QuoteRevision.number))
        .where(
            QuoteRevision.quote_id == Quote.id,
            QuoteRevision.submitted_at.is_not(None),
        )
        .correlate(Quote)
        .scalar_subquery()
    )
    theirs = select(QuoteRequester.revision_id).where(
        QuoteRequester.account_id == account, QuoteRequester.person_id.in_(people)
    )
    return (
        select(QuoteRevision.submitted_at, QuoteRevision.net_total, QuoteRevision.gross_total)
        .join(Quote, Quote.id == QuoteRevision.quote_id)
        .where(
            Quote.account_id == account,
            Quote.id != bindparam("quote"),
            QuoteRevision.number == last,
            QuoteRevision.submitted_at > bindparam("since"),
            QuoteRevision.status.not_in(sorted(UNCOUNTED)),
            QuoteRevision.id.in_(theirs),
        )
    )


Total = Callable[[Submitted], Decimal]


def add_up(submitted: Iterable[Submitted], since: datetime, total: Total) -> Decimal:
    """Return the sum of those submitted after ``since``."""
    amount = Decimal(0)
    for item in submitted:
        if item.submitted_at > since:
            amount = EXACT.add(amount, total(item))
    return amount
