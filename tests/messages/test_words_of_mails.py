import re
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.mail.rendering import Envelope, render
from portal.messages.actions import Receiver

LINK = "https://portal.example/quotes/Q-000042"
RECEIVER = Receiver(1, "Ben Brandt", "buyer@acme.example", "en", "Europe/Berlin")
ENVELOPE = Envelope(
    name=RECEIVER.name,
    email=RECEIVER.email,
    locale="en",
    sender="portal@northwind.example",
    message_id="<quote_approved.1.1@northwind.example>",
    sent_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
)
QUOTE = {
    "number": "Q-000042",
    "revision": 2,
    "title": "Docks <for> the branch",
    "net_total": "1604.94",
    "gross_total": "1909.88",
    "currency": "EUR",
    "valid_until": "2026-12-14",
    "decided_by": "Petra Vogel",
    "comment": "Agreed.",
}
ORDER = {
    "number": "O-000007",
    "account": "ACME Industrie GmbH",
    "purchase_order_number": "0045001234",
    "total": "807.42",
    "currency": "EUR",
    "reason": "Out of stock",
    "lines": [
        {"name": "LG 24MR400-B", "quantity": "6.000", "total": "445.14"},
        {"name": "Cable by the metre", "quantity": "2.500", "total": "12.28"},
    ],
    "more_lines": 1,
}


def parts(kind: str, subject: dict[str, Any]) -> tuple[str, str, str]:
    mail = render(kind, ENVELOPE, subject | {"receiver": RECEIVER, "link": LINK})
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return mail["Subject"], plain.get_content(), html.get_content()


def seen(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("quote_approved", "Approved: 1,604.94 EUR · Q-000042"),
        ("quote_changes_requested", "Needs changes: Q-000042"),
        ("quote_expired", "Expired: Q-000042"),
        ("quote_expiring", "Q-000042 is valid until Dec 14, 2026"),
        ("quote_extended", "Q-000042 is valid until Dec 14, 2026"),
        ("quote_rejected", "Rejected: Q-000042"),
    ],
)
def test_news_of_a_quote_says_what_how_much_and_who(kind: str, subject: str) -> None:
    head, plain, html = parts(kind, QUOTE)

    assert head == subject
    assert "Q-000042, revision 2" in plain.splitlines()[0]
    assert plain.endswith(f"\n\nOpen the quote: {LINK}\n")
    for text in (plain, seen(html)):
        assert "2026-12-14" not in text
        for words in ("Q-000042, revision 2", "1,604.94 EUR", "1,909.88 EUR", "Petra Vogel"):
            assert words in text
        assert "Comment: Agreed." in text
    assert f'href="{LINK}"' in html
    assert "Docks &lt;for&gt; the branch" in html


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("order_placed", "New order O-000007 · ACME Industrie GmbH"),
        ("order_confirmed", "Confirmed: O-000007 · ACME Industrie GmbH"),
        ("order_declined", "Declined: O-000007 · ACME Industrie GmbH"),
        ("order_cancelled", "Cancelled: O-000007 · ACME Industrie GmbH"),
    ],
)
def test_news_of_an_order_lists_its_lines_in_both_parts(kind: str, subject: str) -> None:
    head, plain, html = parts(kind, ORDER)

    assert head == subject
    for text in (plain, seen(html)):
        assert "O-000007" in text
        assert "0045001234" in text
        assert "6 × LG 24MR400-B" in text
        assert "2.5 × Cable by the metre" in text
        assert "and 1 more line" in text
        assert "Reason given: Out of stock" in text
    assert f'href="{LINK}"' in html
