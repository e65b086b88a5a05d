"""The account manager looks after one account: its policy, its numbers, and no other's."""

import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.desk.imports import PLACES
from portal.desk.kinds import KINDS, page_permission
from portal.home.navigation import NAVIGATION
from portal.policy import GRANTS, SUPPLIER_ROLES, P

SignIn = Callable[..., FlaskClient]


def main_of(page: str) -> str:
    """What stands below the frame."""
    return page[page.index("<main") :]


@pytest.mark.usefixtures("demo")
def test_the_manager_reads_the_policy_of_their_account(sign_in: SignIn) -> None:
    manager = sign_in("manager@northwind.example")
    account = manager.get("/desk/accounts/ACME").text
    page = manager.get("/company/policy?account=ACME")
    own = sign_in("admin@acme.example").get("/company/policy").text

    assert 'href="/company/policy?account=ACME"' in account
    assert "ACME Industrie GmbH" in page.text
    for words in ("Above 1,000", "Version 1"):
        assert words in own
        assert words in page.text
    file = manager.get("/company/policy/export.json?account=ACME")
    assert json.loads(file.text)["account_code"] == "ACME"


@pytest.mark.parametrize("path", ["/company/policy", "/company/policy/export.json"])
@pytest.mark.usefixtures("demo")
def test_nobody_reads_the_policy_of_another_account(sign_in: SignIn, path: str) -> None:
    for email in ("manager@northwind.example", "admin@acme.example"):
        client = sign_in(email)
        foreign = client.get(path, query_string={"account": "HANBIT"})
        missing = client.get(path, query_string={"account": "NOBODY"})

        assert (foreign.status_code, missing.status_code) == (404, 404)


def test_the_menu_leads_to_imports_whoever_imports_something() -> None:
    item = next(item for item in NAVIGATION if item.endpoint == "imports.index")
    shown = {item.permission, *item.or_with}
    importing = {
        role
        for role in SUPPLIER_ROLES
        if any({kind.permission, page_permission(kind)} <= {*GRANTS[role]} for kind in KINDS)
    }

    assert {role for role in SUPPLIER_ROLES if shown & {*GRANTS[role]}} == importing
    assert P.ACCOUNT_READ not in shown


@pytest.mark.usefixtures("demo")
def test_an_import_leads_on_to_what_it_brought(sign_in: SignIn) -> None:
    page = sign_in("pricing@northwind.example").get("/desk/imports/price-entries").text

    assert 'href="/desk/price-lists?view=draft"' in page
    assert {*PLACES} <= {kind.name for kind in KINDS}
    system = sign_in("system@northwind.example")
    assert 'href="/desk/accounts"' in main_of(system.get("/desk/imports/accounts").text)
    assert 'href="/quotes"' not in system.get("/desk/imports/quotes").text


@pytest.mark.usefixtures("demo")
def test_staff_see_whose_quote_and_order_they_look_at(sign_in: SignIn) -> None:
    desk = sign_in("desk@northwind.example")
    buyer = sign_in("buyer@acme.example", membership="ACME - IT")

    assert "ACME Industrie GmbH · 2 lines" in desk.get("/orders/O-000002").text
    assert 'href="/desk/orders"' in desk.get("/orders/O-000002").text
    assert "ACME Industrie GmbH" in desk.get("/quotes/Q-000005").text
    assert "ACME Industrie GmbH · " not in buyer.get("/orders/O-000002").text


@pytest.mark.parametrize("path", ["/quotes", "/orders"])
@pytest.mark.usefixtures("demo")
def test_staff_find_by_the_account_and_customers_by_numbers_alone(
    sign_in: SignIn, path: str
) -> None:
    desk = sign_in("desk@northwind.example")
    buyer = sign_in("buyer@acme.example", membership="ACME - IT")

    found = desk.get(path, query_string={"q": "hanbit", "view": "all"}).text

    assert "Hanbit Electronics" in found
    assert "ACME Industrie" not in found
    nothing = buyer.get(path, query_string={"q": "ACME Industrie", "view": "all"}).text
    assert 'class="empty no-match"' in nothing
