"""Reading the record: time lines of objects and the verification of the chains."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from portal.db import db
from portal.events.models import Event, EventHead
from portal.events.rules import GENESIS, chain_hash


@dataclass(frozen=True, slots=True)
class BrokenChain:
    """The first row at which an account's chain does not hold."""

    account_id: int
    sequence: int
    reason: str


def find_events(account_id: int, objects: Iterable[tuple[str, int]]) -> Sequence[Event]:
    """Return the events of some objects of one account, oldest first.

    The caller has made sure that the actor may see the objects: events add no rights of their own.
    """
    wanted = [and_(Event.kind == kind, Event.object_id == key) for kind, key in objects]
    if not wanted:
        return []
    statement = (
        select(Event)
        .where(Event.account_id == account_id, or_(*wanted))
        .order_by(Event.occurred_at, Event.sequence)
    )
    return db.session.scalars(statement).all()


def verify_chains() -> Iterator[BrokenChain]:
    """Yield the first broken row of each chain that does not hold; nothing where all hold."""
    heads = {head.account_id: head for head in db.session.scalars(select(EventHead))}
    accounts = set(db.session.scalars(select(Event.account_id).distinct())) | set(heads)
    for account_id in sorted(accounts):
        broken = _verify(account_id, heads.get(account_id))
        if broken:
            yield broken


def head_hashes() -> dict[int, str]:
    """Return the last hash of every chain, to be noted outside as an anchor."""
    return dict(db.session.execute(select(EventHead.account_id, EventHead.hash)).all())


def last_hashes(before: datetime) -> dict[int, str]:
    """Return the hash of the last row of every chain that was written before an instant."""
    last = (
        select(Event.account_id, func.max(Event.sequence).label("sequence"))
        .where(Event.occurred_at < before)
        .group_by(Event.account_id)
        .subquery()
    )
    statement = select(Event.account_id, Event.hash).join(
        last, and_(last.c.account_id == Event.account_id, last.c.sequence == Event.sequence)
    )
    return dict(db.session.execute(statement).all())


def has_hash(anchor: str) -> bool:
    """Whether some chain still contains the row with this hash."""
    return db.session.scalar(select(Event.id).where(Event.hash == anchor).limit(1)) is not None


def _verify(account_id: int, head: EventHead | None) -> BrokenChain | None:
    previous, expected = GENESIS, 0
    statement = select(Event).where(Event.account_id == account_id).order_by(Event.sequence)
    for event in db.session.scalars(statement.execution_options(yield_per=1000)):
        expected += 1
        if event.sequence != expected:
            return BrokenChain(account_id, expected, "the row is missing")
        if event.previous_hash != previous:
            return BrokenChain(
                account_id, expected, "it does not name the hash of the row before it"
            )
        if event.hash != chain_hash(previous, expected, event.facts):
            return BrokenChain(account_id, expected, "its content does not match its hash")
        previous = event.hash
    if head is None or head.sequence != expected or head.hash != previous:
        return BrokenChain(account_id, expected + 1, "the chain's head names another last row")
    return None
