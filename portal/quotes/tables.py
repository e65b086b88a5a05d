"""Which columns the list of quotes and its export show."""

from datetime import timedelta
from typing import Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.quotes.queries import QuoteRow
from portal.quotes.rules import SortBy
from portal.web.tables import Column

COLUMNS: Final[tuple[Column[QuoteRow], ...]] = (
    Column(
        key="number",
        label=_l("Quote"),
        value=lambda row: row.number,
        sort=SortBy.NUMBER,
        url=lambda row: url_for("quotes.detail", number=row.number),
    ),
    Column(key="title", label=_l("Title"), value=lambda row: row.title, sort=SortBy.TITLE),
    Column(
        key="status", label=_l("Status"), value=lambda row: _(row.status.label), sort=SortBy.STATUS
    ),
    Column(key="revision", label=_l("Revision"), value=lambda row: row.revision, kind="number"),
    Column(key="owner", label=_l("Made by"), value=lambda row: row.owner),
    Column(key="unit", label=_l("Unit"), value=lambda row: row.unit),
    Column(
        key="net_total",
        label=_l("Net total"),
        value=lambda row: row.net_total,
        kind="money",
        currency=lambda row: row.currency,
        sort=SortBy.TOTAL,
    ),
    Column(
        key="valid_until",
        label=_l("Valid until"),
        # The end is exclusive: the instant before it lies on the day that is shown.
        value=lambda row: row.valid_until - timedelta(microseconds=1) if row.valid_until else None,
        kind="day",
        sort=SortBy.VALID_UNTIL,
    ),
    Column(
        key="changed_at",
        label=_l("Changed"),
        value=lambda row: row.changed_at,
        kind="instant",
        sort=SortBy.CHANGED,
    ),
    Column(key="reference", label=_l("Reference"), value=lambda row: row.reference),
)

ON_PAGE: Final = tuple(column for column in COLUMNS if column.key != "reference")
