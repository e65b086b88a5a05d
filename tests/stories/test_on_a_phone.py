"""What the narrow screen shows first: the pages of the test client, laid out by a real browser."""

import contextvars
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Locator, Page, Route, expect

SignIn = Callable[..., FlaskClient]
Opened = Callable[[str], Page]
HOME = "http://portal.example"
HEIGHT = 844
pytestmark = [pytest.mark.story, pytest.mark.any_database, pytest.mark.usefixtures("demo")]


@pytest.fixture
def opened(browser: Browser, sign_in: SignIn) -> Iterator[Opened]:
    """``opened("/path")``: the buyer's page on a phone, without a server between."""
    client = sign_in("buyer@acme.example", membership="ACME - IT")
    held = contextvars.copy_context()  # the browser's threads know nothing of the application

    def answer(route: Route) -> None:
        asked = urlsplit(route.request.url)
        found = held.run(client.get, asked.path, query_string=asked.query)
        body = found.data
        found.close()
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=body)

    context = browser.new_context(viewport={"width": 390, "height": HEIGHT})
    page = context.new_page()
    page.route("**/*", answer)

    def open_page(path: str) -> Page:
        page.goto(HOME + path)
        return page

    yield open_page
    context.close()


def box_of(part: Locator) -> tuple[float, float, float]:
    """Return the left edge, the top and the bottom of what is shown."""
    box = part.bounding_box()
    assert box is not None, "not shown"
    return box["x"], box["y"], box["y"] + box["height"]


def test_a_report_starts_with_its_figures(opened: Opened) -> None:
    page = opened("/reports/orders")
    form = page.get_by_role("button", name="Show report")

    expect(form).to_be_hidden()
    assert box_of(page.locator(".figure-value").first)[1] < HEIGHT

    page.get_by_text("Period and filters").click()
    expect(form).to_be_visible()

    page.get_by_text("Period and filters").click()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(form).to_be_visible()


def test_a_line_that_says_nothing_is_left_out(opened: Opened) -> None:
    page = opened("/reports/orders?period=all")
    blank = page.locator("[data-blank]")

    assert blank.count() > 0
    assert [part.inner_text() for part in blank.all() if part.is_visible()] == []

    page.set_viewport_size({"width": 1280, "height": 800})
    expect(blank.first).to_be_visible()


def test_a_product_is_a_name_with_its_stock_and_price_side_by_side(opened: Opened) -> None:
    row = opened("/catalog").locator("tbody tr").first
    name_left, name_top, _end = box_of(row.get_by_role("link").first)
    code_left, code_top, _end = box_of(row.locator(".sku"))
    stock_left, stock_top, _end = box_of(row.locator("[data-label=Availability]"))
    price_left, price_top, _end = box_of(row.locator("[data-label=Price]"))

    assert name_top < code_top < stock_top
    assert name_left == code_left
    assert stock_top == price_top
    assert stock_left < price_left


def test_the_price_stands_before_the_facts(opened: Opened) -> None:
    page = opened("/catalog/LT-0001")

    assert box_of(page.get_by_role("button", name="Add to quote"))[2] < HEIGHT

    page.set_viewport_size({"width": 1280, "height": 800})
    price, facts = (
        page.get_by_role("heading", name=name, exact=True) for name in ("Prices", "Facts")
    )
    assert box_of(facts)[0] < box_of(price)[0]


@pytest.mark.parametrize("path", ["/service/assets", "/service/cases"])
def test_a_list_starts_on_the_first_screen(opened: Opened, path: str) -> None:
    page = opened(path)

    assert box_of(page.locator("tbody tr").first)[1] < HEIGHT
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_role("main").get_by_role("searchbox")).to_be_visible()


def test_a_list_can_be_sorted_above_its_first_row(opened: Opened) -> None:
    page = opened("/catalog")
    by_price = page.get_by_role("main").get_by_role("link", name="Your price", exact=True)

    assert box_of(by_price)[2] < box_of(page.locator("tbody tr").first)[1]
    by_price.click()
    page.wait_for_url("**/catalog?*sort=price*")
