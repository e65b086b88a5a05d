"""Which columns the list of quotes and its export show."""

from decimal import Decimal
from typing import Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.money import minor_units, round_half_up
from portal.quotes.queries import QuoteRow
from portal.quotes.rules import SortBy
from portal.web.tables import Column


def _net_total(row: QuoteRow) -> Decimal | None:
    """Return the total in the currency's own decimals, as it is printed."""
    if row.net_total is None:
        return None
    return round_half_up(row.net_total, minor_units(row.currency))


_COLUMNS: Final[tuple[Column[QuoteRow], ...]] = (
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
        value=_net_total,
        kind="money",
        currency=lambda row: row.currency,
        sort=SortBy.TOTAL,
    ),
    Column(
        key="valid_until",
        label=_l("Valid until"),
        value=lambda row: row.last_day,
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

_ACCOUNT: Final[Column[QuoteRow]] = Column(
    key="account", label=_l("Account"), value=lambda row: row.account
)
_FILES_ONLY: Final = frozenset({"reference"})


def columns_of(*, is_supplier: bool, on_page: bool) -> list[Column[QuoteRow]]:
    """Return the columns of the list; the supplier's staff also see whose quote it is."""
    number, *others = _COLUMNS
    columns = [number, _ACCOUNT, *others] if is_supplier else [number, *others]
    return [column for column in columns if not (on_page and column.key in _FILES_ONLY)]
