"""New prices in a browser: a file is checked and imported, published, assigned, and then seen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.stories.browsing import Server, Visitor, press
from tests.stories.reading import line_of, number_in, state_of

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

Browse = Callable[..., Visitor]

LISTS = """\
list_code,name,currency,kind,best_price,unit_price_decimals
AG-2030,ACME 2027,EUR,agreement,0,2
"""
HEAD = "list_code,sku,category_path,uom,min_qty,price,percent_off,amount_off\n"
GOOD = "AG-2030,LT-0003,,EA,1,999.50,,\nAG-2030,LT-0003,,EA,10,949.00,,\n"
WRONG = "AG-2030,LT-9999,,EA,1,10.00,,\nAG-2030,LT-0005,,EA,1,10.00,5,\n"
ASSIGNMENTS = """\
list_code,account_code,unit_code,tier,segment,priority,valid_from,valid_to
AG-2030,ACME,,,,1,,
"""
OLD, NEW = "1,162.27 EUR", "999.50 EUR"


def test_new_prices_reach_the_next_page_and_no_submitted_quote(
    portal: Server,  # noqa: ARG001 - prices change: a server of its own
    browse_as: Browse,
) -> None:
    buyer = browse_as("buyer@acme.example", "ACME - IT")
    submitted = quote_of(buyer, "LT-0003")
    buyer.page.get_by_role("button", name="Submit for approval").click()
    expect(state_of(buyer.page)).to_have_text("in approval")
    draft = quote_of(buyer, "LT-0003")

    manager = browse_as("manager@northwind.example")
    import_lists(manager)
    be_refused(manager)
    import_entries(manager)
    expect(price_in_catalogue(buyer)).to_contain_text(OLD)  # a draft changes no price

    pricing = browse_as("pricing@northwind.example")
    publish(manager, pricing)
    expect(price_in_catalogue(buyer)).to_contain_text(OLD)  # nobody has the list yet
    assign(pricing)

    expect(price_in_catalogue(buyer)).to_contain_text(NEW)
    buyer.open(f"/quotes/{submitted}")
    expect(line_of(buyer.page, "LT-0003")).to_contain_text(OLD)
    accept_in_draft(buyer, draft)


def quote_of(buyer: Visitor, sku: str) -> str:
    page = buyer.open("/quotes")
    press(page, "New quote")
    page.get_by_label("Add an SKU").fill(sku)
    press(page, "Save")
    expect(line_of(page, sku)).to_contain_text(OLD)
    return number_in(page.url)


def price_in_catalogue(buyer: Visitor) -> Locator:
    buyer.open("/catalog?q=LT-0003")
    return line_of(buyer.page, "LT-0003")


def check(visitor: Visitor, kind: str, text: str) -> None:
    page = visitor.open("/desk/imports")
    page.get_by_role("main").get_by_role("link", name=kind, exact=True).click()
    page.get_by_label("CSV or XLSX file").set_input_files(
        FilePayload(name="prices.csv", mimeType="text/csv", buffer=text.encode())
    )
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Check: {kind}")


def would_change(visitor: Visitor) -> dict[str, str]:
    table = visitor.page.get_by_role("table", name="What the file would change")
    rows = table.get_by_role("row").all()[1:]
    return {row.locator("th").inner_text(): row.locator("td").inner_text() for row in rows}


def import_lists(manager: Visitor) -> None:
    check(manager, "Price lists", LISTS)
    assert would_change(manager)["New"] == "1"
    manager.page.get_by_role("button", name="Import").click()
    expect(manager.page.get_by_role("main")).to_contain_text("Imported prices.csv")


def be_refused(manager: Visitor) -> None:
    check(manager, "Price list entries", HEAD + GOOD + WRONG)
    main = manager.page.get_by_role("main")
    expect(main).to_contain_text("Nothing was imported.")
    expect(main).to_contain_text("LT-9999")
    expect(main).to_contain_text("2 cells")
    expect(manager.page.get_by_role("button", name="Import")).to_have_count(0)
    manager.examine(themes=("light",))


def import_entries(manager: Visitor) -> None:
    check(manager, "Price list entries", HEAD + GOOD)
    assert would_change(manager)["New"] == "2"
    manager.page.get_by_role("button", name="Import").click()
    expect(manager.page.get_by_role("main")).to_contain_text("Imported prices.csv")


def publish(manager: Visitor, pricing: Visitor) -> None:
    page = manager.open("/desk/price-lists/AG-2030")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("button", name="Publish version 1")).to_be_disabled()

    page = pricing.open("/desk/price-lists")
    page.get_by_role("link", name="AG-2030", exact=True).click()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("main")).to_contain_text("LT-0003")
    pricing.examine(themes=("dark",))
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.get_by_role("table", name=re.compile("Published versions"))).to_contain_text(
        "in force"
    )


def assign(pricing: Visitor) -> None:
    check(pricing, "Assignments of price lists", ASSIGNMENTS)
    assert would_change(pricing)["New"] == "1"
    pricing.page.get_by_role("button", name="Import").click()
    pricing.open("/desk/price-lists/AG-2030")
    expect(pricing.page.get_by_role("main")).to_contain_text("ACME")


def accept_in_draft(buyer: Visitor, draft: str) -> None:
    page = buyer.open(f"/quotes/{draft}")
    expect(page.get_by_role("main")).to_contain_text("Prices moved since you last saw them")
    expect(line_of(page, "LT-0003")).to_contain_text(NEW)
    page.get_by_label("Accept the new prices").check()
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_role("main")).not_to_contain_text("Prices moved since")
    expect(line_of(page, "LT-0003")).to_contain_text(NEW)
