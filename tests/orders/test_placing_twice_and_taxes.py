"""Placing: one form, one order; locks in one order; tax as submitted unless a new one is taken."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from portal.catalog.pricing.models import TaxRate
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders.actions import KeyReusedError, TaxChangedError, Terms, convert_quote, place_order
from portal.orders.rules import OrderStatus
from portal.quotes.models import Quote, QuoteLine

MakeQuote = Callable[..., Quote]
Rows = Callable[[], dict[str, tuple[int, str]]]
PO = Terms(purchase_order_number="4500000001")


def line_of(quote: Quote) -> QuoteLine:
    return quote.current.lines[0]


def test_a_form_that_placed_one_order_places_no_other(
    cast: Cast, approved: MakeQuote, now: datetime, business_rows: Rows
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    line_id = line_of(quote).line_id
    first = convert_quote(buyer, quote.number, {line_id: Decimal(4)}, key="a", now=now)
    second = convert_quote(buyer, quote.number, {line_id: Decimal(6)}, key="b", now=now)
    place_order(buyer, first.number, PO, key="form", now=now)
    before = business_rows()

    with pytest.raises(KeyReusedError, match=first.number):
        place_order(buyer, second.number, replace(PO, accept_duplicate=True), key="form", now=now)
    assert business_rows() == before


def _new_rate(rate: str) -> None:
    with transaction():
        db.session.execute(
            update(TaxRate).where(TaxRate.country == "DE").values(rate=Decimal(rate))
        )


def test_a_rate_that_moved_since_submission_is_shown_and_asked_again(
    cast: Cast, approved: MakeQuote, now: datetime, business_rows: Rows
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    draft = convert_quote(
        buyer, quote.number, {line_of(quote).line_id: Decimal(10)}, key="a", now=now
    )
    _new_rate("21")
    before = business_rows()

    with pytest.raises(TaxChangedError, match=r"was 19 % .* is 21 % now"):
        place_order(buyer, draft.number, PO, key="p", now=now)
    assert business_rows() == before
    placed = place_order(buyer, draft.number, replace(PO, accept_tax=True), key="p", now=now)
    assert [row["rate"] for row in placed.tax_rows] == [Decimal(21)]
    assert placed.net_total == draft.net_total


def test_the_tax_status_is_that_of_submission_even_where_a_new_rate_is_accepted(
    cast: Cast, approved: MakeQuote, set_account: Callable[..., None], now: datetime
) -> None:
    buyer, quote = cast.acme.buyer, approved()
    draft = convert_quote(
        buyer, quote.number, {line_of(quote).line_id: Decimal(10)}, key="a", now=now
    )
    set_account(tax_status="exempt")
    _new_rate("21")

    placed = place_order(buyer, draft.number, replace(PO, accept_tax=True), key="p", now=now)

    assert [row["rate"] for row in placed.tax_rows] == [Decimal(21)]


def test_nobody_is_asked_about_a_rate_that_does_not_concern_them(
    cast: Cast, approved: MakeQuote, set_account: Callable[..., None], now: datetime
) -> None:
    set_account(tax_status="exempt")
    buyer, quote = cast.acme.buyer, approved()
    draft = convert_quote(
        buyer, quote.number, {line_of(quote).line_id: Decimal(10)}, key="a", now=now
    )
    _new_rate("21")

    placed = place_order(buyer, draft.number, PO, key="p", now=now)

    assert (placed.status, placed.tax_total) == (OrderStatus.PLACED, Decimal(0))


def test_every_action_locks_the_account_before_the_quote_and_the_order(
    cast: Cast, approved: MakeQuote, now: datetime, count_statements: Callable[..., Any]
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite locks the whole database")
    buyer, quote = cast.acme.buyer, approved()
    parts = {line_of(quote).line_id: Decimal(4)}

    with count_statements() as converting:
        draft = convert_quote(buyer, quote.number, parts, key="a", now=now)
    with count_statements() as placing:
        place_order(buyer, draft.number, PO, key="p", now=now)

    for counted in (converting, placing):
        locked = [_locked_table(text) for text in counted.statements if "FOR UPDATE" in text]
        assert locked[:2] == ["account", "quote"]


def _locked_table(statement: str) -> str:
    found = re.search(r"FROM (\w+)", statement)
    assert found is not None
    return found[1]
