"""Assortments: allow, deny, descendants, several sets, nobody else's."""

from dataclasses import replace

import pytest

from portal.catalog.queries import (
    ProductNotFoundError,
    find_products_by_sku,
    get_product,
    suggest_similar,
)
from tests.catalog.shelves import Shelves, listing, seen, skus

HEADER = "assortment_code,account_code,name,rule,category_path,sku\n"
ACTIVE = ["LT-5440", "LT-5441", "LT-9000", "SV-0001", "SW-0001"]


def test_a_group_without_assortments_sees_every_active_product(shop: Shelves) -> None:
    assert seen(shop.show()) == ACTIVE
    assert seen(shop.acme) == ACTIVE


def test_a_category_covers_what_lies_below_it(shop: Shelves) -> None:
    assert shop.load("assortments", HEADER + "A,ACME,A,allow,Hardware,\n").new == 1
    assert seen(shop.show("A")) == ["LT-5440", "LT-5441", "LT-9000", "SV-0001"]


def test_what_is_denied_is_not_seen_though_it_is_allowed(shop: Shelves) -> None:
    shop.load(
        "assortments",
        HEADER
        + "A,ACME,A,allow,Hardware,\nA,ACME,A,allow,,SV-0001\n"
        + "A,ACME,A,deny,Hardware/Servers,\nA,ACME,A,deny,,LT-5441\n",
    )
    assert seen(shop.show("A")) == ["LT-5440", "LT-9000"]


def test_several_assortments_are_seen_together(shop: Shelves) -> None:
    shop.load(
        "assortments",
        HEADER
        + "A,ACME,A,allow,Hardware/Laptops,\nA,ACME,A,deny,,LT-5441\n"
        + "B,ACME,B,allow,Software,\nB,ACME,B,allow,,LT-5441\n",
    )
    assert seen(shop.show("A")) == ["LT-5440", "LT-9000"]
    assert seen(shop.show("A", "B")) == ["LT-5440", "LT-5441", "LT-9000", "SW-0001"]


def test_an_assortment_that_only_denies_shows_nothing(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,deny,Hardware,\n")
    assert seen(shop.show("A")) == []


def test_what_is_not_seen_is_not_found_in_any_way(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,allow,Software,\n")
    actor = shop.show("A")

    with pytest.raises(ProductNotFoundError, match="no product LT-5440"):
        get_product(actor, "LT-5440")
    assert find_products_by_sku(actor, ["LT-5440", "SW-0001"]).keys() == {"SW-0001"}
    assert suggest_similar(actor, "LT-544") == []
    found = listing(actor, text="LT")
    assert skus(found) == []
    assert [node.path for node in listing(actor).categories] == ["Software"]
    assert [value.value for value in listing(actor).manufacturers] == ["Quill"]


def test_a_shared_assortment_is_used_by_every_account(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "ALL,,Everywhere,allow,Software,\n")
    assert seen(shop.show("ALL")) == ["SW-0001"]


def test_another_accounts_assortment_cannot_be_shown(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,OTHER,A,allow,Software,\n")
    report = shop.load(
        "access-groups", "account_code,access_group_code,name,assortments\nACME,G,G,A\n"
    )
    assert [(item.row, item.column) for item in report.refused] == [(2, "assortments")]


def test_supplier_staff_see_everything_and_no_permission_means_nothing(shop: Shelves) -> None:
    assert seen(shop.operator) == ACTIVE
    assert seen(replace(shop.acme, grants={})) == []


def test_an_ended_product_is_found_by_its_sku_and_not_in_the_list(shop: Shelves) -> None:
    found = find_products_by_sku(shop.acme, ["sw-0000"])
    assert found["sw-0000"].is_active is False
    assert "SW-0000" not in skus(listing(shop.acme, text="writer"))


def test_own_part_numbers_find_products_and_stay_with_their_account(shop: Shelves) -> None:
    shop.load(
        "part-numbers",
        "account_code,sku,buyer_sku,name\nACME,LT-5440,A-77,Desk machine\n"
        "OTHER,LT-5441,A-78,Secret\n",
    )
    found = find_products_by_sku(shop.acme, ["a-77", "A-78", "LT-9000"])
    assert {asked: product.sku for asked, product in found.items()} == {
        "a-77": "LT-5440",
        "LT-9000": "LT-9000",
    }
    assert skus(listing(shop.acme, text="A-77")) == ["LT-5440"]
    assert skus(listing(shop.acme, text="desk mach")) == ["LT-5440"]
    assert skus(listing(shop.acme, text="A-78")) == []
    assert skus(listing(shop.acme, text="secret")) == []
    assert [item.own_number for item in listing(shop.acme, text="LT-544").page.items] == [
        "A-77",
        None,
    ]


def test_a_mistyped_sku_suggests_the_nearest_ones(shop: Shelves) -> None:
    assert suggest_similar(shop.acme, "LT-544") == ["LT-5441", "LT-5440"]
    assert suggest_similar(shop.acme, "") == []
