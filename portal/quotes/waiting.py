"""What of the quotes waits for somebody: figures for the start page, and what ends soon."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, select

from portal.db import db
from portal.policy import Actor
from portal.quotes.models import Quote
from portal.quotes.queries import QuoteRow, row_of, visible_rows, visible_to
from portal.quotes.rules import TAB_STATES, QuoteStatus, Tab

SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a person's home says about quotes."""

    drafts: int
    in_approval: int
    approved: int
    returned: int
    expiring: int


def count_for_home(actor: Actor, now: datetime) -> Counts:
    """Return what the home page says, in one statement."""
    visible = visible_to(actor).subquery()

    def among(states: Collection[QuoteStatus], *further: ColumnElement[bool]) -> ColumnElement[int]:
        held = and_(visible.c.status.in_(sorted(states)), *further)
        return func.coalesce(func.sum(case((held, 1), else_=0)), 0)

    open_states = TAB_STATES[Tab.APPROVED]
    ends_soon = visible.c.valid_until.between(now, now + SOON)
    row = db.session.execute(
        select(
            among({QuoteStatus.DRAFT}),
            among({QuoteStatus.IN_APPROVAL}),
            among(open_states),
            among(TAB_STATES[Tab.RETURNED]),
            among(open_states | {QuoteStatus.IN_APPROVAL}, ends_soon),
        )
    ).one()
    return Counts(
        drafts=int(row[0]),
        in_approval=int(row[1]),
        approved=int(row[2]),
        returned=int(row[3]),
        expiring=int(row[4]),
    )


def find_expiring(actor: Actor, now: datetime, *, limit: int = 5) -> list[QuoteRow]:
    """Return the quotes within reach that end soonest within a week."""
    statement = (
        visible_rows(actor)
        .where(
            Quote.status.in_(sorted(TAB_STATES[Tab.APPROVED] | {QuoteStatus.IN_APPROVAL})),
            Quote.valid_until.between(now, now + SOON),
        )
        .order_by(Quote.valid_until, Quote.id)
        .limit(limit)
    )
    return [row_of(*found) for found in db.session.execute(statement).all()]
