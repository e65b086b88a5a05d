"""What happens to stock: goods are reserved, released and issued; received and counted.

The first three are parts of what happens to an order or a repair, whose event says so; each writes
its line of the ledger. Levels are locked last, after account, quote, approval, order and case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.catalog.models import Product
from portal.catalog.queries import ProductNotFoundError
from portal.catalog.stock.ledger import lock_places, lock_products, lock_reservations, note_move
from portal.catalog.stock.models import StockLevel, StockMove, StockReservation
from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import (
    KIND,
    NONE,
    CountedQuantityError,
    MoveKind,
    NotEnoughStockError,
    ReasonNeededError,
    Reserved,
    StockMovedError,
    StockQuantityError,
    Store,
    Subject,
    draw,
    reserve_from,
    spread,
    store_of,
)
from portal.db import db, transaction
from portal.events.actions import record
from portal.policy import Actor, Permission

MOST: Final = Decimal(999_999_999)


def reserve(
    subject: Subject,
    wants: Mapping[int, Decimal],
    *,
    now: datetime,
    store: Store = Store.SALE,
    actor: Actor | None = None,
) -> dict[int, Reserved]:
    """Reserve goods for a subject, on top of what it has; what is not there is on back-order.

    Args:
        wants: Product id -> quantity above zero in the product's own unit of measure.
        actor: Whom the ledger names.

    Returns:
        By product id what lies there for it. Products for which no stock is kept are left out.
    """
    with transaction():
        levels = lock_products(wants, store)
        before = find_availability(levels, store=store)
        held = lock_reservations(subject, levels, store)
        answers: dict[int, Reserved] = {}
        for product_id in sorted(levels):
            wanted = wants[product_id]
            if wanted <= 0:
                raise StockQuantityError
            answers[product_id] = reserve_from(before[product_id], wanted)
            _keep(subject, product_id, wanted, held.get(product_id), store, now)
            note_move(
                MoveKind.RESERVED, product_id, store, now,
                reserved_change=wanted, subject=subject, actor=actor,
            )  # fmt: skip
        db.session.flush()
    return answers


def release(
    subject: Subject,
    *,
    now: datetime,
    quantities: Mapping[int, Decimal] | None = None,
    store: Store = Store.SALE,
    actor: Actor | None = None,
) -> dict[int, Decimal]:
    """Give back what is reserved for a subject: all of it, or at most some quantities.

    Returns:
        What was given back, by product id.
    """
    with transaction():
        wanted = _wanted_ids(subject, quantities, store)
        levels = lock_products(wanted, store)
        given: dict[int, Decimal] = {}
        for product_id, kept in sorted(lock_reservations(subject, levels, store).items()):
            part = (
                kept.quantity if quantities is None else min(quantities[product_id], kept.quantity)
            )
            if part > 0:
                _lessen(kept, part)
                given[product_id] = part
                note_move(
                    MoveKind.RELEASED, product_id, store, now,
                    reserved_change=-part, subject=subject, actor=actor,
                )  # fmt: skip
        db.session.flush()
    return given


def issue(
    subject: Subject,
    quantities: Mapping[int, Decimal],
    *,
    now: datetime,
    store: Store = Store.SALE,
    actor: Actor | None = None,
) -> None:
    """Take goods out for a subject; its reservation shrinks by what leaves.

    Args:
        quantities: Product id -> quantity in the product's own unit of measure. Products for which
            no stock is kept leave without a line of the ledger.

    Raises:
        NotEnoughStockError: Less is on hand; then nothing leaves.
    """
    with transaction():
        levels = lock_products(quantities, store)
        held = lock_reservations(subject, levels, store)
        for product_id in sorted(levels):
            _issue(
                subject,
                levels[product_id],
                quantities[product_id],
                held.get(product_id),
                now,
                actor,
            )
        db.session.flush()


def give_back(
    subject: Subject,
    quantities: Mapping[int, Decimal],
    *,
    location_code: str,
    now: datetime,
    actor: Actor | None = None,
) -> None:
    """Put goods that were issued for a subject back to a location."""
    with transaction():
        places = {(product_id, location_code): part for product_id, part in quantities.items()}
        for place, level in lock_places(places).items():
            _add(level, places[place])
            note_move(
                MoveKind.RECEIVED, level.product_id, level.store, now,
                on_hand_change=places[place], location=location_code, subject=subject, actor=actor,
            )  # fmt: skip
        db.session.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What somebody says of one product at one location; ``seen`` is the level's mark before."""

    on_hand: Decimal
    expected_on: date | None = None
    reorder_level: Decimal | None = None
    seen: str | None = None


def receive_stock(  # noqa: PLR0913 - what a receipt says, all named at the call
    actor: Actor,
    sku: str,
    location_code: str,
    quantity: Decimal,
    *,
    note: str = "",
    key: str | None = None,
    now: datetime,
) -> None:
    """Take goods in at a location; the same form sent again moves nothing.

    Raises:
        NotAllowedError: The actor may not change stock.
        ProductNotFoundError: No product has this SKU.
        StockQuantityError: The quantity can't be received.
    """
    _must_save(actor, location_code)
    if not (0 < quantity <= MOST) or quantity != round(quantity, 3):
        raise StockQuantityError
    with transaction():
        product = _product(sku)
        [level] = lock_places([(product.id, location_code)]).values()
        if key and db.session.scalar(select(StockMove.id).where(StockMove.form_key == key)):
            return
        _add(level, quantity)
        if _is_due(level, actor, now):
            level.expected_on = None
        note_move(
            MoveKind.RECEIVED, product.id, level.store, now,
            on_hand_change=quantity, location=location_code, reason=note, actor=actor, key=key,
        )  # fmt: skip
        _record(actor, product, "stock.received", now, location=location_code, quantity=quantity)


def correct_stock(
    actor: Actor, sku: str, location_code: str, count: Count, *, reason: str, now: datetime
) -> None:
    """Set what was counted at a location, when more is expected and when to reorder.

    Raises:
        NotAllowedError: The actor may not change stock.
        ProductNotFoundError: No product has this SKU.
        CountedQuantityError, ReasonNeededError: What was typed can't be used.
        StockMovedError: The level changed since the form was opened.
    """
    _must_save(actor, location_code)
    if not (0 <= count.on_hand <= MOST) or count.on_hand != round(count.on_hand, 3):
        raise CountedQuantityError
    with transaction():
        product = _product(sku)
        [level] = lock_places([(product.id, location_code)]).values()
        if count.seen not in {None, level.mark}:
            raise StockMovedError(location=location_code, on_hand=_plain(level.on_hand))
        change = count.on_hand - level.on_hand
        if change and not reason.strip():
            raise ReasonNeededError
        if set_level(level, count, now=now, reason=reason.strip(), actor=actor):
            _record(
                actor, product, "stock.corrected", now, location=location_code,
                on_hand=count.on_hand, change=change, reorder_level=count.reorder_level,
            )  # fmt: skip


def _must_save(actor: Actor, location_code: str) -> None:
    """Raise `NotAllowedError` unless the actor may change stock there; the workshop has its own."""
    if store_of(location_code) is Store.REPAIR and actor.can(Permission.PART_SAVE):
        return
    actor.must(Permission.STOCK_SAVE)


def set_level(
    level: StockLevel, count: Count, *, now: datetime, reason: str, actor: Actor | None
) -> bool:
    """Set a locked level to what was counted, with its line of the ledger; say if it changed."""
    change = count.on_hand - level.on_hand
    plan = (count.expected_on, count.reorder_level)
    is_changed = bool(change) or (level.expected_on, level.reorder_level) != plan
    level.expected_on, level.reorder_level = plan
    if change:
        level.on_hand = count.on_hand
        note_move(
            MoveKind.COUNTED, level.product_id, level.store, now,
            on_hand_change=change, location=level.location_code, reason=reason, actor=actor,
        )  # fmt: skip
    return is_changed


def _issue(
    subject: Subject,
    levels: list[StockLevel],
    quantity: Decimal,
    kept: StockReservation | None,
    now: datetime,
    actor: Actor | None,
) -> None:
    if quantity <= 0:
        raise StockQuantityError
    by_code = {level.location_code: level for level in levels}
    on_hand = sum((level.on_hand for level in levels), NONE)
    if quantity > on_hand:
        product = db.session.get_one(Product, levels[0].product_id)
        raise NotEnoughStockError(sku=product.sku, wanted=_plain(quantity), on_hand=_plain(on_hand))
    parts = draw([(code, level.on_hand) for code, level in by_code.items()], quantity)
    from_reserved = min(kept.quantity, quantity) if kept is not None else NONE
    shares = spread(from_reserved, (part for _code, part in parts))
    for (code, part), share in zip(parts, shares, strict=True):
        level = by_code[code]
        level.on_hand -= part
        note_move(
            MoveKind.ISSUED, level.product_id, level.store, now, location=code,
            on_hand_change=-part, reserved_change=-share, subject=subject, actor=actor,
        )  # fmt: skip
    if kept is not None:
        _lessen(kept, from_reserved)


def _wanted_ids(
    subject: Subject, quantities: Mapping[int, Decimal] | None, store: Store
) -> list[int]:
    if quantities is not None:
        return sorted(quantities)
    kind, key = subject
    statement = select(StockReservation.product_id).where(
        StockReservation.subject_kind == kind,
        StockReservation.subject_id == key,
        StockReservation.store == store,
    )
    return sorted(db.session.scalars(statement))


def _keep(
    subject: Subject,
    product_id: int,
    wanted: Decimal,
    kept: StockReservation | None,
    store: Store,
    now: datetime,
) -> None:
    if kept is not None:
        kept.quantity += wanted
        return
    kind, key = subject
    db.session.add(
        StockReservation(
            subject_kind=kind,
            subject_id=key,
            product_id=product_id,
            store=store,
            quantity=wanted,
            reserved_at=now,
        )
    )


def _lessen(kept: StockReservation, part: Decimal) -> None:
    if kept.quantity == part:
        db.session.delete(kept)
    else:
        kept.quantity -= part


def _add(level: StockLevel, quantity: Decimal) -> None:
    if quantity <= 0:
        raise StockQuantityError
    level.on_hand += quantity


def _is_due(level: StockLevel, actor: Actor, now: datetime) -> bool:
    """Whether the goods that were expected are those that arrive now."""
    today = now.astimezone(ZoneInfo(actor.time_zone)).date()
    return level.expected_on is not None and level.expected_on <= today


def _product(sku: str) -> Product:
    product = db.session.scalar(select(Product).where(Product.sku == sku))
    if product is None:
        raise ProductNotFoundError(sku=sku)
    return product


def _record(actor: Actor, product: Product, verb: str, now: datetime, **data: object) -> None:
    record(
        actor,
        verb,
        kind=KIND,
        object_id=product.id,
        number=product.sku,
        account_id=actor.account_id,
        now=now,
        **data,
    )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"
