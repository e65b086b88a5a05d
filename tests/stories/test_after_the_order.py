"""After the order, in a browser: delivery, repairs, the service desk, and what reports say."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays
from playwright.sync_api import FilePayload, Page, expect
from pypdf import PdfReader

from portal.demo.service_desk import photo
from portal.files.reading import Table, read_table
from tests.stories.browsing import Look, Server, Visitor, link_in, press
from tests.stories.reading import (
    amount,
    mail_about,
    must_not_scroll_sideways,
    number_in,
    row_of,
    section,
    shown,
    state_of,
    text_of,
    timeline_of,
)

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]

BUYER, DESK = "buyer@acme.example", "desk@northwind.example"
MONITOR, WEBCAM, SUBSTITUTE = "MN-0001", "WC-0007", "WC-0002"
FIRST, SECOND = ("ASUS-4711", "ASUS-4712"), ("ASUS-4713",)
PURCHASE_ORDER: Final = "0045002001"
TRACKING: Final = "00340434161094027711"

Browse = Callable[..., Visitor]


def today() -> date:
    """Return the day of the account, by which everything is promised."""
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


def in_days(count: int) -> date:
    """Return the day so many days from now."""
    return today() + timedelta(days=count)


def test_an_order_arrives_in_two_parts_and_is_found_by_every_number(
    portal: Server, browse_as: Browse
) -> None:
    buyer = browse_as(BUYER, "ACME - IT")
    quote, order = order_monitors(buyer)
    desk = browse_as(DESK)
    look_into_the_queue(desk, order)
    propose_substitute(desk)
    accept_substitute(portal, buyer, quote, order)
    replacement = order_substitute(buyer, quote)
    confirm_each_line(desk, replacement)

    first = ship_first_part(desk, order)
    delay_the_rest(portal, desk, buyer, order)
    second = ship_the_rest(desk)
    read_delivery_note(buyer, order, first)
    deliver(desk, order, first, second)
    see_all_of_it(buyer, desk, order)
    own_the_pieces(buyer, order)
    find_by_every_number(buyer, quote, order)
    keep_from_others(browse_as, order, first)


def order_monitors(buyer: Visitor) -> tuple[str, str]:
    page = buyer.open("/quotes")
    press(page, "New quote")
    quote = number_in(page.url)
    for sku, quantity in ((MONITOR, "3"), (WEBCAM, "2")):
        page.get_by_label("Add an SKU").fill(sku)
        press(page, "Save")
        page.get_by_label(f"Quantity of {sku}").fill(quantity)
        press(page, "Save")
    press(page, "Submit for approval")
    expect(state_of(page)).to_have_text("approved")
    return quote, convert(buyer, quote, PURCHASE_ORDER)


def convert(buyer: Visitor, quote: str, purchase_order: str) -> str:
    page = buyer.open(f"/quotes/{quote}")
    page.get_by_role("link", name="Convert to order").click()
    page.get_by_role("textbox", name="Purchase order number").fill(purchase_order)
    page.get_by_label("Requested delivery date").fill(in_days(4).isoformat())
    page.get_by_role("button", name="Place order").click()
    expect(page).to_have_url(re.compile(r"/orders/O-\d{6}$"))
    return number_in(page.url)


def look_into_the_queue(desk: Visitor, order: str) -> None:
    page = desk.open("/desk/orders")
    row = page.get_by_role("row").filter(has_text=order)
    said = row_of(row)
    assert said["Age in days"] == "0"
    assert said["Due"] == shown(in_days(4))
    assert said["In the way"] == "stock"
    row.get_by_role("link", name=order).click()
    checks = section(page, "Checks")
    assert re.search(r"[\d,.]+ EUR of 400,000.00 EUR are open with this order", checks)
    assert f"Line 2, {WEBCAM}: 0 there, 2 needed." in checks
    assert "Every address is complete." in checks


def propose_substitute(desk: Visitor) -> None:
    page = desk.page
    page.get_by_label("Promised date of line 1").fill(in_days(4).isoformat())
    page.get_by_label("Substitute SKU of line 2").fill(SUBSTITUTE)
    page.get_by_label("Promised date of line 2").fill(in_days(3).isoformat())
    page.get_by_label("Back-ordered of line 2").fill("")
    page.get_by_label("Back-order date of line 2").fill("")
    page.get_by_role("button", name="Propose change").click()
    expect(page.get_by_role("main")).to_contain_text("There is a problem")
    expect(page.get_by_label("Substitute SKU of line 2")).to_have_value(SUBSTITUTE)
    page.get_by_label("Reason").fill("The maker no longer sends this camera.")
    page.get_by_role("button", name="Propose change").click()
    expect(page.get_by_role("main")).to_contain_text("is proposed. The buyer was told.")
    expect(state_of(page)).to_have_text("change proposed")


def accept_substitute(server: Server, buyer: Visitor, quote: str, order: str) -> None:
    mail = mail_about(server, BUYER, "Change proposed", order)
    assert "The maker no longer sends this camera." in text_of(mail)
    page = buyer.open(link_in(mail, order))
    proposed = row_of(
        page.get_by_role("table", name="What is proposed for each line")
        .get_by_role("row")
        .filter(has_text=WEBCAM)
    )
    assert SUBSTITUTE in proposed["Product proposed"]
    assert re.search(r"[\d.]+ EUR instead of 21.19 EUR", proposed["Product proposed"])
    assert proposed["Promised for"] == shown(in_days(3))
    expect(page.get_by_role("main")).to_contain_text("Accepting needs a new approval")
    page.get_by_role("button", name="Accept change").click()
    expect(page).to_have_url(f"{buyer.home}/quotes/{quote}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("revision 2")

    buyer.open(f"/orders/{order}")
    expect(state_of(page)).to_have_text("confirmed")
    assert promised(page, MONITOR)["Promised now"] == shown(in_days(4))


def promised(page: Page, sku: str) -> dict[str, str]:
    """Return the row of a product in the table of promised and actual dates."""
    table = page.get_by_role("table", name="Promised and actual dates of each line")
    return row_of(table.get_by_role("row").filter(has_text=sku))


def order_substitute(buyer: Visitor, quote: str) -> str:
    page = buyer.open(f"/quotes/{quote}")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_role("link", name="Convert to order")).to_be_visible()
    return convert(buyer, quote, "0045002002")


def confirm_each_line(desk: Visitor, order: str) -> None:
    page = desk.open(f"/orders/{order}")
    page.get_by_label("Promised date of line 2").fill(in_days(2).isoformat())
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text(f"Order {order} is confirmed.")
    assert promised(page, SUBSTITUTE)["Promised now"] == shown(in_days(2))


def ship_first_part(desk: Visitor, order: str) -> str:
    page = desk.open(f"/orders/{order}")
    page.get_by_label("Quantity to ship of line 1").fill("2")
    page.get_by_label("Serial numbers of line 1").fill(" ".join((*FIRST, "ASUS-4799")))
    page.get_by_label("Carrier").select_option(label="DHL")
    page.get_by_label("Tracking number").fill(TRACKING)
    page.get_by_label("Packages").fill("2")
    page.get_by_label("Weights in kg").fill("7.4 7.1")
    page.get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("There is a problem")
    page.get_by_label("Serial numbers of line 1").fill("\n".join(FIRST))
    page.get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("has left. The buyer was told.")
    expect(state_of(page)).to_have_text("partly shipped")
    return shipment_of(page)


def shipment_of(page: Page) -> str:
    """Return the number of the shipment that just left."""
    said = re.search(r"Shipment (S-\d{6}) has left", page.get_by_role("main").inner_text())
    assert said
    return said[1]


def delay_the_rest(server: Server, desk: Visitor, buyer: Visitor, order: str) -> None:
    page = desk.page
    page.get_by_label("Promised date of line 1").fill(in_days(9).isoformat())
    page.get_by_role("textbox", name="Reason").first.fill("Customs hold the second pallet.")
    page.get_by_role("button", name="Save dates").click()
    expect(page.get_by_role("main")).to_contain_text("are saved.")

    mail = mail_about(server, BUYER, "New dates", order)
    assert "Customs hold the second pallet." in text_of(mail)
    row = promised(buyer.open(f"/orders/{order}"), MONITOR)
    assert row["First promised"] == shown(in_days(4))
    assert row["Promised now"] == f"{shown(in_days(9))} Customs hold the second pallet."


def ship_the_rest(desk: Visitor) -> str:
    page = desk.page
    page.get_by_label("Serial numbers of line 1").fill(SECOND[0])
    page.get_by_label("Carrier").select_option(label="UPS")
    page.get_by_label("Tracking number").fill("1Z999AA10123450001")
    page.get_by_label("Packages").fill("1")
    page.get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("has left. The buyer was told.")
    expect(state_of(page)).to_have_text("shipped")
    return shipment_of(page)


def read_delivery_note(buyer: Visitor, order: str, shipment: str) -> None:
    page = buyer.open(f"/orders/{order}")
    card = page.get_by_role("article", name=re.compile(shipment))
    expect(card).to_contain_text("on the way")
    expect(card).to_contain_text("2 packages (14.5 kg)")
    link = card.get_by_role("link", name=f"Track {TRACKING}")
    assert TRACKING in (link.get_attribute("href") or "")
    with page.expect_download() as download:
        card.get_by_role("link", name="Delivery note").click()
    assert download.value.suggested_filename == f"{shipment}.pdf"
    said = read_pdf(Path(download.value.path()).read_bytes())
    for words in (shipment, order, PURCHASE_ORDER, MONITOR, *FIRST, "DHL", TRACKING, "7.4 kg"):
        assert words in said, f"{words} is not on the delivery note"
    assert SECOND[0] not in said


def read_pdf(content: bytes) -> str:
    """Return the text of a PDF, in one line."""
    reader = PdfReader(BytesIO(content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def deliver(desk: Visitor, order: str, *shipments: str) -> None:
    page = desk.open(f"/orders/{order}")
    for shipment in shipments:
        card = page.get_by_role("article", name=re.compile(shipment))
        card.get_by_label("Received by").fill("K. Brandt")
        card.get_by_role("button", name="Mark delivered").click()
        expect(page.get_by_role("main")).to_contain_text(f"Shipment {shipment} is delivered.")
    expect(state_of(page)).to_have_text("delivered")


def see_all_of_it(buyer: Visitor, desk: Visitor, order: str) -> None:
    page = buyer.open(f"/orders/{order}")
    expect(state_of(page)).to_have_text("delivered")
    assert promised(page, MONITOR) | {"Line": ""} == {
        "Line": "",
        "Ordered": "3 EA",
        "Shipped": "3",
        "Delivered": "3",
        "First promised": shown(in_days(4)),
        "Promised now": f"{shown(in_days(9))} Customs hold the second pallet.",
        "Delivered on": shown(today()),
    }
    assert timeline_of(page) == timeline_of(desk.open(f"/orders/{order}"))
    happened = [(what, who) for what, who, _when in timeline_of(page)]
    assert [what for what, _who in happened[:5]] == [
        "Delivered",
        "Delivered",
        "Shipped",
        "Promised date changed",
        "Shipped",
    ]
    accepted = happened.index(("Proposed change accepted", "Ben Brandt"))
    assert happened[accepted - 1] == ("Order confirmed as changed", "Ben Brandt")
    assert happened[accepted + 1] == ("Change proposed by the supplier", "Dora Desk")
    said = section(page, "Timeline")
    assert f"{shown(in_days(4))} → {shown(in_days(9))}" in said
    assert "Customs hold the second pallet." in said


def own_the_pieces(buyer: Visitor, order: str) -> None:
    page = buyer.open(f"/service/assets?q={order}")
    for serial in (*FIRST, *SECOND):
        row = row_of(page.get_by_role("row").filter(has_text=serial))
        assert MONITOR in row["Product"]
        assert row["Unit and person"] == "Group IT Ben Brandt"
        assert row["Delivered"] == shown(today())
        assert row["Cover"] == "warranty"
    assert page.get_by_role("main").get_by_role("link", name=re.compile("^ASUS-47")).count() == 3


def find_by_every_number(buyer: Visitor, quote: str, order: str) -> None:
    for typed, address in (
        (PURCHASE_ORDER, f"/orders/{order}"),
        (order.lower(), f"/orders/{order}"),
        (TRACKING, f"/orders/{order}"),
        (quote, f"/quotes/{quote}"),
        (SECOND[0].lower(), f"/service/assets/{SECOND[0]}"),
    ):
        page = search(buyer, typed)
        expect(page).to_have_url(f"{buyer.home}{address}")
        if address != f"/orders/{order}":  # what else was found leads to the order
            expect(page.get_by_role("main").get_by_role("link", name=order)).to_be_visible()

    page = search(buyer, TRACKING[:14])
    found = page.get_by_role("table", name="Orders found")
    expect(found.get_by_role("link", name=order)).to_be_visible()
    search(buyer, FIRST[0][:8])
    expect(page.get_by_role("table", name="Assets found").get_by_role("link")).to_have_count(3)


def search(visitor: Visitor, text: str) -> Page:
    """Type something into the search box of the page's head."""
    page = visitor.page
    box = page.get_by_role("banner").get_by_role("searchbox")
    box.fill(text)
    box.press("Enter")
    page.wait_for_load_state()
    return page


def keep_from_others(browse_as: Browse, order: str, shipment: str) -> None:
    other = browse_as("buyer@hanbit.example")
    other.open(f"/orders/{order}/shipments/{shipment}/delivery-note.pdf", status=404)
    other.open(f"/service/assets/{FIRST[0]}", status=404)
    other.open("/")
    for typed in (PURCHASE_ORDER, TRACKING, FIRST[0], order):
        page = search(other, typed)
        expect(page.get_by_role("searchbox").last).to_have_value(typed)
        expect(page.get_by_role("main").locator(f"a[href*='{order}']")).to_have_count(0)


# --- a repair ------------------------------------------------------------------------------------

AGENT: Final = "service@northwind.example"
SPARE, BERLIN = "SD-0003", "BER-IT – ACME Group IT, Musterallee 3, Berlin"
PHONE: Final = Look(width=390, height=800)
PNG: Final = FilePayload(name="battery.png", mimeType="image/png", buffer=photo((178, 92, 64)))


def test_a_unit_is_repaired_while_its_owner_watches_step_and_clock(
    portal: Server, browse_as: Browse
) -> None:
    buyer = browse_as(BUYER, "ACME - IT")
    tag = choose_covered_laptop(buyer)
    case = send_for_repair(buyer, tag)
    agent = browse_as(AGENT)
    take_from_the_queue(agent, case)
    answer_from_article(portal, agent, buyer, case)
    ask_back(portal, agent, buyer, case)
    announce(buyer)
    bring_to_diagnosis(agent, case)
    reserve_part(agent)
    phone = browse_as(BUYER, "ACME - IT", PHONE)
    watch_on_a_phone(phone, case)
    repair_and_return(agent)
    see_it_come_back(portal, phone, case)
    close_and_rate(agent, phone, case)


def choose_covered_laptop(buyer: Visitor) -> str:
    page = buyer.open("/service/assets?q=LT-0001&status=in+use")
    row = page.get_by_role("main").get_by_role("row").filter(has_text="warranty").first
    row.get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_role("main")).to_contain_text("Covered until")
    tag = page.url.rpartition("/")[2]
    page.get_by_role("main").get_by_role("link", name="New case").click()
    expect(page.get_by_label("Serial, order or product")).to_have_value(tag)
    return tag


def send_for_repair(buyer: Visitor, tag: str) -> str:
    page = buyer.page
    page.get_by_label("Repair", exact=True).check()
    page.get_by_label("Subject").fill("The battery lasts one hour")
    page.get_by_label("What happened").fill("Since Monday it dies before lunch.")
    page.get_by_role("button", name="Check").click()
    about = section(page, "What it is about")
    assert tag in about
    assert "Warranty: parts, labour" in about
    assert "The battery of my laptop" in section(page, "These articles may already answer it (1)")
    page.get_by_label("Photos and files").set_input_files(PNG)
    press(page, "Send anyway")
    case = number_in(page.url)
    expect(page.get_by_role("main")).to_contain_text(f"Case {case} is open.")
    expect(state_of(page)).to_have_text("new")
    assert "Hardware and repairs" in section(page, "Facts")
    assert "24 h left" in section(page, "Clock")
    return case


def take_from_the_queue(agent: Visitor, case: str) -> None:
    page = agent.open("/service/cases")
    row = page.get_by_role("row").filter(has_text=case)
    said = row_of(row)
    assert said["Team and agent"] == "Hardware and repairs nobody yet"
    assert said["Clock"].startswith("24 h left First answer")
    row.get_by_role("link", name=case).click()
    page.get_by_role("button", name="Take", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text(f"Case {case} is yours.")
    expect(state_of(page)).to_have_text("open")
    photo_of = page.get_by_role("link", name="battery.png").get_attribute("href")
    answer = page.request.get(f"{agent.home}{photo_of}")
    assert (answer.status, answer.body()) == (200, PNG["buffer"])


def answer_from_article(server: Server, agent: Visitor, buyer: Visitor, case: str) -> None:
    page = agent.page
    page.get_by_role("button", name=re.compile("^Insert article The battery of my laptop")).click()
    text = page.get_by_role("textbox", name="Message")
    expect(text).to_have_value(re.compile("Lower the brightness of the screen"))
    page.get_by_role("button", name="Reply", exact=True).click()
    messages = page.get_by_role("region", name="Messages (2)")
    expect(messages).to_contain_text("Answered from article")

    mail = mail_about(server, BUYER, case, "Lower the brightness")
    page = buyer.open(link_in(mail, case))
    assert "kept in" in section(page, "Clock")
    assert "Simon Service" in section(page, "Messages (2)")


def ask_back(server: Server, agent: Visitor, buyer: Visitor, case: str) -> None:
    page = agent.page
    page.get_by_role("textbox", name="Message").fill("May the unit be away for two days?")
    page.get_by_role("button", name="Ask back").click()
    expect(state_of(page)).to_have_text("waiting for customer")

    mail_about(server, BUYER, case, "May the unit be away for two days?")
    page = buyer.open(f"/service/cases/{case}")
    expect(page.get_by_role("main")).to_contain_text("The service waits for your answer")
    clock = section(page, "Clock")
    assert "paused, " in clock
    assert re.search("The clock pauses since .*: we wait for your reply.", clock)
    page.get_by_role("textbox", name="Message").fill("Two days are fine.")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(state_of(page)).to_have_text("open")
    assert "pause" not in section(page, "Clock")


def announce(buyer: Visitor) -> None:
    page = buyer.page
    page.get_by_label("Sent in by the customer").check()
    page.get_by_label("Address", exact=True).select_option(label=BERLIN)
    page.get_by_label("What is wrong").fill("Holds no charge.")
    page.get_by_role("button", name="Announce the repair").click()
    expect(page.get_by_role("heading", name=re.compile(r"^Repair R-\d{6}$"))).to_be_visible()
    slip = page.get_by_role("link", name=re.compile("^Packing slip")).get_attribute("href")
    said = read_pdf(page.request.get(f"{buyer.home}{slip}").body())
    for words in ("Packing slip", "ACME Group IT", "LT-0001", "Holds no charge."):
        assert words in said


def take_step(agent: Visitor, name: str, state: str, words: str = "") -> None:
    """Take a step of the repair on the agent's page."""
    page = agent.page
    page.get_by_label("Words with the step").fill(words)
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".route [aria-current=step]")).to_contain_text(state)


def bring_to_diagnosis(agent: Visitor, case: str) -> None:
    agent.open(f"/service/cases/{case}")
    take_step(agent, "Receive the unit", "received")
    take_step(agent, "Save the diagnosis", "diagnosed", "The drive keeps it awake: it is replaced.")


def reserve_part(agent: Visitor) -> None:
    page = agent.page
    repair = page.get_by_role("region", name=re.compile("^Repair R-"))
    expect(repair).to_contain_text("An entitlement pays for parts")
    repair.get_by_label("SKU").fill(SPARE)
    repair.get_by_label("Quantity").fill("1")
    page.get_by_role("button", name="Add part").click()
    part = page.get_by_role("row").filter(has_text=SPARE)
    expect(part).to_contain_text("reserved")
    expect(part).to_contain_text("free of charge")


def watch_on_a_phone(phone: Visitor, case: str) -> None:
    page = phone.open(f"/service/cases/{case}")
    must_not_scroll_sideways(phone)
    expect(page.locator(".route [aria-current=step]")).to_contain_text("diagnosed")
    repair = page.get_by_role("region", name=re.compile("^Repair R-"))
    expect(repair).to_contain_text("The drive keeps it awake: it is replaced.")
    expect(page.get_by_role("row").filter(has_text=SPARE)).to_contain_text("free of charge")
    assert re.search(r"80 h left|79 h \d+ min left", section(page, "Clock"))
    phone.examine(themes=("light",))


def repair_and_return(agent: Visitor) -> None:
    page = agent.page
    take_step(agent, "Start the repair", "in repair")
    page.get_by_role("row").filter(has_text=SPARE).get_by_role("button", name="Use").click()
    expect(page.get_by_role("row").filter(has_text=SPARE)).to_contain_text("used")
    take_step(agent, "Test passed", "tested")
    page.get_by_label("Carrier").select_option(label="DHL")
    page.get_by_label("Tracking number").fill(TRACKING)
    take_step(agent, "Send the unit back", "returned", "Six hours on battery.")
    page.get_by_role("textbox", name="Message").fill("It is on its way to you.")
    page.get_by_role("button", name="Reply and resolve").click()
    expect(state_of(page)).to_have_text("resolved")


def see_it_come_back(server: Server, phone: Visitor, case: str) -> None:
    page = phone.open(link_in(mail_about(server, BUYER, case, "It is on its way to you."), case))
    expect(page.locator(".route [aria-current=step]")).to_contain_text("returned")
    repair = page.get_by_role("region", name=re.compile("^Repair R-"))
    expect(repair.get_by_role("link", name=TRACKING)).to_be_visible()
    repair.get_by_text("Steps so far").click()
    expect(repair).to_contain_text("Six hours on battery.")
    steps = [
        "Repair announced",
        "Unit received for repair",
        "Diagnosis made",
        "Part reserved",
        "Repair started",
        "Repaired and tested",
        "Unit sent back",
    ]
    told = section(page, "Timeline").splitlines()
    assert [what for what in reversed(told) if what in steps] == steps
    assert "kept in" in section(page, "Clock")


def close_and_rate(agent: Visitor, phone: Visitor, case: str) -> None:
    page = phone.page
    page.get_by_role("button", name="Close case").click()
    expect(state_of(page)).to_have_text("closed")
    page.get_by_label(re.compile("^4")).check()
    page.get_by_label("In your words").fill("Back in three days.")
    page.get_by_role("button", name="Rate", exact=True).click()
    must_not_scroll_sideways(phone)
    said = section(agent.open(f"/service/cases/{case}"), "Facts")
    assert "4 of 5" in said
    assert "Back in three days." in said


# --- the service desk ----------------------------------------------------------------------------

ALARM, MANAGER = "alarm-care@northwind.example", "manager@northwind.example"
SILENT: Final = "When do the tariffs change?"


def test_every_way_to_the_service_leads_to_one_desk_that_forgets_nobody(
    portal: Server, browse_as: Browse
) -> None:
    buyer, agent = browse_as(BUYER, "ACME - IT"), browse_as(AGENT)
    write_mail(portal, "Password of the old switch", "Who knows the password of the old switch?")
    find_an_article_before_asking(buyer, agent)
    assess_complaint(agent, complain(buyer))
    note_call(agent)
    mailed = find_mailed_case(portal, agent)
    reply_by_mail(portal, agent, mailed)
    opened = ask_and_wait(buyer)

    portal.go_on_at(after_business_hours(opened[1], 12))
    warn_team(portal, opened[0])
    portal.go_on_at(after_business_hours(opened[1], 24))
    tell_manager(portal, browse_as, opened[0])


def write_mail(server: Server, subject: str, text: str, **headers: str) -> None:
    """Put a mail of the buyer into the folder that the mail server fills."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = f"Ben Brandt <{BUYER}>", subject
    mail["Message-ID"] = f"<{uuid4().hex}@acme.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    folder = server.database.data_dir / "mailbox"
    folder.mkdir(exist_ok=True)
    (folder / f"{uuid4().hex}.part").write_bytes(bytes(mail))
    for part in folder.glob("*.part"):
        part.rename(part.with_suffix(".eml"))


def fill_in_case(visitor: Visitor, kind: str, subject: str, text: str) -> Page:
    """Fill in the form of a new case and have it checked."""
    page = visitor.page
    page.get_by_label(kind, exact=True).check()
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("What happened").fill(text)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("button", name=re.compile("^Send"))).to_be_visible()
    return page


def send(page: Page) -> str:
    """Send a case that was checked; return its number."""
    page.get_by_role("button", name=re.compile("^Send")).click()
    expect(page).to_have_url(re.compile(r"/C-\d{6}$"))
    return number_in(page.url)


def find_an_article_before_asking(buyer: Visitor, agent: Visitor) -> None:
    buyer.open("/service/cases/new")
    page = fill_in_case(buyer, "Question", "Where is the service tag?", "I do not find it.")
    found = page.get_by_role("region", name=re.compile("^These articles may already answer it"))
    expect(found.get_by_role("link", name=re.compile("service tag"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^This helped: .*service tag")).click()
    expect(page.get_by_role("main")).to_contain_text("Good. No case was opened.")
    agent.open("/service/cases?view=all&q=Where+is+the+service+tag")
    expect(agent.page.get_by_role("main")).to_contain_text("No cases match")


def complain(buyer: Visitor) -> str:
    page = buyer.open("/orders?view=all")
    page.get_by_role("main").get_by_role("link", name=re.compile("^O-")).first.click()
    expect(page).to_have_url(re.compile(r"/orders/O-\d{6}$"))
    order = number_in(page.url)
    page.get_by_role("link", name="Something wrong?").click()
    expect(page.get_by_label("Complaint", exact=True)).to_be_checked()
    fill_in_case(buyer, "Complaint", "Two boxes were open", "The seals were broken.")
    case = send(page)
    expect(page.get_by_role("region", name="Facts")).to_contain_text(order)
    return case


def assess_complaint(agent: Visitor, case: str) -> None:
    page = agent.open(f"/service/cases/{case}")
    form = page.get_by_role("region", name="Complaint", exact=True)
    form.get_by_label("What went wrong").select_option(label="Delivery late, short or damaged")
    form.get_by_label("Severity").select_option(index=2)
    form.get_by_label("Cause").select_option(label="Carrier")
    form.get_by_label("What is done about it").fill("The carrier pays; new seals from Monday.")
    form.get_by_label("Follow up on").fill(today().isoformat())
    press(form, "Save")
    press(form, "Followed up")
    expect(form).to_contain_text("Followed up")
    expect(form.get_by_role("button", name="Followed up")).to_have_count(0)
    expect(form.get_by_label("What is done about it")).to_have_value(
        re.compile("^The carrier pays")
    )


def note_call(agent: Visitor) -> None:
    page = agent.open("/service/cases/new")
    page.get_by_label("Customer: name, e-mail or account").fill("shopper@acme.example")
    page.get_by_label("Call", exact=True).check()
    fill_in_case(
        agent, "Question", "Two slots or four?", "Asks for the memory slots of the desktops."
    )
    send(page)
    facts = section(page, "Facts")
    assert "Sam Hoffmann" in facts
    assert "call" in facts


def find_mailed_case(server: Server, agent: Visitor) -> str:
    mail = mail_about(server, AGENT, "Password of the old switch")
    page = agent.open(link_in(mail, "/service/cases/"))
    facts = section(page, "Facts")
    assert "Ben Brandt" in facts
    assert "e-mail" in facts
    expect(page.get_by_role("region", name="Messages (1)")).to_contain_text(
        "Who knows the password"
    )
    return number_in(page.url)


def reply_by_mail(server: Server, agent: Visitor, case: str) -> None:
    page = agent.page
    page.get_by_role("textbox", name="Message").fill("It stands on the label of the switch.")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_role("region", name="Messages (2)")).to_be_visible()

    answer = mail_about(server, BUYER, case, "It stands on the label of the switch.")
    write_mail(
        server, f"Re: {answer['Subject']}", "Found it, thank you.",
        In_Reply_To=str(answer["Message-ID"]),
    )  # fmt: skip
    mail_about(server, AGENT, case, "Found it, thank you.")
    agent.open(f"/service/cases/{case}")
    expect(page.get_by_role("region", name="Messages (3)")).to_contain_text("Found it, thank you.")
    agent.open("/service/cases?view=all&q=Found+it")


def ask_and_wait(buyer: Visitor) -> tuple[str, datetime]:
    buyer.open("/service/cases/new")
    case = send(fill_in_case(buyer, "Question", SILENT, "We plan the next year."))
    assert "Customer care" in section(buyer.page, "Facts")
    *_later, (_what, _who, opened) = timeline_of(buyer.page)
    return case, datetime.fromisoformat(opened)


def after_business_hours(start: datetime, hours: int) -> datetime:
    """Return when so many hours of Berlin's office are over, and five minutes; minute by minute."""
    closed = country_holidays("DE", subdiv="BE")
    at, left = start.astimezone(ZoneInfo("Europe/Berlin")), hours * 60 + 5
    while left:
        ends = 12 if (at.month, at.day) in {(12, 24), (12, 31)} else 18
        is_open = at.weekday() < 5 and at.date() not in closed and 9 <= at.hour < ends
        left -= is_open
        at = (at.astimezone(UTC) + timedelta(minutes=1)).astimezone(at.tzinfo)
    return at


def warn_team(server: Server, case: str) -> None:
    for receiver in (ALARM, AGENT):
        said = text_of(mail_about(server, receiver, case, "Answer due", SILENT))
        assert "for 12 h" in said
    texts = [path.read_text() for path in (server.database.data_dir / "sms").glob("*.txt")]
    assert any(case in text and SILENT in text for text in texts)
    told = [mail for mail in server.mails_to(MANAGER, at_least=0) if case in text_of(mail)]
    assert told == [], "the manager is told after twice the time"


def tell_manager(server: Server, browse_as: Browse, case: str) -> None:
    mail = mail_about(server, MANAGER, case, SILENT)
    assert "24 h" in text_of(mail)
    agent = browse_as(AGENT)
    page = agent.open(f"/service/cases/{case}")
    happened = [what for what, _who, _when in timeline_of(page)]
    assert happened[:2] == [
        "The team's manager was told that an answer is overdue",
        "The team was warned that an answer is due",
    ]
    assert "overdue by" in section(page, "Clock")


# --- reports -------------------------------------------------------------------------------------


def test_reports_lead_to_their_rows_and_files_and_come_by_mail_on_monday(
    portal: Server, browse_as: Browse
) -> None:
    controller = browse_as("cfo@acme.example")
    read_order_report(controller)
    read_service_report(controller)
    save_for_mondays(controller)
    portal.go_on_at(next_monday())
    read_monday_mail(portal, browse_as)


def figures_of(page: Page) -> list[dict[str, str]]:
    """Return the rows of the report's table by heading, its total last."""
    page.wait_for_load_state()
    return [row_of(row) for row in page.locator("table tbody tr").all()]


def read_order_report(controller: Visitor) -> None:
    page = controller.open("/reports")
    page.get_by_role("main").get_by_role("link", name="Orders and savings").last.click()
    page.get_by_label("Group by").select_option(label="Category")
    page.get_by_label("Period", exact=True).select_option(label="All time")
    page.get_by_role("button", name="Show report").click()
    expect(page).to_have_url(re.compile("by=category.*period=all"))
    expect(page.get_by_role("columnheader", name="Category")).to_be_visible()
    rows = figures_of(page)
    assert sum(amount(row["Ordered"]) for row in rows[:-1]) == amount(rows[-1]["Ordered"])
    chart = page.get_by_role("img", name=re.compile("as bars; the table below has the same"))
    drawn = json.loads(chart.get_attribute("data-chart") or "")
    ordered = dict(zip(drawn["places"], map(Decimal, drawn["series"][0]["values"]), strict=True))
    assert ordered == {row["Category"]: amount(row["Ordered"]) for row in rows[:-1]}
    expect(chart.locator("canvas, svg").first).to_be_visible()
    compare_files(page, rows, "Ordered", "net")

    name, figure = rows[1]["Category"], amount(rows[1]["Ordered"])
    page.get_by_role("main").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rows behind")
    expect(page.get_by_role("main")).to_contain_text(f"Category: {name}")
    behind = download_table(page, "CSV")
    place = behind.columns.index("net")
    assert sum(Decimal(row[place]) for row in behind.rows) == figure
    assert len(behind.rows) == int(rows[1]["Lines"])


def download_table(page: Page, kind: str) -> Table:
    """Download the open list as a file and read it."""
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Export {kind}").click()
    content = Path(download.value.path()).read_bytes()
    return read_table(content, download.value.suggested_filename)


def compare_files(page: Page, rows: list[dict[str, str]], heading: str, column: str) -> None:
    """Check that both files hold a column of the page's table, row by row."""
    said = {next(iter(row.values())): plain_figure(row[heading]) for row in rows[:-1]}
    for kind in ("CSV", "XLSX"):
        table = download_table(page, kind)
        place = table.columns.index(column)
        assert {row[0]: Decimal(row[place]) for row in table.rows} == said


def plain_figure(text: str) -> Decimal:
    """Return a figure of a table, with or without currency."""
    return Decimal(text.split(maxsplit=1)[0].replace(",", ""))


def read_service_report(controller: Visitor) -> None:
    page = controller.open("/reports/cases?by=kind&period=all")
    compare_files(page, figures_of(page), "Cases", "cases")
    page.get_by_label("Kind", exact=True).select_option(label="repair")
    page.get_by_label("Group by").select_option(label="Status")
    page.get_by_role("button", name="Show report").click()
    expect(page).to_have_url(re.compile("by=status.*kind=repair"))
    expect(page.get_by_role("columnheader", name="Status")).to_be_visible()
    [*_states, total] = figures_of(page)
    page.get_by_role("main").get_by_role("link", name="Total").click()
    cases = page.get_by_role("main").get_by_role("link", name=re.compile(r"^C-\d{6}$"))
    expect(cases).to_have_count(int(total["Cases"]))


def save_for_mondays(controller: Visitor) -> None:
    page = controller.open("/reports/orders?by=category&period=all")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of the view").fill("All we ordered")
    page.get_by_role("region", name="Saved views").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All we ordered")
    rhythm = page.get_by_role("region", name="By mail")
    rhythm.get_by_role("combobox").select_option(label="Every Monday at 7:00")
    rhythm.get_by_role("button", name="Save the mail").click()
    expect(page.get_by_role("main")).to_contain_text("The report comes by mail: Every Monday")
    expect(rhythm).to_contain_text(shown(next_monday().date()))


def next_monday() -> datetime:
    """Return five past seven in Berlin on the next Monday."""
    zone = ZoneInfo("Europe/Berlin")
    at = datetime.now(zone).replace(hour=7, minute=5)
    days = -at.weekday() % 7
    if days == 0 and at <= datetime.now(zone) + timedelta(minutes=5):
        days = 7
    return at + timedelta(days=days)


def read_monday_mail(server: Server, browse_as: Browse) -> None:
    mail = mail_about(server, "cfo@acme.example", "All we ordered")
    said = text_of(mail)
    assert "Category | Orders | Lines | Ordered" in said
    [attached] = mail.iter_attachments()
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    table = read_table(content, attached.get_filename() or "")
    place = table.columns.index("net")
    total = sum(Decimal(row[place]) for row in table.rows)
    assert f"{total:,.2f} EUR" in said.partition("Total")[2]

    controller = browse_as()
    page = controller.open(link_in(mail, "/reports"))
    controller.fill_in_sign_in("cfo@acme.example")
    expect(page).to_have_url(re.compile("/reports/orders.*by=category"))
    assert amount(figures_of(page)[-1]["Ordered"]) == total
