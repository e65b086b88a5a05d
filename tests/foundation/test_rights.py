"""The one table of rights: what roles reach, on either side, alone and together."""

from dataclasses import replace
from itertools import combinations
from types import MappingProxyType

import pytest

from portal.errors import NotAllowedError
from portal.policy import (
    CUSTOMER_ROLES,
    GRANTS,
    SUPPLIER_ROLES,
    Actor,
    P,
    Permission,
    Role,
    Scope,
    grants_of,
    matrix_rows,
)


def actor(*roles: Role, is_supplier: bool = False, group: int | None = 7) -> Actor:
    return Actor(
        person_id=1,
        membership_id=11,
        account_id=1,
        account_code="ACME",
        is_supplier=is_supplier,
        currency="EUR",
        locale="en",
        time_zone="UTC",
        unit_id=3,
        access_group_id=group,
        reachable_unit_ids=frozenset({3, 4}),
        assigned_account_ids=frozenset({5, 6}),
        roles=frozenset(roles),
        grants=grants_of(roles, is_supplier=is_supplier),
    )


@pytest.mark.parametrize("role", sorted(CUSTOMER_ROLES))
def test_no_role_given_in_a_customer_account_reaches_beyond_it(role: Role) -> None:
    member = actor(role)

    for permission in member.grants:
        reach = member.reach(permission)
        assert reach.account_ids == frozenset({1})
        assert not reach.covers(account_id=2, unit_id=3, owner_id=11, group_id=7)


def test_an_auditor_of_one_account_sees_that_account_and_no_costs() -> None:
    inside, outside = actor(Role.AUDITOR), actor(Role.AUDITOR, is_supplier=True)

    assert inside.reach(P.QUOTE_READ).account_ids == frozenset({1})
    assert outside.reach(P.QUOTE_READ).account_ids is None
    assert not inside.can(P.COST_READ)
    assert outside.can(P.COST_READ)


def test_an_account_manager_reaches_the_assigned_accounts_only() -> None:
    manager = actor(Role.ACCOUNT_MANAGER, is_supplier=True)

    assert manager.reach(P.QUOTE_READ).covers(account_id=5)
    assert not manager.reach(P.QUOTE_READ).covers(account_id=7)


def test_a_buyer_acts_on_their_own_and_sees_their_unit_and_below() -> None:
    buyer = actor(Role.BUYER)

    assert buyer.reach(P.QUOTE_READ).covers(account_id=1, unit_id=4, owner_id=99)
    assert not buyer.reach(P.QUOTE_READ).covers(account_id=1, unit_id=5, owner_id=99)
    assert buyer.reach(P.QUOTE_SUBMIT).covers(account_id=1, unit_id=4, owner_id=11)
    with pytest.raises(NotAllowedError):
        buyer.must_reach(P.QUOTE_SUBMIT, account_id=1, unit_id=4, owner_id=99)


def test_who_stands_above_all_units_reaches_each_of_them_and_what_belongs_to_none() -> None:
    above = replace(actor(Role.BUYER), unit_id=None, reachable_unit_ids=frozenset())

    assert above.reach(P.QUOTE_READ).covers(account_id=1, unit_id=5, owner_id=99)
    assert above.reach(P.QUOTE_READ).covers(account_id=1, unit_id=None, owner_id=99)
    assert not above.reach(P.QUOTE_READ).covers(account_id=2, unit_id=5, owner_id=11)
    assert not above.reach(P.QUOTE_SUBMIT).covers(account_id=1, unit_id=5, owner_id=99)


def test_a_shopper_cannot_order() -> None:
    shopper = actor(Role.SHOPPER)

    assert not {P.QUOTE_CONVERT, P.ORDER_PLACE} & set(shopper.grants)
    with pytest.raises(NotAllowedError):
        shopper.must(P.ORDER_PLACE)


def test_without_a_group_a_user_administrator_reaches_nobody() -> None:
    assert actor(Role.USER_ADMINISTRATOR, group=None).reach(P.PERSON_READ).is_empty


@pytest.mark.parametrize("is_supplier", [False, True])
def test_two_roles_together_never_reach_less_than_each_alone(is_supplier: bool) -> None:  # noqa: FBT001
    side = SUPPLIER_ROLES if is_supplier else CUSTOMER_ROLES
    for one, other in combinations(sorted(side), 2):
        both = grants_of((one, other), is_supplier=is_supplier)
        for role in (one, other):
            for permission, scope in grants_of((role,), is_supplier=is_supplier).items():
                assert both[permission].width >= scope.width


def test_the_roles_of_customers_hold_no_supplier_s_permission() -> None:
    everything = grants_of(CUSTOMER_ROLES, is_supplier=False)

    assert not {P.COST_READ, P.PRICE_LIST_PUBLISH, P.ORDER_CONFIRM, P.ACCOUNT_SAVE} & set(
        everything
    )
    assert Scope.ALL not in everything.values()


def test_the_system_administrator_touches_neither_prices_nor_orders() -> None:
    held = set(GRANTS[Role.SYSTEM_ADMINISTRATOR])

    assert not {name for name in held if name.startswith(("price", "order", "quote", "cost"))}


def test_the_printed_matrix_has_one_row_for_each_thing_granted() -> None:
    rows = matrix_rows()

    assert len(rows) == len(set(rows)) == sum(len(table) for table in GRANTS.values())
    assert {row[1] for row in rows} == {permission.value for permission in Permission}


def test_the_table_can_not_be_changed_while_the_program_runs() -> None:
    assert isinstance(GRANTS, MappingProxyType)
