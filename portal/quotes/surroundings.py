"""What a draft needs of the account around it, in one statement: all of it is small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from portal.accounts.models import Account
from portal.accounts.rules import ancestors
from portal.approvals.population import Judges, make_judges, select_judges
from portal.bundles import Bundle, bundle
from portal.catalog.pricing.chains import Lists, make_lists, select_lists
from portal.catalog.pricing.charges import Charges, make_charges, select_charges
from portal.quotes.history import Happened, make_history, select_history
from portal.quotes.models import Quote
from portal.quotes.places import Places, make_places, select_places


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where lines may go, what holds for their prices, who would judge them, what happened."""

    places: Places
    charges: Charges
    lists: Lists
    judges: Judges
    history: Sequence[Happened]


def find_surroundings(
    quote: Quote,
    account: Account,
    units: Mapping[int, int | None],
    now: datetime,
    *,
    with_history: bool = True,
) -> Surroundings:
    """Return the surroundings of a quote, as they are at an instant.

    Args:
        with_history: A page says what happened; whoever submits does not ask.
    """
    places, charges, lists, judges, *history = _bundle(with_history=with_history).read(
        {
            "account": account.id,
            "currency": quote.currency,
            "unit_ids": sorted(ancestors(quote.unit_id, units)),
            "first": now,
            "last": now,
            "now": now,
            "quote": quote.id,
            "key_0": quote.id,
        }
    )
    return Surroundings(
        places=make_places(account, units, places),
        charges=make_charges(charges),
        lists=make_lists(lists),
        judges=make_judges(judges, quote.unit_id),
        history=make_history(history[0]) if history else (),
    )


@cache
def _bundle(*, with_history: bool) -> Bundle:
    parts = (select_places(), select_charges(), select_lists(), select_judges())
    return bundle(*parts, select_history()) if with_history else bundle(*parts)
