"""Import and export of price lists: what they are, not what they say."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, exists, or_, select

from portal.accounts.models import Account
from portal.catalog.pricing import lists
from portal.catalog.pricing.actions import open_draft
from portal.catalog.pricing.lookups import currency, find_lists_by_code
from portal.catalog.pricing.models import PriceAssignment, PriceList, PriceListVersion
from portal.catalog.pricing.rules import ListKind
from portal.db import db
from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, Row
from portal.files.parsing import CellError, boolean, choice, code, integer, text
from portal.money import minor_units
from portal.policy import Actor, Permission


class PublishedListError(CellError):
    """What a list is can't change once it has a version."""

    message = N_("A list that was published keeps its currency and its kind.")


class SecondStandardError(CellError):
    """A currency has one standard list."""

    message = N_("There is already a standard list in this currency: {other}.")


def apply_lists(actor: Actor, batch: Batch) -> None:
    """Make or change lists; the best price mark and the decimals go into the draft."""
    known = find_lists_by_code(row["list_code"] for row in batch.rows)
    versions = lists.find_editable([each.id for each in known.values()])
    standard = {
        each.currency: each.code
        for each in db.session.scalars(
            select(PriceList).where(PriceList.kind == ListKind.STANDARD.value)
        )
    }
    for (list_code,), row in batch.keyed("list_code").items():
        found = known.get(list_code)
        if not _may_be(batch, row, found, versions, standard):
            continue
        is_new = found is None
        is_changed = _new_list(row) if found is None else _change_list(found, row, versions)
        batch.count(is_new=is_new, is_changed=is_changed)
        if is_new or is_changed:
            record(
                actor,
                "price-list.drafted",
                kind="price-list",
                object_id=found.id if found else None,
                number=list_code,
                account_id=actor.account_id,
                now=batch.now,
            )


def _may_be(
    batch: Batch,
    row: Row,
    found: PriceList | None,
    versions: Mapping[int, PriceListVersion],
    standard: dict[str, str],
) -> bool:
    """Refuse a row that would change what a published list is, or make a second standard list."""
    wanted_currency = row["currency"] or (found.currency if found else None)
    kind = row["kind"] or (found.kind if found else ListKind.LIST.value)
    if wanted_currency is None:
        batch.refuse(row, "currency", EmptyCellError())
        return False
    if found and found.id in versions and _is_published(versions[found.id]):
        for name, wanted in (("currency", wanted_currency), ("kind", kind)):
            if getattr(found, name) != wanted:
                batch.refuse(row, name, PublishedListError())
                return False
    if kind == ListKind.STANDARD.value:
        other = standard.setdefault(wanted_currency, row["list_code"])
        if other != row["list_code"]:
            batch.refuse(row, "kind", SecondStandardError(other=other))
            return False
    return True


def _is_published(version: PriceListVersion) -> bool:
    """Tell whether the list of an editable version has any publication."""
    return version.number is not None or lists.find_latest(version.list_id) is not None


def _new_list(row: Row) -> bool:
    made = PriceList(
        code=row["list_code"],
        name=row["name"] or row["list_code"],
        currency=row["currency"],
        kind=row["kind"] or ListKind.LIST.value,
    )
    db.session.add(made)
    db.session.flush()
    decimals = row["unit_price_decimals"]
    db.session.add(
        PriceListVersion(
            list_id=made.id,
            best_price=bool(row["best_price"]),
            unit_price_decimals=minor_units(made.currency) if decimals is None else decimals,
        )
    )
    db.session.flush()
    return True


def _change_list(found: PriceList, row: Row, versions: Mapping[int, PriceListVersion]) -> bool:
    named = {name: value for name, value in row.given("name", "currency", "kind").items() if value}
    marks = row.given("best_price", "unit_price_decimals")
    if "best_price" in marks:
        marks["best_price"] = bool(marks["best_price"])
    if marks.get("unit_price_decimals", 0) is None:
        del marks["unit_price_decimals"]
    is_changed = False
    for name, value in named.items():
        is_changed |= getattr(found, name) != value
        setattr(found, name, value)
    version = versions.get(found.id)
    if version is None or any(getattr(version, name) != value for name, value in marks.items()):
        draft = open_draft(found)
        for name, value in marks.items():
            setattr(draft, name, value)
        is_changed = True
    db.session.flush()
    return is_changed


def export_lists(actor: Actor, account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return the lists with what their draft, or else their latest version, states."""
    found = db.session.scalars(exported_lists(actor, account_code)).all()
    versions = lists.find_editable([each.id for each in found])
    for each in found:
        version = versions.get(each.id)
        yield {
            "list_code": each.code,
            "name": each.name,
            "currency": each.currency,
            "kind": each.kind,
            "best_price": version.best_price if version else False,
            "unit_price_decimals": version.unit_price_decimals if version else 2,
        }


def exported_lists(actor: Actor, account_code: str | None) -> Select[PriceList]:
    """Select the lists that the actor sees, or those assigned to one account by itself."""
    statement = lists.visible_to(actor).order_by(PriceList.code)
    if account_code is None:
        return statement
    row = PriceAssignment
    reaches = exists().where(
        row.list_id == PriceList.id,
        Account.code == account_code,
        or_(
            row.account_id == Account.id,
            row.tier == Account.tier,
            row.segment == Account.segment,
        ),
    )
    return statement.where(reaches)


LISTS = ImportKind(
    name="price-lists",
    rows_stand_alone=True,
    label=N_("Price lists"),
    permission=Permission.PRICE_LIST_DRAFT,
    columns=(
        Column("list_code", code(), required=True),
        Column("name", text()),
        Column("currency", currency),
        Column("kind", choice(kind.value for kind in ListKind)),
        Column("best_price", boolean),
        Column("unit_price_decimals", integer(most=4)),
    ),
    apply=apply_lists,
    export=export_lists,
)
