"""Pack quantities, minimums, and names by language."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.rules import check_quantity, local_name, smallest_quantity


@dataclass(frozen=True)
class Sold:
    min_quantity: Decimal | None = None
    quantity_multiple: Decimal | None = None


@pytest.mark.parametrize(
    ("least", "pack", "quantity", "words"),
    [
        (None, "5", "12", "This item ships in packs of 5: try 10 or 15."),
        (None, "5", "3", "This item ships in packs of 5: try 5."),
        ("12", "5", "7", "This item ships in packs of 5: try 15."),
        ("10", "5", "5", "The smallest quantity of this item is 10."),
        ("10", None, "9.5", "The smallest quantity of this item is 10."),
        (None, "0.25", "1.1", "This item ships in packs of 0.25: try 1 or 1.25."),
        (None, None, "0", "Enter a quantity above 0."),
        (None, None, "-1", "Enter a quantity above 0."),
    ],
)
def test_a_wrong_quantity_is_answered_with_the_nearest_right_ones(
    least: str | None, pack: str | None, quantity: str, words: str
) -> None:
    sold = Sold(least and Decimal(least), pack and Decimal(pack))  # type: ignore[arg-type]
    refused = check_quantity(sold, Decimal(quantity))
    assert str(refused) == words


@pytest.mark.parametrize(
    ("least", "pack", "quantity"),
    [(None, None, "0.5"), (None, "5", "10"), ("10", "5", "10"), ("7", None, "7.5")],
)
def test_a_right_quantity_is_accepted(least: str | None, pack: str | None, quantity: str) -> None:
    sold = Sold(least and Decimal(least), pack and Decimal(pack))  # type: ignore[arg-type]
    assert check_quantity(sold, Decimal(quantity)) is None


@given(
    least=st.none() | st.integers(1, 200).map(Decimal),
    pack=st.none() | st.integers(1, 50).map(Decimal),
    quantity=st.integers(1, 500).map(Decimal),
)
def test_every_quantity_named_can_be_ordered(
    least: Decimal | None, pack: Decimal | None, quantity: Decimal
) -> None:
    sold = Sold(least, pack)
    assert check_quantity(sold, smallest_quantity(sold)) is None
    refused = check_quantity(sold, quantity)
    if refused is not None:
        named = [
            refused.details[name] for name in ("below", "above", "least") if name in refused.details
        ]
        assert named
        assert all(check_quantity(sold, value) is None for value in named)  # type: ignore[arg-type]


def test_a_name_falls_back_to_a_related_language_and_then_to_the_plain_name() -> None:
    names = {"zh-Hans": "坞", "ko": ""}
    assert local_name("Dock", names, "zh-Hans") == "坞"
    assert local_name("Dock", names, "zh-Hant") == "坞"
    assert local_name("Dock", names, "ko") == "Dock"
    assert local_name("Dock", None, "ko") == "Dock"
