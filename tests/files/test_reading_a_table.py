"""Reading what people upload: CSV in many encodings, XLSX as it was meant, and limits."""

import io
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.files.reading import UnreadableFileError, decode, read_table
from portal.files.writing import write_csv, write_xlsx

CELLS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), max_size=12
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_text_is_read_in_any_common_encoding(encoding: str) -> None:
    content = "sku,name\r\nLT-1,笔记本电脑产品目录显示器\r\nLT-2,报价单采购订单客户经理\r\n"

    table = read_table(content.encode(encoding), "list.csv")

    assert table.rows[0] == ("LT-1", "笔记本电脑产品目录显示器")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("sku,name\nA,顯示器與筆記型電腦\nB,採購單號碼\n", "big5"),
        ("sku,name\nA,노트북 컴퓨터\nB,발주 번호\n", "cp949"),
        ("sku,name\nA,显示器\n", "gb18030"),
        ("sku;name\nA;Müller Gerät für Büro\n", "cp1252"),
        ("sku;name\nA;Café crème à la carte\n", "latin-1"),
    ],
)
def test_a_short_list_in_an_older_encoding_is_read_as_it_was_meant(
    content: str, encoding: str
) -> None:
    assert decode(content.encode(encoding)) == content


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_the_one_of_the_first_row(delimiter: str) -> None:
    table = read_table(f"sku{delimiter}name\nA{delimiter}B\n".encode(), "x.csv")

    assert (table.columns, table.rows) == (("sku", "name"), (("A", "B"),))


def test_numbers_in_a_sheet_stay_what_they_were() -> None:
    data = write_xlsx(("sku", "price"), [(12345, Decimal("12.5")), ("007", 3)], sheet="Prices")

    table = read_table(data, "prices.xlsx")

    assert table.rows == (("12345", "12.5"), ("007", "3"))
    assert table.row_numbers == (2, 3)


def test_row_numbers_count_as_the_spreadsheet_does_and_skip_empty_rows() -> None:
    table = read_table(b"sku\nA\n\n  \nB\n", "x.csv")

    assert table.row_numbers == (2, 5)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty.csv"),
        (b"a,a\n1,2\n", "twice.csv"),
        (b"a\n1,2\n", "wide.csv"),
        (b'a\n"open\n', "quote.csv"),
        (b"\x00\x01\x02", "binary.csv"),
        (b"PK\x03\x04 no archive", "broken.xlsx"),
        (b"<html></html>", "page.xlsx"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(data: bytes, name: str) -> None:
    with pytest.raises(UnreadableFileError, match="can't be read"):
        read_table(data, name)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 * 1024 * 1024))

    with pytest.raises(UnreadableFileError, match="unpacks"):
        read_table(out.getvalue(), "bomb.xlsx")


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_what_was_written_as_csv_is_read_again(rows: list[list[str]]) -> None:
    text = write_csv(("one", "two"), rows)

    table = read_table(text.encode(), "x.csv")

    kept = [tuple(cell.strip() for cell in row) for row in rows]
    assert list(table.rows) == [row for row in kept if any(row)]


@given(CELLS)
def test_no_cell_for_people_starts_a_formula(cell: str) -> None:
    line = write_csv(("a",), [(cell,)], for_people=True).split("\r\n")[1]

    assert not line.lstrip('"').startswith(("=", "+", "-", "@"))


def test_a_sheet_holds_a_formula_as_text() -> None:
    data = write_xlsx(("a",), [("=1+1",), ("http://x.example",)], sheet="S")

    assert [row[0] for row in read_table(data, "x.xlsx").rows] == ["=1+1", "http://x.example"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    try:
        read_table(data, "x.csv")
        decode(data)
    except UnreadableFileError:
        pass
