"""The page on which a case is opened: what it is about, what covers it, what may help first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.errors import InvalidError
from portal.policy import Actor
from portal.service.assets.queries import find_by_tags, today
from portal.service.assets.rules import Cover, cover_of
from portal.service.cases.actions import NewCase
from portal.service.cases.forms import NewCaseForm
from portal.service.cases.pages import new_key
from portal.service.cases.people import Requester, find_requesters
from portal.service.cases.references import Reference, find_reference
from portal.service.cases.rules import CaseKind, Channel, Priority
from portal.service.knowledge.queries import Suggestion, suggest

SUGGESTED = 5


@dataclass(frozen=True, slots=True)
class NewCasePage:
    """The form with what is known about its answers; before the check nothing is."""

    form: NewCaseForm
    is_agent: bool
    is_checked: bool = False
    reference: Reference | None = None
    cover: Cover | None = None
    suggestions: Sequence[Suggestion] = ()


def blank_form(actor: Actor, args: Mapping[str, str]) -> NewCaseForm:
    """Return the form as the address asks: ``asset``, ``order`` or ``sku``, ``kind``, subject."""
    about = args.get("asset") or args.get("order") or args.get("sku") or ""
    kind = args.get("kind", "")
    if kind not in set(CaseKind):
        kind = CaseKind.REPAIR if args.get("asset") else CaseKind.QUESTION
    return NewCaseForm(
        formdata=None,
        key=new_key(),
        kind=kind,
        about=about[:64],
        subject=args.get("subject", "")[:200],
        priority=Priority.NORMAL,
        channel=Channel.CALL if actor.is_supplier else Channel.PORTAL,
        requester=_requester_of(actor, args)[:200],
    )


def _requester_of(actor: Actor, args: Mapping[str, str]) -> str:
    """Return for whom an agent opens it: who is named, who has the unit, or its account."""
    named = args.get("requester") or args.get("account") or ""
    if not actor.is_supplier or args.get("requester"):
        return named
    found = find_by_tags(actor, [args.get("asset", "")], args.get("account", ""))
    holder = found[0].membership if len(found) == 1 else None
    return holder.person.email if holder else named


def show_blank(actor: Actor, form: NewCaseForm, now: datetime) -> NewCasePage:
    """Return the first page; what the address named is looked up at once."""
    reference = None
    if form.about.data and not actor.is_supplier:
        reference = _found(actor, actor.account_id, form.about.data)
    elif form.about.data:
        assets = find_by_tags(actor, [form.about.data])
        reference = Reference(asset=assets[0]) if len(assets) == 1 else None
    return _page(actor, form, reference, now, is_checked=False)


def check(actor: Actor, form: NewCaseForm, now: datetime) -> NewCasePage:
    """Return the form with articles that may answer it and with what covers the asset.

    What can't be used is said at its field; then nothing counts as checked.
    """
    requester = choose_requester(actor, form)
    reference = None
    if form.about.data and (requester or not actor.is_supplier):
        account_id = requester.account_id if requester else actor.account_id
        try:
            reference = find_reference(actor, account_id, form.about.data)
        except InvalidError as refusal:
            form.add_error(refusal)
    is_good = not form.errors and (requester is not None or not actor.is_supplier)
    return _page(actor, form, reference, now, is_checked=is_good)


def _page(
    actor: Actor,
    form: NewCaseForm,
    reference: Reference | None,
    now: datetime,
    *,
    is_checked: bool,
) -> NewCasePage:
    asset = reference.asset if reference else None
    asked = " ".join(filter(None, (form.subject.data, form.text.data)))
    suggestions: Sequence[Suggestion] = ()
    if is_checked:
        product_id = reference.product_id if reference else None
        suggestions = suggest(actor, asked, limit=SUGGESTED, product_id=product_id)
    return NewCasePage(
        form=form,
        is_agent=actor.is_supplier,
        is_checked=is_checked,
        reference=reference,
        cover=cover_of(asset, today(now)) if asset else None,
        suggestions=suggestions,
    )


def _found(actor: Actor, account_id: int, text: str) -> Reference | None:
    try:
        return find_reference(actor, account_id, text)
    except InvalidError:
        return None


def choose_requester(actor: Actor, form: NewCaseForm) -> Requester | None:
    """Return for whom an agent opens the case; where several fit, offer them to choose from."""
    if not actor.is_supplier:
        return None
    text = form.requester.data or ""
    if not text:
        form.add_error(_("Say for whom this case is: name, e-mail or account."), "requester")
        return None
    found = find_requesters(actor, text=text)
    chosen = form.requester_id.data or ""
    form.requester_id.choices = [(str(item.membership_id), item.label) for item in found]
    for item in found:
        if chosen == str(item.membership_id) or len(found) == 1:
            form.requester_id.data = str(item.membership_id)
            return item
    if not found:
        form.add_error(
            _(
                "No active person of a customer has “%(text)s” in name, e-mail or account.",
                text=text,
            ),
            "requester",
        )
    else:
        form.add_error(_("Several people fit: choose one."), "requester_id")
    return None


def wanted_of(actor: Actor, form: NewCaseForm, requester: Requester | None) -> NewCase:
    """Return what was typed, as the action takes it; customers don't say how it came."""
    channel = form.channel.data if actor.is_supplier else ""
    priority = form.priority.data or ""
    return NewCase(
        kind=CaseKind(form.kind.data),
        subject=form.subject.data or "",
        text=form.text.data or "",
        about=form.about.data or "",
        priority=Priority(priority) if priority else Priority.NORMAL,
        channel=Channel(channel) if channel in set(Channel) else Channel.PORTAL,
        requester_id=requester.membership_id if requester else None,
    )
