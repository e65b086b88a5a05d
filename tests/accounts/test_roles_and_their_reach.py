"""Which permissions each role has and how far they go, against a table written by hand."""

from itertools import product

import pytest
from sqlalchemy import select

from portal.accounts.models import Membership
from portal.accounts.queries import membership_reached
from portal.accounts.rules import NotGrantableError, check_roles, grantable_roles
from portal.db import db
from portal.demo.cast import Cast, Member
from portal.policy import (
    CUSTOMER_ROLES,
    GRANTS,
    SUPPLIER_ROLES,
    P,
    Permission,
    Role,
    Scope,
    grants_of,
)
from tests.actors import person

CUSTOMER_TABLE = {
    "viewer": ("unit", ["catalog.read", "price.read", "quote.read", "order.read"]),
    "shopper": ("own", ["quote.read", "order.read", "quote.save", "quote.submit"]),
    "buyer": (
        "own",
        ["quote.save", "quote.submit", "quote.convert", "order.place", "order.cancel"],
    ),
    "site-buyer": ("account", ["quote.read", "quote.convert", "order.place", "order.cancel"]),
    "approver": ("unit", ["quote.read", "order.read"]),
    "user-administrator": ("group", ["person.read", "person.save"]),
    "site-administrator": (
        "account",
        ["person.save", "company.save", "policy.save", "event.read", "quote.read", "order.read"],
    ),
}
SUPPLIER_TABLE = {
    "account-manager": ("assigned", ["account.save", "company.save", "person.save", "quote.read"]),
    "pricing-manager": ("all", ["price-list.publish", "cost.save", "charge.save"]),
    "order-desk": ("all", ["order.read", "order.confirm", "order.decline"]),
    "auditor": ("all", ["quote.read", "order.read", "event.read", "cost.read"]),
    "system-administrator": ("all", ["account.save", "person.save", "staff.save", "event.read"]),
}
NEVER = {
    "viewer": ["quote.save", "order.place", "person.read"],
    "shopper": ["quote.convert", "order.place"],
    "buyer": ["approval.decide.all", "person.save", "company.save"],
    "site-administrator": ["order.place", "quote.convert", "account.save", "cost.read"],
    "account-manager": ["price-list.publish", "staff.save", "order.confirm"],
    "order-desk": ["quote.save", "price-list.read", "person.save"],
    "auditor": ["quote.save", "company.save", "person.save", "price-list.draft"],
    "system-administrator": ["price-list.read", "order.read", "quote.read"],
}


@pytest.mark.parametrize(("role", "row"), CUSTOMER_TABLE.items())
def test_a_customers_role_reaches_as_far_as_the_table_says(
    role: str, row: tuple[str, list[str]]
) -> None:
    granted = grants_of([Role(role)], is_supplier=False)

    assert {name: granted[Permission(name)].value for name in row[1]} == dict.fromkeys(
        row[1], row[0]
    )


@pytest.mark.parametrize(("role", "row"), SUPPLIER_TABLE.items())
def test_a_role_of_the_supplier_reaches_as_far_as_the_table_says(
    role: str, row: tuple[str, list[str]]
) -> None:
    granted = grants_of([Role(role)], is_supplier=True)

    assert {name: granted[Permission(name)].value for name in row[1]} == dict.fromkeys(
        row[1], row[0]
    )


@pytest.mark.parametrize(("role", "names"), NEVER.items())
def test_a_role_never_holds_what_is_not_its_work(role: str, names: list[str]) -> None:
    assert not {permission.value for permission in GRANTS[Role(role)]} & set(names)


@pytest.mark.parametrize("role", sorted(CUSTOMER_ROLES))
def test_no_member_of_a_customer_reaches_beyond_their_account(role: Role) -> None:
    granted = grants_of([role], is_supplier=False)

    assert all(scope.width <= Scope.ACCOUNT.width for scope in granted.values())
    assert P.COST_READ not in granted
    assert P.ACCOUNT_READ not in granted


@pytest.mark.usefixtures("world")
def test_the_database_reaches_the_same_rows_as_the_resolver(cast: Cast) -> None:
    everybody = db.session.scalars(select(Membership)).all()
    actors = [
        getattr(company, name)
        for company in (cast.acme, cast.hanbit, cast.supplier)
        for name in vars(type(company))
        if isinstance(vars(type(company))[name], Member)
    ]

    found = 0
    for actor, permission in product(actors, (P.PERSON_READ, P.QUOTE_READ, P.ORDER_PLACE)):
        reach = actor.reach(permission)
        expected = {
            item.id
            for item in everybody
            if reach.covers(
                account_id=item.account_id,
                unit_id=item.unit_id,
                owner_id=item.id,
                group_id=item.access_group_id,
            )
        }
        rows = db.session.scalars(
            select(Membership.id).where(membership_reached(actor, permission))
        )
        assert set(rows) == expected, (actor.email, permission)
        found += len(expected)
    assert found > len(everybody)


@pytest.mark.parametrize(("holder", "given"), list(product(Role, Role)))
def test_nobody_grants_beyond_their_side_or_what_they_hold(holder: Role, given: Role) -> None:
    for is_supplier in (False, True):
        if holder not in (SUPPLIER_ROLES if is_supplier else CUSTOMER_ROLES):
            continue
        actor = person(holder, is_supplier=is_supplier, access_group_id=1)
        own, other = (
            grantable_roles(actor, is_supplier=side) for side in (is_supplier, not is_supplier)
        )
        if not is_supplier:
            assert not other & (SUPPLIER_ROLES - CUSTOMER_ROLES)
            assert given not in own or given in CUSTOMER_ROLES
        if actor.grants.get(P.PERSON_SAVE) is Scope.GROUP and given in own:
            granted = grants_of([given], is_supplier=False)
            assert set(granted) <= set(actor.grants)
        if not actor.can(P.PERSON_SAVE):
            assert not own
            assert not other


def test_a_user_administrator_grants_what_they_hold_and_no_more() -> None:
    actor = person(Role.USER_ADMINISTRATOR, Role.VIEWER, is_supplier=False, access_group_id=1)

    assert grantable_roles(actor, is_supplier=False) == {Role.USER_ADMINISTRATOR, Role.VIEWER}


def test_an_account_manager_gives_no_role_of_the_supplier() -> None:
    actor = person(Role.ACCOUNT_MANAGER, is_supplier=True)

    assert grantable_roles(actor, is_supplier=True) == frozenset()
    assert grantable_roles(actor, is_supplier=False) == CUSTOMER_ROLES


def test_taking_a_role_away_needs_the_same_right_as_giving_it() -> None:
    grantable = {Role.VIEWER}

    check_roles(["viewer", "buyer"], ["buyer"], grantable)
    with pytest.raises(NotGrantableError, match="buyer"):
        check_roles(["viewer", "buyer"], ["viewer"], grantable)
