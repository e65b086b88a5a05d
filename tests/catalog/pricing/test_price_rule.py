"""The price rule, sentence by sentence."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.catalog.pricing.rules import (
    Entry,
    EntryKind,
    Level,
    ListCandidate,
    ListKind,
    Outcome,
    PriceRequest,
    Reason,
    Resolution,
    Window,
    order_lists,
    resolve,
    round_price,
)

AT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)


def a_list(code: str, level: Level = Level.LIST_ACCOUNT, **marks: object) -> ListCandidate:
    kind = ListKind.STANDARD if level is Level.STANDARD else ListKind.LIST
    if level.value.startswith("agreement"):
        kind = ListKind.AGREEMENT
    number = sum(code.encode())
    facts = {"kind": kind, "version": 1, "version_id": number, **marks}
    return ListCandidate(code=code, level=level, **facts)  # type: ignore[arg-type]


def entry(value: str, kind: EntryKind = EntryKind.PRICE, **marks: object) -> Entry:
    about = {} if "category_path" in marks else {"sku": "LT-1"}
    facts = {"uom": "EA", "min_quantity": Decimal(1), **about, **marks}
    return Entry(kind=kind, value=Decimal(value), **facts)  # type: ignore[arg-type]


def ask(
    lists: dict[ListCandidate, list[Entry]],
    quantity: str = "1",
    uom: str = "EA",
    factors: dict[str, Fraction] | None = None,
    currency: str = "EUR",
) -> Resolution:
    request = PriceRequest("LT-1", "Hardware/Laptops", Decimal(quantity), uom, factors or {})
    entries = {source.version_id or 0: rows for source, rows in lists.items()}
    return resolve(request, order_lists(lists), entries, currency, AT)


STD = a_list("STD", Level.STANDARD)
AG = a_list("AG-7", Level.AGREEMENT_ACCOUNT, priority=1)


def outcomes(answer: Resolution) -> list[tuple[str, str]]:
    return [(step.list_code, step.outcome.value) for step in answer.trace]


def test_an_agreement_takes_per_cent_off_the_list_price() -> None:
    answer = ask(
        {
            STD: [entry("1299")],
            AG: [entry("12", EntryKind.PERCENT_OFF, min_quantity=Decimal(20))],
        },
        quantity="20",
    )

    assert answer.unit_price == Decimal("1143.12")
    assert answer.line_total == Decimal("22862.40")
    assert answer.list_price == Decimal("1299.00")
    assert (answer.list_code, answer.off_contract) == ("AG-7", False)
    assert [(s.list_code, s.outcome, s.reason) for s in answer.trace] == [
        ("AG-7", Outcome.WON, Reason.DECIDED),
        ("STD", Outcome.LOST, Reason.ABOVE),
    ]


def test_below_the_break_the_agreement_is_silent_and_the_list_price_holds() -> None:
    answer = ask(
        {
            STD: [entry("1299")],
            AG: [entry("12", EntryKind.PERCENT_OFF, min_quantity=Decimal(20))],
        },
        quantity="19",
    )

    assert answer.unit_price == Decimal("1299.00")
    assert answer.off_contract
    assert [(s.list_code, s.outcome, s.reason) for s in answer.trace] == [
        ("AG-7", Outcome.SILENT, Reason.BREAK_NOT_REACHED),
        ("STD", Outcome.WON, Reason.DECIDED),
    ]


def test_the_order_of_lists_is_level_then_nearness_then_priority_then_code() -> None:
    reached = [
        a_list("S", Level.STANDARD),
        a_list("G", Level.LIST_GROUP, priority=1),
        a_list("A", Level.LIST_ACCOUNT, priority=2),
        a_list("B", Level.LIST_ACCOUNT, priority=1),
        a_list("AA", Level.LIST_ACCOUNT, priority=1),
        a_list("NONE", Level.LIST_ACCOUNT),
        a_list("FAR", Level.LIST_UNIT, distance=1, priority=1),
        a_list("NEAR", Level.LIST_UNIT, distance=0, priority=9),
        a_list("AG-A", Level.AGREEMENT_ACCOUNT, priority=1),
        a_list("AG-U", Level.AGREEMENT_UNIT, distance=2, priority=5),
    ]

    assert [each.code for each in order_lists(reached)] == [
        "AG-U", "AG-A", "NEAR", "FAR", "AA", "B", "A", "NONE", "G", "S",
    ]  # fmt: skip


def test_a_list_reached_twice_counts_once_at_its_best_place() -> None:
    far = a_list("L", Level.LIST_GROUP, priority=1)
    near = a_list("L", Level.LIST_UNIT, distance=3, priority=9)

    assert order_lists([far, near]) == (near,)


def test_the_first_list_that_speaks_closes_the_product_even_when_it_is_dearer() -> None:
    answer = ask({AG: [entry("1500")], STD: [entry("1299")]})

    assert answer.unit_price == Decimal("1500.00")


def test_best_price_yields_to_the_lowest_list_and_on_a_draw_to_the_first() -> None:
    best = a_list("AG-7", Level.AGREEMENT_ACCOUNT, priority=1, best_price=True)
    middle, tier = a_list("MID"), a_list("TIER", Level.LIST_GROUP)
    answer = ask(
        {
            best: [entry("1500")],
            middle: [entry("1200.004")],
            tier: [entry("1200")],
            STD: [entry("1299")],
        }
    )

    assert (answer.list_code, answer.unit_price) == ("MID", Decimal("1200.00"))
    assert [(s.list_code, s.reason) for s in answer.trace] == [
        ("AG-7", Reason.NOT_LOWEST),
        ("MID", Reason.LOWEST),
        ("TIER", Reason.NOT_LOWEST),
        ("STD", Reason.NOT_LOWEST),
    ]


def test_best_price_yields_also_where_it_gives_no_price_itself() -> None:
    best = a_list("AG-7", Level.AGREEMENT_ACCOUNT, best_price=True)
    answer = ask({best: [entry("2000", EntryKind.AMOUNT_OFF)], STD: [entry("1299")]})

    assert (answer.list_code, answer.unit_price) == ("STD", Decimal("1299.00"))
    assert outcomes(answer) == [("AG-7", "no-price"), ("STD", "won")]


@pytest.mark.parametrize("kind", [EntryKind.PERCENT_OFF, EntryKind.AMOUNT_OFF])
def test_without_a_list_price_a_reduction_gives_no_price(kind: EntryKind) -> None:
    answer = ask({AG: [entry("5", kind)], a_list("LOW"): [entry("10")]})

    assert not answer.found
    assert (answer.unit_price, answer.line_total, answer.list_price) == (None, None, None)
    assert answer.list_code is None
    assert [(s.list_code, s.outcome, s.reason) for s in answer.trace] == [
        ("AG-7", Outcome.NO_PRICE, Reason.NO_LIST_PRICE),
        ("LOW", Outcome.LOST, Reason.ABOVE),
    ]


def test_a_result_below_zero_is_no_price_and_exactly_zero_is_one() -> None:
    below = ask({AG: [entry("10.001", EntryKind.AMOUNT_OFF)], STD: [entry("10")]})
    zero = ask({AG: [entry("10", EntryKind.AMOUNT_OFF)], STD: [entry("10")]})

    assert not below.found
    assert below.trace[0].reason is Reason.BELOW_ZERO
    assert zero.unit_price == Decimal(0)
    assert zero.found


def test_a_reduction_is_taken_off_the_rounded_list_price() -> None:
    whole = a_list("STD", Level.STANDARD, decimals=0)
    exact = a_list("AG-7", Level.AGREEMENT_ACCOUNT, decimals=4)
    answer = ask({exact: [entry("50", EntryKind.PERCENT_OFF)], whole: [entry("10.5")]})

    assert answer.list_price == Decimal(11)
    assert answer.unit_price == Decimal("5.5000")


def test_the_reduction_uses_the_list_price_of_the_same_quantity() -> None:
    answer = ask(
        {
            STD: [entry("100"), entry("80", min_quantity=Decimal(10))],
            AG: [entry("10", EntryKind.PERCENT_OFF)],
        },
        quantity="10",
    )

    assert answer.unit_price == Decimal("72.00")


def test_a_sku_beats_a_category_and_a_deeper_category_a_shallower_one() -> None:
    top = entry("1", category_path="Hardware", min_quantity=Decimal(5))
    deep = entry("2", category_path="Hardware/Laptops", min_quantity=Decimal(4))
    sku = entry("3")

    assert ask({STD: [top, deep, sku]}, quantity="9").unit_price == Decimal("3.00")
    assert ask({STD: [top, deep]}, quantity="9").unit_price == Decimal("2.00")
    assert ask({STD: [top, deep]}, quantity="3").found is False


def test_a_category_covers_descendants_and_not_a_longer_name() -> None:
    assert ask({STD: [entry("1", category_path="Hardware")]}).found
    assert not ask({STD: [entry("1", category_path="Hard")]}).found
    assert not ask({STD: [entry("1", category_path="Hardware/Laptops/Thin")]}).found


def test_validity_is_half_open() -> None:
    assert ask({STD: [entry("1", window=Window(AT, AT + DAY))]}).found
    assert not ask({STD: [entry("1", window=Window(AT - DAY, AT))]}).found


def test_an_entry_per_piece_prices_a_box_by_the_factor() -> None:
    answer = ask(
        {
            STD: [entry("5"), entry("4", min_quantity=Decimal(20))],
            AG: [entry("0.5", EntryKind.AMOUNT_OFF)],
        },
        quantity="2",
        uom="BX",
        factors={"EA": Fraction(10)},
    )

    assert answer.list_price == Decimal("40.00")
    assert answer.unit_price == Decimal("35.00")


def test_a_factor_works_in_the_other_direction_and_stays_exact() -> None:
    box = entry("10", uom="BX")
    answer = ask({STD: [box]}, quantity="3", factors={"BX": Fraction(1, 3)})
    short = ask({STD: [box]}, quantity="2", factors={"BX": Fraction(1, 3)})

    assert answer.unit_price == Decimal("3.33")
    assert answer.line_total == Decimal("9.99")
    assert short.trace[0].reason is Reason.BREAK_NOT_REACHED


def test_another_unit_counts_only_where_the_own_unit_has_no_candidate() -> None:
    box_of_sku = entry("90", uom="BX")
    own_of_category = entry("12", category_path="Hardware", min_quantity=Decimal(5))
    factors = {"BX": Fraction(1, 10)}

    at_ten = ask({STD: [box_of_sku, own_of_category]}, quantity="10", factors=factors)
    dear_break = entry("12", category_path="Hardware", min_quantity=Decimal(50))
    below = ask({STD: [box_of_sku, dear_break]}, quantity="10", factors=factors)

    assert at_ten.unit_price == Decimal("12.00")
    assert below.unit_price == Decimal("9.00")


def test_without_a_factor_another_unit_never_counts_one_to_one() -> None:
    answer = ask({STD: [entry("90", uom="BX")]})

    assert not answer.found
    assert answer.trace[0].reason is Reason.NO_FACTOR


def test_of_several_other_units_the_larger_converted_break_wins_then_the_code() -> None:
    factors = {"BX": Fraction(1, 10), "CS": Fraction(1, 20)}
    box = entry("90", uom="BX", min_quantity=Decimal(3))
    case = entry("100", uom="CS", min_quantity=Decimal(2))
    same = entry("80", uom="BX", min_quantity=Decimal(4))

    assert ask({STD: [box, case]}, quantity="60", factors=factors).unit_price == Decimal("5.00")
    assert ask({STD: [same, case]}, quantity="60", factors=factors).unit_price == Decimal("8.00")


def test_a_list_without_a_version_in_force_is_silent() -> None:
    unborn = a_list("NEW", Level.LIST_UNIT, version=None, version_id=None)
    answer = ask({unborn: [], STD: [entry("1")]})

    assert outcomes(answer) == [("NEW", "silent"), ("STD", "won")]
    assert answer.trace[0].reason is Reason.NO_VERSION


@pytest.mark.parametrize(
    ("currency", "price", "quantity", "total"),
    [("EUR", "0.005", "1", "0.01"), ("KRW", "10.5", "1", "11"), ("KWD", "0.0005", "1", "0.001")],
)
def test_a_line_total_is_rounded_half_up_to_the_minor_unit(
    currency: str, price: str, quantity: str, total: str
) -> None:
    standard = a_list("STD", Level.STANDARD, decimals=4)
    answer = ask({standard: [entry(price)]}, quantity=quantity, currency=currency)

    assert answer.line_total == Decimal(total)


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [("1/3", 2, "0.33"), ("2/3", 2, "0.67"), ("1/8", 2, "0.13"), ("5/2", 0, "3"), ("0", 4, "0")],
)
def test_a_price_is_rounded_half_up_once(value: str, decimals: int, rounded: str) -> None:
    assert round_price(Fraction(value), decimals) == Decimal(rounded)


def test_the_answer_says_until_when_it_holds() -> None:
    agreement = a_list("AG-7", Level.AGREEMENT_ACCOUNT, ends=AT + 9 * DAY)
    mine = entry("10", EntryKind.PERCENT_OFF, window=Window(None, AT + 7 * DAY))
    base = entry("100", window=Window(None, AT + 3 * DAY))
    fixed = entry("90", window=Window(None, AT + 12 * DAY))

    assert ask({agreement: [mine], STD: [base]}).valid_to == AT + 3 * DAY
    assert ask({agreement: [fixed], STD: [base]}).valid_to == AT + 9 * DAY
    assert ask({STD: [entry("1")]}).valid_to is None
