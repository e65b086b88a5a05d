"""Pages of the catalogue: the list with search and filters, and one product with its prices."""

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.catalog import forms
from portal.catalog.browsing import ProductSort, search_products
from portal.catalog.by_price import MOST_PRICED, Asking
from portal.catalog.offers import find_offers, reader_of
from portal.catalog.queries import (
    find_part_numbers,
    find_products_by_sku,
    get_product,
    suggest_similar,
)
from portal.catalog.rules import STATUS_LABELS, STATUS_TONES, STEERING, local_name
from portal.catalog.stock.queries import find_availability
from portal.catalog.stock.rules import Availability
from portal.policy import P
from portal.web.access import current_actor, requires
from portal.web.clock import now
from portal.web.identity import current_person
from portal.web.locale import current_language, current_time_zone
from portal.web.paging import page_number, page_size
from portal.web.tables import sort_of

bp = Blueprint("catalog", __name__, url_prefix="/catalog")


@bp.app_template_filter("local_name")
def name_here(item: object) -> str:
    """Write the name of a product or category in the page's language."""
    return local_name(item.name, item.names, current_language().tag)  # type: ignore[attr-defined]


@bp.app_template_filter("expected_here")
def expected_here(availability: Availability) -> date | None:
    """Return the day on which more is expected, where it is still to come for the reader."""
    return availability.expected_after(_today())


def _today() -> date:
    return now().astimezone(ZoneInfo(current_time_zone())).date()


@bp.get("")
@requires(P.CATALOG_READ)
def index() -> ResponseReturnValue:
    actor, filters = current_actor(), forms.read_filters()
    reader = reader_of(actor, request.args.get("account", "").strip())
    as_of = forms.read_as_of(now(), reader.time_zone if reader else actor.time_zone)
    wished = sort_of(ProductSort, ProductSort.BEST)
    listing = search_products(
        actor,
        filters,
        sort=wished,
        locale=current_language().tag,
        number=page_number(),
        size=page_size(),
        asking=Asking(reader.buyer, as_of.at) if reader else None,
        mark=current_person().catalogue_mark,
    )
    page = render_template(
        "catalog/index.html",
        listing=listing,
        filters=filters,
        sort=listing.sort,
        most_priced=MOST_PRICED if reader and wished.key != listing.sort.key else None,
        reader=reader,
        as_of=as_of,
        offers=find_offers(reader, listing.page.items, as_of.at) if reader else {},
        stock=find_availability([item.id for item in listing.page.items]),
        today=_today(),
        chips=forms.chips(
            filters, listing.chosen.name if listing.chosen else filters.category_path
        ),
        forms=forms,
        similar=[] if listing.page.total else suggest_similar(actor, filters.text),
        can_add=actor.can(P.QUOTE_SAVE),
    )
    return page, 422 if as_of.error else 200


@bp.get("/<sku>")
@requires(P.CATALOG_READ)
def detail(sku: str) -> ResponseReturnValue:
    actor = current_actor()
    product = get_product(actor, sku)
    reader = reader_of(actor, request.args.get("account", "").strip())
    as_of = forms.read_as_of(now(), reader.time_zone if reader else actor.time_zone)
    account_id = reader.buyer.account_id if reader else actor.account_id
    successor = product.successor_sku or ""
    page = render_template(
        "catalog/detail.html",
        product=product,
        reader=reader,
        as_of=as_of,
        offer=find_offers(reader, [product], as_of.at).get(product.id) if reader else None,
        own=find_part_numbers(account_id, [product.id]).get(product.id),
        successor=find_products_by_sku(actor, [successor]).get(successor) if successor else None,
        availability=find_availability([product.id]).get(product.id),
        labels=STATUS_LABELS,
        tones=STATUS_TONES,
        forms=forms,
        can_add=actor.can(P.QUOTE_SAVE),
        can_see_trace=actor.is_supplier,
        steering=STEERING,
    )
    return page, 422 if as_of.error else 200
