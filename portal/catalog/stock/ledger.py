"""The ledger's own ground: levels and reservations under lock, and the lines that note moves."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from portal.catalog.stock.models import StockLevel, StockMove, StockReservation
from portal.catalog.stock.rules import NONE, MoveKind, Store, Subject, store_of
from portal.db import db, in_pages, lock
from portal.policy import Actor

PAGE: Final = 1_000
Place = tuple[int, str]
"""Product id and location code."""


def lock_products(product_ids: Iterable[int], store: Store) -> dict[int, list[StockLevel]]:
    """Lock what is kept of some products in one store, in the order of products and locations."""
    found: dict[int, list[StockLevel]] = {}
    for page in in_pages(sorted(set(product_ids)), PAGE):
        statement = (
            select(StockLevel)
            .where(StockLevel.product_id.in_(page), StockLevel.store == store)
            .order_by(StockLevel.product_id, StockLevel.location_code)
        )
        for level in db.session.scalars(lock(statement)):
            found.setdefault(level.product_id, []).append(level)
    return found


def lock_places(places: Iterable[Place]) -> dict[Place, StockLevel]:
    """Lock the levels of some places, making those that are not there yet, with nothing on hand."""
    wanted = sorted(set(places))
    _insert_missing(wanted)
    found: dict[Place, StockLevel] = {}
    for page in in_pages(wanted, PAGE):
        statement = (
            select(StockLevel)
            .where(tuple_(StockLevel.product_id, StockLevel.location_code).in_(page))
            .order_by(StockLevel.product_id, StockLevel.location_code)
        )
        for level in db.session.scalars(lock(statement)):
            found[level.product_id, level.location_code] = level
    return found


def _insert_missing(places: Iterable[Place]) -> None:
    """Insert the levels that are not there; whoever comes second finds those of the first."""
    is_sqlite = db.session().get_bind().dialect.name == "sqlite"
    statement = (sqlite_insert if is_sqlite else postgresql_insert)(StockLevel)
    for page in in_pages(places, PAGE):
        rows = [
            {
                "product_id": product_id,
                "location_code": code,
                "store": store_of(code),
                "on_hand": NONE,
            }
            for product_id, code in page
        ]
        db.session.execute(statement.on_conflict_do_nothing(), rows)


def lock_reservations(
    subject: Subject, product_ids: Iterable[int], store: Store
) -> dict[int, StockReservation]:
    """Lock what is kept of some products for a subject, by product id."""
    kind, key = subject
    wanted = sorted(product_ids)
    if not wanted:
        return {}
    statement = select(StockReservation).where(
        StockReservation.subject_kind == kind,
        StockReservation.subject_id == key,
        StockReservation.store == store,
        StockReservation.product_id.in_(wanted),
    )
    return {item.product_id: item for item in db.session.scalars(lock(statement))}


def note_move(  # noqa: PLR0913 - the columns of the ledger, all named at the call
    kind: MoveKind,
    product_id: int,
    store: Store,
    now: datetime,
    *,
    on_hand_change: Decimal = NONE,
    reserved_change: Decimal = NONE,
    location: str | None = None,
    subject: Subject | None = None,
    reason: str = "",
    actor: Actor | None = None,
    key: str | None = None,
) -> None:
    """Write one line of the ledger; ``key`` names the form that it came from."""
    db.session.add(  # written with the next flush, many at a time
        StockMove(
            kind=kind,
            product_id=product_id,
            store=store,
            location_code=location,
            on_hand_change=on_hand_change,
            reserved_change=reserved_change,
            subject_kind=subject[0] if subject else None,
            subject_id=subject[1] if subject else None,
            reason=reason,
            person_id=actor.person_id if actor else None,
            form_key=key,
            moved_at=now,
        )
    )
