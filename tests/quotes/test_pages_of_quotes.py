import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pypdf
import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.catalog.models import Product
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.files.writing import write_xlsx
from portal.quotes import actions, queries
from portal.quotes.checking import check_rows
from portal.quotes.entry import read_row
from portal.quotes.models import Quote, QuoteLine
from portal.web.clock import now as clock

pytestmark = pytest.mark.usefixtures("cast", "_in_office_hours")

SignIn = Callable[..., FlaskClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
Statements = Callable[[], AbstractContextManager[Any]]
TWO = [("LT-0001", Decimal(2), None), ("MN-0001", Decimal(3), None)]


@pytest.fixture
def _in_office_hours(now: datetime) -> Iterator[None]:
    """Pages take the time from the clock: the world of the tests begins at ``now``."""
    with time_machine.travel(now + timedelta(hours=1)):
        yield


@pytest.fixture
def buyer(sign_in: SignIn) -> FlaskClient:
    return sign_in("buyer@acme.example", membership="ACME - IT")


@pytest.fixture
def draft(cast: Cast, _in_office_hours: None) -> Quote:
    return actions.add_lines(cast.acme.buyer, None, TWO, clock())


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _typed(html: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", html, re.DOTALL)
    assert found
    return unescape(found[1])


def _hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', html)
    assert found, name
    return found[1]


def test_a_new_quote_is_made_by_a_button(buyer: FlaskClient) -> None:
    made = buyer.post("/quotes")
    answer = buyer.get(made.location)

    assert answer.status_code == 200
    assert "Quote Q-000001, revision 1" in _text(answer.text)
    assert "No lines yet" in answer.text


def test_the_editor_shows_lines_totals_route_and_timeline(buyer: FlaskClient, draft: Quote) -> None:
    page = _text(buyer.get(f"/quotes/{draft.number}").text)

    assert "LT-0001" in page
    assert "Net total 1,991.85 EUR" in page
    assert "Tax 19% on 1,991.85 EUR 378.45 EUR" in page
    assert "Gross total 2,370.30 EUR" in page
    assert "Why this price" in page
    assert "agreement AG-7" in page
    assert "Approval route" in page
    assert "is over 1,000.00 EUR" in page
    assert "Timeline" in page
    assert "Quote created" in page


def test_a_wrong_quantity_is_said_at_its_field_and_nothing_typed_is_lost(
    buyer: FlaskClient, draft: Quote, business_rows: Rows
) -> None:
    buyer.get(f"/quotes/{draft.number}")
    before = business_rows()

    answer = buyer.post(
        f"/quotes/{draft.number}/save",
        data={
            "version": str(draft.version),
            "title": "Typed title",
            "quantity-1": "a dozen",
            "note-2": "typed note",
        },
    )

    assert answer.status_code == 422
    assert business_rows() == before
    assert 'value="a dozen"' in answer.text
    assert 'value="Typed title"' in answer.text
    assert 'value="typed note"' in answer.text
    assert "There is a problem" in answer.text
    assert 'href="#quantity-1"' in answer.text
    assert "The quantity is not a number" in answer.text
    assert re.search(r"<title>\s*Error:", answer.text)


def test_a_refusal_of_the_action_is_said_too(buyer: FlaskClient, draft: Quote) -> None:
    answer = buyer.post(
        f"/quotes/{draft.number}/save",
        data={"version": str(draft.version), "add_sku": "NO-SUCH", "title": "kept"},
    )

    assert answer.status_code == 422
    assert "There is no product NO-SUCH in your catalogue." in answer.text
    assert 'value="NO-SUCH"' in answer.text


def test_the_second_save_shows_what_was_saved_meanwhile(
    buyer: FlaskClient, draft: Quote, cast: Cast
) -> None:
    stale = draft.version
    actions.save_draft(
        cast.acme.site_buyer, draft.number, stale, actions.DraftEdits(title="Theirs"), clock()
    )

    answer = buyer.post(
        f"/quotes/{draft.number}/save",
        data={"version": str(stale), "title": "Mine", "lines": "1 2"},
    )

    page = _text(answer.text)
    assert answer.status_code == 409
    assert "you: Mine" in page
    assert "saved: Theirs" in page
    assert 'value="Mine"' in answer.text
    assert queries.get_quote(cast.acme.buyer, draft.number).title == "Theirs"


def test_submitting_from_the_page_and_pressing_twice_is_one_submission(
    buyer: FlaskClient, draft: Quote, business_rows: Rows
) -> None:
    html = buyer.get(f"/quotes/{draft.number}").text
    form = {name: _hidden(html, name) for name in ("version", "shown_total", "lines")}

    first = buyer.post(f"/quotes/{draft.number}/submit", data=form)
    before = business_rows()
    second = buyer.post(f"/quotes/{draft.number}/submit", data=form)

    assert (first.status_code, second.status_code) == (303, 303)
    assert business_rows() == before
    page = _text(buyer.get(f"/quotes/{draft.number}").text)
    assert "in approval" in page
    assert "Withdraw" in page
    assert "Submit for approval" not in page


def test_a_quantity_that_changes_the_total_is_saved_and_shown_before_it_is_submitted(
    buyer: FlaskClient, draft: Quote, cast: Cast
) -> None:
    html = buyer.get(f"/quotes/{draft.number}").text
    form = {name: _hidden(html, name) for name in ("version", "shown_total", "lines")}

    answer = buyer.post(f"/quotes/{draft.number}/submit", data={**form, "quantity-1": "3"})

    assert answer.status_code == 409
    assert "it was" in _text(answer.text)
    saved = queries.get_quote(cast.acme.buyer, draft.number)
    assert (saved.status, saved.current.lines[0].quantity) == ("draft", Decimal(3))
    form = {name: _hidden(answer.text, name) for name in ("version", "shown_total", "lines")}
    assert buyer.post(f"/quotes/{draft.number}/submit", data=form).status_code == 303


def test_a_moved_price_is_shown_and_accepted_on_the_page(
    buyer: FlaskClient, draft: Quote, cast: Cast
) -> None:
    with transaction():
        line = db.session.scalars(select(QuoteLine).where(QuoteLine.sku == "LT-0001")).one()
        line.seen_price = Decimal("700.00")
    html = buyer.get(f"/quotes/{draft.number}").text
    assert "was 700.00 EUR, is now 695.46 EUR" in _text(html)
    names = ("version", "shown_total", "lines", "price-1")
    form = {name: _hidden(html, name) for name in names}

    refused = buyer.post(f"/quotes/{draft.number}/submit", data=form)
    accepted = buyer.post(f"/quotes/{draft.number}/submit", data={**form, "accept_prices": "1"})

    assert refused.status_code == 409
    assert "LT-0001 700.0000 → 695.46" in _text(refused.text)
    assert accepted.status_code == 303
    assert queries.get_quote(cast.acme.buyer, draft.number).status == "in approval"


def test_a_shopper_sees_the_order_button_with_the_reason_why_not(
    sign_in: SignIn, cast: Cast
) -> None:
    quote = actions.add_lines(cast.acme.shopper, None, [("MN-0001", Decimal(1), None)], clock())
    actions.submit_quote(cast.acme.shopper, quote.number, quote.version, {}, clock())
    shopper = sign_in("shopper@acme.example")

    page = shopper.get(f"/quotes/{quote.number}").text

    assert re.search(r'aria-disabled="true"[^>]*>\s*Convert to order', page)
    assert "Your roles do not include ordering" in page


def test_a_viewer_reads_and_is_told_why_nothing_can_be_done(sign_in: SignIn, draft: Quote) -> None:
    viewer = sign_in("viewer@acme.example")

    page = viewer.get(f"/quotes/{draft.number}")

    assert page.status_code == 200
    assert re.search(r'aria-disabled="true"[^>]*>\s*Submit for approval', page.text)
    assert 'name="quantity-1"' not in page.text
    for move in ("save", "submit", "withdraw", "revise", "discard", "copy"):
        assert viewer.post(f"/quotes/{draft.number}/{move}").status_code == 403


def test_another_account_finds_nothing_of_it(sign_in: SignIn, draft: Quote) -> None:
    stranger = sign_in("buyer@hanbit.example")

    for address in ("", "/pdf", "?revision=1", "?compare=1..1"):
        assert stranger.get(f"/quotes/{draft.number}{address}").status_code == 404
    for move in ("save", "submit", "withdraw", "revise", "discard", "copy"):
        assert stranger.post(f"/quotes/{draft.number}/{move}").status_code == 404
    assert draft.number not in stranger.get("/quotes?view=all").text


def test_the_route_of_a_colleagues_draft_begins_with_the_colleague(
    buyer: FlaskClient, draft: Quote, sign_in: SignIn
) -> None:
    path = f"/quotes/{draft.number}"

    own, others = (_text(who.get(path).text) for who in (buyer, sign_in("viewer@acme.example")))

    assert "asks You" in own
    assert "asks Ben Brandt" in others
    assert "asks You" not in others


def test_the_pdf_has_the_same_figures_as_the_page(
    buyer: FlaskClient, draft: Quote, cast: Cast
) -> None:
    actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, clock())

    answer = buyer.get(f"/quotes/{draft.number}/pdf?revision=1")
    again = buyer.get(f"/quotes/{draft.number}/pdf?revision=1")

    assert answer.content_type == "application/pdf"
    assert answer.data == again.data
    text = " ".join(pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].extract_text().split())
    page = _text(buyer.get(f"/quotes/{draft.number}").text)
    for figure in ("695.46 EUR", "1,390.92 EUR", "1,991.85 EUR", "378.45 EUR", "2,370.30 EUR"):
        assert figure in page
        assert figure in text
    assert draft.number in text
    assert "in approval" in text


def test_a_customer_in_korea_gets_the_pdf_of_its_own_currency(sign_in: SignIn, cast: Cast) -> None:
    quote = actions.add_lines(cast.hanbit.buyer, None, [("LT-0001", Decimal(2), None)], clock())
    client = sign_in("buyer@hanbit.example")

    answer = client.get(f"/quotes/{quote.number}/pdf")

    text = pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "KRW" in text
    assert quote.number in text


def test_a_page_withdraws_the_revision_it_shows_and_no_other(
    buyer: FlaskClient, draft: Quote, cast: Cast
) -> None:
    actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, clock())

    stale = buyer.post(f"/quotes/{draft.number}/withdraw", data={"revision": "7"})
    assert stale.status_code == 409
    assert "this page was about revision 7" in _text(stale.text)
    page = buyer.get(f"/quotes/{draft.number}").text
    form = re.search(r'action="[^"]*/withdraw".*?</form>', page, re.DOTALL)
    assert form is not None
    assert 'name="revision" value="1"' in form[0]
    buyer.post(f"/quotes/{draft.number}/withdraw", data={"revision": "1"})
    quote = queries.get_quote(cast.acme.buyer, draft.number)
    assert quote.status.value == "withdrawn"


def test_a_title_longer_than_a_line_is_refused_in_words(
    buyer: FlaskClient, business_rows: Rows
) -> None:
    before = business_rows()

    answer = buyer.post("/quotes", data={"title": "x" * 201})

    assert answer.status_code == 422
    assert "A title has at most 200 characters." in _text(answer.text)
    assert business_rows() == before
    assert buyer.post("/quotes", data={"title": "x" * 200}).status_code == 303


def test_revisions_are_listed_and_compared(buyer: FlaskClient, draft: Quote, cast: Cast) -> None:
    actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, clock())
    actions.withdraw_quote(cast.acme.buyer, draft.number, clock())
    revised = actions.revise_quote(cast.acme.buyer, draft.number, clock())
    edits = actions.DraftEdits(
        lines={1: actions.LineEdit(quantity=Decimal(6))}, removed=frozenset({2})
    )
    actions.save_draft(cast.acme.buyer, draft.number, revised.version, edits, clock())

    page = _text(buyer.get(f"/quotes/{draft.number}?compare=1..2").text)

    assert "Changes from revision 1 to 2" in page
    assert "2 × 695.46 EUR is now 6 ×" in page
    assert "Removed MN-0001" in page
    first = _text(buyer.get(f"/quotes/{draft.number}?revision=1").text)
    assert "This is an earlier revision." in first
    assert "withdrawn" in first


def test_quick_entry_shows_every_row_before_anything_is_written(
    buyer: FlaskClient, cast: Cast
) -> None:
    text = "LT-0001\t2\nMN-0001 x 3\nLT-00O1\t4\nMN-0001\t1\nKB-0001\tmany"

    answer = buyer.post("/quotes/quick", data={"text": text, "do": "check"})

    page = _text(answer.text)
    assert answer.status_code == 200
    assert "There is no product LT-00O1 in your catalogue." in page
    assert "Did you mean: LT-00" in page
    assert "The quantity is not a number" in page
    assert "its quantity was added there" in page
    assert "1,390.92 EUR" in page
    assert queries.find_quotes(cast.acme.buyer, queries.Filters()) == []
    assert "LT-00O1" in buyer.get("/quotes/quick").text  # nothing typed is lost


def test_rows_are_fixed_inline_and_added(buyer: FlaskClient, cast: Cast) -> None:
    text = "LT-0001\t2\nLT-00O1\t4\nXX\t1"
    checked = buyer.post("/quotes/quick", data={"text": text, "do": "check"}).text

    answer = buyer.post(
        "/quotes/quick",
        data={
            "text": _typed(checked),
            "checked": _hidden(checked, "checked"),
            "sku-0": "LT-0001",
            "quantity-0": "2",
            "sku-1": "LT-0003",
            "quantity-1": "4",
            "sku-2": "XX",
            "quantity-2": "1",
            "drop-2": "1",
            "do": "add",
        },
    )

    assert (answer.status_code, answer.location) == (303, "/quotes/Q-000001")
    lines = queries.get_quote(cast.acme.buyer, "Q-000001").current.lines
    assert [(line.sku, line.quantity) for line in lines] == [
        ("LT-0001", Decimal(2)),
        ("LT-0003", Decimal(4)),
    ]
    assert "LT-0001" not in buyer.get("/quotes/quick").text


def test_a_suggestion_is_taken_by_its_button(buyer: FlaskClient) -> None:
    checked = buyer.post("/quotes/quick", data={"text": "LT-00O1\t4", "do": "check"}).text
    assert 'name="use"' in checked

    answer = buyer.post(
        "/quotes/quick",
        data={
            "text": _typed(checked),
            "checked": _hidden(checked, "checked"),
            "sku-0": "LT-00O1",
            "quantity-0": "4",
            "use": "0:LT-0001",
        },
    )

    assert "fix this row" not in answer.text
    assert _typed(answer.text) == "LT-0001\t4"


def test_good_rows_are_added_and_wrong_ones_stay(buyer: FlaskClient, cast: Cast) -> None:
    answer = buyer.post("/quotes/quick", data={"text": "LT-0001\t2\nXX-1\t1", "do": "add"})

    assert answer.location == "/quotes/quick"
    page = buyer.get("/quotes/quick").text
    assert "XX-1" in page
    assert "LT-0001" not in page
    assert len(queries.get_quote(cast.acme.buyer, "Q-000001").current.lines) == 1


def test_rows_that_do_not_fit_the_draft_are_said_and_kept(
    buyer: FlaskClient, draft: Quote, cast: Cast
) -> None:
    with transaction():
        product = db.session.scalars(select(Product).where(Product.sku == "LT-0001")).one()
        product.quantity_multiple = Decimal(5)
    actions.open_draft(cast.acme.buyer, draft.number, clock())

    answer = buyer.post("/quotes/quick", data={"text": "LT-0001\t5", "do": "add"})

    assert answer.status_code == 422
    assert "try 5 or 10" in _text(answer.text)
    assert _typed(buyer.get("/quotes/quick").text) == "LT-0001\t5"
    lines = queries.get_quote(cast.acme.buyer, draft.number).current.lines
    assert lines[0].quantity == Decimal(2)


def test_a_changed_text_replaces_the_rows_of_the_last_check(buyer: FlaskClient, cast: Cast) -> None:
    checked = buyer.post("/quotes/quick", data={"text": "LT-00O1\t4", "do": "check"}).text

    buyer.post(
        "/quotes/quick",
        data={
            "text": "LT-0001\t4",
            "checked": _hidden(checked, "checked"),
            "sku-0": "LT-00O1",
            "quantity-0": "4",
            "do": "add",
        },
    )

    (line,) = queries.get_quote(cast.acme.buyer, "Q-000001").current.lines
    assert (line.sku, line.quantity) == ("LT-0001", Decimal(4))


def test_a_spreadsheet_is_read_with_its_header(buyer: FlaskClient) -> None:
    book = write_xlsx(["Quantity", "SKU"], [[Decimal(3), "LT-0001"], [1, "MN-0001"]], sheet="x")

    answer = buyer.post(
        "/quotes/quick",
        data={"text": "", "file": (io.BytesIO(book), "list.xlsx"), "do": "check"},
    )

    assert "2,086.38 EUR" in _text(answer.text)
    assert "fix this row" not in answer.text


def test_a_file_that_is_no_table_is_refused_at_its_field(buyer: FlaskClient) -> None:
    answer = buyer.post(
        "/quotes/quick",
        data={"text": "typed", "file": (io.BytesIO(b"PK\x03\x04broken"), "x.xlsx"), "do": "check"},
    )

    assert answer.status_code == 422
    assert 'href="#file"' in answer.text
    assert "typed" in answer.text


def test_a_product_is_added_from_wherever_it_was_found(buyer: FlaskClient) -> None:
    answer = buyer.post(
        "/quotes/lines", data={"sku": "LT-0001", "quantity": "2", "next": "/catalog?page=2"}
    )
    abroad = buyer.post(
        "/quotes/lines", data={"sku": "LT-0001", "quantity": "2", "next": "https://evil.example/"}
    )

    assert answer.location == "/catalog?page=2"
    assert abroad.location == "/quotes/quick"


def test_the_list_and_its_exports_hold_the_same_rows(buyer: FlaskClient, draft: Quote) -> None:
    page = buyer.get("/quotes?view=drafts&q=Q-0").text
    csv = buyer.get("/quotes?view=drafts&q=Q-0&format=csv").data.decode("utf-8-sig")
    none = buyer.get("/quotes?view=drafts&q=zzz&format=csv").data.decode("utf-8-sig")

    assert f">{draft.number}</a>" in page
    assert [line.split(",")[0] for line in csv.splitlines()] == ["number", draft.number]
    assert "1991.85,EUR" in csv
    assert len(none.splitlines()) == 1
    assert "No quotes match" in buyer.get("/quotes?view=drafts&q=zzz").text


@pytest.mark.parametrize("nonsense", ["?page=-1", "?page=1e9", "?sort=;drop", "?view=x", "?size=0"])
def test_nonsense_in_the_address_shows_the_list(buyer: FlaskClient, nonsense: str) -> None:
    assert buyer.get(f"/quotes{nonsense}").status_code == 200


def test_the_list_asks_as_often_for_many_quotes_as_for_few(
    cast: Cast, now: datetime, count_statements: Statements
) -> None:
    def statements() -> int:
        with count_statements() as counted:
            queries.find_quotes(cast.acme.buyer, queries.Filters(), limit=50)
            queries.count_tabs(cast.acme.buyer)
        return int(counted.total)

    actions.create_quote(cast.acme.buyer, now)
    few = statements()
    for _number in range(20):
        actions.create_quote(cast.acme.buyer, now)

    assert statements() == few


def test_a_quote_of_500_lines_asks_as_often_as_one_of_5(
    demo: object, buyer: FlaskClient, cast: Cast, count_statements: Statements
) -> None:
    assert demo
    skus = db.session.scalars(select(Product.sku).where(Product.status == "active")).all()
    rows = [read_row(number, sku, "1") for number, sku in enumerate(skus)]
    usable = [row.entry.sku for row in check_rows(cast.acme.buyer, rows, clock()).good][:500]

    def statements(count: int) -> int:
        quote = actions.create_quote(cast.acme.buyer, clock())
        items = [(sku, Decimal(1), None) for sku in usable[:count]]
        actions.add_lines(cast.acme.buyer, quote.number, items, clock())
        buyer.get(f"/quotes/{quote.number}")
        with count_statements() as counted:
            answer = buyer.get(f"/quotes/{quote.number}")
        assert answer.status_code == 200
        return int(counted.total)

    assert len(usable) >= 300
    assert statements(len(usable)) == statements(5)
