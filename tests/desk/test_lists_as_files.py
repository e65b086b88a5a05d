"""What the desk's lists show can be exported, exactly as filtered, within reach."""

import csv
import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

SignIn = Callable[..., FlaskClient]

pytestmark = pytest.mark.usefixtures("world")


def rows(client: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_accounts_are_exported_as_filtered_and_within_reach(sign_in: SignIn) -> None:
    every = rows(sign_in("auditor@northwind.example"), "/desk/accounts?format=csv")
    found = rows(sign_in("auditor@northwind.example"), "/desk/accounts?q=hanbit&format=csv")
    reached = rows(sign_in("manager@northwind.example"), "/desk/accounts?format=csv")

    assert [row["account_code"] for row in every] == ["ACME", "HANBIT"]
    assert [row["account_code"] for row in found] == ["HANBIT"]
    assert [row["account_code"] for row in reached] == ["ACME"]
    assert every[0]["credit_limit_currency"] == "EUR"


def test_products_are_exported_beyond_one_page(sign_in: SignIn) -> None:
    client = sign_in("pricing@northwind.example")

    every = rows(client, "/desk/catalog?format=csv")
    found = rows(client, "/desk/catalog?q=LT-0001&format=csv")

    assert f"of {len(every)}" in client.get("/desk/catalog").text
    assert len(every) > 50
    assert [row["sku"] for row in found] == ["LT-0001"]


def test_people_are_exported_as_filtered_and_within_reach(sign_in: SignIn) -> None:
    own = rows(sign_in("admin@acme.example"), "/company/people?format=csv")
    buyers = rows(sign_in("admin@acme.example"), "/company/people?role=buyer&unit=IT&format=csv")

    assert {row["account"] for row in own} == {"ACME"}
    assert f"of {len(own)}" in sign_in("admin@acme.example").get("/company/people").text
    assert [(row["email"], row["roles"]) for row in buyers] == [("buyer@acme.example", "Buyer")]


@pytest.mark.parametrize(
    "address", ["/desk/accounts", "/desk/catalog", "/company/people", "/desk/events"]
)
def test_a_workbook_is_to_be_had_as_well(sign_in: SignIn, address: str) -> None:
    client = sign_in("system@northwind.example")

    page, answer = client.get(address), client.get(f"{address}?format=xlsx")

    assert "format=xlsx" in page.text
    assert answer.data.startswith(b"PK")
