"""What the page of a case, or of a unit, shows of repairs, as plain data for its template."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import url_for
from flask_babel import gettext as _

from portal.accounts.queries import find_addresses, find_people_names
from portal.db import db
from portal.orders.carriers import name_of, tracking_url
from portal.policy import Actor, Permission
from portal.quotes.models import Quote
from portal.quotes.queries import visible_to as visible_quotes
from portal.service.assets.models import Asset
from portal.service.assets.pages import Linked
from portal.service.assets.rules import Covered
from portal.service.cases.models import Case
from portal.service.cases.plugs import Part
from portal.service.cases.rules import CaseKind
from portal.service.repairs import queries
from portal.service.repairs.actions import ENDED
from portal.service.repairs.forms import AnnounceForm, PartForm, StepForm
from portal.service.repairs.models import Repair, RepairPart, RepairStep
from portal.service.repairs.parts import covers_of, open_estimate
from portal.service.repairs.rules import (
    KIND,
    LABELS,
    MOVE_LABELS,
    OVER,
    PARTS_CHANGE,
    STEPS,
    Move,
    NeededPart,
    PartStatus,
    RepairStatus,
    Way,
    is_free,
)


@dataclass(frozen=True, slots=True)
class StripStep:
    """One station of the way: its word, whether it is behind, now or ahead, and since when."""

    label: str
    tone: str
    at: datetime | None
    is_now: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken, in words."""

    step: RepairStep
    label: str
    who: str


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part as the page shows it; ``missing`` says why the repair waits for it."""

    part: RepairPart
    tone: str
    missing: str
    quote_url: str | None
    can_use: bool
    can_give_back: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One repair as the page shows it."""

    repair: Repair
    strip: Sequence[StripStep]
    taken: Sequence[Taken]
    parts: Sequence[PartLine]
    tracking_url: str
    carrier: str

    @property
    def waits_for_parts(self) -> bool:
        """Whether a part is not approved or not here yet."""
        return any(line.missing or line.part.status is PartStatus.QUOTED for line in self.parts)

    @property
    def is_over(self) -> bool:
        """Whether nothing follows any more."""
        return self.repair.status in OVER


@dataclass(frozen=True, slots=True)
class RepairPanel:
    """The repairs of one case; a form that is there may be sent by whoever looks."""

    shown: Sequence[Shown]
    is_agent: bool
    moves: Sequence[tuple[str, str]]
    announce: AnnounceForm | None = None
    step: StepForm | None = None
    part: PartForm | None = None
    parts_are_free: bool = False
    has_payers: bool = False
    on_site_uncovered: bool = False

    @property
    def current(self) -> Shown | None:
        """The last repair."""
        return self.shown[0] if self.shown else None

    @property
    def complaining(self) -> list[AnnounceForm | StepForm | PartForm]:
        """The forms that have something to complain about."""
        forms = (self.announce, self.step, self.part)
        return [form for form in forms if form is not None and form.errors]


@dataclass(slots=True)
class RepairForms:
    """The forms of the panel; a view hands in the one that complains."""

    announce: AnnounceForm | None = None
    step: StepForm | None = None
    part: PartForm | None = None


def part_of_case(actor: Actor, case: Case, now: datetime) -> Part:
    """Return what the page of a case shows of its repairs; nothing where there can be none."""
    return show_repairs(actor, case, now, RepairForms())


def show_repairs(actor: Actor, case: Case, now: datetime, forms: RepairForms) -> Part:
    """Return the panel of a case's repairs, with forms as they were typed."""
    found = queries.find_of_case(case)
    can_announce = _can_announce(actor, case, found)
    if not found and not can_announce:
        return Part()
    is_agent = actor.can(Permission.REPAIR_WORK)
    urls = _quote_urls(actor, found)
    names = find_people_names(
        {step.person_id for repair in found for step in repair.steps if step.person_id}
    )
    current = found[0] if found and found[0].status not in OVER else None
    shown = [_shown(actor, repair, urls, names) for repair in found]
    panel = RepairPanel(
        shown=shown,
        is_agent=is_agent,
        moves=_moves(current, shown[0].waits_for_parts) if current and is_agent else (),
        announce=_announce_form(case, forms.announce) if can_announce else None,
        on_site_uncovered=_is_uncovered_on_site(case, current, now),
    )
    if is_agent and current is not None:
        panel = _with_forms(panel, case, current, forms, now)
    return Part(
        values={"repair": panel},
        objects=[(KIND, repair.id) for repair in found],
        labels=LABELS,
    )


def _can_announce(actor: Actor, case: Case, found: Sequence[Repair]) -> bool:
    if case.kind is not CaseKind.REPAIR or case.asset_id is None or case.status in ENDED:
        return False
    if any(repair.status not in OVER for repair in found):
        return False
    return actor.reach(Permission.CASE_SAVE).covers(
        account_id=case.account_id, unit_id=case.unit_id, owner_id=case.membership_id
    )


def _quote_urls(actor: Actor, found: Sequence[Repair]) -> dict[int, str]:
    """Return the addresses of the estimates that the actor may read."""
    ids = sorted({part.quote_id for repair in found for part in repair.parts if part.quote_id})
    if not ids or not actor.can(Permission.QUOTE_READ):
        return {}
    statement = visible_quotes(actor).where(Quote.id.in_(ids))
    rows = db.session.execute(statement.with_only_columns(Quote.id, Quote.number))
    return {key: url_for("quotes.detail", number=number) for key, number in rows}


def _shown(
    actor: Actor, repair: Repair, urls: Mapping[int, str], names: Mapping[int, str]
) -> Shown:
    is_agent = actor.can(Permission.REPAIR_WORK)
    needed = {item.sku: item for item in queries.needed_of(repair)} if is_agent else {}
    return Shown(
        repair=repair,
        strip=strip_of(repair),
        taken=[
            Taken(step, _(LABELS.get(step.verb, step.verb)), names.get(step.person_id or 0, ""))
            for step in repair.steps
            if not step.is_internal or not step.note or actor.is_supplier
        ],
        parts=[_part_line(part, repair, needed, urls, is_agent=is_agent) for part in repair.parts],
        tracking_url=tracking_url(repair.carrier, repair.tracking_number),
        carrier=name_of(repair.carrier),
    )


def strip_of(repair: Repair) -> list[StripStep]:
    """Return the way of a repair as stations: those behind it, where it is, those ahead."""
    reached = {step.status: step.taken_at for step in repair.steps}
    way = [state for state in STEPS if state is not RepairStatus.WAITING or state in reached]
    if repair.status not in way:  # it left the way: what it passed, and where it is
        last = [state for state in way if state in reached]
        end = [] if repair.status in OVER else [RepairStatus.RETURNED]
        way = [*last, repair.status, *end]
    elif RepairStatus.GIVEN_UP in reached:
        way = [state for state in way if state in reached]
        way.insert(-1, RepairStatus.GIVEN_UP)
    place = way.index(repair.status)
    return [
        StripStep(
            label=state.label,
            tone=state.tone if index == place else ("ok" if index < place else "idle"),
            at=reached.get(state) if index <= place else None,
            is_now=index == place,
        )
        for index, state in enumerate(way)
    ]


_TONES = {
    PartStatus.QUOTED: "warn",
    PartStatus.RESERVED: "work",
    PartStatus.USED: "ok",
    PartStatus.GIVEN_BACK: "idle",
    PartStatus.REFUSED: "bad",
}


def _part_line(
    part: RepairPart,
    repair: Repair,
    needed: Mapping[str, NeededPart],
    urls: Mapping[int, str],
    *,
    is_agent: bool,
) -> PartLine:
    can_change = is_agent and repair.status in PARTS_CHANGE
    is_held = part.status in {PartStatus.QUOTED, PartStatus.RESERVED, PartStatus.USED}
    in_repair = repair.status is RepairStatus.IN_REPAIR
    return PartLine(
        part=part,
        tone=_TONES[part.status],
        missing=_missing(part, needed.get(part.sku)),
        quote_url=urls.get(part.quote_id or 0),
        can_use=can_change and in_repair and part.status is PartStatus.RESERVED,
        can_give_back=can_change and is_held,
    )


def _missing(part: RepairPart, need: NeededPart | None) -> str:
    """Return why a reserved part holds the repair up, or nothing."""
    if part.status is not PartStatus.RESERVED or need is None or not need.is_missing:
        return ""
    return _("not here yet")


def _moves(current: Repair, waits_for_parts: bool) -> list[tuple[str, str]]:  # noqa: FBT001 - of one repair
    """Return the steps that can be taken, the likely one first: waiting only where parts lack."""
    moves = [move for move in Move if current.status in move.sources]
    if not waits_for_parts:
        moves.sort(key=lambda move: move in {Move.WAIT, Move.FAIL, Move.GIVE_UP, Move.CANCEL})
    return [(move.name.lower(), _move_label(move, current.way)) for move in moves]


def _move_label(move: Move, way: Way) -> str:
    """Return the button of a step; on site nothing travels."""
    if way is Way.ON_SITE and move is Move.RECEIVE:
        return _("Begin on site")
    if way is Way.ON_SITE and move is Move.RETURN:
        return _("Hand the unit back")
    return _(MOVE_LABELS[move])


def _announce_form(case: Case, form: AnnounceForm | None) -> AnnounceForm:
    addresses = find_addresses(case.account_id, kind="ship")
    own = [item.code for item in addresses if item.unit_id == case.unit_id]
    if case.asset is not None and case.asset.address_id is not None:
        own = [item.code for item in addresses if item.id == case.asset.address_id] or own
    form = form or AnnounceForm(
        formdata=None,
        key=new_key(),
        way=Way.SEND_IN.value,
        address=next(iter(own), ""),
        fault=case.subject,
    )
    form.address.choices = address_choices(case)
    return form


def address_choices(case: Case) -> list[tuple[str, str]]:
    """Return the addresses of a case's account to choose from."""
    found = find_addresses(case.account_id, kind="ship")
    return [(item.code, f"{item.code} – {item.name}, {item.line1}, {item.city}") for item in found]


def _is_uncovered_on_site(case: Case, current: Repair | None, now: datetime) -> bool:
    if current is None or current.way is not Way.ON_SITE or case.asset is None:
        return False
    return not is_free(covers_of(case, now), Covered.ON_SITE.value)


def _with_forms(
    panel: RepairPanel, case: Case, current: Repair, forms: RepairForms, now: datetime
) -> RepairPanel:
    """Add what an agent may send."""
    step = forms.step or StepForm(formdata=None)
    step.version.data = step.version.data or str(current.version)
    free = is_free(covers_of(case, now))
    part, has_payers = None, False
    if current.status in PARTS_CHANGE:
        part = forms.part or PartForm(formdata=None, key=new_key(), quantity=Decimal(1))
        part.payer.choices = payer_choices(case)
        has_payers = not free and open_estimate(current) is None
    return RepairPanel(
        shown=panel.shown,
        is_agent=panel.is_agent,
        moves=panel.moves,
        announce=panel.announce,
        on_site_uncovered=panel.on_site_uncovered,
        step=step,
        part=part,
        parts_are_free=free,
        has_payers=has_payers,
    )


def payer_choices(case: Case) -> list[tuple[str, str]]:
    """Return who may decide on the cost, the requester first where they can."""
    return [(str(payer.membership_id), payer.label) for payer in queries.find_payers(case)]


def new_key() -> str:
    """Return the key of a form, by which a repeated one is known."""
    return secrets.token_urlsafe(24)


def repairs_of_asset(actor: Actor, asset: Asset) -> list[Linked]:
    """Return what the page of a unit says of its repairs."""
    return [
        Linked(
            at=repair.created_at,
            number=repair.number,
            title=_("Repair"),
            url=url_for("cases.detail", number=repair.case.number),
            state=_(repair.status.label),
            tone=repair.status.tone,
        )
        for repair in queries.find_of_asset(actor, asset)
    ]
