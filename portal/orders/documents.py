"""The delivery note of a shipment: the plain data of its page, in the account's language."""

from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale

from portal.config import Settings
from portal.documents.rendering import render_pdf
from portal.orders.fulfilment import Shipment
from portal.orders.models import Order
from portal.web.formats import day
from portal.web.locale import DEFAULT, language_of


def delivery_note_pdf(order: Order, shipment: Shipment) -> bytes:
    """Return the delivery note of a shipment that somebody may see.

    Raises:
        DocumentError: It could not be made.
    """
    return render_pdf(delivery_note_html(order, shipment))


def delivery_note_html(order: Order, shipment: Shipment) -> str:
    """Return the page that is turned into the PDF; it bears no prices."""
    account = order.account
    settings: Settings = current_app.config["SETTINGS"]
    language = language_of(account.locale) or DEFAULT
    codes = {item.order_line.ship_to for item in shipment.lines}
    with force_locale(language.babel):
        return render_template(
            "documents/delivery_note.html",
            lang=language.tag,
            document_number=shipment.number,
            document_date=day(shipment.shipped_at.astimezone(ZoneInfo(account.time_zone)).date()),
            supplier_name=settings.supplier_name,
            order=order,
            shipment=shipment,
            account=account,
            addresses=[item for item in order.addresses if item[0] in codes],
        )
