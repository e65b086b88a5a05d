"""Pages of assets: the list, one unit with its cover and history, and renewals."""

import secrets
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import ConflictError, InvalidError
from portal.files.writing import write_csv, write_xlsx
from portal.policy import Actor, P
from portal.service.assets import actions, pages, queries
from portal.service.assets.actions import NewEntitlement, Transfer
from portal.service.assets.forms import EndForm, EntitlementForm, TransferForm
from portal.service.assets.models import Asset
from portal.service.assets.pages import AssetPage
from portal.service.assets.queries import SameTagError
from portal.service.assets.renewing import renew
from portal.service.assets.rules import AssetStatus, Covered, EntitlementKind, Move, SortBy
from portal.service.assets.tables import columns_of, url_of
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.formats import refusal as words
from portal.web.paging import Page, offset_of, page_number, page_size
from portal.web.tables import Column, cells_of, file_response, header_of, sort_of

bp = Blueprint("assets", __name__, url_prefix="/service")


@bp.get("/assets")
@requires(P.ASSET_READ)
def index() -> ResponseReturnValue:
    actor, wanted = current_actor(), pages.filter_of(request.args)
    on = queries.today(now())
    sort = sort_of(SortBy, SortBy.TAG)
    columns = columns_of(on, is_supplier=actor.is_supplier)
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = queries.find_assets(actor, wanted, on=on, sort=sort.key, descending=sort.descending)
        return _file(request.args["format"], columns, rows)
    number, size = page_number(), page_size()
    counts = queries.count_by_tab(actor, wanted, on=on)
    rows = queries.find_assets(
        actor,
        wanted,
        on=on,
        sort=sort.key,
        descending=sort.descending,
        limit=size,
        offset=offset_of(number, size),
    )
    return render_template(
        "service/assets.html",
        page=Page(rows, counts[wanted.tab], number, size),
        wanted=wanted,
        sort=sort,
        columns=columns,
        on=on,
        views=pages.views_of(wanted, counts),
        chips=pages.chips_of(wanted),
        units=() if actor.is_supplier else queries.find_units(actor),
        soon=pages.SOON_CHOICES,
        states=list(AssetStatus),
        cover_of=queries.cover_of,
        can_renew=actor.can(P.QUOTE_SAVE) and not actor.is_supplier,
        can_import=actor.can(P.ENTITLEMENT_SAVE),
    )


def _file(kind: str, columns: tuple[Column[Asset], ...], rows: object) -> ResponseReturnValue:
    header, cells = header_of(columns), cells_of(columns, rows)  # type: ignore[arg-type]
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=_("Assets")), "assets.xlsx")
    return file_response(write_csv(header, cells, for_people=True), "assets.csv")


@bp.get("/assets/<tag>")
@requires(P.ASSET_READ)
def detail(tag: str) -> ResponseReturnValue:
    actor = current_actor()
    try:
        asset = queries.get_asset(actor, tag, account=_account())
    except SameTagError:
        return redirect(url_for(".index", q=tag), code=303)
    return _show(pages.show_asset(actor, asset, now=now()))


def _show(page: AssetPage, status: int = 200) -> ResponseReturnValue:
    form = page.transfer if page.transfer.errors else page.entitlement
    return render_template("service/assets_detail.html", page=page, form=form), status


def _account() -> str | None:
    """Return the code of the account that the address names."""
    return request.args.get("account", "").strip() or None


def _back(actor: Actor, asset: Asset) -> ResponseReturnValue:
    whole = queries.get_by_id(asset.account_id, asset.id)
    return redirect(url_of(whole, is_supplier=actor.is_supplier), code=303)


@bp.post("/assets/<tag>/transfer")
@requires(P.ASSET_SAVE)
def transfer(tag: str) -> ResponseReturnValue:
    actor = current_actor()
    asset = queries.get_asset(actor, tag, account=_account())
    form = pages.transfer_form(actor, asset, TransferForm())
    if form.validate_on_submit():
        to = Transfer(
            unit=form.unit.data or "",
            email=form.email.data or "",
            address=form.address.data or "",
            place=form.place.data or "",
        )
        version = _version(form.version.data)
        try:
            actions.transfer(actor, tag, to, version=version, now=now(), account=_account())
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
        else:
            flash(_("%(tag)s is transferred.", tag=asset.service_tag), "success")
            return _after_transfer(actor, asset)
    return _show(pages.show_asset(actor, asset, now=now(), transfer=form), 422)


def _after_transfer(actor: Actor, asset: Asset) -> ResponseReturnValue:
    """Go back to the unit, or to the list where it went beyond this person's reach."""
    try:
        queries.get_asset(actor, asset.service_tag, account=_account())
    except queries.AssetNotFoundError:
        return redirect(url_for(".index"), code=303)
    return _back(actor, asset)


def _version(text: object) -> int:
    """Return the version that the form was made from; nonsense is none that there is."""
    typed = str(text or "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0  # noqa: PLR2004


@bp.post("/assets/<tag>/retire")
@requires(P.ASSET_SAVE)
def retire(tag: str) -> ResponseReturnValue:
    actor = current_actor()
    asset = actions.move_by_tag(actor, tag, Move.RETIRE, now=now(), account=_account())
    flash(_("%(tag)s is out of use.", tag=asset.service_tag), "success")
    return _back(actor, asset)


@bp.post("/assets/<tag>/revive")
@requires(P.ASSET_SAVE)
def revive(tag: str) -> ResponseReturnValue:
    actor = current_actor()
    asset = actions.move_by_tag(actor, tag, Move.REVIVE, now=now(), account=_account())
    flash(_("%(tag)s is in use again.", tag=asset.service_tag), "success")
    return _back(actor, asset)


@bp.post("/assets/<tag>/entitlements")
@requires(P.ENTITLEMENT_SAVE)
def add_entitlement(tag: str) -> ResponseReturnValue:
    actor, form = current_actor(), EntitlementForm()
    asset = queries.get_asset(actor, tag, account=_account())
    if form.validate_on_submit():
        try:
            actions.add_entitlement(actor, tag, _entitlement(form), now=now(), account=_account())
        except InvalidError as refusal:
            form.add_error(refusal)
        else:
            flash(_("The entitlement is added."), "success")
            return _back(actor, asset)
    return _show(pages.show_asset(actor, asset, now=now(), entitlement=form), 422)


def _entitlement(form: EntitlementForm) -> NewEntitlement:
    return NewEntitlement(
        kind=EntitlementKind(form.kind.data),
        covers=tuple(Covered(item) for item in form.covers.data or ()),
        valid_from=_day(form.valid_from.data),
        valid_until=_day(form.valid_until.data),
        note=form.note.data or "",
    )


def _day(value: date | None) -> date:
    """Return a day that the form has made sure is there."""
    if value is None:
        raise InvalidError
    return value


@bp.post("/assets/<tag>/entitlements/<int:position>")
@requires(P.ENTITLEMENT_SAVE)
def change_entitlement(tag: str, position: int) -> ResponseReturnValue:
    actor, form = current_actor(), EndForm()
    asset = queries.get_asset(actor, tag, account=_account())
    queries.get_entitlement(asset, position)
    if form.validate_on_submit():
        try:
            actions.change_entitlement(
                actor,
                tag,
                position,
                valid_until=_day(form.valid_until.data),
                version=_version(form.version.data),
                now=now(),
                account=_account(),
            )
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
        else:
            flash(_("The entitlement is changed."), "success")
            return _back(actor, asset)
    page = pages.show_asset(actor, asset, now=now())
    tried = {position: request.form.get("valid_until", "")[:40]}
    return render_template("service/assets_detail.html", page=page, form=form, tried=tried), 422


@bp.get("/renewals")
@requires(P.QUOTE_SAVE)
def renewals() -> ResponseReturnValue:
    actor, tags = current_actor(), request.args.getlist("tag")
    page = pages.show_renewals(actor, tags, {}, key=secrets.token_urlsafe(24), now=now())
    return render_template("service/assets_renewals.html", page=page, messages=())


@bp.post("/renewals")
@requires(P.QUOTE_SAVE)
def make_renewals() -> ResponseReturnValue:
    actor, tags = current_actor(), request.form.getlist("tag")
    chosen = {tag: request.form.get(f"sku-{tag}", "") for tag in tags}
    wanted = {tag: sku for tag, sku in chosen.items() if sku}
    key = request.form.get("key", "")[:64] or secrets.token_urlsafe(24)
    try:
        quote = renew(actor, wanted, key=key, title=_("Renewal of entitlements"), now=now())
    except (InvalidError, ConflictError) as refusal:
        page = pages.show_renewals(actor, tags, wanted, key=key, now=now())
        return render_template(
            "service/assets_renewals.html", page=page, messages=[(words(refusal), None)]
        ), 422
    flash(
        _("Quote %(number)s has the renewals. Submit it for approval.", number=quote.number),
        "success",
    )
    return redirect(url_for("quotes.detail", number=quote.number), code=303)
