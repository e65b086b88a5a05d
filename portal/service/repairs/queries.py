"""Reading repairs: those of a case, the board with exact counts, who may pay an estimate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account, Membership, MembershipRole, Person
from portal.catalog.models import ProductAttribute
from portal.catalog.stock.models import StockMove, StockReservation
from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import MoveKind, Store
from portal.containing import contains
from portal.db import KEPT, db, lock
from portal.policy import GRANTS, Actor, P, Permission
from portal.scope import within
from portal.service.assets.models import Asset
from portal.service.cases.models import Case
from portal.service.repairs.models import Repair, RepairPart
from portal.service.repairs.rules import (
    COVERED_AS,
    KIND,
    UNDER_WAY,
    NeededPart,
    NoRepairError,
    PartStatus,
    RepairStatus,
    SortBy,
    Tab,
    lying_for,
)

BUYING: Final = tuple(
    sorted(
        role.value for role, held in GRANTS.items() if {P.QUOTE_SAVE, P.QUOTE_SUBMIT} <= set(held)
    )
)
"""Roles whose holders can submit an estimate."""
HELD: Final = (PartStatus.QUOTED, PartStatus.RESERVED)
TAKEN: Final = (PartStatus.RESERVED, PartStatus.USED)


def visible_to(actor: Actor, permission: Permission = Permission.CASE_READ) -> Select[Repair]:
    """Select the repairs that ``permission`` reaches: a repair is reached as its case is."""
    condition = within(
        actor,
        permission,
        account=Case.account_id,
        unit=Case.unit_id,
        owner=Case.membership_id,
    )
    return (
        select(Repair)
        .join(Case, and_(Case.account_id == Repair.account_id, Case.id == Repair.case_id))
        .where(condition)
    )


def find_numbers(actor: Actor, repair_ids: Collection[int]) -> Sequence[tuple[int, str, str]]:
    """Return id, own number and case number of the repairs that the actor sees."""
    statement = visible_to(actor).where(Repair.id.in_(sorted(repair_ids)))
    rows = db.session.execute(
        statement.with_only_columns(Repair.id, Repair.number, Case.number).order_by(Repair.id)
    )
    return [(key, number, case_number) for key, number, case_number in rows]


def find_of_case(found: Case) -> Sequence[Repair]:
    """Return the repairs of a case and of those merged into it, newest first, with their parts.

    The caller has made sure that the actor sees the case.
    """
    merged = select(Case.id).where(
        Case.account_id == found.account_id, Case.merged_into_id == found.id
    )
    statement = (
        select(Repair)
        .where(
            Repair.account_id == found.account_id,
            or_(Repair.case_id == found.id, Repair.case_id.in_(merged)),
        )
        .options(
            selectinload(Repair.steps),
            selectinload(Repair.parts).selectinload(RepairPart.quote),
        )
        .order_by(Repair.id.desc())
    )
    return db.session.scalars(statement).all()


def get_current(found: Case, *, for_update: bool = False) -> Repair:
    """Return the last repair of a case that the actor sees, with its parts and its unit.

    Raises:
        NoRepairError: The case has none.
    """
    merged = select(Case.id).where(
        Case.account_id == found.account_id, Case.merged_into_id == found.id
    )
    statement = (
        select(Repair)
        .where(
            Repair.account_id == found.account_id,
            or_(Repair.case_id == found.id, Repair.case_id.in_(merged)),
        )
        .order_by(Repair.id.desc())
        .limit(1)
    )
    repair = db.session.scalar(_whole(lock(statement) if for_update else statement))
    if repair is None:
        raise NoRepairError(number=found.number)
    return repair


def get_by_id(account_id: int, repair_id: int, *, for_update: bool = False) -> Repair:
    """Return one repair with its parts and its unit; the caller has made sure of the right to it.

    The quotes of its parts are left alone: whoever settles one holds it, loaded and locked.
    """
    statement = select(Repair).where(Repair.account_id == account_id, Repair.id == repair_id)
    wanted = _with_unit(lock(statement) if for_update else statement)
    return db.session.scalars(wanted.options(selectinload(Repair.parts))).one()


def _whole(statement: Select[Repair]) -> Select[Repair]:
    return _with_unit(statement).options(selectinload(Repair.parts).selectinload(RepairPart.quote))


def _with_unit(statement: Select[Repair]) -> Select[Repair]:
    return statement.options(
        selectinload(Repair.steps),
        selectinload(Repair.asset).selectinload(Asset.entitlements),
        selectinload(Repair.asset).selectinload(Asset.product),
    )


def find_by_key(account_id: int, key: str) -> Repair | None:
    """Return the repair that a form with this key has announced."""
    statement = select(Repair).where(Repair.account_id == account_id, Repair.form_key == key)
    return db.session.scalar(_whole(statement))


def find_under_way(account_id: int, asset_id: int) -> Repair | None:
    """Return the repair that a unit is in, or is about to be."""
    statement = select(Repair).where(
        Repair.account_id == account_id,
        Repair.asset_id == asset_id,
        Repair.status.in_(sorted(UNDER_WAY)),
    )
    return db.session.scalars(statement.limit(1)).first()


def find_of_asset(actor: Actor, asset: Asset) -> Sequence[Repair]:
    """Return the repairs of a unit, as far as the actor sees them, newest first."""
    statement = (
        visible_to(actor)
        .where(Repair.account_id == asset.account_id, Repair.asset_id == asset.id)
        .options(joinedload(Repair.case))
        .order_by(Repair.id.desc())
    )
    return db.session.scalars(statement).all()


def find_waiting_for(account_id: int, quote_id: int) -> Sequence[tuple[int, int]]:
    """Return (repair, case) of the parts that wait for a quote."""
    asked = {"account": account_id, "quote": quote_id}
    return [(repair, case) for repair, case in db.session.execute(_waiting_for(), asked)]


@cache
def _waiting_for() -> Select[int, int]:
    return (
        select(Repair.id, Repair.case_id)
        .join(RepairPart, RepairPart.repair_id == Repair.id)
        .where(
            RepairPart.account_id == bindparam("account"),
            RepairPart.quote_id == bindparam("quote"),
            RepairPart.status == PartStatus.QUOTED,
        )
        .distinct()
        .order_by(Repair.id)
        .prefix_with(KEPT, dialect="postgresql")
    )


def waits_for_quote(
    account_id: ColumnElement[int], quote_id: ColumnElement[int]
) -> ColumnElement[bool]:
    """Return, as part of a statement, whether parts wait for a quote."""
    return exists().where(
        RepairPart.account_id == account_id,
        RepairPart.quote_id == quote_id,
        RepairPart.status == PartStatus.QUOTED,
    )


def find_parts_of_quote(quote_id: int) -> Mapping[tuple[int, str], Decimal]:
    """Return what repairs have taken of an approved estimate, by product id and unit of measure."""
    return {
        (product_id, uom): quantity
        for product_id, uom, quantity in db.session.execute(_taken_of(), {"quote": quote_id})
    }


@cache
def _taken_of() -> Select[int, str, Decimal]:
    return (
        select(RepairPart.product_id, RepairPart.uom, func.sum(RepairPart.quantity))
        .where(RepairPart.quote_id == bindparam("quote"), RepairPart.status.in_(TAKEN))
        .group_by(RepairPart.product_id, RepairPart.uom)
        .prefix_with(KEPT, dialect="postgresql")
    )


def needed_of(repair: Repair) -> list[NeededPart]:
    """Return the parts that a repair still waits for or has reserved, with what lies there."""
    held = [part for part in repair.parts if part.status in HELD]
    reserved: dict[int, RepairPart] = {}
    needed = []
    ids = {part.product_id for part in held}
    kept = find_availability(ids, store=Store.REPAIR) if ids else {}
    queues = _queues(kept)
    wants: dict[int, Any] = {}
    for part in held:
        if part.status is PartStatus.QUOTED:
            needed.append(NeededPart(part.sku, part.status, part.quantity))
        else:
            reserved[part.product_id] = part
            wants[part.product_id] = wants.get(part.product_id, 0) + part.quantity
    for product_id, part in reserved.items():
        lying = None
        if product_id in kept:
            queue = [(key == repair.id, count) for key, count in queues.get(product_id, ())]
            lying = lying_for(kept[product_id].on_hand, queue, wants[product_id])
        needed.append(NeededPart(part.sku, part.status, wants[product_id], lying))
    return needed


def _queues(product_ids: Collection[int]) -> Mapping[int, list[tuple[int, Any]]]:
    """Return by product who of the workshop reserved how much, the oldest first."""
    queues: dict[int, list[tuple[int, Any]]] = {}
    if not product_ids:
        return queues
    statement = (
        select(StockReservation)
        .where(
            StockReservation.product_id.in_(sorted(product_ids)),
            StockReservation.store == Store.REPAIR,
        )
        .order_by(StockReservation.reserved_at, StockReservation.id)
    )
    for item in db.session.scalars(statement):
        key = item.subject_id if item.subject_kind == KIND else 0
        queues.setdefault(item.product_id, []).append((key, item.quantity))
    return queues


def last_place_of(repair_id: int, product_id: int) -> str | None:
    """Return the location from which a part was taken last."""
    statement = (
        select(StockMove.location_code)
        .where(
            StockMove.subject_kind == KIND,
            StockMove.subject_id == repair_id,
            StockMove.product_id == product_id,
            StockMove.kind == MoveKind.ISSUED,
        )
        .order_by(StockMove.id.desc())
        .limit(1)
    )
    return db.session.scalar(statement)


def covered_as(product_id: int) -> str:
    """Return what a product says an entitlement has to cover for it to be free."""
    statement = select(ProductAttribute.value).where(
        ProductAttribute.product_id == product_id, ProductAttribute.name == COVERED_AS
    )
    return (db.session.scalar(statement) or "").strip()


@dataclass(frozen=True, slots=True)
class Payer:
    """A member of the account who can submit an estimate."""

    membership_id: int
    name: str
    unit: str

    @property
    def label(self) -> str:
        """Name and unit, to choose from."""
        return f"{self.name}, {self.unit}" if self.unit else self.name


def find_payers(found: Case) -> list[Payer]:
    """Return who can pay an estimate: the requester first, then their unit, then the others."""
    statement = (
        select(Membership, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.account_id == found.account_id,
            Membership.status == "active",
            Person.status == "active",
            Membership.id.in_(
                select(MembershipRole.membership_id).where(MembershipRole.role.in_(BUYING))
            ),
        )
        .options(joinedload(Membership.unit))
        .order_by(
            case((Membership.id == found.membership_id, 0), else_=1),
            case((Membership.unit_id == found.unit_id, 0), else_=1),
            Person.name,
            Membership.id,
        )
        .limit(100)
    )
    return [
        Payer(member.id, name, member.unit.name if member.unit else "")
        for member, name in db.session.execute(statement).all()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """What the board shows; what is empty does not narrow it."""

    tab: Tab = Tab.UNDER_WAY
    text: str = ""
    way: str = ""
    account: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything but the view narrows the board."""
        return bool(self.text or self.way or self.account)


def find_repairs(
    actor: Actor,
    wanted: BoardFilter,
    *,
    sort: SortBy = SortBy.STEP,
    descending: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[Repair]:
    """Return repairs with case, account, unit and parts, in the asked order."""
    step = case(
        {state.value: place for place, state in enumerate(RepairStatus)}, value=Repair.status
    )
    columns: dict[SortBy, ColumnElement[Any]] = {
        SortBy.STEP: step,
        SortBy.NUMBER: Repair.id.expression,
        SortBy.SINCE: Repair.stepped_at.expression,
        SortBy.ANNOUNCED: Repair.created_at.expression,
    }
    column = columns[sort]
    statement = (
        visible_to(actor, Permission.REPAIR_WORK)
        .where(_matches(wanted), Repair.status.in_(sorted(wanted.tab.states)))
        .options(
            joinedload(Repair.case).joinedload(Case.account),
            joinedload(Repair.asset).joinedload(Asset.product),
            selectinload(Repair.parts),
        )
        .order_by(column.desc() if descending else column.asc(), Repair.stepped_at, Repair.id)
        .offset(offset)
    )
    if limit is not None:
        statement = statement.limit(limit)
    return db.session.scalars(statement).all()


def count_by_tab(actor: Actor, wanted: BoardFilter) -> dict[Tab, int]:
    """Return how many repairs each view holds, exactly, in one statement."""
    rows = (
        visible_to(actor, Permission.REPAIR_WORK)
        .where(_matches(wanted))
        .with_only_columns(
            *(func.count().filter(Repair.status.in_(sorted(tab.states))) for tab in Tab)
        )
    )
    found = db.session.execute(rows).one()
    return {tab: int(found[place]) for place, tab in enumerate(Tab)}


def _matches(wanted: BoardFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.way:
        conditions.append(Repair.way == wanted.way)
    if wanted.account:
        conditions.append(Case.account.has(Account.code == wanted.account))
    if wanted.text:
        conditions.append(
            or_(
                contains(Repair.number, wanted.text),
                contains(Case.number, wanted.text),
                contains(Case.subject, wanted.text),
                contains(Repair.tracking_number, wanted.text),
                Repair.asset.has(contains(Asset.service_tag, wanted.text)),
            )
        )
    return and_(true(), *conditions)


def find_accounts(actor: Actor) -> Sequence[tuple[str, str]]:
    """Return code and name of the accounts that have a repair within reach, by code."""
    reached = visible_to(actor, Permission.REPAIR_WORK).with_only_columns(Repair.account_id)
    statement = (
        select(Account.code, Account.name).where(Account.id.in_(reached)).order_by(Account.code)
    )
    return [(code, name) for code, name in db.session.execute(statement)]


@dataclass(frozen=True, slots=True)
class Holding:
    """A repair for which a part is kept."""

    number: str
    case_number: str
    quantity: Any


def find_holdings(actor: Actor, skus: Collection[str]) -> Mapping[str, list[Holding]]:
    """Return by SKU the repairs that hold parts of the store, as far as the actor sees them."""
    statement = (
        visible_to(actor)
        .join(RepairPart, RepairPart.repair_id == Repair.id)
        .where(RepairPart.sku.in_(sorted(skus)), RepairPart.status == PartStatus.RESERVED)
        .with_only_columns(RepairPart.sku, Repair.number, Case.number, RepairPart.quantity)
        .order_by(Repair.id, RepairPart.id)
    )
    found: dict[str, list[Holding]] = {}
    for sku, number, case_number, quantity in db.session.execute(statement):
        found.setdefault(sku, []).append(Holding(number, case_number, quantity))
    return found
