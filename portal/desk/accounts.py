"""The supplier's view of its accounts: the list, and one account with its whole organisation."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import actions
from portal.accounts.imports import KINDS
from portal.accounts.models import Account, Unit
from portal.accounts.people import PeopleFilter, PeopleOrder, find_memberships
from portal.accounts.queries import (
    count_accounts_by_status,
    find_access_groups,
    find_accounts,
    find_addresses,
    find_cost_centres,
    find_people_names,
    find_units,
    get_account,
)
from portal.accounts.rules import STATUS_LABELS, STATUS_TONES, AccountStatus, ancestors
from portal.catalog.pricing.lists import find_lists_of_account
from portal.desk.price_lists import KIND_LABELS
from portal.desk.tables import ACCOUNTS, file_of
from portal.policy import ROLE_LABELS, Actor, P
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.paging import page_number, page_size
from portal.web.tables import Sort

bp = Blueprint("desk_accounts", __name__, url_prefix="/desk/accounts")

PEOPLE_SHOWN = 50


@bp.get("")
@requires(P.ACCOUNT_READ)
def index() -> ResponseReturnValue:
    actor = current_actor()
    text, status = request.args.get("q", "").strip(), request.args.get("status", "")
    status = status if status in set(AccountStatus) else ""
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = find_accounts(actor, text=text, status=status, size=None).items
        return file_of(request.args["format"], "accounts", ACCOUNTS, rows)
    return render_template(
        "desk/accounts.html",
        page=find_accounts(actor, text=text, status=status, number=page_number(), size=page_size()),
        counts=count_accounts_by_status(actor),
        text=text,
        status=status,
        states=list(AccountStatus),
        labels=STATUS_LABELS,
        tones=STATUS_TONES,
        can_import=actor.can(P.ACCOUNT_SAVE),
        can_see_people=actor.can(P.PERSON_READ),
    )


@bp.get("/<code>")
@requires(P.ACCOUNT_READ)
def detail(code: str) -> ResponseReturnValue:
    actor = current_actor()
    account = get_account(actor, code)
    return render_template(
        "desk/accounts_detail.html",
        account=account,
        labels=STATUS_LABELS,
        tones=STATUS_TONES,
        role_labels=ROLE_LABELS,
        can_save=actor.reach(P.ACCOUNT_SAVE).covers(account_id=account.id)
        and not account.is_supplier,
        kinds=[(kind.name, kind.label) for kind in KINDS],
        price_lists=find_lists_of_account(actor, account, now()),
        list_kinds=KIND_LABELS,
        company=_company(actor, account),
        people=_people(actor, account),
        can_read_policy=not account.is_supplier
        and actor.reach(P.POLICY_READ).covers(account_id=account.id),
    )


def _company(actor: Actor, account: Account) -> dict[str, object] | None:
    """Return the organisation of an account, for those who may look into it."""
    if not actor.reach(P.COMPANY_READ).covers(account_id=account.id):
        return None
    units = find_units(account.id)
    centres = find_cost_centres(account.id)
    owners = {item.owner_person_id for item in centres if item.owner_person_id is not None}
    return {
        "tree": _tree(units),
        "unit_codes": {unit.id: unit.code for unit in units},
        "addresses": find_addresses(account.id),
        "cost_centres": centres,
        "owners": find_people_names(owners),
        "groups": find_access_groups(account.id),
    }


def _tree(units: Sequence[Unit]) -> list[tuple[Unit, str]]:
    """Return the units, each below the one above it, with the way down to it."""
    parents = {unit.id: unit.parent_id for unit in units}
    codes = {unit.id: unit.code for unit in units}
    ways = {
        unit.id: " / ".join(codes[item] for item in reversed(ancestors(unit.id, parents)))
        for unit in units
    }
    return sorted(((unit, ways[unit.id]) for unit in units), key=lambda pair: pair[1])


def _people(actor: Actor, account: Account) -> object:
    if not actor.reach(P.PERSON_READ).covers(account_id=account.id):
        return None
    wanted = PeopleFilter(account_id=account.id)
    return find_memberships(actor, wanted, Sort(PeopleOrder.NAME), size=PEOPLE_SHOWN)


@bp.post("/<code>/suspend")
@requires(P.ACCOUNT_SAVE)
def suspend(code: str) -> ResponseReturnValue:
    actions.suspend_account(current_actor(), code, now=now())
    flash(
        _("%(code)s is suspended: its people can't act until it is activated.", code=code),
        "success",
    )
    return redirect(url_for(".detail", code=code), code=303)


@bp.post("/<code>/activate")
@requires(P.ACCOUNT_SAVE)
def activate(code: str) -> ResponseReturnValue:
    actions.activate_account(current_actor(), code, now=now())
    flash(_("%(code)s is active.", code=code), "success")
    return redirect(url_for(".detail", code=code), code=303)
