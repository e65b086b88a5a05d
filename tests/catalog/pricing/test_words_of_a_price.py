"""The sentence that explains a price to the buyer, in the buyer's language."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import force_locale

from portal.catalog.pricing.rules import (
    Entry,
    EntryKind,
    Level,
    ListKind,
    Outcome,
    Reason,
    Resolution,
    TraceStep,
)
from portal.catalog.pricing.words import explain, explain_trace

BERLIN = ZoneInfo("Europe/Berlin")
ENTRY = Entry(EntryKind.PERCENT_OFF, Decimal(12), "EA", Decimal(20), "LT-1")
ANSWER = Resolution(
    found=True,
    currency="EUR",
    unit_price=Decimal("1143.12"),
    line_total=Decimal("22862.40"),
    list_code="AG-7",
    list_kind=ListKind.AGREEMENT,
    list_version=3,
    entry=ENTRY,
    list_price=Decimal("1299.00"),
    valid_to=datetime(2026, 12, 31, 23, 0, tzinfo=UTC),
)


def said(answer: Resolution, app: Flask, locale: str = "en") -> str:
    with app.test_request_context(), force_locale(locale):
        return explain(answer, BERLIN)


def test_the_sentence_names_list_price_reduction_break_and_last_day(app: Flask) -> None:
    assert said(ANSWER, app) == (
        "List EUR 1,299.00, agreement AG-7 −12 %, from 20 EA, until Dec 31, 2026"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            replace(ANSWER, entry=replace(ENTRY, kind=EntryKind.PRICE), valid_to=None),
            "List EUR 1,299.00, agreement AG-7 EUR 1,143.12, from 20 EA",
        ),
        (
            replace(
                ANSWER,
                list_kind=ListKind.LIST,
                entry=Entry(EntryKind.AMOUNT_OFF, Decimal("1.5"), "EA", Decimal(1), "LT-1"),
                valid_to=None,
            ),
            "List EUR 1,299.00, price list AG-7 −EUR 1.50",
        ),
        (
            replace(
                ANSWER,
                list_kind=ListKind.STANDARD,
                unit_price=Decimal("0.0125"),
                entry=Entry(EntryKind.PRICE, Decimal("0.0125"), "EA", Decimal(1), "LT-1"),
                valid_to=None,
            ),
            "List EUR 0.0125",
        ),
        (
            replace(ANSWER, currency="KRW", list_price=Decimal(1299000), valid_to=None),
            "List KRW 1,299,000, agreement AG-7 −12 %, from 20 EA",
        ),
        (Resolution(found=False, currency="EUR"), "No price is agreed for this: price on request."),
    ],
)
def test_each_kind_of_answer_has_its_sentence(app: Flask, answer: Resolution, words: str) -> None:
    assert said(answer, app) == words


def test_supplier_staff_read_the_whole_trace(app: Flask) -> None:
    steps = (
        TraceStep("AG-7", Level.AGREEMENT_UNIT, 1, Outcome.SILENT, Reason.NO_ENTRY),
        TraceStep("L", Level.LIST_GROUP, 2, Outcome.NO_PRICE, Reason.NO_LIST_PRICE),
        TraceStep("STD", Level.STANDARD, None, Outcome.LOST, Reason.ABOVE),
    )
    with app.test_request_context(), force_locale("en"):
        words = explain_trace(steps)

    assert [(each.list_code, each.level, each.outcome, each.tone) for each in words] == [
        ("AG-7", "Agreement of the unit", "silent", "idle"),
        ("L", "List of the tier or segment", "no price", "warn"),
        ("STD", "Standard list", "lost", "idle"),
    ]
    assert words[2].reason == "a list above decided"
