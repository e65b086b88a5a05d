"""How many quotes a change of prices would touch."""

from collections.abc import Collection

from sqlalchemy import func, select

from portal.accounts.models import Account
from portal.db import db
from portal.quotes.models import Quote
from portal.quotes.rules import QuoteStatus

UNPRICED = frozenset({QuoteStatus.DRAFT})
"""States in which a quote shows today's prices; from submission on it keeps its own."""


def count_open_quotes(account_codes: Collection[str]) -> int:
    """Return how many drafts of these accounts a newly published price would change."""
    statement = (
        select(func.count())
        .select_from(Quote)
        .join(Account, Account.id == Quote.account_id)
        .where(Account.code.in_(sorted(account_codes)), Quote.status.in_(UNPRICED))
    )
    return db.session.scalar(statement) or 0
