"""The PDF of a revision: the plain data of its page, in the account's language."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale

from portal.config import Settings
from portal.db import db, transaction
from portal.documents.rendering import render_pdf
from portal.quotes.models import QuoteDocument
from portal.quotes.places import Places
from portal.quotes.rules import last_day_of
from portal.quotes.sheet import Sheet
from portal.web.formats import day
from portal.web.locale import DEFAULT, language_of


def quote_pdf(sheet: Sheet, places: Places, now: datetime) -> bytes:
    """Return the PDF of a revision that somebody may see; of a submitted one it is kept.

    Args:
        sheet: The revision as the page shows it: the same figures.
        places: Of the quote's account.
        now: Printed as the date of a draft.

    Raises:
        DocumentError: It could not be made.
    """
    html = quote_html(sheet, places, now)
    if sheet.revision.is_draft:
        return render_pdf(html)
    fingerprint = hashlib.sha256(html.encode()).hexdigest()
    held = db.session.get(QuoteDocument, sheet.revision.id)
    if held is not None and held.fingerprint == fingerprint:
        return held.data
    data = render_pdf(html)
    _keep(sheet, fingerprint, data, now)
    return data


def _keep(sheet: Sheet, fingerprint: str, data: bytes, now: datetime) -> None:
    """Keep a rendered document, in place of the one of an earlier state."""
    revision_id, account_id = sheet.revision.id, sheet.revision.account_id
    with transaction():
        held = db.session.get(QuoteDocument, revision_id)
        if held is None:
            held = QuoteDocument(revision_id=revision_id, account_id=account_id)
            db.session.add(held)
        held.fingerprint, held.data, held.made_at = fingerprint, data, now


def quote_html(sheet: Sheet, places: Places, now: datetime) -> str:
    """Return the page that is turned into the PDF."""
    account, revision = places.account, sheet.revision
    settings: Settings = current_app.config["SETTINGS"]
    language = language_of(account.locale) or DEFAULT
    zone = ZoneInfo(account.time_zone)
    with force_locale(language.babel):
        return render_template(
            "documents/quote.html",
            lang=language.tag,
            document_number=f"{sheet.quote.number} r{revision.number}",
            document_date=day((revision.submitted_at or now).astimezone(zone).date()),
            supplier_name=settings.supplier_name,
            sheet=sheet,
            quote=sheet.quote,
            revision=revision,
            account=account,
            valid_until=last_day_of(revision.holds_until, zone) if revision.holds_until else None,
        )
