"""Everybody starts where their work is: each place with exactly what its view lists."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SignIn = Callable[..., FlaskClient]
FIGURE = re.compile(
    r'<a class="tile" href="([^"]+)"><span class="tile-figure">([^<]+)</span> ([^<]+)</a>'
)


def tiles(page: TestResponse) -> dict[str, tuple[str, int]]:
    """Label -> (address, figure) of the start page."""
    return {
        label: (url.replace("&amp;", "&"), int(figure.replace(",", "")))
        for url, figure, label in FIGURE.findall(page.text)
    }


def shown_count(page: TestResponse) -> int:
    """The figure of the view that a list shows."""
    views = page.text[page.text.index('<nav class="views') :]
    found = re.search(r'aria-current="page">[^<]*<span class="count">([^<]+)</span>', views)
    assert found is not None
    return int(found.group(1).replace(",", ""))


def codes_in(page: str) -> set[str]:
    """The price lists that a page names in its table."""
    return set(re.findall(r'href="/desk/price-lists/([A-Z0-9-]+)"', page))


@pytest.mark.parametrize(
    ("email", "places"),
    [
        ("desk@northwind.example", ["To confirm", "To ship", "Late", "Below reorder level"]),
        ("service@northwind.example", ["Mine", "Unassigned", "Overdue", "Awaited", "Diagnosed"]),
        ("system@northwind.example", ["active"]),
        ("pricing@northwind.example", ["Drafts to publish", "Ending within 60 days"]),
        ("buyer@acme.example", ["Drafts", "Orders with a change proposed", "Late orders"]),
    ],
)
@pytest.mark.usefixtures("demo")
def test_each_figure_of_the_start_page_is_the_count_of_its_view(
    sign_in: SignIn, email: str, places: list[str]
) -> None:
    client = sign_in(email)

    found = tiles(client.get("/"))

    assert [label for label in places if label not in found] == []
    assert {label: shown_count(client.get(url)) for label, (url, _figure) in found.items()} == {
        label: figure for label, (_url, figure) in found.items()
    }


@pytest.mark.usefixtures("demo")
def test_the_demo_shows_a_stock_of_which_a_handful_runs_out(sign_in: SignIn) -> None:
    found = tiles(sign_in("desk@northwind.example").get("/"))

    assert 1 <= found["Below reorder level"][1] <= 15


@pytest.mark.usefixtures("demo")
def test_the_agent_starts_with_the_case_that_breaks_first(sign_in: SignIn) -> None:
    client = sign_in("service@northwind.example")
    queue = re.findall(r"/service/cases/(C-\d+)", client.get("/service/cases?view=team").text)

    page = client.get("/").text
    section = page[page.index("Next cases of my teams") :]

    assert re.findall(r"/service/cases/(C-\d+)", section)[:3] == queue[:3]


@pytest.mark.usefixtures("demo")
def test_the_pricing_manager_starts_at_the_price_lists(sign_in: SignIn) -> None:
    client = sign_in("pricing@northwind.example")
    found = tiles(client.get("/"))

    drafts = client.get(found["Drafts to publish"][0]).text
    ending = client.get(found["Ending within 60 days"][0]).text
    assert [codes_in(drafts), codes_in(ending)] == [{"ACME-RND", "TIER-GOLD"}, {"SEG-ELEC"}]
    assert [found[view][1] for view in ("Drafts to publish", "Ending within 60 days")] == [2, 1]
    assert shown_count(client.get("/desk/price-lists")) == len(
        codes_in(client.get("/desk/price-lists").text)
    )


@pytest.mark.usefixtures("demo")
def test_managers_see_which_agreements_of_their_accounts_end_soon(sign_in: SignIn) -> None:
    heading = "Agreements that end within 60 days"
    manager = sign_in("manager@northwind.example").get("/").text
    elsewhere = sign_in("manager.asia@northwind.example").get("/").text
    desk = sign_in("desk@northwind.example").get("/").text

    section = manager[manager.index(heading) :]
    assert "2026-030" in section
    assert 'href="/desk/accounts/ACME"' in section
    assert "2026-007" not in section, "it goes on for years"
    assert heading not in elsewhere
    assert heading not in desk


@pytest.mark.usefixtures("demo")
def test_supplier_staff_see_whose_quote_and_order_it_is(sign_in: SignIn) -> None:
    page = sign_in("auditor@northwind.example").get("/").text
    own = sign_in("buyer@acme.example", membership="ACME - IT").get("/").text

    assert page.count('<td data-label="Account">') >= 4
    assert "Hanbit Electronics" in page
    assert 'data-label="Account"' not in own


@pytest.mark.usefixtures("demo")
def test_the_jobs_say_which_quote_they_are_about(sign_in: SignIn) -> None:
    keeper = sign_in("system@northwind.example")

    page = keeper.get("/desk/jobs?kind=quotes.remind").text
    file = keeper.get("/desk/jobs?kind=quotes.remind&format=csv").text

    named = set(re.findall(r"Reminder of a quote (Q-\d{6})", page))
    assert named
    assert named <= set(re.findall(r"Reminder of a quote (Q-\d{6})", file))
    first = re.search(r'href="(/desk/jobs/\d+)">Reminder of a quote (Q-\d{6})', page)
    assert first is not None
    assert first[2] in keeper.get(first[1]).text
