"""Stock on the supplier's desk: what lies where, for whom it is kept, and the ledger."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import HiddenField

from portal.accounts.queries import find_people_names
from portal.catalog.models import Product
from portal.catalog.queries import find_products_by_sku, get_product
from portal.catalog.stock import actions
from portal.catalog.stock.models import StockMove, StockReservation
from portal.catalog.stock.queries import (
    VIEW_LABELS,
    Filters,
    SortBy,
    StockRow,
    View,
    count_views,
    find_availability,
    find_levels,
    find_locations,
    find_moves,
    find_reservations,
    find_stock,
)
from portal.catalog.stock.rules import MOVE_LABELS, STORE_LABELS, Store, Subject
from portal.db import db
from portal.desk.tables import file_of
from portal.errors import N_, ConflictError, InvalidError
from portal.orders.models import Order
from portal.orders.queries import visible_to as visible_orders
from portal.orders.rules import KIND as ORDER
from portal.policy import Actor, P
from portal.service.repairs.queries import find_numbers
from portal.service.repairs.rules import KIND as REPAIR
from portal.web.access import current_actor, requires
from portal.web.addresses import url_with
from portal.web.clock import now
from portal.web.forms import CodeField, DateField, Form, NumberField, QuantityField, TextField
from portal.web.paging import page_number, page_size
from portal.web.tables import Column, sort_of

bp = Blueprint("stock", __name__, url_prefix="/desk/stock")

MOVES_SHOWN: Final = 50
SUBJECT_LABELS: Final[Mapping[str, str]] = {
    "order": N_("an order"),
    "repair": N_("a repair"),
}


class ReceiveForm(Form):
    key = HiddenField()
    location_code = CodeField(lazy_gettext("Location"), id="receive-location")
    quantity = QuantityField(lazy_gettext("Quantity"), id="receive-quantity")
    note = TextField(lazy_gettext("Delivery note"), required=False, id="receive-note")


class CorrectForm(Form):
    seen = HiddenField()
    location_code = CodeField(lazy_gettext("Location"))
    on_hand = NumberField(lazy_gettext("On hand"), least=Decimal(0))
    expected_on = DateField(lazy_gettext("More expected on"), required=False)
    reorder_level = NumberField(lazy_gettext("Reorder level"), required=False, least=Decimal(0))
    reason = TextField(lazy_gettext("Reason"), required=False)


COLUMNS: Final[tuple[Column[StockRow], ...]] = (
    Column(
        key="sku",
        label=lazy_gettext("SKU"),
        value=lambda row: row.sku,
        sort=SortBy.SKU,
        url=lambda row: url_for("stock.detail", sku=row.sku),
    ),
    Column(key="name", label=lazy_gettext("Product"), value=lambda row: row.name, sort=SortBy.NAME),
    Column(key="store", label=lazy_gettext("Store"), value=lambda row: _(STORE_LABELS[row.store])),
    Column(key="locations", label=lazy_gettext("Locations"), value=lambda row: row.locations),
    Column(
        key="on_hand",
        label=lazy_gettext("On hand"),
        value=lambda row: row.on_hand,
        kind="number",
        sort=SortBy.ON_HAND,
    ),
    Column(
        key="reserved",
        label=lazy_gettext("Reserved"),
        value=lambda row: row.reserved,
        kind="number",
        sort=SortBy.RESERVED,
    ),
    Column(
        key="available",
        label=lazy_gettext("Available"),
        value=lambda row: row.available,
        kind="number",
        sort=SortBy.AVAILABLE,
    ),
    Column(
        key="reorder_level",
        label=lazy_gettext("Reorder level"),
        value=lambda row: row.reorder_level,
        kind="number",
    ),
    Column(key="uom", label=lazy_gettext("Unit of measure"), value=lambda row: row.uom),
    Column(
        key="expected_on",
        label=lazy_gettext("Expected"),
        value=lambda row: row.expected_on,
        kind="day",
        sort=SortBy.EXPECTED,
    ),
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a subject is called, and where it is."""

    label: str
    url: str | None = None


@bp.get("")
@requires(P.STOCK_READ)
def index() -> ResponseReturnValue:
    filters, sort = _filters(), sort_of(SortBy, SortBy.SKU)
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = find_stock(filters, sort=sort, size=None).items
        return file_of(request.args["format"], "stock", COLUMNS, rows)
    counts = count_views(filters)
    page = find_stock(filters, sort=sort, number=page_number(), size=page_size())
    return render_template(
        "desk/stock.html",
        page=page,
        filters=filters,
        sort=sort,
        columns=COLUMNS,
        views=_views(filters, counts),
        stores=[(store.value, _(STORE_LABELS[store])) for store in Store],
        locations=find_locations(),
        unkept=None if page.items else _unkept(current_actor(), filters.text),
        can_save=current_actor().can(P.STOCK_SAVE),
    )


def _filters() -> Filters:
    view, store = request.args.get("view", ""), request.args.get("store", "")
    return Filters(
        view=View(view) if view in set(View) else View.ALL,
        text=request.args.get("q", "").strip()[:200],
        store=Store(store) if store in set(Store) else None,
        location=request.args.get("location", "").strip()[:64],
    )


def _views(filters: Filters, counts: Mapping[View, int]) -> list[tuple[str, str, bool, int]]:
    return [
        (_(label), url_with(view=view.value, page=None), view is filters.view, counts[view])
        for view, label in VIEW_LABELS.items()
    ]


def _unkept(actor: Actor, text: str) -> Product | None:
    """Return the product of exactly this SKU, of which no stock is kept yet."""
    return find_products_by_sku(actor, [text]).get(text) if text else None


@bp.get("/<sku>")
@requires(P.STOCK_READ)
def detail(sku: str) -> ResponseReturnValue:
    product = get_product(current_actor(), sku)
    return _page(product, _receipt(), _correction(product))


def _receipt() -> ReceiveForm:
    return ReceiveForm(formdata=None, key=secrets.token_urlsafe(24))


def _correction(product: Product) -> CorrectForm:
    """Return the form filled in for the location of the address, or for the only one."""
    levels = find_levels(product.id)
    asked = request.args.get("location", "")
    named = next((level for level in levels if level.location_code == asked), None)
    level = levels[0] if named is None and len(levels) == 1 else named
    if level is None:
        return CorrectForm(formdata=None)
    return CorrectForm(formdata=None, obj=level, seen=level.mark)


@bp.post("/<sku>/receive")
@requires(P.STOCK_SAVE)
def receive(sku: str) -> ResponseReturnValue:
    actor, form = current_actor(), ReceiveForm()
    product = get_product(actor, sku)
    if form.validate_on_submit():
        try:
            actions.receive_stock(
                actor,
                product.sku,
                form.location_code.data or "",
                form.quantity.data or Decimal(0),
                note=form.note.data or "",
                key=str(form.key.data or "")[:64] or None,
                now=now(),
            )
        except InvalidError as refusal:
            form.add_error(refusal)
        else:
            flash(
                _("The goods are on hand at %(place)s.", place=form.location_code.data), "success"
            )
            return redirect(url_for(".detail", sku=product.sku), code=303)
    return _page(product, form, _correction(product)), 422


@bp.post("/<sku>/correct")
@requires(P.STOCK_SAVE)
def correct(sku: str) -> ResponseReturnValue:
    actor, form = current_actor(), CorrectForm()
    product = get_product(actor, sku)
    if form.validate_on_submit():
        count = actions.Count(
            on_hand=form.on_hand.data if form.on_hand.data is not None else Decimal(-1),
            expected_on=form.expected_on.data,
            reorder_level=form.reorder_level.data,
            seen=str(form.seen.data or "") or None,
        )
        try:
            actions.correct_stock(
                actor,
                product.sku,
                form.location_code.data or "",
                count,
                reason=form.reason.data or "",
                now=now(),
            )
        except (InvalidError, ConflictError) as refusal:
            form.add_error(refusal)
        else:
            flash(_("Stock at %(place)s is saved.", place=form.location_code.data), "success")
            return redirect(url_for(".detail", sku=product.sku), code=303)
    return _page(product, _receipt(), form), 422


def _page(product: Product, receipt: ReceiveForm, correction: CorrectForm) -> str:
    actor = current_actor()
    reservations = find_reservations(product.id)
    moves = find_moves(product.id, number=page_number(), size=MOVES_SHOWN)
    subjects = _name_subjects(actor, [*_kept_for(reservations), *_moved_for(moves.items)])
    return render_template(
        "desk/stock_detail.html",
        product=product,
        levels=find_levels(product.id),
        stores=[
            (store, found[product.id])
            for store in Store
            if product.id in (found := find_availability([product.id], store=store))
        ],
        store_labels=STORE_LABELS,
        reservations=reservations,
        moves=moves,
        move_labels=MOVE_LABELS,
        subjects=subjects,
        names=find_people_names({move.person_id for move in moves.items if move.person_id}),
        receipt=receipt,
        correction=correction,
        form=receipt if receipt.errors else correction,
        can_save=actor.can(P.STOCK_SAVE),
    )


def _kept_for(reservations: Iterable[StockReservation]) -> list[Subject]:
    return [(item.subject_kind, item.subject_id) for item in reservations]


def _moved_for(moves: Iterable[StockMove]) -> list[Subject]:
    return [
        (move.subject_kind, move.subject_id)
        for move in moves
        if move.subject_kind is not None and move.subject_id is not None
    ]


def _name_subjects(actor: Actor, subjects: Sequence[Subject]) -> dict[Subject, Named]:
    """Return what each subject is called; what is not one's business stays unnamed."""
    named = {
        **_name_orders(actor, {key for kind, key in subjects if kind == ORDER}),
        **_name_repairs(actor, {key for kind, key in subjects if kind == REPAIR}),
    }
    return {
        subject: named.get(subject) or Named(_(SUBJECT_LABELS.get(subject[0], subject[0])))
        for subject in subjects
    }


def _name_orders(actor: Actor, wanted: Collection[int]) -> dict[Subject, Named]:
    if not wanted or not actor.can(P.ORDER_READ):
        return {}
    statement = visible_orders(actor).where(Order.id.in_(sorted(wanted)))
    rows = db.session.execute(statement.with_only_columns(Order.id, Order.number))
    return {
        (ORDER, key): Named(number, url_for("orders.detail", number=number)) for key, number in rows
    }


def _name_repairs(actor: Actor, wanted: Collection[int]) -> dict[Subject, Named]:
    if not wanted or not actor.can(P.CASE_READ):
        return {}
    return {
        (REPAIR, key): Named(number, url_for("cases.detail", number=case))
        for key, number, case in find_numbers(actor, wanted)
    }
