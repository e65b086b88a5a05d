"""The supplier's list of accounts and one account with its organisation."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.accounts.queries import get_account
from portal.demo.cast import Cast
from tests.accounts.files import load
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
PAGE = "/desk/accounts"


def codes(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/desk/accounts/(\w+)">', page)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("manager@northwind.example", ["ACME"]),
        ("manager.asia@northwind.example", ["HANBIT"]),
        ("pricing@northwind.example", ["ACME", "HANBIT"]),
        ("desk@northwind.example", ["ACME", "HANBIT"]),
        ("auditor@northwind.example", ["ACME", "HANBIT"]),
        ("system@northwind.example", ["ACME", "HANBIT"]),
    ],
)
def test_staff_see_the_accounts_they_reach(
    sign_in: SignIn,
    who: str,
    seen: list[str],
) -> None:
    client = sign_in(who)

    assert codes(client.get(PAGE).text) == seen
    for code in ("ACME", "HANBIT"):
        status = client.get(f"{PAGE}/{code}").status_code
        assert status == (200 if code in seen else 404)


@pytest.mark.usefixtures("world")
def test_the_desk_is_not_for_customers(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")

    for answer in (
        client.get(PAGE),
        client.get(f"{PAGE}/ACME"),
        client.post(f"{PAGE}/ACME/suspend"),
    ):
        assert answer.status_code == 403


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("query", "found"),
    [("q=acm", ["ACME"]), ("q=Electronics", ["HANBIT"]), ("q=%25", []), ("status=closed", [])],
)
def test_searching_narrows_the_list(
    sign_in: SignIn,
    query: str,
    found: list[str],
) -> None:
    page = sign_in("system@northwind.example").get(f"{PAGE}?{query}").text

    assert codes(page) == found
    assert ("No account matches" in page) is (not found)


@pytest.mark.usefixtures("world")
def test_an_account_is_shown_with_its_whole_organisation(sign_in: SignIn) -> None:
    page = sign_in("manager@northwind.example").get(f"{PAGE}/ACME").text

    for text in (
        "HQ / RND / LAB",
        "BER-SHIP",
        "2100",
        "ENGINEERING",
        "Petra Vogel",
        "400,000.00 EUR",
    ):
        assert text in page


@pytest.mark.usefixtures("world")
def test_who_may_not_look_into_a_company_sees_the_account_alone(sign_in: SignIn) -> None:
    page = sign_in("desk@northwind.example").get(f"{PAGE}/ACME").text

    assert "ACME Industrie GmbH" in page
    assert "Petra Vogel" not in page
    assert "HQ / RND" not in page
    assert "/suspend" not in page


def test_an_account_is_suspended_and_activated_from_its_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("manager@northwind.example")
    buyer = sign_in("admin@acme.example")

    assert client.post(f"{PAGE}/ACME/suspend").location == f"{PAGE}/ACME"
    assert get_account(cast.supplier.account_manager, "ACME").status == "suspended"
    assert buyer.get("/company/people").status_code == 303
    assert client.post(f"{PAGE}/ACME/suspend").status_code == 409
    assert client.post(f"{PAGE}/ACME/activate").status_code == 303
    assert client.post(f"{PAGE}/HANBIT/suspend").status_code == 404
    assert sign_in("desk@northwind.example").post(f"{PAGE}/ACME/suspend").status_code == 403


@pytest.mark.usefixtures("world")
def test_the_list_is_paged_and_costs_the_same_for_many(
    sign_in: SignIn,
    count_statements: Callable[[], Any],
) -> None:
    client = sign_in("system@northwind.example")
    client.get(PAGE)
    with count_statements() as few:
        client.get(PAGE)
    rows = "".join(f"C{n:03},Customer {n},DE,EUR\n" for n in range(120))
    load("accounts", f"account_code,name,country,currency\n{rows}")

    with count_statements() as many:
        page = client.get(PAGE).text

    assert many.total == few.total
    assert len(codes(page)) == 50
    assert "122" in page
    assert codes(client.get(f"{PAGE}?page=3").text)[-1] == "HANBIT"
