"""Pages of the desk lead on: to the price lists of an account, to whoever may import."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

SignIn = Callable[..., FlaskClient]

pytestmark = pytest.mark.usefixtures("world")


def test_an_account_names_the_lists_that_reach_it(sign_in: SignIn) -> None:
    page = sign_in("manager@northwind.example").get("/desk/accounts/ACME").text

    for code in ("AG-7", "STD-EUR", "ACME-RND", "TIER-GOLD"):
        assert f'href="/desk/price-lists/{code}"' in page
    assert "/desk/price-lists/AG-21" not in page


def test_who_reads_no_price_lists_sees_none_of_them(sign_in: SignIn) -> None:
    page = sign_in("desk@northwind.example").get("/desk/accounts/ACME").text

    assert "AG-7" not in page


def test_who_imports_nothing_reads_who_does(sign_in: SignIn) -> None:
    page = sign_in("auditor@northwind.example").get("/desk/imports").text

    assert "Your role imports nothing" in page
    assert "Account manager, Pricing manager" in page
    assert 'href="/desk/imports/' not in page


def test_the_list_price_is_called_so_where_no_account_is_chosen(sign_in: SignIn) -> None:
    client = sign_in("manager@northwind.example")

    plain = client.get("/catalog/LT-0001").text
    asked = client.get("/catalog/LT-0001?account=ACME").text

    assert "Your price" not in plain
    assert "Prices of ACME" in asked
