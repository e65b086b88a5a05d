"""Orders of another system: taken over as they were, once, all or nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from portal.accounts.models import Account
from portal.accounts.queries import load_operator
from portal.db import db
from portal.demo.cast import Cast
from portal.desk.kinds import BY_NAME
from portal.events.models import Event
from portal.files.writing import write_csv
from portal.orders.history.models import PastOrder, PastOrderLine
from tests import superstore
from tests.superstore import load_kind

D = Decimal
Rows = Callable[[], dict[str, tuple[int, str]]]
HEAD = (
    "order_number,account_code,unit_code,person_email,placed_at,purchase_order_number,currency,"
    "position,sku,name,quantity,uom,unit_price,line_total,status\n"
)
FIRST = (
    "A-1,ACME,IT,buyer@acme.example,2020-11-17,00450,EUR,1,LT-0001,Laptop,2,EA,10,20,delivered\n"
)
SECOND = "A-1,ACME,IT,buyer@acme.example,2020-11-17,00450,EUR,2,OLD-7,Old,3,EA,1.005,,delivered\n"


def take_over(rows: str, now: datetime) -> list[tuple[int, str, str]]:
    report = load_kind("orders", HEAD + rows, now)
    return [(item.row, item.column, item.reason) for item in report.refused]


def exported(account: str | None = None) -> str:
    kind = BY_NAME["orders"]
    columns = [column.name for column in kind.columns]
    actor = load_operator("root", "UTC")
    return write_csv(
        columns, [[row[name] for name in columns] for row in kind.export(actor, account)]
    )


def test_an_order_stands_there_as_it_was(cast: Cast, now: datetime) -> None:
    assert take_over(FIRST + SECOND, now) == []

    order = db.session.scalars(select(PastOrder)).one()
    assert (order.number, order.purchase_order_number, order.currency) == ("A-1", "00450", "EUR")
    assert order.placed_at == datetime(2020, 11, 17, tzinfo=UTC)
    assert order.membership_id == cast.acme.buyer.membership_id
    assert order.net_total == D("23.02")
    lines = db.session.scalars(select(PastOrderLine).order_by(PastOrderLine.position)).all()
    assert [(line.sku, line.line_total, line.product_id is None) for line in lines] == [
        ("LT-0001", D(20), False),
        ("OLD-7", D("3.02"), True),
    ]


def test_a_person_who_left_is_kept_as_text(cast: Cast, now: datetime) -> None:
    assert cast.acme.account_id
    assert take_over(FIRST.replace("buyer@", "gone.long.ago@"), now) == []

    order = db.session.scalars(select(PastOrder)).one()
    assert (order.membership_id, order.person_email) == (None, "gone.long.ago@acme.example")


def test_a_missing_price_follows_from_the_total_and_the_other_way_round(
    cast: Cast, now: datetime
) -> None:
    assert cast.acme.account_id
    assert take_over(FIRST.replace("EA,10,20,", "EA,,0.01,"), now) == []

    line = db.session.scalars(select(PastOrderLine)).one()
    assert (line.unit_price, line.line_total) == (D("0.005"), D("0.01"))


def test_an_order_is_described_whole_by_its_rows(cast: Cast, now: datetime) -> None:
    assert cast.acme.account_id
    take_over(FIRST + SECOND, now)

    report = load_kind("orders", HEAD + FIRST.replace(",20,", ",19.99,"), now)

    assert (report.new, report.changed, report.removed) == (0, 1, 1)
    assert db.session.scalars(select(PastOrder)).one().net_total == D("19.99")
    assert db.session.scalar(select(func.count(PastOrderLine.id))) == 1


def test_each_account_is_told_of_the_file_once(cast: Cast, now: datetime) -> None:
    take_over(FIRST, now)
    load_kind("orders", HEAD + FIRST, now)

    found = db.session.scalars(select(Event).where(Event.verb == "accounts.imported")).all()
    told = [event for event in found if event.data["file"] == "orders"]
    assert [event.account_id for event in told] == [cast.acme.account_id]


@pytest.mark.parametrize(
    ("rows", "refusal"),
    [
        (FIRST.replace("ACME", "NOBODY"), (2, "account_code", "There is no account")),
        (FIRST.replace(",IT,", ",MOON,"), (2, "unit_code", "no unit")),
        (FIRST + SECOND.replace("00450", "00451"), (3, "purchase_order_number", "Row 2 says")),
        (FIRST.replace("EA,10,20", "EA,,"), (2, "line_total", "can't be empty")),
        (FIRST + FIRST, (3, "account_code", "Row 2 already names this")),
        (FIRST.replace(",2,EA", ",0,EA"), (2, "quantity", "must lie between")),
        (FIRST.replace("EUR", "EURO"), (2, "currency", "currency code")),
        (FIRST.replace("2020-11-17", "17.11.2020"), (2, "placed_at", "Enter a date")),
    ],
)
def test_a_row_that_can_t_be_refuses_the_whole_file(
    cast: Cast, now: datetime, business_rows: Rows, rows: str, refusal: tuple[int, str, str]
) -> None:
    assert cast.acme.account_id
    before = business_rows()

    found = take_over(rows + FIRST.replace("A-1", "A-2"), now)

    row, column, words = refusal
    assert [(r, c) for r, c, _reason in found] == [(row, column)]
    assert words in found[0][2]
    assert business_rows() == before


def test_an_export_imported_again_changes_nothing(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    assert cast.acme.account_id
    take_over(FIRST + SECOND, now)
    before = business_rows()

    report = load_kind("orders", exported("ACME"), now)

    assert (report.new, report.changed, report.removed, report.unchanged) == (0, 0, 0, 2)
    assert business_rows() == before


def test_ten_thousand_real_lines_come_over_to_the_cent_and_once(cast: Cast, now: datetime) -> None:
    assert cast.acme.account_id
    first = superstore.load(now)
    again = load_kind("orders", superstore.files()["orders"], now)

    assert (first.new, first.refused) == (superstore.LINES, [])
    assert (again.new, again.changed, again.unchanged) == (0, 0, superstore.LINES)
    store = select(Account.id).where(Account.code == superstore.ACCOUNT).scalar_subquery()
    mine = PastOrder.account_id == store
    total = db.session.scalar(select(func.sum(PastOrder.net_total)).where(mine))
    assert total == superstore.TOTAL == sum(map(superstore.raw_amount, superstore.raw_lines()))
    lines = select(func.sum(PastOrderLine.line_total)).where(PastOrderLine.account_id == store)
    assert db.session.scalar(lines) == superstore.TOTAL
