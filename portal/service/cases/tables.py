"""Which columns the list of cases and its export show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.service.cases.clocks import is_overdue
from portal.service.cases.models import Case
from portal.service.cases.rules import SortBy
from portal.service.clock.rules import Clock, Gauge
from portal.web.tables import Column


@dataclass(frozen=True, slots=True)
class Row:
    """One case with what the list says about it."""

    case: Case
    clock: Clock | None
    requester: str
    assignee: str

    @property
    def gauge(self) -> Gauge | None:
        """The promise that is to be kept next."""
        return self.clock.next_gauge if self.clock else None

    @property
    def awaits_answer(self) -> bool:
        """Whether that promise is the first answer, and not the resolution."""
        return self.clock is not None and self.gauge is self.clock.first_answer

    @property
    def is_overdue(self) -> bool:
        """Whether a promise is broken and the work still to be done."""
        return self.clock is not None and is_overdue(self.clock)

    @property
    def due_at(self) -> datetime | None:
        """When the promise that is to be kept next breaks."""
        return self.gauge.due_at if self.gauge else None

    @property
    def about(self) -> str:
        """What the case is about, in few words: tag, order or SKU."""
        case = self.case
        if case.asset is not None:
            return case.asset.service_tag
        return case.order_number or (case.product.sku if case.product else "")


def _column(key: str, label: Any, value: Any, **more: Any) -> Column[Row]:  # noqa: ANN401 - lazy texts
    return Column(key=key, label=label, value=value, **more)


COLUMNS: tuple[Column[Row], ...] = (
    _column(
        "case_number",
        _l("Case"),
        lambda row: row.case.number,
        sort=SortBy.NUMBER,
        url=lambda row: url_for("cases.detail", number=row.case.number),
    ),
    _column("subject", _l("Subject"), lambda row: row.case.subject),
    _column("kind", _l("Kind"), lambda row: _(row.case.kind.label)),
    _column("about", _l("Serial, order or product"), lambda row: row.about),
    _column("status", _l("Status"), lambda row: _(row.case.status.label), sort=SortBy.STATUS),
    _column(
        "priority", _l("Priority"), lambda row: _(row.case.priority.label), sort=SortBy.PRIORITY
    ),
    _column("requester", _l("Requester"), lambda row: row.requester),
    _column(
        "opened_at",
        _l("Opened"),
        lambda row: row.case.created_at,
        kind="instant",
        sort=SortBy.OPENED,
    ),
    _column(
        "changed_at",
        _l("Changed"),
        lambda row: row.case.changed_at,
        kind="instant",
        sort=SortBy.CHANGED,
    ),
    _column("due_at", _l("Due"), lambda row: row.due_at, kind="instant", sort=SortBy.CLOCK),
    _column("overdue", _l("Overdue"), lambda row: _("yes") if row.is_overdue else _("no")),
    _column("resolved_at", _l("Resolved"), lambda row: row.case.resolved_at, kind="instant"),
    _column("rating", _l("Rating"), lambda row: row.case.stars, kind="number"),
)

AGENT_COLUMNS: tuple[Column[Row], ...] = (
    COLUMNS[0],
    _column("account", _l("Account"), lambda row: row.case.account.code),
    *COLUMNS[1:7],
    _column("team", _l("Team"), lambda row: row.case.team.name if row.case.team else ""),
    _column("assignee", _l("Agent"), lambda row: row.assignee),
    _column("channel", _l("How it came"), lambda row: _(row.case.channel.label)),
    *COLUMNS[7:],
    _column("follow_up_on", _l("Follow up on"), lambda row: row.case.follow_up_on, kind="day"),
)
"""What the service sees besides: whose it is and who works on it."""
