"""The words and the calendar of assets: states, entitlements, what covers a day. Pure."""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, unique
from typing import Any, Final, Protocol

from portal.errors import N_
from portal.lifecycle import State, Step
from portal.policy import Actor, Permission

KIND: Final = "asset"
LONGEST_TAG: Final = 64
DEFAULT_WARRANTY_MONTHS: Final = 24
WARRANTY_MONTHS: Final = "warranty_months"
"""Attribute of a product: for how long a delivered unit is under warranty."""
RENEWAL_MONTHS: Final = "renewal_months"
"""Attribute of a service product: by how many months it extends the entitlement of a unit."""
RENEWAL_FOR: Final = "renewal_for"
"""Attribute of a service product: the category paths it is sold for, separated by semicolons."""
RENEWAL_COVERS: Final = "renewal_covers"
"""Attribute of a service product: what it covers, separated by semicolons."""
_NOT_IN_A_TAG: Final = re.compile(r"[^\w.-]+")


@unique
class AssetStatus(State):
    """Where a unit is in its life."""

    IN_USE = "in use", N_("in use"), "ok"
    IN_REPAIR = "in repair", N_("in repair"), "work"
    RETURNED = "returned", N_("returned"), "idle"
    RETIRED = "retired", N_("retired"), "idle"


S = AssetStatus


@unique
class Move(Step):
    """Every step a unit can take; those of a repair are taken by the repair."""

    # fmt: off
    #          from                      to            who may
    ADMIT   = ({S.IN_USE},               S.IN_REPAIR,  Permission.REPAIR_WORK)
    RELEASE = ({S.IN_REPAIR},            S.IN_USE,     Permission.REPAIR_WORK)
    RETURN  = ({S.IN_USE, S.IN_REPAIR},  S.RETURNED,   Permission.CASE_WORK)
    RETIRE  = ({S.IN_USE, S.RETURNED},   S.RETIRED,    Permission.ASSET_SAVE)
    REVIVE  = ({S.RETIRED, S.RETURNED},  S.IN_USE,     Permission.ASSET_SAVE)
    # fmt: on

    def apply(self, status: AssetStatus, actor: Actor, tag: str) -> AssetStatus:
        """Return the new state; raise `NotAllowedError` or `IllegalMoveError`."""
        self.check(status, actor, tag)
        return AssetStatus(self.target)


VERBS: Final = {
    Move.ADMIT: "asset.repair-begun",
    Move.RELEASE: "asset.repair-ended",
    Move.RETURN: "asset.returned",
    Move.RETIRE: "asset.retired",
    Move.REVIVE: "asset.revived",
}
"""Step -> what the record says of it."""

LABELS: Final = {
    "asset.taken-in": N_("Delivered and taken in as an asset"),
    "asset.imported": N_("Taken in from a file"),
    "asset.changed": N_("Changed by a file"),
    "asset.transferred": N_("Given to another unit, person or place"),
    "asset.repair-begun": N_("Repair begun"),
    "asset.repair-ended": N_("Back from repair"),
    "asset.returned": N_("Returned to the supplier"),
    "asset.retired": N_("Taken out of use"),
    "asset.revived": N_("Back in use"),
    "asset.delivered-again": N_("Delivered again"),
    "asset.entitled": N_("Entitlement added"),
    "asset.entitlement-changed": N_("Entitlement changed"),
    "asset.renewal-quoted": N_("Renewal put on a quote"),
    "asset.renewed": N_("Entitlement extended by a delivered renewal"),
}
"""Verb of an event -> what the time line says."""


@unique
class EntitlementKind(StrEnum):
    """What an entitlement rests on."""

    WARRANTY = "warranty"
    CONTRACT = "contract"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return {self.WARRANTY: N_("warranty"), self.CONTRACT: N_("service contract")}[self]


@unique
class Covered(StrEnum):
    """What an entitlement pays for."""

    PARTS = "parts"
    LABOUR = "labour"
    ON_SITE = "on-site"
    ADVANCE_EXCHANGE = "advance-exchange"

    @property
    def label(self) -> str:
        """The marked words of the page."""
        return _COVERED[self]


_COVERED: Final = {
    Covered.PARTS: N_("parts"),
    Covered.LABOUR: N_("labour"),
    Covered.ON_SITE: N_("service on site"),
    Covered.ADVANCE_EXCHANGE: N_("replacement sent in advance"),
}
WARRANTY_COVERS: Final = (Covered.PARTS, Covered.LABOUR)
"""What the warranty of a delivered unit covers."""


class Entitled(Protocol):
    """What the rules need to know of an entitlement: both days are included."""

    @property
    def kind(self) -> Any: ...  # noqa: ANN401 - a mapped column or a plain value
    @property
    def covers(self) -> Any: ...  # noqa: ANN401
    @property
    def valid_from(self) -> Any: ...  # noqa: ANN401
    @property
    def valid_until(self) -> Any: ...  # noqa: ANN401


class HasEntitlements(Protocol):
    """Something that has entitlements."""

    @property
    def entitlements(self) -> Any: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Cover:
    """What holds for a unit on a day.

    ``until`` is the last day of cover: of that which holds, with what follows it without a gap, or
    the day on which it ended; ``None`` where there never was any. ``starts_on`` is set where cover
    is still to begin. ``covers`` names what is paid for on that very day.
    """

    is_covered: bool
    kind: EntitlementKind | None = None
    until: date | None = None
    covers: tuple[Covered, ...] = ()
    starts_on: date | None = None

    def days_left(self, on: date) -> int | None:
        """Return how many days of cover follow ``on``; ``None`` where nothing covers."""
        return (self.until - on).days if self.is_covered and self.until else None

    def pays(self, what: Covered) -> bool:
        """Whether ``what`` is free of charge."""
        return self.is_covered and what in self.covers


def cover_of(asset: HasEntitlements, on: date) -> Cover:
    """Return what covers a unit on a day of the supplier's calendar."""
    return cover(asset.entitlements, on)


def cover(entitlements: Iterable[Entitled], on: date) -> Cover:
    """Return what some entitlements cover on a day; a contract is named before a warranty."""
    rows = sorted(entitlements, key=lambda row: (row.valid_from, row.valid_until))
    holding = [row for row in rows if row.valid_from <= on <= row.valid_until]
    if not holding:
        return _uncovered(rows, on)
    strongest = min(holding, key=lambda row: (row.kind != EntitlementKind.CONTRACT,))
    paid = {Covered(item) for row in holding for item in row.covers}
    return Cover(
        is_covered=True,
        kind=EntitlementKind(strongest.kind),
        until=_end_of_chain(rows, max(row.valid_until for row in holding)),
        covers=tuple(item for item in Covered if item in paid),
    )


def _uncovered(rows: Sequence[Entitled], on: date) -> Cover:
    past = [row for row in rows if row.valid_until < on]
    coming = [row.valid_from for row in rows if row.valid_from > on]
    last = max(past, key=lambda row: row.valid_until, default=None)
    return Cover(
        is_covered=False,
        kind=EntitlementKind(last.kind) if last else None,
        until=last.valid_until if last else None,
        starts_on=min(coming, default=None),
    )


def _end_of_chain(rows: Sequence[Entitled], end: date) -> date:
    """Return the last day that is reached from ``end`` without a day uncovered."""
    for row in rows:
        if row.valid_from <= end + timedelta(days=1):
            end = max(end, row.valid_until)
    return end


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or that month's last one where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day_of(start: date, months: int) -> date:
    """Return the last day of a time of ``months`` that begins with ``start``."""
    return add_months(start, months) - timedelta(days=1)


def renewed(entitlements: Iterable[Entitled], on: date, months: int) -> tuple[date, date]:
    """Return first and last day of a renewal: after the present cover, or from ``on``."""
    present = cover(entitlements, on)
    start = on
    if present.is_covered and present.until is not None:
        start = present.until + timedelta(days=1)
    return start, last_day_of(start, months)


def normal_tag(text: str) -> str:
    """Return a serial number as service tag: what an address can't carry becomes a hyphen."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return _NOT_IN_A_TAG.sub("-", plain).strip("-.")[:LONGEST_TAG]


def tag_key(tag: str) -> str:
    """Return the form in which a tag that somebody typed is looked up: no blanks, no case."""
    return normal_tag(tag).casefold()


def months_in(attributes: dict[str, str], name: str, default: int = 0) -> int:
    """Return a number of months that a product's attribute states, at most ten years."""
    text = attributes.get(name, "").strip()
    return min(int(text), 120) if text.isascii() and text.isdigit() else default


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a list in one attribute, separated by semicolons."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def is_under(path: str, roots: Iterable[str]) -> bool:
    """Whether a category lies at or below one of some others; no roots cover everything."""
    above = tuple(roots)
    return not above or any(path == root or path.startswith(f"{root}/") for root in above)


@unique
class Tab(StrEnum):
    """The views of the list."""

    ALL = "all"
    COVERED = "covered"
    EXPIRING = "expiring"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return _TABS[self]


_TABS: Final = {
    Tab.ALL: N_("All"),
    Tab.COVERED: N_("Covered"),
    Tab.EXPIRING: N_("Expiring soon"),
    Tab.EXPIRED: N_("Not covered"),
}
SOON_DAYS: Final = 90
MOST_DAYS: Final = 3_660


@unique
class SortBy(StrEnum):
    """By what the list may be sorted."""

    TAG = "tag"
    PRODUCT = "product"
    STATUS = "status"
    DELIVERED = "delivered"
    UNTIL = "until"
