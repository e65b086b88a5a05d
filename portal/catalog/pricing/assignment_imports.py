"""Import and export of what binds lists to buyers: assignments and agreements, with their past."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.accounts.models import Account, Unit
from portal.catalog.pricing.lookups import (
    VALIDITY,
    EndsBeforeItStartsError,
    FoundAccount,
    UnknownAccountError,
    UnknownListError,
    UnknownUnitError,
    assign,
    by_list,
    check_window,
    find_accounts,
    find_lists_by_code,
    find_unit_ids,
    must_be_one,
    supplier_zone,
    warn_of_currency,
)
from portal.catalog.pricing.models import Agreement, AgreementList, PriceAssignment, PriceList
from portal.catalog.pricing.rules import ListKind
from portal.db import db
from portal.errors import N_
from portal.events.actions import record
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, Row
from portal.files.parsing import (
    CellError,
    code,
    codes,
    format_ending,
    format_instant,
    integer,
    text,
)
from portal.policy import Actor, Permission


class OneBuyerError(CellError):
    """A row names one target."""

    message = N_("Name exactly one of account_code (with or without unit_code), tier and segment.")


class AgreementTargetError(CellError):
    """An agreement binds units and accounts."""

    message = N_("A list of kind agreement is assigned to units or accounts only.")


class CarriedStandardError(CellError):
    """The standard list belongs to nobody's agreement."""

    message = N_("An agreement can't carry the standard list {code}.")


class OtherAccountError(CellError):
    """An agreement stays with its account."""

    message = N_("Agreement {number} is with another account.")


# --- price-assignments ---------------------------------------------------------------------------


class Place(NamedTuple):
    """For whom a list holds."""

    account_id: int | None
    unit_id: int | None
    tier: str | None
    segment: str | None


class Held(NamedTuple):
    """One wanted row: for whom, how early, and when."""

    place: Place
    priority: int | None
    valid_from: datetime | None
    valid_to: datetime | None

    def from_now(self, now: datetime) -> "Held":
        """Return the row as it looks from ``now`` on: what began before, began always."""
        has_begun = self.valid_from is not None and self.valid_from <= now
        return self._replace(valid_from=None) if has_begun else self


def apply_assignments(actor: Actor, batch: Batch) -> None:
    """Replace the assignments of the lists that the file names, from now on."""
    known = find_lists_by_code(row["list_code"] for row in batch.rows)
    accounts = find_accounts(row["account_code"] for row in batch.rows)
    unit_ids = find_unit_ids([account.id for account in accounts.values()])
    for list_code, rows in by_list(batch, known).items():
        price_list = known[list_code]
        wanted = [_held(batch, row, price_list, accounts, unit_ids) for row in rows]
        if batch.report.refused:
            continue
        moves = _replace(price_list, [each for each in wanted if each], batch)
        if moves:
            record(
                actor,
                "price-list.assigned",
                kind="price-list",
                object_id=price_list.id,
                number=price_list.code,
                account_id=actor.account_id,
                now=batch.now,
                rows=moves,
            )


def _held(
    batch: Batch,
    row: Row,
    price_list: PriceList,
    accounts: Mapping[str, FoundAccount],
    unit_ids: Mapping[tuple[int, str], int],
) -> Held | None:
    account_code, unit_code = row["account_code"], row["unit_code"]
    is_one = must_be_one(row, "account_code", "tier", "segment")
    if not is_one or (unit_code and not account_code):
        batch.refuse(row, "account_code", OneBuyerError())
        return None
    if price_list.kind == ListKind.AGREEMENT.value and not account_code:
        batch.refuse(row, "tier" if row["tier"] else "segment", AgreementTargetError())
        return None
    account = accounts.get(account_code) if account_code else None
    if account_code and account is None:
        batch.refuse(row, "account_code", UnknownAccountError(code=account_code))
        return None
    unit_id = unit_ids.get((account.id, unit_code)) if account and unit_code else None
    if unit_code and unit_id is None:
        batch.refuse(row, "unit_code", UnknownUnitError(code=unit_code))
        return None
    if not check_window(batch, row):
        return None
    if account:
        warn_of_currency(batch, row, "list_code", price_list, account)
    place = Place(account.id if account else None, unit_id, row["tier"], row["segment"])
    return Held(place, row["priority"], row["valid_from"], row["valid_to"])


def _replace(price_list: PriceList, wanted: Sequence[Held], batch: Batch) -> int:
    """Bring one list's assignments to what is wanted and return how many rows that took.

    What was in force stays in force for the time before ``now``; only where no row ever was, the
    file counts from its own dates.
    """
    now = batch.now
    rows = db.session.scalars(
        select(PriceAssignment)
        .where(PriceAssignment.list_id == price_list.id)
        .order_by(PriceAssignment.id)
    ).all()
    has_past = any(row.valid_from is None or row.valid_from <= now for row in rows)
    live = [row for row in rows if row.valid_to is None or row.valid_to > now]
    asked = [held for held in wanted if not has_past or _lasts(held, now)]
    batch.report.unchanged += len(wanted) - len(asked)
    gone = _match(live, asked, now if has_past else None, batch)
    places = [row.place for row in asked]
    changed = 0
    for row in gone:
        place = Place(row.account_id, row.unit_id, row.tier, row.segment)
        if place in places:
            places.remove(place)
            changed += 1
        _end(row, now)
    batch.report.changed += changed
    batch.report.removed += len(gone) - changed
    batch.report.new += len(asked) - changed
    for held in asked:
        start = held.valid_from
        if has_past and (start is None or start < now):
            start = now
        db.session.add(_assignment(price_list, held, start))
    db.session.flush()
    return len(gone) + len(asked)


def _lasts(held: Held, now: datetime) -> bool:
    return held.valid_to is None or held.valid_to > now


def _match(
    live: Sequence[PriceAssignment], asked: list[Held], now: datetime | None, batch: Batch
) -> list[PriceAssignment]:
    """Take equal rows out of ``asked``, counting them unchanged, and return the rows left over."""
    left = []
    seen = [held.from_now(now) if now else held for held in asked]
    for row in live:
        held = Held(
            Place(row.account_id, row.unit_id, row.tier, row.segment),
            row.priority,
            row.valid_from,
            row.valid_to,
        )
        mine = held.from_now(now) if now else held
        if mine in seen:
            place = seen.index(mine)
            del seen[place], asked[place]
            batch.report.unchanged += 1
        else:
            left.append(row)
    return left


def _end(row: PriceAssignment, now: datetime) -> None:
    """End a row now; one that never held anywhere before is taken away."""
    if row.valid_from is None or row.valid_from < now:
        row.valid_to = now
    else:
        db.session.delete(row)


def _assignment(price_list: PriceList, held: Held, start: datetime | None) -> PriceAssignment:
    return PriceAssignment(
        list_id=price_list.id,
        **held.place._asdict(),
        priority=held.priority,
        valid_from=start,
        valid_to=held.valid_to,
    )


def export_assignments(actor: Actor, account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return all assignments, ended ones included: they explain earlier prices."""
    actor.must(Permission.PRICE_LIST_READ)
    zone = supplier_zone()
    row = PriceAssignment
    statement = (
        select(row, PriceList.code, Account.code, Unit.code)
        .join(PriceList, PriceList.id == row.list_id)
        .outerjoin(Account, Account.id == row.account_id)
        .outerjoin(Unit, Unit.id == row.unit_id)
        .order_by(PriceList.code, row.id)
    )
    if account_code is not None:
        statement = statement.where(Account.code == account_code)
    for each, list_code, account, unit in db.session.execute(statement):
        yield {
            "list_code": list_code,
            "account_code": account or "",
            "unit_code": unit or "",
            "tier": each.tier or "",
            "segment": each.segment or "",
            "priority": "" if each.priority is None else each.priority,
            "valid_from": format_instant(each.valid_from, zone),
            "valid_to": format_ending(each.valid_to, zone),
        }


# --- agreements ----------------------------------------------------------------------------------


def apply_agreements(actor: Actor, batch: Batch) -> None:
    """Make or change agreements; which lists they carry, and when, keeps its past."""
    accounts = find_accounts(row["account_code"] for row in batch.rows)
    named = [item for row in batch.rows for item in row["list_codes"] or ()]
    known = find_lists_by_code(named)
    numbers = [row["agreement_number"] for row in batch.rows]
    found = {
        each.number: each
        for each in db.session.scalars(select(Agreement).where(Agreement.number.in_(numbers)))
    }
    for (number,), row in batch.keyed("agreement_number").items():
        agreement = found.get(number)
        account = _account_of(batch, row, agreement, accounts)
        if account is None or not _may_carry(batch, row, known, account):
            continue
        is_new = agreement is None
        if agreement is None:
            agreement = Agreement(account_id=account.id, number=number, name=number)
        is_changed = _change_agreement(batch, row, agreement)
        if is_new:
            db.session.add(agreement)
            db.session.flush()
        is_changed |= _carry(agreement, row, known, batch.now)
        batch.count(is_new=is_new, is_changed=is_changed)
        if is_new or is_changed:
            record(
                actor,
                "agreement.saved",
                kind="agreement",
                object_id=agreement.id,
                number=number,
                account_id=actor.account_id,
                now=batch.now,
            )


def _account_of(
    batch: Batch, row: Row, agreement: Agreement | None, accounts: Mapping[str, FoundAccount]
) -> FoundAccount | None:
    code_ = row["account_code"]
    account = accounts.get(code_) if code_ else None
    if code_ and account is None:
        batch.refuse(row, "account_code", UnknownAccountError(code=code_))
    elif agreement is None:
        if account is None:
            batch.refuse(row, "account_code", EmptyCellError())
    elif account is None:
        own = db.session.get_one(Account, agreement.account_id)
        return FoundAccount(own.id, own.currency)
    elif account.id != agreement.account_id:
        batch.refuse(row, "account_code", OtherAccountError(number=agreement.number))
        return None
    return account


def _may_carry(
    batch: Batch, row: Row, known: Mapping[str, PriceList], account: FoundAccount
) -> bool:
    for item in row["list_codes"] or ():
        if item not in known:
            batch.refuse(row, "list_codes", UnknownListError(code=item))
            return False
        if known[item].kind == ListKind.STANDARD.value:
            batch.refuse(row, "list_codes", CarriedStandardError(code=item))
            return False
        warn_of_currency(batch, row, "list_codes", known[item], account)
    return True


def _change_agreement(batch: Batch, row: Row, agreement: Agreement) -> bool:
    values = row.given("name", "valid_from", "valid_to")
    if values.get("name", "") is None:
        values["name"] = agreement.number
    start = values.get("valid_from", agreement.valid_from)
    end = values.get("valid_to", agreement.valid_to)
    if start is not None and end is not None and start >= end:
        batch.refuse(row, "valid_to", EndsBeforeItStartsError())
        return False
    return assign(agreement, values)


def _carry(agreement: Agreement, row: Row, known: Mapping[str, PriceList], now: datetime) -> bool:
    """Bring the carried lists to the file's, from now on; a list carried first counts always."""
    rows = db.session.scalars(
        select(AgreementList).where(AgreementList.agreement_id == agreement.id)
    ).all()
    live = {each.list_id: each for each in rows if each.known_to is None}
    wanted = (
        {known[item].id for item in row["list_codes"] or ()} if row.has("list_codes") else set(live)
    )
    seen = {each.list_id for each in rows}
    dates = (agreement.valid_from, agreement.valid_to)
    is_changed = False
    for list_id in sorted(wanted | set(live)):
        current = live.get(list_id)
        if current and list_id in wanted and (current.valid_from, current.valid_to) == dates:
            continue
        is_changed = True
        if current:
            _forget(current, now)
        if list_id in wanted:
            db.session.add(
                AgreementList(
                    account_id=agreement.account_id,
                    agreement_id=agreement.id,
                    list_id=list_id,
                    known_from=now if list_id in seen else None,
                    valid_from=dates[0],
                    valid_to=dates[1],
                )
            )
    db.session.flush()
    return is_changed


def _forget(row: AgreementList, now: datetime) -> None:
    """End what was known; what was known for no time at all is taken away."""
    if row.known_from is None or row.known_from < now:
        row.known_to = now
    else:
        db.session.delete(row)


def export_agreements(actor: Actor, account_code: str | None) -> Iterator[Mapping[str, Any]]:
    """Return the agreements with the lists that they carry now."""
    actor.must(Permission.PRICE_LIST_READ)
    zone = supplier_zone()
    statement = (
        select(Agreement, Account.code)
        .join(Account, Account.id == Agreement.account_id)
        .order_by(Agreement.number)
    )
    if account_code is not None:
        statement = statement.where(Account.code == account_code)
    carried: dict[int, list[str]] = {}
    for agreement_id, list_code in db.session.execute(
        select(AgreementList.agreement_id, PriceList.code)
        .join(PriceList, PriceList.id == AgreementList.list_id)
        .where(AgreementList.known_to.is_(None))
        .order_by(PriceList.code)
    ):
        carried.setdefault(agreement_id, []).append(list_code)
    for agreement, account in db.session.execute(statement):
        yield {
            "agreement_number": agreement.number,
            "account_code": account,
            "name": agreement.name,
            "valid_from": format_instant(agreement.valid_from, zone),
            "valid_to": format_ending(agreement.valid_to, zone),
            "list_codes": ";".join(carried.get(agreement.id, [])),
        }


ASSIGNMENTS = ImportKind(
    name="price-assignments",
    rows_stand_alone=True,
    label=N_("Assignments of price lists"),
    permission=Permission.PRICE_LIST_PUBLISH,
    columns=(
        Column("list_code", code(), required=True),
        Column("account_code", code()),
        Column("unit_code", code()),
        Column("tier", text(64)),
        Column("segment", text(64)),
        Column("priority", integer(least=-(10**9))),
        *VALIDITY,
    ),
    apply=apply_assignments,
    export=export_assignments,
)

AGREEMENTS = ImportKind(
    name="agreements",
    rows_stand_alone=True,
    label=N_("Agreements"),
    permission=Permission.PRICE_LIST_PUBLISH,
    columns=(
        Column("agreement_number", code(), required=True),
        Column("account_code", code()),
        Column("name", text()),
        *VALIDITY,
        Column("list_codes", codes),
    ),
    apply=apply_agreements,
    export=export_agreements,
)
