"""Suspended accounts and people: out at once, back as they were, by the right hands alone."""

from collections.abc import Callable

import pytest

from portal.accounts.actions import (
    activate_account,
    activate_person,
    set_password,
    suspend_account,
    suspend_person,
)
from portal.accounts.queries import load_actor
from portal.accounts.rules import (
    OwnRightsError,
    UnknownPersonError,
    WeakPasswordError,
    WrongStateError,
)
from portal.demo.cast import Cast
from portal.errors import NotAllowedError, NotFoundError
from tests.accounts.files import operator
from tests.accounts.keys import key_of, person_of
from tests.instants import NOW

Rows = Callable[[], object]


def test_nobody_of_a_suspended_account_acts_until_it_is_activated(cast: Cast) -> None:
    buyer, guest, manager = cast.acme.buyer, cast.hanbit.buyer, cast.supplier.account_manager

    suspend_account(manager, "ACME", now=NOW)

    assert load_actor(key_of(buyer)) is None
    assert load_actor(key_of(guest)) == guest
    assert load_actor(key_of(manager)) == manager
    activate_account(manager, "ACME", now=NOW)
    assert load_actor(key_of(buyer)) == buyer


def test_only_those_who_look_after_an_account_suspend_it(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    with pytest.raises(NotFoundError, match="no account HANBIT"):
        suspend_account(cast.supplier.account_manager, "HANBIT", now=NOW)
    for actor in (cast.acme.admin, cast.supplier.order_desk, cast.supplier.auditor):
        with pytest.raises(NotAllowedError):
            suspend_account(actor, "ACME", now=NOW)
    with pytest.raises(NotAllowedError):
        suspend_account(cast.supplier.system_admin, "SUPPLIER", now=NOW)
    with pytest.raises(WrongStateError, match="active"):
        activate_account(cast.supplier.account_manager, "ACME", now=NOW)
    assert business_rows() == before


def test_a_suspended_person_is_out_of_every_account(cast: Cast) -> None:
    buyer, research = cast.acme.buyer, cast.acme.buyer_at_research

    suspend_person(cast.supplier.system_admin, person_of(buyer), now=NOW)
    assert load_actor(key_of(buyer)) is None
    assert load_actor(key_of(research)) is None

    activate_person(cast.supplier.system_admin, person_of(buyer), now=NOW)
    assert load_actor(key_of(research)) == research


def test_people_as_a_whole_are_the_system_administrators(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    for actor in (cast.acme.admin, cast.supplier.account_manager, cast.supplier.auditor):
        with pytest.raises(NotAllowedError):
            suspend_person(actor, person_of(cast.acme.buyer), now=NOW)
    with pytest.raises(OwnRightsError):
        suspend_person(cast.supplier.system_admin, person_of(cast.supplier.system_admin), now=NOW)
    assert business_rows() == before


def test_an_operator_sets_passwords_and_others_do_not(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    with pytest.raises(NotAllowedError):
        set_password(cast.acme.admin, "buyer@acme.example", "four horses on a hill", now=NOW)
    with pytest.raises(WeakPasswordError):
        set_password(operator(), "buyer@acme.example", "short", now=NOW)
    with pytest.raises(UnknownPersonError, match=r"nobody@acme\.example"):
        set_password(operator(), "nobody@acme.example", "four horses on a hill", now=NOW)
    assert business_rows() == before

    set_password(operator(), "buyer@acme.example", "four horses on a hill", now=NOW)
    assert business_rows() != before
