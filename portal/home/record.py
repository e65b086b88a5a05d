"""The record of what happened as a page: for auditors and administrators, on either side."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts.record import (
    RecordFilter,
    RecordRow,
    find_kinds,
    find_record,
    read_record,
)
from portal.accounts.rules import LABELS as ACCOUNT_LABELS
from portal.approvals.rules import LABELS as APPROVAL_LABELS
from portal.catalog.pricing.rules import LABELS as PRICE_LABELS
from portal.catalog.rules import LABELS as CATALOGUE_LABELS
from portal.catalog.stock.rules import LABELS as STOCK_LABELS
from portal.errors import N_
from portal.files.writing import write_csv, write_xlsx
from portal.jobs.rules import LABELS as JOB_LABELS
from portal.orders.rules import LABELS as ORDER_LABELS
from portal.policy import Actor, P
from portal.quotes.rules import LABELS as QUOTE_LABELS
from portal.reports.words import LABELS as REPORT_LABELS
from portal.service.assets.rules import LABELS as ASSET_LABELS
from portal.service.cases.rules import LABELS as CASE_LABELS
from portal.service.knowledge.rules import LABELS as ARTICLE_LABELS
from portal.service.repairs.rules import LABELS as REPAIR_LABELS
from portal.web.access import current_actor, requires
from portal.web.addresses import url_with
from portal.web.forms import ChoiceField, DateField, Form, TextField
from portal.web.paging import Page, page_number, page_size
from portal.web.tables import Column, cells_of, file_response, header_of
from portal.web.timeline import label_of

bp = Blueprint("record", __name__)

SET_UP_LABELS: Final[Mapping[str, str]] = {
    "calendar.added": N_("Business calendar added"),
    "calendar.changed": N_("Business calendar changed"),
    "service-targets.saved": N_("Service targets saved"),
    "service-targets.removed": N_("Service targets removed"),
}
"""What calendars and targets record; their pages show no time line of their own."""

LABELS: Final[Mapping[str, str]] = {
    **ACCOUNT_LABELS,
    **CATALOGUE_LABELS,
    **STOCK_LABELS,
    **PRICE_LABELS,
    **APPROVAL_LABELS,
    **QUOTE_LABELS,
    **ORDER_LABELS,
    **ASSET_LABELS,
    **ARTICLE_LABELS,
    **CASE_LABELS,
    **REPAIR_LABELS,
    **SET_UP_LABELS,
    **JOB_LABELS,
    **REPORT_LABELS,
}
"""Verb of an event -> what happened, in words."""

KIND_LABELS: Final[Mapping[str, str]] = {
    "account": N_("Account"),
    "agreement": N_("Agreement"),
    "approval": N_("Approval"),
    "article": N_("Article"),
    "asset": N_("Asset"),
    "calendar": N_("Business calendar"),
    "canned-answer": N_("Canned answer"),
    "case": N_("Case"),
    "cost": N_("Costs"),
    "exchange-rate": N_("Exchange rates"),
    "file": N_("File"),
    "freight-rate": N_("Freight rates"),
    "job": N_("Job"),
    "membership": N_("Membership"),
    "order": N_("Order"),
    "past-order": N_("Imported order"),
    "person": N_("Person"),
    "policy": N_("Approval policy"),
    "price-list": N_("Price list"),
    "product": N_("Product"),
    "quote": N_("Quote"),
    "repair": N_("Repair"),
    "report-schedule": N_("Report by mail"),
    "saved-view": N_("Report view"),
    "service-targets": N_("Service targets"),
    "service-rule": N_("Routing rule"),
    "service-team": N_("Service team"),
    "stock": N_("Stock"),
    "tax-rate": N_("Tax rates"),
}
"""Kind of an object -> how people call it."""

_PAGES: Final[Mapping[str, tuple[P, Callable[[RecordRow], str]]]] = {
    "quote": (P.QUOTE_READ, lambda row: url_for("quotes.detail", number=row.number)),
    "order": (P.ORDER_READ, lambda row: url_for("orders.detail", number=row.number)),
    "approval": (P.APPROVAL_READ, lambda row: url_for("approvals.detail", run_id=row.object_id)),
    "case": (P.CASE_READ, lambda row: url_for("cases.detail", number=row.number)),
    "stock": (P.STOCK_READ, lambda row: url_for("stock.detail", sku=row.number)),
    "price-list": (P.PRICE_LIST_READ, lambda row: url_for("price_lists.detail", code=row.number)),
    "product": (P.ACCOUNT_READ, lambda row: url_for("desk_catalog.detail", sku=row.number)),
    "account": (P.ACCOUNT_READ, lambda row: url_for("desk_accounts.detail", code=row.number)),
    "membership": (
        P.PERSON_READ,
        lambda row: url_for("people.detail", membership_id=row.object_id),
    ),
}
"""Kind of an object -> what its page asks for, and where it is."""


class FilterForm(Form):
    """What narrows the list; it changes nothing, so it needs no token."""

    class Meta(Form.Meta):
        """Read from the address of a GET."""

        csrf = False

    start = DateField(_l("From"), required=False)
    end = DateField(_l("To"), required=False)
    kind = ChoiceField(_l("Kind"), required=False)
    account = TextField(_l("Account"), required=False, max_length=64)
    number = TextField(_l("Number or code"), required=False, max_length=80)
    person = TextField(_l("Name or e-mail"), required=False, max_length=200)

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        for field in self:
            field.flags.optional_unmarked = True  # nothing has to be filled in to filter

    def filter(self, zone: ZoneInfo) -> RecordFilter:
        """Return what is asked for; both days count whole, in the reader's time zone."""
        return RecordFilter(
            start=_midnight(self.start.data, zone),
            end=_midnight(self.end.data + timedelta(days=1) if self.end.data else None, zone),
            kind=self.kind.data or "",
            account=(self.account.data or "") if "account" in self else "",
            number=self.number.data or "",
            person=self.person.data or "",
        )


def _midnight(day: Any, zone: ZoneInfo) -> datetime | None:  # noqa: ANN401 - a form's data
    return datetime.combine(day, time(), zone) if day else None


@bp.get("/desk/events", endpoint="desk")
@bp.get("/company/events", endpoint="company")
@requires(P.EVENT_READ)
def index() -> ResponseReturnValue:
    actor, form = current_actor(), FilterForm(request.args)
    form.kind.choices = [("", _("All")), *_kind_choices(actor)]
    if not actor.is_supplier:
        del form.account  # there is only their own
    is_good = form.validate()
    wanted = form.filter(ZoneInfo(actor.time_zone)) if is_good else RecordFilter()
    columns = _columns(actor)
    if is_good and request.args.get("format") in {"csv", "xlsx"}:
        return _file(actor, wanted, columns)
    page: Page[RecordRow] = Page([], 0)
    if is_good:
        page = find_record(actor, wanted, number=page_number(), size=page_size())
    shown = [column for column in columns if column.key in SHOWN[: 5 if actor.is_supplier else 4]]
    answer = render_template(
        "home/record.html", form=form, page=page, columns=shown, chips=_chips(form)
    )
    return answer, 200 if is_good else 422


def _kind_choices(actor: Actor) -> list[tuple[str, str]]:
    kinds = [(kind, _(KIND_LABELS.get(kind, kind))) for kind in find_kinds(actor)]
    return sorted(kinds, key=lambda pair: pair[1])


def _chips(form: FilterForm) -> list[tuple[str, str]]:
    """Return (words, address without it) of each filter that is on."""
    return [
        (f"{field.label.text}: {_chosen(field)}", url_with(**{field.name: None}, page=None))
        for field in form
        if field.data
    ]


def _chosen(field: Any) -> str:  # noqa: ANN401 - any kind of field
    if isinstance(field, ChoiceField):
        return _(KIND_LABELS.get(field.data, field.data))
    return str(field.data)


SHOWN: Final = ("occurred_at", "event", "object", "person", "account")
"""What the page shows; customers, whose account is always the same one, not the last."""


def _columns(actor: Actor) -> tuple[Column[RecordRow], ...]:
    """Return the columns of the file; the page shows the first of them."""
    return (
        Column(
            key="occurred_at", label=_l("When"), value=lambda row: row.occurred_at, kind="instant"
        ),
        Column(key="event", label=_l("What"), value=lambda row: _(label_of(row, LABELS))),
        Column(
            key="object",
            label=_l("Object"),
            value=_object,
            url=lambda row: _url(actor, row),
        ),
        Column(key="person", label=_l("Who"), value=_who),
        Column(key="account", label=_l("Account"), value=lambda row: row.account_code),
        Column(key="email", label=_l("E-mail"), value=lambda row: row.email),
        Column(key="verb", label=_l("Event"), value=lambda row: row.verb),
        Column(key="kind", label=_l("Kind"), value=lambda row: row.kind),
        Column(key="number", label=_l("Number or code"), value=lambda row: row.number),
        Column(key="sequence", label=_l("Row"), value=lambda row: row.sequence, kind="number"),
        Column(key="hash", label=_l("Hash"), value=lambda row: row.hash),
    )


def _object(row: RecordRow) -> str:
    kind, name = _(KIND_LABELS.get(row.kind, row.kind)), row.number or row.subject
    return f"{kind} {name}" if name else kind


def _who(row: RecordRow) -> str:
    if row.person_id is None:
        return _("the portal") if row.operator == "portal" else row.operator
    return row.who or _("a former user")


def _url(actor: Actor, row: RecordRow) -> str:
    """Return where the object is shown, to those whose rights open that page."""
    permission, address = _PAGES.get(row.kind, (None, None))
    if permission is None or address is None or not actor.can(permission):
        return ""
    has_name = row.object_id is not None if row.kind in {"approval", "membership"} else row.number
    return address(row) if has_name else ""


def _file(
    actor: Actor, wanted: RecordFilter, columns: tuple[Column[RecordRow], ...]
) -> ResponseReturnValue:
    header, cells = header_of(columns), cells_of(columns, read_record(actor, wanted))
    if request.args["format"] == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Events")), "events.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "events.csv")
