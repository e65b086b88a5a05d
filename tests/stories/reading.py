"""What people read on pages, in mails and in files, as values that a test can calculate with."""

import re
import time
from datetime import date
from decimal import Decimal
from email.message import EmailMessage

from babel.dates import format_date
from playwright.sync_api import Locator, Page

from tests.stories.browsing import Server, Visitor

_AMOUNT = re.compile(r"-?[\d,]+\.\d{2,4}")
_NUMBER = re.compile(r"[QOC]-\d{6}")


def amount(text: str) -> Decimal:
    """Return the last amount in a text: "Net total 1,234.50 EUR" is 1234.50."""
    found = _AMOUNT.findall(text)
    assert found, f"no amount in {text!r}"
    return Decimal(found[-1].replace(",", ""))


def number_in(text: str) -> str:
    """Return the number of a quote, an order or a case that a text names."""
    found = _NUMBER.search(text)
    assert found, f"no number in {text!r}"
    return found[0]


def totals(page: Page) -> dict[str, Decimal]:
    """Return the totals of the open quote or order: Lines, Freight, Net total, Tax, Gross total."""
    page.wait_for_load_state()
    rows = page.locator("dl.totals > div").all()
    read = {row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows}
    return {name.split(" ")[0] if "%" in name else name: amount(v) for name, v in read.items()}


def line_of(page: Page, sku: str) -> Locator:
    """Return the row of a product in whatever table the page shows."""
    return page.get_by_role("main").get_by_role("row").filter(has_text=re.compile(rf"\b{sku}\b"))


def section(page: Page, name: str) -> str:
    """Return the text of the section with this heading."""
    page.wait_for_load_state()
    heading = page.get_by_role("heading", name=name, exact=True)
    return page.locator("section", has=heading).last.inner_text()


def state_of(page: Page) -> Locator:
    """Return where the heading of a document says its state."""
    return page.locator(".page-header .tag, header .tag, .tag").first


def timeline_of(page: Page) -> list[tuple[str, str, str]]:
    """Return what the time line says: what happened, who did it, and the exact instant."""
    page.wait_for_load_state()
    return [_happened(item) for item in page.locator("ol.timeline > li").all()]


def _happened(item: Locator) -> tuple[str, str, str]:
    who, dot, _when = item.locator(".timeline-when").inner_text().partition(" · ")
    instant = item.locator("time").get_attribute("datetime") or ""
    return item.locator(".timeline-what").inner_text(), who if dot else "", instant


def text_of(mail: EmailMessage) -> str:
    """Return the plain part of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None, "a mail without a plain part"
    content: str = body.get_content()
    return content


def shown(day: date) -> str:
    """Return a day as English pages write it."""
    return format_date(day, "medium", "en")


def row_of(row: Locator) -> dict[str, str]:
    """Return what the row of a table says under each of its headings."""
    heads = row.locator("xpath=ancestor::table").get_by_role("columnheader").all_inner_texts()
    cells = row.locator("xpath=./th | ./td").all_inner_texts()
    return dict(zip(heads, (" ".join(cell.split()) for cell in cells), strict=True))


def mail_about(server: Server, email: str, *words: str) -> EmailMessage:
    """Return the latest mail to somebody that says all ``words``, as soon as it is written."""
    deadline = time.monotonic() + 60
    while True:
        mails = server.mails_to(email, at_least=0)
        said = [m for m in mails if all(w in f"{m['Subject']}\n{text_of(m)}" for w in words)]
        if said:
            return said[-1]
        seen = [str(mail["Subject"]) for mail in mails]
        assert time.monotonic() < deadline, f"no mail to {email} with {words}: {seen}"
        time.sleep(0.2)


def must_not_scroll_sideways(visitor: Visitor) -> None:
    """Note a fault where the open page is wider than the screen it is shown on."""
    beyond = visitor.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    if beyond > 0:
        visitor.faults.append(f"{visitor.page.url}: {beyond} px too wide")
