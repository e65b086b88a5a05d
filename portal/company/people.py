"""People of an account: the list, inviting, rights, suspending."""

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import actions as accounts
from portal.accounts import memberships
from portal.accounts.forms import InviteForm, RightsForm, none_chosen, whole_account
from portal.accounts.memberships import Invitation, fingerprint, rights_of
from portal.accounts.models import Account, Membership
from portal.accounts.people import PeopleFilter, PeopleOrder, PersonRow, find_memberships
from portal.accounts.queries import (
    find_access_groups,
    find_possible_managers,
    find_units,
    get_account,
    get_membership,
)
from portal.accounts.rules import (
    STATUS_LABELS,
    STATUS_TONES,
    Rights,
    grantable_roles,
    roles_of_side,
)
from portal.company.rights_clash import find_clashes
from portal.company.tables import COLUMNS
from portal.errors import ConflictError, DomainError, InvalidError, NotAllowedError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import ROLE_LABELS, Actor, P, Role, Scope
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.formats import refusal
from portal.web.locale import LANGUAGES
from portal.web.paging import page_number, page_size
from portal.web.tables import cells_of, file_response, header_of, sort_of

bp = Blueprint("people", __name__, url_prefix="/company/people")

STATES = ("active", "invited", "suspended")


@bp.get("")
@requires(P.PERSON_READ)
def index() -> ResponseReturnValue:
    actor = current_actor()
    account, wanted = _account(actor), _wanted()
    sort = sort_of(PeopleOrder, PeopleOrder.NAME)
    narrowed = PeopleFilter(
        text=wanted["q"],
        account_id=account.id if account else None,
        unit_code=wanted["unit"],
        role=wanted["role"],
        status=wanted["status"],
    )
    if request.args.get("format") in {"csv", "xlsx"}:
        return _file(find_memberships(actor, narrowed, sort, size=None).items)
    people = find_memberships(actor, narrowed, sort, number=page_number(), size=page_size())
    return render_template(
        "company/people.html",
        page=people,
        sort=sort,
        wanted=wanted,
        account=account,
        units=find_units(account.id) if account else [],
        roles=_role_choices(account),
        invites_at=_invites_at(actor, account),
        **_words(),
    )


def _file(rows: Sequence[PersonRow]) -> ResponseReturnValue:
    header, cells = header_of(COLUMNS), cells_of(COLUMNS, rows)
    if request.args["format"] == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("People")), "people.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "people.csv")


def _account(actor: Actor) -> Account | None:
    """Return the account that the page is about; staff see all they reach until they name one."""
    code = request.args.get("account", "")
    if not code and actor.is_supplier:
        return None
    return get_account(actor, code or actor.account_code)


def _wanted() -> dict[str, str]:
    asked = {name: request.args.get(name, "").strip() for name in ("q", "unit", "role", "status")}
    asked["role"] = asked["role"] if asked["role"] in {role.value for role in Role} else ""
    asked["status"] = asked["status"] if asked["status"] in STATES else ""
    return asked


def _words() -> dict[str, object]:
    return {"role_labels": ROLE_LABELS, "labels": STATUS_LABELS, "tones": STATUS_TONES}


def _role_choices(account: Account | None) -> list[Role]:
    """Return the roles to filter by: those of the account's side, all while there is no account."""
    if account is None:
        return list(Role)
    side = roles_of_side(is_supplier=account.is_supplier)
    return [role for role in Role if role in side]


def _invites_at(actor: Actor, account: Account | None) -> str:
    """Return the account that "Invite" is about; none where inviting there is out of reach."""
    code = account.code if account else actor.account_code
    is_supplier = account.is_supplier if account else actor.is_supplier
    reach = actor.reach(P.PERSON_SAVE)
    reaches = reach.covers(
        account_id=account.id if account else actor.account_id,
        group_id=actor.access_group_id,
    )
    return code if reaches and (not is_supplier or actor.can(P.STAFF_SAVE)) else ""


@bp.route("/invite", methods=["GET", "POST"])
@requires(P.PERSON_SAVE)
def invite() -> ResponseReturnValue:
    actor = current_actor()
    account = _account(actor) or get_account(actor, actor.account_code)
    memberships.must_administer(actor, account, actor.access_group_id)
    form = InviteForm()
    _offer(form, actor, account, None)
    form.locale.choices = [
        ("", _("As the company")),
        *((tag, language.name) for tag, language in LANGUAGES.items()),
    ]
    if form.is_submitted():
        answer = _take(form, lambda at: _invite(actor, account, form, at))
        if answer is None:
            flash(_("%(email)s is invited.", email=form.email.data), "success")
            return redirect(url_for(".index", account=account.code), code=303)
        return _invite_page(actor, account, form), answer
    if actor.grants[P.PERSON_SAVE] is Scope.GROUP:
        form.unit_id.data = str(actor.unit_id or "")
        form.access_group_id.data = str(actor.access_group_id or "")
    return _invite_page(actor, account, form)


def _invite_page(actor: Actor, account: Account, form: InviteForm) -> str:
    return render_template(
        "company/people_invite.html", form=form, account=account, **_limits(actor, account)
    )


def _invite(actor: Actor, account: Account, form: InviteForm, at: datetime) -> None:
    invitation = Invitation(
        email=form.email.data or "",
        name=form.name.data or "",
        locale=form.locale.data or None,
        rights=_rights(form, kept=frozenset()),
    )
    memberships.invite_person(actor, account.code, invitation, now=at)


def _take(form: RightsForm, act: Callable[[datetime], None]) -> int | None:
    """Do what a form asks for; return the status of the page that says why not, else nothing."""
    if not form.validate():
        return 422
    try:
        act(now())
    except (InvalidError, NotAllowedError, ConflictError) as error:
        form.add_error(error)
        return _status(error)
    return None


def _status(error: DomainError) -> int:
    if isinstance(error, NotAllowedError):
        return 403
    return 409 if isinstance(error, ConflictError) else 422


@bp.route("/<int:membership_id>", methods=["GET", "POST"])
@requires(P.PERSON_READ, post=P.PERSON_SAVE)
def detail(membership_id: int) -> ResponseReturnValue:
    actor = current_actor()
    membership = get_membership(actor, membership_id)
    form = _rights_form(actor, membership)
    if not form.is_submitted():
        return _detail_page(actor, membership, form)
    kept = _kept(actor, membership)
    answer = _take(form, lambda at: _change(actor, membership_id, form, kept, at))
    if answer is None:
        flash(_("Saved."), "success")
        return redirect(url_for(".detail", membership_id=membership_id), code=303)
    membership = get_membership(actor, membership_id)
    saved = rights_of(membership)
    present = fingerprint(saved, membership.status)
    clashes: list[tuple[str, str]] = []
    if form.seen.data != present and form.validate():
        # Both values are in sight now, so the next save may decide between them.
        form.seen.data = present
        typed = _rights(form, kept=_kept(actor, membership))
        clashes = find_clashes(form, typed, saved, membership.account.currency)
    return _detail_page(actor, membership, form, clashes), answer


def _change(
    actor: Actor, membership_id: int, form: RightsForm, kept: frozenset[str], at: datetime
) -> None:
    memberships.change_membership(
        actor, membership_id, _rights(form, kept=kept), seen=form.seen.data or "", now=at
    )


def _rights_form(actor: Actor, membership: Membership) -> RightsForm:
    rights = rights_of(membership)
    form = RightsForm(
        data={
            "unit_id": str(rights.unit_id or ""),
            "access_group_id": str(rights.access_group_id or ""),
            "roles": sorted(rights.roles),
            "signing_limit": rights.signing_limit,
            "signs_unlimited": rights.signs_unlimited,
            "manager_id": str(rights.manager_id or ""),
            "seen": fingerprint(rights, membership.status),
        }
    )
    _offer(form, actor, membership.account, membership)
    return form


def _offer(form: RightsForm, actor: Actor, account: Account, membership: Membership | None) -> None:
    """Fill the lists with what this administrator may choose."""
    is_group = actor.grants.get(P.PERSON_SAVE) is Scope.GROUP
    held = membership.unit_id if membership else None
    is_bound = is_group and actor.unit_id is not None
    form.unit_id.choices = [
        *([] if is_bound and (membership is None or held is not None) else [whole_account()]),
        *(
            (str(unit.id), f"{unit.code} · {unit.name}")
            for unit in find_units(account.id)
            if not is_bound or unit.id in actor.reachable_unit_ids or unit.id == held
        ),
    ]
    form.access_group_id.choices = [
        *([] if is_group else [none_chosen()]),
        *(
            (str(group.id), f"{group.code} · {group.name}")
            for group in find_access_groups(account.id)
            if not is_group or group.id == actor.access_group_id
        ),
    ]
    form.manager_id.choices = [
        none_chosen(),
        *(
            (str(key), f"{name} · {email} · {unit}")
            for key, name, email, unit in find_possible_managers(account.id)
            if membership is None or key != membership.id
        ),
    ]
    if membership and membership.manager_id and not _is_offered(form, membership.manager_id):
        form.manager_id.choices.append((str(membership.manager_id), _("The present manager")))
    side = roles_of_side(is_supplier=account.is_supplier)
    form.roles.choices = [(role.value, _(ROLE_LABELS[role])) for role in Role if role in side]


def _is_offered(form: RightsForm, manager_id: int) -> bool:
    return any(value == str(manager_id) for value, *_label in form.manager_id.choices)


def _kept(actor: Actor, membership: Membership) -> frozenset[str]:
    """Return the roles that stay whatever is sent: their boxes are off, so browsers omit them."""
    grantable = grantable_roles(actor, is_supplier=membership.account.is_supplier)
    return frozenset(item.role for item in membership.roles) - {role.value for role in grantable}


def _rights(form: RightsForm, *, kept: frozenset[str]) -> Rights:
    return Rights(
        unit_id=_id(form.unit_id.data),
        access_group_id=_id(form.access_group_id.data),
        roles=frozenset(form.roles.data or ()) | kept,
        signing_limit=None if form.signs_unlimited.data else form.signing_limit.data,
        signs_unlimited=bool(form.signs_unlimited.data),
        manager_id=_id(form.manager_id.data),
    )


def _id(text: str | None) -> int | None:
    return int(text) if text else None


def _limits(actor: Actor, account: Account) -> dict[str, object]:
    """Return what the rights form says about what this administrator can't give."""
    grantable = grantable_roles(actor, is_supplier=account.is_supplier)
    return {
        "grantable": {role.value for role in grantable},
        "is_group_scope": actor.grants.get(P.PERSON_SAVE) is Scope.GROUP,
    }


def _detail_page(
    actor: Actor,
    membership: Membership,
    form: RightsForm,
    clashes: Sequence[tuple[str, str]] = (),
) -> str:
    return render_template(
        "company/people_detail.html",
        form=form,
        membership=membership,
        account=membership.account,
        person=membership.person,
        language=_language(membership.person.locale),
        why_not=_why_not(actor, membership),
        clashes=clashes,
        runs_people=actor.can(P.STAFF_SAVE) and membership.person_id != actor.person_id,
        **_limits(actor, membership.account),
        **_words(),
    )


def _language(tag: str | None) -> str:
    """Return a language by its own name; nothing where the person follows their company."""
    if not tag:
        return _("As the company")
    return LANGUAGES[tag].name if tag in LANGUAGES else tag


def _why_not(actor: Actor, membership: Membership) -> str:
    """Return why the actor can't change this membership; empty where they can."""
    try:
        memberships.check_administers(actor, membership)
    except NotAllowedError as error:
        return refusal(error)
    return ""


@bp.post("/<int:membership_id>/suspend")
@requires(P.PERSON_SAVE)
def suspend(membership_id: int) -> ResponseReturnValue:
    memberships.suspend_membership(current_actor(), membership_id, now=now())
    flash(_("The membership is suspended. It can be activated again."), "success")
    return redirect(url_for(".detail", membership_id=membership_id), code=303)


@bp.post("/<int:membership_id>/activate")
@requires(P.PERSON_SAVE)
def activate(membership_id: int) -> ResponseReturnValue:
    memberships.activate_membership(current_actor(), membership_id, now=now())
    flash(_("The membership is active again."), "success")
    return redirect(url_for(".detail", membership_id=membership_id), code=303)


@bp.post("/<int:membership_id>/suspend-person")
@requires(P.STAFF_SAVE)
def suspend_person(membership_id: int) -> ResponseReturnValue:
    actor = current_actor()
    membership = get_membership(actor, membership_id)
    accounts.suspend_person(actor, membership.person_id, now=now())
    flash(_("This person can't sign in to any account until they are activated."), "success")
    return redirect(url_for(".detail", membership_id=membership_id), code=303)


@bp.post("/<int:membership_id>/activate-person")
@requires(P.STAFF_SAVE)
def activate_person(membership_id: int) -> ResponseReturnValue:
    actor = current_actor()
    membership = get_membership(actor, membership_id)
    accounts.activate_person(actor, membership.person_id, now=now())
    flash(_("This person can sign in again."), "success")
    return redirect(url_for(".detail", membership_id=membership_id), code=303)


@bp.post("/<int:membership_id>/invite")
@requires(P.PERSON_SAVE)
def invite_again(membership_id: int) -> ResponseReturnValue:
    memberships.invite_again(current_actor(), membership_id, now=now())
    flash(_("A new invitation is on its way; the old link no longer works."), "success")
    return redirect(url_for(".detail", membership_id=membership_id), code=303)
