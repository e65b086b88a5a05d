"""The files of the demo are complete and fit each other, before any import sees them."""

import re
from collections import Counter
from decimal import Decimal
from importlib.resources import files

import pytest

from portal.approvals.policy_file import load_policy
from portal.demo.loading import DATA, keep_few, read_data
from portal.policy import CUSTOMER_ROLES, Role

LANGUAGES = ("zh-Hans", "zh-Hant", "ko")
SHIPPED_AT_MOST = 700_000


def rows_of(kind: str) -> list[dict[str, str]]:
    table = read_data(kind)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_there_are_more_than_six_hundred_products_each_with_its_own_sku_and_name() -> None:
    products = rows_of("products")

    assert len(products) >= 600
    assert len({row["sku"] for row in products}) == len(products)
    assert len({row["name"] for row in products}) == len(products)
    assert all(re.fullmatch(r"[A-Z]{2}-\d{4}", row["sku"]) for row in products)


def test_every_product_lies_in_a_category_of_the_tree() -> None:
    paths = {row["category_path"] for row in rows_of("categories")}

    assert {row["category_path"] for row in rows_of("products")} <= paths
    assert {path.rpartition("/")[0] for path in paths} <= paths | {""}


@pytest.mark.parametrize("kind", ["products", "categories"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_has_a_name_in_every_language(kind: str, language: str) -> None:
    assert [row for row in rows_of(kind) if not row[f"name:{language}"]] == []


@pytest.mark.parametrize(
    ("language", "word"), [("zh-Hans", "主板"), ("zh-Hant", "滑鼠"), ("ko", "쿨러")]
)
def test_two_character_words_name_products(language: str, word: str) -> None:
    assert sum(word in row[f"name:{language}"] for row in rows_of("products")) >= 20


def test_what_has_ended_names_a_successor_that_is_active() -> None:
    products = {row["sku"]: row for row in rows_of("products")}
    ended = [row for row in products.values() if row["status"] == "eol"]

    assert len(ended) >= 10
    assert {products[row["successor_sku"]]["status"] for row in ended} == {"active"}


def test_every_product_has_a_list_price_in_both_currencies() -> None:
    products = {row["sku"]: row["uom"] for row in rows_of("products")}
    priced = {(row["list_code"], row["sku"], row["uom"]) for row in rows_of("price-entries")}

    for code in ("STD-EUR", "STD-KRW"):
        assert {sku for sku, uom in products.items() if (code, sku, uom) not in priced} == set()


def test_no_negotiated_price_is_at_or_below_zero() -> None:
    prices = [Decimal(row["price"]) for row in rows_of("price-entries") if row["price"]]

    assert min(prices) > 0


def test_every_price_entry_names_a_list_and_every_list_but_the_standard_one_is_assigned() -> None:
    kinds = {row["list_code"]: row["kind"] for row in rows_of("price-lists")}
    assigned = {row["list_code"] for row in rows_of("price-assignments")}

    assert {row["list_code"] for row in rows_of("price-entries")} == set(kinds)
    assert assigned == {code for code, kind in kinds.items() if kind != "standard"}


def test_the_customers_people_cover_every_customer_role() -> None:
    held = Counter(
        (row["account_code"], Role(role))
        for row in rows_of("people")
        for role in row["roles"].split(";")
    )

    for account in ("ACME", "HANBIT"):
        assert {role for code, role in held if code == account} == CUSTOMER_ROLES
    assert {role for code, role in held if code == "SUPPLIER"} >= set(Role) - CUSTOMER_ROLES


def test_one_buyer_belongs_to_two_units() -> None:
    units = [row["unit_code"] for row in rows_of("people") if row["email"] == "buyer@acme.example"]

    assert units == ["IT", "RND"]


def test_every_manager_and_owner_is_a_person_of_the_same_account() -> None:
    people = {(row["account_code"], row["email"]) for row in rows_of("people")}
    named = {(row["account_code"], row["manager_email"]) for row in rows_of("people")}
    named |= {(row["account_code"], row["owner_email"]) for row in rows_of("cost-centres")}

    assert {(code, email) for code, email in named if email} <= people


@pytest.mark.parametrize("account", ["acme", "hanbit"])
def test_each_policy_has_at_least_four_rules(account: str) -> None:
    policy = load_policy((DATA / f"policy-{account}.json").read_bytes())

    assert len(policy.rules) >= 4
    assert len({step.level for rule in policy.rules for step in rule.steps}) == 2


def test_the_small_world_keeps_the_first_products_of_each_family_and_their_prices() -> None:
    kept = keep_few(read_data("products"))
    families = Counter(row[0][:2] for row in kept.rows)

    assert set(families.values()) == {5}
    assert len(families) == 25
    assert "SD-0002" in {row[1] for row in keep_few(read_data("price-entries")).rows}


def test_all_of_it_is_small_enough_to_ship() -> None:
    sizes = [
        len(item.read_bytes())
        for item in (files("portal.demo") / "data").iterdir()
        if item.is_file()
    ]

    assert sum(sizes) < SHIPPED_AT_MOST
