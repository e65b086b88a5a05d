"""What may be published, and what publishing would change."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.pricing.publication_rules import (
    biggest_movers,
    compare,
    find_overlaps,
    is_fit,
    slot_of,
)
from portal.catalog.pricing.rules import Entry, EntryKind, Window
from tests.catalog.pricing.worlds import entry_rows, to_entry

DAY = timedelta(days=1)
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def entry(
    value: str = "1", sku: str = "A", days: tuple[int | None, int | None] = (None, None)
) -> Entry:
    start, end = (None if day is None else T0 + day * DAY for day in days)
    return Entry(EntryKind.PRICE, Decimal(value), "EA", Decimal(1), sku, None, Window(start, end))


def test_windows_that_touch_do_not_overlap() -> None:
    assert find_overlaps([entry(days=(None, 3)), entry(days=(3, 5)), entry(days=(5, None))]) == []


@pytest.mark.parametrize("days", [(None, None), (2, 4), (2, None), (None, 1)])
def test_the_same_slot_can_not_hold_twice_at_one_instant(
    days: tuple[int | None, int | None],
) -> None:
    first, second = entry(days=(0, 3)), entry("2", days=days)

    assert len(find_overlaps([first, second])) == 1
    assert find_overlaps([first, entry("2", sku="B", days=days)]) == []


@given(st.lists(entry_rows(("price",)).map(to_entry), max_size=12))
def test_overlaps_are_found_exactly_where_some_pair_overlaps(entries: list[Entry]) -> None:
    pairs = [
        (left, right)
        for place, left in enumerate(entries)
        for right in entries[place + 1 :]
        if slot_of(left) == slot_of(right) and left.window.overlaps(right.window)
    ]
    holding = [pair for pair in pairs if all(_is_possible(each) for each in pair)]

    if holding:
        assert find_overlaps(entries)
    if not pairs:
        assert find_overlaps(entries) == []


def _is_possible(each: Entry) -> bool:
    start, end = each.window.start, each.window.end
    return start is None or end is None or start < end


def test_the_diff_names_new_changed_removed_and_counts_the_rest() -> None:
    before = [entry("1", "A"), entry("2", "B"), entry("3", "C")]
    after = [entry("1", "A"), entry("4", "B"), entry("5", "D")]

    diff = compare(before, after)

    assert [each.sku for each in diff.new] == ["D"]
    assert [(c.before.value, c.after.value) for c in diff.changed] == [(Decimal(2), Decimal(4))]
    assert [each.sku for each in diff.removed] == ["C"]
    assert (diff.unchanged, diff.is_empty) == (1, False)


def test_the_biggest_movers_come_first_and_what_stands_still_is_left_out() -> None:
    before = [entry("100", "A"), entry("100", "B"), entry("100", "C"), entry("0", "D")]
    after = [entry("90", "A"), entry("130", "B"), entry("100", "C", (0, None)), entry("5", "D")]

    movers = biggest_movers(compare(before, after))

    assert [(m.change.after.sku, m.percent) for m in movers] == [
        ("B", Decimal(30)),
        ("A", Decimal(-10)),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "in_standard", "fits"),
    [
        (EntryKind.PRICE, "0", True, True),
        (EntryKind.PRICE, "-0.01", False, False),
        (EntryKind.PERCENT_OFF, "0", False, False),
        (EntryKind.PERCENT_OFF, "100", False, True),
        (EntryKind.PERCENT_OFF, "100.01", False, False),
        (EntryKind.PERCENT_OFF, "5", True, False),
        (EntryKind.AMOUNT_OFF, "5", False, True),
        (EntryKind.AMOUNT_OFF, "-5", False, False),
        (EntryKind.AMOUNT_OFF, "5", True, False),
    ],
)
def test_what_an_entry_may_say(kind: EntryKind, value: str, in_standard: bool, fits: bool) -> None:  # noqa: FBT001
    each = Entry(kind, Decimal(value), "EA", Decimal(1), "A")

    assert is_fit(each, in_standard_list=in_standard) is fits
