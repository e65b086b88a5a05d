# ruff: noqa: RUF001 - letters that look like others are what is tested
"""Every parser of what people send: it answers, or refuses in the portal's own words.

Nothing else comes out: no other exception, no text that a database or a page could not hold.
"""

import csv
import io
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.approvals.policy_file import PolicyFileError, load_policy, policy_json, read_policy
from portal.catalog.search import finds, parse_query, to_fts5, to_tsquery
from portal.errors import DomainError
from portal.files import parsing
from portal.files.reading import UnreadableFileError, read_cells, read_table
from portal.files.writing import write_csv
from portal.quotes.entry import parse_cells, parse_text
from portal.quotes.quick import read_entry
from portal.web.numbers import NotANumberError, parse_number
from tests.hostile import books, corpus
from tests.hostile.judging import can_be_kept, few, is_whole, says_why

pytestmark = pytest.mark.any_database
UTC_ZONE = ZoneInfo("UTC")
ANY_TEXT = st.one_of(st.sampled_from(corpus.ANYTHING), st.text(max_size=80))
PLAIN = books.plain()


def _read(data: bytes, name: str) -> None:
    try:
        rows = read_cells(data, name)
        read_table(data, name)
    except UnreadableFileError:
        return
    assert all(can_be_kept(cell) for _number, cells in rows for cell in cells)
    parse_cells(rows)


# --- files ---------------------------------------------------------------------------------------


@few
@given(st.integers(0, len(PLAIN)))
def test_a_sheet_that_ends_too_early_is_refused(length: int) -> None:
    _read(PLAIN[:length], "list.xlsx")


@settings(few, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(1, 255)), min_size=1, max_size=6)
)
def test_a_sheet_with_flipped_bits_is_read_or_refused(flips: list[tuple[int, int]]) -> None:
    data = bytearray(PLAIN)
    for place, bits in flips:
        data[place] ^= bits

    _read(bytes(data), "list.xlsx")


@few
@given(
    st.integers(0, 5000),
    st.sampled_from(["<", "&", '"', "r=", "\x00", "]]>", "<c r='XFD1048576'>"]),
)
def test_a_sheet_with_broken_text_inside_is_read_or_refused(place: int, put: str) -> None:
    text = (
        f"<worksheet><sheetData>{books.cell('A1')}{books.cell('B2', row=2)}</sheetData></worksheet>"
    )
    at = place % len(text)

    _read(books.rebuilt({books.SHEET: (text[:at] + put + text[at:]).encode()}), "list.xlsx")


@contextmanager
def little_memory(mebibytes: int) -> Iterator[None]:
    """Let this process take so much more than it has, so that greed is seen at once."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + mebibytes * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("book", books.FAR_APART.values(), ids=books.FAR_APART)
def test_a_small_file_with_cells_far_apart_takes_no_memory(book: bytes) -> None:
    assert len(book) < 20_000

    with little_memory(64), pytest.raises(UnreadableFileError, match="too many rows or columns"):
        read_cells(book, "list.xlsx")


def test_a_part_that_says_it_is_small_and_is_not_is_never_unpacked() -> None:
    book = books.lying()
    assert len(book) < 2_000_000

    with little_memory(64):
        _read(book, "list.xlsx")


@pytest.mark.parametrize("book", books.ODD.values(), ids=books.ODD)
def test_a_strange_book_is_read_or_refused(book: bytes) -> None:
    _read(book, "list.xlsx")


def test_no_book_shows_a_file_of_this_machine() -> None:
    with pytest.raises(UnreadableFileError):
        read_cells(books.ODD["a file of this machine"], "list.xlsx")


def test_a_sheet_full_of_cells_is_read_however_long() -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="J{n}"><v>1</v></c></row>'
        for n in range(1, 2001)
    )

    assert len(read_cells(books.sheet(rows), "list.xlsx")) == 2000


@pytest.mark.parametrize("name", corpus.CHARACTER_SETS)
@pytest.mark.parametrize(
    "text", ["sku,name\nLT-1,Müller\n", "sku,name\nA,显示器 顯示器\n", "sku,name\nA,컴퓨터\n"]
)
def test_a_file_in_any_character_set_is_read_or_refused(name: str, text: str) -> None:
    _read(text.encode(name, errors="replace"), "list.csv")


@pytest.mark.parametrize(
    "data",
    [
        "sku\x00,q\nA\x00,1\n".encode("utf-16"),
        b"\xff\xfe\x00\xd8\x00\x00",
        b"sku\n" + b'"' + b"x" * 200_000 + b'"',
        b"sku\n\xed\xa0\x80\n",
        b"," * 100_000,
        b"\r" * 1000,
        b'sku\n"a""\n',
    ],
)
def test_a_strange_list_is_read_or_refused(data: bytes) -> None:
    _read(data, "list.csv")


@few
@given(st.lists(st.lists(ANY_TEXT, min_size=1, max_size=4), max_size=4))
def test_no_list_of_cells_breaks_the_reader(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)

    _read(out.getvalue().encode("utf-8", errors="surrogatepass"), "list.csv")


@pytest.mark.parametrize("formula", corpus.FORMULAS)
def test_no_formula_comes_out_of_a_list_for_people(formula: str) -> None:
    written = write_csv(("a", "b"), [("x", formula)], for_people=True)

    cell = list(csv.reader(io.StringIO(written, newline="")))[1][1]
    assert cell[:1] not in set("=+-@\t\r\n＝＋－＠")


# --- cells, numbers, days ------------------------------------------------------------------------

CELLS: dict[str, Callable[[str, ZoneInfo], Any]] = {
    "text": parsing.text(),
    "code": parsing.code(),
    "decimal": parsing.decimal(4),
    "integer": parsing.integer(),
    "choice": parsing.choice(["a", "b"]),
    "boolean": parsing.boolean,
    "codes": parsing.codes,
    "instant": parsing.instant,
    "ending": parsing.ending_instant,
    "day": parsing.day,
}


@pytest.mark.parametrize("parse", CELLS.values(), ids=CELLS)
def test_a_cell_is_understood_or_refused_whatever_it_holds(
    parse: Callable[[str, ZoneInfo], Any],
) -> None:
    for raw in corpus.ANYTHING:
        for zone in (UTC_ZONE, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Anchorage")):
            try:
                value = parse(raw, zone)
            except DomainError as error:
                says_why(error)
                continue
            _can_be_stored(value)


def _can_be_stored(value: object) -> None:
    match value:
        case datetime():
            assert value.astimezone(UTC).year >= 1
        case Decimal():
            assert value.is_finite()
            assert abs(value) <= Decimal(10) ** 13
        case date() | bool() | int() | str() | tuple():
            pass
        case _:
            raise AssertionError(value)


@pytest.mark.parametrize("typed", corpus.ANYTHING)
def test_a_number_is_finite_and_short_or_none_at_all(typed: str) -> None:
    try:
        value = parse_number(typed)
    except NotANumberError:
        return
    assert value.is_finite()
    assert len(f"{value:f}") < 100


# --- what is pasted and searched -----------------------------------------------------------------


@few
@given(st.lists(ANY_TEXT, max_size=6))
def test_pasted_lines_are_read_whatever_they_hold(lines: list[str]) -> None:
    for row in parse_text("\n".join(lines)).rows:
        assert row.error or (row.quantity is not None and 0 < row.quantity < 10**13)


@few
@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(["text", "checked", "use"]),
            st.builds(
                "{}-{}".format,
                st.sampled_from(["sku", "quantity", "uom", "drop"]),
                st.sampled_from(["1", "01", "１", "²", "-1", "9" * 30, ""]),
            ),
        ),
        ANY_TEXT,
        max_size=8,
    )
)
@example({"sku-01": "A", "text": ""})
@example({"sku-１": "A", "quantity-１": "1"})
def test_rows_of_quick_entry_are_read_whatever_they_are_called(fields: dict[str, str]) -> None:
    try:
        read_entry(fields, None)
    except DomainError as error:
        says_why(error)


@few
@given(ANY_TEXT)
def test_a_search_never_writes_an_operator_of_the_database(text: str) -> None:
    query = parse_query(text)

    fts, ts = to_fts5(query), to_tsquery(query)
    finds(query, frozenset({"lt5440"}))

    bare = fts.replace(" AND ", "").replace(" OR ", "").split('"')
    assert set("".join(bare[::2])) <= set("()*")
    assert "'" not in "".join(ts.split("'")[1::2])
    assert "\x00" not in fts + ts


# --- the policy file -----------------------------------------------------------------------------

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        ANY_TEXT,
        st.sampled_from(["\ud800", "a\x00b"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    [
                        *("account_code", "unit_code", "rules", "number", "name", "when", "steps"),
                        *("level", "approvers", "quorum", "persons", "role", "manager", "amount"),
                        *("total_over", "requester_total_over", "days", "ship_to_countries"),
                        *("category_under", "cost_centres", "requester_roles", "total_basis"),
                    ]
                ),
                st.text(max_size=5),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(few, max_examples=150)
@given(JSON)
def test_a_policy_is_read_or_every_mistake_is_named(document: object) -> None:
    _load(json.dumps(document))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"rules": [{"number": 1e999999}]}',
        '{"rules": [{"number": 1, "when": {"total_over": 1e999999}}]}',
        '{"rules": [{"number": 1, "when": {"total_over": 1e-999999}}]}',
        '{"rules": [{"number": 1, "when": {"total_over": "1e9999999999"}}]}',
        '{"rules": [{"number": 1, "when": {"total_over": "sNaN"}}]}',
        '{"rules": [{"number": 1, "when": {"total_over": NaN}}]}',
        '{"rules": ' + "9" * 5000 + "}",
        '{"account_code": "\\ud800", "rules": []}',
        '{"account_code": "A\\u0000", "rules": []}',
        '{"account_code": "ACME", "rules": [], "total_basis": []}',
        '{"account_code": "ACME", "rules": [], "total_basis": {}}',
        "\ufeff{}",
        "",
        "null",
    ],
    ids=lambda text: text[:50],
)
def test_a_hostile_policy_is_refused_with_words(text: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        load_policy(text)

    assert is_whole(str(refused.value))


def test_a_key_that_can_not_be_shown_is_named_as_it_is_written() -> None:
    with pytest.raises(PolicyFileError, match=r"\\u0000x: There is no such key") as refused:
        load_policy('{"\\u0000x": null}')

    assert can_be_kept(str(refused.value))


def _load(text: str | bytes) -> None:
    try:
        policy_read = load_policy(text)
    except PolicyFileError as error:
        says_why(error)
        return
    written = json.dumps(policy_json(policy_read), ensure_ascii=False)
    assert can_be_kept(written)
    assert read_policy(json.loads(written)) == policy_read


@few
@given(st.binary(max_size=60))
def test_bytes_are_no_policy(data: bytes) -> None:
    _load(data)
