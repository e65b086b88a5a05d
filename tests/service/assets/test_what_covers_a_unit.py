"""What entitlements cover on a day, told by a rule and by counting days."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.service.assets.rules import (
    Cover,
    Covered,
    EntitlementKind,
    add_months,
    cover,
    is_under,
    last_day_of,
    months_in,
    normal_tag,
    renewed,
    tag_key,
)

DAY = timedelta(days=1)
START = date(2026, 1, 1)


@dataclass(frozen=True)
class Held:
    valid_from: date
    valid_until: date
    kind: str = "warranty"
    covers: tuple[str, ...] = ("parts", "labour")


@st.composite
def entitlements(draw: st.DrawFn) -> list[Held]:
    held = []
    for _place in range(draw(st.integers(0, 5))):
        first = START + timedelta(days=draw(st.integers(0, 60)))
        length = draw(st.integers(0, 30))
        held.append(
            Held(
                first,
                first + timedelta(days=length),
                draw(st.sampled_from(["warranty", "contract"])),
                tuple(draw(st.sets(st.sampled_from([item.value for item in Covered])))),
            )
        )
    return held


def naive(held: list[Held], on: date) -> Cover:
    """Count day by day."""
    covering = [row for row in held if row.valid_from <= on <= row.valid_until]
    if covering:
        last = on
        while any(row.valid_from <= last + DAY <= row.valid_until for row in held):
            last += DAY
        kinds = {row.kind for row in covering}
        paid = {item for row in covering for item in row.covers}
        return Cover(
            True,
            EntitlementKind("contract" if "contract" in kinds else "warranty"),
            last,
            tuple(item for item in Covered if item.value in paid),
        )
    ended = [row for row in held if row.valid_until < on]
    coming = [row.valid_from for row in held if row.valid_from > on]
    until = max((row.valid_until for row in ended), default=None)
    return Cover(
        False,
        next(
            (
                EntitlementKind(row.kind)
                for row in sorted(ended, key=lambda row: (row.valid_from, row.valid_until))
                if row.valid_until == until
            ),
            None,
        ),
        until,
        (),
        min(coming, default=None),
    )


@given(entitlements(), st.integers(-5, 100))
def test_the_rule_says_what_counting_days_says(held: list[Held], offset: int) -> None:
    on = START + timedelta(days=offset)

    assert cover(held, on) == naive(held, on)


@given(entitlements(), st.integers(0, 90), st.integers(1, 36))
def test_a_renewal_leaves_no_day_open_and_covers_none_twice(
    held: list[Held], offset: int, months: int
) -> None:
    on = START + timedelta(days=offset)
    before = cover(held, on)

    first, last = renewed(held, on, months)

    assert first == (before.until + DAY if before.is_covered and before.until else on)
    assert last == add_months(first, months) - DAY
    after = cover([*held, Held(first, last, "contract")], on)
    assert after.is_covered
    assert after.until is not None
    assert after.until >= last


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 12, 31), 2, date(2025, 2, 28)),
        (date(2024, 5, 15), 24, date(2026, 5, 15)),
    ],
)
def test_months_are_those_of_the_calendar(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


def test_the_last_day_of_a_warranty_is_included() -> None:
    held = [Held(date(2025, 1, 15), last_day_of(date(2025, 1, 15), 24))]

    assert held[0].valid_until == date(2027, 1, 14)
    assert cover(held, date(2027, 1, 14)).days_left(date(2027, 1, 14)) == 0
    assert not cover(held, date(2027, 1, 15)).is_covered
    assert cover(held, date(2027, 1, 15)).days_left(date(2027, 1, 15)) is None


def test_cover_pays_only_for_what_it_names() -> None:
    covered = cover([Held(START, START, covers=("parts",))], START)

    assert covered.pays(Covered.PARTS)
    assert not covered.pays(Covered.LABOUR)
    assert not cover([], START).pays(Covered.PARTS)


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        (" 7K2M4A1 ", "7K2M4A1"),
        ("SN 0042/A", "SN-0042-A"),
        ("\uff21\uff22\uff11\uff12", "AB12"),
        ("../../etc", "etc"),
        ("번호-7", "번호-7"),
        ("??", ""),
    ],
)
def test_a_tag_is_something_that_an_address_can_carry(typed: str, tag: str) -> None:
    assert normal_tag(typed) == tag
    assert tag_key(typed) == tag.casefold()


@pytest.mark.parametrize(("text", "months"), [("36", 36), ("", 24), ("soon", 24), ("9999", 120)])
def test_months_of_an_attribute_are_read_or_the_default_holds(text: str, months: int) -> None:
    assert months_in({"warranty_months": text}, "warranty_months", 24) == months


def test_a_category_is_under_itself_and_what_is_above_and_under_nothing_else() -> None:
    assert is_under("Hardware/Laptops", ["Hardware/Laptops"])
    assert is_under("Hardware/Laptops/Light", ["Hardware"])
    assert not is_under("Hardware/LaptopsX", ["Hardware/Laptops"])
    assert is_under("Anything", [])
