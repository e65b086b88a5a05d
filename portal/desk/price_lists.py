"""Price lists on the supplier's desk: versions and entries, checking, publishing, going back."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from portal.catalog.pricing import lists
from portal.catalog.pricing.actions import publish_list, rollback_list
from portal.catalog.pricing.lists import ListState
from portal.catalog.pricing.lookups import supplier_zone
from portal.catalog.pricing.models import PriceList, PriceListVersion
from portal.catalog.pricing.rules import ListKind
from portal.errors import N_, DomainError, InvalidError
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.addresses import url_with
from portal.web.clock import now
from portal.web.formats import refusal
from portal.web.forms import DateField, Form, HiddenField
from portal.web.paging import Page, offset_of, page_number, page_size

bp = Blueprint("price_lists", __name__, url_prefix="/desk/price-lists")

KIND_LABELS: Final = {
    ListKind.STANDARD.value: N_("Standard list"),
    ListKind.LIST.value: N_("Price list"),
    ListKind.AGREEMENT.value: N_("Agreement"),
}
DIFF_SHOWN: Final = 100
BREACHES_SHOWN: Final = 20


class CheckForm(Form):
    """The day from which a version is to be in force; it changes nothing, so it needs no token."""

    class Meta(Form.Meta):
        """Read from the address of a GET."""

        csrf = False

    at = DateField(lazy_gettext("In force from"), required=False)


class PublishForm(Form):
    at = HiddenField()
    checked = HiddenField()


class RollbackForm(Form):
    version = HiddenField()


class BadInstantError(InvalidError):
    message = N_("The instant can't be read: check the draft again.")


class BadVersionError(InvalidError):
    message = N_("Choose a version to return to.")


@bp.get("")
@requires(P.PRICE_LIST_READ)
def index() -> ResponseReturnValue:
    actor, text, at = current_actor(), request.args.get("q", "").strip(), now()
    asked, number, size = request.args.get("view", ""), page_number(), page_size()
    state = ListState(asked) if asked in set(ListState) else ListState.ALL
    counts = lists.count_lists_by_state(actor, text, at)
    rows = lists.find_lists(
        actor, text, at, state=state, offset=offset_of(number, size), limit=size
    )
    return render_template(
        "desk/price_lists.html",
        page=Page(rows, counts[state], number, size),
        text=text,
        state=state,
        views=[
            (_(each.label), url_with(view=each.value, page=None), each is state, counts[each])
            for each in ListState
        ],
        kinds=KIND_LABELS,
        can_import=actor.can(P.PRICE_LIST_DRAFT),
    )


@bp.get("/<code>")
@requires(P.PRICE_LIST_READ)
def detail(code: str) -> ResponseReturnValue:
    price_list = lists.get_list(current_actor(), code)
    return _detail_page(price_list, CheckForm())


@bp.get("/<code>/check")
@requires(P.PRICE_LIST_DRAFT)
def check(code: str) -> ResponseReturnValue:
    actor, form = current_actor(), CheckForm(request.args)
    price_list = lists.get_list(actor, code)
    if not form.validate():
        return _detail_page(price_list, form), 422
    at = datetime.combine(form.at.data, time(), supplier_zone()) if form.at.data else None
    try:
        publication = publish_list(actor, code, at=at, now=now(), dry_run=True)
    except DomainError as error:
        form.add_error(error)
        return _detail_page(price_list, form), 422
    confirm = PublishForm(
        at=at.isoformat() if at else "", checked=publication.fingerprint, formdata=None
    )
    return render_template(
        "desk/price_lists_check.html",
        publication=publication,
        price_list=price_list,
        form=confirm,
        at=at,
        most=DIFF_SHOWN,
        most_breaches=BREACHES_SHOWN,
        kinds=KIND_LABELS,
        can_publish=actor.can(P.PRICE_LIST_PUBLISH),
    )


@bp.post("/<code>/publish")
@requires(P.PRICE_LIST_PUBLISH)
def publish(code: str) -> ResponseReturnValue:
    actor, form = current_actor(), PublishForm()
    price_list = lists.get_list(actor, code)
    try:
        publication = publish_list(
            actor, code, at=_instant(form.at.data), now=now(), checked=form.checked.data or None
        )
    except DomainError as error:
        return _detail_page(price_list, CheckForm(formdata=None), refusal(error)), 409
    flash(
        _("Version %(number)s of %(code)s is published.", number=publication.number, code=code),
        "success",
    )
    return redirect(url_for(".detail", code=code), code=303)


@bp.post("/<code>/roll-back")
@requires(P.PRICE_LIST_PUBLISH)
def roll_back(code: str) -> ResponseReturnValue:
    raw = RollbackForm().version.data or ""
    lists.get_list(current_actor(), code)  # a list that is not there is said before the version
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10):  # noqa: PLR2004 - digits of a version
        raise BadVersionError
    publication = rollback_list(current_actor(), code, to=int(raw), now=now())
    flash(
        _(
            "%(code)s is back at version %(version)s, published as version %(number)s.",
            code=code,
            version=raw,
            number=publication.number,
        ),
        "success",
    )
    return redirect(url_for(".detail", code=code), code=303)


def _detail_page(price_list: PriceList, form: CheckForm, problem: str | None = None) -> str:
    """Draw a list with its versions and one page of the chosen version's entries."""
    actor, at = current_actor(), now()
    versions = lists.find_versions(price_list.id)
    draft = lists.find_draft(price_list.id)
    current = lists.find_in_force(price_list.id, at)
    chosen = _chosen(draft, versions, current)
    text, number, size = request.args.get("q", "").strip(), page_number(), page_size()
    rows, total = (
        lists.find_entries(chosen.id, text, offset=offset_of(number, size), limit=size)
        if chosen
        else ([], 0)
    )
    return render_template(
        "desk/price_lists_detail.html",
        price_list=price_list,
        versions=versions,
        draft=draft,
        current=current,
        chosen=chosen,
        page=Page(rows, total, number, size),
        text=text,
        at=at,
        form=form,
        problem=problem,
        kinds=KIND_LABELS,
        accounts=lists.find_account_codes(price_list, at),
        can_draft=actor.can(P.PRICE_LIST_DRAFT),
        can_publish=actor.can(P.PRICE_LIST_PUBLISH),
    )


def _chosen(
    draft: PriceListVersion | None,
    versions: Sequence[PriceListVersion],
    current: PriceListVersion | None,
) -> PriceListVersion | None:
    """Return the version whose entries are shown: the one asked for, else draft, else in force."""
    wanted = request.args.get("version", "")
    known = {str(each.number): each for each in versions if each.number}
    if wanted in known:
        return known[wanted]
    return draft or current or next(iter(known.values()), None)


def _instant(raw: str | None) -> datetime | None:
    """Read back the instant that the check page wrote; nothing is now.

    Raises:
        BadInstantError: It is neither.
    """
    if not raw:
        return None
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        raise BadInstantError from None
    if at.tzinfo is None:
        raise BadInstantError
    return at
