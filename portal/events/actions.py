"""Writing the record: `record` inside an action's transaction, sealed last before its commit."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import groupby

from sqlalchemy import Select, bindparam, insert, select

from portal.db import KEPT, before_commit, db, lock, on_rollback, table_of
from portal.events.models import Event, EventHead
from portal.events.rules import GENESIS, EventFacts, chain_hash
from portal.policy import Actor

PENDING = "pending_events"


def record(  # noqa: PLR0913 - an event has this many parts, all named at the call
    actor: Actor | None,
    verb: str,
    *,
    kind: str,
    object_id: int | None,
    number: str = "",
    account_id: int,
    now: datetime,
    **data: object,
) -> None:
    """Note that ``actor`` did ``verb`` to an object, in the transaction that is under way.

    Args:
        actor: Who did it; ``None`` for the portal itself (an expiry, an automatic approval).
        verb: ``noun.past-participle``, for example ``quote.submitted``.
        kind: Kind of the object, for example ``quote``.
        number: The object's printed number or code.
        account_id: Whose chain the event belongs to.
        now: When it happened (aware).
        data: Ids and figures; decimals become text. Never names or e-mail addresses.
    """
    pending: list[EventFacts] = db.session().info.setdefault(PENDING, [])
    pending.append(
        EventFacts(
            account_id=account_id,
            occurred_at=now,
            verb=verb,
            kind=kind,
            object_id=object_id,
            number=number,
            person_id=actor.person_id if actor else None,
            membership_id=actor.membership_id if actor else None,
            operator=actor.operator if actor else "portal",
            data={name: _plain(value) for name, value in data.items()},
        )
    )


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value


def _seal() -> None:
    """Append the pending events to their chains, one account after the other in fixed order."""
    session = db.session()
    pending: list[EventFacts] = session.info.pop(PENDING, [])
    by_account = sorted(pending, key=lambda facts: facts.account_id)
    for account_id, group in groupby(by_account, key=lambda facts: facts.account_id):
        _append(account_id, group)


@cache
def _head() -> Select[int, str]:
    """Select the head of a chain and lock it."""
    own = EventHead.account_id == bindparam("account")
    head = lock(select(EventHead.sequence, EventHead.hash).where(own))
    return head.prefix_with(KEPT, dialect="postgresql")


def _append(account_id: int, group: Iterable[EventFacts]) -> None:
    session = db.session()
    head = session.execute(_head(), {"account": account_id}).one_or_none()
    sequence, last_hash = (0, GENESIS) if head is None else head
    rows = []
    for facts in group:
        previous, sequence = last_hash, sequence + 1
        last_hash = chain_hash(previous, sequence, facts)
        rows.append(
            {
                "account_id": account_id,
                "sequence": sequence,
                "occurred_at": facts.occurred_at,
                "verb": facts.verb,
                "kind": facts.kind,
                "object_id": facts.object_id,
                "number": facts.number,
                "person_id": facts.person_id,
                "membership_id": facts.membership_id,
                "operator": facts.operator,
                "data": facts.data,
                "previous_hash": previous,
                "hash": last_hash,
            }
        )
    # The table, not the class: the class would write rows with and without a number apart.
    # The head follows by itself, by a trigger.
    session.execute(insert(table_of(Event)), rows)


def _mark() -> Callable[[], None]:
    """Remember how many events are pending, so that a failed savepoint takes its own back."""
    session = db.session()
    length = len(session.info.get(PENDING, []))

    def undo() -> None:
        del session.info.setdefault(PENDING, [])[length:]

    return undo


before_commit(_seal)
on_rollback(_mark)
