"""Prices as other programs ask for them: by codes, one line or thousands, answered as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts.models import Account, Unit
from portal.catalog.models import Product
from portal.catalog.pricing.books import Book, ProductFacts, load_book
from portal.catalog.pricing.chains import Lists, Period, load_lists
from portal.catalog.pricing.lookups import plain
from portal.catalog.pricing.rules import REASONS, ListCandidate, Resolution, resolve
from portal.db import db, in_pages
from portal.errors import N_, DomainError, InvalidError
from portal.files.parsing import CellError, instant

LARGEST: Final = Decimal(10) ** 12
PAGE: Final = 5_000
FIELDS: Final = frozenset({"account", "unit", "sku", "quantity", "uom", "at"})


class BadLineError(InvalidError):
    """A line that can't be asked."""

    message = N_("{reason}")


@dataclass(frozen=True, slots=True)
class Line:
    """One question by codes."""

    account: str
    unit: str | None
    sku: str
    quantity: Decimal
    uom: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Account:
    id: int
    currency: str
    unit_ids: Mapping[str, int]
    parents: Mapping[int, int | None]

    def path(self, code: str | None) -> tuple[int, ...]:
        """Return a unit's id and those above it, nearest first."""
        found: list[int] = []
        unit_id = self.unit_ids[code] if code else None
        while unit_id is not None and unit_id not in found:
            found.append(unit_id)
            unit_id = self.parents.get(unit_id)
        return tuple(found)


def read_line(asked: object, *, now: datetime, zone: ZoneInfo) -> Line:
    """Read one question from its JSON.

    Raises:
        BadLineError: The line can't be asked, with the reason.
    """
    if not isinstance(asked, dict):
        raise BadLineError(reason="a line must be a JSON object")
    unknown = sorted(set(asked) - FIELDS)
    if unknown:
        raise BadLineError(reason=f"unknown field “{unknown[0]}”")
    account, sku = _text(asked, "account"), _text(asked, "sku")
    if account is None or sku is None:
        raise BadLineError(reason="account and sku are needed")
    at = _text(asked, "at")
    return Line(
        account=account,
        unit=_text(asked, "unit"),
        sku=sku,
        quantity=read_quantity(asked.get("quantity")),
        uom=_text(asked, "uom"),
        at=now if at is None else read_instant(at, zone),
    )


def _text(asked: Mapping[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadLineError(reason=f"{name} must be text")
    return value


def read_quantity(raw: object) -> Decimal:
    """Read a quantity above 0 with at most 3 decimals; none given is 1."""
    if raw is None:
        return Decimal(1)
    if isinstance(raw, bool) or not isinstance(raw, (str, int, Decimal)):
        raise BadLineError(reason="quantity must be a number")
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        raise BadLineError(reason=f"quantity “{raw}” is not a number") from None
    if not value.is_finite() or not 0 < value <= LARGEST:
        raise BadLineError(reason=f"quantity “{raw}” must be above 0 and at most {LARGEST}")
    if value != round(value, 3):
        raise BadLineError(reason=f"quantity “{raw}” has more than 3 decimals")
    return value


def read_instant(raw: str, zone: ZoneInfo) -> datetime:
    """Read an instant; a bare date is its midnight in the supplier's time zone."""
    try:
        return instant(raw, zone).astimezone(UTC)
    except (CellError, OverflowError):
        raise BadLineError(reason=f"at “{raw}” is not an instant") from None


def answer_lines(lines: Sequence[Line | DomainError]) -> list[dict[str, Any]]:
    """Answer many lines in order, reading once for each account; an error stays in its place."""
    answers: list[dict[str, Any]] = [{"error": str(each)} for each in lines]
    by_account: dict[str, list[tuple[int, Line]]] = {}
    for place, line in enumerate(lines):
        if isinstance(line, Line):
            by_account.setdefault(line.account, []).append((place, line))
    asked = [line for line in lines if isinstance(line, Line)]
    accounts = _load_accounts(by_account)
    products = _load_products({line.sku for line in asked})
    for code, group in by_account.items():
        good: list[tuple[int, Line]] = []
        for place, line in group:
            problem = _problem(line, accounts.get(code), products)
            if problem is None:
                good.append((place, line))
            else:
                answers[place] = {"error": problem}
        for place, answer in _answer_account(accounts.get(code), good, products):
            answers[place] = answer
    return answers


def _problem(
    line: Line, account: _Account | None, products: Mapping[str, ProductFacts]
) -> str | None:
    if account is None:
        return f"there is no account “{line.account}”"
    if line.unit is not None and line.unit not in account.unit_ids:
        return f"account {line.account} has no unit “{line.unit}”"
    if line.sku not in products:
        return f"there is no product “{line.sku}”"
    return None


def _answer_account(
    account: _Account | None,
    group: Sequence[tuple[int, Line]],
    products: Mapping[str, ProductFacts],
) -> list[tuple[int, dict[str, Any]]]:
    """Answer the lines of one account in a constant number of statements."""
    if account is None or not group:
        return []
    period = Period.of(line.at for _, line in group)
    paths = {line.unit: account.path(line.unit) for _, line in group}
    unit_ids = {unit_id for path in paths.values() for unit_id in path}
    lists = load_lists(account.id, account.currency, unit_ids, period)
    chains = _chains(lists, paths, group)
    versions = {each.version_id for chain in chains.values() for each in chain if each.version_id}
    book = load_book([products[line.sku] for _, line in group], versions, period)
    return [
        (place, _answer(line, account, chains[line.unit, line.at], book, products[line.sku]))
        for place, line in group
    ]


def _chains(
    lists: Lists,
    paths: Mapping[str | None, tuple[int, ...]],
    group: Sequence[tuple[int, Line]],
) -> dict[tuple[str | None, datetime], tuple[ListCandidate, ...]]:
    chains: dict[tuple[str | None, datetime], tuple[ListCandidate, ...]] = {}
    for _, line in group:
        if (line.unit, line.at) not in chains:
            chains[line.unit, line.at] = lists.chain(paths[line.unit], line.at)
    return chains


def _answer(
    line: Line,
    account: _Account,
    chain: Sequence[ListCandidate],
    book: Book,
    product: ProductFacts,
) -> dict[str, Any]:
    uom = line.uom or product.uom
    request = book.request(product, line.quantity, uom)
    answer = resolve(request, chain, book.entries_of(product), account.currency, line.at)
    return {
        "account": line.account,
        "unit": line.unit,
        "sku": line.sku,
        "quantity": plain(line.quantity),
        "uom": uom,
        "at": line.at.isoformat().replace("+00:00", "Z"),
        **as_json(answer),
    }


def as_json(answer: Resolution) -> dict[str, Any]:
    """Return a resolution in the shape that other programs rely on; amounts are text."""
    return {
        "currency": answer.currency,
        "found": answer.found,
        "unit_price": _fixed(answer.unit_price),
        "line_total": None if answer.line_total is None else f"{answer.line_total:f}",
        "list_code": answer.list_code,
        "list_version": answer.list_version,
        "entry": _entry(answer),
        "list_price": _fixed(answer.list_price),
        "valid_to": (
            answer.valid_to.astimezone(UTC).isoformat().replace("+00:00", "Z")
            if answer.valid_to
            else None
        ),
        "trace": [
            {
                "list_code": step.list_code,
                "level": step.level.value,
                "priority": step.priority,
                "outcome": step.outcome.value,
                "reason": REASONS[step.reason],
            }
            for step in answer.trace
        ],
    }


def _fixed(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _entry(answer: Resolution) -> dict[str, Any] | None:
    if answer.entry is None:
        return None
    return {
        "kind": answer.entry.kind.value,
        "sku": answer.entry.sku,
        "category_path": answer.entry.category_path,
        "uom": answer.entry.uom,
        "min_qty": plain(answer.entry.min_quantity),
        "value": plain(answer.entry.value),
    }


def _load_accounts(codes: Mapping[str, object]) -> dict[str, _Account]:
    found: dict[str, _Account] = {}
    for page in in_pages(sorted(codes), PAGE):
        accounts = db.session.execute(
            select(Account.id, Account.code, Account.currency).where(
                Account.code.in_(page), Account.kind == "customer"
            )
        ).all()
        units = db.session.execute(
            select(Unit.account_id, Unit.id, Unit.code, Unit.parent_id).where(
                Unit.account_id.in_([row.id for row in accounts])
            )
        ).all()
        for row in accounts:
            own = [unit for unit in units if unit.account_id == row.id]
            found[row.code] = _Account(
                id=row.id,
                currency=row.currency,
                unit_ids={unit.code: unit.id for unit in own},
                parents={unit.id: unit.parent_id for unit in own},
            )
    return found


def _load_products(skus: set[str]) -> dict[str, ProductFacts]:
    found: dict[str, ProductFacts] = {}
    for page in in_pages(sorted(skus), PAGE):
        rows = db.session.execute(
            select(Product.id, Product.sku, Product.category_id, Product.uom).where(
                Product.sku.in_(page)
            )
        )
        found.update(
            {row.sku: ProductFacts(row.id, row.sku, row.category_id, row.uom) for row in rows}
        )
    return found
