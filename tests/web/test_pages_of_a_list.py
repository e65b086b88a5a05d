# ruff: noqa: RUF001 - a full-width digit is what is tested
"""Pages of a list say exactly where they stand, and nonsense in the address does no harm."""

from enum import StrEnum

import pytest
from flask import Flask

from portal.web.addresses import url_with, url_without
from portal.web.paging import LAST_NUMBER, Page, page_number, page_size
from portal.web.tables import Column, cells_of, header_of, sort_of

BARE = Flask(__name__)


class Order(StrEnum):
    NAME = "name"
    TOTAL = "total"


def test_the_last_page_counts_what_it_shows() -> None:
    page = Page(items=["a", "b", "c"], total=103, number=3, size=50)

    assert (page.first, page.last, page.pages) == (101, 103, 3)


def test_an_empty_list_has_one_page_and_no_rows() -> None:
    page: Page[str] = Page(items=[], total=0)

    assert (page.first, page.last, page.pages, page.window) == (0, 0, 1, [1])


@pytest.mark.parametrize(
    ("number", "window"),
    [
        (1, [1, 2, 3, None, 26]),
        (5, [1, None, 3, 4, 5, 6, 7, None, 26]),
        (26, [1, None, 24, 25, 26]),
    ],
)
def test_far_pages_are_a_gap(number: int, window: list[int | None]) -> None:
    assert Page(items=["x"], total=1284, number=number, size=50).window == window


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("3", 3),
        ("0", 1),
        ("-1", 1),
        ("x", 1),
        ("", 1),
        ("9" * 30, 1),
        ("1000000", LAST_NUMBER),
        ("３", 1),
    ],
)
def test_a_page_number_is_always_one(asked: str, got: int) -> None:
    with BARE.test_request_context(query_string={"page": asked}):
        assert page_number() == got


@pytest.mark.parametrize(("asked", "got"), [("100", 100), ("7", 50), ("250", 250), ("1e9", 50)])
def test_a_page_size_is_one_of_three(asked: str, got: int) -> None:
    with BARE.test_request_context(query_string={"size": asked}):
        assert page_size() == got


@pytest.mark.parametrize(
    ("asked", "key", "descending"),
    [
        ("total", "total", False),
        ("-total", "total", True),
        ("password", "name", True),
        ("", "name", True),
    ],
)
def test_only_names_of_the_enum_sort(asked: str, key: str, *, descending: bool) -> None:
    with BARE.test_request_context(query_string={"sort": asked}):
        sort = sort_of(Order, Order.NAME, descending=True)

    assert (sort.key, sort.descending) == (key, descending)


def test_a_header_turns_the_order_round_and_keeps_the_filters() -> None:
    with BARE.test_request_context("/quotes?status=draft&sort=total&page=4"):
        sort = sort_of(Order, Order.NAME)

        assert sort.url("total") == "/quotes?status=draft&sort=-total"
        assert sort.url("name") == "/quotes?status=draft&sort=name"


def test_an_address_changes_one_argument_and_keeps_repeated_ones() -> None:
    with BARE.test_request_context("/catalog?brand=a%26b&brand=c&page=2"):
        assert url_with(page=3) == "/catalog?brand=a%26b&brand=c&page=3"
        assert url_without("brand", "a&b") == "/catalog?brand=c"


def test_a_file_has_the_columns_of_the_page_and_exact_values() -> None:
    columns: list[Column[tuple[str, str]]] = [
        Column(key="number", label="Number", value=lambda row: row[0]),
        Column(
            key="total",
            label="Total",
            value=lambda row: row[1],
            kind="money",
            currency=lambda _: "EUR",
        ),
    ]

    assert header_of(columns) == ["number", "total", "total_currency"]
    assert list(cells_of(columns, [("Q-1", "5")])) == [["Q-1", "5", "EUR"]]
