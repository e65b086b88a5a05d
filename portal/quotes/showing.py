"""Reading one revision for its page: with everything that the page says besides, nothing locked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Select, String, and_, bindparam, cast, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Account, Membership, Person
from portal.accounts.queries import account_columns, parents_of
from portal.catalog.models import Product
from portal.catalog.queries import is_visible
from portal.catalog.stock.queries import join_availability, make_availability
from portal.catalog.stock.rules import Availability
from portal.db import KEPT, db
from portal.policy import Actor
from portal.quotes.lines import DRAFT_COLUMNS, FROZEN_COLUMNS, LineRow, make_line
from portal.quotes.models import Quote, QuoteLine, QuoteOpening, QuoteRequester, QuoteRevision
from portal.quotes.queries import QuoteNotFoundError, visible_to
from portal.quotes.rules import QuoteStatus
from portal.quotes.surroundings import Surroundings, find_surroundings

_MOST_ACTORS: Final = 512
_OF_REVISION: Final = QuoteLine.revision_id == bindparam("revision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A revision with its quote, lines and products, and what its page says of the people.

    Of a draft ``seen`` are the products that the actor's catalogue holds today, ``stock`` is what
    there is of them, and ``around`` is what else its page shows. The lines are rows: the revision
    itself has none loaded.
    """

    revision: QuoteRevision
    account: Account
    units: Mapping[int, int | None]
    owner: str
    requester_ids: frozenset[int]
    is_opened: bool
    lines: Sequence[LineRow] = ()
    seen: frozenset[int] = frozenset()
    stock: Mapping[int, Availability] = field(default_factory=dict)
    around: Surroundings | None = None

    @property
    def quote(self) -> Quote:
        """The quote that the revision is one of."""
        return self.revision.quote


class RevisionRow(NamedTuple):
    """One revision in the list of them."""

    number: int
    status: QuoteStatus
    submitted_at: datetime | None
    net_total: Decimal | None


def get_shown(actor: Actor, number: str, now: datetime, revision: int | None = None) -> Shown:
    """Return one revision (default: the current one) in two statements, a draft in three.

    Raises:
        QuoteNotFoundError: No such quote or revision within the actor's reach.
    """
    asked = {"number": number, "revision": revision}
    found = db.session.execute(_head(actor), asked).one_or_none()
    if found is None:
        raise QuoteNotFoundError(number=number)
    quote, shown, owner, people, opened, account, units = found
    set_committed_value(shown, "quote", quote)
    head = Shown(
        revision=shown,
        account=account,
        units=parents_of(units),
        owner=owner or "",
        requester_ids=frozenset(map(int, people.split(","))) if people else frozenset(),
        is_opened=opened == quote.id,
    )
    if not shown.is_draft:
        return _with_lines(head)
    around = find_surroundings(quote, account, head.units, now)
    return _with_draft_lines(actor, replace(head, around=around))


@lru_cache(maxsize=_MOST_ACTORS)
def _head(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the quote as far as ``actor`` sees it, with everything of which there is one."""
    number: Any = bindparam("number")
    revision: Any = bindparam("revision", type_=BigInteger)
    quote = aliased(Quote, visible_to(actor).where(Quote.number == number).subquery())
    people = select(func.aggregate_strings(cast(QuoteRequester.person_id, String), ",")).where(
        QuoteRequester.revision_id == QuoteRevision.id
    )
    opened = select(QuoteOpening.quote_id).where(
        QuoteOpening.membership_id == actor.membership_id,
        QuoteOpening.account_id == actor.account_id,
    )
    wanted = func.coalesce(revision, quote.revision)
    return (
        select(
            quote,
            QuoteRevision,
            Person.name,
            people.scalar_subquery(),
            opened.scalar_subquery(),
            *account_columns(),
        )
        .join(
            QuoteRevision,
            and_(QuoteRevision.quote_id == quote.id, QuoteRevision.number == wanted),
        )
        .join(Account, Account.id == quote.account_id)
        .outerjoin(Membership, Membership.id == quote.membership_id)
        .outerjoin(Person, Person.id == Membership.person_id)
        .prefix_with(KEPT, dialect="postgresql")
    )


def _with_lines(head: Shown) -> Shown:
    rows = db.session.execute(_frozen_lines(), {"revision": head.revision.id})
    return replace(head, lines=[make_line(row) for row in rows])


@cache
def _frozen_lines() -> Select[*tuple[Any, ...]]:
    return _lines(FROZEN_COLUMNS)


def _with_draft_lines(actor: Actor, head: Shown) -> Shown:
    lines: list[LineRow] = []
    seen: set[int] = set()
    stock: dict[int, Availability] = {}
    for *columns, is_seen, on_hand, reserved, expected_on in db.session.execute(
        _draft_lines(actor), {"revision": head.revision.id}
    ):
        line = make_line(columns)
        lines.append(line)
        if is_seen:
            seen.add(line.product.id)
        if on_hand is not None:
            stock[line.product.id] = make_availability(on_hand, reserved, expected_on)
    return replace(head, lines=lines, seen=frozenset(seen), stock=stock)


@lru_cache(maxsize=_MOST_ACTORS)
def _draft_lines(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the lines of a draft, whether the actor's catalogue holds them, and their stock."""
    statement = _lines((*DRAFT_COLUMNS, is_visible(actor).label("is_seen")))
    return join_availability(statement, select(QuoteLine.product_id).where(_OF_REVISION))


def _lines(columns: Sequence[Any]) -> Select[*tuple[Any, ...]]:
    """Select the lines of a revision in order, with their products and categories."""
    return (
        select(*columns)
        .select_from(QuoteLine)
        .join(QuoteLine.product)
        .outerjoin(Product.category)
        .where(_OF_REVISION)
        .order_by(QuoteLine.position)
        .prefix_with(KEPT, dialect="postgresql")
    )


def find_revisions(quote: Quote) -> Sequence[RevisionRow]:
    """Return all revisions of a quote that the actor may see, the newest first."""
    revision = QuoteRevision
    columns = (revision.number, revision.status, revision.submitted_at, revision.net_total)
    rows = db.session.execute(
        select(*columns).where(revision.quote_id == quote.id).order_by(revision.number.desc())
    )
    return [RevisionRow._make(row) for row in rows]
