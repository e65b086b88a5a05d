"""Search by fragments, words and two characters of Chinese and Korean; exact filter counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.browsing import ProductSort, search_products
from portal.catalog.narrowing import Filters
from portal.catalog.search import compact, document, finds, parse_query, to_fts5, to_tsquery
from portal.web.tables import Sort
from tests.catalog.shelves import Shelves, listing, skus

TEXT = st.text(alphabet="abzAZ019 -/_.'\"*&|:!()笔记本电脑노트북서버éßÅ", max_size=30)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("LT-5440", ["LT-5440"]),
        ("lt544", ["LT-5440", "LT-5441"]),
        ("440", ["LT-5440"]),
        ("14-99", ["LT-5440"]),
        ("atlas", ["LT-5440", "LT-5441"]),
        ("atl 15", ["LT-5441"]),
        ("16gb heron", ["LT-9000"]),
        ("笔记", ["LT-5440", "LT-5441", "LT-9000"]),
        ("本电", ["LT-5440", "LT-5441", "LT-9000"]),
        ("노트", ["LT-5440", "LT-5441", "LT-9000"]),
        ("서버", ["SV-0001"]),
        ("器", ["SV-0001"]),
        ("拉斯", ["LT-5440"]),
        ("拉特", []),
        ("nothing", []),
        ("--", []),
        ('" OR words : *', []),
        ("'); drop", []),
    ],
)
def test_a_query_finds_exactly_these(shop: Shelves, query: str, expected: list[str]) -> None:
    found = listing(shop.acme, ProductSort.SKU, text=query)
    assert skus(found) == expected
    assert found.page.total == len(expected)


def test_the_product_of_the_very_sku_comes_first(shop: Shelves) -> None:
    shop.load("products", "sku,name\nX-LT-5441,AAA first by name\n")
    assert skus(listing(shop.acme, text="LT-5441")) == ["LT-5441", "X-LT-5441"]


def test_names_are_sorted_in_the_readers_language(shop: Shelves) -> None:
    shop.load("products", "sku,name,name:ko\nA-1,Zzz,가\nA-2,Yyy,\n")
    order = skus(listing(shop.acme, ProductSort.NAME, locale="ko"))
    assert order.index("A-1") == len(order) - 1
    assert skus(listing(shop.acme, ProductSort.NAME, locale="en"))[-1] == "A-1"


def test_each_filter_counts_what_would_be_left(shop: Shelves) -> None:
    found = listing(shop.acme)
    assert {node.path: node.count for node in found.categories} == {
        "Hardware": 4,
        "Software": 1,
    }
    assert {value.value: value.count for value in found.manufacturers} == {
        "Heron": 2,
        "Kestrel": 2,
        "Quill": 1,
    }
    assert {value.value: value.count for value in found.attributes["Memory"]} == {
        "16 GB": 2,
        "32 GB": 1,
        "64 GB": 1,
    }


def test_a_facet_counts_without_its_own_filter_and_with_all_others(shop: Shelves) -> None:
    found = listing(
        shop.acme,
        category_path="Hardware",
        manufacturers=("Kestrel",),
        attributes={"Colour": ("Silver",)},
    )
    assert skus(found) == ["LT-5441"]
    assert {value.value: value.count for value in found.manufacturers} == {"Heron": 1, "Kestrel": 1}
    assert {value.value: value.count for value in found.attributes["Colour"]} == {
        "Black": 1,
        "Silver": 1,
    }
    assert {value.value: value.count for value in found.attributes["Memory"]} == {"32 GB": 1}
    assert {node.path: node.count for node in found.categories} == {
        "Hardware": 1,
        "Hardware/Laptops": 1,
    }


def test_values_of_one_name_are_alternatives(shop: Shelves) -> None:
    found = listing(shop.acme, ProductSort.SKU, attributes={"Memory": ("32 GB", "64 GB")})
    assert skus(found) == ["LT-5441", "SV-0001"]


def test_an_unknown_category_holds_nothing(shop: Shelves) -> None:
    assert listing(shop.acme, category_path="Hardware/Lap").page.total == 0


@pytest.mark.parametrize("category", ["hardware", "Hardware/L", "Hard%", "", "Hardware_Laptops"])
def test_a_category_is_found_by_its_very_path_alone(shop: Shelves, category: str) -> None:
    everything = 0 if category else 2
    assert listing(shop.acme, text="atlas", category_path=category).page.total == everything
    kestrel = listing(shop.acme, manufacturers=("Kestrel",), category_path=category)
    assert kestrel.page.total == everything


def test_what_is_typed_is_found_and_counted_with_all_other_filters(shop: Shelves) -> None:
    shop.load("part-numbers", "account_code,sku,buyer_sku,name\nACME,SW-0001,A-1,my 16gb disk\n")
    found = listing(shop.acme, ProductSort.SKU, text="16gb")
    assert skus(found) == ["LT-5440", "LT-9000", "SW-0001"]
    assert {node.path: node.count for node in found.categories} == {"Hardware": 2, "Software": 1}

    narrow = listing(
        shop.acme,
        text="16gb",
        category_path="Hardware",
        manufacturers=("Heron",),
        attributes={"Colour": ("Silver",)},
    )
    assert skus(narrow) == ["LT-9000"]
    assert narrow.page.total == 1
    assert {value.value: value.count for value in narrow.manufacturers} == {"Heron": 1}
    assert {value.value: value.count for value in narrow.attributes["Colour"]} == {"Silver": 1}
    assert {node.path: (node.count, node.is_chosen) for node in narrow.categories} == {
        "Hardware": (1, True),
        "Hardware/Laptops": (1, False),
    }


def test_attributes_are_counted_once_few_enough_are_left(
    shop: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.catalog.counting.MOST_COUNTED", 2)

    assert listing(shop.acme, text="lt").attributes == {}
    assert listing(shop.acme, text="lt").manufacturers
    assert listing(shop.acme, text="lt", category_path="Hardware").attributes
    assert listing(shop.acme, text="lt", attributes={"Memory": ("16 GB",)}).attributes
    assert listing(shop.acme, text="lt", manufacturers=("Kestrel",)).attributes
    assert listing(shop.acme, text="atlas").attributes


def test_a_search_that_cannot_be_ordered_by_price_shows_the_best_match_first(
    shop: Shelves,
) -> None:
    found = listing(shop.acme, ProductSort.PRICE, text="lt-5441")
    assert found.sort.key is ProductSort.BEST
    assert skus(found) == ["LT-5441"]


@pytest.mark.parametrize("key", [ProductSort.BEST, ProductSort.NAME, ProductSort.SKU])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("text", ["", "lt", "h"])
def test_pages_of_any_order_follow_on_each_other(
    shop: Shelves, key: ProductSort, *, descending: bool, text: str
) -> None:
    def page(number: int, size: int) -> list[str]:
        return skus(
            search_products(
                shop.acme,
                Filters(text=text),
                sort=Sort(key, descending),
                locale="en",
                number=number,
                size=size,
            )
        )

    everything = page(1, 10)
    assert len(everything) > 1
    assert [page(number, 1) for number in range(1, len(everything) + 2)] == [
        *([sku] for sku in everything),
        [],
    ]
    assert sorted(everything, reverse=descending) == everything or key is not ProductSort.SKU


def test_the_index_follows_a_change_of_name_and_of_category(shop: Shelves) -> None:
    shop.load("products", "sku,name\nLT-5440,Zephyr\n")
    assert skus(listing(shop.acme, text="zephyr")) == ["LT-5440"]
    assert skus(listing(shop.acme, text="atlas")) == ["LT-5441"]
    shop.load("categories", "category_path,name\nHardware/Servers,Machines\n")
    assert skus(listing(shop.acme, text="machines")) == ["SV-0001"]


def test_a_refused_file_leaves_the_index_alone(shop: Shelves) -> None:
    shop.load("products", "sku,name\nLT-5440,Zephyr\n", dry_run=True)
    shop.load("products", "sku,name,category_path\nLT-5440,Zephyr,Nowhere\n")
    assert skus(listing(shop.acme, text="zephyr")) == []


@given(code=st.text(alphabet="ABZ019-./", min_size=1, max_size=20), data=st.data())
def test_every_fragment_of_a_code_finds_it(code: str, data: st.DataObject) -> None:
    plain = compact(code)
    if plain:
        start = data.draw(st.integers(0, len(plain) - 1))
        end = data.draw(st.integers(start + 1, len(plain)))
        assert finds(parse_query(plain[start:end]), document([], [code]))


@given(name=TEXT)
def test_a_name_is_found_by_itself(name: str) -> None:
    query = parse_query(name)
    assert finds(query, document([name], []))


@given(text=TEXT)
def test_what_is_typed_cannot_leave_its_quotes(text: str) -> None:
    query = parse_query(text)
    for term in query:
        for way in term:
            assert all(token.text.isalnum() for token in way)
    assert to_fts5(query).count('"') % 2 == 0
    assert to_tsquery(query).count("'") % 2 == 0
