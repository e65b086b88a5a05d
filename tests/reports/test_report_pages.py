"""Reports as people see them: within their rights, with the address as the whole state."""

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from html import unescape

import pytest
from python_calamine import CalamineWorkbook

from portal.demo.cast import Cast
from portal.reports.running import REPORTS, run_report
from tests.stage import Counted, PortalClient

SignIn = Callable[..., PortalClient]
BUYER, ADMIN, SHOPPER = "buyer@acme.example", "admin@acme.example", "shopper@acme.example"
MANAGER, AUDITOR = "manager@northwind.example", "auditor@northwind.example"
PRICING, SERVICE = "pricing@northwind.example", "service@northwind.example"
pytestmark = pytest.mark.usefixtures("demo")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def charts_of(page: str) -> list[dict[str, object]]:
    return [json.loads(unescape(found)) for found in re.findall(r'data-chart="([^"]*)"', page)]


@pytest.mark.parametrize("email", [ADMIN, AUDITOR])
def test_every_report_opens_for_whoever_may_read_it(email: str, sign_in: SignIn) -> None:
    client = sign_in(email)
    opened = 0
    for report in REPORTS.values():
        if report.is_supplier_only and email == ADMIN:
            continue
        page = client.get(f"/reports/{report.name}?period=all")
        rows = client.get(f"/reports/{report.name}/rows?period=all")

        assert (page.status_code, rows.status_code) == (200, 200), report.name
        assert "Export CSV" in page.text
        assert "Export XLSX" in page.text
        opened += 1
    assert opened == (13 if email == AUDITOR else 8)


def test_a_report_of_the_supplier_is_none_of_a_customers(sign_in: SignIn) -> None:
    client = sign_in(ADMIN)

    assert client.get("/reports/revenue").status_code == 403
    complaints = unescape(client.get("/reports/complaints?by=cause&period=all").text)
    assert "This report can't be grouped by Cause." in complaints
    assert "Severe" not in complaints
    page = client.get("/reports").text
    assert "Orders and savings" in page
    assert "Revenue and discount" not in page


@pytest.mark.parametrize(
    ("email", "shown", "hidden"),
    [
        (PRICING, "Revenue and discount", "Cases and service levels"),
        (SERVICE, "Cases and service levels", "Revenue and discount"),
    ],
)
def test_each_side_of_the_house_sees_its_own_reports(
    email: str, shown: str, hidden: str, sign_in: SignIn
) -> None:
    page = sign_in(email).get("/reports").text

    assert shown in page
    assert hidden not in page
    assert 'href="/reports"' in page


def test_who_may_read_no_report_has_no_link_and_no_page(sign_in: SignIn) -> None:
    client = sign_in(SHOPPER)

    assert 'href="/reports"' not in client.get("/").text
    assert client.get("/reports").status_code == 403
    assert client.get("/reports/orders").status_code == 403
    assert client.get("/reports/orders/rows?format=csv").status_code == 403


@pytest.mark.parametrize("by", ["month", "category", "unit", "person"])
def test_file_page_and_chart_have_the_same_figures(
    by: str, cast: Cast, now: datetime, sign_in: SignIn
) -> None:
    client = sign_in(ADMIN)
    address = f"/reports/orders?by={by}&period=last-24-months"
    result = run_report(cast.acme.admin, "orders", {"by": by, "period": "last-24-months"}, now)
    page = client.get(address).text
    text = client.get(address + "&format=csv").text
    book = client.get(address + "&format=xlsx")

    assert len(result.rows) > 1
    assert [(row[by], row["orders"], row["net"]) for row in rows_of(text)] == [
        (row.label, str(row.values["orders"]), str(row.values["net"])) for row in result.rows
    ]
    assert {row["net_currency"] for row in rows_of(text)} == {"EUR"}
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0)
    cells = sheet.to_python()
    place = cells[0].index("net")
    assert [row[place] for row in cells[1:]] == [float(row.values["net"]) for row in result.rows]
    for row in result.rows:
        assert f"{row.values['net']:,.2f} EUR" in page
    drawn = charts_of(page)[0]
    assert drawn["places"] == [row.label for row in result.rows][:24]
    first = drawn["series"][0]  # type: ignore[index]
    assert first["values"] == [str(row.values["net"]) for row in result.rows][:24]


def test_a_long_report_is_read_in_pages_and_its_file_has_all_rows(sign_in: SignIn) -> None:
    client, address = sign_in(AUDITOR), "/reports/revenue?by=product&period=all"
    rows = rows_of(client.get(f"{address}&format=csv").text)
    names = [next(iter(row.values())) for row in rows]
    assert len(names) > 50

    shown = [client.get(f"{address}&size=50&page={page}").text for page in (1, 2)]

    for place, name in enumerate(names[:100]):
        assert [f">{name}</a>" in page for page in shown] == [place < 50, place >= 50], name
    assert all("Total" in page for page in shown)


def test_a_figure_leads_to_its_rows_and_they_export_as_filtered(
    cast: Cast, now: datetime, sign_in: SignIn
) -> None:
    client = sign_in(ADMIN)
    row = run_report(cast.acme.admin, "orders", {"by": "unit"}, now).rows[0]
    page = client.get("/reports/orders?by=unit").text

    assert row.url.replace("&", "&amp;") in page
    rows = client.get(row.url)
    assert rows.status_code == 200
    assert f"of {row.values['lines']}" in rows.text or row.values["lines"] <= 50
    exported = rows_of(client.get(row.url + "&format=csv").text)
    assert len(exported) == row.values["lines"]
    assert {line["unit"] for line in exported} == {row.key}
    assert "account" not in exported[0]


def test_a_filter_beyond_ones_reach_finds_nothing(sign_in: SignIn) -> None:
    client = sign_in(ADMIN)
    page = client.get("/reports/orders?unit=HANBIT/IT&period=all").text

    assert "Nothing to report" in page
    assert rows_of(client.get("/reports/orders/rows?unit=HANBIT/IT&format=csv").text) == []
    foreign = client.get("/reports/orders/rows?account=HANBIT&period=all&format=csv").text
    assert {line["unit"].partition("/")[0] for line in rows_of(foreign)} == {"ACME"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("period=yesterday", "“yesterday” is not known here"),
        ("by=account", "This report can't be grouped by Account."),
        ("by=colour", "“colour” is not known here"),
        ("period=custom&from=31.12.2026", "“31.12.2026” is not a day."),
        ("period=custom&from=2026-05-01&to=2026-01-01", "the days were turned round"),
        ("currency=XXX", "“XXX” is not an ISO 4217 currency code."),
        ("currency=ISK", "is not in these figures: there is no exchange rate to ISK."),
    ],
)
def test_what_is_asked_wrongly_is_told_and_never_guessed_in_silence(
    asked: str, said: str, sign_in: SignIn
) -> None:
    answer = sign_in(ADMIN).get(f"/reports/orders?{asked}")

    assert answer.status_code == 200
    assert said in unescape(answer.text)


def test_the_first_page_leads_from_each_figure_to_its_report(
    cast: Cast, now: datetime, sign_in: SignIn
) -> None:
    page = sign_in(ADMIN).get("/reports").text
    result = run_report(cast.acme.admin, "orders", {}, now)
    assert result.totals is not None

    assert f"{result.totals.values['net']:,.2f} EUR" in page
    assert 'class="figure-tile" href="/reports/orders' in page
    assert 'class="figure-tile" href="/reports/cases' in page


def test_a_report_takes_as_many_statements_for_ten_years_as_for_a_month(
    sign_in: SignIn, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    client = sign_in(AUDITOR)
    for name in REPORTS:
        counted = []
        for period in ("this-month", "all"):
            with count_statements() as found:
                assert (
                    client.get(f"/reports/{name}?period={period}&compare=none").status_code == 200
                )
            counted.append(found.total)
        assert counted[1] <= counted[0] + 12, (name, counted)
        assert max(counted) <= 40, (name, counted)


def test_the_menu_names_the_reports_for_the_manager(sign_in: SignIn) -> None:
    page = sign_in(MANAGER).get("/reports/accounts").text

    assert 'href="/reports" aria-current="page"' in page
    assert "Recency" in page
