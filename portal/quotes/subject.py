"""A revision as approvals see it: a frozen plain summary and the facts that rules judge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from portal.approvals.facts import Basis, FactLine, Facts
from portal.approvals.rules import Subject, SubjectLine
from portal.policy import Actor, Permission
from portal.quotes.comparison import ChangeKind, LineChange, compare
from portal.quotes.hashing import number_text
from portal.quotes.rules import KIND, last_day_of
from portal.quotes.sheet import Sheet, SheetLine
from portal.quotes.spending import Submitted, add_up, find_submitted

LONGEST_WINDOW = timedelta(days=3_660)


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who submits, or would: the membership, and every person who counts as requester."""

    membership_id: int
    person_ids: frozenset[int]
    name: str = ""


def submitter_of(actor: Actor, sheet: Sheet, requester_ids: Iterable[int]) -> Submitter:
    """Return who submits: of a draft the actor if they may, of a submitted revision who did.

    Args:
        requester_ids: Persons who created, changed or submitted the revision.
    """
    revision, quote = sheet.revision, sheet.quote
    people = set(requester_ids)
    if not revision.is_draft:
        return Submitter(revision.submitted_by_id or quote.membership_id, frozenset(people))
    reach = actor.reach(Permission.QUOTE_SUBMIT)
    may = actor.membership_id is not None and reach.covers(
        account_id=quote.account_id, unit_id=quote.unit_id, owner_id=quote.membership_id
    )
    if may and actor.membership_id is not None and actor.person_id is not None:
        people.add(actor.person_id)
        return Submitter(actor.membership_id, frozenset(people), actor.name)
    return Submitter(quote.membership_id, frozenset(people))


def make_subject(
    sheet: Sheet, submitter: Submitter, zone: str, now: datetime, before: Sheet | None = None
) -> Subject:
    """Return the summary of a revision.

    Args:
        sheet: The revision as it is shown.
        submitter: Who submits, or would.
        zone: The account's time zone (IANA), for the last day.
        now: Instant from which a requester's days are counted back.
        before: The last submitted revision, to say what changed.
    """
    revision, quote = sheet.revision, sheet.quote
    changes = [] if before is None else _changes(before, sheet)
    by_line = {change.line.line_id: change_text(change) for change in changes}
    until = revision.valid_until
    return Subject(
        kind=KIND,
        id=revision.id,
        number=quote.number,
        revision=revision.number,
        account_id=quote.account_id,
        unit_id=quote.unit_id,
        submitted_by=submitter.membership_id,
        requester_person_ids=submitter.person_ids,
        requester_name=submitter.name,
        title=revision.title,
        currency=quote.currency,
        net_total=sheet.totals.net_total,
        gross_total=sheet.totals.gross_total,
        freight=sheet.totals.freight,
        tax=sheet.totals.tax_total,
        facts=_facts(sheet, submitter, now),
        content_hash=revision.content_hash or "",
        lines=tuple(_line(line, by_line.get(line.row.line_id, "")) for line in sheet.lines),
        changes=tuple(f"{change.line.sku}: {change_text(change)}" for change in changes),
        valid_until=last_day_of(until, ZoneInfo(zone)).isoformat() if until else "",
        expires_at=until,
        ship_to=", ".join(_addresses(sheet)),
        cost_centres=", ".join(
            sorted({line.cost_centre for line in sheet.lines if line.cost_centre})
        ),
        note=revision.note,
        href=f"/quotes/{quote.number}?revision={revision.number}",
        pdf_href=f"/quotes/{quote.number}/pdf?revision={revision.number}",
    )


def change_text(change: LineChange) -> str:
    """Say what changed in figures that need no language: ``6 → 10``, ``+ 5``, ``− 5``."""
    line = change.line
    if change.kind is ChangeKind.ADDED:
        return f"+ {number_text(line.quantity)}"
    if change.kind is ChangeKind.REMOVED:
        return f"− {number_text(line.quantity)}"
    parts = []
    if change.before and change.after:
        if change.quantity_changed:
            parts.append(_arrow(change.before.quantity, change.after.quantity))
        if change.price_changed:
            parts.append(f"@ {_arrow(change.before.unit_price, change.after.unit_price)}")
        if change.booking_changed:
            old, new = change.before, change.after
            parts += [
                f"{left or '–'} → {right or '–'}"
                for left, right in (
                    (old.cost_centre, new.cost_centre),
                    (old.ship_to, new.ship_to),
                    (old.note, new.note),
                )
                if left != right
            ]
    return ", ".join(parts)


def _arrow(old: Decimal | None, new: Decimal | None) -> str:
    return f"{_text(old)} → {_text(new)}"


def _text(value: Decimal | None) -> str:
    return "–" if value is None else number_text(value)


def _changes(before: Sheet, after: Sheet) -> list[LineChange]:
    return [
        change
        for change in compare(
            [line.compared for line in before.lines], [line.compared for line in after.lines]
        )
        if change_text(change)
    ]


def _line(line: SheetLine, change: str) -> SubjectLine:
    return SubjectLine(
        name=line.row.name,
        sku=line.row.sku,
        quantity=f"{number_text(line.row.quantity)} {line.row.uom}",
        amount=line.line_total or Decimal(0),
        detail=line.row.note,
        change=change,
    )


def _addresses(sheet: Sheet) -> list[str]:
    return [
        f"{code} {address['city']} ({address['country']})"
        for code, address in sorted(sheet.addresses.items())
        if any(line.ship_to == code for line in sheet.lines)
    ]


def _facts(sheet: Sheet, submitter: Submitter, now: datetime) -> Facts:
    quote = sheet.quote
    others: list[Sequence[Submitted]] = []

    def requester_total(days: int, basis: Basis) -> Decimal:
        """Read the other submissions once, and only if a rule asks."""
        if not others:
            others.append(
                find_submitted(
                    quote.account_id,
                    submitter.person_ids,
                    except_quote=quote.id,
                    since=now - LONGEST_WINDOW,
                )
            )
        return add_up(others[0], now - timedelta(days=days), lambda item: _total(item, basis))

    return Facts(
        currency=quote.currency,
        net_total=sheet.totals.net_total,
        gross_total=sheet.totals.gross_total,
        unit_id=quote.unit_id,
        submitted_by=submitter.membership_id,
        requester_person_ids=submitter.person_ids,
        lines=tuple(_fact(line) for line in sheet.lines),
        requester_total=requester_total,
    )


def _total(item: Submitted, basis: Basis) -> Decimal:
    if basis is Basis.GROSS and item.gross_total is not None:
        return item.gross_total
    return item.net_total


def _fact(line: SheetLine) -> FactLine:
    category = line.product.category
    return FactLine(
        sku=line.row.sku,
        category_paths=category.ancestor_paths if category else (),
        off_contract=line.resolution.off_contract,
        list_price=line.list_price,
        unit_price=line.unit_price or Decimal(0),
        cost_centre=line.cost_centre,
        ship_to_country=line.country or None,
    )
