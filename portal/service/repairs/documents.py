"""The packing slip that travels with a unit, in the account's language."""

from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale

from portal.config import Settings
from portal.documents.rendering import render_pdf
from portal.service.cases.models import Case
from portal.service.repairs.barcode import bars_svg
from portal.service.repairs.models import Repair
from portal.web.formats import day
from portal.web.locale import DEFAULT, language_of


def packing_slip_pdf(case: Case, repair: Repair) -> bytes:
    """Return the packing slip of a repair that somebody may see.

    Raises:
        DocumentError: It could not be made.
    """
    return render_pdf(packing_slip_html(case, repair))


def packing_slip_html(case: Case, repair: Repair) -> str:
    """Return the page that is turned into the PDF."""
    account = case.account
    settings: Settings = current_app.config["SETTINGS"]
    language = language_of(account.locale) or DEFAULT
    with force_locale(language.babel):
        return render_template(
            "documents/packing_slip.html",
            lang=language.tag,
            document_number=repair.number,
            document_date=day(repair.created_at.astimezone(ZoneInfo(account.time_zone)).date()),
            supplier_name=settings.supplier_name,
            workshop=settings.workshop_lines,
            case=case,
            account=account,
            repair=repair,
            asset=repair.asset,
            bars=bars_svg(repair.number),
        )
