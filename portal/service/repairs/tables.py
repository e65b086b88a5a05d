"""Which columns the board, the list of spare parts and their exports show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalog.stock.queries import SortBy as StockSort
from portal.catalog.stock.queries import StockRow
from portal.service.repairs.models import Repair
from portal.service.repairs.queries import Holding
from portal.service.repairs.rules import PartStatus, SortBy
from portal.web.tables import Column


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One repair with what the board says about it."""

    repair: Repair
    assignee: str
    today: date
    since: date

    @property
    def days(self) -> int:
        """For how many days it has been in its step."""
        return (self.today - self.since).days

    @property
    def waits_for(self) -> str:
        """The parts that nobody has approved yet."""
        return ", ".join(part.sku for part in self.repair.parts if part.status is PartStatus.QUOTED)


def _column(key: str, label: Any, value: Any, **more: Any) -> Column[BoardRow]:  # noqa: ANN401 - lazy texts
    return Column(key=key, label=label, value=value, **more)


BOARD: tuple[Column[BoardRow], ...] = (
    _column(
        "repair_number",
        _l("Repair"),
        lambda row: row.repair.number,
        sort=SortBy.NUMBER,
        url=lambda row: url_for("cases.detail", number=row.repair.case.number, _anchor="repair"),
    ),
    _column("status", _l("Step"), lambda row: _(row.repair.status.label), sort=SortBy.STEP),
    _column(
        "since", _l("Since"), lambda row: row.repair.stepped_at, kind="instant", sort=SortBy.SINCE
    ),
    _column("days", _l("Days in this step"), lambda row: row.days, kind="number"),
    _column("account", _l("Account"), lambda row: row.repair.case.account.code),
    _column("case_number", _l("Case"), lambda row: row.repair.case.number),
    _column("subject", _l("Subject"), lambda row: row.repair.case.subject),
    _column("service_tag", _l("Service tag"), lambda row: row.repair.asset.service_tag),
    _column("product", _l("Product"), lambda row: row.repair.asset.name),
    _column("way", _l("How it comes"), lambda row: _(row.repair.way.label)),
    _column("waits_for", _l("Waits for approval of"), lambda row: row.waits_for),
    _column("assignee", _l("Agent"), lambda row: row.assignee),
    _column(
        "announced_at",
        _l("Announced"),
        lambda row: row.repair.created_at,
        kind="instant",
        sort=SortBy.ANNOUNCED,
    ),
    _column("returned_at", _l("Sent back"), lambda row: row.repair.returned_at, kind="instant"),
    _column("tracking_number", _l("Tracking number"), lambda row: row.repair.tracking_number),
)


@dataclass(frozen=True, slots=True)
class PartRow:
    """One spare part with the repairs that hold some of it."""

    stock: StockRow
    holdings: Sequence[Holding]

    @property
    def to_order(self) -> Decimal:
        """How many bring it back to its reorder level, and one beyond."""
        level = self.stock.reorder_level
        if level is None or self.stock.available > level:
            return Decimal(0)
        return level - self.stock.available + 1

    @property
    def held_by(self) -> str:
        """The repairs, in words."""
        return ", ".join(f"{item.number}: {item.quantity.normalize():f}" for item in self.holdings)


def _part(key: str, label: Any, value: Any, **more: Any) -> Column[PartRow]:  # noqa: ANN401 - lazy texts
    return Column(key=key, label=label, value=value, **more)


PARTS: tuple[Column[PartRow], ...] = (
    _part("sku", _l("SKU"), lambda row: row.stock.sku, sort=StockSort.SKU),
    _part("name", _l("Part"), lambda row: row.stock.name, sort=StockSort.NAME),
    _part("locations", _l("Locations"), lambda row: row.stock.locations),
    _part(
        "on_hand",
        _l("On hand"),
        lambda row: row.stock.on_hand,
        kind="number",
        sort=StockSort.ON_HAND,
    ),
    _part(
        "reserved",
        _l("Reserved"),
        lambda row: row.stock.reserved,
        kind="number",
        sort=StockSort.RESERVED,
    ),
    _part(
        "available",
        _l("Available"),
        lambda row: row.stock.available,
        kind="number",
        sort=StockSort.AVAILABLE,
    ),
    _part("reorder_level", _l("Reorder level"), lambda row: row.stock.reorder_level, kind="number"),
    _part("to_order", _l("To order"), lambda row: row.to_order, kind="number"),
    _part(
        "expected_on",
        _l("Expected"),
        lambda row: row.stock.expected_on,
        kind="day",
        sort=StockSort.EXPECTED,
    ),
    _part("held_by", _l("Reserved for"), lambda row: row.held_by),
)
