"""What the pages of quotes show, as plain data for their templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.approvals.actions import preview_route
from portal.approvals.strip import Strip, preview_strip, strip_of
from portal.approvals.whole import find_whole_run
from portal.catalog.pricing.lookups import supplier_zone
from portal.catalog.pricing.words import explain
from portal.catalog.stock.rules import Availability
from portal.policy import Actor, Permission
from portal.quotes import queries
from portal.quotes.comparison import ChangeKind, LineChange, compare
from portal.quotes.edits import FIELDS, Clash, ClashKind
from portal.quotes.forms import DraftForm
from portal.quotes.hashing import number_text
from portal.quotes.history import HISTORY_LABELS, find_history, names_of
from portal.quotes.models import Quote, QuoteRevision
from portal.quotes.moves import Move, open_moves
from portal.quotes.ordering import MadeOrder, Ordered, ordered_of
from portal.quotes.places import Places, places_of
from portal.quotes.queries import Filters
from portal.quotes.rules import EXPIRING, KIND, UNAPPROVED, Tab, last_day_of
from portal.quotes.sheet import Sheet, SheetLine, sheet_of, sheet_shown
from portal.quotes.showing import RevisionRow, Shown, find_revisions, get_shown
from portal.quotes.subject import change_text, make_subject, submitter_of
from portal.web.addresses import url_with
from portal.web.formats import refusal, unit_price
from portal.web.locale import current_time_zone
from portal.web.paging import Page
from portal.web.timeline import TimelineEntry, entries_of

LINES_SHOWN: Final = 100
MOST_TEXT: Final = 64
Diff = tuple[str, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Button:
    """A step that can be taken now; ``reason`` says why this person can't."""

    move: Move
    reason: str = ""


class LineView(NamedTuple):
    """A line as the page shows it, as plain values: equal lines need not be drawn twice.

    ``asked`` is the quantity in the product's own unit of measure, where it is in that. What was
    typed is there for the editor alone.
    """

    line_id: int
    sku: str
    name: str
    quantity: Decimal
    uom: str
    unit_price: Decimal | None
    list_price: Decimal | None
    line_total: Decimal | None
    seen_price: Decimal | None
    has_moved: bool
    problem: str
    why: str
    ordered: str
    is_active: bool
    lead_time_days: int | None
    availability: Availability | None
    asked: Decimal | None
    cost_centre: str | None
    ship_to: str | None
    note: str
    quantity_typed: str
    centre_typed: str
    address_typed: str
    note_typed: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotePage:
    """One revision of a quote as its page shows it."""

    quote: Quote
    revision: QuoteRevision
    sheet: Sheet
    places: Places
    lines: Page[LineView]
    buttons: Mapping[str, Button]
    can_edit: bool
    can_copy: bool
    can_extend: bool
    is_opened: bool
    strip: Strip | None
    timeline: list[TimelineEntry]
    revisions: Sequence[RevisionRow]
    orders: Sequence[MadeOrder]
    owner: str
    valid_until: str
    at: datetime
    form: DraftForm = field(default_factory=DraftForm)
    clashes: Sequence[Diff] = ()
    diff: Sequence[Diff] = ()
    compared: tuple[int, int] | None = None

    @property
    def is_current(self) -> bool:
        """Whether this is the quote's current revision."""
        return self.revision.number == self.quote.revision

    @property
    def version(self) -> int:
        """The version that the form was made from, else the quote's."""
        return self.form.version or self.quote.version

    @property
    def known_ids(self) -> str:
        """Line ids that the form was made from, as its hidden field names them."""
        return " ".join(str(line.row.line_id) for line in self.sheet.lines)

    @property
    def shown_ids(self) -> frozenset[int]:
        """Line ids of this page of a long quote."""
        return frozenset(view.line_id for view in self.lines.items)

    @property
    def today(self) -> date:
        """The day on which the page is read, where its reader is."""
        return self.at.astimezone(ZoneInfo(current_time_zone())).date()

    @property
    def centre_choices(self) -> list[tuple[int, str]]:
        """Cost centres to choose from."""
        return [
            (key, f"{centre.code} {centre.name}")
            for key, centre in self.places.cost_centres.items()
        ]

    @property
    def address_choices(self) -> list[tuple[int, str]]:
        """Addresses to choose from."""
        return [
            (key, f"{place.code} {place.city}, {place.country}")
            for key, place in self.places.addresses.items()
        ]


def filters_of(args: Mapping[str, str]) -> Filters:
    """Read a list's filter from the address; nonsense is the default."""
    asked = args.get("view", "")
    tab = Tab(asked) if asked in set(Tab) else Tab.ACTIVE
    return Filters(tab=tab, text=args.get("q", "").strip()[:MOST_TEXT])


def views_of(filters: Filters, counts: Mapping[Tab, int]) -> list[tuple[str, str, bool, int]]:
    """Return the tabs of the list: label, address, whether it is shown, exact count."""
    return [
        (_(tab.label), url_with(view=tab.value, page=None), tab is filters.tab, counts[tab])
        for tab in Tab
    ]


def show_quote(  # noqa: PLR0913 - what is shown, and what was typed into it
    actor: Actor,
    number: str,
    now: datetime,
    *,
    revision: int | None = None,
    compared: tuple[int, int] | None = None,
    form: DraftForm | None = None,
    clashes: Sequence[Clash] = (),
    page: int = 1,
) -> QuotePage:
    """Return the page of a quote, in a constant number of statements.

    Args:
        actor: Whoever looks.
        number: As printed.
        now: The instant whose prices a draft shows.
        revision: Default: the current one.
        compared: Two revisions whose difference is shown.
        form: What was typed, if it was refused.
        clashes: What somebody else saved meanwhile.
        page: Which lines of a long quote.

    Raises:
        QuoteNotFoundError: No such quote or revision within the actor's reach.
    """
    shown, form = get_shown(actor, number, now, revision), form or DraftForm()
    quote = shown.quote
    places = places_shown(shown, is_compared=compared is not None)
    sheet = sheet_shown(shown, now)
    buttons = _buttons(actor, quote)
    is_current = shown.revision.number == quote.revision
    ordered = ordered_of(actor, quote.id) if _may_have_orders(quote) else Ordered()
    return QuotePage(
        quote=quote,
        revision=shown.revision,
        sheet=sheet,
        places=places,
        lines=_lines(sheet, page, ordered.quantities, shown.stock, form),
        buttons=buttons if is_current else {},
        can_edit=is_current and "SAVE" in buttons and not buttons["SAVE"].reason,
        can_copy=actor.can(Permission.QUOTE_SAVE),
        can_extend=is_current
        and quote.status in EXPIRING
        and not _reason(actor, quote, Permission.QUOTE_EXTEND),
        is_opened=shown.is_opened,
        strip=_strip(actor, sheet, shown, places, now),
        timeline=_timeline(shown),
        revisions=find_revisions(quote) if quote.revision > 1 else (),
        orders=ordered.orders,
        owner=shown.owner,
        valid_until=_last_day(shown.revision, places),
        at=now,
        form=form,
        clashes=[_clash(clash, places) for clash in clashes],
        diff=compare_revisions(actor, number, compared, places, now) if compared else (),
        compared=compared,
    )


def places_shown(shown: Shown, *, is_compared: bool = False) -> Places:
    """Return where a draft's lines may go; what was submitted has its places frozen with it."""
    if shown.around is not None:
        return shown.around.places
    if is_compared:
        return places_of(shown.account, shown.units)
    return Places(shown.account, {}, {}, shown.units)


def _may_have_orders(quote: Quote) -> bool:
    """Whether some revision has been approved, without which nothing can be ordered."""
    return quote.revision > 1 or quote.status not in UNAPPROVED


def _last_day(revision: QuoteRevision, places: Places) -> str:
    if revision.holds_until is None:
        return ""
    return last_day_of(revision.holds_until, ZoneInfo(places.account.time_zone)).isoformat()


def _lines(
    sheet: Sheet,
    number: int,
    ordered: Mapping[int, Decimal],
    stock: Mapping[int, Availability],
    form: DraftForm,
) -> Page[LineView]:
    """Return the lines of one page of a long quote; most quotes have one page."""
    zone = supplier_zone()
    first = (number - 1) * LINES_SHOWN
    shown = sheet.lines[first : first + LINES_SHOWN]
    views = [
        _view(
            line,
            explain(line.resolution, zone),
            _ordered(ordered.get(line.row.line_id)),
            stock.get(line.product.id),
            form,
        )
        for line in shown
    ]
    return Page(views, len(sheet.lines), number, LINES_SHOWN)


def _view(
    line: SheetLine, why: str, ordered: str, availability: Availability | None, form: DraftForm
) -> LineView:
    row, product, key = line.row, line.product, line.row.line_id
    return LineView(
        line_id=key,
        sku=row.sku,
        name=row.name,
        quantity=row.quantity,
        uom=row.uom,
        unit_price=line.unit_price,
        list_price=line.list_price,
        line_total=line.line_total,
        seen_price=row.seen_price,
        has_moved=line.has_moved,
        problem=refusal(line.problem) if line.problem else "",
        why=why,
        ordered=ordered,
        is_active=product.is_active,
        lead_time_days=product.lead_time_days,
        availability=availability,
        asked=row.quantity if row.uom == product.uom else None,
        cost_centre=line.cost_centre,
        ship_to=line.ship_to,
        note=row.note,
        quantity_typed=form.text(f"quantity-{key}", number_text(row.quantity)),
        centre_typed=form.text(f"cost_centre-{key}", row.cost_centre_id),
        address_typed=form.text(f"ship_to-{key}", row.ship_to_address_id),
        note_typed=form.text(f"note-{key}", row.note),
        error=form.errors.get(f"quantity-{key}"),
    )


def _ordered(quantity: Decimal | None) -> str:
    return number_text(quantity) if quantity else ""


def _buttons(actor: Actor, quote: Quote) -> dict[str, Button]:
    """Return the steps open in the quote's state, each with the reason why the actor can't."""
    return {
        move.name: Button(move, _reason(actor, quote, move.permission))
        for move in open_moves(quote.status)
        if move.permission is not None
    }


def _reason(actor: Actor, quote: Quote, permission: Permission) -> str:
    if not actor.can(permission):
        if permission is Permission.QUOTE_CONVERT:
            return _("Your roles do not include ordering. Ask a buyer to convert this quote.")
        return _("Your roles do not include this.")
    reach = actor.reach(permission)
    if not reach.covers(
        account_id=quote.account_id, unit_id=quote.unit_id, owner_id=quote.membership_id
    ):
        return _("This quote belongs to somebody else: you can read it.")
    return ""


def _strip(actor: Actor, sheet: Sheet, shown: Shown, places: Places, now: datetime) -> Strip | None:
    """Return the route: of a draft as it would be now, of a submitted revision as it went."""
    if shown.around is not None:
        if not sheet.lines:
            return None
        submitter = submitter_of(actor, sheet, shown.requester_ids)
        subject = make_subject(sheet, submitter, places.account.time_zone, now)
        is_own = submitter.membership_id == actor.membership_id
        return preview_strip(
            preview_route(subject, shown.around.judges), you="" if is_own else shown.owner
        )
    run = find_whole_run(KIND, sheet.revision.id)
    return strip_of(run) if run else None


def _timeline(shown: Shown) -> list[TimelineEntry]:
    """Return what happened to a quote and to the approvals of its revisions, the newest first."""
    quote, around = shown.quote, shown.around
    events = around.history if around else find_history(quote.account_id, quote.id)
    return entries_of(events, HISTORY_LABELS, names_of(events))[::-1]


# --- differences ---------------------------------------------------------------------------------


def compare_revisions(
    actor: Actor, number: str, compared: tuple[int, int], places: Places, now: datetime
) -> list[Diff]:
    """Return the lines that differ between two revisions, for the diff of the page."""
    before, after = (
        sheet_of(actor, queries.get_revision(actor, number, revision), places, now)
        for revision in compared
    )
    changes = compare(
        [line.compared for line in before.lines], [line.compared for line in after.lines]
    )
    return [_diff(change, before.quote.currency) for change in changes if change_text(change)]


def _diff(change: LineChange, currency: str) -> Diff:
    line = change.line
    label = f"{line.sku} {line.name}"
    if change.kind is ChangeKind.ADDED:
        return "added", label, None, _said(change, currency, is_new=True)
    if change.kind is ChangeKind.REMOVED:
        return "removed", label, _said(change, currency, is_new=False), None
    old, new = _said(change, currency, is_new=False), _said(change, currency, is_new=True)
    return "changed", label, old, new


def _said(change: LineChange, currency: str, *, is_new: bool) -> str:
    """Say what a line was or is, as far as it differs."""
    line = (change.after if is_new else change.before) or change.line
    is_changed = change.kind is ChangeKind.CHANGED
    parts = []
    if change.quantity_changed or change.price_changed or not is_changed:
        parts.append(f"{number_text(line.quantity)} × {unit_price(line.unit_price, currency)}")
    if change.booking_changed or not is_changed:
        parts += [part for part in (line.cost_centre, line.ship_to, line.note) if part]
    return " · ".join(parts) or "–"


def _clash(clash: Clash, places: Places) -> Diff:
    """Say what somebody saved meanwhile, beside what this person typed."""
    label = " ".join(part for part in (clash.sku, _(FIELDS[clash.field])) if part)
    if clash.kind is ClashKind.ADDED:
        return "added", label, None, _value(clash.saved, clash.field, places)
    if clash.kind is ClashKind.REMOVED:
        return "removed", label, _value(clash.typed, clash.field, places), None
    typed = _value(clash.typed, clash.field, places) or "–"
    saved = _value(clash.saved, clash.field, places) or "–"
    return "changed", label, _("you: %(value)s", value=typed), _("saved: %(value)s", value=saved)


def _value(value: object, name: str, places: Places) -> str:
    if value is None or value == "":
        return ""
    if name == "cost_centre_id" and isinstance(value, int) and value in places.cost_centres:
        return places.cost_centres[value].code
    if name == "ship_to_address_id" and isinstance(value, int) and value in places.addresses:
        return places.addresses[value].code
    return str(value)
