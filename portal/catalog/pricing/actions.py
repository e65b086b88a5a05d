"""Keeping price lists: drafts, publishing as a reviewed change, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import insert, literal, select

from portal.catalog.pricing import lists
from portal.catalog.pricing.impact import Impact, find_impact
from portal.catalog.pricing.models import PriceEntry, PriceList, PriceListVersion
from portal.catalog.pricing.publication_rules import Diff, compare, find_overlaps, is_fit
from portal.catalog.pricing.rules import Entry, ListKind
from portal.db import db, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.events.actions import record
from portal.policy import Actor, Permission

MOST_NAMED: Final = 10
"""How many entries a refusal names."""


class NoDraftError(ConflictError):
    """There is nothing to publish."""

    message = N_("Price list {code} has no draft: nothing was changed since its last version.")


class OverlappingEntriesError(ConflictError):
    """The draft says two things about the same product, unit, quantity and instant."""

    message = N_(
        "Two entries of the same product or category, unit of measure and quantity must not hold at"
        " the same time. These overlap another one: {entries}."
    )


class DraftChangedError(ConflictError):
    """The draft is no longer the one that was checked."""

    message = N_("The draft of {code} changed since it was checked: check it again.")


class UnfitEntryError(ConflictError):
    """The draft holds an entry that its list may not hold."""

    message = N_("The entry {first} can't stand in a list of this kind.")


class PastInstantError(InvalidError):
    """Only a list's first version may begin in the past."""

    message = N_("Price list {code} already has a version; a new one can't begin in the past.")
    field = "at"


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing does, or in a dry run would do."""

    price_list: PriceList
    number: int
    in_force_from: datetime
    best_price: bool
    unit_price_decimals: int
    diff: Diff
    impact: Impact
    is_dry_run: bool
    fingerprint: str
    """Says whether the content is still the one that was checked."""


def publish_list(
    actor: Actor,
    code: str,
    *,
    now: datetime,
    at: datetime | None = None,
    dry_run: bool = False,
    checked: str | None = None,
) -> Publication:
    """Publish the draft of a list: from ``at`` (default ``now``) on it is in force.

    Args:
        at: A future instant; a past one only for a list's first version.
        dry_run: Only say what would change; needs no more than the right to draft.
        checked: Fingerprint of the dry run that was looked at; another content is refused.

    Raises:
        PriceListNotFoundError: No such list.
        NoDraftError, OverlappingEntriesError, UnfitEntryError, PastInstantError,
        DraftChangedError: As they say.
    """
    actor.must(Permission.PRICE_LIST_DRAFT if dry_run else Permission.PRICE_LIST_PUBLISH)
    with transaction():
        price_list = lists.get_list(actor, code, lock_row=True)
        draft = lists.find_draft(price_list.id)
        if draft is None:
            raise NoDraftError(code=code)
        publication = _review(price_list, draft, at, now=now)
        if dry_run:
            return replace(publication, is_dry_run=True)
        if checked not in {None, publication.fingerprint}:
            raise DraftChangedError(code=code)
        draft.number = publication.number
        draft.in_force_from = publication.in_force_from
        draft.published_at = now
        draft.published_by = actor.person_id
        _record_published(actor, publication, now)
    return publication


def rollback_list(actor: Actor, code: str, *, to: int, now: datetime) -> Publication:
    """Return to an earlier version of a list by publishing its content anew, in force at once.

    A draft stays as it is.

    Raises:
        PriceListNotFoundError, VersionNotFoundError: No such list or version.
    """
    actor.must(Permission.PRICE_LIST_PUBLISH)
    with transaction():
        price_list = lists.get_list(actor, code, lock_row=True)
        earlier = lists.get_version(price_list, to)
        publication = _review(price_list, earlier, None, now=now)
        version = PriceListVersion(
            list_id=price_list.id,
            number=publication.number,
            best_price=earlier.best_price,
            unit_price_decimals=earlier.unit_price_decimals,
            published_at=now,
            in_force_from=now,
            published_by=actor.person_id,
            returned_to=to,
        )
        db.session.add(version)
        db.session.flush()
        copy_entries(earlier.id, version.id)
        _record_published(actor, publication, now, returned_to=to)
    return publication


def _review(
    price_list: PriceList, version: PriceListVersion, at: datetime | None, *, now: datetime
) -> Publication:
    """Check a version and compare it with what would be in force without it."""
    latest = lists.find_latest(price_list.id)
    start = at or now
    if latest is not None and start < now:
        raise PastInstantError(code=price_list.code)
    entries = lists.load_entries(version.id)
    _check(price_list, entries)
    before = lists.find_in_force(price_list.id, start)
    diff = compare(lists.load_entries(before.id if before else None), entries)
    return Publication(
        price_list=price_list,
        number=(latest.number or 0) + 1 if latest else 1,
        in_force_from=start,
        best_price=version.best_price,
        unit_price_decimals=version.unit_price_decimals,
        diff=diff,
        impact=find_impact(price_list, version, entries, diff, start),
        is_dry_run=False,
        fingerprint=_fingerprint(version, entries),
    )


def _fingerprint(version: PriceListVersion, entries: Sequence[Entry]) -> str:
    marks = (version.best_price, version.unit_price_decimals)
    content = "\n".join([repr(marks), *(repr(entry) for entry in entries)])
    return sha256(content.encode()).hexdigest()


def _check(price_list: PriceList, entries: Sequence[Entry]) -> None:
    is_standard = price_list.kind == ListKind.STANDARD.value
    unfit = next((e for e in entries if not is_fit(e, in_standard_list=is_standard)), None)
    if unfit is not None:
        raise UnfitEntryError(first=describe_entry(unfit))
    overlaps = find_overlaps(entries)
    if overlaps:
        named = [describe_entry(later) for _earlier, later in overlaps[:MOST_NAMED]]
        more = ["…"] if len(overlaps) > MOST_NAMED else []
        raise OverlappingEntriesError(entries="; ".join([*named, *more]))


def describe_entry(entry: Entry) -> str:
    """Return an entry's place in words that need no translation: ``LT-1 EA from 10``."""
    return f"{entry.sku or entry.category_path} {entry.uom} ≥ {entry.min_quantity.normalize():f}"


def _record_published(
    actor: Actor, publication: Publication, now: datetime, **more: object
) -> None:
    record(
        actor,
        "price-list.published",
        kind="price-list",
        object_id=publication.price_list.id,
        number=publication.price_list.code,
        account_id=actor.account_id,
        now=now,
        version=publication.number,
        in_force_from=publication.in_force_from,
        new=len(publication.diff.new),
        changed=len(publication.diff.changed),
        removed=len(publication.diff.removed),
        **more,
    )


def open_draft(price_list: PriceList, *, with_entries: bool = True) -> PriceListVersion:
    """Return the draft of a list, made from its latest version on the first edit."""
    draft = lists.find_draft(price_list.id)
    if draft is not None:
        return draft
    latest = lists.find_latest(price_list.id)
    draft = PriceListVersion(
        list_id=price_list.id,
        best_price=latest.best_price if latest else False,
        unit_price_decimals=latest.unit_price_decimals if latest else 2,
    )
    db.session.add(draft)
    db.session.flush()
    if latest is not None and with_entries:
        copy_entries(latest.id, draft.id)
    return draft


def copy_entries(source_id: int, target_id: int) -> None:
    """Copy all entries of a version to another one, inside the database."""
    entry = PriceEntry
    columns: list[Any] = [
        entry.product_id,
        entry.category_id,
        entry.uom,
        entry.min_quantity,
        entry.kind,
        entry.value,
        entry.valid_from,
        entry.valid_to,
    ]
    names = ["version_id", *(column.key for column in columns)]
    db.session.execute(
        insert(entry).from_select(
            names,
            select(literal(target_id), *columns).where(entry.version_id == source_id),
        )
    )
