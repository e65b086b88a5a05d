"""The story of a unit: its own events with what changed, its order's events, and its cases."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import Address, Membership, Person, Unit
from portal.db import db
from portal.events.models import Event
from portal.events.queries import find_events
from portal.orders.rules import KIND as ORDER
from portal.orders.rules import LABELS as ORDER_LABELS
from portal.service.assets.models import Asset
from portal.service.assets.queries import find_names
from portal.service.assets.rules import KIND, LABELS
from portal.web.formats import day
from portal.web.timeline import TimelineEntry, entries_of

_BORN: Final = "asset.taken-in"
_SIDES: Final = ("unit_id", "membership_id", "address_id")


@dataclass(frozen=True, slots=True)
class Linked:
    """Something above that belongs to a unit, for example a case: what it is and where it is."""

    at: datetime
    number: str
    title: str
    url: str
    state: str
    tone: str


def tell(asset: Asset, linked: Sequence[Linked], *, with_order: bool) -> list[TimelineEntry]:
    """Return what happened to a unit, newest first.

    Args:
        with_order: Whether the reader may see the order that brought it.
    """
    objects = [(KIND, asset.id)]
    if with_order and asset.order_id is not None:
        objects.append((ORDER, asset.order_id))
    events = find_events(asset.account_id, objects)
    entries = _entries(events)
    if all(event.verb != _BORN for event in events):
        entries.append(TimelineEntry(asset.created_at, _("Taken in from a file")))
    entries.extend(
        TimelineEntry(item.at, f"{item.number}: {item.title}", detail=item.state, tone=item.tone)
        for item in linked
    )
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _entries(events: Sequence[Event]) -> list[TimelineEntry]:
    names = find_names({event.person_id for event in events if event.person_id})
    known = _names_of(events)
    told = entries_of(events, {**ORDER_LABELS, **LABELS}, names)
    return [
        TimelineEntry(entry.at, entry.label, entry.who, _detail(event, known) or entry.detail)
        for event, entry in zip(events, told, strict=True)
    ]


def _names_of(events: Iterable[Event]) -> dict[str, Mapping[int, str]]:
    """Return the names of all units, people and addresses that transfers name, by kind."""
    wanted: dict[str, set[int]] = {side: set() for side in _SIDES}
    for event in events:
        for whose in (event.data.get("before"), event.data.get("after")):
            if isinstance(whose, dict):
                for side in _SIDES:
                    wanted[side] |= {whose[side]} if whose.get(side) is not None else set()
    return {
        "unit_id": _units(wanted["unit_id"]),
        "membership_id": _people(wanted["membership_id"]),
        "address_id": _addresses(wanted["address_id"]),
    }


def _units(ids: Collection[int]) -> Mapping[int, str]:
    if not ids:
        return {}
    statement = select(Unit.id, Unit.name).where(Unit.id.in_(sorted(ids)))
    return dict(db.session.execute(statement).all())


def _people(ids: Collection[int]) -> Mapping[int, str]:
    if not ids:
        return {}
    statement = (
        select(Membership.id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id.in_(sorted(ids)))
    )
    return dict(db.session.execute(statement).all())


def _addresses(ids: Collection[int]) -> Mapping[int, str]:
    if not ids:
        return {}
    statement = select(Address.id, Address.name).where(Address.id.in_(sorted(ids)))
    return dict(db.session.execute(statement).all())


def _detail(event: Event, known: Mapping[str, Mapping[int, str]]) -> str:
    """Return what an event changed, in names of today."""
    data = event.data
    if event.verb == "asset.transferred":
        return _moved(data, known)
    if isinstance(until := data.get("until"), str):
        return _("Until %(day)s", day=day(date.fromisoformat(until)))
    if isinstance(data.get("quote"), str):
        return _("Quote %(number)s", number=data["quote"])
    if event.kind == KIND and isinstance(data.get("order"), str):
        return _("Order %(number)s", number=data["order"])
    return ""


def _moved(data: Mapping[str, Any], known: Mapping[str, Mapping[int, str]]) -> str:
    before, after = data.get("before") or {}, data.get("after") or {}
    changes = [
        f"{_name(known[side], before.get(side))} → {_name(known[side], after.get(side))}"
        for side in _SIDES
        if before.get(side) != after.get(side)
    ]
    return " · ".join(changes)


def _name(names: Mapping[int, str], key: object) -> str:
    return names.get(key, "–") if isinstance(key, int) else "–"
