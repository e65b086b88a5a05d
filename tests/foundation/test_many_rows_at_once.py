"""Many rows in one statement: what is there afterwards is what the session would have written."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from portal.db import Base, db, table_of, transaction
from portal.demo.cast import Cast
from portal.jobs.models import Job
from portal.quotes import actions
from portal.quotes.models import Quote, QuoteLine
from portal.quotes.queries import get_quote
from portal.rows import change_rows, write_rows
from tests.stage import counting

TEXTS = (
    "",
    "plain",
    'a "quoted" \\ one',
    "屏幕 화면 – ü",
    "line\nbreak\ttab",
    "'); drop table x; --",
)
OWN = {"id", "line_id", "position", "unique_key"}
"""Columns in which two rows have to differ."""


@pytest.fixture
def quote(cast: Cast, now: datetime) -> Quote:
    number = actions.add_lines(cast.acme.buyer, None, [("LT-0001", Decimal(1), None)], now).number
    return get_quote(cast.acme.buyer, number)


def _lines(quote: Quote, first: int) -> list[QuoteLine]:
    known = quote.current.lines[0]
    return [
        QuoteLine(
            account_id=known.account_id,
            revision_id=known.revision_id,
            line_id=first + number,
            position=first + number,
            product_id=known.product_id,
            sku=known.sku,
            name=text,
            quantity=Decimal("123456789.125") if number else Decimal("0.001"),
            uom=known.uom,
            unit_price=Decimal("99999999999.9999") if number % 2 else None,
            off_contract=bool(number % 2),
            trace={"steps": [text, None, 1, True, {"deep": []}]},
            note=text,
        )
        for number, text in enumerate(TEXTS)
    ]


def _jobs(first: int) -> list[Job]:
    begin = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    return [
        Job(
            kind="kind",
            payload={"text": text, "none": None},
            unique_key=f"{first}:{number}",
            run_at=begin + timedelta(microseconds=number),
            created_at=begin.replace(microsecond=0),
        )
        for number, text in enumerate(TEXTS)
    ]


def _stored(model: type[Base], ids: list[int]) -> list[dict[str, Any]]:
    table = table_of(model)
    rows = db.session.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id))
    return [{name: value for name, value in row.items() if name not in OWN}
            for row in rows.mappings()]  # fmt: skip


def test_new_rows_are_those_that_the_session_writes(quote: Quote) -> None:
    for model, usual, together in (
        (QuoteLine, _lines(quote, 100), _lines(quote, 200)),
        (Job, _jobs(1), _jobs(2)),
    ):
        with transaction():
            db.session.add_all(usual)
            db.session.flush()
            with counting() as counted:
                write_rows(together, model)
        assert counted.total == 2  # the ids, and all rows
        expected = _stored(model, [row.id for row in usual])
        assert _stored(model, [row.id for row in together]) == expected
        assert len(expected) == len(TEXTS)


def test_the_session_knows_them_and_has_nothing_left_to_write(quote: Quote) -> None:
    lines = _lines(quote, 100)
    with transaction():
        write_rows(lines, QuoteLine)
        assert not db.session.dirty
        assert not db.session.new
        assert db.session.get(QuoteLine, lines[0].id) is lines[0]
        lines[0].note = "changed later"
    assert _stored(QuoteLine, [lines[0].id])[0]["note"] == "changed later"


def test_rows_change_in_the_named_columns_alone(quote: Quote) -> None:
    lines = _lines(quote, 100)
    with transaction():
        write_rows(lines, QuoteLine)
    before = _stored(QuoteLine, [line.id for line in lines])
    names = ("unit_price", "off_contract", "trace", "note")
    wanted = [
        {
            "unit_price": Decimal(number) / 8,
            "off_contract": not number,
            "trace": {"x": text},
            "note": text,
        }
        for number, text in enumerate(reversed(TEXTS))
    ]
    rows = [{"id": line.id, **values} for line, values in zip(lines, wanted, strict=True)]
    with transaction(), counting() as counted:
        change_rows(QuoteLine, names, rows)
    assert counted.total == 1
    after = _stored(QuoteLine, [line.id for line in lines])
    assert after == [old | new for old, new in zip(before, wanted, strict=True)]


def test_a_row_that_is_gone_is_not_passed_over(quote: Quote) -> None:
    line = quote.current.lines[0]
    rows = [{"id": line.id, "note": "kept"}, {"id": line.id + 1_000_000, "note": "gone"}]
    with pytest.raises(StaleDataError), transaction():
        change_rows(QuoteLine, ("note",), rows)
    assert _stored(QuoteLine, [line.id])[0]["note"] == ""


def test_a_figure_with_too_many_decimals_is_refused(quote: Quote) -> None:
    rows = [{"id": quote.current.lines[0].id, "unit_price": Decimal("0.00001")}]
    with pytest.raises(ValueError, match="decimals"), transaction():
        change_rows(QuoteLine, ("unit_price",), rows)


@pytest.mark.usefixtures("cast")
def test_nothing_to_write_asks_nothing() -> None:
    with counting() as counted:
        write_rows([], QuoteLine)
        change_rows(QuoteLine, ("note",), [])
    assert counted.total == 0
