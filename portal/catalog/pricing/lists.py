"""SELECTs over price lists, their versions and entries, for those who keep them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true

from portal.accounts.models import Account
from portal.catalog.models import Category, Product
from portal.catalog.pricing.books import ENTRY_COLUMNS, make_entry
from portal.catalog.pricing.chains import Period, holds_within
from portal.catalog.pricing.ending import ends_soon
from portal.catalog.pricing.models import PriceAssignment, PriceEntry, PriceList, PriceListVersion
from portal.catalog.pricing.rules import Entry, ListKind
from portal.containing import contains
from portal.db import db, lock
from portal.errors import N_, NotFoundError
from portal.policy import Actor, Permission


class PriceListNotFoundError(NotFoundError):
    """No such list, or none that the actor may see."""

    message = N_("There is no price list “{code}”.")


class VersionNotFoundError(NotFoundError):
    """The list has no such publication."""

    message = N_("Price list {code} has no version {version}.")


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with its ids and the product's name, as pages show it."""

    id: int
    entry: Entry
    name: str


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list with the state of its versions at an instant."""

    price_list: PriceList
    in_force: int | None
    scheduled: int | None
    has_draft: bool
    entries: int


@unique
class ListState(StrEnum):
    """The views of the lists."""

    ALL = "all"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ENDING = "ending"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _STATE_LABELS[self]


_STATE_LABELS: Final[Mapping[ListState, str]] = {
    ListState.ALL: N_("All"),
    ListState.DRAFT: N_("Drafts to publish"),
    ListState.SCHEDULED: N_("Scheduled"),
    ListState.ENDING: N_("Ending within 60 days"),
}


def visible_to(
    actor: Actor, permission: Permission = Permission.PRICE_LIST_READ
) -> Select[PriceList]:
    """Select the lists that ``permission`` reaches: price lists are the supplier's, all or none."""
    statement = select(PriceList)
    return statement if actor.can(permission) else statement.where(false())


def get_list(actor: Actor, code: str, *, lock_row: bool = False) -> PriceList:
    """Return a list by its code.

    Raises:
        PriceListNotFoundError: No such list within the actor's reach.
    """
    statement = visible_to(actor).where(PriceList.code == code)
    found = db.session.scalar(lock(statement) if lock_row else statement)
    if found is None:
        raise PriceListNotFoundError(code=code)
    return found


def find_versions(list_id: int) -> Sequence[PriceListVersion]:
    """Return all publications of a list, the latest number first."""
    return db.session.scalars(
        select(PriceListVersion)
        .where(PriceListVersion.list_id == list_id, PriceListVersion.number.is_not(None))
        .order_by(PriceListVersion.number.desc())
    ).all()


def find_draft(list_id: int) -> PriceListVersion | None:
    """Return the draft of a list, if it has one."""
    return db.session.scalar(
        select(PriceListVersion).where(
            PriceListVersion.list_id == list_id, PriceListVersion.number.is_(None)
        )
    )


def find_latest(list_id: int) -> PriceListVersion | None:
    """Return the publication with the highest number, in force or scheduled."""
    return db.session.scalar(
        select(PriceListVersion)
        .where(PriceListVersion.list_id == list_id, PriceListVersion.number.is_not(None))
        .order_by(PriceListVersion.number.desc())
        .limit(1)
    )


def find_in_force(list_id: int, at: datetime) -> PriceListVersion | None:
    """Return the version in force at an instant."""
    return db.session.scalar(
        select(PriceListVersion)
        .where(PriceListVersion.list_id == list_id, PriceListVersion.in_force_from <= at)
        .order_by(PriceListVersion.in_force_from.desc(), PriceListVersion.number.desc())
        .limit(1)
    )


def get_version(price_list: PriceList, number: int) -> PriceListVersion:
    """Return a publication of a list.

    Raises:
        VersionNotFoundError: The list has no such publication.
    """
    found = db.session.scalar(
        select(PriceListVersion).where(
            PriceListVersion.list_id == price_list.id, PriceListVersion.number == number
        )
    )
    if found is None:
        raise VersionNotFoundError(code=price_list.code, version=number)
    return found


def find_editable(list_ids: Collection[int]) -> dict[int, PriceListVersion]:
    """Return for each list its draft or, where it has none, its latest publication."""
    found: dict[int, PriceListVersion] = {}
    versions = db.session.scalars(
        select(PriceListVersion)
        .where(PriceListVersion.list_id.in_(sorted(list_ids)))
        .order_by(PriceListVersion.number.is_(None), PriceListVersion.number)
    )
    for version in versions:  # ascending, the draft last
        found[version.list_id] = version
    return found


def load_entries(version_id: int | None) -> list[Entry]:
    """Return all entries of a version, in reading order; none for no version."""
    rows = db.session.execute(_entries(version_id)) if version_id else ()
    return [make_entry(facts, sku=sku, category_path=path) for _, sku, path, _, *facts in rows]


def find_entries(
    version_id: int, search: str, *, offset: int, limit: int
) -> tuple[list[StoredEntry], int]:
    """Return one page of a version's entries and how many match.

    Args:
        search: Part of an SKU, of a product's name or of a category path; empty for all.
    """
    matching = _entries(version_id)
    if search:
        matching = matching.where(
            or_(
                contains(Product.sku, search),
                contains(Product.name, search),
                contains(Category.path, search),
            )
        )
    total = db.session.scalar(select(func.count()).select_from(matching.order_by(None).subquery()))
    rows = db.session.execute(matching.offset(offset).limit(limit))
    found = [
        StoredEntry(entry_id, make_entry(facts, sku=sku, category_path=path), name or "")
        for entry_id, sku, path, name, *facts in rows
    ]
    return found, total or 0


def _entries(version_id: int | None) -> Select[*tuple[Any, ...]]:
    return (
        select(PriceEntry.id, Product.sku, Category.path, Product.name, *ENTRY_COLUMNS)
        .outerjoin(Product, Product.id == PriceEntry.product_id)
        .outerjoin(Category, Category.id == PriceEntry.category_id)
        .where(PriceEntry.version_id == version_id)
        .order_by(
            func.coalesce(Product.sku, ""),
            func.coalesce(Category.path, ""),
            PriceEntry.uom,
            PriceEntry.min_quantity,
            PriceEntry.valid_from,
            PriceEntry.id,
        )
    )


def find_lists(
    actor: Actor,
    search: str,
    at: datetime,
    *,
    state: ListState = ListState.ALL,
    offset: int,
    limit: int,
) -> list[ListRow]:
    """Return one page of the lists of a view, each with the state of its versions."""
    matching = _matching(actor, search).where(_is_in(state, at)).order_by(PriceList.code)
    return _with_state(db.session.scalars(matching.offset(offset).limit(limit)).all(), at)


def count_lists_by_state(actor: Actor, search: str, at: datetime) -> dict[ListState, int]:
    """Return how many lists each view holds, exactly, in one statement."""
    counts = (func.count().filter(_is_in(state, at)) for state in ListState)
    counted = _matching(actor, search).with_only_columns(*counts).select_from(PriceList)
    found = db.session.execute(counted).one()
    return dict(zip(ListState, map(int, found), strict=True))


def _matching(actor: Actor, search: str) -> Select[PriceList]:
    if not search:
        return visible_to(actor)
    return visible_to(actor).where(
        or_(contains(PriceList.code, search), contains(PriceList.name, search))
    )


def _is_in(state: ListState, at: datetime) -> ColumnElement[bool]:
    own = exists().where(PriceListVersion.list_id == PriceList.id).correlate(PriceList)
    return {
        ListState.ALL: true(),
        ListState.DRAFT: own.where(PriceListVersion.number.is_(None)),
        ListState.SCHEDULED: own.where(PriceListVersion.in_force_from > at),
        ListState.ENDING: ends_soon(at),
    }[state]


def _with_state(lists: Sequence[PriceList], at: datetime) -> list[ListRow]:
    ids = [each.id for each in lists]
    version = PriceListVersion
    versions: dict[int, list[PriceListVersion]] = {}
    for found in db.session.scalars(select(version).where(version.list_id.in_(ids))):
        versions.setdefault(found.list_id, []).append(found)
    shown = {list_id: _shown(each, at) for list_id, each in versions.items()}
    counts = _count_entries([each.id for each in shown.values() if each])
    rows = []
    for price_list in lists:
        own = versions.get(price_list.id, [])
        current = _in_force(own, at)
        coming = [v for v in own if v.in_force_from is not None and v.in_force_from > at]
        front = shown.get(price_list.id)
        rows.append(
            ListRow(
                price_list=price_list,
                in_force=current.number if current else None,
                scheduled=min((v.number for v in coming if v.number), default=None),
                has_draft=any(v.is_draft for v in own),
                entries=counts.get(front.id, 0) if front else 0,
            )
        )
    return rows


def _in_force(versions: Sequence[PriceListVersion], at: datetime) -> PriceListVersion | None:
    due = [v for v in versions if v.in_force_from is not None and v.in_force_from <= at]
    return max(due, key=lambda v: (v.in_force_from or at, v.number or 0), default=None)


def _shown(versions: Sequence[PriceListVersion], at: datetime) -> PriceListVersion | None:
    """Return the version whose entries a list of lists counts: in force, else the draft."""
    return _in_force(versions, at) or next((v for v in versions if v.is_draft), None)


def _count_entries(version_ids: Sequence[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(PriceEntry.version_id, func.count().label("entries"))
        .where(PriceEntry.version_id.in_(version_ids))
        .group_by(PriceEntry.version_id)
    )
    return {row.version_id: row.entries for row in rows}


def find_lists_of_account(actor: Actor, account: Account, at: datetime) -> Sequence[PriceList]:
    """Return the lists in an account's currency that reach some of its buyers at an instant."""
    row = PriceAssignment
    reaches = exists().where(
        row.list_id == PriceList.id,
        holds_within(row.valid_from, row.valid_to, Period(at, at)),
        or_(
            row.account_id == account.id,
            and_(row.tier.is_not(None), row.tier == account.tier),
            and_(row.segment.is_not(None), row.segment == account.segment),
        ),
    )
    return db.session.scalars(
        visible_to(actor)
        .where(
            PriceList.currency == account.currency,
            or_(PriceList.kind == ListKind.STANDARD.value, reaches),
        )
        .order_by(PriceList.code)
    ).all()


def find_account_codes(price_list: PriceList, at: datetime) -> list[str]:
    """Return the codes of the customer accounts that a list reaches at an instant.

    The standard list reaches every account of its currency.
    """
    row = PriceAssignment
    reaches = exists().where(
        row.list_id == price_list.id,
        holds_within(row.valid_from, row.valid_to, Period(at, at)),
        or_(
            row.account_id == Account.id,
            row.tier == Account.tier,
            row.segment == Account.segment,
        ),
    )
    statement = select(Account.code).where(
        Account.kind == "customer", Account.currency == price_list.currency
    )
    if price_list.kind != ListKind.STANDARD.value:
        statement = statement.where(reaches)
    return list(db.session.scalars(statement.order_by(Account.code)))
