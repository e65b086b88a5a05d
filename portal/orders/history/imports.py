"""Orders of another system in and out: flat lines, an order being described whole by its rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, insert, select

from portal.accounts.cells import currency, email
from portal.accounts.importing import (
    by_key,
    exported_accounts,
    named_accounts,
    note_import,
    unit_id_of,
)
from portal.accounts.models import Account, Membership, Person, Unit
from portal.catalog.pricing.lookups import FoundProduct, find_products, plain, supplier_zone
from portal.db import db, in_pages
from portal.errors import N_
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, Row
from portal.files.parsing import CellError, code, decimal, format_instant, instant, integer, text
from portal.money import line_amount, minor_units, round_half_up
from portal.orders.history.models import PastOrder, PastOrderLine
from portal.orders.history.queries import find_by_numbers
from portal.policy import Actor, Permission

PAGE: Final = 2_000
_MOST: Final = Decimal(10) ** 12
_HEAD: Final = (
    "unit_code",
    "person_email",
    "placed_at",
    "purchase_order_number",
    "currency",
    "status",
)
_LINE: Final = ("sku", "name", "quantity", "uom", "unit_price", "line_total")

Key = tuple[int, str]
"""Account id and order number."""
Values = dict[str, Any]


class OtherHeadError(CellError):
    """Rows of one order contradict each other."""

    message = N_("Row {other} says something else of the same order.")


@dataclass(frozen=True, slots=True)
class _Codes:
    """What the codes of the file mean."""

    units: Mapping[tuple[int, str], Unit]
    members: Mapping[tuple[int, str], list[tuple[int, int | None]]]
    products: Mapping[str, FoundProduct]


@dataclass(slots=True)
class _Writes:
    """What is to be written at the end, many rows at a time."""

    orders: list[Values]
    lines: list[tuple[Key, Values]]
    gone: list[int]


def _apply(actor: Actor, batch: Batch) -> None:
    """Take over orders; one that is known gets exactly the lines and words of the file."""
    accounts = named_accounts(actor, Permission.ACCOUNT_SAVE, batch)
    batch.keyed("account_code", "order_number", "position")
    groups: dict[Key, list[Row]] = {}
    for row in batch.rows:
        account = accounts.get(row["account_code"])
        if account is not None:
            groups.setdefault((account.id, row["order_number"]), []).append(row)
    known = {(order.account_id, order.number): order for order in find_by_numbers(groups)}
    by_id = {account.id: account for account in accounts.values()}
    codes = _load_codes(accounts.values(), batch.rows)
    writes = _Writes([], [], [])
    for key, rows in groups.items():
        head = _head(batch, by_id[key[0]], rows, codes, known.get(key))
        lines = [_line(batch, row, codes, head) for row in rows]
        if not batch.report.refused:
            _compare(batch, key, head, lines, known.get(key), writes)
    if not batch.report.refused:
        _write(writes, batch.now)
        note_import(actor, batch, accounts.values())


def _load_codes(accounts: Iterable[Account], rows: Sequence[Row]) -> _Codes:
    chosen = list(accounts)
    members: dict[tuple[int, str], list[tuple[int, int | None]]] = {}
    statement = (
        select(Membership.account_id, Person.email, Membership.id, Membership.unit_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.account_id.in_(sorted(account.id for account in chosen)))
        .order_by(Membership.id)
    )
    for account_id, address, key, unit_id in db.session.execute(statement):
        members.setdefault((account_id, address), []).append((key, unit_id))
    return _Codes(by_key(Unit, chosen), members, find_products(row["sku"] for row in rows))


def _head(
    batch: Batch, account: Account, rows: Sequence[Row], codes: _Codes, known: PastOrder | None
) -> Values:
    """Return what the first row says of the order; rows that say otherwise are refused."""
    first = rows[0]
    for row in rows[1:]:
        for name in _HEAD:
            if row[name] != first[name]:
                batch.refuse(row, name, OtherHeadError(other=first.number))
    if first.has("unit_code") or known is None:
        unit_id = unit_id_of(batch, first, account, codes.units)
    else:
        unit_id = known.unit_id
    address = _given(first, "person_email", known, "person_email")
    return {
        "unit_id": unit_id,
        "membership_id": _member(codes.members.get((account.id, address), ()), unit_id),
        "person_email": address,
        "purchase_order_number": _given(
            first, "purchase_order_number", known, "purchase_order_number"
        ),
        "currency": first["currency"],
        "status": _given(first, "status", known, "status"),
        "placed_at": first["placed_at"],
    }


def _given(row: Row, column: str, known: PastOrder | None, name: str) -> str:
    """Return a text of the file; a column that is not there leaves what is known."""
    if row.has(column) or known is None:
        return row[column] or ""
    return str(getattr(known, name))


def _member(members: Sequence[tuple[int, int | None]], unit_id: int | None) -> int | None:
    """Return the person's membership in the order's unit, else the first one, else nobody's."""
    own = [key for key, unit in members if unit == unit_id]
    return next(iter([*own, *(key for key, _unit in members)]), None)


def _line(batch: Batch, row: Row, codes: _Codes, head: Values) -> Values:
    """Return a line's figures; a missing price or total follows from the other one."""
    quantity, price, total = row["quantity"], row["unit_price"], row["line_total"]
    if price is None and total is None:
        batch.refuse(row, "line_total", EmptyCellError())
    if quantity is None or head["currency"] is None or (price is None and total is None):
        return {}
    found = codes.products.get(row["sku"])
    return {
        "position": row["position"],
        "product_id": found.id if found else None,
        "sku": row["sku"],
        "name": row["name"] or row["sku"],
        "quantity": quantity,
        "uom": row["uom"] or (found.uom if found else "EA"),
        "unit_price": round_half_up(total / quantity, 4) if price is None else price,
        "line_total": line_amount(price, quantity, head["currency"])
        if total is None
        else round_half_up(total, minor_units(head["currency"])),
    }


def _compare(
    batch: Batch,
    key: Key,
    head: Values,
    lines: Sequence[Values],
    known: PastOrder | None,
    writes: _Writes,
) -> None:
    """Count each row, and note what has to be written of one order."""
    net_total = sum((line["line_total"] for line in lines), Decimal(0))
    if known is None:
        account_id, number = key
        writes.orders.append(
            {"account_id": account_id, "number": number, "net_total": net_total, **head}
        )
        writes.lines += [(key, line) for line in lines]
        batch.report.new += len(lines)
        return
    has_moved = any(
        getattr(known, name) != value for name, value in head.items() if name != "membership_id"
    )
    here = {line.position: line for line in known.lines}
    gone = sorted(set(here) - {line["position"] for line in lines})
    for line in lines:
        held = here.get(line["position"])
        is_changed = held is not None and _differs(held, line)
        batch.count(is_new=held is None, is_changed=is_changed or has_moved)
        if held is None:
            writes.lines.append((key, line))
        else:
            _set(held, line)
    batch.report.removed += len(gone)
    writes.gone += [here[position].id for position in gone]
    _set(known, head | {"net_total": net_total})


def _differs(held: PastOrderLine, line: Values) -> bool:
    return any(getattr(held, name) != line[name] for name in _LINE)


def _set(target: PastOrder | PastOrderLine, values: Values) -> None:
    for name, value in values.items():
        setattr(target, name, value)


def _write(writes: _Writes, now: datetime) -> None:
    db.session.flush()
    for ids in in_pages(writes.gone, PAGE):
        db.session.execute(delete(PastOrderLine).where(PastOrderLine.id.in_(ids)))
    for orders in in_pages(writes.orders, PAGE):
        db.session.execute(insert(PastOrder), [order | {"imported_at": now} for order in orders])
    for page in in_pages(writes.lines, PAGE):
        ids_of = {
            (order.account_id, order.number): order.id
            for order in find_by_numbers({key for key, _line_ in page}, with_lines=False)
        }
        db.session.execute(
            insert(PastOrderLine),
            [{"account_id": key[0], "past_order_id": ids_of[key], **line} for key, line in page],
        )
    db.session.expire_all()  # the statements above went round the objects of the session


def _export(actor: Actor, account_code: str | None) -> Iterator[Mapping[str, Any]]:
    ids = exported_accounts(actor, Permission.ACCOUNT_SAVE, account_code)
    zone = supplier_zone()
    rows = db.session.execute(
        select(PastOrder, PastOrderLine, Account.code, Unit.code)
        .join(PastOrderLine, PastOrderLine.past_order_id == PastOrder.id)
        .join(Account, Account.id == PastOrder.account_id)
        .outerjoin(Unit, Unit.id == PastOrder.unit_id)
        .where(PastOrder.account_id.in_(ids))
        .order_by(Account.code, PastOrder.number, PastOrderLine.position)
    )
    for order, line, account, unit in rows:
        yield {
            "order_number": order.number,
            "account_code": account,
            "unit_code": unit or "",
            "person_email": order.person_email,
            "placed_at": format_instant(order.placed_at, zone),
            "purchase_order_number": order.purchase_order_number,
            "currency": order.currency,
            "position": line.position,
            "sku": line.sku,
            "name": line.name,
            "quantity": plain(line.quantity),
            "uom": line.uom,
            "unit_price": plain(line.unit_price),
            "line_total": plain(line.line_total),
            "status": order.status,
        }


PAST_ORDERS: Final = ImportKind(
    name="orders",
    label=N_("Orders of another system"),
    columns=(
        Column("order_number", text(64), required=True),
        Column("account_code", code(), required=True),
        Column("unit_code", code()),
        Column("person_email", email),
        Column("placed_at", instant, required=True),
        Column("purchase_order_number", text(64)),
        Column("currency", currency, required=True),
        Column("position", integer(least=1, most=1_000_000), required=True),
        Column("sku", text(64), required=True),
        Column("name", text(400)),
        Column("quantity", decimal(3, least=Decimal("0.001"), most=_MOST), required=True),
        Column("uom", code(16)),
        Column("unit_price", decimal(4, least=-_MOST, most=_MOST)),
        Column("line_total", decimal(8, least=-_MOST, most=_MOST)),
        Column("status", text(40)),
    ),
    permission=Permission.ACCOUNT_SAVE,
    apply=_apply,
    export=_export,
)

KINDS: Final[tuple[ImportKind, ...]] = (PAST_ORDERS,)
"""What the desk's list of files offers of this package."""
