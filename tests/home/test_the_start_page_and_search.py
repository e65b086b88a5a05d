# ruff: noqa: RUF001 - a full-width letter is what is tested
"""The start page shows what waits; one box finds quotes and orders, never those of others."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.models import Account
from portal.db import db
from portal.home.navigation import NAVIGATION
from portal.orders.models import Order
from portal.quotes.models import Quote

SignIn = Callable[..., FlaskClient]
Count = Callable[[], object]


def number_of(code: str) -> str:
    """A quote's number of one account of the demo."""
    statement = select(Quote.number).join(Account, Account.id == Quote.account_id)
    numbers = db.session.scalars(statement.where(Account.code == code).order_by(Quote.id)).all()
    return numbers[0]


def test_every_place_of_the_menu_exists(app: Flask) -> None:
    missing = [item.endpoint for item in NAVIGATION if item.endpoint not in app.view_functions]

    assert missing == []


@pytest.mark.parametrize(
    ("email", "sees", "lacks"),
    [
        ("buyer@acme.example", ["Catalogue", "Quick order", "Quotes", "Orders"], ["Accounts"]),
        ("admin@acme.example", ["Company", "Approval policy"], ["Quick order", "Price lists"]),
    ],
)
@pytest.mark.usefixtures("demo")
def test_the_menu_shows_what_the_role_allows(
    sign_in: SignIn, email: str, sees: list[str], lacks: list[str]
) -> None:
    page = sign_in(email).get("/").text
    start = page.index('class="nav-wide"')
    menu = page[start : page.index("</nav>", start)]

    assert [name for name in sees if f">{name}" not in menu] == []
    assert [name for name in lacks if f">{name}<" in menu] == []


@pytest.mark.usefixtures("demo")
def test_the_membership_is_always_shown(sign_in: SignIn) -> None:
    page = sign_in("buyer@acme.example", membership="ACME - IT").get("/").text

    assert "ACME - IT" in page
    assert 'href="/memberships"' in page


@pytest.mark.usefixtures("demo")
def test_the_user_menu_leads_to_name_language_and_password(sign_in: SignIn) -> None:
    client = sign_in("viewer@acme.example")
    page = client.get("/").text
    start = page.index("user-menu")

    assert 'href="/me"' in page[start : page.index("</details>", start)]
    assert "New password" in client.get("/me").text


@pytest.mark.usefixtures("demo")
def test_two_places_do_not_share_the_name_help(sign_in: SignIn) -> None:
    client = sign_in("buyer@acme.example", membership="ACME - IT")
    titles = [
        page[page.index("<title>") : page.index("</title>")]
        for page in (client.get("/help").text, client.get("/service/articles").text)
    ]

    assert titles[0] != titles[1]


@pytest.mark.usefixtures("demo")
def test_an_exact_number_leads_straight_to_the_quote(sign_in: SignIn) -> None:
    number = number_of("ACME")
    client = sign_in("admin@acme.example")

    assert client.get("/search", query_string={"q": f" {number.lower()} "}).location == (
        f"/quotes/{number}"
    )
    short = f"q{int(number[2:])}"
    assert client.get("/search", query_string={"q": short}).location == f"/quotes/{number}"


@pytest.mark.usefixtures("demo")
def test_the_purchase_order_number_leads_to_its_order(sign_in: SignIn) -> None:
    order = db.session.scalars(
        select(Order)
        .join(Account, Account.id == Order.account_id)
        .where(Account.code == "ACME", Order.purchase_order_number != "")
    ).first()
    assert order is not None

    answer = sign_in("admin@acme.example").get(
        "/search", query_string={"q": order.purchase_order_number}
    )

    assert answer.location == f"/orders/{order.number}"


@pytest.mark.usefixtures("demo")
def test_another_account_s_number_is_not_found(sign_in: SignIn) -> None:
    number = number_of("HANBIT")

    answer = sign_in("admin@acme.example").get("/search", query_string={"q": number})

    assert answer.status_code == 200
    assert f"Nothing found for “{number}”" in answer.text


@pytest.mark.parametrize("text", ["%", "_", "' or 1=1 --", "\x00", "ｑ" * 500])
@pytest.mark.usefixtures("demo")
def test_any_text_can_be_searched(sign_in: SignIn, text: str) -> None:
    answer = sign_in("admin@acme.example").get("/search", query_string={"q": text})

    assert answer.status_code == 200


def test_a_stranger_is_asked_to_sign_in(client: FlaskClient) -> None:
    for path in ("/", "/search?q=x", "/help"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.location.startswith("/sign-in?next=")
