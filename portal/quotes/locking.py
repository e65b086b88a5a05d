"""Reading quotes for steps that hold their lock: each row once, and no more than the step needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Select, and_, bindparam, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Account
from portal.accounts.queries import account_columns, parents_of
from portal.approvals.models import ApprovalRun
from portal.approvals.queries import Proof, last_comment, make_proof, proof_columns
from portal.catalog.models import Product
from portal.catalog.queries import is_visible
from portal.db import KEPT, db
from portal.db import lock as locked
from portal.policy import Actor
from portal.quotes.guarding import is_watched
from portal.quotes.models import Quote, QuoteLine, QuoteOpening, QuoteRevision
from portal.quotes.queries import WITH_REQUESTERS, QuoteNotFoundError, visible_to
from portal.quotes.rules import KIND

_MOST_ACTORS: Final = 512


def locking(quote: Select[int]) -> Select[Quote]:
    """Lock the quote whose id is selected, between its account and its orders; without revision."""
    wanted = select(Quote).where(Quote.id.in_(quote))
    return locked(wanted.prefix_with(KEPT, dialect="postgresql"))


@dataclass(frozen=True, slots=True)
class Held:
    """A locked quote with its current revision, lines, products and their categories.

    ``is_opened`` says that it is what the actor opened last. ``seen`` are those of its products
    that the actor's catalogue holds.
    """

    quote: Quote
    account: Account
    units: Mapping[int, int | None]
    is_opened: bool
    seen: frozenset[int]


def hold(actor: Actor, number: str) -> Held:
    """Lock a quote that an actor sees, then read it whole: of which there is one, and its lines.

    Raises:
        QuoteNotFoundError: No such quote within the actor's reach.
    """
    quote = db.session.scalar(_seen_quote(actor), {"number": number})
    if quote is None:
        raise QuoteNotFoundError(number=number)
    asked = {"quote": quote.id, "number": quote.revision, "membership": actor.membership_id}
    found = db.session.execute(_head(), asked).unique().one()
    revision, opened, account, units = found
    rows = db.session.execute(_held_lines(actor), {"revision": revision.id}).all()
    set_committed_value(revision, "lines", [line for line, _is_seen in rows])
    set_committed_value(revision, "quote", quote)
    set_committed_value(quote, "current", revision)
    seen = frozenset(line.product_id for line, is_seen in rows if is_seen)
    return Held(quote, account, parents_of(units), opened == quote.id, seen)


@lru_cache(maxsize=_MOST_ACTORS)
def _seen_quote(actor: Actor) -> Select[Quote]:
    statement = visible_to(actor).where(Quote.number == bindparam("number"))
    return locked(statement.prefix_with(KEPT, dialect="postgresql"))


@cache
def _head() -> Select[*tuple[Any, ...]]:
    """Select a revision with its requesters, what its reader opened last, and the account."""
    opened = select(QuoteOpening.quote_id).where(
        QuoteOpening.membership_id == bindparam("membership", type_=BigInteger)
    )
    return (
        select(QuoteRevision, opened.scalar_subquery(), *account_columns())
        .join(Account, Account.id == QuoteRevision.account_id)
        .where(
            QuoteRevision.quote_id == bindparam("quote"),
            QuoteRevision.number == bindparam("number"),
        )
        .options(WITH_REQUESTERS)
        .prefix_with(KEPT, dialect="postgresql")
        .execution_options(populate_existing=True)
    )


@lru_cache(maxsize=_MOST_ACTORS)
def _held_lines(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select lines with their products, and whether the actor's catalogue holds these."""
    return (
        select(QuoteLine, is_visible(actor).label("is_seen"))
        .join(QuoteLine.product)
        .outerjoin(Product.category)
        .where(QuoteLine.revision_id == bindparam("revision"))
        .order_by(QuoteLine.position)
        .options(contains_eager(QuoteLine.product).contains_eager(Product.category))
        .prefix_with(KEPT, dialect="postgresql")
        .execution_options(populate_existing=True)
    )


def load_content(
    quote: Quote, revision_id: int | None = None
) -> tuple[QuoteRevision, Proof | None]:
    """Return a revision of a locked quote with its lines, and the proof of its approval.

    Products are left out: what is ordered is what was approved.

    Args:
        quote: Locked, and by that the only reason for which its revision could change.
        revision_id: Another revision than the current one.
    """
    found = _content(by_id=revision_id is not None)
    asked = {"quote": quote.id, "wanted": revision_id or quote.revision}
    revision, *proof = db.session.execute(found, asked).one()
    set_committed_value(revision, "quote", quote)
    if revision.number == quote.revision:
        set_committed_value(quote, "current", revision)
    return revision, make_proof(*proof)


@cache
def _content(*, by_id: bool) -> Select[*tuple[Any, ...]]:
    """Select a revision of a quote by its id, or by its number, beside its proof."""
    wanted = QuoteRevision.id if by_id else QuoteRevision.number
    return (
        select(QuoteRevision, *proof_columns())
        .outerjoin(
            ApprovalRun, and_(ApprovalRun.kind == KIND, ApprovalRun.subject_id == QuoteRevision.id)
        )
        .where(QuoteRevision.quote_id == bindparam("quote"), wanted == bindparam("wanted"))
        .options(selectinload(QuoteRevision.lines))
        .prefix_with(KEPT, dialect="postgresql")
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What a message about a quote says besides the quote: a comment, and days by the zone.

    ``is_watched`` says whether anything may wait for how it ends.
    """

    zone: str
    comment: str = ""
    is_watched: bool = True


def get_decided(revision_id: int) -> tuple[Quote, Said]:
    """Return the quote of a revision that was decided, with its current revision and no lines.

    The quote is locked already. With it comes what the decision said.
    """
    found = db.session.execute(_decided(), {"revision": revision_id})
    quote, zone, comment, has_watchers = found.unique().one()
    set_committed_value(quote.current, "quote", quote)
    return quote, Said(zone, comment or "", bool(has_watchers))


@cache
def _decided() -> Select[*tuple[Any, ...]]:
    """Select the quote of a revision, its account's zone, what was said last, who waits for it."""
    comment = last_comment(KIND, bindparam("revision")).scalar_subquery()
    return (
        select(Quote, Account.time_zone, comment, is_watched())
        .join(QuoteRevision, QuoteRevision.quote_id == Quote.id)
        .join(Account, Account.id == Quote.account_id)
        .where(QuoteRevision.id == bindparam("revision"))
        .options(joinedload(Quote.current, innerjoin=True).options(WITH_REQUESTERS))
        .prefix_with(KEPT, dialect="postgresql")
        .execution_options(populate_existing=True)
    )


def find_said(quote: Quote) -> Said:
    """Return the account's zone, and what the last decision about the current revision said."""
    comment = last_comment(KIND, quote.current.id).scalar_subquery()
    statement = select(Account.time_zone, comment).where(Account.id == quote.account_id)
    zone, text = db.session.execute(statement).one()
    return Said(zone, text or "")


def find_quantities(revision_id: int) -> dict[int, Decimal]:
    """Return line id -> quantity of a revision, for the portal itself."""
    statement = select(QuoteLine.line_id, QuoteLine.quantity)
    return dict(db.session.execute(statement.where(QuoteLine.revision_id == revision_id)).all())
