"""Columns of the list of promises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from flask_babel import lazy_gettext as _l

from portal.service.clock.rules import Targets
from portal.service.clock.targets import PRIORITIES, TargetBook
from portal.web.tables import Column


@dataclass(frozen=True, slots=True)
class TargetRow:
    """What holds for a tier and a priority, wherever it comes from."""

    tier: str
    priority: str
    targets: Targets
    is_saved: bool


def rows_of(book: TargetBook, tiers: Iterable[str]) -> list[TargetRow]:
    """Return what holds for each tier and priority."""
    return [
        TargetRow(tier, priority, book.targets_for(priority, tier), (tier, priority) in book.saved)
        for tier in tiers
        for priority in PRIORITIES
    ]


def _hours(duration: timedelta | None) -> Decimal | None:
    return None if duration is None else Decimal(int(duration.total_seconds())) / 3600


COLUMNS: Final[Sequence[Column[TargetRow]]] = (
    Column(key="tier", label=_l("Tier"), value=lambda row: row.tier),
    Column(key="priority", label=_l("Priority"), value=lambda row: row.priority),
    Column(
        key="first_answer_hours",
        label=_l("First answer within (hours)"),
        value=lambda row: _hours(row.targets.first_answer),
        kind="number",
    ),
    Column(
        key="resolution_hours",
        label=_l("Resolution within (hours)"),
        value=lambda row: _hours(row.targets.resolution),
        kind="number",
    ),
    Column(
        key="warn_after_hours",
        label=_l("Warn the team after (hours)"),
        value=lambda row: _hours(row.targets.warn_after),
        kind="number",
    ),
    Column(
        key="escalate_after_hours",
        label=_l("Tell its manager after (hours)"),
        value=lambda row: _hours(row.targets.escalate_after),
        kind="number",
    ),
    Column(key="saved", label=_l("Saved"), value=lambda row: "yes" if row.is_saved else "no"),
)
