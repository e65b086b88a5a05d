"""Trees, e-mails and passwords, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.passwords import NOBODYS_HASH, hash_password, is_outdated, verify_password
from portal.accounts.rules import (
    BadEmailError,
    WeakPasswordError,
    ancestors,
    check_password,
    descendants,
    in_loop,
    normal_email,
)

TREE = {1: None, 2: 1, 3: 1, 4: 3, 5: None}


@pytest.mark.parametrize(
    ("unit", "up", "down"),
    [
        (1, (1,), {1, 2, 3, 4}),
        (3, (3, 1), {3, 4}),
        (4, (4, 3, 1), {4}),
        (5, (5,), {5}),
        (None, (), set()),
    ],
)
def test_a_unit_knows_those_above_and_below_itself(
    unit: int | None, up: tuple[int, ...], down: set[int]
) -> None:
    assert ancestors(unit, TREE) == up
    assert descendants(unit, TREE) == down


@pytest.mark.parametrize(
    ("parents", "looping"),
    [
        (TREE, set()),
        ({1: 1}, {1}),
        ({1: 2, 2: 1, 3: 1}, {1, 2}),
        ({1: 2, 2: 3, 3: 1, 4: None}, {1, 2, 3}),
        ({1: 99}, set()),
    ],
)
def test_a_loop_is_found_and_what_only_leads_there_is_not(
    parents: dict[int, int | None], looping: set[int]
) -> None:
    assert in_loop(parents) == looping


@given(st.dictionaries(st.integers(0, 8), st.none() | st.integers(0, 8)))
def test_what_is_in_a_loop_is_what_comes_back_to_itself(parents: dict[int, int | None]) -> None:
    def comes_back(start: int) -> bool:
        item = parents.get(start)
        for _step in range(len(parents) + 1):
            if item is None or item == start:
                break
            item = parents.get(item)
        return item == start

    assert in_loop(parents) == {item for item in parents if comes_back(item)}


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@b", "a b@c.de", "a@b.c;d@e.f", "@b.de", "a@b.", "x" * 250 + "@b.de", "jörg@b.de"],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(BadEmailError):
        normal_email(text)


def test_an_address_is_compared_in_lower_case() -> None:
    assert normal_email("  Ben.Brandt@ACME.example ") == "ben.brandt@acme.example"


@pytest.mark.parametrize(
    "password",
    ["short", "aaaaaaaaaaaaaaaa", "abababababababab", "ben@acme.example", "x" * 201, " " * 20],
)
def test_an_easy_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError, match="12 to 200"):
        check_password(password, "ben@acme.example")


def test_a_long_sentence_is_a_password() -> None:
    check_password("four horses on a hill", "ben@acme.example")


def test_a_hash_is_argon2id_with_the_agreed_cost() -> None:
    stored = hash_password("four horses on a hill")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not is_outdated(stored)
    assert not is_outdated(NOBODYS_HASH), "unknown people must cost as much as known ones"
    assert verify_password(stored, "four horses on a hill")
    assert not verify_password(stored, "four horses on a hil")
    assert not verify_password(None, "four horses on a hill")
