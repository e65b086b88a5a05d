"""What the page of one case shows, as plain data for its template."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from portal.accounts.queries import find_people_names
from portal.events.queries import find_events
from portal.policy import Actor, Permission
from portal.service.assets.queries import today
from portal.service.assets.rules import Cover, cover_of
from portal.service.cases import queries, teams
from portal.service.cases.clocks import find_clocks
from portal.service.cases.forms import (
    AssignForm,
    ChangeForm,
    ComplaintForm,
    MergeForm,
    NoteForm,
    RatingForm,
    ReplyForm,
    TransferForm,
)
from portal.service.cases.models import Case, CaseMessage
from portal.service.cases.people import find_member_names
from portal.service.cases.plugs import Part, parts_of
from portal.service.cases.rules import (
    BY_DIAGNOSIS,
    INTERNAL,
    KIND,
    LABELS,
    LIVE,
    CaseKind,
    Move,
)
from portal.service.clock.rules import Clock
from portal.service.knowledge.queries import Suggestion, suggest
from portal.web.locale import current_language
from portal.web.timeline import TimelineEntry, entries_of

SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the thread; ``number`` is set where it stood in a case merged into this."""

    message: CaseMessage
    author: str
    number: str
    case_number: str


@dataclass(slots=True)
class Forms:
    """The forms of the page; a view hands in the one that complains."""

    reply: ReplyForm | None = None
    note: NoteForm | None = None
    assign: AssignForm | None = None
    transfer: TransferForm | None = None
    merge: MergeForm | None = None
    change: ChangeForm | None = None
    complaint: ComplaintForm | None = None
    rating: RatingForm | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case as its page shows it."""

    case: Case
    requester: str
    assignee: str
    clock: Clock | None
    cover: Cover | None
    thread: list[Said]
    timeline: list[TimelineEntry]
    buttons: Mapping[str, str]
    target: str
    forms: Forms
    is_agent: bool
    suggestions: Sequence[Suggestion] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complaining(self) -> list[Any]:
        """The forms that have something to complain about."""
        return [form for form in _forms(self.forms) if form is not None and form.errors]

    @property
    def is_complaint(self) -> bool:
        """Whether the case is a complaint, which is assessed and followed up."""
        return self.case.kind is CaseKind.COMPLAINT


def _forms(forms: Forms) -> list[Any]:
    return [getattr(forms, name) for name in Forms.__slots__]


def show_case(actor: Actor, case: Case, now: datetime, forms: Forms | None = None) -> CasePage:
    """Return the page of a case: thread, facts, clock, what may be done, and its history."""
    is_agent = actor.can(Permission.CASE_WORK)
    parts = parts_of(actor, case, now)
    names = find_member_names({case.membership_id, case.assignee_id})
    buttons = _buttons(actor, case)
    return CasePage(
        case=case,
        requester=names.get(case.membership_id, ""),
        assignee=names.get(case.assignee_id or 0, ""),
        clock=find_clocks([case], now).get(case.id),
        cover=cover_of(case.asset, today(now)) if case.asset else None,
        thread=_thread(actor, case),
        timeline=_timeline(actor, case, parts),
        buttons=buttons,
        target=queries.get_by_id(case.merged_into_id).number if case.merged_into_id else "",
        forms=_fill(forms or Forms(), case, is_agent=is_agent),
        is_agent=is_agent,
        suggestions=suggestions_for(actor, case) if is_agent and case.status in LIVE else (),
        parts={name: value for part in parts for name, value in part.values.items()},
    )


def suggestions_for(actor: Actor, case: Case) -> Sequence[Suggestion]:
    """Return the articles that may answer a case, best first."""
    return suggest(actor, case.subject, limit=SUGGESTED, product_id=case.product_id)


def _thread(actor: Actor, case: Case) -> list[Said]:
    """Return what was said here and in the cases merged into this one, as far as seen."""
    merged = queries.find_merged_into(actor, case)
    numbers = {case.id: "", **{other.id: other.number for other in merged}}
    messages = queries.find_messages(actor, [case, *merged])
    names = find_people_names({item.person_id for item in messages if item.person_id})
    return [
        Said(
            message=item,
            author=names.get(item.person_id or 0, _("a former user")),
            number=numbers[item.case_id],
            case_number=numbers[item.case_id] or case.number,
        )
        for item in messages
    ]


def _timeline(actor: Actor, case: Case, parts: Sequence[Part]) -> list[TimelineEntry]:
    """Return what happened, newest first; customers don't read what the service did by itself."""
    objects = [(KIND, case.id), *(item for part in parts for item in part.objects)]
    labels = {**LABELS, **{verb: text for part in parts for verb, text in part.labels.items()}}
    events = [
        event
        for event in find_events(case.account_id, objects)
        if (actor.is_supplier or event.verb not in INTERNAL)
        and event.data.get("about") != BY_DIAGNOSIS
    ]
    names = find_people_names({event.person_id for event in events if event.person_id})
    return entries_of(events, labels, names)[::-1]


def _buttons(actor: Actor, case: Case) -> dict[str, str]:
    """Return the steps that the state allows, each with the reason why this person can't."""
    found: dict[str, str] = {}
    for move in Move:
        allowed = case.status in move.sources
        if move is Move.REPLY:  # a word to what is resolved or closed opens it again
            allowed = case.status in LIVE | Move.REOPEN.sources
        if allowed and (move.permission is not Permission.CASE_WORK or actor.is_supplier):
            found[move.name.lower()] = _reason(actor, case, move)
    if actor.is_supplier or case.rated_at is not None:
        found.pop("rate", None)
    if case.assignee_id == actor.membership_id and actor.membership_id is not None:
        found["taken"] = ""
    return found


def _reason(actor: Actor, case: Case, move: Move) -> str:
    if not actor.can(move.permission):
        return _("Your role does not include this.")
    reach = actor.reach(move.permission)
    if not reach.covers(
        account_id=case.account_id, unit_id=case.unit_id, owner_id=case.membership_id
    ):
        return _("Only the person whose case this is can do this.")
    return ""


def _fill(forms: Forms, case: Case, *, is_agent: bool) -> Forms:
    """Make the forms that no view handed in, filled with what the case says."""
    forms.reply = forms.reply or ReplyForm(formdata=None)
    forms.reply.key.data = forms.reply.key.data or new_key()
    forms.rating = forms.rating or RatingForm(formdata=None)
    if not is_agent:
        return forms
    forms.reply.phrase.choices = phrase_choices()
    forms.note = forms.note or NoteForm(formdata=None)
    forms.note.key.data = forms.note.key.data or new_key()
    forms.assign = forms.assign or AssignForm(formdata=None, assignee=str(case.assignee_id or ""))
    forms.assign.assignee.choices = [
        ("", _("nobody")),
        *((str(key), name) for key, name in teams.find_agents()),
    ]
    forms.transfer = forms.transfer or TransferForm(
        formdata=None, team=case.team.code if case.team else ""
    )
    forms.transfer.team.choices = [(team.code, team.name) for team in teams.find_teams()]
    forms.merge = forms.merge or MergeForm(formdata=None)
    forms.change = forms.change or ChangeForm(
        formdata=None,
        version=str(case.version),
        kind=case.kind.value,
        priority=case.priority.value,
        about=_about(case),
    )
    forms.complaint = forms.complaint or _complaint_form(case)
    return forms


def _complaint_form(case: Case) -> ComplaintForm:
    return ComplaintForm(
        formdata=None,
        version=str(case.version),
        category=case.complaint_category.value if case.complaint_category else None,
        severity=case.severity.value if case.severity else None,
        cause=case.cause.value if case.cause else None,
        measure=case.measure,
        follow_up_on=case.follow_up_on,
    )


def _about(case: Case) -> str:
    """Return what stands in the one box for serial, order or product."""
    if case.asset is not None:
        return case.asset.service_tag
    if case.order is not None:
        return case.order.number
    return case.product.sku if case.product else ""


def phrase_choices() -> list[tuple[str, str]]:
    """Return the canned answers in the agent's language and in every one, to insert."""
    phrases = teams.find_phrases(current_language().tag)
    return [("", _("Choose a canned answer")), *((str(item.id), item.name) for item in phrases)]


def new_key() -> str:
    """Return the key of a form, by which a repeated one is known."""
    return secrets.token_urlsafe(24)
