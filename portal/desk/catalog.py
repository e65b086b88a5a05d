"""The catalogue on the supplier's desk: products, categories, life cycle, the way to its files."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from portal.catalog import actions
from portal.catalog.browsing import count_by_category, find_products
from portal.catalog.imports import KINDS
from portal.catalog.models import Product
from portal.catalog.queries import find_categories, get_product
from portal.catalog.rules import STATUS_LABELS, STATUS_TONES
from portal.desk.tables import PRODUCTS, file_of
from portal.errors import InvalidError
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.forms import ChoiceField, CodeField, Form
from portal.web.paging import page_number, page_size

bp = Blueprint("desk_catalog", __name__, url_prefix="/desk/catalog")


class ProductForm(Form):
    status = ChoiceField(
        lazy_gettext("Status"),
        choices=[(name, lazy_gettext(label)) for name, label in STATUS_LABELS.items()],
    )
    successor_sku = CodeField(lazy_gettext("Successor"), required=False)


def _seen() -> dict[str, Any]:
    return {
        "labels": STATUS_LABELS,
        "tones": STATUS_TONES,
        "can_save": current_actor().can(P.PRODUCT_SAVE),
    }


@bp.get("")
@requires(P.ACCOUNT_READ)
def index() -> ResponseReturnValue:
    actor, text = current_actor(), request.args.get("q", "").strip()[:200]
    if request.args.get("format") in {"csv", "xlsx"}:
        rows = find_products(actor, text, size=None).items
        return file_of(request.args["format"], "products", PRODUCTS, rows)
    return render_template(
        "desk/catalog.html",
        page=find_products(actor, text, number=page_number(), size=page_size()),
        text=text,
        kinds=[kind for kind in KINDS if actor.can(kind.permission)],
        **_seen(),
    )


@bp.get("/categories")
@requires(P.ACCOUNT_READ)
def categories() -> ResponseReturnValue:
    return render_template(
        "desk/catalog_categories.html",
        categories=find_categories(),
        counts=count_by_category(),
        **_seen(),
    )


@bp.get("/<sku>")
@requires(P.ACCOUNT_READ)
def detail(sku: str) -> ResponseReturnValue:
    product = get_product(current_actor(), sku)
    form = ProductForm(data={"status": product.status, "successor_sku": product.successor_sku})
    return _page(product, form)


@bp.post("/<sku>")
@requires(P.PRODUCT_SAVE)
def save(sku: str) -> ResponseReturnValue:
    actor, form = current_actor(), ProductForm()
    product = get_product(actor, sku)
    if not form.validate_on_submit():
        return _page(product, form), 422
    try:
        actions.change_product(
            actor,
            product.sku,
            status=form.status.data,
            successor_sku=form.successor_sku.data or None,
            now=now(),
        )
    except InvalidError as refused:
        form.add_error(refused)
        return _page(get_product(actor, sku), form), 422
    flash(_("%(sku)s is saved.", sku=sku), "success")
    return redirect(url_for(".detail", sku=sku), code=303)


def _page(product: Product, form: ProductForm) -> str:
    return render_template("desk/catalog_detail.html", product=product, form=form, **_seen())
