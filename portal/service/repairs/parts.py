"""Parts of a repair: reserved and used where an entitlement pays, else put on a quote first.

A part that costs something goes on one draft of the customer, who submits it as any quote; its
approval reserves the part. The order made from that quote is for the money: the goods leave the
workshop's own stock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from portal.accounts.queries import load_actor
from portal.catalog.models import Product
from portal.catalog.queries import find_products_by_sku
from portal.catalog.stock import actions as stock
from portal.catalog.stock.rules import Store
from portal.db import db, transaction
from portal.orders.stocking import lessen_workshop_share, lock_orders_of
from portal.policy import Actor, Permission
from portal.quotes.adding import put_on_draft, take_off_draft
from portal.quotes.models import Quote
from portal.quotes.queries import get_by_id as get_quote
from portal.quotes.rules import QuoteStatus
from portal.service.assets.queries import today
from portal.service.assets.rules import Cover, cover_of
from portal.service.cases.models import Case
from portal.service.cases.queries import get_by_id as get_case_by_id
from portal.service.cases.queries import get_case
from portal.service.repairs import queries
from portal.service.repairs.models import Repair, RepairPart
from portal.service.repairs.rules import (
    KIND,
    PARTS_CHANGE,
    VERBS,
    EstimateFixedError,
    Move,
    NoPayerError,
    PartGoneError,
    PartQuantityError,
    PartsNotChangeableError,
    PartStatus,
    RepairStatus,
    UnknownPartError,
    approved_parts,
    is_free,
)
from portal.service.repairs.telling import note_change, note_step, tell_customer, tell_service

STORE: Final = Store.REPAIR
MOST: Final = Decimal(9_999)
_REFUSING: Final = frozenset({"quote.rejected", "quote.expired", "quote.discarded"})
"""Events of a quote after which what waited for it does not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """A part, how many, and who decides where it costs something (a membership)."""

    sku: str
    quantity: Decimal
    payer_id: int | None = None


def covers_of(case: Case, now: datetime) -> list[Cover]:
    """Return what covers a case's unit today, and what did when its fault was reported."""
    if case.asset is None:
        return []
    days = {today(now), today(case.created_at)}
    return [cover_of(case.asset, day) for day in sorted(days)]


def add_part(
    actor: Actor, number: str, wanted: WantedPart, *, key: str, now: datetime
) -> RepairPart:
    """Add a part to a case's repair: reserved where it is free, else put on the customer's draft.

    Raises:
        CaseNotFoundError, NotAllowedError, NoRepairError: By the case.
        PartsNotChangeableError: It is not between diagnosis and test.
        UnknownPartError, PartQuantityError, NoPayerError: What was typed.
        Refusals of a quote: The payer can't buy it, or not in this quantity.
    """
    with transaction():
        case, repair = _locked(actor, number)
        known = next((part for part in repair.parts if part.form_key == key), None)
        if known is not None:
            return known
        _must_change(repair)
        product = _product(actor, wanted)
        part = RepairPart(
            account_id=repair.account_id,
            product_id=product.id,
            sku=product.sku,
            name=product.name,
            uom=product.uom,
            quantity=wanted.quantity,
            status=PartStatus.RESERVED,
            is_free=is_free(covers_of(case, now), queries.covered_as(product.id)),
            form_key=key,
            created_at=now,
        )
        if part.is_free:
            repair.parts.append(part)
            _reserve(actor, repair, [part], now)
            note_change(
                actor, repair, "repair.part-added", now, sku=part.sku, quantity=part.quantity
            )
        else:
            _put_on_quote(actor, case, repair, part, wanted.payer_id, now)
        _wait_if_needed(actor, repair, now)
    return part


def lock_quotes(actor: Actor, number: str) -> None:
    """Lock the quotes on which parts of a case's repair stand, and the orders made from them."""
    seen = queries.get_current(get_case(actor, number))
    used = {*queries.HELD, *queries.TAKEN}
    held = {part.quote_id for part in seen.parts if part.status in used}
    for quote_id in sorted(filter(None, held)):
        get_quote(quote_id, lock=True)
        lock_orders_of(quote_id)


def _locked(actor: Actor, number: str) -> tuple[Case, Repair]:
    """Lock the quotes under way, then the case, then its repair, as every action does."""
    lock_quotes(actor, number)
    case = get_case(actor, number, for_update=True)
    actor.must_reach(
        Permission.REPAIR_WORK,
        account_id=case.account_id,
        unit_id=case.unit_id,
        owner_id=case.membership_id,
    )
    return case, queries.get_current(case, for_update=True)


def open_estimate(repair: Repair) -> Quote | None:
    """Return the draft on which further parts go, if there is one."""
    drafts = [
        part.quote
        for part in repair.parts
        if part.status is PartStatus.QUOTED
        and part.quote is not None
        and part.quote.status is QuoteStatus.DRAFT
    ]
    return drafts[-1] if drafts else None


def _must_change(repair: Repair) -> None:
    if repair.status not in PARTS_CHANGE:
        raise PartsNotChangeableError(status=repair.status)


def _product(actor: Actor, wanted: WantedPart) -> Product:
    sku = wanted.sku.strip()
    product = find_products_by_sku(actor, [sku]).get(sku)
    if product is None:
        raise UnknownPartError(sku=sku)
    if not (0 < wanted.quantity <= MOST) or wanted.quantity != round(wanted.quantity, 3):
        raise PartQuantityError
    return product


def _reserve(
    actor: Actor | None, repair: Repair, parts: Sequence[RepairPart], now: datetime
) -> None:
    wants: dict[int, Decimal] = {}
    for part in parts:
        part.status = PartStatus.RESERVED
        wants[part.product_id] = wants.get(part.product_id, Decimal(0)) + part.quantity
    stock.reserve((KIND, repair.id), wants, now=now, store=STORE, actor=actor)


def _put_on_quote(
    actor: Actor,
    case: Case,
    repair: Repair,
    part: RepairPart,
    payer_id: int | None,
    now: datetime,
) -> None:
    """Put a part that costs something on the draft of whoever decides, and tell them."""
    draft = open_estimate(repair)
    payer = load_actor(draft.membership_id if draft else payer_id or case.membership_id)
    if payer is None or payer.account_id != case.account_id:
        raise NoPayerError
    if not (payer.can(Permission.QUOTE_SAVE) and payer.can(Permission.QUOTE_SUBMIT)):
        raise NoPayerError
    quote = put_on_draft(
        payer,
        draft.number if draft else None,
        [(part.sku, part.quantity, None)],
        now,
        by=actor,
        title=f"{repair.number} {repair.asset.service_tag}",
    )
    part.status, part.quote_id = PartStatus.QUOTED, quote.id
    repair.parts.append(part)
    db.session.flush()
    db.session.expire(part, ["quote"])
    note_change(
        actor,
        repair,
        "repair.part-quoted",
        now,
        sku=part.sku,
        quantity=part.quantity,
        quote=quote.number,
    )
    more: dict[str, Any] = {"quote": quote.number, "part": part.name, "payer": payer.name}
    tell_customer(
        "repair_estimate",
        case,
        repair,
        now,
        membership_ids=[quote.membership_id],
        path=f"/quotes/{quote.number}",
        **more,
    )
    if quote.membership_id != case.membership_id:
        tell_customer("repair_estimate_elsewhere", case, repair, now, **more)


def _wait_if_needed(actor: Actor, repair: Repair, now: datetime) -> None:
    """Let a repair wait by itself where a part is not approved or not here."""
    if repair.status not in Move.WAIT.sources:
        return
    if any(part.is_missing for part in queries.needed_of(repair)):
        repair.status = Move.WAIT.apply(repair.status, actor, repair.number)
        note_step(actor, repair, VERBS[Move.WAIT], now)


def remove_part(actor: Actor, number: str, part_id: int, *, now: datetime) -> RepairPart:
    """Give a part back: off the draft, out of the reservation, or back on the shelf.

    Raises:
        CaseNotFoundError, NotAllowedError, NoRepairError: By the case.
        PartsNotChangeableError, PartGoneError: The repair or the part is over.
        EstimateFixedError: It stands on a quote that was submitted.
    """
    with transaction():
        _case, repair = _locked(actor, number)
        part = _part(repair, part_id)
        if part.status is PartStatus.GIVEN_BACK:
            return part
        _must_change(repair)
        was_taken = part.status in queries.TAKEN
        if part.status is PartStatus.QUOTED:
            _take_off_quote(actor, part, now)
        elif part.status is PartStatus.RESERVED:
            stock.release(
                (KIND, repair.id),
                now=now,
                quantities={part.product_id: part.quantity},
                store=STORE,
                actor=actor,
            )
        elif part.status is PartStatus.USED:
            _put_back(actor, repair, part, now)
        else:
            raise PartGoneError(sku=part.sku, status=part.status.label)
        part.status = PartStatus.GIVEN_BACK
        note_change(actor, repair, "repair.part-removed", now, sku=part.sku, quantity=part.quantity)
        if was_taken:
            _tell_orders(actor, [part], now)
    return part


def _tell_orders(actor: Actor, given_back: Sequence[RepairPart], now: datetime) -> None:
    """Let orders that count on parts from these shelves take them from the goods for sale."""
    for quote_id in sorted({part.quote_id for part in given_back if part.quote_id}):
        lessen_workshop_share(actor, quote_id, now=now)


def _take_off_quote(actor: Actor, part: RepairPart, now: datetime) -> None:
    quote = get_quote(part.quote_id or 0, lock=True)
    if quote.status is not QuoteStatus.DRAFT:
        raise EstimateFixedError(sku=part.sku, quote=quote.number, status=quote.status)
    payer = load_actor(quote.membership_id)
    if payer is None:
        raise NoPayerError
    take_off_draft(payer, quote.number, part.sku, part.quantity, now, by=actor)


def _put_back(actor: Actor, repair: Repair, part: RepairPart, now: datetime) -> None:
    place = queries.last_place_of(repair.id, part.product_id)
    if place is None:  # no stock is kept of it
        return
    stock.give_back(
        (KIND, repair.id),
        {part.product_id: part.quantity},
        location_code=place,
        now=now,
        actor=actor,
    )


def use_part(actor: Actor, number: str, part_id: int, *, now: datetime) -> RepairPart:
    """Take a reserved part off the shelf and build it in; doing it twice uses it once.

    Raises:
        CaseNotFoundError, NotAllowedError, NoRepairError: By the case.
        PartGoneError: It is not reserved, or the repair is not under way.
        NotEnoughStockError: It does not lie there.
    """
    with transaction():
        _case, repair = _locked(actor, number)
        part = _part(repair, part_id)
        if part.status is PartStatus.USED:
            return part
        if part.status is not PartStatus.RESERVED or repair.status is not RepairStatus.IN_REPAIR:
            raise PartGoneError(sku=part.sku, status=part.status.label)
        _use(actor, repair, [part], now)
    return part


def _part(repair: Repair, part_id: int) -> RepairPart:
    part = next((part for part in repair.parts if part.id == part_id), None)
    if part is None:
        raise UnknownPartError(sku=str(part_id))
    return part


def _use(actor: Actor, repair: Repair, parts: Sequence[RepairPart], now: datetime) -> None:
    quantities: dict[int, Decimal] = {}
    for part in parts:
        quantities[part.product_id] = quantities.get(part.product_id, Decimal(0)) + part.quantity
    stock.issue((KIND, repair.id), quantities, now=now, store=STORE, actor=actor)
    for part in parts:
        part.status = PartStatus.USED
        note_change(actor, repair, "repair.part-used", now, sku=part.sku, quantity=part.quantity)


def use_all(actor: Actor, repair: Repair, now: datetime) -> None:
    """Use what is still reserved for a locked repair that passed its test."""
    left = [part for part in repair.parts if part.status is PartStatus.RESERVED]
    if left:
        _use(actor, repair, left, now)


def leave_all(actor: Actor, repair: Repair, now: datetime) -> None:
    """Give back what is reserved for a locked repair that is given up; what waits is refused."""
    left = [part for part in repair.parts if part.status is PartStatus.RESERVED]
    if left:
        stock.release((KIND, repair.id), now=now, store=STORE, actor=actor)
    for part in left:
        part.status = PartStatus.GIVEN_BACK
        note_change(actor, repair, "repair.part-removed", now, sku=part.sku, quantity=part.quantity)
    _tell_orders(actor, left, now)
    for part in repair.parts:
        if part.status is PartStatus.QUOTED:
            part.status = PartStatus.REFUSED


def follow_quote(actor: Actor | None, verb: str, quote: Quote, now: datetime) -> None:
    """Take over how an estimate ended, in the transaction that ended it; the quote is locked.

    What was approved is reserved; what its owner had taken off, or nobody approved, is refused.
    """
    if verb != "quote.approved" and verb not in _REFUSING:
        return
    for repair_id, case_id in queries.find_waiting_for(quote.account_id, quote.id):
        case = get_case_by_id(case_id, for_update=True)
        repair = queries.get_by_id(quote.account_id, repair_id, for_update=True)
        waiting = [
            part
            for part in repair.parts
            if part.status is PartStatus.QUOTED and part.quote_id == quote.id
        ]
        if waiting:
            _settle(actor, case, repair, waiting, quote, verb, now)


def _settle(  # noqa: PLR0913, PLR0917 - one estimate at its end, all of it needed
    actor: Actor | None,
    case: Case,
    repair: Repair,
    waiting: Sequence[RepairPart],
    quote: Quote,
    verb: str,
    now: datetime,
) -> None:
    approved: dict[str, Decimal] = {}
    if verb == "quote.approved":
        for line in get_quote(quote.id).current.lines:
            approved[line.sku] = approved.get(line.sku, Decimal(0)) + line.quantity
    paid = approved_parts([(part.id, part.sku, part.quantity) for part in waiting], approved)
    for part in waiting:
        if part.id not in paid:
            part.status = PartStatus.REFUSED
    if paid:
        _reserve(actor, repair, [part for part in waiting if part.id in paid], now)
    kind = "estimate-approved" if paid else "estimate-refused"
    note_change(
        actor, repair, f"repair.{kind}", now, quote=quote.number, approved=len(paid),
        refused=len(waiting) - len(paid),
    )  # fmt: skip
    tell_service(
        "repair_estimate_approved" if paid else "repair_estimate_refused",
        case,
        repair,
        now,
        quote=quote.number,
        approved=[part.name for part in waiting if part.id in paid],
        refused=[part.name for part in waiting if part.id not in paid],
    )
