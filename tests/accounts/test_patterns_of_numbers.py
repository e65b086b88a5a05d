"""Patterns of purchase order numbers: the usual ones pass, none takes a worker hostage."""

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.accounts.patterns import LONGEST_TEXT, is_safe


@pytest.mark.parametrize(
    "pattern",
    [
        r"45\d{8}",
        r"PO-\d{4,10}",
        r"[A-Z]{2,4}-?\d{4,8}(-\d{1,3})?",
        r"(?:PO|BE|AB)[ /.-]?\d+",
        r"[0-9]+-[0-9]+",
        r"[]x\]]+",
        r"\d{7}|X\d{6}",
        r"\w+\.\w+",
        "",
    ],
)
def test_what_companies_use_is_taken(pattern: str) -> None:
    assert is_safe(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a|a)*b",
        r"(a|ab){20}",
        r"(\w+-)*\w+",
        "a?" * 40 + "a{40}",
        r"\d*\d*\d*\d*x",
        r"(?:(?:a?){9}){9}",
        r"(\d)\1",
        r"(?=a)a",
        r"(?i)po\d+",
        r"a+?b",
        r"a++b",
        r"(?P<x>a)",
        r"a{99999999999}",
        "(" * 100 + "a" + ")" * 99,
        "[",
        "a" * 201,
    ],
)
def test_what_runs_away_or_is_not_plain_is_refused(pattern: str) -> None:
    assert not is_safe(pattern)


_PART = st.recursive(
    st.sampled_from(["a", "b", "\\d", "[ab]", "."]),
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=4).map("".join),
        st.tuples(part, st.sampled_from(["?", "*", "+", "{0,9}", "{3}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
        st.tuples(part, part).map(lambda pair: f"({pair[0]}|{pair[1]})"),
    ),
    max_leaves=8,
)


@given(_PART)
def test_what_is_taken_is_answered_at_once_for_the_worst_of_texts(pattern: str) -> None:
    assume(is_safe(pattern))
    begun = time.process_time()

    re.fullmatch(pattern, "a" * (LONGEST_TEXT - 1) + "!")

    assert time.process_time() - begun < 2, "a runaway takes years"
